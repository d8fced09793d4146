package shape

import (
	"errors"
	"strings"
	"testing"
)

// salonNames are what an action with lists in its payload may have, of which one is open.
func salonNames(t *testing.T) *Names {
	t.Helper()
	tree, err := ReadTree([]byte(`{"type": "object", "properties": {
		"id": {"type": "string"}, "log": {"type": ["object", "array"], "additionalProperties": {"type": "string"}},
		"payment": {"type": ["object", "null"], "properties": {"name": {"type": "string"}}},
		"options": {"type": "array", "items": {"type": "object", "properties": {"name": {"type": "string"}, "sizes": {"type": "array", "items": {"type": "object", "properties": {"cm": {"type": "integer"}}}}}}},
		"free": {"type": "object", "additionalProperties": true, "properties": {"a": {"type": "string"}}}}}`))
	if err != nil {
		t.Fatal(err)
	}
	return &Names{Row: orders().Row, Payload: tree}
}

// TestDocumentNames: a name that is not there is an error wherever it stands, with its place; of what nobody knows there is none.
func TestDocumentNames(t *testing.T) {
	t.Parallel()
	names := salonNames(t)
	for text, want := range map[string]string{
		"{{range .payload.options}}{{.nam}}{{end}}":                                    "unknown field nam\n    {{range .payload.options}}{{.nam}}{{end}}\n                                 ^",
		"a\n  {{range $i, $o := .payload.options}}\n ü {{$o.nam}}{{end}}":              "unknown field nam\n     ü {{$o.nam}}{{end}}\n            ^",
		"{{with .payload.payment}}{{.nam}}{{end}}":                                     "unknown field nam",
		"{{with $p := .payload.payment}}{{$p.nam}}{{end}}":                             "unknown field nam",
		"{{$x := .payload.payment}}{{$x.nam}}":                                         "unknown field nam",
		"{{$x := .payload}}{{if true}}{{$x.payment.name.first}}{{$x.paymen}}{{end}}":   "unknown field paymen",
		"{{$x := .after}}{{$x.statuss}}":                                               "unknown field statuss",
		"{{with .event}}{{.kind}}{{end}}":                                              "unknown field kind",
		"{{with $}}{{.afterr}}{{end}}":                                                 "unknown name afterr",
		"{{with .}}{{.after.idd}}{{end}}":                                              "unknown field idd",
		"{{range .payload.options}}{{range .sizes}}{{.mm}}{{end}}{{end}}":              "unknown field mm",
		"{{range .payload.options}}{{.name}}{{else}}{{.after.idd}}{{end}}":             "unknown field idd",
		"{{with .payload.none}}{{.x}}{{end}}":                                          "unknown field none",
		"{{range .payload.options}}{{$.payload.non}}{{end}}":                           "unknown field non",
		"{{(index .payload.options 0).nam}}":                                           "unknown field nam",
		"{{(index .payload \"payment\").nam}}":                                         "unknown field nam",
		"{{(.payload.payment).nam}}":                                                   "unknown field nam",
		"{{.payload.options.name}}":                                                    "payload.options is a list: go over it with range",
		"{{with .payload.options}}{{.name}}{{end}}":                                    "payload.options is a list: go over it with range",
		"{{range .payload.options}}{{.sizes.cm}}{{end}}":                               "a value of payload.options.sizes is a list: go over it with range",
		"{{if .payload.payment}}{{.payload.payment.nam}}{{else if .payload.n}}{{end}}": "unknown field nam",
		"{{$ := 1}}": "$ is all values",
		"{{range .payload.options}}{{.name}}{{range $k, $v := .sizes}}{{$k}}{{$v.cm}}{{end}}{{end}}":     "",
		"{{range $k, $v := .payload.log}}{{$k}}{{$v.any}}{{end}}{{.payload.log.x}}{{.payload.free.b.c}}": "",
		"{{(index .payload \"newer\").x}}{{with index .payload \"newer\"}}{{.y}}{{end}}":                 "",
		"{{$x := .payload.payment}}{{range .payload.options}}{{$x.cm}}{{$x = .}}{{end}}":                 "", // it is given another value
		"{{range .event.changed}}{{.}}{{end}}{{with .site}}{{.}}{{end}}":                                 "",
		"{{if .before}}{{.before.status}}{{with .after}}{{.status}}{{end}}{{end}}":                       "",
		"{{with $p := .payload.payment}}{{$p.name}}{{.name}}{{end}}{{$q := .}}{{$q.after.id}}":           "",
	} {
		_, err := NewDocument(text, "text/plain", names)
		at, _ := errors.AsType[*ExpressionError](err)
		switch {
		case want == "" && err != nil:
			t.Errorf("%s: %v", text, err)
		case want != "" && (err == nil || len(err.Error()) < len(want) || err.Error()[:len(want)] != want):
			t.Errorf("%s: %v, want %s", text, err, want)
		case want != "" && at == nil && text != "{{$ := 1}}":
			t.Errorf("%s: %v has no place", text, err)
		}
	}
}

// TestDocumentOfNames: a text with names in blocks is made as it is without what looks at them.
func TestDocumentOfNames(t *testing.T) {
	t.Parallel()
	v := bookings()
	for text, want := range map[string]string{
		"{{with .}}{{.after.id}}{{end}}{{with $}}{{.site}}{{end}}{{$q := .}}{{$q.event.key}}":                                                               "7salon7",
		"{{range .payload.options}}{{range $k, $v := .}}{{$k}}={{$v}}{{end}}{{end}}":                                                                        "id_option=3",
		"{{(index .payload.options 0).id_option}}{{index .payload.options 0 \"id_option\"}}":                                                                "33",
		"{{eq .after.total_cost 120.5}}{{eq .after.id 7.0}}{{ne .after.status \"P\" }}{{lt .after.id 8}}{{ge 7 .after.id}}{{eq .after.status \"P\" \"C\"}}": "truetruetruetruetruetrue",
		"{{json .event}}": `{"action":"appointment.save","changed":["status","total_cost"],"key":"7","seconds":1772359200,"status":"","time":"2026-03-01T10:00:00Z","type":"update"}`,
		"{{len (json .)}}{{if .}}x{{end}}{{print . | len}}": "407x407",
	} {
		d, err := NewDocument(text, "text/plain", nil)
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		got, err := d.Body(v)
		if err != nil || string(got) != want {
			t.Errorf("%s: %s, %v; want %s", text, got, err, want)
		}
	}
	for _, text := range []string{"{{.}}", "{{$}}", "{{json .}}", "{{range $k, $v := .}}{{$k}}{{end}}", "{{print $ .}}"} {
		d, err := NewDocument(text, "text/plain", nil)
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		if got, err := d.Body(v); err != nil || strings.Contains(string(got), "budget") || !strings.Contains(string(got), "payload") {
			t.Errorf("%s: %s, %v", text, got, err)
		}
	}
}
