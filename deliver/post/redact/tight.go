package redact

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// tight is the layer without the white space in it, if there is any: base64 is broken into lines, hexadecimal digits stand
// in groups, and long lines of anything are wrapped.
func (l layer) tight() (layer, bool) {
	first := firstGap(l.text)
	if first < 0 {
		return layer{}, false
	}
	out := make([]byte, 0, len(l.text))
	below := layer{origins: make([]span, 0, len(l.text)), open: -1}
	for i := 0; i < len(l.text); {
		if i >= first {
			if n := gap(l.text[i:]); n > 0 {
				i += n
				continue
			}
		}
		if i >= l.open && below.open < 0 {
			below.open = len(out)
		}
		out = append(out, l.text[i])
		below.origins = append(below.origins, l.origin(i))
		i++
	}
	below.text = string(out)
	if below.open < 0 {
		below.open = len(out)
	}
	return below, true
}

// tightened is a text without white space.
func tightened(text string) string {
	l, found := layer{text: text, open: len(text)}.tight()
	if !found {
		return text
	}
	return l.text
}

// firstGap is where a text has the first, -1: nowhere.
func firstGap(text string) int {
	for i := range len(text) {
		if gap(text[i:]) > 0 {
			return i
		}
	}
	return -1
}

// gap is the length of what a text begins with, if that breaks a line or shows as room only; else 0.
func gap(text string) int {
	switch c := text[0]; {
	case c == ' ' || '\t' <= c && c <= '\r':
		return 1
	case c == '<':
		return lineBreak(text)
	case c < utf8.RuneSelf:
		return 0
	}
	switch r, n := utf8.DecodeRuneInString(text); {
	case unicode.IsSpace(r), unicode.Is(unicode.Cf, r): // the second are those of no width, soft hyphens among them
		return n
	}
	return 0
}

// lineBreak is the length of HTML's <br> or <wbr>, however it is written.
func lineBreak(text string) int {
	const longest = len("<wbr    />")
	tag, _, closed := strings.Cut(text[1:min(len(text), longest)], ">")
	switch name := strings.TrimRight(tag, " /"); {
	case closed && (strings.EqualFold(name, "br") || strings.EqualFold(name, "wbr")):
		return len(tag) + len("<>")
	}
	return 0
}
