package charset

import (
	"strings"
	"testing"
	"unicode/utf8"
)

func TestClient(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ charset, stored, seen string }{
		{"latin1", "ZoÃ«", "Zoë"},
		{"latin1", "plain", "plain"},
		{"latin1", "â‚¬ 5, ðŸ˜€, â\u0080¦", "€ 5, 😀, â?¦"}, // no byte of latin1 is U+0080
		{"latin1", "Ã\u0081", "Á"},                         // one of the five bytes that Windows-1252 has no use for
		{"latin1", "Zoë and ZoÃ«", "Zoë and Zoë"},          // written by two programs
		{"latin1", "漢", "?"},
		{"latin1", "Ã", "Ã"},
		{"latin1", "ÃÃ«", "Ãë"},
		{"cp1251", "РџСЂРёРІРµС‚", "Привет"},
		{"cp1251", "Привет", "Привет"},
		{"latin2", "ĂŠ", "é"},
		{"ascii", "é", "?"},
		{"utf8mb3", "é漢😀", "é漢?"},
		{"gbk", "脙漏", "Ã©"},
		{"utf8", "ZoÃ«", "ZoÃ«"},
		{"", "ZoÃ«", "ZoÃ«"},
	} {
		client, err := NewClient(c.charset)
		if err != nil {
			t.Fatal(err)
		}
		if got := string(client.Reread([]byte("é"+c.stored), len("é"))); got != "é"+c.seen {
			t.Errorf("%s: %q is seen as %q, want %q", c.charset, c.stored, got, c.seen)
		}
	}
	for _, name := range []string{"ucs2", "utf16", "utf16le", "utf32", "swe7", "klingon"} {
		if c, err := NewClient(name); err == nil {
			t.Errorf("%s: %v", name, c)
		}
	}
}

// FuzzClient rereads any text: what was written through the connection comes back, and what comes is UTF-8.
func FuzzClient(f *testing.F) {
	f.Add("Zoë € 😀", byte(0))
	f.Add("Ã\xff\xe2\x82", byte(1))
	names := []string{"latin1", "cp1251", "koi8r", "gbk", "sjis", "utf8mb3", "latin2", "ascii"}
	f.Fuzz(func(t *testing.T, text string, n byte) {
		name := names[int(n)%len(names)]
		client, err := NewClient(name)
		if err != nil {
			t.Fatal(err)
		}
		valid := strings.ToValidUTF8(text, "")
		if got := client.Reread([]byte(valid), 0); !utf8.Valid(got) {
			t.Errorf("%s: %q becomes %q", name, valid, got)
		}
		if stored := client.Stored(valid); name == "latin1" {
			if got := string(client.Reread([]byte(stored), 0)); got != valid {
				t.Errorf("%q is stored as %q, and seen as %q", valid, stored, got)
			}
		}
	})
}
