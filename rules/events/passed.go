package events

import (
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"rowhook/cdc"
	"rowhook/sqltext"
)

// The plugin's basic payloads show what was passed to the save, also where its column keeps less: a price of 12.345 as
// 12.35, 300 people as 127, the beginning of a name that is too long. What was passed is in the statement's text only.

// maxPassed is how long a text may be that is remembered so, in bytes; the plugin's longest columns but for TEXT are shorter.
const maxPassed = 4 << 10

// literal is the literal that comes next when it is all of an expression: one of the marks or words in ends stands behind
// it ("" is the end of the text). Else it is empty.
func (s statementReader) literal(ends ...string) string {
	if s.Tok.Kind != sqltext.String && s.Tok.Kind != sqltext.Number {
		return ""
	}
	text, behind := s.Tok.Text(), s.Peek()
	if _, ok := numberOf(text); s.Tok.Kind == sqltext.Number && !ok || len(text) > maxPassed {
		return ""
	}
	if !slices.ContainsFunc(ends, func(end string) bool {
		return behind.IsMark(end) || behind.Is(end) || end == "" && behind.Kind == sqltext.End
	}) {
		return ""
	}
	return text
}

// numberOf is a decimal number that a text is; false when it is none.
func numberOf(text string) (float64, bool) {
	f, err := strconv.ParseFloat(text, 64)
	return f, err == nil && strings.Trim(text, "+-.0123456789eE") == ""
}

// row reads VALUES (...) of an INSERT of one row of literals. Of others nil.
func (s statementReader) row(columns int) []string {
	if !s.Accept("VALUES") || !s.AcceptMark("(") {
		return nil
	}
	var literals []string
	for more := true; more; more = s.AcceptMark(",") {
		if s.Tok.Kind != sqltext.String && s.Tok.Kind != sqltext.Number && !s.Tok.Is("NULL") {
			return nil
		}
		literals = append(literals, s.literal(",", ")"))
		s.Advance()
	}
	if len(literals) != columns || !s.AcceptMark(")") || s.Tok.IsMark(",") {
		return nil
	}
	return literals
}

// pass notes what a statement passed and its columns do not keep as it is. The key is no such column: a row that is
// new gets another than it was passed.
func (ev *event) pass(c *cdc.Change, st *statement) {
	if st == nil || ev.unnamed {
		ev.Passed = nil
		return
	}
	for i, column := range st.columns {
		at := c.Table.Index(column)
		if at < 0 || slices.Contains(c.Table.Key, at) {
			continue
		}
		delete(ev.Passed, at)
		if i >= len(st.literals) || keeps(c.After, at, st.literals[i]) {
			continue
		}
		if ev.Passed == nil {
			ev.Passed = map[int]string{}
		}
		ev.Passed[at] = strings.Clone(st.literals[i]) // the statement may be large
	}
}

// keeps says whether a column kept a literal, as far as can be told: the text may be in another charset than the row.
func keeps(row cdc.Row, at int, literal string) bool {
	if literal == "" || row.Omitted(at) {
		return true
	}
	switch kept := row.Text(at); row.Kind(at) {
	case cdc.Int, cdc.Decimal, cdc.Float:
		passed, ok := numberOf(literal)
		number, err := strconv.ParseFloat(kept, 64)
		return !ok || err != nil || passed == number
	case cdc.Text:
		return len(kept) == len(literal) || !strings.HasPrefix(literal, kept) || !utf8.ValidString(literal)
	}
	return true
}
