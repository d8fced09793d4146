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

	"rowhook/sqltext"
)

// TableName names a table of the server.
type TableName = sqltext.TableName

// Dialect is what decides how a server reads a statement.
type Dialect struct {
	sqltext.Dialect
	FoldNames  bool   // table names are stored in lower case
	Client     string // the charset that the session's statements came in, empty when it is not known
	Connection string // that of its collation_connection, which the server converts literals to
}

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
	session literals // what became of the labels in it
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

// Read says what a statement does to tables; false when it is not understood, or goes on behind its text (Dialect.Cut) in a
// way that matters. Who calls it bounds the text.
func Read(d Dialect, schema, text string) ([]Op, bool) {
	p := newParser(d, schema, text)
	switch {
	case p.Accept("CREATE"):
		p.create()
	case p.Accept("ALTER"):
		p.alterAny()
	case p.Accept("RENAME"):
		p.rename()
	case p.Accept("DROP"):
		p.drop()
	case p.Accept("TRUNCATE"):
		p.rest()
	default:
		p.Fail()
	}
	p.AcceptMark(";")
	if p.Tok.Kind != sqltext.End || p.Failed {
		return nil, false
	}
	for i := range p.ops {
		if a := p.ops[i].Alter; a != nil {
			a.session = literals{d.Client, d.Connection}
		}
	}
	return p.ops, true
}

// ReadFailed says what a statement did before it failed: MariaDB's CREATE OR REPLACE has dropped the old table then.
func ReadFailed(d Dialect, schema, text string) ([]Op, bool) {
	p := newParser(d, schema, text)
	p.Expect("CREATE", "OR", "REPLACE", "TABLE")
	t := p.tableName()
	return []Op{{Kind: Drop, Table: t}}, !p.Failed
}

// newParser makes a parser that stands at the first token, or has failed.
func newParser(d Dialect, schema, text string) *parser {
	p := &parser{Dialect: d, Cursor: sqltext.NewCursor(d.Dialect, text), schema: schema}
	if !utf8.ValidString(text) || d.MariaDB && d.SQLMode&sqltext.ModeOracle != 0 {
		p.Fail()
	}
	return p
}

// parser reads one statement. After a failure there are no more tokens, so every loop ends.
type parser struct {
	Dialect
	*sqltext.Cursor
	schema string
	ops    []Op
}

// tableName takes a table's name, perhaps with its schema's.
func (p *parser) tableName() TableName {
	t := p.Table()
	if t.Schema == "" {
		t.Schema = p.schema
	}
	if t.Schema == "" {
		p.Fail()
	}
	return p.Folded(t)
}

// Folded is a name as the log's table maps have it.
func (d Dialect) Folded(t TableName) TableName {
	if d.FoldNames {
		return TableName{Schema: strings.ToLower(t.Schema), Name: strings.ToLower(t.Name)}
	}
	return t
}

// rest passes over the rest of the statement, which is of no matter; it may lie behind what is there of the text.
func (p *parser) rest() {
	if !p.Failed {
		p.Tok = sqltext.Token{}
	}
}

// skipClause steps over the rest of a clause, up to a comma or a parenthesis that belongs to what is around it.
func (p *parser) skipClause() {
	for p.Tok.Kind != sqltext.End && !p.Tok.IsMark(",") && !p.Tok.IsMark(")") && !p.Tok.IsMark(";") {
		if p.Tok.IsMark("(") {
			p.Parens()
		} else {
			p.Advance()
		}
	}
}

func (p *parser) op(op Op) { p.ops = append(p.ops, op) }
