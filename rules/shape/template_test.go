package shape

import (
	"bytes"
	"encoding/json"
	"math"
	"slices"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"
)

func templateOf(t *testing.T, text string) (*Template, error) {
	t.Helper()
	var doc yaml.Node
	if err := yaml.Unmarshal([]byte(text), &doc); err != nil {
		t.Fatal(err)
	}
	return NewTemplate(doc.Content[0], orders(), func(s string) (string, []string, error) {
		if !strings.Contains(s, "${NAME}") {
			return s, nil, nil
		}
		return strings.ReplaceAll(s, "${NAME}", "ours"), []string{"ours"}, nil
	})
}

func TestTemplate(t *testing.T) {
	t.Parallel()
	tmpl, err := templateOf(t, `
text: "= 'Booking ' + string(after.id) + ' of ' + after.purchaser_mail"
blocks:
  - {type: header, n: 1, f: 1.5, yes: true, none: null, empty: [], map: {}}
  - "= payload.options"
"a \"quote\"": "${NAME} <b>"
cost: = after.total_cost
before: "= before?.status ?? 'new'"
`)
	if err != nil {
		t.Fatal(err)
	}
	v := bookings()
	v.After["purchaser_mail"] = "O'Neil \"<x>\" \n"
	got, err := tmpl.Body(v)
	const want = `{"text":"Booking 7 of O'Neil \"<x>\" \n","blocks":[{"type":"header","n":1,"f":1.5,"yes":true,"none":null,"empty":[],"map":{}},` +
		`[{"id_option":"3"}]],"a \"quote\"":"ours <b>","cost":120.5,"before":"P"}`
	if err != nil || string(got) != want || !json.Valid(got) {
		t.Errorf("%s, %v\nwant %s", got, err, want)
	}
	if !tmpl.Payload || len(tmpl.After) != 3 {
		t.Errorf("it uses %+v", tmpl.Uses)
	}
	v.After["total_cost"] = 0.0
	nan, err := templateOf(t, "a: = after.total_cost / after.total_cost")
	if err != nil {
		t.Fatal(err)
	}
	if got, err := nan.Body(v); err == nil {
		t.Errorf("no number is %s", got)
	}
}

// TestJSON: what is written without an encoder is what it would have written, but for HTML's letters.
func TestJSON(t *testing.T) {
	t.Parallel()
	for _, v := range []any{
		"", "plain ~text", `"`, `\`, "a\nb", "\x00", "\x7f", "\xff", "\u2028", "zoë 😀", "<b>&'", 0, -7, math.MaxInt, math.MinInt, uint64(math.MaxUint64),
		1.5, 1e21, nil, true, []any{"x", 1}, map[string]any{"a": nil},
	} {
		var w bytes.Buffer
		e := json.NewEncoder(&w)
		e.SetEscapeHTML(false)
		if err := e.Encode(v); err != nil {
			t.Fatal(err)
		}
		if got, err := appendJSON([]byte("a: "), v); err != nil || string(got)+"\n" != "a: "+w.String() {
			t.Errorf("%#v is %s, %v; want %s", v, got, err, w.String())
		}
	}
}

func TestTemplateFaults(t *testing.T) {
	t.Parallel()
	_, err := templateOf(t, "text: = after.statuss\nblocks:\n  - {a: = 1..3}\n  - b: {c: = after.id}\n")
	for _, want := range []string{"unknown field statuss", "ranges are not allowed"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
	}
	if _, err := templateOf(t, strings.Repeat("[", 60)+strings.Repeat("]", 60)); err == nil || !strings.Contains(err.Error(), "too much") {
		t.Errorf("a deep one: %v", err)
	}
}

// TestMasked: what is taken in from outside of the file is posted, and not shown; the rest is.
func TestMasked(t *testing.T) {
	t.Parallel()
	made, err := templateOf(t, "{token: '${NAME}', list: [plain, {auth: 'Bearer ${NAME}'}], id: '= after.id', apiKey: abc123, pass: no, password: '= after.status', secrets: [a], token_id: 7}")
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{"ours", "ours", "ours", "Bearer ours", "abc123", "7"}; !slices.Equal(made.Secrets, want) || !made.Written {
		t.Errorf("its secrets are %q, written %t", made.Secrets, made.Written)
	}
	for masked, want := range map[bool]string{
		false: `{"token":"ours","list":["plain",{"auth":"Bearer ours"}],"id":7,"apiKey":"abc123","pass":"no","password":"C","secrets":["a"],"token_id":7}`,
		true:  `{"token":"(its value is not shown)","list":["plain",{"auth":"(its value is not shown)"}],"id":7,"apiKey":"(its value is not shown)","pass":"no","password":"C","secrets":["a"],"token_id":"(its value is not shown)"}`,
	} {
		of := made
		if masked {
			of = made.Masked()
		}
		if got, err := of.Body(bookings()); err != nil || string(got) != want {
			t.Errorf("masked %t: %s, %v", masked, got, err)
		}
	}
}
