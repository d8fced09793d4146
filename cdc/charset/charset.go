// Package charset knows the character sets of MySQL and MariaDB: which one a collation is of, and how its text is written in
// UTF-8.
package charset

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"unicode/utf16"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/japanese"
	"golang.org/x/text/encoding/korean"
	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/traditionalchinese"
)

// Decoder adds text in one of the server's charsets as UTF-8. What is no text in that charset becomes U+FFFD. It
// may be used by many at once.
type Decoder interface {
	Append(text, value []byte) []byte
}

// NewDecoder is the decoder of a charset by the server's name for it. Charsets of one byte, GBK, GB2312 and EUC-KR are
// exactly the servers'. The decoders of Big5, Shift-JIS (sjis, cp932) and EUC-JP (ujis, eucjpms) are those of the WHATWG: they
// agree with the servers on kana and on the Han of JIS X 0208 and Big5 itself, and differ in these:
//   - some signs: U+FF3C, FF5E, 2225, FF0D, FFE0, FFE1, FFE2 where sjis and ujis have U+005C, 301C, 2016, 2212, 00A2, 00A3,
//     00AC; sixteen in rows A1 and A2 of Big5; and row C6 of Big5, which the servers fill with kana;
//   - extensions, which the servers lack: NEC's and IBM's in sjis and ujis, those of Hong Kong in Big5;
//   - characters that users define, which the servers have (U+E000 and on) in cp932, ujis and eucjpms.
func NewDecoder(charset string) (Decoder, error) {
	switch charset {
	case "utf8mb4", "utf8mb3", "utf8", "ascii", "binary":
		return utf8Text{}, nil
	case "utf16", "ucs2":
		return utf16Text{binary.BigEndian}, nil
	case "utf16le":
		return utf16Text{binary.LittleEndian}, nil
	case "utf32":
		return utf32Text{}, nil
	case "gbk":
		return gbkText, nil
	case "gb2312":
		return gb2312Text, nil
	case "gb18030":
		return multiByteText{simplifiedchinese.GB18030}, nil
	case "big5":
		return multiByteText{traditionalchinese.Big5}, nil
	case "sjis", "cp932":
		return multiByteText{japanese.ShiftJIS}, nil
	case "ujis", "eucjpms":
		return multiByteText{japanese.EUCJP}, nil
	case "euckr":
		return multiByteText{korean.EUCKR}, nil
	}
	if t := newByteText(charset); t != nil {
		return t, nil
	}
	return nil, fmt.Errorf("text in charset %q", charset)
}

// AppendUTF8 adds text with U+FFFD for what is no UTF-8.
func AppendUTF8(text, value []byte) []byte {
	return append(text, bytes.ToValidUTF8(value, []byte(string(utf8.RuneError)))...)
}

// IsASCII says whether text is ASCII alone.
func IsASCII(text []byte) bool { return asciiPrefix(text) == len(text) }

// asciiPrefix is how many bytes from the front are ASCII.
func asciiPrefix(value []byte) int {
	n := 0
	for len(value)-n >= 8 && binary.LittleEndian.Uint64(value[n:])&0x8080808080808080 == 0 {
		n += 8
	}
	for n < len(value) && value[n] < utf8.RuneSelf {
		n++
	}
	return n
}

type utf8Text struct{}

func (utf8Text) Append(text, value []byte) []byte { return AppendUTF8(text, value) }

// byteText has the character of each byte.
type byteText struct {
	chars [256]rune
	ascii bool // the lower half is ASCII
}

// newByteText is the decoder of a charset with one byte per character, nil when there is no such charset.
func newByteText(charset string) *byteText {
	t := &byteText{ascii: charset != "swe7"}
	upper := []rune(upperHalf(charset))
	if t.ascii && len(upper) != 128 {
		return nil
	}
	for c := range t.chars {
		switch {
		case !t.ascii:
			t.chars[c] = swe7Char(byte(c))
		case c < utf8.RuneSelf:
			t.chars[c] = rune(c)
		default:
			t.chars[c] = upper[c-utf8.RuneSelf]
		}
	}
	return t
}

func (t *byteText) Append(text, value []byte) []byte {
	if t.ascii {
		n := asciiPrefix(value)
		text = append(text, value[:n]...)
		value = value[n:]
	}
	for _, c := range value {
		text = utf8.AppendRune(text, t.chars[c])
	}
	return text
}

// multiByteText is text in which bytes above ASCII lead a pair or more.
type multiByteText struct{ encoding encoding.Encoding }

func (t multiByteText) Append(text, value []byte) []byte {
	return appendDecoded(t.encoding.NewDecoder(), text, value)
}

// utf16Text is also UCS-2, which has no surrogates.
type utf16Text struct{ order binary.ByteOrder }

func (t utf16Text) Append(text, value []byte) []byte {
	for len(value) >= 2 {
		c := rune(t.order.Uint16(value))
		value = value[2:]
		if utf16.IsSurrogate(c) {
			pair := rune(utf8.RuneError)
			if len(value) >= 2 {
				pair = utf16.DecodeRune(c, rune(t.order.Uint16(value)))
			}
			if c = pair; c != utf8.RuneError {
				value = value[2:]
			}
		}
		text = utf8.AppendRune(text, c)
	}
	if len(value) > 0 {
		text = utf8.AppendRune(text, utf8.RuneError)
	}
	return text
}

type utf32Text struct{}

func (utf32Text) Append(text, value []byte) []byte {
	for len(value) >= 4 {
		c := binary.BigEndian.Uint32(value)
		text = utf8.AppendRune(text, rune(min(c, utf8.MaxRune+1))) // a rune too large becomes U+FFFD
		value = value[4:]
	}
	if len(value) > 0 {
		text = utf8.AppendRune(text, utf8.RuneError)
	}
	return text
}
