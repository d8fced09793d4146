package render

import (
	"testing"
)

// salonFields is a field of each type, owner and form.
func salonFields() Fields {
	list := `["Curly","Straight & long"]`
	return Fields{
		{Name: "name", Label: "First Name", Type: "text", Required: true},
		{Name: "note", Label: "note", Type: "textarea", Repeat: true},
		{Name: "age", Label: "Età", Type: "number", Repeat: true},
		{Name: "born", Label: "born", Type: "date"},
		{Name: "hair", Label: "hair", Type: "select", Choose: list, Repeat: true},
		{Name: "haar", Label: "haar", Type: "select", Choose: list, Chosen: `["Lockig",""]`},
		{Name: "size", Label: "size", Type: "select", Choose: `{"s":"Small","m":"Mid","9":"Nine"}`},
		{Name: "none", Label: "none", Type: "select", Choose: "no json"},
		{Name: "news", Label: "news", Type: "checkbox"},
		{Name: "terms", Label: "terms", Type: "checkbox", Required: true},
		{Name: "photo", Label: "photo", Type: "file", Choose: "png,txt"},
		{Name: "more", Label: "more", Type: "separator"},
		{Name: "later", Label: "later", Type: "html"},
		{Name: "massage", Label: "massage", Type: "text", Services: []int64{2, 3}},
		{Name: "zoe", Label: "zoe", Type: "text", Employee: 1},
		{Name: "both", Label: "both", Type: "text", Employee: 1, Services: []int64{2}},
		{Name: "twice", Label: "first", Type: "number", Services: []int64{2}},
		{Name: "twice", Label: "second", Type: "checkbox", Services: []int64{4}},
	}
}

func TestFieldsByType(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ stored, fields, display string }{
		{`{"name":"Ann"}`, `{"name":"Ann"}`, `{"First Name":"Ann"}`},
		{`{"name":""}`, `{"name":""}`, `[]`},
		{`{"name":null}`, `{"name":""}`, `[]`},
		{`{"name":7.50}`, `{"name":"7.5"}`, `{"First Name":"7.5"}`},
		{`{"name":["a",1,null]}`, `{"name":"a, 1, "}`, `{"First Name":"a, 1, "}`},
		{`{"name":{"a":"x","b":["y"]}}`, `{"name":"x, Array"}`, `{"First Name":"x, Array"}`},
		{`{"name":[]}`, `{"name":""}`, `[]`},
		{`{"name":false,"note":true}`, `{"name":"","note":"1"}`, `{"note":"1"}`},
		{`{"note":"a\nb 😀"}`, "{\"note\":\"a\\nb 😀\"}", "{\"note\":\"a\\nb 😀\"}"},
		{`{"age":33}`, `{"age":"33"}`, `{"Età":"33"}`},
		{`{"age":0}`, `{"age":"0"}`, `{"Età":"0"}`},
		{`{"age":1.75}`, `{"age":"1.75"}`, `{"Età":"1.75"}`},
		{`{"age":-2}`, `{"age":"-2"}`, `{"Età":"-2"}`},
		{`{"age":1e20}`, `{"age":"1.0E+20"}`, `{"Età":"1.0E+20"}`},
		{`{"age":"07"}`, `{"age":"07"}`, `{"Età":"07"}`},
		{`{"age":""}`, `{"age":""}`, `[]`},
		{`{"born":"2001-05-06"}`, `{"born":"2001-05-06"}`, `{"born":"2001-05-06"}`},
		{`{"hair":"1"}`, `{"hair":"Straight & long"}`, `{"hair":"Straight & long"}`},
		{`{"hair":0}`, `{"hair":"Curly"}`, `{"hair":"Curly"}`},
		{`{"hair":"[\"0\",\"1\"]"}`, `{"hair":"Curly, Straight & long"}`, `{"hair":"Curly, Straight & long"}`},
		{`{"hair":["1",0]}`, `{"hair":"Straight & long, Curly"}`, `{"hair":"Straight & long, Curly"}`},
		{`{"hair":"[\"0\",\"5\"]"}`, `{"hair":"Curly"}`, `{"hair":"Curly"}`},
		{`{"hair":"Curly"}`, `{"hair":""}`, `[]`},
		{`{"hair":"[broken"}`, `{"hair":""}`, `[]`},
		{`{"hair":""}`, `{"hair":""}`, `[]`},
		{`{"hair":null}`, `{"hair":""}`, `[]`},
		{`{"hair":[["0"]]}`, `{"hair":""}`, `[]`},
		{`{"haar":"[\"0\",\"1\"]"}`, `{"haar":"Lockig, Straight & long"}`, `{"haar":"Lockig, Straight & long"}`},
		{`{"size":"m"}`, `{"size":"Mid"}`, `{"size":"Mid"}`},
		{`{"size":"[\"s\",9]"}`, `{"size":"Small, Nine"}`, `{"size":"Small, Nine"}`},
		{`{"none":"0"}`, `{"none":""}`, `[]`},
		{`{"news":"1"}`, `{"news":"Yes"}`, `{"news":"Yes"}`},
		{`{"news":1}`, `{"news":"Yes"}`, `{"news":"Yes"}`},
		{`{"news":true}`, `{"news":"Yes"}`, `{"news":"Yes"}`},
		{`{"news":"JYES"}`, `{"news":"Yes"}`, `{"news":"Yes"}`},
		{`{"news":"Yes"}`, `{"news":"Yes"}`, `{"news":"Yes"}`},
		{`{"news":"01"}`, `{"news":"Yes"}`, `{"news":"Yes"}`},
		{`{"news":""}`, `{"news":"No"}`, `{"news":"No"}`},
		{`{"news":null}`, `{"news":"No"}`, `{"news":"No"}`},
		{`{"news":"on"}`, `{"news":"No"}`, `{"news":"No"}`},
		{`{"news":["1"]}`, `{"news":"No"}`, `{"news":"No"}`},
		{`{"terms":"1","more":"x","unknown":"y"}`, `[]`, `[]`},
		{`{"photo":"me.png","later":"<b>x</b>"}`, `{"photo":"me.png","later":"<b>x</b>"}`, `{"photo":"me.png","later":"<b>x</b>"}`},
		{`{"age":1,"name":"Ann"}`, `{"name":"Ann","age":"1"}`, `{"First Name":"Ann","Età":"1"}`},
		{``, `[]`, `[]`},
		{`{}`, `[]`, `[]`},
		{`"text"`, `[]`, `[]`},
		{`{"name":`, `[]`, `[]`},
	} {
		fields, display := salonFields().Of(nil, 0).Show(Decode(test.stored))
		if got := string(fields.Append(nil)); got != test.fields {
			t.Errorf("fields of %s are %s, want %s", test.stored, got, test.fields)
		}
		if got := string(display.Append(nil)); got != test.display {
			t.Errorf("%s is displayed as %s, want %s", test.stored, got, test.display)
		}
	}
}

func TestFieldsByOwner(t *testing.T) {
	t.Parallel()
	const stored = `{"name":"Ann","massage":"m","zoe":"z","both":"b","twice":"1"}`
	for _, test := range []struct {
		services []int64
		employee int64
		want     string
	}{
		{nil, 0, `{"First Name":"Ann"}`}, // a package order
		{[]int64{1}, 2, `{"First Name":"Ann"}`},
		{[]int64{3}, 2, `{"First Name":"Ann","massage":"m"}`},
		{[]int64{2}, 2, `{"First Name":"Ann","massage":"m","first":"1"}`},
		{[]int64{1}, 1, `{"First Name":"Ann","zoe":"z"}`},
		{[]int64{1, 2}, 1, `{"First Name":"Ann","massage":"m","zoe":"z","both":"b","first":"1"}`},
		{[]int64{2, 4}, 0, `{"First Name":"Ann","massage":"m","first":"1","second":"Yes"}`},
		{[]int64{-1, 0}, -1, `{"First Name":"Ann"}`},
	} {
		_, display := salonFields().Of(test.services, test.employee).Show(Decode(stored))
		if got := string(display.Append(nil)); got != test.want {
			t.Errorf("services %v, employee %d: got %s, want %s", test.services, test.employee, got, test.want)
		}
	}
}

func TestAttendees(t *testing.T) {
	t.Parallel()
	for stored, want := range map[string]string{
		"":   "[]",
		"{}": "[]",
		`[{"fields":{"note":"a","hair":"0","name":"Ann"}}]`:             `[{"fields":{"note":"a","hair":"0","name":"Ann"},"display":{"note":"a","hair":"Curly"}}]`,
		`[{"fields":{"name":""}},{"fields":{"name":"M"},"mail":"a@b"}]`: `{"1":{"fields":{"name":"M"},"mail":"a@b","display":[]}}`,
		`[{"uploads":[],"fields":{"note":"","age":0,"hair":""}}]`:       "[]", // nobody answered
		`[{"uploads":[],"fields":{"note":"x","age":0}}]`:                `[{"uploads":[],"fields":{"note":"x","age":0},"display":{"note":"x","Età":"0"}}]`,
		`[{"fields":{"gone":"x"}}]`:                                     `[{"fields":{"gone":"x"},"display":[]}]`,
		`[{"fields":{"note":"x"},"display":"old"}]`:                     `[{"fields":{"note":"x"},"display":{"note":"x"}}]`,
		`[1,"x",null,{"fields":3},{"mail":"a@b"}]`:                      "[]",
		`{"b":{"fields":{"note":"x"}},"a":{"fields":{"hair":["0",1]}}}`: `{"b":{"fields":{"note":"x"},"display":{"note":"x"}},"a":{"fields":{"hair":["0",1]},"display":{"hair":"Curly, Straight & long"}}}`,
	} {
		if got := string(salonFields().Of(nil, 0).Attendees(Decode(stored)).Append(nil)); got != want {
			t.Errorf("%s:\n got %s\nwant %s", stored, got, want)
		}
	}
}

func FuzzFields(f *testing.F) {
	f.Add(`{"hair":"[\"0\"]","age":1.5}`, `["a","b"]`)
	f.Fuzz(func(t *testing.T, stored, choose string) {
		fields := salonFields()
		fields[4].Choose = choose
		values, display := fields.Show(Decode(stored))
		for _, v := range []Value{values, display, fields.Attendees(Decode(stored))} {
			if got := v.Append(nil); Decode(string(got)).kind != array {
				t.Errorf("%q became %s", stored, got)
			}
		}
	})
}
