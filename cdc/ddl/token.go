package ddl

import (
	"strconv"
	"strings"
)

// token is a word of a statement.
type token struct {
	kind tokenKind
	text string // a name without its quotes, a string's value, a mark as it is
}

type tokenKind uint8

const (
	endToken    tokenKind = iota
	wordToken             // a keyword or a name without quotes
	nameToken             // a name in quotes
	stringToken           //
	numberToken           //
	markToken             // one byte of punctuation
	badToken              // what is not understood
)

// Dialect is what decides how a server reads a statement.
type Dialect struct {
	MariaDB   bool
	Version   int    // as executable comments name it: 101106 for 10.11.6
	SQLMode   uint64 //
	FoldNames bool   // table names are stored in lower case
}

// Bits of sql_mode, the same on both servers, but for the last one.
const (
	modeRealAsFloat        = 1 << 0
	modeANSIQuotes         = 1 << 2
	modeOracle             = 1 << 9 // MariaDB
	modeNoBackslashEscapes = 1 << 20
)

// lexer cuts a statement into tokens, as the server does. It is small, so a copy is a place to come back to.
type lexer struct {
	Dialect
	text string
	at   int
	exec bool // inside of a comment whose text counts
}

// next is the next token; the last one comes again and again.
func (l *lexer) next() token {
	if !l.skipSpace() {
		return token{kind: badToken}
	}
	if l.at >= len(l.text) {
		return token{}
	}
	c := l.text[l.at]
	switch {
	case c == '`':
		return l.quotedName()
	case c == '"' && l.SQLMode&modeANSIQuotes != 0:
		return l.quotedName()
	case c == '\'' || c == '"':
		return l.quotedString()
	case c >= '0' && c <= '9', c == '.' && l.byteAt(1) >= '0' && l.byteAt(1) <= '9':
		return l.number()
	case IdentifierByte(c):
		return token{wordToken, l.take(IdentifierByte)}
	case strings.IndexByte("(),.=+-*/%&|^~!<>?:@;", c) >= 0:
		l.at++
		return token{markToken, l.text[l.at-1 : l.at]}
	}
	return token{kind: badToken}
}

func (l *lexer) byteAt(more int) byte {
	if l.at+more < len(l.text) {
		return l.text[l.at+more]
	}
	return 0
}

// take is the run of bytes of a kind that begins here.
func (l *lexer) take(of func(byte) bool) string {
	from := l.at
	for l.at < len(l.text) && of(l.text[l.at]) {
		l.at++
	}
	return l.text[from:l.at]
}

// skipSpace goes to the next token, over space and comments; false when a comment has no end.
func (l *lexer) skipSpace() bool {
	for l.at < len(l.text) {
		rest := l.text[l.at:]
		switch {
		case strings.IndexByte(" \t\r\n\v\f", rest[0]) >= 0:
			l.at++
		case rest[0] == '#', strings.HasPrefix(rest, "--") && (len(rest) == 2 || rest[2] <= ' '):
			line, _, _ := strings.Cut(rest, "\n")
			l.at += len(line)
		case l.exec && strings.HasPrefix(rest, "*/"):
			l.exec = false
			l.at += len("*/")
		case strings.HasPrefix(rest, "/*"):
			if !l.comment(rest) {
				return false
			}
		default:
			return true
		}
	}
	return !l.exec
}

// comment steps over a comment, or into one whose text counts: "/*!", perhaps with a version from which on, and on
// MariaDB "/*M!".
func (l *lexer) comment(rest string) bool {
	mark := "/*!"
	if l.MariaDB && strings.HasPrefix(rest, "/*M!") {
		mark = "/*M!"
	}
	if inside, ok := strings.CutPrefix(rest, mark); ok {
		if l.exec {
			return false
		}
		digits := 0
		for digits < 6 && digits < len(inside) && inside[digits] >= '0' && inside[digits] <= '9' {
			digits++
		}
		if digits == 6 && !l.MariaDB && digits < len(inside) && inside[digits] > ' ' { // perhaps five, and a name that begins with a digit
			return false
		}
		since, _ := strconv.Atoi(inside[:digits])
		counts := digits == 0 || digits >= 5 && since <= l.Version
		if l.MariaDB && since >= 50700 && since <= 99999 { // MySQL's ways went apart
			counts = false
		}
		if counts {
			l.exec = true
			l.at += len(mark) + digits
			return true
		}
	}
	end := strings.Index(rest[2:], "*/")
	if end < 0 || strings.Contains(rest[2:2+end], "/*") { // the servers differ in what ends a comment within a comment
		return false
	}
	l.at += 2 + end + 2
	return true
}

// quotedName reads a name in quotes, which stand twice for one of them.
func (l *lexer) quotedName() token {
	quote := l.text[l.at]
	var name strings.Builder
	for i := l.at + 1; i < len(l.text); i++ {
		if l.text[i] != quote {
			name.WriteByte(l.text[i])
			continue
		}
		if i+1 < len(l.text) && l.text[i+1] == quote {
			name.WriteByte(quote)
			i++
			continue
		}
		l.at = i + 1
		return token{nameToken, name.String()}
	}
	return token{kind: badToken}
}

// quotedString reads a string.
func (l *lexer) quotedString() token {
	quote := l.text[l.at]
	var value strings.Builder
	for i := l.at + 1; i < len(l.text); i++ {
		c := l.text[i]
		switch {
		case c == '\\' && l.SQLMode&modeNoBackslashEscapes == 0:
			i++
			if i == len(l.text) {
				return token{kind: badToken}
			}
			value.WriteString(escaped(l.text[i]))
		case c != quote:
			value.WriteByte(c)
		case i+1 < len(l.text) && l.text[i+1] == quote:
			value.WriteByte(quote)
			i++
		default:
			l.at = i + 1
			return token{stringToken, value.String()}
		}
	}
	return token{kind: badToken}
}

// escaped is what a backslash and a byte stand for.
func escaped(c byte) string {
	switch c {
	case '0':
		return "\x00"
	case 'b':
		return "\b"
	case 'n':
		return "\n"
	case 'r':
		return "\r"
	case 't':
		return "\t"
	case 'Z':
		return "\x1a"
	case '%', '_':
		return "\\" + string(c)
	}
	return string(c)
}

// number reads a number, or a name that begins with a digit.
func (l *lexer) number() token {
	from := l.at
	digit := func(c byte) bool { return c >= '0' && c <= '9' }
	l.take(digit)
	if l.byteAt(0) == '.' {
		l.at++
		l.take(digit)
	} else if IdentifierByte(l.byteAt(0)) {
		l.take(IdentifierByte)
		return token{wordToken, l.text[from:l.at]}
	}
	if IdentifierByte(l.byteAt(0)) { // an exponent: of no matter here
		return token{kind: badToken}
	}
	return token{numberToken, l.text[from:l.at]}
}

// IdentifierByte says whether a byte may stand in a name without quotes.
func IdentifierByte(b byte) bool {
	return b == '_' || b == '$' || b >= '0' && b <= '9' || b >= 'a' && b <= 'z' || b >= 'A' && b <= 'Z' || b >= 0x80
}
