package render

import (
	"encoding/json"
	"errors"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Value is a JSON value as PHP has it once decoded. Objects are arrays with keys, in their order, and an array whose keys
// count from 0 is a list when it is encoded again: {} comes out as []. The zero Value is null.
type Value struct {
	kind   kind
	text   string // of a string its value, of a number its digits
	number float64
	keys   []string
	values []Value
}

type kind byte

const (
	null kind = iota
	boolean
	integer
	float
	text
	array
)

// Text makes a Value of a string.
func Text(s string) Value { return Value{kind: text, text: s} }

// NewArray makes an array without entries.
func NewArray() Value { return Value{kind: array} }

// maxDepth is how many arrays PHP decodes in one another by default: with what is in them that makes 512.
const maxDepth = 511

// Decode decodes JSON as PHP's json_decode does. What is no JSON is null.
func Decode(s string) Value {
	if s == "" || !utf8.ValidString(s) || loneSurrogate(s) {
		return Value{}
	}
	d := json.NewDecoder(strings.NewReader(s))
	d.UseNumber()
	v, err := decodeValue(d, 0)
	if err != nil {
		return Value{}
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return Value{}
	}
	return v
}

// loneSurrogate says whether JSON has one half of a character that UTF-16 writes as two: PHP refuses it, Go does not.
func loneSurrogate(s string) bool {
	for {
		i := strings.IndexByte(s, '\\')
		if i < 0 || i+1 >= len(s) {
			return false
		}
		unit, ok := escapedUnit(s[i:])
		if !ok {
			s = s[i+2:]
			continue
		}
		s = s[i+6:]
		if unit&0xfc00 == 0xdc00 {
			return true
		}
		if unit&0xfc00 == 0xd800 {
			if low, ok := escapedUnit(s); !ok || low&0xfc00 != 0xdc00 {
				return true
			}
			s = s[6:]
		}
	}
}

// escapedUnit is the code of an escape such as \u00e9 at the beginning of s.
func escapedUnit(s string) (uint64, bool) {
	if len(s) < 6 || s[0] != '\\' || s[1] != 'u' {
		return 0, false
	}
	unit, err := strconv.ParseUint(s[2:6], 16, 16)
	return unit, err == nil
}

func decodeValue(d *json.Decoder, depth int) (Value, error) {
	token, err := d.Token()
	if err != nil {
		return Value{}, err
	}
	switch t := token.(type) {
	case json.Delim:
		if depth == maxDepth {
			return Value{}, errors.New("too deep")
		}
		return decodeArray(d, t == '{', depth)
	case string:
		return Text(t), nil
	case json.Number:
		return numberOf(t.String()), nil
	case bool:
		v := Value{kind: boolean}
		if t {
			v.number = 1
		}
		return v, nil
	}
	return Value{}, nil
}

// numberOf is the number of a JSON text: whole ones that PHP's integers hold, else a float.
func numberOf(s string) Value {
	if n, err := strconv.ParseInt(s, 10, 64); err == nil {
		return Value{kind: integer, text: strconv.FormatInt(n, 10), number: float64(n)}
	}
	f, _ := strconv.ParseFloat(s, 64) // beyond its range it is infinite, as in PHP
	return Value{kind: float, number: f}
}

func decodeArray(d *json.Decoder, object bool, depth int) (Value, error) {
	v := NewArray()
	for d.More() {
		key := strconv.Itoa(len(v.values))
		if object {
			token, err := d.Token()
			if err != nil {
				return Value{}, err
			}
			key, _ = token.(string)
		}
		value, err := decodeValue(d, depth+1)
		if err != nil {
			return Value{}, err
		}
		if object {
			v.Set(key, value)
		} else {
			v.keys, v.values = append(v.keys, key), append(v.values, value)
		}
	}
	_, err := d.Token()
	return v, err
}

// IsArray says whether the value is an array or object.
func (v Value) IsArray() bool { return v.kind == array }

// Len is the number of an array's entries.
func (v Value) Len() int { return len(v.values) }

// Entry is entry i of an array.
func (v Value) Entry(i int) (key string, value Value) { return v.keys[i], v.values[i] }

// Get is the value of a key; false when there is none.
func (v Value) Get(key string) (Value, bool) {
	for i, k := range v.keys {
		if k == key {
			return v.values[i], true
		}
	}
	return Value{}, false
}

// Set changes the value of a key, or adds it behind the others. It must not be called on a copy whose entries are shared.
func (v *Value) Set(key string, value Value) {
	for i, k := range v.keys {
		if k == key {
			v.values[i] = value
			return
		}
	}
	v.keys, v.values = append(v.keys, key), append(v.values, value)
}

// String is the value as PHP casts it to a string.
func (v Value) String() string {
	switch v.kind {
	case boolean:
		if v.number != 0 {
			return "1"
		}
	case integer, text:
		return v.text
	case float:
		return castFloat(v.number)
	case array:
		return "Array"
	}
	return ""
}

// Empty is PHP's empty(): nothing is written in it, or a zero.
func (v Value) Empty() bool {
	switch v.kind {
	case boolean, integer, float:
		return v.number == 0
	case text:
		return !True(v.text)
	case array:
		return len(v.values) == 0
	}
	return true
}

// True is what PHP takes a text for where it asks for true or false.
func True(s string) bool { return s != "" && s != "0" }

// Append appends the value as PHP encodes it.
func (v Value) Append(b []byte) []byte {
	switch v.kind {
	case boolean:
		return strconv.AppendBool(b, v.number != 0)
	case integer:
		return append(b, v.text...)
	case float:
		return AppendNumber(b, v.number)
	case text:
		return AppendString(b, v.text)
	case array:
		return v.appendArray(b)
	}
	return append(b, "null"...)
}

func (v Value) appendArray(b []byte) []byte {
	list := true
	for i, k := range v.keys {
		list = list && k == strconv.Itoa(i)
	}
	if list {
		b = append(b, '[')
	} else {
		b = append(b, '{')
	}
	for i, k := range v.keys {
		if i > 0 {
			b = append(b, ',')
		}
		if !list {
			b = append(AppendString(b, k), ':')
		}
		b = v.values[i].Append(b)
	}
	if list {
		return append(b, ']')
	}
	return append(b, '}')
}
