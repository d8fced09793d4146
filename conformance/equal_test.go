package conformance

import (
	"encoding/json"
	"fmt"
	"maps"
	"math/big"
	"reflect"
	"regexp"
	"slices"
	"testing"
)

// difference is a place where two JSON documents differ.
type difference struct {
	path      string // appointments[0].employee.name
	want, got string // as JSON; "" where there is nothing
}

func (d difference) String() string {
	text := func(s string) string {
		switch {
		case s == "":
			return "nothing"
		case len(s) > 160:
			return s[:160] + "..."
		}
		return s
	}
	return fmt.Sprintf("%s: want %s, got %s", d.path, text(d.want), text(d.got))
}

// indexes are taken out of a path to count differences of one kind.
var indexes = regexp.MustCompile(`\[\d+\]`)

// compare finds where got differs from want. By value, a number and a numeric string of the same value are equal; else
// only numbers are compared by their value, and everything else as it is.
func compare(path string, want, got any, byValue bool) []difference {
	switch w := want.(type) {
	case map[string]any:
		if g, ok := got.(map[string]any); ok {
			return compareObjects(path, w, g, byValue)
		}
	case []any:
		if g, ok := got.([]any); ok {
			return compareLists(path, w, g, byValue)
		}
	default:
		if equal(want, got, byValue) {
			return nil
		}
	}
	return []difference{{path, asJSON(want), asJSON(got)}}
}

func compareObjects(path string, want, got map[string]any, byValue bool) []difference {
	var all []difference
	keys := slices.AppendSeq(slices.Collect(maps.Keys(want)), maps.Keys(got))
	slices.Sort(keys)
	for _, k := range slices.Compact(keys) {
		w, inWant := want[k]
		g, inGot := got[k]
		below := k
		if path != "" {
			below = path + "." + k
		}
		switch {
		case !inWant:
			all = append(all, difference{below, "", asJSON(g)})
		case !inGot:
			all = append(all, difference{below, asJSON(w), ""})
		default:
			all = append(all, compare(below, w, g, byValue)...)
		}
	}
	return all
}

func compareLists(path string, want, got []any, byValue bool) []difference {
	var all []difference
	for i := range max(len(want), len(got)) {
		below := fmt.Sprintf("%s[%d]", path, i)
		switch {
		case i >= len(want):
			all = append(all, difference{below, "", asJSON(got[i])})
		case i >= len(got):
			all = append(all, difference{below, asJSON(want[i]), ""})
		default:
			all = append(all, compare(below, want[i], got[i], byValue)...)
		}
	}
	return all
}

// equal compares what is neither object nor list.
func equal(want, got any, byValue bool) bool {
	if reflect.DeepEqual(want, got) {
		return true
	}
	_, wantNumber := want.(json.Number)
	_, gotNumber := got.(json.Number)
	if !byValue && (!wantNumber || !gotNumber) {
		return false
	}
	w, ok := numeric(want)
	g, also := numeric(got)
	return ok && also && w.Cmp(g) == 0
}

// number is how JSON writes one; "+39" and "007" are texts.
var number = regexp.MustCompile(`^-?(0|[1-9]\d{0,30})(\.\d{1,30})?([eE][+-]?\d{1,2})?$`)

func numeric(v any) (*big.Rat, bool) {
	text := fmt.Sprint(v)
	switch v.(type) {
	case json.Number, string:
		if number.MatchString(text) {
			return new(big.Rat).SetString(text)
		}
	}
	return nil, false
}

func asJSON(v any) string {
	b, _ := json.Marshal(v) // it came from JSON
	return string(b)
}

func TestCompare(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		want, got string
		byValue   bool
		paths     []string
	}{
		{`{"a":1,"b":[true,null,"x"]}`, `{"b":[true,null,"x"],"a":1.0}`, false, nil},
		{`{"a":25.5}`, `{"a":"25.50"}`, true, nil},
		{`{"a":25.5}`, `{"a":"25.50"}`, false, []string{"a"}},
		{`{"a":"1"}`, `{"a":"1.0"}`, false, []string{"a"}},
		{`{"a":"+39"}`, `{"a":39}`, true, []string{"a"}},
		{`{"a":"007"}`, `{"a":7}`, true, []string{"a"}},
		{`{"a":null}`, `{}`, true, []string{"a"}},
		{`{"a":[]}`, `{"a":{}}`, true, []string{"a"}},
		{`{"a":[{"b":1},2]}`, `{"a":[{"b":2}]}`, true, []string{"a[0].b", "a[1]"}},
		{`{"a":true}`, `{"a":1}`, true, []string{"a"}},
		{`{"a":""}`, `{"a":0}`, true, []string{"a"}},
	} {
		w, err := parse([]byte(test.want))
		if err != nil {
			t.Fatal(err)
		}
		g, err := parse([]byte(test.got))
		if err != nil {
			t.Fatal(err)
		}
		var paths []string
		for _, d := range compare("", w, g, test.byValue) {
			paths = append(paths, d.path)
		}
		if !slices.Equal(paths, test.paths) {
			t.Errorf("%s and %s (by value %v) differ at %v, want %v", test.want, test.got, test.byValue, paths, test.paths)
		}
	}
}
