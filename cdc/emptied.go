package cdc

import (
	"slices"
	"strings"
)

// Emptied is a watched table whose rows went without being logged: no deletes tell of them.
type Emptied struct {
	Table     TableName
	Statement string // what kind of statement did it: TRUNCATE TABLE, DROP DATABASE, RENAME TABLE, ...
}

// emptied finds the watched tables that a statement empties, drops, or moves away from their name.
func (s *Source) emptied(schema, text string) []Emptied {
	e := emptying{words: words{text: text, schema: schema}}
	kind := e.read()
	var found []Emptied
	for _, t := range s.cfg.Tables {
		same := func(n TableName) bool {
			return strings.EqualFold(n.Schema, t.Schema) && (n.Name == "" || strings.EqualFold(n.Name, t.Name))
		}
		if slices.ContainsFunc(e.gone, same) && !slices.ContainsFunc(e.stands, same) {
			found = append(found, Emptied{t, kind})
		}
	}
	return found
}

// emptying reads a statement as far as it takes to see which tables it empties. What it does not understand empties none.
type emptying struct {
	words
	gone   []TableName // without a name: every table of the schema
	stands []TableName // of those that another table replaced
}

// read returns what kind of emptying the statement is.
func (e *emptying) read() string {
	switch {
	case e.is("TRUNCATE"):
		e.is("TABLE")
		e.gone = append(e.gone, e.name())
		return "TRUNCATE TABLE"
	case e.is("DROP"):
		return e.drop()
	case e.is("CREATE"):
		return e.create()
	case e.is("RENAME"):
		return e.rename()
	case e.is("ALTER"):
		return e.alter()
	}
	return ""
}

func (e *emptying) drop() string {
	switch {
	case e.is("TABLE", "TABLES"):
		e.ifExists()
		for e.gone = append(e.gone, e.name()); e.is(","); {
			e.gone = append(e.gone, e.name())
		}
		return "DROP TABLE"
	case e.is("DATABASE", "SCHEMA"):
		e.ifExists()
		e.gone = append(e.gone, TableName{Schema: e.next()})
		return "DROP DATABASE"
	}
	return ""
}

func (e *emptying) create() string {
	if !e.is("OR") || !e.is("REPLACE") {
		return ""
	}
	switch {
	case e.is("TABLE"):
		e.gone = append(e.gone, e.name())
		return "CREATE OR REPLACE TABLE"
	case e.is("DATABASE", "SCHEMA"):
		e.gone = append(e.gone, TableName{Schema: e.next()})
		return "CREATE OR REPLACE DATABASE"
	}
	return ""
}

// rename reads pairs of names, which take effect one after the other.
func (e *emptying) rename() string {
	if !e.is("TABLE", "TABLES") {
		return ""
	}
	e.ifExists()
	for more := true; more; more = e.is(",") {
		from := e.name()
		if e.is("WAIT") {
			e.next()
		}
		e.is("NOWAIT")
		if !e.is("TO") {
			break
		}
		e.moved(from, e.name())
	}
	return "RENAME TABLE"
}

// moved takes a table from its name, and lets it stand under another.
func (e *emptying) moved(from, to TableName) {
	e.gone = append(e.gone, from)
	e.stands = slices.DeleteFunc(e.stands, func(n TableName) bool { return strings.EqualFold(n.String(), from.String()) })
	e.stands = append(e.stands, to)
}

// alter reads an ALTER TABLE, of which a few forms take rows away.
func (e *emptying) alter() string {
	e.is("ONLINE")
	ignore := e.is("IGNORE")
	if !e.is("TABLE") {
		return ""
	}
	e.ifExists()
	table, kind := e.name(), ""
	if ignore {
		kind = "ALTER IGNORE TABLE" // drops the rows that a new unique key does not allow
	}
	for depth := 0; e.text != ""; {
		switch {
		case e.is("("):
			depth++
		case e.is(")"):
			depth--
		case depth > 0:
			e.next()
		case e.is("RENAME"):
			if !e.is("COLUMN", "INDEX", "KEY") {
				e.is("TO", "AS", "=")
				e.moved(table, e.name())
				return "ALTER TABLE ... RENAME"
			}
		case e.is("TRUNCATE", "DROP", "EXCHANGE", "CONVERT", "DISCARD", "IMPORT"):
			verb := strings.ToUpper(e.last)
			if e.is("PARTITION", "TABLESPACE") {
				kind = "ALTER TABLE ... " + verb + " " + strings.ToUpper(e.last)
			}
		default:
			e.next()
		}
	}
	if kind != "" {
		e.gone = append(e.gone, table)
	}
	return kind
}

func (e *emptying) ifExists() {
	if e.is("IF") {
		e.is("EXISTS")
	}
}
