package cdc

import (
	"regexp"
	"slices"
	"strings"

	"rowhook/cdc/ddl"
)

// words cuts a statement into words: names without their quotes, and single other characters. Comments are none.
type words struct {
	text   string // what is left
	schema string // of names that tell none
	last   string
	quoted bool // the last word
}

// is takes the next word when it is one of these.
func (w *words) is(keywords ...string) bool {
	ahead := *w
	word := ahead.next()
	if ahead.quoted || !slices.ContainsFunc(keywords, func(k string) bool { return strings.EqualFold(k, word) }) {
		return false
	}
	*w = ahead
	return true
}

// name takes a table's name.
func (w *words) name() TableName {
	n := TableName{Schema: w.schema, Name: w.next()}
	if w.is(".") {
		n = TableName{Schema: n.Name, Name: w.next()}
	}
	return n
}

// next takes the next word, whatever it is; it is empty at the end.
func (w *words) next() string {
	w.space()
	w.last, w.quoted = "", false
	if w.text == "" {
		return ""
	}
	if c := w.text[0]; c == '`' || c == '"' || c == '\'' {
		w.quoted = true
		w.last = w.quote(c)
		return w.last
	}
	end := 0
	for end < len(w.text) && ddl.IdentifierByte(w.text[end]) {
		end++
	}
	end = max(end, 1)
	w.last, w.text = w.text[:end], w.text[end:]
	return w.last
}

// quote takes what stands in quotes. Two of them are one within.
func (w *words) quote(c byte) string {
	var b strings.Builder
	for i := 1; i < len(w.text); i++ {
		switch {
		case w.text[i] == '\\' && c != '`' && i+1 < len(w.text):
			i++
		case w.text[i] != c:
		case i+1 < len(w.text) && w.text[i+1] == c:
			i++
		default:
			w.text = w.text[i+1:]
			return b.String()
		}
		b.WriteByte(w.text[i])
	}
	w.text = ""
	return b.String()
}

// space drops space and comments. The text of an executable comment counts.
func (w *words) space() {
	for {
		w.text = strings.TrimLeft(w.text, " \t\r\n")
		switch {
		case strings.HasPrefix(w.text, "/*!"), strings.HasPrefix(w.text, "/*M!"):
			w.text = strings.TrimLeft(w.text[len("/*"):], "M!0123456789")
		case strings.HasPrefix(w.text, "/*"):
			_, w.text, _ = strings.Cut(w.text[len("/*"):], "*/")
		case strings.HasPrefix(w.text, "*/"):
			w.text = w.text[len("*/"):]
		case lineComment.MatchString(w.text):
			_, w.text, _ = strings.Cut(w.text, "\n")
		default:
			return
		}
	}
}

// lineComment is the beginning of a comment that ends with its line.
var lineComment = regexp.MustCompile(`^(?:#|--(?:\s|$))`)
