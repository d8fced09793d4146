package cdc

import (
	"regexp"
	"strings"

	"rowhook/cdc/ddl"
)

// Statements are not parsed. What matters is the first word, and whether a watched table's name stands somewhere
// behind it; where that is not enough, the doubt goes to the side that is noticed.

// mentions finds a watched table that a statement names.
func (s *Source) mentions(schema, text string) (TableName, bool) {
	for _, t := range s.cfg.Tables {
		if (strings.EqualFold(t.Schema, schema) || containsWord(text, t.Schema)) && containsWord(text, t.Name) {
			return t, true
		}
	}
	return TableName{}, false
}

// containsWord says whether text holds the identifier word, not as a part of a longer one. Case is not told apart: on
// some servers it does not matter.
func containsWord(text, word string) bool {
	text, word = strings.ToLower(text), strings.ToLower(word)
	for from := 0; word != ""; {
		i := strings.Index(text[from:], word)
		if i < 0 {
			return false
		}
		start, end := from+i, from+i+len(word)
		if (start == 0 || !ddl.IdentifierByte(text[start-1])) && (end == len(text) || !ddl.IdentifierByte(text[end])) {
			return true
		}
		from = start + 1
	}
	return false
}

// statementText is a statement without what may stand before its first word: space, parentheses, comments, and
// MariaDB's SET STATEMENT ... FOR. The text of an executable comment counts.
func statementText(text string) string {
	for {
		text = strings.TrimLeft(text, " \t\r\n(;")
		switch {
		case strings.HasPrefix(text, "/*!"), strings.HasPrefix(text, "/*M!"):
			text = strings.TrimLeft(text[len("/*"):], "M!0123456789")
		case strings.HasPrefix(text, "/*"):
			_, text, _ = strings.Cut(text[len("/*"):], "*/")
		case strings.HasPrefix(text, "#"), strings.HasPrefix(text, "--"):
			_, text, _ = strings.Cut(text, "\n")
		default:
			prefix := setStatement.FindString(text)
			if prefix == "" {
				return text
			}
			text = text[len(prefix):]
		}
	}
}

var setStatement = regexp.MustCompile(`(?is)^SET\s+STATEMENT\s.*?\sFOR\s`)

// cutWord splits off the first word, in upper case; it is empty when the text begins with something else.
func cutWord(text string) (word, rest string) {
	text = strings.TrimSpace(text)
	end := strings.IndexFunc(text, func(r rune) bool {
		return r != '_' && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z') && (r < '0' || r > '9')
	})
	if end < 0 {
		end = len(text)
	}
	return strings.ToUpper(text[:end]), strings.TrimSpace(text[end:])
}

// savepointName is a savepoint's name as a map key: names do not tell case apart.
func savepointName(s string) string {
	return strings.ToLower(strings.Trim(s, "`; \t\r\n"))
}
