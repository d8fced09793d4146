package cdc

import (
	"rowhook/cdc/schema"
	"rowhook/sqltext"
)

// created tells who wants to know which names a statement gave to tables that are not watched, and which it took from them.
func (r *reader) created(q *schema.Statement) error {
	if r.src.cfg.Created == nil || r.src.beside {
		return nil
	}
	for _, t := range r.unwatched(q, droppedNames(q.Cursor())) {
		if r.src.cfg.Dropped != nil {
			r.src.cfg.Dropped(t)
		}
	}
	for _, t := range r.unwatched(q, createdNames(q.Cursor())) {
		if err := r.src.cfg.Created(t, r.txn.ID()); err != nil {
			return &sinkError{err}
		}
	}
	return nil
}

// unwatched are those tables of a statement that are not watched, under their full names.
func (r *reader) unwatched(q *schema.Statement, names []TableName) (others []TableName) {
	for _, t := range names {
		if _, watched := r.src.watched().found.Find(q.Schema, t); watched {
			continue
		}
		if t.Schema == "" {
			t.Schema = q.Schema
		}
		others = append(others, r.src.dialect.Folded(t))
	}
	return others
}

// droppedNames are the tables that a statement takes away: DROP TABLE, RENAME TABLE, and DROP DATABASE, of which only the schema is named.
func droppedNames(c *sqltext.Cursor) (names []TableName) {
	c.Verb()
	switch {
	case c.Accept("DROP"):
		what := c.AcceptOneOf("TABLE", "TABLES", "DATABASE", "SCHEMA") // or a temporary one, which is nobody else's
		c.Accept("IF", "EXISTS")
		switch what {
		case "":
		case "DATABASE", "SCHEMA":
			names = append(names, TableName{Schema: c.Name()})
		default:
			for names = append(names, c.Table()); c.AcceptMark(","); {
				names = append(names, c.Table())
			}
		}
	case c.Accept("RENAME"):
		if c.AcceptOneOf("TABLE", "TABLES") == "" {
			return nil
		}
		for names = append(names, c.Table()); c.Tok.Kind != sqltext.End; {
			if c.AcceptMark(",") {
				names = append(names, c.Table())
			} else {
				c.Advance()
			}
		}
	}
	return names
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
