package schema

import (
	"fmt"

	"rowhook/cdc/schema/ddl"
	"rowhook/sqltext"
)

// Statement is a statement of the log, for what it may do to tables.
type Statement struct {
	Server  uint32      // the id of the server that ran it first
	Thread  uint32      // the id of its connection there
	Schema  string      // the default one
	Text    string      // in UTF-8 unless it is opaque; it goes on behind that when the dialect says that it is cut
	Opaque  bool        // nobody knows which characters the bytes of the text are
	Failed  bool        // with an error, after it had done a part
	Dialect ddl.Dialect // how the server read it
}

// Cursor reads it leniently.
func (q *Statement) Cursor() *sqltext.Cursor {
	d := q.Dialect.Dialect
	d.Lenient = true
	return sqltext.NewCursor(d, q.Text)
}

// Ops are what it does to tables; false when it is not understood.
func (q *Statement) Ops() ([]ddl.Op, bool) {
	switch {
	case q.Opaque:
		return nil, false
	case q.Failed:
		return ddl.ReadFailed(q.Dialect, q.Schema, q.Text)
	}
	return ddl.Read(q.Dialect, q.Schema, q.Text)
}

// Shown is as much of it as a message has room for.
func (q *Statement) Shown() string { return fmt.Sprintf("%.200s", q.Text) }

// Beyond says what its end may do when it is not understood: anything, where it is opaque or even its beginning does not
// say what it is about; or give its table a new name.
func (q *Statement) Beyond() (anything, newNames bool) {
	if q.Opaque || !q.Dialect.Cut {
		return q.Opaque, false
	}
	c := q.Cursor()
	verb := c.Verb()
	c.Advance()
	switch verb {
	case "TRUNCATE": // leaves columns as they are
		return false, false
	case "CREATE":
		c.Accept("OR", "REPLACE")
	case "ALTER":
		c.AcceptOneOf("ONLINE", "OFFLINE")
		c.Accept("IGNORE")
	default: // lists of tables
		return true, false
	}
	if !c.Accept("TABLE") {
		return c.Tok.Kind != sqltext.Word, false
	}
	c.Accept("IF", "NOT", "EXISTS")
	c.Accept("IF", "EXISTS")
	c.Table()
	return c.Failed, verb == "ALTER"
}
