package charset

import (
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/transform"
)

// chineseText is text in GBK or GB2312 as the servers have them: tables of 1995, which lack some of the characters that
// today's GBK has, the euro sign among them. TestCharsetsOfServer compares all pairs with servers.
type chineseText struct {
	isPair func(first, second byte) bool
	// other is the character of a pair where today's GBK has another one, U+FFFD where the servers have none.
	other func(pair uint16) (char rune, differs bool)
}

var (
	gbkText    = chineseText{gbkPair, gbkOther}
	gb2312Text = chineseText{gb2312Pair, gb2312Other}
)

func gbkPair(first, second byte) bool {
	return first >= 0x81 && first <= 0xfe && second >= 0x40 && second <= 0xfe && second != 0x7f
}

func gbkOther(pair uint16) (rune, bool) {
	switch {
	case pair == 0xa2e3, pair == 0xa3a0, pair == 0xa8bf, pair >= 0xa989 && pair <= 0xa995, pair >= 0xfe50 && pair <= 0xfe9f:
		return utf8.RuneError, true
	}
	return 0, false
}

func gb2312Pair(first, second byte) bool {
	return first >= 0xa1 && first <= 0xf7 && second >= 0xa1 && second <= 0xfe
}

func gb2312Other(pair uint16) (rune, bool) {
	switch {
	case pair == 0xa1a4:
		return '\u30fb', true
	case pair == 0xa1aa:
		return '\u2015', true
	case pair >= 0xa2a1 && pair <= 0xa2aa, pair == 0xa2e3, pair >= 0xa6e0 && pair <= 0xa6f5, pair >= 0xa8bb && pair <= 0xa8c0:
		return utf8.RuneError, true
	}
	return 0, false
}

func (t chineseText) Append(text, value []byte) []byte {
	decoder := simplifiedchinese.GBK.NewDecoder()
	from := 0 // what is not added yet, and is as in today's GBK
	for i := 0; i < len(value); {
		switch {
		case value[i] < utf8.RuneSelf:
			i++
			continue
		case i+1 < len(value) && t.isPair(value[i], value[i+1]):
			pair := uint16(value[i])<<8 | uint16(value[i+1])
			char, differs := t.other(pair)
			if !differs {
				i += 2
				continue
			}
			text = utf8.AppendRune(appendDecoded(decoder, text, value[from:i]), char)
			i += 2
		default: // half a pair
			text = utf8.AppendRune(appendDecoded(decoder, text, value[from:i]), utf8.RuneError)
			i++
		}
		from = i
	}
	return appendDecoded(decoder, text, value[from:])
}

func appendDecoded(decoder *encoding.Decoder, text, value []byte) []byte {
	n := asciiPrefix(value)
	text = append(text, value[:n]...)
	if n == len(value) {
		return text
	}
	out, _, err := transform.Append(decoder, text, value[n:])
	if err != nil { // decoders replace what they cannot read, they do not fail
		return utf8.AppendRune(text, utf8.RuneError)
	}
	return out
}
