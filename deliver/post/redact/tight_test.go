package redact

import (
	"encoding/base64"
	"encoding/hex"
	"math/rand/v2"
	"strings"
	"testing"
)

// TestBroken: white space within a secret does not show it.
func TestBroken(t *testing.T) {
	t.Parallel()
	r := New([]string{"top secret of mine, which is longer than a line"}, nil)
	for name, c := range map[string]struct{ text, want string }{
		"base64 in lines":      {"dG9wIHNlY3JldCBvZiBt\r\naW5lLCB3aGljaCBpcyBsb25n\r\nZXIgdGhhbiBhIGxpbmU=\r\n", "***U=\r\n"},
		"in lines of JSON":     {`{"a":"dG9wIHNlY3JldCBvZiBt\r\naW5lLCB3aGljaCBpcyBsb25n\r\nZXIgdGhhbiBhIGxpbmU="}`, `{"a":"***U="}`},
		"in lines of a form":   {"a=dG9wIHNlY3JldCBvZiBt%0D%0AaW5lLCB3aGljaCBpcyBsb25n%0AZXIgdGhhbiBhIGxpbmU=&b=1", "a=***U=&b=1"},
		"in lines of HTML":     {"dG9wIHNlY3JldCBvZiBt<br />\naW5lLCB3aGljaCBpcyBsb25n<BR>\nZXIgdGhh<wbr/>biBhIGxpbmU=", "***U="},
		"behind other bytes":   {"YTp0b3Agc2VjcmV0IG9mIG1pbmUs\nIHdoaWNoIGlzIGxvbmdlciB0aGFuIGEgbGluZQ==", "YTp***Q=="},
		"hexadecimal groups":   {"746f 7020 7365 6372 6574 206f 6620 6d69\n6e65 2c20 7768 6963 6820 6973 206c 6f6e 6765 7220 7468 616e 2061 206c 696e 65", "***"},
		"wrapped":              {"the top secret\nof mine, which\tis  longer than\u00a0a li\u200bne.", "the ***."},
		"in lines and cut off": {"dG9wIHNlY3JldCBvZiBt\r\naW5l", "***"},
		"cut off in a break":   {`dG9wIHNlY3JldCBvZiBt\r\`, "***"},
		"other words":          {"the top\nsecret of\nothers <br> <b>to</b> p s", "the top\nsecret of\nothers <br> <b>to</b> p s"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := r.Replace(c.text); got != c.want {
				t.Errorf("%q became %q, not %q", c.text, got, c.want)
			}
		})
	}
}

// TestBrokenAnywhere: of no secret that is long enough anything is left, in any of the ways to write it, wherever it is broken.
func TestBrokenAnywhere(t *testing.T) {
	t.Parallel()
	gaps := []string{" ", "\t", "\n", "\r\n", "\u00a0", "\u2028", "\u200b", "\u00ad", "<br>", "<br />\r\n", "<WBR/>", "\v", "\u3000"}
	random := rand.New(rand.NewPCG(1, 2))
	for range 3000 {
		secret := make([]byte, tightest+random.IntN(70))
		for i := range secret {
			secret[i] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789!$()_-"[random.IntN(68)]
		}
		before := strings.Repeat("\x01", random.IntN(4))
		all := before + string(secret)
		for name, c := range map[string]struct{ form, want string }{
			"as it is":    {string(secret), "***"},
			"hexadecimal": {hex.EncodeToString(secret), "***"},
			"base64":      {base64.RawStdEncoding.EncodeToString([]byte(all)), ""},
			"base64 URL":  {base64.RawURLEncoding.EncodeToString([]byte(all)), ""},
		} {
			var broken strings.Builder
			for i, char := range []byte(c.form) {
				if i > 0 && random.IntN(6) == 0 {
					broken.WriteString(gaps[random.IntN(len(gaps))])
				}
				broken.WriteByte(char)
			}
			got := New([]string{string(secret)}, nil).Replace("<" + broken.String() + ">")
			switch mask := "<***>"; {
			case c.want != "" && got != mask:
				t.Errorf("%s: %q became %q", name, broken.String(), got)
			case c.want == "" && len(strings.Replace(tightened(got), Mask, "", 1)) > len("<>")+(len(before)*8+5)/6+1+1:
				t.Errorf("%s behind %d: %q became %q", name, len(before), broken.String(), got)
			}
		}
	}
}
