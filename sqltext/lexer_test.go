package sqltext

import (
	"fmt"
	"strings"
	"testing"
)

// show is the tokens of a text: each with the letter of its kind, and ~ where a line ended before it.
func show(d Dialect, text string) string {
	l := NewLexer(d, text)
	var parts []string
	for {
		t := l.Next()
		letter := []string{"", "w", "n", "s", "#", "@", "", "BAD", "CUT"}[t.Kind]
		if t.Kind == End {
			return strings.Join(parts, " ")
		}
		part := letter
		if t.Kind != Bad && t.Kind != Cut {
			part = letter + t.Text()
		}
		if t.NewLine {
			part = "~" + part
		}
		if parts = append(parts, part); t.Kind == Bad || t.Kind == Cut {
			return strings.Join(parts, " ")
		}
	}
}

func TestTokens(t *testing.T) {
	t.Parallel()
	mysql := Dialect{Version: 90700}
	mariaDB := Dialect{MariaDB: true, Version: 101106}
	lenient := Dialect{Lenient: true}
	mode := func(m uint64) Dialect { return Dialect{Version: 90700, SQLMode: m} }
	in := func(charset string) Dialect { return Dialect{Encoding: EncodingOf(charset)} }
	for _, c := range []struct {
		d          Dialect
		text, want string
	}{
		{mysql, "SELECT a.b, `c``d`.`e` FROM größe$1", "wSELECT wa . nb , nc`d . ne wFROM wgröße$1"},
		{mysql, "a.select 1a 1.5 .5e-3 1e5 1E+5 1e 5.e3 a.5b", "wa . nselect w1a #1.5 #.5e-3 #1e5 #1E+5 w1e #5.e3 wa . n5b"},
		{mysql, "0x1F 0b101 0xZZ x'1F' B'101' N'n' _utf8mb4'x' X 'y'", "#0x1F #0b101 w0xZZ #x'1F' #B'101' wN sn w_utf8mb4 sx wX sy"},
		{mysql, `'it''s' "say \"x\"" 'a\'b' '\Z\n\\'`, "sit's ssay \"x\" sa'b s\x1a\n\\"},
		{mode(ModeNoBackslashEscapes), `'a\' 'b'`, `sa\ sb`},
		{mode(ModeANSIQuotes), `"a""b" 'c'`, `na"b sc`},
		{mysql, "@a @@global.b @'c d' @`e` root@127.0.0.1 @ set", "@@a @@@global.b @@'c d' @@`e` wroot @@127.0.0.1 @@ wset"},
		{mysql, "a -- b\nc --d\n-- e", "wa wc - - wd"},
		{mysql, "a # b 'c\n d /* e\n 'f */ g\nh", "wa wd wg ~wh"},
		{mysql, "1--1 2 -- 3", "#1 - - #1 #2"},
		{mysql, "/*!50000 a */ /*!99999 b */ /*! c */ /*M! d */ /*!800 e*/", "wa wc"},
		{mariaDB, "/*!50000 a */ /*!80000 b */ /*! c */ /*M!100000 d */ /*M!110000 e */", "wa wc wd"},
		{lenient, "/*!99999 a */ /*M! b */ /* /* */ c", "wa wb wc"},
		{mysql, "a /* /* */ c", "wa BAD"},
		{mysql, "/*! a", "wa BAD"},
		{mysql, "'open", "BAD"},
		{mysql, "`open", "BAD"},
		{mysql, "a /* open", "wa BAD"},
		{mysql, "a \x00", "wa BAD"},
		{lenient, "a \x00 \\N ?", "wa \x00 w\\N ?"},
		{Dialect{Cut: true}, "UPDATE wp_res", "wUPDATE CUT"},
		{Dialect{Cut: true}, "UPDATE wp_res ", "wUPDATE wwp_res CUT"},
		{Dialect{Cut: true}, "a 'b", "wa CUT"},
		{Dialect{Cut: true}, "a 'b'", "wa CUT"}, // another quote may follow
		{Dialect{Cut: true}, "a /* b", "wa CUT"},
		{Dialect{Cut: true}, "a -- b", "wa CUT"},
		{in("gbk"), "'\xbf\x5c' `\xd5\x60` b", "s\xbf\x5c n\xd5\x60 wb"},
		{in("big5"), "'\xa5\x5c''\\'' b", "s\xa5\x5c'' wb"},
		{in("sjis"), "'\x95\x5c' '\xb1\\''", "s\x95\x5c s\xb1'"}, // the second is a half-width kana, and an escape
		{in("latin1"), "'\xe9\\''", "s\xe9'"},
	} {
		if got := show(c.d, c.text); got != c.want {
			t.Errorf("%q\n got %q\nwant %q", c.text, got, c.want)
		}
	}
}

func FuzzLexer(f *testing.F) {
	for _, text := range []string{
		"SELECT `a``b`.c, 'it''s', \"x\\\"\" /*!50000 d */ -- e\n# f\n 1e5 0x1F x'AB' @@g.h", "'\xbf\x5c' \xd5\x60", "/*M! a /* b */", "1e+ .5. a.5b \\N", "'\\", "@'",
	} {
		f.Add(text, uint64(ModeANSIQuotes), byte(0))
		f.Add(text, uint64(ModeNoBackslashEscapes), byte(0xff))
	}
	f.Fuzz(func(t *testing.T, text string, mode uint64, bits byte) {
		d := Dialect{MariaDB: bits&1 != 0, SQLMode: mode, Lenient: bits&2 != 0, Cut: bits&4 != 0, Encoding: Encoding(bits >> 3 % 3), Version: int(bits>>5) * 30000}
		l := NewLexer(d, text)
		for {
			at := l.at
			token := l.Next()
			if token.Kind == End || token.Kind == Bad || token.Kind == Cut {
				if d.Cut == (token.Kind == End) && token.Kind != Bad {
					t.Fatalf("%q ends with kind %d; it is cut: %t", text, token.Kind, d.Cut)
				}
				break
			}
			if l.at <= at || !strings.HasSuffix(text[:l.at], token.Raw) || token.Raw == "" {
				t.Fatalf("%q: token %q ends at %d, after %d", text, token.Raw, l.at, at)
			}
			if len(token.Text()) > len(token.Raw) {
				t.Fatalf("%q means %q", token.Raw, token.Text())
			}
		}
		w := ReadWrites(d, text)
		if len(w.Targets) > len(text) {
			t.Fatalf("%q writes %v", text, w.Targets)
		}
	})
}

// BenchmarkLexer is the cost of a megabyte.
func BenchmarkLexer(b *testing.B) {
	text := strings.Repeat("ALTER TABLE other.t ADD `a` VARCHAR(20) DEFAULT 'it''s', /* so */ ", 1<<20/66)
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		l := NewLexer(Dialect{}, text)
		for l.Next().Kind != End {
			continue
		}
	}
}

func ExampleLexer() {
	l := NewLexer(Dialect{}, "UPDATE `wp_t` SET a = 'it''s'")
	for t := l.Next(); t.Kind != End; t = l.Next() {
		fmt.Print(t.Text(), "|")
	}
	// Output: UPDATE|wp_t|SET|a|=|it's|
}
