package wpconfig

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// interpolated reads a string with escapes and variables in it, up to its closing quote; quote 0 is a heredoc, whose text is
// all of the source. It says whether the string is closed.
func (l *lexer) interpolated(quote byte) (parts []part, closed bool) {
	if l.nested++; l.nested > mostNested {
		return nil, false
	}
	defer func() { l.nested-- }()
	var b strings.Builder
	flush := func(tokens ...token) {
		parts = append(parts, part{text: b.String()})
		b.Reset()
		if len(tokens) > 0 {
			parts = append(parts, part{tokens: tokens})
		}
	}
	for l.pos < len(l.src) {
		c, rest := l.src[l.pos], l.src[l.pos:]
		switch {
		case c == quote && quote != 0:
			l.skip(1)
			flush()
			return parts, true
		case c == '\\':
			b.WriteString(l.escape(quote))
		case strings.HasPrefix(rest, "{$"):
			l.skip(1)
			inside, ok := l.braced()
			if !ok {
				return parts, false
			}
			flush(inside...)
		case strings.HasPrefix(rest, "${"):
			n := nameLength(rest[2:])
			if n == 0 || !strings.HasPrefix(rest[2+n:], "}") {
				return parts, false
			}
			flush(token{kind: variable, text: rest[2 : 2+n], line: l.line})
			l.skip(3 + n)
		case c == '$' && nameLength(rest[1:]) > 0:
			flush(l.simple()...)
		default:
			b.WriteByte(c)
			l.skip(1)
		}
	}
	flush()
	return parts, quote == 0
}

// simple reads a variable that stands in a string without braces: $name, $name[key], $name->key.
func (l *lexer) simple() []token {
	rest := l.src[l.pos+1:]
	n := nameLength(rest)
	tokens := []token{{kind: variable, text: rest[:n], line: l.line}}
	l.skip(1 + n)
	rest = rest[n:]
	if strings.HasPrefix(rest, "->") && nameLength(rest[2:]) > 0 {
		m := nameLength(rest[2:])
		tokens = append(tokens, token{kind: sign, text: "->", line: l.line}, token{kind: word, text: rest[2 : 2+m], line: l.line})
		l.skip(2 + m)
		return tokens
	}
	if i := strings.IndexByte(rest[:min(len(rest), mostText)], ']'); strings.HasPrefix(rest, "[") && i > 0 {
		key := token{kind: quoted, parts: []part{{text: rest[1:i]}}, line: l.line}
		if name, ok := strings.CutPrefix(rest[1:i], "$"); ok {
			key = token{kind: variable, text: name, line: l.line}
		}
		tokens = append(tokens, token{kind: sign, text: "[", line: l.line}, key, token{kind: sign, text: "]", line: l.line})
		l.skip(i + 1)
	}
	return tokens
}

// braced reads the tokens of {$...}, behind its brace, and the brace that closes it.
func (l *lexer) braced() (tokens []token, ok bool) {
	outer := l.tokens
	l.tokens = nil
	defer func() { l.tokens = outer }()
	for depth := 1; l.pos < len(l.src); {
		switch c := l.src[l.pos]; {
		case c == '}' && depth == 1:
			l.skip(1)
			return l.tokens, true
		case strings.IndexByte(" \t\r\n", c) >= 0:
			l.skip(1)
		case !l.value(c) && !l.operator():
			return nil, false
		case c == '{':
			depth++
		case c == '}':
			depth--
		}
	}
	return nil, false
}

// escape reads a backslash and what it says. What is no escape stays as it is written.
func (l *lexer) escape(quote byte) string {
	rest := l.src[l.pos:]
	if len(rest) < 2 {
		l.skip(1)
		return `\`
	}
	length, meaning := 2, rest[:2]
	switch c := rest[1]; {
	case strings.IndexByte(`ntrvef\$`, c) >= 0:
		meaning = map[byte]string{'n': "\n", 't': "\t", 'r': "\r", 'v': "\v", 'e': "\x1b", 'f': "\f", '\\': `\`, '$': "$"}[c]
	case c == '"' && quote == '"':
		meaning = `"`
	case '0' <= c && c <= '7':
		length = 1 + digits(rest[1:], 3, "01234567")
		n, _ := strconv.ParseUint(rest[1:length], 8, 16)
		meaning = string([]byte{byte(n)})
	case c == 'x' && digits(rest[2:], 2, hexDigits) > 0:
		length = 2 + digits(rest[2:], 2, hexDigits)
		n, _ := strconv.ParseUint(rest[2:length], 16, 16)
		meaning = string([]byte{byte(n)})
	case c == 'u' && strings.HasPrefix(rest[2:], "{"):
		n := digits(rest[3:], 8, hexDigits)
		if point, err := strconv.ParseUint(rest[3:3+n], 16, 32); err == nil && point <= utf8.MaxRune && strings.HasPrefix(rest[3+n:], "}") {
			length, meaning = 4+n, string(rune(point))
		}
	}
	l.skip(length)
	return meaning
}

const hexDigits = "0123456789abcdefABCDEF"

// digits is how many characters at the beginning are of a set, at most the given number.
func digits(s string, most int, set string) int {
	for i := range min(most, len(s)) {
		if strings.IndexByte(set, s[i]) < 0 {
			return i
		}
	}
	return min(most, len(s))
}

// heredoc reads <<<NAME, <<<"NAME" or <<<'NAME', its lines, and the line that closes it. What that line is indented by is no
// part of the text.
func (l *lexer) heredoc() bool {
	line, rest := l.line, l.src[l.pos+3:]
	lead := len(rest) - len(strings.TrimLeft(rest, " \t"))
	rest = rest[lead:]
	raw, quote := false, ""
	if rest != "" && (rest[0] == '\'' || rest[0] == '"') {
		quote, raw, rest = rest[:1], rest[0] == '\'', rest[1:]
	}
	n := nameLength(rest)
	label := rest[:n]
	rest, ok := strings.CutPrefix(rest[n:], quote)
	head, body, newline := strings.Cut(rest, "\n")
	if n == 0 || !ok || !newline || strings.TrimSuffix(head, "\r") != "" {
		return false
	}
	start := len(l.src) - len(body)
	lines, indent, length, ok := heredocLines(body, label)
	if !ok {
		return false
	}
	var b strings.Builder
	for _, one := range lines {
		b.WriteString(one[min(indent, len(one)-len(strings.TrimLeft(one, " \t"))):])
	}
	content := strings.TrimSuffix(strings.TrimSuffix(b.String(), "\n"), "\r")
	parts := []part{{text: content}}
	if !raw {
		inner := &lexer{src: content, line: line + 1, nested: l.nested}
		if parts, ok = inner.interpolated(0); !ok {
			return false
		}
	}
	l.skip(start + length - l.pos)
	l.tokens = append(l.tokens, token{kind: quoted, parts: parts, line: line})
	return true
}

// heredocLines are the lines of a heredoc's text, what its closing label is indented by, and the length of all with the label.
func heredocLines(body, label string) (lines []string, indent, length int, ok bool) {
	for length < len(body) {
		one := body[length:]
		if i := strings.IndexByte(one, '\n'); i >= 0 {
			one = one[:i+1]
		}
		trimmed := strings.TrimLeft(one, " \t")
		if after, is := strings.CutPrefix(trimmed, label); is && (after == "" || !isNamePart(after[0])) {
			indent = len(one) - len(trimmed)
			return lines, indent, length + indent + len(label), true
		}
		lines = append(lines, one)
		length += len(one)
	}
	return nil, 0, 0, false
}
