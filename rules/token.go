package rules

import "strings"

// scanner cuts SQL into tokens: enough of it to find table and column names, and to pass over everything else.
type scanner struct {
	rest   string
	broken bool // a quote or a comment has no end
}

type tokenKind uint8

const (
	end        tokenKind = iota
	identifier           // a word, or a name in backquotes
	literal              // a string or a number
	symbol               // one character
)

type token struct {
	kind   tokenKind
	text   string // of a name in backquotes: what is inside
	quoted bool   // it was in backquotes, so it is no keyword
}

func (t token) is(s string) bool { return t.kind == symbol && t.text == s }

// word says whether the token is a keyword.
func (t token) word(w string) bool {
	return t.kind == identifier && !t.quoted && strings.EqualFold(t.text, w)
}

// next is the next token; at the end, and behind what cannot be read, it has the kind end.
func (s *scanner) next() token {
	s.space()
	if s.rest == "" {
		return token{}
	}
	switch c := s.rest[0]; {
	case c == '`':
		return s.backquoted()
	case c == '\'' || c == '"':
		n := quoted(s.rest)
		if n == 0 {
			return s.fail()
		}
		return s.cut(literal, n)
	case c >= '0' && c <= '9':
		return s.cut(literal, s.span(func(b byte) bool { return wordByte(b) || b == '.' }))
	case wordByte(c):
		return s.cut(identifier, s.span(wordByte))
	}
	return s.cut(symbol, 1)
}

func (s *scanner) cut(k tokenKind, n int) token {
	t := token{kind: k, text: s.rest[:n]}
	s.rest = s.rest[n:]
	return t
}

func (s *scanner) fail() token {
	s.broken, s.rest = true, ""
	return token{}
}

func (s *scanner) span(is func(byte) bool) int {
	n := 0
	for n < len(s.rest) && is(s.rest[n]) {
		n++
	}
	return n
}

// backquoted reads a name; a backquote in it is doubled.
func (s *scanner) backquoted() token {
	for i := 1; i < len(s.rest); i++ {
		if s.rest[i] != '`' {
			continue
		}
		if i+1 < len(s.rest) && s.rest[i+1] == '`' {
			i++
			continue
		}
		t := token{kind: identifier, text: strings.ReplaceAll(s.rest[1:i], "``", "`"), quoted: true}
		s.rest = s.rest[i+1:]
		return t
	}
	return s.fail()
}

// space passes over blanks and comments.
func (s *scanner) space() {
	for {
		s.rest = strings.TrimLeft(s.rest, " \t\r\n\f\v")
		var closing string
		switch {
		case strings.HasPrefix(s.rest, "/*"):
			closing = "*/"
		case strings.HasPrefix(s.rest, "#"), strings.HasPrefix(s.rest, "-- "), strings.HasPrefix(s.rest, "--\n"):
			closing = "\n"
		default:
			return
		}
		_, rest, ok := strings.Cut(s.rest[1:], closing)
		if !ok && closing == "*/" {
			s.broken = true
		}
		s.rest = rest
	}
}

// quoted is the length of the string that text begins with, with its quotes; 0 when it has no end. A quote in it is
// doubled or behind a backslash.
func quoted(text string) int {
	quote := text[0]
	for i := 1; i < len(text); i++ {
		switch text[i] {
		case '\\':
			i++
		case quote:
			if i+1 < len(text) && text[i+1] == quote {
				i++
				continue
			}
			return i + 1
		}
	}
	return 0
}

func wordByte(b byte) bool {
	return b == '_' || b == '$' || b >= '0' && b <= '9' || b >= 'a' && b <= 'z' || b >= 'A' && b <= 'Z' || b >= 0x80
}
