package rules

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"rowhook/schematest"
)

const schemaFile = "../docs/schema/rules.schema.json"

// rulesSchema is the schema of rule files, for editors.
func rulesSchema(t *testing.T) []byte {
	t.Helper()
	text := func(values ...string) (all []any) {
		for _, v := range values {
			all = append(all, v)
		}
		return all
	}
	const foreign = `^(on[A-Z]|[A-Za-z0-9-]*_[A-Za-z0-9_-]*$)` // hooks, also of other plugins
	actions := append(ToldActions(), toldAll, restoredAtASite, customAction)
	for _, a := range Actions() {
		actions = append(actions, a.String())
	}
	slices.Sort(actions)
	action := schematest.Enum(text(actions...)...)
	branches, _ := action["anyOf"].([]any)
	branches = slices.Clip(branches)
	action["anyOf"] = append(branches, schematest.Kind{"type": "string", "pattern": relayName.String()}) // allow_unknown; together says which without it
	secret := schematest.Kind{"type": "string", "pattern": `^whsec_[A-Za-z0-9+/]{32,}=*$|\$\{`}
	made, err := schematest.Make(file{}, "rowhook: a rule file", map[string]schematest.Kind{
		"entry.action":         action,
		"entry.name":           schematest.Pattern(ruleName.String()),
		"entry.type":           schematest.Enum(text("insert", "update", "both")...),
		"entry.load":           schematest.Enum(text("basic", "full", "extended")...),
		"entry.format":         schematest.Enum(text(formatJSON, formatCloudEvents, formatSlack)...),
		"entry.on":             {"enum": text("insert", "update", "delete")},
		"entry.table":          schematest.Pattern("^[^.`]+$"),
		"entry.key":            {"type": "string", "pattern": "^[^.,`]+$"},
		"entry.fields":         {"type": []any{"string", "number"}, "pattern": `^[^.]+(\.[^.]+)*$`},
		"entry.redact":         {"type": []any{"string", "number"}, "pattern": `^[^.]+(\.[^.]+)*$`},
		"entry.headers":        {"type": []any{"object", "null"}, "propertyNames": schematest.Kind{"pattern": headerName.String(), "not": schematest.Kind{"pattern": ownNames()}}, "additionalProperties": schematest.Kind{"type": []any{"string", "number", "boolean"}, "pattern": `[^ \t]`}},
		"entry.signing_secret": {"anyOf": []any{secret, schematest.Kind{"type": "array", "items": secret}, schematest.Kind{"type": "null"}}},
		"entry.content_type":   schematest.Pattern("^[!-.0-~]+/[ -~]+$"),
		"entry.template_file":  schematest.Pattern("."),
		"entry.statuses":       schematest.Pattern(statusCode.String()),
		"entry.url":            schematest.Pattern(`^[hH][tT][tT][pP][sS]?://[^/?#:][^#]*$`),
		"entry.order_group":    schematest.Pattern(ruleName.String()),
		"entry.id":             {"anyOf": []any{schematest.Kind{"type": "integer", "minimum": 0, "maximum": 1 << 53}, schematest.Kind{"type": "string", "pattern": `^\+?[0-9]+$|\$\{`}, schematest.Kind{"type": "null"}}},
		"entry.when":           {"type": []any{"string", "boolean", "null"}, "minLength": 1},
	}, map[string][]string{"entry": {"name", "action", "url"}}, map[string][]any{"entry": append(together(), schematest.Kind{
		"if":   having("relay", schematest.Kind{"required": text("allow_unknown"), "properties": schematest.Kind{"allow_unknown": schematest.Kind{"enum": []any{true, "true"}}}}),
		"else": schematest.Kind{"properties": schematest.Kind{"action": schematest.Kind{"anyOf": append(branches, schematest.Kind{"type": "string", "pattern": foreign})}}},
	})})
	if err != nil {
		t.Fatal(err)
	}
	return made
}

// having is what has a key of a kind.
func having(key string, kind schematest.Kind) schematest.Kind {
	return schematest.Kind{"required": []any{key}, "properties": schematest.Kind{key: kind}}
}

// without is what has none of some keys, or says nothing with them.
func without(keys ...string) schematest.Kind {
	none := schematest.Kind{}
	for _, key := range keys {
		none[key] = schematest.Kind{"type": "null"}
	}
	return schematest.Kind{"properties": none}
}

// withoutPrevious allows to say that there is none.
func withoutPrevious() schematest.Kind {
	return schematest.Kind{"properties": schematest.Kind{"previous": schematest.Kind{"anyOf": []any{
		schematest.Kind{"enum": []any{nil, false, "false"}}, schematest.Kind{"type": "string", "pattern": `\$\{`},
	}}}}
}

// together is which keys a rule may have beside others: by its action, as the catalog has it, and by what makes its payload.
func together() []any {
	isCustom := having("action", schematest.Kind{"const": customAction})
	text := schematest.Kind{"type": "string"}
	all := []any{
		schematest.Kind{"if": isCustom, "then": schematest.Kind{"allOf": []any{
			having("table", schematest.Kind{"not": schematest.Kind{"type": "null"}}), without("type", "statuses"), withoutPrevious(),
			schematest.Kind{"properties": schematest.Kind{"load": schematest.Kind{"not": schematest.Kind{"const": Extended.String()}}, "format": schematest.Kind{"not": schematest.Kind{"const": formatSlack}}}},
		}}, "else": without("table", "key", "on")},
		schematest.Kind{"properties": schematest.Kind{
			"on": schematest.Kind{"minItems": 1}, "key": schematest.Kind{"minItems": 1, "maxItems": mostKeyColumns},
			"fields": schematest.Kind{"minItems": 1, "maxItems": mostPaths}, "redact": schematest.Kind{"minItems": 1, "maxItems": mostPaths},
		}},
		schematest.Kind{"if": having("format", schematest.Kind{"const": formatSlack}), "then": without("fields", "redact", "template", "template_file")},
		schematest.Kind{"if": having("template", schematest.Kind{"not": schematest.Kind{"type": "null"}}), "then": schematest.Kind{"allOf": []any{without("fields", "redact", "template_file"), withoutPrevious()}}},
		schematest.Kind{"if": having("template_file", text), "then": schematest.Kind{"allOf": []any{without("fields", "redact", "template"), withoutPrevious()}}},
		schematest.Kind{"if": having("url", schematest.Kind{"type": "string", "pattern": "^[^/]*//[^/?#]*@"}), "then": schematest.Kind{"properties": schematest.Kind{
			"headers": schematest.Kind{"propertyNames": schematest.Kind{"not": schematest.Kind{"pattern": "^" + anyCase("authorization") + "$"}}},
		}}},
	}
	documented := []any{customAction}
	told := []Action{RestoredAction()}
	for _, name := range append(ToldActions(), toldAll) {
		a, _ := parseTold(name)
		told = append(told, a)
	}
	for _, a := range append(Actions(), told...) {
		names := []any{a.String()}
		if a.Hook() != a.String() {
			names = append(names, a.Hook())
		}
		documented = append(documented, names...)
		none := []string{"relay"}
		if a.Kind != Save {
			none = append(none, "type")
		}
		if !a.HasStatuses() {
			none = append(none, "statuses")
		}
		if siteless(a.String()) {
			none = append(none, "sites")
		}
		if a.Kind != Save && a.Kind != StatusChange {
			none = append(none, "load")
		}
		not := without(none...)
		properties, _ := not["properties"].(schematest.Kind)
		if !slices.Contains(none, "load") && !slices.Contains(a.Entity.Loads, Extended) {
			properties["load"] = schematest.Kind{"not": schematest.Kind{"const": Extended.String()}}
		}
		if a.Kind != Told && a.Kind != Restored {
			properties["format"] = schematest.Kind{"not": schematest.Kind{"const": formatSlack}}
		}
		if a.Kind != Save {
			properties["previous"] = withoutPrevious()["properties"].(schematest.Kind)["previous"]
		}
		all = append(all, schematest.Kind{"if": having("action", schematest.Kind{"enum": names}), "then": not})
	}
	hook := schematest.Kind{"type": "string", "not": schematest.Kind{"anyOf": []any{schematest.Kind{"enum": documented}, schematest.Kind{"pattern": `\$\{`}}}}
	return append(all, schematest.Kind{"if": having("action", hook), "then": schematest.Kind{"allOf": []any{without("statuses"), withoutPrevious()}}})
}

// anyCase is a pattern of a name in any case of its letters.
func anyCase(name string) (pattern string) {
	for _, r := range name {
		pattern += "[" + strings.ToUpper(string(r)) + string(r) + "]"
	}
	return strings.ReplaceAll(pattern, "[--]", "-")
}

// ownNames is a pattern of the headers that rowhook sets itself, in any case of their letters.
func ownNames() string {
	var names []string
	for _, name := range ownHeaders {
		names = append(names, anyCase(name)+"$")
	}
	for _, prefix := range ownPrefixes {
		names = append(names, anyCase(prefix))
	}
	return "^(" + strings.Join(names, "|") + ")"
}

// TestSchema: the schema that is in the repository is that of the structs.
func TestSchema(t *testing.T) {
	t.Parallel()
	made := rulesSchema(t)
	if *update {
		if err := os.WriteFile(schemaFile, made, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	kept, err := os.ReadFile(schemaFile)
	if err != nil || !bytes.Equal(kept, made) {
		t.Errorf("%s is not of the structs; go test ./rules -run TestSchema -update: %v", schemaFile, err)
	}
}

// beyondSchema are the wrong files that no schema can tell from right ones, with what they are about.
func beyondSchema() map[string]string {
	beyond := map[string]string{}
	for why, names := range map[string][]string{
		"what there is elsewhere": {"name-twice", "site-unknown", "variable-not-set", "action-custom-hook"},
		"an expression":           {"template-faults", "when-lines", "when-meant", "when-no-condition", "when-no-order", "when-now", "when-payload", "when-syntax", "when-unbounded", "when-unknown-column", "when-wrong-type"},
		"a number within a text":  {"url-port"},
	} {
		for _, name := range names {
			beyond[name] = why
		}
	}
	return beyond
}

// TestSchemaOfFiles: the schema takes each right rule file, examples and tests, and refuses each wrong one, but for those that are
// wrong by what a schema cannot know.
func TestSchemaOfFiles(t *testing.T) {
	t.Parallel()
	s, err := schematest.Compile(rulesSchema(t))
	if err != nil {
		t.Fatal(err)
	}
	beyond := beyondSchema()
	for _, glob := range []string{"testdata/*.yaml", "../rules.example/*.yaml", "../rules.example/receivers/*.yaml"} {
		files, err := filepath.Glob(glob)
		if err != nil || len(files) == 0 {
			t.Fatalf("%s: %v, %v", glob, files, err)
		}
		for _, path := range files {
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			input, result, _ := strings.Cut(string(text), line)
			isExample := strings.Contains(path, "rules.example")
			name := strings.TrimSuffix(filepath.Base(path), ".yaml")
			right := isExample || !strings.HasPrefix(result, "rules.yaml:")
			err = s.Validate([]byte(input))
			_, unknowable := beyond[name]
			if unknowable && !isExample {
				delete(beyond, name)
			}
			switch {
			case (right || unknowable) && err != nil:
				t.Errorf("%s is refused: %v", path, err)
			case !right && !unknowable && err == nil:
				t.Errorf("%s is taken, and is wrong: %s", path, result)
			}
			if first, _, _ := strings.Cut(input, "\n"); isExample {
				_, of, ok := strings.Cut(first, "# yaml-language-server: $schema=")
				if _, err := os.Stat(filepath.Join(filepath.Dir(path), of)); !ok || err != nil {
					t.Errorf("the first line of %s names no schema: %v", path, err)
				}
			}
		}
	}
	if len(beyond) > 0 {
		t.Errorf("there are no such wrong files: %v", beyond)
	}
}
