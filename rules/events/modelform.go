package events

import (
	"strings"

	"rowhook/sqltext"
)

// modelForm says whether a statement is one that the plugin's models write (FINDINGS 8). The form is that of its tokens:
// names in backquotes, values in quotes or NULL, and all on one line; what its query builder writes has lines. Comments
// say nothing: hosts add them to each query, in front, behind and in between.
func modelForm(d sqltext.Dialect, text string) bool {
	return (&form{Lexer: sqltext.NewLexer(d, text)}).model()
}

// numberForm is modelForm for the other tables, of which the plugin's classes also write numbers as such.
func numberForm(d sqltext.Dialect, text string) bool {
	return (&form{Lexer: sqltext.NewLexer(d, text), numbers: true}).model()
}

// publishForm says whether a statement is what the plugin's lists publish objects with.
func publishForm(d sqltext.Dialect, text string) bool {
	f := form{Lexer: sqltext.NewLexer(d, text), numbers: true}
	f.next()
	f.tok.NewLine = false
	return f.take("UPDATE") && (f.is(sqltext.Word, "") || f.name()) && f.line() && f.take("SET") && f.tok.Raw == "`published`" && f.name() && f.take("=") &&
		f.value() && f.line() && f.take("WHERE") && f.id() && (f.take("=") && f.value() || f.take("IN", "(") && f.list(f.value, ",") && f.take(")")) && f.ended()
}

func (f *form) model() bool {
	f.next()
	f.tok.NewLine = false // behind a comment of the host's
	switch {
	case f.take("INSERT", "INTO"):
		return f.name() && f.take("(") && f.list(f.name, ",") && f.take(")", "VALUES", "(") && f.list(f.value, ",") && f.take(")") && f.ended()
	case f.take("UPDATE"):
		set := func() bool { return f.name() && f.take("=") && f.value() }
		return f.name() && f.take("SET") && f.list(set, ",") && f.take("WHERE") && f.list(set, "AND") && f.ended()
	case f.take("DELETE"):
		return f.line() && f.take("FROM") && f.name() && f.line() && f.take("WHERE") && f.id() && f.take("IN", "(") && f.list(f.number, ",") &&
			f.take(")") && f.ended()
	}
	return false
}

// form holds a statement against a form, token by token. A token on a new line is none that is looked for.
type form struct {
	sqltext.Lexer
	tok     sqltext.Token
	numbers bool // values may be numbers
}

func (f *form) next() { f.tok = f.Next() }

// line takes a line's end in front of the next token.
func (f *form) line() bool {
	ok := f.tok.NewLine
	f.tok.NewLine = false
	return ok
}

// take takes keywords and marks. The plugin writes them in capitals.
func (f *form) take(tokens ...string) bool {
	for _, t := range tokens {
		if f.tok.NewLine || f.tok.Raw != t {
			return false
		}
		f.next()
	}
	return true
}

func (f *form) list(item func() bool, separator string) bool {
	for {
		if !item() {
			return false
		}
		if !f.take(separator) {
			return true
		}
	}
}

func (f *form) is(k sqltext.Kind, begin string) bool {
	if f.tok.NewLine || f.tok.Kind != k || !strings.HasPrefix(f.tok.Raw, begin) {
		return false
	}
	f.next()
	return true
}

func (f *form) name() bool { return f.is(sqltext.Name, "`") }

func (f *form) id() bool { return f.tok.Raw == "`id`" && f.name() }

func (f *form) value() bool {
	return f.take("NULL") || f.is(sqltext.String, "'") || f.numbers && f.is(sqltext.Number, "")
}

func (f *form) number() bool {
	return strings.Trim(f.tok.Raw, "0123456789") == "" && f.is(sqltext.Number, "")
}

func (f *form) ended() bool { return f.tok.Kind == sqltext.End }
