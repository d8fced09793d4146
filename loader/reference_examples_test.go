package loader

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// illustrate gives the fields of a payload examples, of which samples are made (rowhook rules sample): what the plugin was
// recorded to post most often. What a change of status posts is what a save does. Of basic, where a few statements wrote a column at
// all, it is what full has most often, as a statement wrote it.
func (r *reference) illustrate(name string, s map[string]any) {
	bodies := func(form string) (values []any) {
		for _, p := range r.recorded[form] {
			values = append(values, p.body)
		}
		return values
	}
	entity, basic := strings.CutSuffix(name, ".save.basic")
	if !basic {
		illustrate(s, bodies(name))
		if !strings.HasSuffix(name, ".basic") {
			illustrate(s, bodies(strings.Replace(name, "status_change", "save", 1)))
		}
		return
	}
	illustrate(s, bodies(entity+".save.full"))
	for name, below := range s["properties"].(map[string]any) {
		below := below.(map[string]any)
		for _, p := range bodies(entity + ".save.basic") {
			written := p.(map[string]any)[name]
			if examples, ok := below["examples"].([]any); ok && sameValue(written, examples[0]) {
				below["examples"] = []any{written}
				break
			}
		}
	}
}

// sameValue says whether two are one value, or texts or numbers of it.
func sameValue(a, b any) bool {
	x, errX := strconv.ParseFloat(fmt.Sprint(a), 64)
	y, errY := strconv.ParseFloat(fmt.Sprint(b), 64)
	return fmt.Sprint(a) == fmt.Sprint(b) || errX == nil && errY == nil && x == y
}

// illustrate gives what a schema describes an example out of values, where it has none yet.
func illustrate(s map[string]any, values []any) {
	if properties, ok := s["properties"].(map[string]any); ok {
		for name, below := range properties {
			var of []any
			for _, v := range values {
				if row, ok := v.(map[string]any); ok {
					of = append(of, row[name])
				}
			}
			illustrate(below.(map[string]any), of)
		}
		return
	}
	if items, ok := s["items"].(map[string]any); ok {
		var of []any
		for _, v := range values {
			list, _ := v.([]any)
			of = append(of, list...)
		}
		illustrate(items, of)
		return
	}
	if s["additionalProperties"] != nil || s["examples"] != nil {
		return
	}
	if v, ok := mostCommon(values); ok {
		s["examples"] = []any{v}
	}
}

// mostCommon is the value that comes most often among those that say something: empty ones, and what only the machine has that was
// recorded, show nobody what a field is like.
func mostCommon(values []any) (most any, ok bool) {
	times, of := map[string]int{}, map[string]any{}
	for _, v := range values {
		text, err := json.Marshal(v)
		if err != nil || slices.Contains([]string{"null", `""`, `"[]"`, "[]", "{}", `"0000-00-00 00:00:00"`}, string(text)) || strings.Contains(string(text), "127.0.0.1") || strings.Contains(string(text), "/srv/") {
			continue
		}
		times[string(text)]++
		of[string(text)] = v
	}
	at := ""
	for _, text := range slices.Sorted(maps.Keys(times)) {
		if at == "" || times[text] > times[at] {
			at = text
		}
	}
	return of[at], at != ""
}
