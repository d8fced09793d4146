package wpconfig

import (
	"strings"
)

// kind is what a token is.
type kind uint8

const (
	end        kind = iota
	variable        // $name; text is the name
	word            // a name, keyword or number
	quoted          // a string; parts are what it is made of
	sign            // an operator or a bracket
	unreadable      // what follows is no PHP
)

// token is one word of PHP.
type token struct {
	kind  kind
	text  string
	parts []part
	line  int
}

// part is a piece of a string: text, or the tokens of what is put in.
type part struct {
	text   string
	tokens []token
}

// is says whether the token is this sign, or this keyword, which may be written in any case.
func (t token) is(text string) bool {
	return t.kind == sign && t.text == text || t.kind == word && strings.EqualFold(t.text, text)
}

// lower is the sign, or the name in lower case, which is how PHP compares them; empty for all else.
func (t token) lower() string {
	switch t.kind {
	case sign:
		return t.text
	case word:
		return strings.ToLower(t.text)
	case end, variable, quoted, unreadable:
	}
	return ""
}

// lexer cuts PHP into tokens, as PHP's own scanner does.
type lexer struct {
	src    string
	pos    int
	line   int
	nested int // strings within strings
	tokens []token
}

const mostNested = 20

// lex cuts a file into tokens. What is outside of <?php and ?> is none.
func lex(src string) []token {
	l := &lexer{src: src, line: 1}
	for l.toPHP() && l.php() {
	}
	return l.tokens
}

// toPHP skips what is printed as it is, up to an opening tag; false at the end.
func (l *lexer) toPHP() bool {
	for {
		i := strings.Index(l.src[l.pos:], "<?")
		if i < 0 {
			l.skip(len(l.src) - l.pos)
			return false
		}
		l.skip(i + 2)
		switch {
		case l.has("="):
			l.skip(1)
			l.add(token{kind: word, text: "echo"})
			return true
		case len(l.src) >= l.pos+3 && strings.EqualFold(l.src[l.pos:l.pos+3], "php") && (len(l.src) == l.pos+3 || strings.IndexByte(" \t\r\n", l.src[l.pos+3]) >= 0):
			l.skip(3)
			return true
		}
	}
}

// php reads tokens up to a closing tag, which ends a statement; false at the end.
func (l *lexer) php() bool {
	for l.pos < len(l.src) {
		c := l.src[l.pos]
		switch {
		case strings.IndexByte(" \t\r\n\v\f", c) >= 0:
			l.skip(1)
		case l.has("?>"):
			l.skip(2)
			l.add(token{kind: sign, text: ";"})
			return true
		case l.has("#["): // an attribute; it has no effect here
			l.skip(2)
			l.add(token{kind: sign, text: "#["})
		case c == '#' || l.has("//"):
			l.skip(l.lineComment())
		case l.has("/*"):
			i := strings.Index(l.src[l.pos+2:], "*/")
			if i < 0 {
				l.skip(len(l.src) - l.pos)
				return false
			}
			l.skip(i + 4)
		case !l.value(c) && !l.operator():
			l.add(token{kind: unreadable})
			return false
		}
	}
	return false
}

// lineComment is the length of a comment that ends with its line, or with a closing tag.
func (l *lexer) lineComment() int {
	rest := l.src[l.pos:]
	for i := range len(rest) {
		if rest[i] == '\r' || rest[i] == '\n' || strings.HasPrefix(rest[i:], "?>") {
			return i
		}
	}
	return len(rest)
}

// value reads a variable, a name, a number or a string.
func (l *lexer) value(c byte) bool {
	line := l.line
	rest := l.src[l.pos:]
	switch {
	case c == '$' && nameLength(rest[1:]) > 0:
		n := nameLength(rest[1:])
		l.skip(1 + n)
		l.add(token{kind: variable, text: rest[1 : 1+n]})
	case isNameStart(c) || c == '\\':
		n := 1
		for n < len(rest) && (isNamePart(rest[n]) || rest[n] == '\\') {
			n++
		}
		l.skip(n)
		l.add(token{kind: word, text: rest[:n]})
	case isDigit(c) || c == '.' && len(rest) > 1 && isDigit(rest[1]):
		n := numberLength(rest)
		l.skip(n)
		l.add(token{kind: word, text: rest[:n]})
	case c == '\'':
		return l.single()
	case c == '"':
		l.skip(1)
		parts, closed := l.interpolated('"')
		l.tokens = append(l.tokens, token{kind: quoted, parts: parts, line: line})
		return closed
	case l.has("<<<"):
		return l.heredoc()
	default:
		return false
	}
	return true
}

// single reads a string in single quotes.
func (l *lexer) single() bool {
	line := l.line
	var b strings.Builder
	for i := l.pos + 1; i < len(l.src); i++ {
		switch c := l.src[i]; {
		case c == '\'':
			l.skip(i + 1 - l.pos)
			l.tokens = append(l.tokens, token{kind: quoted, parts: []part{{text: b.String()}}, line: line})
			return true
		case c == '\\' && i+1 < len(l.src) && (l.src[i+1] == '\\' || l.src[i+1] == '\''):
			i++
			b.WriteByte(l.src[i])
		default:
			b.WriteByte(c)
		}
	}
	return false
}

// operators are those of several characters, longer ones before their beginnings.
func operators() []string {
	return []string{
		"===", "!==", "<=>", "**=", "...", "<<=", ">>=", "??=", "?->", "==", "!=", "<>", "<=", ">=", "&&", "||", "??", "->", "=>", "::",
		".=", "+=", "-=", "*=", "/=", "%=", "&=", "|=", "^=", "++", "--", "**", "<<", ">>",
	}
}

func (l *lexer) operator() bool {
	if l.pos == len(l.src) {
		return false // behind a string that nobody closed
	}
	for _, o := range operators() {
		if l.has(o) {
			l.add(token{kind: sign, text: o})
			l.skip(len(o))
			return true
		}
	}
	if strings.IndexByte("(){}[];,.=<>!?:+-*/%&|^~@$", l.src[l.pos]) < 0 {
		return false
	}
	l.add(token{kind: sign, text: l.src[l.pos : l.pos+1]})
	l.skip(1)
	return true
}

func (l *lexer) add(t token) {
	t.line = l.line
	l.tokens = append(l.tokens, t)
}

func (l *lexer) has(prefix string) bool { return strings.HasPrefix(l.src[l.pos:], prefix) }

// skip goes on by n bytes and counts their lines.
func (l *lexer) skip(n int) {
	l.line += strings.Count(l.src[l.pos:l.pos+n], "\n")
	l.pos += n
}

// numberLength is that of a number at the beginning of a text.
func numberLength(s string) int {
	hex := len(s) > 1 && s[0] == '0' && strings.IndexByte("xXbBoO", s[1]) >= 0
	for i := range len(s) {
		c := s[i]
		exponent := !hex && (c == '+' || c == '-') && i > 0 && (s[i-1] == 'e' || s[i-1] == 'E')
		if !isNamePart(c) && (c != '.' || hex) && !exponent || c >= 0x80 {
			return i
		}
	}
	return len(s)
}

// nameLength is that of a name at the beginning of a text, 0 when there is none.
func nameLength(s string) int {
	if s == "" || !isNameStart(s[0]) {
		return 0
	}
	for i := range len(s) {
		if !isNamePart(s[i]) {
			return i
		}
	}
	return len(s)
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

func isNameStart(c byte) bool {
	return c == '_' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || c >= 0x80
}

func isNamePart(c byte) bool { return isNameStart(c) || isDigit(c) }
