package cdc

import (
	"rowhook/cdc/ddl"
	"rowhook/sqltext"
)

// maxTemporaries bounds how many temporary tables are remembered.
const maxTemporaries = 10_000

// temporaries are the temporary tables of the log. One may have the name of a watched table: what its connection then does
// to that name is done to the temporary table. Servers log temporary tables under binlog_format STATEMENT and MIXED only,
// and log that one was dropped when its connection ends.
type temporaries map[temporary]bool

// temporary is a name as one connection sees it.
type temporary struct {
	connection uint32
	name       TableName
}

// take notes what a statement does to temporary tables, and says whether it touches no other table. (What it writes
// into one is written's to judge.)
func (t temporaries) take(d ddl.Dialect, q *query) bool {
	if q.opaque || q.failed {
		return false
	}
	c := sqltext.NewCursor(d.Dialect, q.text)
	named := func() temporary { return q.temporary(d, c.Table()) }
	switch c.Verb(); {
	case c.Accept("CREATE", "TEMPORARY"), c.Accept("CREATE", "OR", "REPLACE", "TEMPORARY"):
		if !c.Accept("TABLE") { // a sequence
			return true
		}
		c.Accept("IF", "NOT", "EXISTS")
		if name := named(); !c.Failed && len(t) < maxTemporaries {
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
			t.rename(d, q, name)
			return true
		}
	}
	return false
}

// rename follows a temporary table to its new name, when ALTER gives it one.
func (t temporaries) rename(d ddl.Dialect, q *query, from temporary) {
	ops, _ := ddl.Read(d, q.schema, q.text)
	for _, op := range ops {
		if op.Kind == ddl.Rename {
			delete(t, from)
			t[temporary{q.thread, d.Folded(op.Other)}] = true
		}
	}
}

// temporary is the temporary table that a statement's connection means by a name, if it has one.
func (q *query) temporary(d ddl.Dialect, name TableName) temporary {
	if name.Schema == "" {
		name.Schema = q.schema
	}
	return temporary{q.thread, d.Folded(name)}
}
