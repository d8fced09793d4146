package schema

import (
	"rowhook/cdc/ddl"
	"rowhook/sqltext"
)

// maxTemporary bounds how many temporary tables are remembered.
const maxTemporary = 10_000

// Temporaries are the temporary tables of the log. One may have the name of a watched table: what its connection then does
// to that name is done to the temporary table. Servers log temporary tables under binlog_format STATEMENT and MIXED only,
// and log that one was dropped when its connection ends.
type Temporaries map[temporary]bool

// temporary is a name as one connection sees it.
type temporary struct {
	connection uint32
	name       ddl.TableName
}

// Take notes what a statement does to temporary tables, and says whether it touches no other table. (What it writes
// into one is not looked at here: see Has.)
func (t Temporaries) Take(q *Statement) bool {
	if q.Opaque || q.Failed {
		return false
	}
	c := sqltext.NewCursor(q.Dialect.Dialect, q.Text)
	named := func() temporary { return q.temporary(c.Table()) }
	switch c.Verb(); {
	case c.Accept("CREATE", "TEMPORARY"), c.Accept("CREATE", "OR", "REPLACE", "TEMPORARY"):
		if !c.Accept("TABLE") { // a sequence
			return true
		}
		c.Accept("IF", "NOT", "EXISTS")
		if name := named(); !c.Failed && len(t) < maxTemporary {
			t[name] = true
		}
		return true
	case c.Accept("DROP", "TEMPORARY"):
		c.AcceptOneOf("TABLE", "TABLES")
		c.Accept("IF", "EXISTS")
		for more := true; more && !c.Failed; more = c.AcceptMark(",") {
			delete(t, named())
		}
		return true
	case c.Accept("TRUNCATE"):
		c.Accept("TABLE")
		return t[named()]
	case c.Accept("ALTER"):
		c.AcceptOneOf("ONLINE")
		c.AcceptOneOf("IGNORE")
		c.Accept("TABLE")
		c.Accept("IF", "EXISTS")
		name := named()
		if t[name] {
			t.rename(q, name)
			return true
		}
	}
	return false
}

// Has says whether a statement's connection means a temporary table by a name.
func (t Temporaries) Has(q *Statement, name ddl.TableName) bool { return t[q.temporary(name)] }

// rename follows a temporary table to its new name, when ALTER gives it one.
func (t Temporaries) rename(q *Statement, from temporary) {
	ops, _ := ddl.Read(q.Dialect, q.Schema, q.Text)
	for _, op := range ops {
		if op.Kind == ddl.Rename {
			delete(t, from)
			t[temporary{q.Thread, q.Dialect.Folded(op.Other)}] = true
		}
	}
}

// temporary is the temporary table that a statement's connection means by a name, if it has one.
func (q *Statement) temporary(name ddl.TableName) temporary {
	if name.Schema == "" {
		name.Schema = q.Schema
	}
	return temporary{q.Thread, q.Dialect.Folded(name)}
}
