package loader

import (
	"encoding/base64"
	"strings"

	"rowhook/cdc"
	"rowhook/loader/render"
)

// appendKey appends an object's next key.
func appendKey(b []byte, name string) []byte {
	if b[len(b)-1] != '{' {
		b = append(b, ',')
	}
	return append(appendString(b, name), ':')
}

// appendNative appends column i as the JSON type it is: numbers as numbers.
func appendNative(b []byte, row cdc.Row, i int) []byte {
	switch row.Kind(i) {
	case cdc.Null, cdc.Absent:
		return append(b, "null"...)
	case cdc.Int:
		return append(b, row.Text(i)...)
	case cdc.Decimal:
		return appendDecimal(b, row.Text(i))
	case cdc.Float:
		return appendFloat(b, row.Text(i))
	}
	return appendText(b, row, i)
}

// appendText appends column i as a string, as the plugin, which reads text from the database, does.
func appendText(b []byte, row cdc.Row, i int) []byte {
	if row.Kind(i) == cdc.Binary {
		b = append(b, '"')
		text := row.Text(i)
		for len(text) > 0 { // in pieces that need no padding
			const piece = 3 << 10
			n := min(len(text), piece)
			b = base64.StdEncoding.AppendEncode(b, []byte(text[:n]))
			text = text[n:]
		}
		return append(b, '"')
	}
	return appendString(b, row.Text(i))
}

// appendDecimal appends a DECIMAL as PHP shows the number it is: 25.50 as 25.5, 100.00 as 100.
func appendDecimal(b []byte, text string) []byte {
	if strings.Contains(text, ".") {
		text = strings.TrimSuffix(strings.TrimRight(text, "0"), ".")
	}
	return append(b, text...)
}

// appendFloat appends a number whose text may have a form that JSON has not: .5, 1., +1.
func appendFloat(b []byte, text string) []byte {
	if !validNumber(text) {
		return appendString(b, text)
	}
	return append(b, text...)
}

// validNumber says whether text is a number in JSON's grammar.
func validNumber(text string) bool {
	s := strings.TrimPrefix(text, "-")
	digits := func() bool {
		n := 0
		for n < len(s) && s[n] >= '0' && s[n] <= '9' {
			n++
		}
		s = s[n:]
		return n > 0
	}
	if len(s) > 1 && s[0] == '0' && s[1] >= '0' && s[1] <= '9' || !digits() {
		return false
	}
	if strings.HasPrefix(s, ".") {
		if s = s[1:]; !digits() {
			return false
		}
	}
	if s != "" && (s[0] == 'e' || s[0] == 'E') {
		s = s[1:]
		if s != "" && (s[0] == '+' || s[0] == '-') {
			s = s[1:]
		}
		return digits() && s == ""
	}
	return s == ""
}

// appendString appends a JSON string.
func appendString(b []byte, s string) []byte { return render.AppendString(b, s) }
