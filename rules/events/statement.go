package events

import (
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"rowhook/sqltext"
)

// statement is what a statement's text says about the rows it wrote. What cannot be read is no statement, never an error:
// then the rows alone count.
type statement struct {
	verb     string // INSERT, REPLACE, UPDATE or DELETE
	table    string // without the schema
	columns  []string
	literals []string // what the columns were given, where that is a literal; empty, also all together, where it is not known
	ids      []int64  // of DELETE ... WHERE `id` IN (...), in its order
	model    bool     // the form of the plugin's own saves and deletes

	class     bool // the form of those of its other tables
	publishes bool // the form of what its lists publish objects with
}

// maxStatement is how much of a text is looked at, in bytes.
const maxStatement = 1 << 20

// parseStatement reads a statement. False when it is none that writes rows of one table, or not understood. The log does not
// say which charset a text came in, and under which sql_mode it was run. Of those in which it makes sense all must
// agree; without backslashes that escape it is only read where it makes none with them.
func parseStatement(text string) (statement, bool) {
	if len(text) > maxStatement {
		return statement{}, false
	}
	encodings := []sqltext.Encoding{sqltext.Plain}
	if !utf8.ValidString(text) {
		encodings = append(encodings, sqltext.GBK, sqltext.SJIS)
	}
	for _, mode := range []uint64{0, sqltext.ModeNoBackslashEscapes} {
		var found *statement
		for _, encoding := range encodings {
			st, ok := readStatement(sqltext.Dialect{Lenient: true, SQLMode: mode, Encoding: encoding}, text)
			switch {
			case !ok:
			case found != nil && !found.equal(&st):
				return statement{}, false
			default:
				found = &st
			}
		}
		if found != nil {
			return *found, true
		}
		if !strings.Contains(text, `\`) {
			break
		}
	}
	return statement{}, false
}

func (st *statement) equal(o *statement) bool {
	return st.verb == o.verb && st.table == o.table && st.model == o.model && st.class == o.class && slices.Equal(st.columns, o.columns) && slices.Equal(st.ids, o.ids)
}

// names says whether a column is among those the statement names.
func (st *statement) names(column string) bool {
	for _, c := range st.columns {
		if strings.EqualFold(c, column) {
			return true
		}
	}
	return false
}

// join is st, nil for none so far, and what a later statement saved of the same row.
func (st *statement) join(later *statement) *statement {
	if st == nil {
		first := *later
		first.columns, first.literals = slices.Clone(later.columns), later.passed()
		return &first
	}
	for i, literal := range later.passed() {
		at := slices.IndexFunc(st.columns, func(c string) bool { return strings.EqualFold(c, later.columns[i]) })
		if at >= 0 {
			st.literals[at] = literal
			continue
		}
		st.columns, st.literals = append(st.columns, later.columns[i]), append(st.literals, literal)
	}
	return st
}

// passed are the literals of a statement, one a column.
func (st *statement) passed() []string {
	literals := make([]string, len(st.columns))
	copy(literals, st.literals)
	return literals
}

// readStatement reads a statement in one dialect.
func readStatement(d sqltext.Dialect, text string) (statement, bool) {
	s := statementReader{sqltext.NewCursor(d, text)}
	st := statement{verb: s.Verb()}
	s.Advance()
	var ok bool
	switch st.verb {
	case "INSERT", "REPLACE":
		ok = s.insert(&st)
	case "UPDATE":
		ok = s.update(&st)
	case "DELETE":
		ok = s.remove(&st)
	}
	if !ok || s.Failed {
		return statement{}, false
	}
	st.model = modelForm(d, text)
	st.class = st.model || numberForm(d, text)
	st.publishes = !st.class && publishForm(d, text)
	return st, true
}

// statementReader reads the statements that write rows of one table.
type statementReader struct{ *sqltext.Cursor }

// insert reads INSERT [modifiers] [INTO] table (columns) ..., or ... SET column = ...
func (s statementReader) insert(st *statement) bool {
	s.skip("LOW_PRIORITY", "DELAYED", "HIGH_PRIORITY", "IGNORE", "INTO")
	st.table = s.Table().Name
	switch {
	case s.AcceptMark("("):
		for more := true; more; more = s.AcceptMark(",") {
			st.columns = append(st.columns, s.Name())
		}
		if !s.AcceptMark(")") {
			return false
		}
		st.literals = s.row(len(st.columns))
		return !s.updates() // else a column may be of the other list
	case s.Accept("SET"):
		return s.assignments(st) && !s.updates()
	}
	return false
}

// update reads UPDATE [modifiers] table SET column = expression, ... [WHERE ...].
func (s statementReader) update(st *statement) bool {
	s.skip("LOW_PRIORITY", "IGNORE")
	st.table = s.Table().Name
	return s.Accept("SET") && s.assignments(st) && s.ends()
}

// assignments reads column = expression, ... up to WHERE, ORDER, LIMIT, ON or the end.
func (s statementReader) assignments(st *statement) bool {
	for more := true; more; more = s.AcceptMark(",") {
		column := s.Name()
		for s.AcceptMark(".") { // table.column, schema.table.column
			column = s.Name()
		}
		if !s.AcceptMark("=") {
			return false
		}
		st.columns, st.literals = append(st.columns, column), append(st.literals, s.literal(",", ";", "WHERE", ""))
		for s.Tok.Kind != sqltext.End && !s.Tok.IsMark(",") && !s.Tok.IsMark(";") {
			switch {
			case s.Tok.IsMark("("):
				s.Parens()
			case s.Tok.Is("WHERE"), s.Tok.Is("ORDER"), s.Tok.Is("LIMIT"), s.Tok.Is("ON"):
				return true
			default:
				s.Advance()
			}
		}
	}
	return !s.Failed
}

// remove reads DELETE [modifiers] FROM table [WHERE id IN (1, 2, ...)].
func (s statementReader) remove(st *statement) bool {
	s.skip("LOW_PRIORITY", "QUICK", "IGNORE")
	if !s.Accept("FROM") {
		return false
	}
	st.table = s.Table().Name
	if !s.Accept("WHERE") || !s.Tok.IsName() || !strings.EqualFold(s.Name(), "id") || !s.Accept("IN") || !s.AcceptMark("(") {
		return s.ends()
	}
	for more := true; more; more = s.AcceptMark(",") {
		n, err := strconv.ParseInt(s.Tok.Text(), 10, 64)
		if err != nil {
			st.ids = nil
			break
		}
		st.ids = append(st.ids, n)
		s.Advance()
	}
	return s.ends()
}

// skip passes over words.
func (s statementReader) skip(words ...string) {
	for s.AcceptOneOf(words...) != "" {
		continue
	}
}

// updates says whether an INSERT is also an UPDATE where the key is there already.
func (s statementReader) updates() bool {
	for s.Tok.Kind != sqltext.End {
		if s.Accept("DUPLICATE") {
			return true
		}
		s.Advance()
	}
	return false
}

// ends says whether the text can be read to its end.
func (s statementReader) ends() bool {
	for s.Tok.Kind != sqltext.End {
		s.Advance()
	}
	return !s.Failed
}
