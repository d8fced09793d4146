package loader

import (
	"encoding/json"
	"testing"
)

func fieldTables() *orders {
	set := &entry{rows: map[rowKey][]record{}}
	for _, f := range []record{
		columns("id", number("1"), "name", "CUSTOMF_NAME", "type", "text", "required", "1", "repeat", "1"),
		columns("id", number("2"), "name", "Size", "type", "select", "required", "0", "repeat", "0"),
		columns("id", number("3"), "name", "Terms", "type", "checkbox", "required", "1", "repeat", "0"),
	} {
		set.rows[rowKey{tag: f.text("name")}] = []record{f}
	}
	lang := &entry{rows: map[rowKey][]record{{2, "it-IT"}: {columns("id", number("9"), "name", "Taglia")}}}
	return &orders{lookupSet: &lookupSet{language: "it-IT", tables: map[string]*entry{"custfields": set, "lang_customf": lang}}}
}

func TestCustomFields(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"":     `{"fields":[],"displayFields":[],"hasFields":false}`,
		"null": `{"fields":[],"displayFields":[],"hasFields":false}`,
		`{`:    `{"fields":[],"displayFields":[],"hasFields":false}`,
		`{"CUSTOMF_NAME":"Ann","Terms":"1","Gone":"v"}`: `{"fields":{"CUSTOMF_NAME":"Ann"},"displayFields":{"First Name":"Ann"},"hasFields":true}`,
		`{"CUSTOMF_NAME":"","Size":["S","M"]}`:          `{"fields":{"CUSTOMF_NAME":"","Size":["S","M"]},"displayFields":{"Taglia":"S, M"},"hasFields":true}`,
	} {
		if got := string(fieldTables().appendCustomFields([]byte{'{'}, text)) + "}"; got != want {
			t.Errorf("%s:\n got %s\nwant %s", text, got, want)
		}
	}
}

func TestAttendees(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"":   "[]",
		"{}": "[]",
		`[{"fields":{"CUSTOMF_NAME":"Ann","Size":"S"}}]`:                        `[{"fields":{"CUSTOMF_NAME":"Ann","Size":"S"},"display":{"First Name":"Ann"}}]`,
		`[{"fields":{"CUSTOMF_NAME":""}},{"fields":{"Size":"M"},"mail":"a@b"}]`: `{"1":{"fields":{"Size":"M"},"mail":"a@b","display":[]}}`,
		`[1,"x",null,{"fields":3}]`:                                             "[]",
	} {
		if got := string(fieldTables().appendAttendees(nil, text)); got != want {
			t.Errorf("%s:\n got %s\nwant %s", text, got, want)
		}
	}
}

// What PHP makes of JSON that it decodes into arrays and encodes again.
func TestPHPArrays(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"":                        "null",
		"no json":                 "null",
		`[1] 2`:                   "null",
		`{}`:                      "[]",
		`{"0":"a","1":"b"}`:       `["a","b"]`,
		`{"1":"b"}`:               `{"1":"b"}`,
		`{"a":{"b":[{}]},"c":[]}`: `{"a":{"b":[[]]},"c":[]}`,
		`{"a":1,"a":2}`:           `{"a":2}`,
		`[14.67,-1e3,true,null]`:  `[14.67,-1e3,true,null]`,
		`"x\u00e9\/"`:             `"xé/"`,
	} {
		n := decodePHP(text)
		if got := string(n.append(nil)); got != want {
			t.Errorf("%s: got %s, want %s", text, got, want)
		}
	}
}

func FuzzPHPArrays(f *testing.F) {
	f.Add(`{"a":[1,{"0":2}]}`)
	f.Fuzz(func(t *testing.T, text string) {
		n := decodePHP(text)
		if got := n.append(nil); !json.Valid(got) {
			t.Errorf("%q became %s", text, got)
		}
	})
}
