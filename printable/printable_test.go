package printable

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

func TestText(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ text, want string }{
		{"", ""},
		{"Zoë 👩‍🔧 ⌘\u00a0, नमस्ते می\u200cخواهم", "Zoë 👩‍🔧 ⌘\u00a0, नमस्ते می\u200cخواهم"},
		{"a\nb\tc", "a\nb\tc"},
		{"\x1b]0;title\a", `\u001b]0;title\u0007`},
		{"over\rwritten \x00\x7f", `over\rwritten \u0000\u007f`},
		{"\u009b31m \u0080\u009f", `\u009b31m \u0080\u009f`},
		{"raw \x9b31m, cut \xe2\x82", "raw \ufffd31m, cut \ufffd\ufffd"},
		{"\u202egpj.exe \u2066\u2069\u200e\u200f\u061c", `\u202egpj.exe \u2066\u2069\u200e\u200f\u061c`},
		{"a\u2028b\u2029c\ufeff", `a\u2028b\u2029c\ufeff`},
		{"\U000e0041", `\udb40\udc41`}, // a tag: invisible
	} {
		if got := Text(c.text); got != c.want {
			t.Errorf("Text(%q) = %q, want %q", c.text, got, c.want)
		}
	}
	if got, want := Line("a\nb\tc\r\n"), `a\nb\tc\r\n`; got != want {
		t.Errorf("Line: %q, want %q", got, want)
	}
}

func TestWriter(t *testing.T) {
	t.Parallel()
	const text = "Zoë \u009b1m 👩‍🔧 \x9b ok\x1b \xe2\x82"
	for _, size := range []int{1, 2, len(text)} {
		var b bytes.Buffer
		w := NewWriter(&b)
		for piece := range slices.Chunk([]byte(text), size) {
			if n, err := w.Write(piece); n != len(piece) || err != nil {
				t.Fatal(n, err)
			}
		}
		if err := w.Flush(); err != nil {
			t.Fatal(err)
		}
		if b.String() != Text(text) {
			t.Errorf("in pieces of %d: %q, want %q", size, b.String(), Text(text))
		}
	}
}

// FuzzText: nothing that commands a terminal gets through, in one piece or in several, and JSON keeps its meaning.
func FuzzText(f *testing.F) {
	for _, s := range []string{"", "a\nb", "\x1b[31m", "\u009b", "\x9b", "\u202e", "\U000e0041", "é"} {
		f.Add(s, 1)
	}
	f.Fuzz(func(t *testing.T, s string, cut int) {
		text := Text(s)
		if !utf8.ValidString(text) || strings.ContainsFunc(text, commands) || strings.ContainsAny(Line(s), "\n\t") {
			t.Fatalf("%q becomes %q", s, text)
		}
		if Text(text) != text {
			t.Errorf("%q changes when it is shown twice", s)
		}
		var b bytes.Buffer
		w := NewWriter(&b)
		at := 0
		if len(s) > 0 {
			at = max(0, cut) % len(s)
		}
		for _, part := range []string{s[:at], s[at:]} {
			_, _ = w.Write([]byte(part))
		}
		if _ = w.Flush(); b.String() != text {
			t.Errorf("cut at %d %q becomes %q, want %q", at, s, b.String(), text)
		}
		encoded, err := json.Marshal(s)
		if err != nil {
			t.Fatal(err)
		}
		var back, want string
		if err := json.Unmarshal([]byte(Text(string(encoded))), &back); err != nil {
			t.Fatal(err)
		}
		if _ = json.Unmarshal(encoded, &want); back != want {
			t.Errorf("JSON of %q becomes that of %q", want, back)
		}
	})
}

func commands(r rune) bool {
	return r != '\n' && r != '\t' && (unicode.Is(unicode.Cc, r) || unicode.Is(unicode.Bidi_Control, r))
}
