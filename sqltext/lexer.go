package sqltext

import (
	"strconv"
	"strings"
)

// Lexer cuts a text into tokens. It is small, so that a copy is a place to come back to.
type Lexer struct {
	Dialect
	text  string
	at    int
	exec  bool // inside of a comment whose text counts
	named bool // a word ended right here: a dot and what follows it belong to it
	dot   bool // such a dot was the last token
}

// NewLexer cuts a text.
func NewLexer(d Dialect, text string) Lexer { return Lexer{Dialect: d, text: text} }

// Next is the next token.
func (l *Lexer) Next() Token {
	from := l.at
	newLine, ok := l.space()
	if !ok {
		return l.unfinished()
	}
	if l.at >= len(l.text) {
		if l.Cut {
			return Token{Kind: Cut}
		}
		return Token{NewLine: newLine}
	}
	member, named := l.dot && l.at == from, l.named && l.at == from
	l.dot, l.named = false, false
	start := l.at
	t := l.token(member, named)
	if l.Cut && l.at >= len(l.text) && t.Kind != Bad {
		return Token{Kind: Cut}
	}
	if t.Kind != Bad && t.Kind != Cut {
		t.Raw, t.NewLine = l.text[start:l.at], newLine
	}
	return t
}

// unfinished is what has no end.
func (l *Lexer) unfinished() Token {
	l.at = len(l.text)
	if l.Cut {
		return Token{Kind: Cut}
	}
	return Token{Kind: Bad}
}

// token takes a token. It is a member's name behind a dot, or may be a dot behind a name.
func (l *Lexer) token(member, named bool) Token {
	c := l.text[l.at]
	switch {
	case member && IdentifierByte(c):
		l.run(IdentifierByte)
		l.named = true
		return Token{Kind: Name}
	case c == '`', c == '"' && l.SQLMode&ModeANSIQuotes != 0:
		return l.quoted(Name, false)
	case c == '\'' || c == '"':
		return l.quoted(String, l.SQLMode&ModeNoBackslashEscapes == 0)
	case c == '.' && named && IdentifierByte(l.byteAt(1)):
		l.at++
		l.dot = true
		return Token{Kind: Mark}
	case digit(c), c == '.' && digit(l.byteAt(1)):
		return l.number()
	case l.byteAt(1) == '\'' && strings.IndexByte("xXbB", c) >= 0:
		l.at++
		if t := l.quoted(Number, false); t.Kind != Number {
			return t
		}
		return Token{Kind: Number}
	case IdentifierByte(c):
		l.run(IdentifierByte)
		l.named = true
		return Token{Kind: Word}
	case c == '@':
		return l.variable()
	case c == '\\' && l.byteAt(1) == 'N': // NULL
		l.at += 2
		return Token{Kind: Word}
	case l.Lenient, strings.IndexByte("(),.=+-*/%&|^~!<>?:;{}[]", c) >= 0:
		l.at++
		return Token{Kind: Mark}
	}
	return Token{Kind: Bad}
}

func (l *Lexer) byteAt(more int) byte {
	if l.at+more < len(l.text) {
		return l.text[l.at+more]
	}
	return 0
}

// run passes over the bytes of a kind.
func (l *Lexer) run(of func(byte) bool) {
	for l.at < len(l.text) && of(l.text[l.at]) {
		l.at++
	}
}

// quoted takes what stands in quotes. Two of them are one within.
func (l *Lexer) quoted(kind Kind, escapes bool) Token {
	t := Token{Kind: kind, plain: true, escapes: escapes, enc: l.Encoding}
	quote := l.text[l.at]
	for i := l.at + 1; i < len(l.text); i++ {
		switch c := l.text[i]; {
		case c >= 0x80:
			if l.Encoding != Plain && i+1 < len(l.text) && l.Encoding.pair(c, l.text[i+1]) {
				t.plain = t.plain && l.text[i+1] >= 0x80 // else it looks like an escape
				i++
			}
		case c == '\\' && escapes:
			t.plain = false
			i++
		case c != quote:
		case i+1 < len(l.text) && l.text[i+1] == quote:
			t.plain = false
			i++
		default:
			l.at = i + 1
			return t
		}
	}
	return l.unfinished()
}

// number takes a number, or a name that begins with a digit.
func (l *Lexer) number() Token {
	start := l.at
	l.run(digit)
	if l.byteAt(0) != '.' {
		l.run(IdentifierByte)
		word := l.text[start:l.at]
		if isNumber(word) {
			return Token{Kind: Number}
		}
		if e := len(word) - 1; (word[e] == 'e' || word[e] == 'E') && isNumber(word[:e]) && l.sign() {
			l.run(digit)
			return Token{Kind: Number}
		}
		l.named = true
		return Token{Kind: Word}
	}
	l.at++
	l.run(digit)
	if c := l.byteAt(0); c == 'e' || c == 'E' {
		l.at++
		if l.sign() {
			l.at++
		}
		l.run(digit)
	}
	if IdentifierByte(l.byteAt(0)) && !l.Lenient {
		return Token{Kind: Bad}
	}
	return Token{Kind: Number}
}

// sign says whether a sign and a digit come next, of an exponent; it passes over the sign.
func (l *Lexer) sign() bool {
	if c := l.byteAt(0); c != '+' && c != '-' || !digit(l.byteAt(1)) {
		return false
	}
	l.at++
	return true
}

// isNumber says whether a word that begins with a digit is a number: 12, 1e5, 0x1f, 0b101.
func isNumber(word string) bool {
	base, digits := 10, word
	if len(word) > 2 && word[0] == '0' {
		switch word[1] {
		case 'x':
			base, digits = 16, word[2:]
		case 'b':
			base, digits = 2, word[2:]
		}
	}
	exponent := false
	for i := range len(digits) {
		c := digits[i]
		switch {
		case base == 2 && c > '1':
			return false
		case digit(c):
		case base == 16 && strings.IndexByte("abcdefABCDEF", c) >= 0:
		case base == 10 && (c == 'e' || c == 'E') && i > 0 && i+1 < len(digits) && !exponent:
			exponent = true
		default:
			return false
		}
	}
	return true
}

// variable takes @name, @'name', @@name, and the host of an account.
func (l *Lexer) variable() Token {
	l.at++
	if l.byteAt(0) == '@' {
		l.at++
	}
	if l.at < len(l.text) && quoteByte(l.text[l.at]) {
		if t := l.quoted(Name, l.text[l.at] != '`'); t.Kind != Name {
			return t
		}
		return Token{Kind: Variable}
	}
	l.run(func(c byte) bool { return IdentifierByte(c) || c == '.' })
	return Token{Kind: Variable}
}

// space goes to the next token, over space and comments; false when a comment has no end.
func (l *Lexer) space() (newLine, ok bool) {
	for l.at < len(l.text) {
		rest := l.text[l.at:]
		switch c := rest[0]; {
		case c == '\n', c == '\r':
			newLine = true
			l.at++
		case c == ' ', c == '\t', c == '\v', c == '\f':
			l.at++
		case c == '#', c == '-' && l.dashes():
			end := strings.IndexByte(rest, '\n')
			if end < 0 {
				l.at = len(l.text)
				return newLine, !l.Cut && !l.exec
			}
			l.at += end + 1 // the line's end is the comment's
		case c == '*' && l.exec && l.byteAt(1) == '/':
			l.exec = false
			l.at += len("*/")
		case c == '/' && l.byteAt(1) == '*':
			if !l.comment() {
				return newLine, false
			}
		default:
			return newLine, true
		}
	}
	return newLine, !l.exec || l.Lenient
}

// dashes says whether a comment begins: with two dashes, and a space or a control character or nothing behind them.
func (l *Lexer) dashes() bool {
	rest := l.text[l.at:]
	return strings.HasPrefix(rest, "--") && (len(rest) == 2 || rest[2] <= ' ' || rest[2] == 0x7f)
}

// comment steps over a comment, or into one whose text counts.
func (l *Lexer) comment() bool {
	rest := l.text[l.at:]
	mark := "/*!"
	if strings.HasPrefix(rest, "/*M!") && (l.MariaDB || l.Version == 0) {
		mark = "/*M!"
	}
	if inside, ok := strings.CutPrefix(rest, mark); ok && (!l.exec || l.Lenient) {
		digits, counts, sure := l.versionComment(inside)
		if !sure && !l.Lenient {
			return false
		}
		if counts {
			l.exec = true
			l.at += len(mark) + digits
			return true
		}
	} else if ok {
		return false
	}
	end := strings.Index(rest[2:], "*/")
	if end < 0 || !l.Lenient && strings.Contains(rest[2:2+end], "/*") { // the servers differ in what ends a comment within a comment
		return false
	}
	l.at += 2 + end + 2
	return true
}

// versionComment says whether the text of a comment "/*!", perhaps with a version from which on, counts; not for sure
// where a name may begin with a digit.
func (l *Lexer) versionComment(inside string) (digits int, counts, sure bool) {
	for digits < 6 && digits < len(inside) && digit(inside[digits]) {
		digits++
	}
	sure = digits < 6 || l.MariaDB || digits == len(inside) || inside[digits] <= ' '
	if l.Version == 0 {
		return digits, true, sure
	}
	since, _ := strconv.Atoi(inside[:digits])
	counts = digits == 0 || digits >= 5 && since <= l.Version
	if l.MariaDB && since >= 50700 && since <= 99999 { // MySQL's ways went apart
		counts = false
	}
	return digits, counts, sure
}
