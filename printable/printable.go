// Package printable shows texts from outside: what a server or a receiver said, what a row holds. Such a text can command a
// terminal (move the cursor, retitle the window, hide what follows) or turn its direction around, so that it reads as
// something else. Everything that is shown to a person or written to a log goes through here.
package printable

import (
	"io"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Text is s with everything escaped that is not meant to be seen: control characters of C0 and C1, DEL, invisible ones such as
// those that change the direction of writing, and bytes that are no UTF-8. Lines and tabs stay.
//
// It escapes as JSON does, \u009b for example, so that JSON keeps its meaning: it may be applied to a value before it is
// encoded or to the encoded text. Bytes that are no UTF-8 become U+FFFD, as in JSON.
func Text(s string) string { return escape(s, false) }

// Line is Text on a single line: line ends and tabs are escaped as well.
func Line(s string) string { return escape(s, true) }

func escape(s string, oneLine bool) string {
	i := strings.IndexFunc(s, func(r rune) bool { return !seen(r, oneLine) })
	if i < 0 && utf8.ValidString(s) {
		return s
	}
	var b strings.Builder
	b.Grow(len(s) + 16)
	for _, r := range s {
		switch {
		case seen(r, oneLine):
			b.WriteRune(r)
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\t':
			b.WriteString(`\t`)
		case r == '\r':
			b.WriteString(`\r`)
		default:
			writeEscaped(&b, r)
		}
	}
	return b.String()
}

// seen says whether a character may be shown as it is. The two joiners are invisible, but scripts and emoji need them.
func seen(r rune, oneLine bool) bool {
	const nonJoiner, joiner = '\u200c', '\u200d'
	switch r {
	case '\n', '\t':
		return !oneLine
	case nonJoiner, joiner:
		return true
	case '\u2028', '\u2029': // the ends of lines and paragraphs
		return false
	}
	return unicode.IsGraphic(r)
}

// writeEscaped writes \u and the hexadecimal digits of a character; beyond the first 65536 of Unicode as JSON does, in two halves.
func writeEscaped(b *strings.Builder, r rune) {
	if r > 0xffff {
		r -= 0x10000
		writeEscaped(b, 0xd800+r>>10)
		writeEscaped(b, 0xdc00+r&0x3ff)
		return
	}
	const digits = "0123456789abcdef"
	b.WriteString(`\u`)
	for shift := 12; shift >= 0; shift -= 4 {
		b.WriteByte(digits[r>>shift&0xf])
	}
}

// Writer passes on Text of what is written to it. It is meant for the standard output and error of a program, and for logs.
// Only one goroutine at a time may use it.
type Writer struct {
	to   io.Writer
	rest []byte // the beginning of a character whose end is not written yet
}

// NewWriter makes a Writer that passes on to w.
func NewWriter(w io.Writer) *Writer { return &Writer{to: w} }

// Write passes on whole characters, and keeps the beginning of one for the next call.
func (w *Writer) Write(p []byte) (int, error) {
	text := slices.Concat(w.rest, p)
	end := len(text) - unfinished(text)
	w.rest = append([]byte(nil), text[end:]...)
	if _, err := io.WriteString(w.to, Text(string(text[:end]))); err != nil {
		return 0, err
	}
	return len(p), nil
}

// Flush passes on what is left when nothing more is written.
func (w *Writer) Flush() error {
	rest := w.rest
	w.rest = nil
	_, err := io.WriteString(w.to, Text(string(rest)))
	return err
}

// unfinished is how many bytes at the end of a text begin a character that more bytes could complete.
func unfinished(text []byte) int {
	for n := 1; n < utf8.UTFMax && n <= len(text); n++ {
		if from := text[len(text)-n:]; utf8.RuneStart(from[0]) {
			if utf8.FullRune(from) {
				return 0
			}
			return n
		}
	}
	return 0
}
