package redact

import (
	"encoding/json"
	"fmt"
	"hash/maphash"
	"html"
	"net/url"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestReplace(t *testing.T) {
	t.Parallel()
	r := New([]string{`top/se&cret "1"`, "pässwort😀", "100%sure+x", "abc"}, []string{"key=xy"})
	for name, c := range map[string]struct{ text, want string }{
		"plain":                  {`a top/se&cret "1" b`, "a *** b"},
		"json":                   {`{"a":"top\/se&cret \"1\"","b":1}`, `{"a":"***","b":1}`},
		"json of php":            {`top\/se\u0026cret \u00221\u0022`, "***"},
		"json, capital digits":   {`{"p":"p\u00E4sswort\uD83D\uDE00"}`, `{"p":"***"}`},
		"go":                     {`"top/se\x26cret \"1\""`, `"***"`},
		"braces":                 {`top\u{2f}se\u{000026}cret "1"; p\u{E4}sswort\u{1F600}`, "***; ***"},
		"javascript":             {`top%u002Fse%26cret%20%221%22; p%u00e4sswort%uD83D%uDE00`, "***; ***"},
		"cut off in braces":      {`a top\u{2f}\u{7`, "a ***"},
		"cut off in javascript":  {`a top%u002F%u00`, "a ***"},
		"html":                   {`<b>top/se&amp;cret &quot;1&#34;</b>`, "<b>***</b>"},
		"html, numbers":          {`top&#47;se&#x26;cret &#X22;1&#034;`, "***"},
		"html, names":            {`top&sol;se&AMP;cret &QUOT;1&quot;; p&auml;sswort&#128512;`, "***; ***"},
		"html, no semicolon":     {`top/se&ampcret "1"!`, "***!"},
		"url":                    {"/x?q=top%2Fse%26cret%20%221%22&r=1", "/x?q=***&r=1"},
		"url, lower case":        {"q=top%2fse%26cret%20%221%22&r=1", "q=***&r=1"},
		"form":                   {"q=top%2Fse%26cret+%221%22&r=1", "q=***&r=1"},
		"all of it encoded":      {"%74%6f%70%2f%73%65%26%63%72%65%74%20%22%31%22", "***"},
		"url in json":            {`top\u002525...; "top%2Fse%26cret%20\u00221%22"`, `top\u002525...; "***"`},
		"twice":                  {"top%252Fse%2526cret%2520%25221%2522", "***"},
		"json in json":           {`"{\"a\":\"top\\/se&cret \\\"1\\\"\"}"`, `"{\"a\":\"***\"}"`},
		"json in html in a url":  {"top%5C%2Fse%26amp%3Bcret+%5C%26quot%3B1%5C%26quot%3B", "***"},
		"kinds mixed":            {`top%2fse&amp;cret \u00221%22`, "***"},
		"with escapes itself":    {`100%sure+x 100%25sure%2Bx 100%25sure+x`, "*** *** ***"},
		"octal":                  {`t\157p\057se&cret \0421"; p\303\244sswort😀`, "***; ***"},
		"cut off in octal":       {`a top\057s\14`, "a ***"},
		"a mail":                 {"t=6Fp/se=26cret =221=22; p=C3=A4ssw=\r\nort=F0=9F=\n=98=80", "***; ***"},
		"cut off in a mail":      {`a top=2Fse=2`, "a ***"},
		"capitals":               {`TOP/SE&CRET "1"; TOP%2FSE%26CRET%20%221%22`, "***; ***"},
		"hexadecimal":            {"0x746f702f73652663726574202231227 746F702F736526637265742022312200", "0x***7 ***00"},
		"base64":                 {"dG9wL3NlJmNyZXQgIjEi; dG9wL3NlJmNyZXQgIjEi==", "***; ***=="},
		"base64 behind a name":   {"YTp0b3Avc2UmY3JldCAiMSI=", "YTp***I="},
		"base64 behind a longer": {"YWI6dG9wL3NlJmNyZXQgIjEi; YWJjOnRvcC9zZSZjcmV0ICIxIjo=", "YWI6***; YWJjOn***jo="},
		"one after the other":    {"100%sure+x100%sure+x", "***"},
		"short":                  {"abc stays", "abc stays"},
		"whole":                  {"?key=xy&a, key=x", "?***&a, key=x"},
		"cut off":                {`a top/se`, "a ***"},
		"cut off early":          {`a top`, "a top"},
		"cut off in json":        {`a top\/se\u00`, "a ***"},
		"cut off behind its \\":  {`a top\/se&cret \`, "a ***"},
		"cut off in html":        {`a top/se&am`, "a ***"},
		"cut off in a number":    {`a top/se&#3`, "a ***"},
		"cut off in a url":       {`a top%2Fse%2`, "a ***"},
		"cut off at a %":         {`a top%2Fse%`, "a ***"},
		"cut off, encoded twice": {`a top%252Fse%25`, "a ***"},
		"cut off, a surrogate":   {`a p\u00e4sswort\ud83d\ud`, "a ***"},
		"no escapes":             {`\q %zz %uq \u{} \u{110000} &; & 100% \ud83d \ud83d\u0041 &#; \u00zz \x`, `\q %zz %uq \u{} \u{110000} &; & 100% \ud83d \ud83d\u0041 &#; \u00zz \x`},
		"no secrets":             {`{"ok":true,"a":"b\/c &amp; d%20e"}`, `{"ok":true,"a":"b\/c &amp; d%20e"}`},
		"bytes that are no text": {"\xff\xfe top%2Fse%26cret \"1\"\xff", "\xff\xfe ***\xff"},
		"empty":                  {"", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := r.Replace(c.text); got != c.want {
				t.Errorf("%q became %q, not %q", c.text, got, c.want)
			}
		})
	}
}

// TestOverlap: what two secrets share hides neither's rest.
func TestOverlap(t *testing.T) {
	t.Parallel()
	if got := New([]string{"abcdef", "efghij", "cdef"}, nil).Replace("-abcdefghij-"); got != "-***-" {
		t.Error(got)
	}
}

// TestHostile: however much is escaped, the forms that are looked at are few.
func TestHostile(t *testing.T) {
	t.Parallel()
	r := New([]string{"secret", strings.Repeat("a", 100)}, nil)
	for _, piece := range []string{`\\`, "%25", "&amp;", `\u0025\u0026\u005c`, "%5c&amp;%26amp;%2525", `=3D`, `\134=5c`, `=5C134%3D&#61;`, "&", "%", `\`, "a&nGt;"} {
		text := strings.Repeat(piece, 30_000/len(piece))
		s := search{Redactor: r, end: len(text), seen: map[form]int{}, seed: maphash.MakeSeed()}
		s.look(layer{text: text, open: len(text)}, depth)
		if len(s.seen) > 85 || len(s.found) > 0 {
			t.Errorf("%q: %d forms, %d secrets", piece, len(s.seen), len(s.found))
		}
	}
}

// written are ways in which a receiver writes a character.
var written = []func(r rune) string{
	func(r rune) string { return string(r) },
	func(r rune) string { return url.QueryEscape(string(r)) },
	func(r rune) string {
		text := url.PathEscape(string(r))
		if len(text) > 1 {
			text = strings.ToLower(text)
		}
		return text
	},
	func(r rune) string { return html.EscapeString(string(r)) },
	func(r rune) string { return entity("&#%d;", r) },
	func(r rune) string { return entity("&#x%x;", r) },
	func(r rune) string {
		text, _ := json.Marshal(string(r))
		return string(text[1 : len(text)-1])
	},
	func(r rune) string {
		if r > 0xffff {
			return string(r)
		}
		return fmt.Sprintf(`\u%04X`, r)
	},
	func(r rune) string { return fmt.Sprintf(`\u{%x}`, r) },
	func(r rune) string { return eachByte(r, `\%03o`) },
	func(r rune) string { return eachByte(r, "=%02X") },
}

// entity is a letter as HTML writes it by its number. The control characters behind ASCII have none: their numbers are those of
// other letters there (HTML, 13.2.5.80).
func entity(format string, r rune) string {
	if 0x80 <= r && r <= 0x9f {
		return ""
	}
	return fmt.Sprintf(format, r)
}

func eachByte(r rune, format string) string {
	var b strings.Builder
	for _, c := range []byte(string(r)) {
		fmt.Fprintf(&b, format, c)
	}
	return b.String()
}

// FuzzReplace: no form of a secret survives, whole or cut off, and what is not secret stays.
func FuzzReplace(f *testing.F) {
	f.Add("top/se&cret", []byte{0, 1, 2, 3, 4, 5, 6, 7}, "before &am", "after %2", 0)
	f.Add("pässwort <😀>", []byte{7}, `{"a":`, "}", 3)
	f.Add(`a\b"c'd e+f%41`, []byte{6}, `\`, "", 5)
	f.Fuzz(func(t *testing.T, text string, ways []byte, before, after string, cut int) {
		r := New([]string{text}, nil)
		check(t, r, before+text+after)
		if len(text) < Shortest || !utf8.ValidString(text) || strings.ContainsAny(text, "*\x00\ufffd\r") || len(ways) == 0 {
			return
		}
		var form strings.Builder
		leads := map[byte]bool{} // with that of written[1] no more than are seen through
		for i, c := range []rune(text) {
			way := written[int(ways[i%len(ways)])%len(written)]
			if strings.ContainsRune(`\%&+=`, c) || way(c) == "" {
				way = written[1] // or it would escape what follows
			}
			if lead := way(c)[0]; strings.IndexByte(`\&=`, lead) >= 0 && !leads[lead] {
				if len(leads) == depth-1 {
					way = written[1]
				} else {
					leads[lead] = true
				}
			}
			form.WriteString(way(c))
		}
		got := r.Replace(before + `"` + form.String() + `"` + after)
		if strings.Contains(got, `"`+form.String()+`"`) {
			t.Errorf("%q, written as %q, survives in %q", text, form.String(), got)
		}
		if got := r.Replace("<" + form.String() + ">"); got != "<***>" && !strings.ContainsAny(text, "<>") {
			t.Errorf("%q, written as %q, became %q", text, form.String(), got)
		}
	})
}

// check sees to what holds for all texts: the secret is not in it, and the result is the text with some of it masked.
func check(t *testing.T, r *Redactor, text string) {
	t.Helper()
	got := r.Replace(text)
	if strings.Contains(text, "*") { // which cannot be told from a mask
		return
	}
	rest := text
	for i, part := range strings.Split(got, Mask) {
		at := strings.Index(rest, part)
		if at < 0 || i == 0 && at != 0 {
			t.Fatalf("%q became %q", text, got)
		}
		rest = rest[at+len(part):]
	}
	if !strings.Contains(got, Mask) && got != text {
		t.Fatalf("%q became %q", text, got)
	}
	for _, list := range r.secrets {
		for _, s := range list {
			if strings.Contains(got, s.text) && !strings.Contains(s.text, "*") {
				t.Fatalf("%q is in %q", s.text, got)
			}
		}
	}
}
