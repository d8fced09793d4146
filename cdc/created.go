package cdc

import (
	"rowhook/cdc/schema"
	"rowhook/sqltext"
)

// created tells who wants to know which names a statement gave to tables that are not watched.
func (r *reader) created(q *schema.Statement) error {
	if r.src.cfg.Created == nil || r.src.beside {
		return nil
	}
	for _, t := range createdNames(q.Cursor()) {
		if _, watched := r.src.watched().found.Find(q.Schema, t); watched {
			continue
		}
		if t.Schema == "" {
			t.Schema = q.Schema
		}
		if err := r.src.cfg.Created(r.src.dialect.Folded(t), r.txn.ID()); err != nil {
			return &sinkError{err}
		}
	}
	return nil
}

// createdNames are the names that a statement gives to tables: CREATE TABLE, RENAME TABLE, ALTER TABLE ... RENAME. How a table is
// made is of no matter.
func createdNames(c *sqltext.Cursor) (names []TableName) {
	c.Verb()
	switch {
	case c.Accept("CREATE"):
		c.Accept("OR", "REPLACE")
		if !c.Accept("TABLE") { // or a temporary one, which is nobody else's
			return nil
		}
		c.Accept("IF", "NOT", "EXISTS")
		return append(names, c.Table())
	case c.Accept("RENAME"):
		if c.AcceptOneOf("TABLE", "TABLES") == "" {
			return nil
		}
		for c.Tok.Kind != sqltext.End {
			if !c.Accept("TO") {
				c.Advance()
				continue
			}
			names = append(names, c.Table())
		}
	case c.Accept("ALTER"):
		for c.Tok.Kind != sqltext.End {
			switch {
			case c.Tok.IsMark("("):
				c.Parens()
			case !c.Accept("RENAME"):
				c.Advance()
			case c.AcceptOneOf("COLUMN", "INDEX", "KEY") == "":
				if c.AcceptOneOf("TO", "AS") == "" {
					c.AcceptMark("=")
				}
				return append(names, c.Table())
			}
		}
	}
	return names
}
