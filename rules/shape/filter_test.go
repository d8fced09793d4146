package shape

import (
	"encoding/json"
	"reflect"
	"testing"
)

func TestFilter(t *testing.T) {
	t.Parallel()
	const text = `{"id":"7","status":"C","sum":1.50,"mail":"a\/b","purchaser":{"name":"Ann","mail":"x","n":null},"items":[{"id":1,"cc":"4"},{"id":2},3],"e":{}}`
	for name, c := range map[string]struct {
		keep, hide []string
		want       string
	}{
		"nothing":       {nil, nil, text},
		"keeps":         {[]string{"status", "sum", "mail"}, nil, `{"status":"C","sum":1.50,"mail":"a\/b"}`},
		"keeps within":  {[]string{"purchaser.name", "items.id"}, nil, `{"purchaser":{"name":"Ann"},"items":[{"id":1},{"id":2},3]}`},
		"keeps whole":   {[]string{"purchaser", "purchaser.name"}, nil, `{"purchaser":{"name":"Ann","mail":"x","n":null}}`},
		"keeps nothing": {[]string{"absent", "id.of"}, nil, `{"id":null}`},
		"hides":         {nil, []string{"mail", "purchaser.mail", "purchaser.n", "items.cc", "absent"}, `{"id":"7","status":"C","sum":1.50,"mail":"[redacted]","purchaser":{"name":"Ann","mail":"[redacted]","n":"[redacted]"},"items":[{"id":1,"cc":"[redacted]"},{"id":2},3],"e":{}}`},
		"hides whole":   {[]string{"id", "items"}, []string{"items"}, `{"id":"7","items":"[redacted]"}`},
		"both":          {[]string{"purchaser"}, []string{"purchaser.mail"}, `{"purchaser":{"name":"Ann","mail":"[redacted]","n":null}}`},
	} {
		got, err := NewFilter(c.keep, c.hide).Apply(nil, []byte(text))
		if err != nil || string(got) != c.want {
			t.Errorf("%s: %s, %v\nwant %s", name, got, err, c.want)
		}
	}
	const texts = `{"f":"{\"Mail\":\"a\\/b\",\"N\":[{\"x\":\"é\",\"y\":1}]}","no":"Ann","empty":"","deep":"{\"f\":\"{\\\"Mail\\\":1}\"}"}`
	for name, c := range map[string]struct {
		keep, hide []string
		want       string
	}{
		"hides in a text":    {nil, []string{"f.Mail", "f.N.y", "no.Mail", "empty.Mail"}, `{"f":"{\"Mail\":\"[redacted]\",\"N\":[{\"x\":\"é\",\"y\":\"[redacted]\"}]}","no":"[redacted]","empty":"","deep":"{\"f\":\"{\\\"Mail\\\":1}\"}"}`},
		"keeps of a text":    {[]string{"f.N.x", "no.Mail", "empty.Mail"}, nil, `{"f":"{\"N\":[{\"x\":\"é\"}]}","no":null,"empty":""}`},
		"in a text's text":   {[]string{"deep"}, []string{"deep.f.Mail"}, `{"deep":"{\"f\":\"{\\\"Mail\\\":\\\"[redacted]\\\"}\"}"}`},
		"whole, as it was":   {[]string{"deep", "f"}, []string{"f"}, `{"f":"[redacted]","deep":"{\"f\":\"{\\\"Mail\\\":1}\"}"}`},
		"both in one":        {[]string{"f.N"}, []string{"f.N.x"}, `{"f":"{\"N\":[{\"x\":\"[redacted]\",\"y\":1}]}"}`},
		"of no text nothing": {nil, []string{"f.absent"}, texts},
	} {
		got, err := NewFilter(c.keep, c.hide).Apply(nil, []byte(texts))
		if name == "of no text nothing" {
			var want, is any
			if json.Unmarshal([]byte(texts), &want) != nil || json.Unmarshal(got, &is) != nil || !reflect.DeepEqual(want, is) {
				t.Errorf("%s: %s, %v", name, got, err)
			}
			continue
		}
		if err != nil || string(got) != c.want {
			t.Errorf("%s: %s, %v\nwant %s", name, got, err, c.want)
		}
	}
	for _, text := range []string{"null", `"a"`, "[1,2]", " {} "} {
		got, err := NewFilter([]string{"id"}, nil).Apply(nil, []byte(text))
		if err != nil || !json.Valid(got) {
			t.Errorf("of %s comes %s, %v", text, got, err)
		}
	}
}

// FuzzFilter holds it against encoding/json: what is valid stays so, with what is hidden gone, and nothing else passes.
func FuzzFilter(f *testing.F) {
	for _, text := range []string{`{"a":{"b":[1,{"c":"x\"y"}]},"d":null}`, `[{"a":1},[],{}]`, `{"a":1,}`, `{"a" : tru}`, `{"\u0061":1}`, `"a`, `{"a":{"b":`, `{"a":"{\"b\":{\"c\":1}}","d":"[1,{\"a\":2}]"}`} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		for _, filter := range []*Filter{NewFilter([]string{"a.b", "d"}, nil), NewFilter(nil, []string{"a"}), NewFilter([]string{"a"}, []string{"a.b.c"})} {
			got, err := filter.Apply(nil, text)
			if !json.Valid(text) {
				continue // what is passed over is looked at as far as its end must be found
			}
			if err != nil || !json.Valid(got) {
				t.Fatalf("of %s comes %s, %v", text, got, err)
			}
			again, err := filter.Apply(nil, got)
			if err != nil || string(again) != string(got) {
				t.Fatalf("%s becomes %s, %v", got, again, err)
			}
		}
	})
}
