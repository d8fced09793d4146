package schema

import (
	"strings"

	"rowhook/cdc/schema/ddl"
	"rowhook/sqltext"
)

// NameIndex finds out in one pass over a text which of many names stand in it, as whole words and in any case. A name
// that is more than a word ("my-shop") counts as there when the longest word in it is.
type NameIndex map[string]bool

// maxName is the longest name that a server has, in bytes.
const maxName = 64 * 4

// NewNameIndex is an index of the names of tables and their schemas.
func NewNameIndex(tables ...ddl.TableName) NameIndex {
	x := NameIndex{"database": true, "schema": true}
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

// Mentions are the names of an index that stand in a text.
type Mentions struct {
	schema string // of names that tell none
	words  map[string]bool
}

// In looks for the names in a statement.
func (x NameIndex) In(q *Statement) Mentions {
	m := Mentions{schema: q.Schema, words: map[string]bool{}}
	var lower [maxName]byte
	eachWord(q.Text, func(w string) {
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

// Has says whether a statement that is not understood may be about a table: it names it and its schema. A table without
// a name is a schema.
func (m Mentions) Has(t ddl.TableName) bool {
	if !m.HasSchema(t.Schema) {
		return false
	}
	if t.Name == "" {
		return m.words["database"] || m.words["schema"]
	}
	return manyWays(t.Name) || m.words[longestWord(t.Name)]
}

// HasSchema says whether it may be about a schema.
func (m Mentions) HasSchema(schema string) bool {
	return strings.EqualFold(schema, m.schema) || manyWays(schema) || m.words[longestWord(schema)]
}

// manyWays says whether a name may be written in many ways.
func manyWays(name string) bool {
	return strings.ContainsAny(name, "`\"'\\") || longestWord(name) == ""
}

// Names are tables by the names that statements give them.
type Names struct {
	dialect ddl.Dialect
	tables  []ddl.TableName
	byName  map[ddl.TableName]ddl.TableName
	Words   NameIndex
}

// NewNames is an index of tables, in the dialect of their server.
func NewNames(d ddl.Dialect, tables []ddl.TableName) Names {
	w := Names{dialect: d, tables: tables, byName: make(map[ddl.TableName]ddl.TableName, len(tables)), Words: NewNameIndex(tables...)}
	for _, t := range tables {
		w.byName[d.Folded(t)] = t
	}
	return w
}

// Find is the table of a name in a statement.
func (w Names) Find(schema string, named ddl.TableName) (ddl.TableName, bool) {
	if named.Schema == "" {
		named.Schema = schema
	}
	t, ok := w.byName[w.dialect.Folded(named)]
	return t, ok
}

// in lists those of a schema.
func (w Names) in(schema string) (tables []ddl.TableName) {
	schema = w.dialect.Folded(ddl.TableName{Schema: schema}).Schema
	for _, t := range w.tables {
		if w.dialect.Folded(t).Schema == schema {
			tables = append(tables, t)
		}
	}
	return tables
}
