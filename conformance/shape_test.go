package conformance

import (
	"encoding/json"
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// shape counts the kinds of values at each place of a group of payloads: "$.appointments[].id", "numstr". The record has
// the shapes of all extended payloads that the plugin sent, those included that were not kept: so they are compared at
// least in kind.
type shape map[string]map[string]int

func (s shape) add(path string, v any) {
	if s[path] == nil {
		s[path] = map[string]int{}
	}
	s[path][kindOf(v)]++
	switch v := v.(type) {
	case map[string]any:
		for k, below := range v {
			s.add(path+"."+k, below)
		}
	case []any:
		for _, below := range v {
			s.add(path+"[]", below)
		}
	}
}

func (s shape) move(path, from, to string, n int) {
	if n == 0 {
		return
	}
	s[path][from] -= n
	if s[path][from] == 0 {
		delete(s[path], from)
	}
	s[path][to] += n
}

var numericText = regexp.MustCompile(`^-?\d+(\.\d+)?$`)

func kindOf(v any) string {
	switch v := v.(type) {
	case nil:
		return "null"
	case bool:
		return "bool"
	case json.Number:
		if _, err := v.Int64(); err == nil {
			return "int"
		}
		return "float"
	case string:
		if numericText.MatchString(v) {
			return "numstr"
		}
		return "str"
	case []any:
		if len(v) == 0 {
			return "emptylist"
		}
		return "list"
	}
	return "object"
}

// shapes are the shapes of the extended payloads, by the group's name in the record.
type shapes map[string]shape

// add counts a payload, unless it is of a closure, for which the plugin sent its exception.
func (s shapes) add(h hook, body any) {
	object, ok := body.(map[string]any)
	if h.Load != "extended" || !ok || object["closure"] == "1" || isException(body) {
		return
	}
	group := "Reservation extended"
	if strings.Contains(h.Action, "Pack") {
		group = "Pack extended"
	}
	if s[group] == nil {
		s[group] = shape{}
	}
	s[group].add("$", body)
}

// ofSite are places whose keys are the site's own fields, which the record leaves out.
var ofSite = regexp.MustCompile(`\.(custom_f|fields|displayFields)\.`)

var (
	groupLine = regexp.MustCompile(`^## (\w+ extended) \d+$`)
	placeLine = regexp.MustCompile(`^(\$\S*) (\{.*\})$`)
)

// readShapes reads a record's payload-trees.txt.
func readShapes(t *testing.T, file string) shapes {
	t.Helper()
	all, group := shapes{}, ""
	for l := range strings.Lines(string(readFile(t, file))) {
		l = strings.TrimSpace(l)
		if m := groupLine.FindStringSubmatch(l); m != nil {
			group = m[1]
			all[group] = shape{}
		} else if m := placeLine.FindStringSubmatch(l); m != nil {
			kinds := map[string]int{}
			if err := json.Unmarshal([]byte(strings.ReplaceAll(m[2], "'", `"`)), &kinds); err != nil {
				t.Fatalf("%s: %v", l, err)
			}
			all[group][m[1]] = kinds
		}
	}
	for _, place := range []string{"net", "tax", "gross", "discount"} {
		for _, kind := range []string{"int", "float"} { // the plugin's cached wrong totals, where texts are meant
			place := "$.totals." + place
			all["Reservation extended"].move(place, kind, "numstr", all["Reservation extended"][place][kind])
		}
	}
	return all
}

// compareShapes holds the shapes of what arrived, and of what the log could not show, against the record's.
func compareShapes(t *testing.T, r *record, got shapes) {
	t.Helper()
	file := filepath.Join(r.dir, "payload-trees.txt")
	if _, err := os.Stat(file); errors.Is(err, fs.ErrNotExist) {
		return // not every record has it
	}
	places := 0
	for group, want := range readShapes(t, file) {
		all := slices.AppendSeq(slices.Collect(maps.Keys(want)), maps.Keys(got[group]))
		slices.Sort(all)
		for _, place := range slices.Compact(all) {
			if ofSite.MatchString(place) && want[place] == nil {
				continue
			}
			places++
			if !maps.Equal(want[place], got[group][place]) {
				t.Errorf("%s: %s is %v in the plugin's payloads, %v in these", group, place, want[place], got[group][place])
			}
		}
	}
	t.Logf("places of extended payloads whose kinds of values are those of all that the plugin sent: %d", places)
}
