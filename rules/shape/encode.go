package shape

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"unicode/utf8"
)

// encoder makes JSON of values, objects in the order of their names. HTML's letters stay as they are: it is no page.
type encoder struct {
	*budget
	most    int // bytes
	tooLong error
}

func (e encoder) append(to []byte, v any) (_ []byte, err error) {
	if err := e.spend(flat(v)); err != nil {
		return nil, err
	}
	switch v := v.(type) {
	case string:
		return e.text(to, v)
	case []any:
		return appendList(e, to, v)
	case []string: // what split makes
		return appendList(e, to, v)
	case map[string]any:
		return e.object(to, v)
	}
	if err := e.whole(v, 1); err != nil {
		return nil, err
	}
	if to, err = appendJSON(to, v); err != nil {
		return nil, err
	}
	if len(to) > e.most {
		return nil, e.tooLong
	}
	return to, nil
}

func (e encoder) text(to []byte, text string) ([]byte, error) {
	to, all := appendText(to, text, e.most)
	if !all {
		return nil, e.tooLong
	}
	return to, nil
}

func appendList[member any](e encoder, to []byte, list []member) (_ []byte, err error) {
	to = append(to, '[')
	for i, one := range list {
		if i > 0 {
			to = append(to, ',')
		}
		if to, err = e.append(to, one); err != nil {
			return nil, err
		}
	}
	return append(to, ']'), nil
}

func (e encoder) object(to []byte, object map[string]any) (_ []byte, err error) {
	if err := e.spend(perCall * len(object)); err != nil { // to sort the names
		return nil, err
	}
	to = append(to, '{')
	for i, name := range slices.Sorted(maps.Keys(object)) {
		if i > 0 {
			to = append(to, ',')
		}
		if to, err = e.text(to, name); err != nil {
			return nil, err
		}
		if to, err = e.append(append(to, ':'), object[name]); err != nil {
			return nil, err
		}
	}
	return append(to, '}'), nil
}

// appendJSON appends a value of a file, which is small, or one that has no members.
func appendJSON(to []byte, v any) ([]byte, error) {
	switch v := v.(type) {
	case float64:
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return nil, fmt.Errorf("it is %v, which JSON has no number for", v)
		}
	case int:
		return strconv.AppendInt(to, int64(v), 10), nil
	case string:
		to, _ = appendText(to, v, math.MaxInt)
		return to, nil
	}
	var w bytes.Buffer
	e := json.NewEncoder(&w)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, fmt.Errorf("encoding what it is: %w", err)
	}
	return append(to, bytes.TrimSuffix(w.Bytes(), []byte("\n"))...), nil
}

const hex = "0123456789abcdef"

// appendText appends a text as encoding/json does, as long as all comes to no more than most bytes. That has a copy made of each
// text, and one may be large.
func appendText(to []byte, text string, most int) (_ []byte, all bool) {
	to = append(to, '"')
	from := 0 // of what stays as it is
	for i := 0; i < len(text); {
		if c := text[i]; c >= ' ' && c < utf8.RuneSelf && c != '"' && c != '\\' {
			i++
			continue
		}
		escaped, size := escapeOf(text[i:])
		if escaped != "" {
			to = append(append(to, text[from:i]...), escaped...)
			from = i + size
		}
		if i += size; len(to)+i-from > most {
			return to, false
		}
	}
	if len(to)+len(text)-from+1 > most {
		return to, false
	}
	return append(append(to, text[from:]...), '"'), true
}

// escapeOf is how JSON writes the character that a text begins with, when in another way, and the character's size.
func escapeOf(text string) (escaped string, size int) {
	switch c := text[0]; {
	case c == '"' || c == '\\':
		return `\` + string(c), 1
	case c == '\n':
		return `\n`, 1
	case c == '\r':
		return `\r`, 1
	case c == '\t':
		return `\t`, 1
	case c == '\b':
		return `\b`, 1
	case c == '\f':
		return `\f`, 1
	case c < ' ':
		return `\u00` + string(hex[c>>4]) + string(hex[c&15]), 1
	case c < utf8.RuneSelf:
		return "", 1
	}
	switch r, size := utf8.DecodeRuneInString(text); {
	case r == utf8.RuneError && size == 1:
		return `\ufffd`, 1
	case r == '\u2028' || r == '\u2029': // line ends in a script
		return `\u202` + string(hex[r&15]), size
	default:
		return "", size
	}
}
