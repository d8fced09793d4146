// Package sqltext cuts the text of SQL statements into tokens, as MySQL and MariaDB do, and says which tables a statement
// writes. Everything that looks into a statement goes through its Lexer, so that comments, quotes and sql_mode mean the
// same everywhere.
//
// It has two uses. A strict one, for statements that change tables: what is not understood is a Bad token, and the reader
// gives up. A lenient one, where it is enough to find names and a few keywords: what the servers would refuse anyway is
// passed over byte by byte.
//
// A text may be only the beginning of a statement (Dialect.Cut). What touches its end is then a Cut token, never half
// of a name.
package sqltext

import "strings"

// Dialect decides how a text is cut. The zero Dialect is a MySQL's in its default sql_mode, read strictly.
type Dialect struct {
	MariaDB  bool
	Version  int    // as version comments name it, 101106 for 10.11.6; 0: not known, then the text of each of them counts
	SQLMode  uint64 // of the session that ran the statement
	Encoding Encoding
	Lenient  bool // what is not understood is passed over
	Cut      bool // the statement goes on behind the text
}

// Bits of sql_mode, the same on both servers but for ModeOracle.
const (
	ModeRealAsFloat        = 1 << 0
	ModeANSIQuotes         = 1 << 2
	ModeOracle             = 1 << 9 // MariaDB
	ModeNoBackslashEscapes = 1 << 20
)

// Encoding is how the bytes of a text make characters, as far as it matters to quotes: in some charsets the second byte of
// a character may be that of a backslash or a backquote. (A client cannot talk UTF-16 or UTF-32.)
type Encoding uint8

// The kinds of Encoding.
const (
	Plain Encoding = iota // UTF-8, charsets of one byte, EUC: a byte below 0x80 is always a character
	GBK                   // also GB18030 and Big5
	SJIS                  // also cp932
)

// EncodingOf is that of a client's charset, by the server's name for it.
func EncodingOf(charset string) Encoding {
	switch charset {
	case "gbk", "gb18030", "big5":
		return GBK
	case "sjis", "cp932":
		return SJIS
	}
	return Plain
}

// pair says whether two bytes are one character whose second byte is to be passed over.
func (e Encoding) pair(first, second byte) bool {
	switch e {
	case GBK:
		return first >= 0x81 && first <= 0xfe && second >= 0x40 && second != 0x7f
	case SJIS:
		return (first >= 0x81 && first <= 0x9f || first >= 0xe0 && first <= 0xfc) && second >= 0x40 && second != 0x7f
	}
	return false
}

// Kind is what a Token is.
type Kind uint8

// The kinds of a Token.
const (
	End      Kind = iota // comes again and again
	Word                 // a keyword or a name without quotes
	Name                 // a name that is no keyword: in quotes, or right behind a dot
	String               // in quotes
	Number               // also 0x1F, x'1F' and b'101'
	Variable             // @name and @@name, and the host of user@host
	Mark                 // one byte of punctuation
	Bad                  // not understood; the last token
	Cut                  // the text ends here or in here, and the statement does not; the last token
)

// Token is a word of a statement. It refers to the text.
type Token struct {
	Kind    Kind
	Raw     string // as it stands in the text, with its quotes
	NewLine bool   // a line ends between the token before and this one, outside of comments
	plain   bool   // Raw holds no quote that is doubled, and no escape
	escapes bool   // a backslash in it is one
	enc     Encoding
}

// Is says whether the token is a keyword.
func (t Token) Is(word string) bool { return t.Kind == Word && strings.EqualFold(t.Raw, word) }

// IsMark says whether the token is a punctuation mark.
func (t Token) IsMark(mark string) bool { return t.Kind == Mark && t.Raw == mark }

// IsName says whether the token may name something: a table, a column.
func (t Token) IsName() bool { return t.Kind == Word || t.Kind == Name }

// Text is a name or a string without its quotes, with its escapes undone; another token as it is.
func (t Token) Text() string {
	if t.Kind != String && (t.Kind != Name || !quoteByte(t.Raw[0])) {
		return t.Raw
	}
	inside := t.Raw[1 : len(t.Raw)-1]
	if t.plain {
		return inside
	}
	quote := t.Raw[0]
	var b strings.Builder
	for i := 0; i < len(inside); i++ {
		c := inside[i]
		switch {
		case i+1 == len(inside):
		case t.enc.pair(c, inside[i+1]):
			b.WriteByte(c)
			i++
			c = inside[i]
		case c == quote:
			i++
		case c == '\\' && t.escapes:
			i++
			b.WriteString(escaped(inside[i]))
			continue
		}
		b.WriteByte(c)
	}
	return b.String()
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
	return string([]byte{c})
}

func quoteByte(c byte) bool { return c == '`' || c == '"' || c == '\'' }

// IdentifierByte says whether a byte may stand in a name without quotes.
func IdentifierByte(b byte) bool {
	return b == '_' || b == '$' || digit(b) || b >= 'a' && b <= 'z' || b >= 'A' && b <= 'Z' || b >= 0x80
}

func digit(b byte) bool { return b >= '0' && b <= '9' }
