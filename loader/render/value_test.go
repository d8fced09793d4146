package render

import (
	"encoding/json"
	"strings"
	"testing"
)

// What PHP makes of JSON that it decodes into arrays and encodes again.
func TestDecode(t *testing.T) {
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
		`[14.670,-1e3,true,null]`: `[14.67,-1000,true,null]`,
		"[12345678901234567890, -0, 1E-7, 1e400]": "[1.2345678901234567e+19,0,1.0e-7,0]",
		`["\ud83d\ude00 \\ud800"]`:                `["😀 \\ud800"]`,
		`["\ud83d"]`:                              "null",
		`["\ud83d\u0041"]`:                        "null",
		`["\ude00"]`:                              "null",
		"[\"\xff\"]":                              "null",
		`[1,]`:                                    "null",
		`"x\u00e9\/"`:                             `"xé/"`,
	} {
		n := Decode(text)
		if got := string(n.Append(nil)); got != want {
			t.Errorf("%s: got %s, want %s", text, got, want)
		}
	}
}

// PHP decodes no more than 511 arrays in one another.
func TestDecodeDepth(t *testing.T) {
	t.Parallel()
	for depth, want := range map[int]bool{1: true, 511: true, 512: false, 100_000: false} {
		if got := Decode(strings.Repeat("[", depth) + "1" + strings.Repeat("]", depth)).IsArray(); got != want {
			t.Errorf("%d deep: decoded %t, want %t", depth, got, want)
		}
	}
}

func FuzzDecode(f *testing.F) {
	f.Add(`{"a":[1,{"0":2}]}`)
	f.Fuzz(func(t *testing.T, text string) {
		n := Decode(text)
		if got := n.Append(nil); !json.Valid(got) {
			t.Errorf("%q became %s", text, got)
		}
	})
}
