package schema

import (
	"slices"
	"strings"

	"rowhook/cdc/schema/ddl"
	"rowhook/sqltext"
)

// Emptied is a watched table that lost rows to a statement such as TRUNCATE or DROP. The log has the statement, but no
// delete of each row.
type Emptied struct {
	Table     ddl.TableName
	Statement string        // what kind of statement did it: TRUNCATE TABLE, DROP DATABASE, RENAME TABLE, ...
	To        ddl.TableName // the name that a RENAME gave it, zero otherwise
}

// All says whether no row is left under the table's name; else some partitions went, or rows that a new key forbids.
func (e Emptied) All() bool {
	return e.Statement == alterRename || !strings.HasPrefix(e.Statement, "ALTER ")
}

// alterRename is the one kind of ALTER TABLE that leaves no row.
const alterRename = "ALTER TABLE ... RENAME"

// EmptiedBy finds the tables that a statement empties, drops, or moves away from their name.
func EmptiedBy(q *Statement, tables Names) []Emptied {
	e := emptying{Cursor: q.Cursor(), schema: q.Schema, tables: tables}
	kind := e.read()
	if kind == "" {
		return nil
	}
	stands := map[ddl.TableName]bool{}
	for _, n := range e.stands {
		if t, ok := tables.Find(q.Schema, n); ok {
			stands[t] = true
		}
	}
	var found []Emptied
	seen := map[ddl.TableName]bool{}
	add := func(t, to ddl.TableName) {
		if !stands[t] && !seen[t] {
			seen[t] = true
			found = append(found, Emptied{t, kind, to})
		}
	}
	for _, n := range e.gone {
		if t, ok := tables.Find(q.Schema, n); ok {
			add(t, e.moves[n])
		}
	}
	if e.dropped != "" {
		for _, t := range tables.in(e.dropped) {
			add(t, ddl.TableName{})
		}
	}
	return found
}

// emptying reads a statement as far as it takes to see which tables it empties. What it does not understand empties none.
type emptying struct {
	*sqltext.Cursor
	schema  string
	tables  Names
	gone    []ddl.TableName
	stands  []ddl.TableName                 // of those that another table replaced
	moves   map[ddl.TableName]ddl.TableName // where those that were renamed are now
	dropped string                          // a schema with all its tables
}

// read returns what kind of emptying the statement is.
func (e *emptying) read() string {
	e.Verb()
	switch {
	case e.Accept("TRUNCATE"):
		e.Accept("TABLE")
		e.gone = append(e.gone, e.Table())
		return "TRUNCATE TABLE"
	case e.Accept("DROP"):
		return e.drop()
	case e.Accept("CREATE"):
		return e.create()
	case e.Accept("RENAME"):
		return e.rename()
	case e.Accept("ALTER"):
		return e.alter()
	}
	return ""
}

func (e *emptying) drop() string {
	switch {
	case e.AcceptOneOf("TABLE", "TABLES") != "":
		e.Accept("IF", "EXISTS")
		for e.gone = append(e.gone, e.Table()); e.AcceptMark(","); {
			e.gone = append(e.gone, e.Table())
		}
		return "DROP TABLE"
	case e.AcceptOneOf("DATABASE", "SCHEMA") != "":
		e.Accept("IF", "EXISTS")
		e.dropped = e.Name()
		return "DROP DATABASE"
	}
	return ""
}

func (e *emptying) create() string {
	if !e.Accept("OR", "REPLACE") {
		return ""
	}
	switch {
	case e.Accept("TABLE"):
		e.gone = append(e.gone, e.Table())
		return "CREATE OR REPLACE TABLE"
	case e.AcceptOneOf("DATABASE", "SCHEMA") != "":
		e.dropped = e.Name()
		return "CREATE OR REPLACE DATABASE"
	}
	return ""
}

// rename reads pairs of names, which take effect one after the other.
func (e *emptying) rename() string {
	if e.AcceptOneOf("TABLE", "TABLES") == "" {
		return ""
	}
	e.Accept("IF", "EXISTS")
	for more := true; more; more = e.AcceptMark(",") {
		from := e.Table()
		if e.Accept("WAIT") {
			e.Advance()
		}
		e.Accept("NOWAIT")
		if !e.Accept("TO") {
			break
		}
		e.moved(from, e.Table())
	}
	return "RENAME TABLE"
}

// moved takes a table from its name, and lets it stand under another.
func (e *emptying) moved(from, to ddl.TableName) {
	from, to = e.full(from), e.full(to)
	e.gone = append(e.gone, from)
	e.stands = slices.DeleteFunc(e.stands, func(n ddl.TableName) bool { return n == from })
	e.stands = append(e.stands, to)
	if e.moves == nil {
		e.moves = map[ddl.TableName]ddl.TableName{}
	}
	for first, now := range e.moves {
		if now == from {
			e.moves[first] = to
		}
	}
	e.moves[from] = to
}

// full is a name as the log's table maps have it.
func (e *emptying) full(t ddl.TableName) ddl.TableName {
	if t.Schema == "" {
		t.Schema = e.schema
	}
	return e.tables.dialect.Folded(t)
}

// alter reads an ALTER TABLE, of which a few forms take rows away.
func (e *emptying) alter() string {
	e.AcceptOneOf("ONLINE", "OFFLINE")
	ignore := e.Accept("IGNORE")
	if !e.Accept("TABLE") {
		return ""
	}
	e.Accept("IF", "EXISTS")
	table, kind := e.Table(), ""
	if _, watched := e.tables.Find(e.schema, table); !watched { // what it does to itself is of no matter
		return ""
	}
	if ignore {
		kind = "ALTER IGNORE TABLE" // drops the rows that a new unique key does not allow
	}
	for e.Tok.Kind != sqltext.End {
		switch verb := e.AcceptOneOf("RENAME", "TRUNCATE", "DROP", "EXCHANGE", "CONVERT", "DISCARD", "IMPORT"); {
		case verb == "RENAME":
			if e.AcceptOneOf("COLUMN", "INDEX", "KEY") == "" {
				if e.AcceptOneOf("TO", "AS") == "" {
					e.AcceptMark("=")
				}
				e.moved(table, e.Table())
				return alterRename
			}
		case verb != "":
			if of := e.AcceptOneOf("PARTITION", "TABLESPACE"); of != "" {
				kind = "ALTER TABLE ... " + verb + " " + of
			}
		case e.Tok.IsMark("("):
			e.Parens()
		default:
			e.Advance()
		}
	}
	if kind != "" {
		e.gone = append(e.gone, table)
	}
	return kind
}
