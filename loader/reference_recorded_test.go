package loader

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"rowhook/rules"
)

// TestReferenceRecorded: what the plugin was recorded to post is as the schemas say.
func TestReferenceRecorded(t *testing.T) {
	t.Parallel()
	r := newReference(t)
	r.describe()
	for name, bodies := range r.recorded {
		for _, b := range bodies {
			if wrong := violation(r.schemas[name], b.body, "$"); wrong != "" {
				t.Errorf("%s: %s: %s", b.file, name, wrong)
			}
		}
	}
	if len(r.recorded) < 20 {
		t.Errorf("recorded are only %v", slices.Sorted(maps.Keys(r.recorded)))
	}
}

// posted is what the plugin was recorded to post.
type posted struct {
	file string
	body map[string]any
}

// recorded is all that the plugin was recorded to post in a form that rowhook posts too, by the names of the schemas.
func recorded(t *testing.T) map[string][]posted {
	t.Helper()
	all := map[string][]posted{}
	dirs, err := filepath.Glob("../conformance/testdata/*/cases")
	if err != nil || len(dirs) < 2 {
		t.Fatalf("%q, %v", dirs, err)
	}
	for _, dir := range dirs {
		var hooks map[int]struct {
			Action string
			Params json.RawMessage // PHP writes a list when there are none
		}
		readJSON(t, filepath.Join(filepath.Dir(dir), "webhooks.json"), &hooks)
		files, err := filepath.Glob(filepath.Join(dir, "*.json"))
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			var c struct {
				Requests []struct {
					Webhook int
					Action  string
					Body    any
				}
			}
			readJSON(t, file, &c)
			for _, q := range c.Requests {
				action, err := rules.ParseAction(q.Action)
				row, isRow := q.Body.(map[string]any)
				if err != nil || q.Webhook == 0 || hooks[q.Webhook].Action != q.Action || action.Entity.Hooks || action.Entity.Relay {
					continue // a hook that has no form of its own
				}
				if !isRow || row["trace"] != nil || row["closure"] == nil && row["code"] == 404. {
					continue // the plugin posts null, or an exception, where the object is not there any more; rowhook does not
				}
				var params struct{ Load string }
				_ = json.Unmarshal(hooks[q.Webhook].Params, &params)
				name := strings.TrimSuffix(action.String()+"."+params.Load, ".")
				if row["closure"] == "1" && row["appointments"] == nil {
					name = strings.Replace(name, "extended", "full", 1)
				}
				all[name] = append(all[name], posted{file, row})
			}
		}
	}
	return all
}

func readJSON(t *testing.T, file string, into any) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err == nil {
		err = json.Unmarshal(text, into)
	}
	if err != nil {
		t.Fatalf("%s: %v", file, err)
	}
}

// violation is what of a value is not as a schema says, for as much of JSON Schema as is used here; and what it has that the
// schema does not know.
func violation(s map[string]any, v any, at string) string {
	names := map[string]string{"null": "null", "bool": "boolean", "number": "number", "text": "string", "empty": "array", "list": "array", "object": "object"}
	var kind string
	switch f, isNumber := v.(float64); {
	case isNumber && f == float64(int64(f)):
		kind = "integer"
	case isNumber:
		kind = "number"
	default:
		kind = names[kindAt(v)]
	}
	var types []string
	switch want := s["type"].(type) {
	case string:
		types = []string{want}
	case []string:
		types = want
	}
	if types != nil && !slices.Contains(types, kind) && (kind != "integer" || !slices.Contains(types, "number")) {
		return fmt.Sprintf("%s is %s, not %v", at, kind, types)
	}
	switch v := v.(type) {
	case []any:
		if items, ok := s["items"].(map[string]any); ok {
			for _, item := range v {
				if wrong := violation(items, item, at+"[]"); wrong != "" {
					return wrong
				}
			}
		}
	case map[string]any:
		properties, _ := s["properties"].(map[string]any)
		others, open := s["additionalProperties"].(map[string]any)
		for name, value := range v {
			below, known := properties[name].(map[string]any)
			switch {
			case !known && open:
				below = others
			case !known && properties != nil && !named.MatchString(at) && !strings.Contains(at, "attendees"):
				return fmt.Sprintf("%s.%s is not in the schema", at, name)
			case !known:
				continue
			}
			if wrong := violation(below, value, at+"."+name); wrong != "" {
				return wrong
			}
		}
	}
	return ""
}
