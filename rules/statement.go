package rules

import (
	"strconv"
	"strings"
)

// statement is what a statement's text says about the rows it wrote. The text is in the client's character set: only
// ASCII in it is understood, and everything else is passed over. What cannot be read is no statement, never an error:
// then the rows alone count.
type statement struct {
	verb    string // INSERT, REPLACE, UPDATE or DELETE
	table   string // without the schema
	columns []string
	ids     []int64 // of DELETE ... WHERE `id` IN (...), in its order
	model   bool    // the exact form of the plugin's own saves and deletes
}

// maxStatement is how much of a text is looked at, in bytes.
const maxStatement = 1 << 20

// parseStatement reads a statement. False when it is none that writes rows of one table, or not understood.
func parseStatement(text string) (statement, bool) {
	if len(text) > maxStatement {
		return statement{}, false
	}
	s := scanner{rest: text}
	st := statement{verb: strings.ToUpper(s.next().text)}
	var ok bool
	switch st.verb {
	case "INSERT", "REPLACE":
		ok = s.insert(&st)
	case "UPDATE":
		ok = s.update(&st)
	case "DELETE":
		ok = s.remove(&st)
	}
	if !ok {
		return statement{}, false
	}
	st.model = modelForm(text)
	return st, true
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

// insert reads INSERT [modifiers] [INTO] table (columns) ..., or ... SET column = ...
func (s *scanner) insert(st *statement) bool {
	t := s.skip("LOW_PRIORITY", "DELAYED", "HIGH_PRIORITY", "IGNORE", "INTO")
	if st.table, t = s.table(t); st.table == "" {
		return false
	}
	switch {
	case t.is("("):
		for {
			c := s.next()
			if c.kind != identifier {
				return false
			}
			st.columns = append(st.columns, c.text)
			if t = s.next(); t.is(")") {
				return !s.holds("DUPLICATE") // then a column may be of the other list
			}
			if !t.is(",") {
				return false
			}
		}
	case t.word("SET"):
		return s.assignments(st) && !s.holds("DUPLICATE")
	}
	return false
}

// update reads UPDATE [modifiers] table SET column = expression, ... [WHERE ...].
func (s *scanner) update(st *statement) bool {
	t := s.skip("LOW_PRIORITY", "IGNORE")
	if st.table, t = s.table(t); st.table == "" || !t.word("SET") {
		return false
	}
	return s.assignments(st)
}

// assignments reads column = expression, ... up to WHERE, ORDER, LIMIT, ON or the end.
func (s *scanner) assignments(st *statement) bool {
	for {
		c := s.next()
		if c.kind != identifier {
			return false
		}
		t := s.next()
		for t.is(".") { // table.column, schema.table.column
			if c = s.next(); c.kind != identifier {
				return false
			}
			t = s.next()
		}
		if !t.is("=") {
			return false
		}
		st.columns = append(st.columns, c.text)
		for depth := 0; ; {
			t = s.next()
			switch {
			case t.kind == end:
				return depth == 0 && !s.broken
			case t.is("("):
				depth++
			case t.is(")"):
				depth--
			case depth == 0 && (t.word("WHERE") || t.word("ORDER") || t.word("LIMIT") || t.word("ON") || t.is(";")):
				return !s.broken
			}
			if depth == 0 && t.is(",") {
				break
			}
		}
	}
}

// remove reads DELETE [modifiers] FROM table [WHERE id IN (1, 2, ...)].
func (s *scanner) remove(st *statement) bool {
	t := s.skip("LOW_PRIORITY", "QUICK", "IGNORE")
	if !t.word("FROM") {
		return false
	}
	if st.table, t = s.table(s.next()); st.table == "" {
		return false
	}
	if !t.word("WHERE") {
		return true
	}
	if c := s.next(); c.kind != identifier || !strings.EqualFold(c.text, "id") || !s.next().word("IN") || !s.next().is("(") {
		return true
	}
	for {
		id := s.next()
		n, err := strconv.ParseInt(strings.Trim(id.text, "'"), 10, 64)
		if err != nil {
			st.ids = nil
			return true
		}
		st.ids = append(st.ids, n)
		if !s.next().is(",") {
			return true
		}
	}
}

// table reads table or schema.table, which begins with t, and returns its name and the token behind it.
func (s *scanner) table(t token) (string, token) {
	if t.kind != identifier {
		return "", t
	}
	next := s.next()
	if next.is(".") {
		if t = s.next(); t.kind != identifier {
			return "", t
		}
		next = s.next()
	}
	return t.text, next
}

// skip passes over some words and returns the token behind them.
func (s *scanner) skip(words ...string) token {
next:
	for {
		t := s.next()
		for _, w := range words {
			if t.word(w) {
				continue next
			}
		}
		return t
	}
}

// holds says whether a word comes later, outside of quotes.
func (s *scanner) holds(word string) bool {
	for {
		t := s.next()
		if t.kind == end {
			return s.broken
		}
		if t.word(word) {
			return true
		}
	}
}

// modelForm says whether a text is exactly what the plugin's models write (FINDINGS 8): one line, names in backquotes,
// values in quotes or NULL; or its DELETE ... IN.
func modelForm(text string) bool {
	f := form(text)
	switch {
	case f.take("INSERT INTO "):
		return f.name() && f.take(" (") && f.list(", ", f.name) && f.take(") VALUES (") && f.list(", ", f.value) && f.take(")") && f == ""
	case f.take("UPDATE "):
		set := func() bool { return f.name() && f.take(" = ") && f.value() }
		return f.name() && f.take(" SET ") && f.list(", ", set) && f.take(" WHERE ") && f.list(" AND ", set) && f == ""
	case f.take("DELETE \nFROM "):
		number := func() bool { return f.digits() }
		return f.name() && f.take("\nWHERE `id` IN (") && f.list(",", number) && f.take(")") && f == ""
	}
	return false
}

// form is what is left of a text that is held against a form.
type form string

func (f *form) take(s string) bool {
	rest, ok := strings.CutPrefix(string(*f), s)
	*f = form(rest)
	return ok
}

func (f *form) list(separator string, item func() bool) bool {
	for {
		if !item() {
			return false
		}
		if !f.take(separator) {
			return true
		}
	}
}

func (f *form) name() bool {
	if !f.take("`") {
		return false
	}
	_, rest, ok := strings.Cut(string(*f), "`")
	*f = form(rest)
	return ok
}

func (f *form) digits() bool {
	rest := strings.TrimLeft(string(*f), "0123456789")
	ok := len(rest) < len(*f)
	*f = form(rest)
	return ok
}

func (f *form) value() bool {
	if f.take("NULL") {
		return true
	}
	if !strings.HasPrefix(string(*f), "'") {
		return false
	}
	n := quoted(string(*f))
	if n == 0 {
		return false
	}
	*f = (*f)[n:]
	return true
}
