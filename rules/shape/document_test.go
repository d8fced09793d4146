package shape

import (
	"encoding/xml"
	"errors"
	"net/url"
	"reflect"
	"strings"
	"testing"
)

const (
	form    = "application/x-www-form-urlencoded"
	xmlType = "application/xml; charset=utf-8"
)

// hostile is an event whose values hold what every format ends a value with.
func hostile() *Values {
	v := bookings()
	v.After["purchaser_mail"] = "a&b=c</mail>\"'\r\n{{.site}}"
	v.After["id"] = 9007199254740993
	v.After["total_cost"] = 12345678.5
	v.Payload, _ = Payload([]byte(`{"id": 9007199254740995, "options": [{"name": "<1>", "price": 1e3}, {"name": "2"}], "large": 18446744073709551615}`))
	return v
}

func TestDocument(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ contentType, text, want string }{
		{"text/plain", "Booking {{.after.id}} ({{.site}}), {{.event.action}}\n", "Booking 9007199254740993 (salon), appointment.save"},
		{"text/plain", "{{.after.total_cost}} {{.payload.id}} {{.payload.large}}", "12345678.5 9007199254740995 18446744073709551615"},
		{"text/plain", "[{{.after.payment}}] {{default \"none\" .after.payment}}", "[] none"},
		{"text/plain", "{{if .before}}{{.before.status}} -> {{end}}{{.after.status}}", "P -> C"},
		{"text/plain", "{{range .payload.options}}{{.name}};{{end}}{{range $i, $o := .payload.options}}{{$i}}{{$o.name}}{{$.site}}{{else}}none{{end}}", "<1>;2;0<1>salon12salon"},
		{"text/plain", `{{date "2006-01-02 15:04" 1795921325}} {{date "02.01.2006" "2026-03-01 10:00:00"}}{{date "02.01." nil}}`, "2026-11-29 03:02 01.03.2026"},
		{"text/plain", `{{printf "%.2f %05d" .after.total_cost 7}} {{with .after}}{{.status}}{{end}} {{index .payload "none"}}`, "12345678.50 00007 C "},
		{"text/plain", `{{printf "Note: %s|" .after.payment}}{{print .after.payment}}{{println .after.payment "x" 1 2}}{{print 1 2 nil 12345678.5 true .payload.options}}`, "Note: | x 1 2\n1 212345678.5 true " + `[{"name":"<1>","price":1000},{"name":"2"}]`},
		{"text/plain", `{{printf "%.2f EUR|%5d|%-5d|%05d|%+x" .after.payment .after.payment .after.payment .after.payment .after.payment}}`, " EUR|     |     |     |"},
		{"text/plain", `{{printf "%d %03d %.2f %.1f %5.1f" "2" "7" "12.345" 3 "-.5"}} {{printf "#%s %v %6s %q %q" .after.id 1.5 true "a" nil}}`, `2 007 12.35 3.0  -0.5 #9007199254740993 1.5   true "a" ""`},
		{"text/plain", `{{printf "100%%"}} {{printf "%[2]s %[1]s" "a" "b"}} {{"x" | printf "%s-%s" 1}} {{printf "%.2s %X %x %t" "Übergröße" 255 "az" false}} {{printf "%d" .payload.large}}`, "100% b a 1-x Üb FF 617a false 18446744073709551615"},
		{"text/plain", `{{slice "Übergröße" 0 5}}|{{slice "kurz" 0 100}}|{{slice "abc" 2 1}}|{{slice "Größe" -3}}|{{slice .after.payment 0 3}}|{{len "Größe"}}|{{len .after.payment}}|{{len .payload.options}}|{{len (slice .payload.options 1 9)}}`, "Überg|kurz||öße||5|0|2|1"},
		{"text/plain", "{{json .payload.options}}", `[{"name":"<1>","price":1000},{"name":"2"}]`},
		{form, "id={{.after.id}}&mail={{.after.purchaser_mail}}\n", "id=9007199254740993&mail=a%26b%3Dc%3C%2Fmail%3E%22%27%0D%0A%7B%7B.site%7D%7D"},
		{form, "mail={{.after.purchaser_mail | urlquery}}&raw={{raw .after.status}}", "mail=a%26b%3Dc%3C%2Fmail%3E%22%27%0D%0A%7B%7B.site%7D%7D&raw=C"},
		{xmlType, "<m a=\"{{.after.purchaser_mail}}\"/>", "<m a=\"a&amp;b=c&lt;/mail&gt;&#34;&#39;&#xD;&#xA;{{.site}}\"/>"},
		{"application/vnd.api+json", `{"mail": {{.after.purchaser_mail}}, "none": {{.after.payment}}}`, `{"mail": "a&b=c</mail>\"'\r\n{{.site}}", "none": null}`},
	} {
		d, err := NewDocument(c.text, c.contentType, orders())
		if err != nil {
			t.Errorf("%s: %v", c.text, err)
			continue
		}
		if got, err := d.Body(hostile()); err != nil || string(got) != c.want {
			t.Errorf("%s\n got %s, %v\nwant %s", c.text, got, err, c.want)
		}
	}
}

// TestDocumentKeepsValues: whatever a value holds, who reads the form or the XML has it again.
func TestDocumentKeepsValues(t *testing.T) {
	t.Parallel()
	v := hostile()
	v.After["purchaser_mail"] = "]]><!-- ' \" & = + % ; ü \U0001F600"
	f, err := NewDocument("a={{.after.purchaser_mail}}&b=2", form, orders())
	if err != nil {
		t.Fatal(err)
	}
	body, err := f.Body(v)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := url.ParseQuery(string(body)); err != nil || got.Get("a") != v.After["purchaser_mail"] || got.Get("b") != "2" {
		t.Errorf("the form is %v, %v", got, err)
	}
	x, err := NewDocument("<m><a>{{.after.purchaser_mail}}</a></m>", xmlType, orders())
	if err != nil {
		t.Fatal(err)
	}
	var m struct {
		A string `xml:"a"`
	}
	if body, err = x.Body(v); err != nil || xml.Unmarshal(body, &m) != nil || m.A != v.After["purchaser_mail"] {
		t.Errorf("the XML is %s, %+v, %v", body, m, err)
	}
}

func TestDocumentFaults(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]struct {
		line    int
		message string
	}{
		"":                        {1, "is empty"},
		"a\nb {{.after.statuss}}": {2, "unknown field statuss"},
		"{{.afterr.id}}":          {1, "unknown name afterr"},
		"\n\n{{.event.kind}}":     {3, "unknown field kind"},
		"{{range .payload.x}}{{$.after.no}}{{end}}": {1, "unknown field no"},
		"{{if (eq .before.no 1)}}{{end}}":           {1, "unknown field no"},
		"a\n{{now}}":                                {2, "there is no function now; there are and, date,"},
		"{{.after.id":                               {1, "unclosed action"},
		"{{if .after.id}}":                          {1, "unexpected EOF"},
		"{{define \"a\"}}{{template \"a\"}}{{end}}{{template \"a\"}}": {1, "is not allowed"},
		"x{{block \"a\" .}}{{end}}":                                   {1, "is not allowed"},
		`{{printf "%1000000d" 1}}`:                                    {1, "is not allowed"},
		`{{printf "%*d" 9999999 1}}`:                                  {1, "is not allowed"},
		`{{printf .after.status}}`:                                    {1, "must be written out"},
		`{{"%99999d" | printf}}`:                                      {1, "printf needs its format behind it"},
		"\n{{printf `100%`}}":                                         {2, "printf has %, which shows no value; write one of %s, %d, %f, or %% for a percent sign"},
		`{{printf "%s %s" 1}}`:                                        {1, "printf has no value for %s"},
		`{{printf "%s" 1 2}}`:                                         {1, "printf shows its value 2 nowhere"},
		`{{1 | printf "%s" 1}}`:                                       {1, "printf shows its value 2 nowhere"},
		`{{printf "%[0]s" 1}}`:                                        {1, "counted from 1"},
		`{{printf "%T" 1}}`:                                           {1, "printf has %T, which shows no value"},
		`{{printf "%!" 1}}`:                                           {1, "printf has %!, which shows no value"},
		`{{printf "%#v" 1}}`:                                          {1, "shows how a program holds a value"},
		`{{printf "%.99999f" 1}}`:                                     {1, "is not allowed"},
	} {
		_, err := NewDocument(text, "text/plain", orders())
		at, ok := errors.AsType[*PlaceError](err)
		if !ok || at.Line != want.line || !strings.Contains(at.Error(), want.message) {
			t.Errorf("%s: %+v, want %v", text, at, want)
		}
	}
}

// TestDocumentOfValuesThatDoNotFit: what cannot be said of an event is an error with its line, and what has no end is cut short.
func TestDocumentOfValuesThatDoNotFit(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"a\n{{.before.status}}":              "line 2: ",
		"{{.payload.none}}":                  "map has no entry for key",
		"{{range .after.id}}x{{end}}":        "range goes over lists and objects",
		"{{range 900000000000}}{{end}}":      "range goes over lists and objects",
		`{{date "2006" "x"}}`:                `date: "x" is no time`,
		`{{printf "%d" "two"}}`:              `printf: %d takes a whole number, and this is the text "two"`,
		`{{printf "%d" .after.total_cost}}`:  "%d takes a whole number, and this is 12345678.5",
		`{{printf "%.2f" .payload.options}}`: "%.2f takes a number, and this is a list",
		`{{printf "%f" "NaN"}}`:              `%f takes a number, and this is the text "NaN"`,
		`{{printf "%t" 1}}`:                  "%t takes true or false, and this is 1",
		`{{slice "abc" "x"}}`:                `slice counts in whole numbers, and this is the text "x"`,
		`{{slice "abc" 1.5}}`:                "slice counts in whole numbers, and this is 1.5",
		`{{slice .after.id 1}}`:              "slice takes a text or a list, and this is 9007199254740993",
		`{{len .after.id}}`:                  "len takes a text, a list or an object",
		"{{range $x := .payload.id}}{{end}}": "range goes over lists and objects",
		`{{$a := .site}}` + strings.Repeat(`{{$a = print $a $a $a $a}}`, 20) + `{{$a}}`:                                "print: what it makes of these values is larger than 8 MiB",
		`{{$a := "<<<<"}}` + strings.Repeat(`{{$a = print (js $a) (js $a)}}`, 20) + `{{$a}}`:                           "js: what it makes of these values is larger than 8 MiB",
		`{{$a := print .payload.options}}` + strings.Repeat(`{{$a = print $a $a}}`, 13) + strings.Repeat(`{{$a}}`, 80): "it is longer than 16 MiB",
	} {
		d, err := NewDocument(text, "text/plain", nil)
		if err != nil {
			t.Errorf("%.60s: %v", text, err)
			continue
		}
		v := hostile()
		v.Before = nil
		if _, err := d.Body(v); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.60s: %v, want %s", text, err, want)
		}
	}
	d, err := NewDocument(`{"a": "{{.site}}"}`, "application/json", nil)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := d.Body(hostile()); err == nil || !strings.Contains(err.Error(), "no JSON") {
		t.Errorf("%s, %v", got, err)
	}
}

// TestDocumentUses: what a text does not name is not made ready for it.
func TestDocumentUses(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]Uses{
		"{{.after.id}}{{if .before}}{{$.before.status}}{{end}}": {Before: []string{"status"}, After: []string{"id"}, Whole: true},
		"{{.payload.a.b}} {{$.payload.c}}":                      {Payload: true, Fields: []string{"a", "c"}},
		"{{with .payload}}{{.id}}{{end}}":                       {Payload: true, AllFields: true},
		`{{index .payload "id"}} {{.payload.status}}`:           {Payload: true, Fields: []string{"status"}, AllFields: true},
		"{{.site}} {{.event.key}}":                              {Event: true},
		"{{json .}}":                                            {Whole: true, Payload: true, AllFields: true, Event: true},
		"{{range .payload.x}}{{.after.y}}{{end}}":               {Payload: true, Fields: []string{"x"}},
		"{{(index .payload.x 0).name}}{{$x := .after.id}}":      {Payload: true, Fields: []string{"x"}, After: []string{"id"}},
	} {
		d, err := NewDocument(text, "text/plain", nil)
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		if !reflect.DeepEqual(d.Uses, want) {
			t.Errorf("%s uses %+v", text, d.Uses)
		}
	}
}

func FuzzDocument(f *testing.F) {
	for _, text := range []string{"{{.after.id}}", "{{range .payload.options}}{{.name}}{{end}}", "{{with $x := .after}}{{$x.status | printf \"%s\"}}{{end}}", "{{(index .payload.options 0).name}}", "{{- /* a */ -}}x{{break}}"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		for _, contentType := range []string{"text/plain", form, xmlType, "application/json"} {
			d, err := NewDocument(text, contentType, orders())
			if err != nil {
				_ = err.Error()
				continue
			}
			_, _ = d.Body(hostile())
		}
	})
}
