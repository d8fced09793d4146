package sqltext

import (
	"slices"
	"strings"
)

// Cursor reads a statement from left to right, with one token ahead. After a failure (or a token that is Bad or Cut)
// there are no more tokens, so every loop that looks for End ends.
type Cursor struct {
	Lexer
	Tok    Token // the one that comes next
	Failed bool
	cut    bool
}

// NewCursor stands at the first token of a text.
func NewCursor(d Dialect, text string) *Cursor {
	c := &Cursor{Lexer: NewLexer(d, text)}
	c.Advance()
	return c
}

// Fail gives up.
func (c *Cursor) Fail() { c.Failed, c.Tok = true, Token{} }

// WasCut says whether it failed because the text is only the beginning of a statement.
func (c *Cursor) WasCut() bool { return c.cut }

// Advance goes to the next token.
func (c *Cursor) Advance() {
	if c.Failed {
		return
	}
	if c.Tok = c.Next(); c.Tok.Kind == Bad || c.Tok.Kind == Cut {
		c.cut = c.Tok.Kind == Cut
		c.Fail()
	}
}

// Peek is the token behind the next one.
func (c *Cursor) Peek() Token {
	l := c.Lexer
	return l.Next()
}

// Accept takes words when they come next, all or none.
func (c *Cursor) Accept(words ...string) bool {
	if !c.Tok.Is(words[0]) {
		return false
	}
	l := c.Lexer
	for _, w := range words[1:] {
		if !l.Next().Is(w) {
			return false
		}
	}
	c.Lexer = l
	c.Advance()
	return true
}

// AcceptMark takes a mark when it comes next.
func (c *Cursor) AcceptMark(mark string) bool {
	if !c.Tok.IsMark(mark) {
		return false
	}
	c.Advance()
	return true
}

// AcceptOneOf takes one of some words, which it returns in upper case, or "".
func (c *Cursor) AcceptOneOf(words ...string) string {
	if c.Tok.Kind != Word {
		return ""
	}
	i := slices.IndexFunc(words, c.Tok.Is)
	if i < 0 {
		return ""
	}
	c.Advance()
	return words[i]
}

// Expect takes words, or fails.
func (c *Cursor) Expect(words ...string) {
	if !c.Accept(words...) {
		c.Fail()
	}
}

// ExpectMark takes a mark, or fails.
func (c *Cursor) ExpectMark(mark string) {
	if !c.AcceptMark(mark) {
		c.Fail()
	}
}

// Name takes a name, or fails.
func (c *Cursor) Name() string {
	if !c.Tok.IsName() {
		c.Fail()
		return ""
	}
	name := c.Tok.Text()
	if name == "" {
		c.Fail()
	}
	c.Advance()
	return name
}

// Table takes a table's name, perhaps with its schema's, or fails. A lone dot in front of it, as ODBC's programs write it,
// stands for the default schema.
func (c *Cursor) Table() TableName {
	if c.AcceptMark(".") {
		return TableName{Name: c.Name()}
	}
	t := TableName{Name: c.Name()}
	if c.AcceptMark(".") {
		t = TableName{Schema: t.Name, Name: c.Name()}
	}
	return t
}

// TableName is a table as a statement names it; Schema is empty where it does not say.
type TableName struct{ Schema, Name string }

func (t TableName) String() string { return t.Schema + "." + t.Name }

// Parens steps over a pair of parentheses and what is in it, or fails.
func (c *Cursor) Parens() {
	c.ExpectMark("(")
	for depth := 1; depth > 0 && !c.Failed; c.Advance() {
		switch {
		case c.Tok.IsMark("("):
			depth++
		case c.Tok.IsMark(")"):
			depth--
		case c.Tok.Kind == End:
			c.Fail()
		}
	}
}

// Verb goes to the first word of what a statement does, over what may stand before it: parentheses, semicolons, and
// MariaDB's SET STATEMENT ... FOR. It returns the word in upper case, without taking it; "" when there is none.
func (c *Cursor) Verb() string {
	for {
		switch {
		case c.AcceptMark("("), c.AcceptMark(";"):
		case c.Accept("SET", "STATEMENT"):
			for c.Tok.Kind != End && !c.Accept("FOR") {
				c.Advance()
			}
		case c.Tok.Kind == Word:
			return strings.ToUpper(c.Tok.Raw)
		default:
			return ""
		}
	}
}
