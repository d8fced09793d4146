package rowcodec

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"strconv"

	"github.com/go-mysql-org/go-mysql/mysql"

	"rowhook/cdc/charset"
	"rowhook/cdc/wire"
)

// The types of a value in MySQL's binary JSON; see sql-common/json_binary.h. Containers are small when their offsets
// have two bytes, large when they have four.
const (
	jsonSmallObject = 0
	jsonLargeObject = 1
	jsonSmallArray  = 2
	jsonLargeArray  = 3
	jsonLiteral     = 4
	jsonInt16       = 5
	jsonUint16      = 6
	jsonInt32       = 7
	jsonUint32      = 8
	jsonInt64       = 9
	jsonUint64      = 10
	jsonDouble      = 11
	jsonString      = 12
	jsonOpaque      = 15
)

// maxJSONDecimal is the largest precision of a DECIMAL in a document: computed ones have whole groups of digits.
const maxJSONDecimal = 9 * digitsPerGroup

// maxJSONDepth is the deepest nesting of containers that MySQL stores.
const maxJSONDepth = 100

var errJSON = errors.New("a JSON document cannot be read")

// appendJSON adds a document as SELECT prints it: the members in the order in which they are stored, a space behind
// commas and colons.
//
// A document is a tree of offsets. Nothing keeps a damaged one from having many that lead to the same place, again and
// again: that is why the text is bounded. No honest byte becomes more than eight (-32768 and a comma from three).
func appendJSON(text, doc []byte) ([]byte, error) {
	if len(doc) == 0 { // what an INSERT IGNORE makes of NULL
		return append(text, "null"...), nil
	}
	w := jsonWriter{text: text, most: len(text) + 8*len(doc) + 64}
	if err := w.value(doc[0], doc[1:], 1); err != nil {
		return text, err
	}
	return w.text, nil
}

// jsonWriter makes the text of one document.
type jsonWriter struct {
	text []byte
	most int // bytes of text
}

// value adds the value of a type that begins at data; what follows it belongs to others.
func (w *jsonWriter) value(typ byte, data []byte, depth int) error {
	if len(w.text) > w.most {
		return errJSON
	}
	switch typ {
	case jsonSmallObject, jsonLargeObject, jsonSmallArray, jsonLargeArray:
		return w.container(typ, data, depth)
	case jsonString:
		s, ok := jsonSized(data)
		if !ok {
			return errJSON
		}
		w.text = appendJSONString(w.text, s)
		return nil
	case jsonOpaque:
		if len(data) < 1 {
			return errJSON
		}
		value, ok := jsonSized(data[1:])
		if !ok {
			return errJSON
		}
		return w.opaque(data[0], value)
	}
	size, ok := jsonScalarSize(typ)
	if !ok || len(data) < size {
		return errJSON
	}
	return w.scalar(typ, data[:size])
}

func jsonScalarSize(typ byte) (int, bool) {
	switch typ {
	case jsonLiteral:
		return 1, true
	case jsonInt16, jsonUint16:
		return 2, true
	case jsonInt32, jsonUint32:
		return 4, true
	case jsonInt64, jsonUint64, jsonDouble:
		return 8, true
	}
	return 0, false
}

// scalar adds a value of fixed size.
func (w *jsonWriter) scalar(typ byte, data []byte) error {
	v := wire.LittleEndian(data)
	switch typ {
	case jsonLiteral:
		if v > 2 {
			return errJSON
		}
		w.text = append(w.text, [...]string{"null", "true", "false"}[v]...)
	case jsonInt16, jsonInt32, jsonInt64:
		unused := 64 - 8*len(data)
		w.text = strconv.AppendInt(w.text, int64(v<<unused)>>unused, 10)
	case jsonUint16, jsonUint32, jsonUint64:
		w.text = strconv.AppendUint(w.text, v, 10)
	case jsonDouble:
		start := len(w.text)
		w.text = appendShort(w.text, math.Float64frombits(v), asManyAsNeeded)
		if !bytes.ContainsAny(w.text[start:], ".e") { // else it would look like an integer
			w.text = append(w.text, ".0"...)
		}
	}
	return nil
}

// container adds an object or an array: the number of its members, its size in bytes, an entry for each key (where it
// is and how long), an entry for each value (its type, and where it is, or itself), then keys and values.
func (w *jsonWriter) container(typ byte, data []byte, depth int) error {
	width := 2
	if typ == jsonLargeObject || typ == jsonLargeArray {
		width = 4
	}
	if len(data) < 2*width || depth > maxJSONDepth {
		return errJSON
	}
	count, size := wire.LittleEndian(data[:width]), wire.LittleEndian(data[width:2*width])
	if size > uint64(len(data)) {
		return errJSON
	}
	data = data[:size]
	object := typ == jsonSmallObject || typ == jsonLargeObject
	keys, entry := uint64(0), uint64(width+1)
	if object {
		keys = uint64(width + 2)
	}
	head := uint64(2 * width)
	if head+count*(keys+entry) > size { // count has four bytes at most: no overflow
		return errJSON
	}
	open, end := byte('['), byte(']')
	if object {
		open, end = '{', '}'
	}
	w.text = append(w.text, open)
	for i := range count {
		if i > 0 {
			w.text = append(w.text, ", "...)
		}
		if object {
			k := data[head+i*keys:]
			at, length := wire.LittleEndian(k[:width]), uint64(binary.LittleEndian.Uint16(k[width:]))
			if at+length > size {
				return errJSON
			}
			w.text = append(appendJSONString(w.text, data[at:at+length]), ": "...)
		}
		if err := w.member(data, data[head+count*keys+i*entry:][:entry], depth); err != nil {
			return err
		}
	}
	w.text = append(w.text, end)
	return nil
}

// member adds the value of an entry: small ones stand in it.
func (w *jsonWriter) member(data, entry []byte, depth int) error {
	typ, where := entry[0], entry[1:]
	if size, ok := jsonScalarSize(typ); ok && size <= len(where) {
		return w.value(typ, where, depth+1)
	}
	at := wire.LittleEndian(where)
	if at > uint64(len(data)) {
		return errJSON
	}
	return w.value(typ, data[at:], depth+1)
}

// opaque adds a value of an SQL type: decimals and times as themselves, others in base64.
func (w *jsonWriter) opaque(typ byte, value []byte) error {
	switch typ {
	case mysql.MYSQL_TYPE_NEWDECIMAL:
		if len(value) < 2 {
			return errJSON
		}
		digits, scale := int(value[0]), int(value[1])
		if digits < 1 || digits > maxJSONDecimal || scale > digits || len(value)-2 != decimalSize(digits, scale) {
			return errJSON
		}
		w.text = appendDecimal(w.text, value[2:], digits, scale)
		return nil
	case mysql.MYSQL_TYPE_DATE, mysql.MYSQL_TYPE_DATETIME, mysql.MYSQL_TYPE_TIMESTAMP, mysql.MYSQL_TYPE_TIME:
		if len(value) != 8 {
			return errJSON
		}
		w.text = appendPackedTime(append(w.text, '"'), typ, int64(binary.LittleEndian.Uint64(value)))
		w.text = append(w.text, '"')
		return nil
	}
	w.text = fmt.Appendf(w.text, `"base64:type%d:`, typ)
	const line = 76 / 4 * 3
	for first := true; len(value) > 0; first = false {
		if !first { // the server breaks lines at 76 characters
			w.text = append(w.text, `\n`...)
		}
		n := min(len(value), line)
		w.text = base64.StdEncoding.AppendEncode(w.text, value[:n])
		value = value[n:]
	}
	w.text = append(w.text, '"')
	return nil
}

// appendPackedTime adds a time in the form in which the server computes: the fields above 24 bits of microseconds.
func appendPackedTime(text []byte, typ byte, packed int64) []byte {
	if packed < 0 {
		text, packed = append(text, '-'), -packed
	}
	v, micros := uint64(packed)>>24, uint64(packed)&(1<<24-1)
	if typ == mysql.MYSQL_TYPE_TIME {
		text = appendClock(text, v>>12&1023, v>>6&63, v&63)
		return appendFraction(text, micros, 6)
	}
	months := v >> 22
	text = appendDate(text, months/13, months%13, v>>17&31)
	if typ == mysql.MYSQL_TYPE_DATE {
		return text
	}
	text = appendClock(append(text, ' '), v>>12&31, v>>6&63, v&63)
	return appendFraction(text, micros, 6)
}

// jsonSized cuts off bytes with their number in front of them, seven bits to a byte, the lowest first.
func jsonSized(data []byte) (value []byte, ok bool) {
	size := uint64(0)
	for i := 0; i < 5 && i < len(data); i++ {
		size |= uint64(data[i]&0x7f) << (7 * i)
		if data[i] < 0x80 {
			data = data[i+1:]
			if size > uint64(len(data)) {
				return nil, false
			}
			return data[:size], true
		}
	}
	return nil, false
}

// appendJSONString adds a quoted string.
func appendJSONString(text, s []byte) []byte {
	const hex = "0123456789abcdef"
	text = append(text, '"')
	plain := 0
	for i, c := range s {
		if c >= ' ' && c != '"' && c != '\\' {
			continue
		}
		text = charset.AppendUTF8(text, s[plain:i])
		plain = i + 1
		switch c {
		case '"', '\\':
			text = append(text, '\\', c)
		case '\b':
			text = append(text, `\b`...)
		case '\f':
			text = append(text, `\f`...)
		case '\n':
			text = append(text, `\n`...)
		case '\r':
			text = append(text, `\r`...)
		case '\t':
			text = append(text, `\t`...)
		default:
			text = append(text, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
		}
	}
	return append(charset.AppendUTF8(text, s[plain:]), '"')
}
