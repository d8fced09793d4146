package redact

import (
	"html"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// span is a part of the text as it is, in bytes.
type span struct{ from, to int }

// layer is a text after some decoding.
type layer struct {
	text    string
	origins []span // for each byte, which part of the text as it is it came from; nil: the layer is that text
	open    int    // where an escape begins that the text's end cuts off; the text's length: there is none
}

func (l layer) origin(i int) span {
	if l.origins == nil {
		return span{i, i + 1}
	}
	return l.origins[i]
}

// escape is a way of escaping. Its read decodes what a text begins with and says how long that was: 0 if it is no escape,
// unfinished if the text ends within one.
type escape struct {
	lead byte
	read func(text string) (plain string, length int)
}

const unfinished = -1

var escapes = [...]escape{{'\\', readBackslash}, {'&', readEntity}, {'%', readPercent}, {'=', readQuotedPrintable}}

// decode makes the layer below, if there is one. What is no escape stays as it is.
func (l layer) decode(e escape) (layer, bool) {
	if strings.IndexByte(l.text, e.lead) < 0 {
		return layer{}, false
	}
	out := make([]byte, 0, len(l.text))
	below := layer{origins: make([]span, 0, len(l.text)), open: -1}
	changed := false
	for i := 0; i < len(l.text); {
		plain, n := l.text[i:i+1], 1
		if l.text[i] == e.lead {
			switch decoded, length := e.read(l.text[i:]); {
			case length > 0:
				plain, n, changed = decoded, length, true
			case length == unfinished && below.open < 0:
				below.open = len(out)
			}
		}
		from := span{l.origin(i).from, l.origin(i + n - 1).to}
		for range len(plain) {
			below.origins = append(below.origins, from)
		}
		out = append(out, plain...)
		i += n
	}
	if !changed && below.open < 0 {
		return layer{}, false
	}
	below.text = string(out)
	if below.open < 0 {
		below.open = len(out)
	}
	return below, true
}

// readBackslash reads the escapes of JSON, and those that PHP, JavaScript and Go have besides: \', \xXX and \OOO.
func readBackslash(text string) (string, int) {
	if len(text) < 2 {
		return "", unfinished
	}
	switch c := text[1]; c {
	case '"', '\\', '/', '\'':
		return text[1:2], 2
	case 'x':
		return readHex(text, 2)
	case 'u':
		return readUnicode(text)
	case '0', '1', '2', '3':
		return readOctal(text)
	default:
		if i := strings.IndexByte("bfnrt", c); i >= 0 {
			return "\b\f\n\r\t"[i : i+1], 2
		}
		return "", 0
	}
}

// readOctal reads a byte of three digits.
func readOctal(text string) (string, int) {
	const length = len(`\OOO`)
	n, err := strconv.ParseUint(text[1:min(len(text), length)], 8, 8)
	switch {
	case err != nil:
		return "", 0
	case len(text) < length:
		return "", unfinished
	}
	return string([]byte{byte(n)}), length
}

// readUnicode reads \uXXXX, or two of them that are one character, and \u{XXX}. The escapes of JavaScript's escape() are
// the same but for their first byte.
func readUnicode(text string) (string, int) {
	const length = len(`\uXXXX`)
	if len(text) > 2 && text[2] == '{' {
		return readBraced(text)
	}
	number := func(t string) (rune, bool) {
		n, err := strconv.ParseUint(t, 16, 16)
		return rune(n), err == nil
	}
	if len(text) < length {
		if _, ok := number(text[2:]); ok || len(text) == 2 {
			return "", unfinished
		}
		return "", 0
	}
	r, ok := number(text[2:length])
	switch {
	case !ok:
		return "", 0
	case !utf16.IsSurrogate(r):
		return string(r), length
	case len(text) < 2*length:
		return "", unfinished
	case text[length] == text[0] && text[length+1] == 'u':
		if low, ok := number(text[length+2 : 2*length]); ok {
			if r := utf16.DecodeRune(r, low); r != utf8.RuneError {
				return string(r), 2 * length
			}
		}
	}
	return "", 0
}

// readBraced reads \u{XXX}, which has up to six digits.
func readBraced(text string) (string, int) {
	const prefix, most = len(`\u{`), len(`\u{10ffff}`)
	digits, _, closed := strings.Cut(text[prefix:min(len(text), most)], "}")
	n, err := strconv.ParseUint(digits, 16, 32)
	switch {
	case closed && err == nil && n <= unicode.MaxRune:
		return string(rune(n)), prefix + len(digits) + 1
	case !closed && len(text) < most && (err == nil || digits == ""):
		return "", unfinished
	}
	return "", 0
}

// readPercent reads %XX, and %uXXXX.
func readPercent(text string) (string, int) {
	if len(text) > 1 && text[1] == 'u' {
		return readUnicode(text)
	}
	return readHex(text, 1)
}

// readQuotedPrintable reads what mails have: =XX, and the end of a line that goes on in the next.
func readQuotedPrintable(text string) (string, int) {
	for _, end := range []string{"=\n", "=\r\n"} {
		if strings.HasPrefix(text, end) {
			return "", len(end)
		}
	}
	return readHex(text, 1)
}

// readHex reads a byte of two digits behind a prefix.
func readHex(text string, prefix int) (string, int) {
	digits := text[prefix:min(len(text), prefix+2)]
	if digits == "" {
		return "", unfinished
	}
	n, err := strconv.ParseUint(digits, 16, 8)
	switch {
	case err != nil:
		return "", 0
	case len(digits) < 2:
		return "", unfinished
	}
	return string([]byte{byte(n)}), prefix + 2
}

// readEntity reads an entity of HTML, by name or number. Without a semicolon what follows may be taken for a part of it; the
// result is the same, and counts as one piece.
func readEntity(text string) (string, int) {
	const longest = 34 // &CounterClockwiseContourIntegral;, or a number with some zeros
	n := 1
	for n < min(len(text), longest) && (text[n] == '#' || isAlphanumeric(text[n])) {
		n++
	}
	switch {
	case n == len(text):
		return "", unfinished
	case text[n] == ';':
		n++
	}
	if plain := html.UnescapeString(text[:n]); plain != text[:n] {
		return plain, n
	}
	return "", 0
}

func isAlphanumeric(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
}
