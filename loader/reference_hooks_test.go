package loader

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"rowhook/docs/schemas"
	"rowhook/rules"
	"rowhook/schematest"
)

// The payloads of rules that name a table or a hook: their fields are the table's columns, whatever those are at a site.

const (
	rowSave    = "custom.save"
	rowDelete  = "custom.delete"
	hookSave   = "hook.save"
	hookDelete = "hook.delete"
	hookShown  = "hook.publish"
	hookRelay  = "hook.relay"
)

// otherSummaries are what the OpenAPI document says of them.
var otherSummaries = map[string]string{
	rowSave:    "a row of a table that a rule names was inserted or updated (action: custom)",
	rowDelete:  "rows of such a table were deleted in one transaction",
	hookSave:   "onAfterSave and a class of the plugin's tables, onCustomerSave, onAfterSaveReservationLate, onStatusChangeSubscrorder",
	hookDelete: "onAfterDelete and a class of the plugin's tables",
	hookShown:  "onAfterPublish and a class of the plugin's tables",
	hookRelay:  "a hook that leaves no row, from the relay",
}

// fields makes a schema of an object, all of whose fields must be there but those that end with a question mark. No others may be.
func fields(of map[string]any) map[string]any {
	properties, required := map[string]any{}, []string{}
	for name, s := range of {
		name, optional := strings.CutSuffix(name, "?")
		properties[name] = s
		if !optional {
			required = append(required, name)
		}
	}
	slices.Sort(required)
	return map[string]any{"type": "object", "required": required, "properties": properties, "additionalProperties": false}
}

// columnsSchema is columns of a row, whichever there are.
func columnsSchema(text string) map[string]any {
	value := map[string]any{"description": "numbers as numbers, JSON as JSON, binary values in base64", "type": []string{"array", "boolean", "null", "number", "object", "string"}}
	return map[string]any{"type": "object", "description": text, "additionalProperties": value}
}

func (r *reference) describeOthers(add func(name, text string, tree *place, s map[string]any)) {
	described := func(s map[string]any, text string) map[string]any { s["description"] = text; return s }
	table := map[string]any{"type": "string", "description": "the table, without the site's prefix"}
	key := columnsSchema("the columns of the table's primary key, or those that the rule names")
	key["type"] = []string{"null", "object"} // of a table that has none
	add(rowSave, "A row of a table that a rule names, from any column of it: `{\"type\": \"update\", \"table\": \"posts\", \"key\": {\"ID\": 12}, \"data\": {...}, \"old\": {...}}`. "+
		"`data` is missing where the row cannot be read any more.", nil, fields(map[string]any{
		"type": map[string]any{"type": "string", "enum": []string{"insert", "update"}}, "table": table, "key": key,
		"data?":     columnsSchema("load basic: the columns that were written, and the key; full: the whole row"),
		"old?":      columnsSchema("of an update: the columns that changed, as they were"),
		"previous?": columnsSchema("with `previous: true` in the rule"),
	}))
	add(rowDelete, "`{\"type\": \"delete\", \"table\": \"posts\", \"keys\": [{\"ID\": 10}, {\"ID\": 11}]}`: what one transaction deleted, 1,000 at most. Of a table without a key, the whole row.", nil,
		fields(map[string]any{"type": map[string]any{"type": "string", "const": "delete"}, "table": table, "keys": map[string]any{"type": "array", "items": columnsSchema("a row's key")}}))
	row := columnsSchema("the row; load basic: what was saved, and the rest null; full: as it is")
	id := map[string]any{"type": []string{"null", "number", "string"}, "description": "of the row"}
	const counted = " With `fidelity: plugin` the arguments are counted from `arg0`, and two follow: the table's object, and the plugin's options."
	add(hookSave, "The arguments of the hook as a callback in WordPress sees them: `{\"arg1\": {...}, \"arg2\": true}`."+counted, nil, fields(map[string]any{
		"arg1": row, "arg2?": map[string]any{"type": "boolean", "description": "whether it is new; not of onStatusChangeSubscrorder"}, "previous?": columnsSchema("with `previous: true` in the rule"),
	}))
	add(hookDelete, "`{\"arg1\": 12}`: the id."+counted, nil, fields(map[string]any{"arg1": id}))
	add(hookShown, "`{\"arg1\": 12, \"arg2\": 1}`: the id, and whether it is published now."+counted, nil, fields(map[string]any{
		"arg1": id, "arg2": described(map[string]any{"type": []string{"null", "number"}}, "1: published, 0: no more"),
	}))
	argument := map[string]any{"type": []string{"array", "boolean", "null", "number", "object", "string"}, "description": "as the hook's callback gets it; what has no place in JSON is null and named in X-Rowhook-Omitted"}
	add(hookRelay, "The arguments of a hook that leaves no row, behind a filter's value: `{\"arg1\": {...}, \"arg2\": {...}, \"arg3\": \"\"}`. These hooks, and any other that a rule names: "+
		"`"+strings.Join(rules.RelayHooks(), "`, `")+"`.", nil, map[string]any{"type": "object", "additionalProperties": argument})
}

// hookRows are the hooks that leave a row, and where their fields come from.
func (r *reference) hookRows(b *strings.Builder) {
	b.WriteString("\nThe fields of `arg1` are the columns of these tables. A plugin of another version may have others, and then they are those.\n\n| Hook | Table | Columns |\n|---|---|---|\n")
	for _, a := range rules.HookActions() {
		if a.Kind != rules.Save {
			continue // of the same table
		}
		table := a.Entity.Table
		columns := "the table's"
		if names := slices.Sorted(maps.Keys(r.columns[table])); len(names) > 0 {
			columns = "`" + strings.Join(names, "`, `") + "`"
		}
		fmt.Fprintf(b, "| `%s` | `%s` | %s |\n", a.Hook(), table, columns)
	}
}

// formOf is the name of the schema of an event of a rule for a table or a hook.
func formOf(a rules.Action) string {
	e := a.Entity
	switch {
	case e.Relay:
		return hookRelay
	case e.Hooks:
		return map[rules.Kind]string{rules.Save: hookSave, rules.Delete: hookDelete, rules.Publish: hookShown}[a.Kind]
	case a.Kind == rules.Delete:
		return rowDelete
	}
	return rowSave
}

// conforms holds a body against the schema of its form.
func conforms(t *testing.T, form, body string) {
	t.Helper()
	text, err := schemas.Read(form)
	if err != nil {
		t.Fatal(err)
	}
	s, err := schematest.Compile(text)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Validate([]byte(body)); err != nil {
		t.Errorf("%s: %s: %v", form, body, err)
	}
}

// TestReferenceRefuses: the schemas of rows and hooks tell their forms apart.
func TestReferenceRefuses(t *testing.T) {
	t.Parallel()
	for form, bodies := range map[string][]string{
		rowSave:    {`{}`, `{"type":"delete","table":"a","key":{}}`, `{"type":"insert","table":"a"}`, `{"type":"insert","table":"a","key":{},"more":1}`},
		rowDelete:  {`{"type":"delete","table":"a","key":{}}`, `{"type":"delete","table":"a","keys":[1]}`},
		hookSave:   {`{"arg0":{}}`, `{"arg1":1}`, `{"arg1":{},"arg2":1}`},
		hookDelete: {`{"arg1":{}}`, `{"arg1":1,"arg2":1}`},
		hookShown:  {`{"arg1":1}`, `{"arg1":1,"arg2":"yes"}`},
		hookRelay:  {`[]`},
	} {
		text, err := schemas.Read(form)
		if err != nil {
			t.Fatal(err)
		}
		s, err := schematest.Compile(text)
		if err != nil {
			t.Fatal(err)
		}
		for _, body := range bodies {
			if s.Validate([]byte(body)) == nil {
				t.Errorf("%s takes %s", form, body)
			}
		}
	}
}
