// Package ddl reads the statements that change tables, and knows what a table is behind each, as far as reading its rows
// depends on it.
//
// The statements that change tables are read strictly: a statement is understood to its last token, or not at all. What
// is not understood is not guessed: the columns of the tables that it may touch are unknown from there on, and the
// server is asked for them. So only what sites and their tools really write has to be known here, and nothing breaks when a
// server learns a new clause.
package ddl

import (
	"strings"
	"unicode/utf8"
)

// TableName names a table of the server.
type TableName struct{ Schema, Name string }

func (t TableName) String() string { return t.Schema + "." + t.Name }

// Op is what a statement does to one table, or to a schema, which stands for a table without a name.
type Op struct {
	Kind   Kind
	Table  TableName
	Other  TableName   // the one that is copied, or the new name
	Unless bool        // only when there is none of that name
	Alter  *Alteration // of a new table: all of it
}

// Kind is what is done.
type Kind uint8

// The kinds of an Op.
const (
	Create Kind = iota + 1
	Like
	Alter
	Rename
	Drop
	SchemaCharset // the default charset of a schema is another one
	DropSchema    //
)

// Alteration is what changes in a table's columns at once.
type Alteration struct {
	columns []columnChange
	renames []renamedColumn
	drops   []droppedColumn
	dropKey bool
	key     []string // the columns of a new primary key
	Charset string   // the new default, empty: it stays
	convert bool     // charset is that of all columns, too
}

// columnChange adds a column, or puts one in the place of another.
type columnChange struct {
	old   string // empty: none
	def   columnDraft
	first bool
	after string
	maybe bool // IF [NOT] EXISTS
}

type renamedColumn struct {
	old, name string
	maybe     bool
}

type droppedColumn struct {
	name  string
	maybe bool
}

// columnDraft is a column as a statement tells it: the charset may be the table's.
type columnDraft struct {
	Column
	text    bool // it has a charset
	primary bool
}

// None says that nothing changes.
func (a *Alteration) None() bool {
	return len(a.columns) == 0 && len(a.renames) == 0 && len(a.drops) == 0 && !a.dropKey && a.key == nil && a.Charset == ""
}

// Touches says whether a table may be another one behind the statement.
func (op *Op) Touches(t TableName) bool {
	switch op.Kind {
	case Create, Like:
		return !op.Unless && t == op.Table
	case Alter:
		return !op.Alter.None() && t == op.Table
	case Rename:
		return t == op.Table || t == op.Other
	case SchemaCharset:
		return op.Alter.Charset != "" && t == op.Table
	case DropSchema:
		return t.Schema == op.Table.Schema
	}
	return t == op.Table
}

// UnknownCharset is a charset that the statement does not tell.
const UnknownCharset = "?"

// maxDDL bounds the statements that are read, in bytes.
const maxDDL = 1 << 20

// Read says what a statement does to tables; false when it is not understood.
func Read(d Dialect, schema, text string) ([]Op, bool) {
	p := newParser(d, schema, text)
	switch {
	case p.accept("CREATE"):
		p.create()
	case p.accept("ALTER"):
		p.alterAny()
	case p.accept("RENAME"):
		p.rename()
	case p.accept("DROP"):
		p.drop()
	case p.accept("TRUNCATE"):
		p.skipAll()
	default:
		p.fail()
	}
	p.acceptMark(";")
	if p.tok.kind != endToken || p.failed {
		return nil, false
	}
	return p.ops, true
}

// ReadFailed says what a statement did before it failed: MariaDB's CREATE OR REPLACE has dropped the old table then.
func ReadFailed(d Dialect, schema, text string) ([]Op, bool) {
	p := newParser(d, schema, text)
	p.expect("CREATE", "OR", "REPLACE", "TABLE")
	t := p.tableName()
	return []Op{{Kind: Drop, Table: t}}, !p.failed
}

// newParser makes a parser that stands at the first token, or has failed.
func newParser(d Dialect, schema, text string) *parser {
	p := &parser{lexer: lexer{Dialect: d, text: text}, schema: schema}
	if len(text) > maxDDL || !utf8.ValidString(text) || d.MariaDB && d.SQLMode&modeOracle != 0 {
		p.fail()
	}
	p.advance()
	return p
}

// parser reads one statement. After a failure there are no more tokens, so every loop ends.
type parser struct {
	lexer
	tok    token // the one that comes next
	schema string
	failed bool
	ops    []Op
}

func (p *parser) fail() {
	p.failed = true
	p.tok = token{}
}

func (p *parser) advance() {
	if p.failed {
		return
	}
	if p.tok = p.next(); p.tok.kind == badToken {
		p.fail()
	}
}

// peek is the token behind the next one.
func (p *parser) peek() token {
	l := p.lexer
	return l.next()
}

func (t token) is(word string) bool { return t.kind == wordToken && strings.EqualFold(t.text, word) }

func (t token) isMark(mark string) bool { return t.kind == markToken && t.text == mark }

// accept takes words when they come next, all or none.
func (p *parser) accept(words ...string) bool {
	if !p.tok.is(words[0]) {
		return false
	}
	l := p.lexer
	for _, w := range words[1:] {
		if !l.next().is(w) {
			return false
		}
	}
	p.lexer = l
	p.advance()
	return true
}

func (p *parser) acceptMark(mark string) bool {
	if !p.tok.isMark(mark) {
		return false
	}
	p.advance()
	return true
}

func (p *parser) expect(words ...string) {
	if !p.accept(words...) {
		p.fail()
	}
}

func (p *parser) expectMark(mark string) {
	if !p.acceptMark(mark) {
		p.fail()
	}
}

// acceptOneOf takes one of some words, which it returns in upper case.
func (p *parser) acceptOneOf(words ...string) string {
	for _, w := range words {
		if p.accept(w) {
			return w
		}
	}
	return ""
}

// name takes a name.
func (p *parser) name() string {
	if p.tok.kind != wordToken && p.tok.kind != nameToken || p.tok.text == "" {
		p.fail()
		return ""
	}
	name := p.tok.text
	p.advance()
	return name
}

// tableName takes a table's name, perhaps with its schema's.
func (p *parser) tableName() TableName {
	t := TableName{p.schema, p.name()}
	if p.acceptMark(".") {
		t = TableName{t.Name, p.name()}
	}
	if t.Schema == "" {
		p.fail()
	}
	return p.folded(t)
}

// folded is a name as the log's table maps have it.
func (d Dialect) folded(t TableName) TableName {
	if d.FoldNames {
		return TableName{strings.ToLower(t.Schema), strings.ToLower(t.Name)}
	}
	return t
}

// parens steps over a pair of parentheses and what is in it.
func (p *parser) parens() {
	p.expectMark("(")
	for depth := 1; depth > 0 && !p.failed; p.advance() {
		switch {
		case p.tok.isMark("("):
			depth++
		case p.tok.isMark(")"):
			depth--
		case p.tok.kind == endToken:
			p.fail()
		}
	}
}

// skipAll steps over the rest of the statement, which is of no matter.
func (p *parser) skipAll() {
	for p.tok.kind != endToken {
		p.advance()
	}
}

// skipClause steps over the rest of a clause, up to a comma or a parenthesis that belongs to what is around it.
func (p *parser) skipClause() {
	for p.tok.kind != endToken && !p.tok.isMark(",") && !p.tok.isMark(")") && !p.tok.isMark(";") {
		if p.tok.isMark("(") {
			p.parens()
		} else {
			p.advance()
		}
	}
}

func (p *parser) op(op Op) { p.ops = append(p.ops, op) }
