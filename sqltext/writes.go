package sqltext

import (
	"slices"
	"strings"
)

// Writes is what a statement that changes rows writes, as far as its text says so. What triggers, stored functions and
// views make it write besides cannot be seen.
type Writes struct {
	Verb    string      // in upper case: INSERT, UPDATE, ...; "" where there is none
	Targets []TableName // the tables whose rows change; none of a statement that changes none
	Calls   bool        // it only runs stored functions, and those write what they write
	Known   bool        // the text says it; else it is cut, or not understood
}

// ReadWrites reads a statement as far as it takes to see which tables it writes. It is for statements from the log, which
// a server has run: what it cannot understand it says so.
func ReadWrites(d Dialect, text string) Writes {
	d.Lenient = true
	r := &writesReader{Cursor: NewCursor(d, text)}
	w := Writes{Verb: r.Verb()}
	r.analyzed(&w)
	if r.Accept("WITH") {
		r.commonTables()
		w.Verb = r.Verb()
	}
	switch w.Verb {
	case "INSERT", "REPLACE":
		r.Advance()
		r.skip("LOW_PRIORITY", "DELAYED", "HIGH_PRIORITY", "IGNORE", "INTO")
		r.target(&w)
	case "LOAD":
		r.load(&w)
	case "UPDATE":
		r.Advance()
		r.skip("LOW_PRIORITY", "IGNORE")
		w.Targets = r.update()
	case "DELETE":
		r.Advance()
		r.skip("LOW_PRIORITY", "QUICK", "IGNORE", "HISTORY")
		w.Targets = r.remove()
	case "CREATE":
		r.createFrom(&w)
	case "SELECT", "DO", "CALL", "VALUES", "TABLE":
		w.Calls = true
	}
	w.Known = !r.Failed && (w.Verb != "" || r.Tok.Kind == End)
	return w
}

// writesReader reads the statements that change rows.
type writesReader struct {
	*Cursor
	common []string // names that WITH gives to queries
	depth  int      // of parentheses
}

// maxDepth bounds parentheses within parentheses, beyond what the servers take.
const maxDepth = 1000

// source is a table that a statement reads or writes, under the name by which the rest of it calls it.
type source struct {
	table TableName // zero: a query, a function
	alias string
}

// analyzed steps over MariaDB's ANALYZE, in front of a statement that is run to look at it.
func (r *writesReader) analyzed(w *Writes) {
	ahead := *r.Cursor
	if !ahead.Accept("ANALYZE") {
		return
	}
	if ahead.Accept("FORMAT") {
		ahead.AcceptMark("=")
		ahead.Advance()
	}
	switch verb := ahead.Verb(); verb {
	case "INSERT", "REPLACE", "UPDATE", "DELETE", "WITH":
		*r.Cursor, w.Verb = ahead, verb
	}
}

// commonTables reads what follows WITH.
func (r *writesReader) commonTables() {
	r.Accept("RECURSIVE")
	for more := true; more && !r.Failed; more = r.AcceptMark(",") {
		r.common = append(r.common, r.Name())
		if r.Tok.IsMark("(") {
			r.Parens()
		}
		r.Expect("AS")
		r.Parens()
		if r.Accept("CYCLE") { // MariaDB
			for r.Tok.Kind != End && !r.Accept("RESTRICT") {
				r.Advance()
			}
		}
	}
}

// skip passes over words.
func (r *writesReader) skip(words ...string) {
	for r.AcceptOneOf(words...) != "" {
		continue
	}
}

// load reads LOAD DATA or LOAD XML.
func (r *writesReader) load(w *Writes) {
	for r.Tok.Kind != End && !r.Failed {
		if r.Accept("INTO", "TABLE") {
			r.target(w)
			return
		}
		r.Advance()
	}
}

// target reads the one table that is written. What follows does not matter, so it may be cut off.
func (r *writesReader) target(w *Writes) {
	t := r.Table()
	w.Targets = []TableName{t}
	if r.WasCut() && t.Schema != "" && t.Name != "" {
		r.Failed = false
	}
}

// createFrom reads CREATE TABLE ... SELECT, which writes the rows of the new table. MySQL's TABLE and VALUES are short
// for a SELECT.
func (r *writesReader) createFrom(w *Writes) {
	r.Advance()
	r.Accept("OR", "REPLACE")
	if !r.Accept("TABLE") {
		return
	}
	r.Accept("IF", "NOT", "EXISTS")
	table := r.Table()
	for depth := 0; r.Tok.Kind != End; r.Advance() {
		switch {
		case r.Tok.IsMark("("):
			depth++
		case r.Tok.IsMark(")"):
			depth--
		case r.Tok.Is("SELECT"), depth == 0 && (r.Tok.Is("TABLE") || r.Tok.Is("VALUES")):
			w.Targets = []TableName{table}
			return
		}
	}
}

// update reads UPDATE behind its modifiers: of the tables in it those are written whose columns are assigned.
func (r *writesReader) update() []TableName {
	sources := r.sources("SET")
	if len(sources) == 1 && r.Tok.Is("SET") { // whatever is assigned
		return appendNew(nil, sources[0].table)
	}
	r.Expect("SET")
	var targets []TableName
	for more := true; more && !r.Failed; more = r.AcceptMark(",") {
		column := []string{r.Name()}
		for r.AcceptMark(".") {
			column = append(column, r.Name())
		}
		r.AcceptMark(":")
		r.ExpectMark("=")
		switch n := len(column); n {
		case 1: // of any of them
			for _, s := range sources {
				targets = appendNew(targets, s.table)
			}
		case 2:
			targets = appendNew(targets, resolve(sources, TableName{Name: column[0]})...)
		default:
			targets = appendNew(targets, resolve(sources, TableName{column[n-3], column[n-2]})...)
		}
		r.expression()
	}
	return targets
}

// expression steps over an expression, up to a comma that is not in it, or the end of a list of assignments.
func (r *writesReader) expression() {
	for r.Tok.Kind != End && !r.Tok.IsMark(",") && !r.Tok.IsMark(";") && !r.Tok.IsMark(")") {
		switch {
		case r.Tok.IsMark("("):
			r.Parens()
		case r.Tok.Is("WHERE"), r.Tok.Is("ORDER"), r.Tok.Is("LIMIT"), r.Tok.Is("RETURNING"):
			return
		default:
			r.Advance()
		}
	}
}

// remove reads DELETE behind its modifiers: FROM t, or t1, t2 FROM ..., or FROM t1, t2 USING ...
func (r *writesReader) remove() []TableName {
	if !r.Accept("FROM") {
		names := r.deleted()
		r.Expect("FROM")
		return r.resolved(names, r.sources("WHERE", "ORDER", "LIMIT", "RETURNING"))
	}
	names := r.deleted()
	if r.Accept("USING") {
		return r.resolved(names, r.sources("WHERE", "ORDER", "LIMIT", "RETURNING"))
	}
	return names
}

// deleted reads a list of tables whose rows are deleted, such as a, b.*, s.c.
func (r *writesReader) deleted() (names []TableName) {
	for more := true; more && !r.Failed; more = r.AcceptMark(",") {
		parts := []string{r.Name()}
		for r.AcceptMark(".") && !r.AcceptMark("*") {
			parts = append(parts, r.Name())
		}
		name := TableName{Name: parts[len(parts)-1]}
		if len(parts) > 1 {
			name.Schema = parts[len(parts)-2]
		}
		names = append(names, name)
	}
	return names
}

// resolved finds the tables that names stand for.
func (r *writesReader) resolved(names []TableName, sources []source) []TableName {
	var targets []TableName
	for _, n := range names {
		targets = appendNew(targets, resolve(sources, n)...)
	}
	return targets
}

// resolve finds what a name stands for among sources. A name that none of them has is a table's own.
func resolve(sources []source, name TableName) []TableName {
	var found []TableName
	for _, s := range sources {
		if name.Schema == "" && strings.EqualFold(s.alias, name.Name) ||
			name.Schema != "" && strings.EqualFold(s.table.Name, name.Name) && (s.table.Schema == "" || strings.EqualFold(s.table.Schema, name.Schema)) {
			found = append(found, s.table)
		}
	}
	if found == nil {
		return []TableName{name}
	}
	return found
}

// appendNew adds tables that are not there yet; the zero one is none.
func appendNew(list []TableName, names ...TableName) []TableName {
	for _, n := range names {
		if n != (TableName{}) && !slices.Contains(list, n) {
			list = append(list, n)
		}
	}
	return list
}

// sources reads joined tables up to one of some words, or to the parenthesis that ends them.
func (r *writesReader) sources(until ...string) (list []source) {
	wanted := true // a table comes next
	for r.Tok.Kind != End && !r.Tok.IsMark(")") && !r.Tok.IsMark(";") {
		if slices.ContainsFunc(until, r.Tok.Is) {
			return list
		}
		switch {
		case wanted && r.AcceptMark("{"): // { OJ a LEFT JOIN b ON ... }
			r.Advance()
		case wanted && r.Tok.IsMark("("):
			list = append(list, r.nested()...)
			wanted = false
		case wanted && r.Accept("LATERAL"):
		case wanted && r.Tok.IsName():
			list = append(list, r.source())
			wanted = false
		case r.AcceptMark(","), r.Accept("JOIN"), r.Accept("STRAIGHT_JOIN"):
			wanted = true
		case r.Tok.IsMark("("):
			r.Parens()
		default:
			r.Advance()
		}
	}
	return list
}

// nested reads a parenthesis among joined tables: a query, or tables that are joined first.
func (r *writesReader) nested() []source {
	for ahead := *r.Cursor; ahead.AcceptMark("("); {
		if ahead.Tok.Is("SELECT") || ahead.Tok.Is("WITH") || ahead.Tok.Is("VALUES") || ahead.Tok.Is("TABLE") {
			r.Parens()
			return []source{{alias: r.alias()}}
		}
	}
	if r.depth++; r.depth > maxDepth {
		r.Fail()
	}
	r.ExpectMark("(")
	list := r.sources()
	r.ExpectMark(")")
	r.depth--
	return list
}

// source reads a table with what may stand behind its name.
func (r *writesReader) source() source {
	s := source{table: r.Table()}
	s.alias = s.table.Name
	if s.table.Schema == "" {
		if slices.ContainsFunc(r.common, func(name string) bool { return strings.EqualFold(name, s.table.Name) }) {
			s.table = TableName{}
		}
	}
	if r.Tok.IsMark("(") { // a function: JSON_TABLE(...)
		s.table = TableName{}
		r.Parens()
	}
	if r.Accept("PARTITION") && r.Tok.IsMark("(") {
		r.Parens()
	}
	if r.Tok.Is("FOR") { // MariaDB's SYSTEM_TIME or PORTION OF: no alias in front of it
		return s
	}
	if alias := r.alias(); alias != "" {
		s.alias = alias
	}
	return s
}

// alias reads the name that is given to a table, if there is one.
func (r *writesReader) alias() string {
	if r.Accept("AS") {
		return r.Name()
	}
	if r.Tok.Kind == Name {
		return r.Name()
	}
	if r.Tok.Kind != Word {
		return ""
	}
	switch strings.ToUpper(r.Tok.Raw) {
	case "SET", "WHERE", "ORDER", "LIMIT", "RETURNING", "JOIN", "STRAIGHT_JOIN", "INNER", "CROSS", "LEFT", "RIGHT", "FULL", "OUTER", "NATURAL",
		"ON", "USING", "USE", "IGNORE", "FORCE", "PARTITION", "FOR", "FROM":
		return ""
	}
	return r.Name()
}
