package cdc

import (
	"strings"

	"rowhook/sqltext"
)

// nameIndex finds out in one pass over a text which of many names stand in it, as whole words and in any case. A name
// that is more than a word ("my-shop") counts as there when the longest word in it is.
type nameIndex map[string]bool

// maxName is the longest name that a server has, in bytes.
const maxName = 64 * 4

// newNameIndex is an index of the names of tables and their schemas.
func newNameIndex(tables ...TableName) nameIndex {
	x := nameIndex{"database": true, "schema": true}
	for _, t := range tables {
		x[longestWord(t.Schema)] = true
		x[longestWord(t.Name)] = true
	}
	return x
}

// longestWord is the longest part of a name that needs no quotes, in lower case.
func longestWord(name string) string {
	longest := ""
	eachWord(name, func(w string) {
		if len(w) > len(longest) {
			longest = w
		}
	})
	return strings.ToLower(longest)
}

// eachWord finds the words of a text.
func eachWord(text string, f func(string)) {
	for i := 0; i < len(text); i++ {
		from := i
		for i < len(text) && sqltext.IdentifierByte(text[i]) {
			i++
		}
		if i > from {
			f(text[from:i])
		}
	}
}

// mentions are the names of an index that stand in a text.
type mentions struct {
	schema string // of names that tell none
	words  map[string]bool
}

// in looks for the names in a statement.
func (x nameIndex) in(q *query) mentions {
	m := mentions{schema: q.schema, words: map[string]bool{}}
	var lower [maxName]byte
	eachWord(q.text, func(w string) {
		if len(w) > maxName {
			return
		}
		word := lower[:0]
		for i := range len(w) {
			c := w[i]
			if c >= 0x80 { // other letters have cases, too
				word = append(word[:0], strings.ToLower(w)...)
				break
			}
			if c >= 'A' && c <= 'Z' {
				c += 'a' - 'A'
			}
			word = append(word, c)
		}
		if x[string(word)] {
			m.words[string(word)] = true
		}
	})
	return m
}

// has says whether a statement that is not understood may be about a table: it names it and its schema. A table without
// a name is a schema.
func (m mentions) has(t TableName) bool {
	if !m.hasSchema(t.Schema) {
		return false
	}
	if t.Name == "" {
		return m.words["database"] || m.words["schema"]
	}
	return manyWays(t.Name) || m.words[longestWord(t.Name)]
}

func (m mentions) hasSchema(schema string) bool {
	return strings.EqualFold(schema, m.schema) || manyWays(schema) || m.words[longestWord(schema)]
}

// manyWays says whether a name may be written in many ways.
func manyWays(name string) bool {
	return strings.ContainsAny(name, "`\"'\\") || longestWord(name) == ""
}
