package rules

import (
	"slices"
	"strconv"
	"strings"

	"rowhook/cdc"
	"rowhook/sqltext"
)

// The plugin's basic payloads show a price as it was passed, 12.345, where its column keeps 12.35. What was passed is in
// the statement's text only.

// number is the literal that comes next when it is a number and all of an expression: one of the marks or words in ends
// stands behind it ("" is the end of the text). Else it is empty.
func (s statementReader) number(ends ...string) string {
	if s.Tok.Kind != sqltext.String && s.Tok.Kind != sqltext.Number {
		return ""
	}
	text, behind := s.Tok.Text(), s.Peek()
	if _, err := strconv.ParseFloat(text, 64); err != nil || strings.Trim(text, "+-.0123456789eE") != "" {
		return ""
	}
	if !slices.ContainsFunc(ends, func(end string) bool {
		return behind.IsMark(end) || behind.Is(end) || end == "" && behind.Kind == sqltext.End
	}) {
		return ""
	}
	return text
}

// row reads VALUES (...) of an INSERT of one row of literals: the numbers in it. Of others nil.
func (s statementReader) row(columns int) []string {
	if !s.Accept("VALUES") || !s.AcceptMark("(") {
		return nil
	}
	var numbers []string
	for more := true; more; more = s.AcceptMark(",") {
		if s.Tok.Kind != sqltext.String && s.Tok.Kind != sqltext.Number && !s.Tok.Is("NULL") {
			return nil
		}
		numbers = append(numbers, s.number(",", ")"))
		s.Advance()
	}
	if len(numbers) != columns || !s.AcceptMark(")") || s.Tok.IsMark(",") {
		return nil
	}
	return numbers
}

// pass notes the numbers that a save's statement passed and that their columns do not keep as they are.
func (ev *Event) pass(c *cdc.Change, st *statement) {
	if st == nil || ev.unnamed {
		ev.Passed = nil
		return
	}
	for i, column := range st.columns {
		at := c.Table.Index(column)
		if at < 0 || c.After.Kind(at) != cdc.Decimal {
			continue
		}
		delete(ev.Passed, at)
		if i >= len(st.numbers) || st.numbers[i] == "" {
			continue
		}
		passed, _ := strconv.ParseFloat(st.numbers[i], 64) // number has read it
		if kept, err := strconv.ParseFloat(c.After.Text(at), 64); err == nil && kept != passed {
			if ev.Passed == nil {
				ev.Passed = map[int]string{}
			}
			ev.Passed[at] = st.numbers[i]
		}
	}
}
