package shape

import (
	"encoding/json"
	"reflect"
	"testing"
)

// FuzzFields holds it against a payload that is decoded as a whole.
func FuzzFields(f *testing.F) {
	for _, text := range []string{
		`{"a":1,"b":[{"c":"x\"y"}],"d":null}`, ` { "a" : 18446744073709551615 , "x": {"a": 2}, "d" : 1.5e3 } `, `{}`, `{"\u0061":1}`, `{"a":1,"a":2}`,
		`[{"a":1}]`, `null`, `"a"`, ``, `{"a":tru}`, `{"a":1,`, `{"a"`, `{"x":[}`,
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		names := []string{"a", "d", "gone"}
		got, err := Fields(text, names)
		if !json.Valid(text) {
			return // what is passed over is looked at as far as its end must be found
		}
		want, wrong := Payload(text)
		if err != nil || wrong != nil {
			t.Fatalf("of %s: %v, %v", text, err, wrong)
		}
		if whole, ok := want.(map[string]any); ok {
			fields := map[string]any{}
			for _, name := range names {
				if v, ok := whole[name]; ok {
					fields[name] = v
				}
			}
			want = fields
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("of %s: %v, want %v", text, got, want)
		}
	})
}
