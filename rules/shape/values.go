package shape

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
)

// Number is a whole number for expressions, as large as any that a column holds; false when the text is no such number.
func Number(text string) (any, bool) {
	if n, err := strconv.Atoi(text); err == nil {
		return n, true
	}
	if n, err := strconv.ParseUint(text, 10, 64); err == nil {
		return n, true
	}
	return nil, false
}

// Payload decodes a payload for Values. Whole numbers keep all their digits.
func Payload(text []byte) (v any, err error) {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	if err := d.Decode(&v); err != nil {
		return nil, fmt.Errorf("reading the payload: %w", err)
	}
	return numbers(v), nil
}

// Fields decodes some fields of a payload for Values, as Payload does. The others are not decoded, for that takes most of the
// time that a template does. A payload that is no object has no fields, and is decoded as it is.
func Fields(text []byte, names []string) (any, error) {
	s := scanner{text: text}
	if s.skip(); s.at >= len(text) || text[s.at] != '{' {
		return Payload(text)
	}
	fields := make(map[string]any, len(names))
	var err error
	s.each('}', func() {
		name := nameOf(s.key())
		s.skip()
		from := s.at
		if s.pass(1); s.bad || err != nil || !slices.Contains(names, name) {
			return
		}
		fields[name], err = Payload(text[from:s.at])
	})
	if s.bad {
		err = errors.New("reading the payload: it is not valid JSON")
	}
	return fields, err
}

// numbers puts numbers in the place of their texts.
func numbers(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for name, below := range v {
			v[name] = numbers(below)
		}
	case []any:
		for i, below := range v {
			v[i] = numbers(below)
		}
	case json.Number:
		if n, ok := Number(v.String()); ok {
			return n
		}
		if f, err := v.Float64(); err == nil {
			return f
		}
		return v.String()
	}
	return v
}
