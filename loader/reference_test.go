package loader

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"rowhook/rules"
)

var update = flag.Bool("update", false, "write docs/payloads.md, the schemas and the OpenAPI document anew")

// The reference of the payloads is made of what TestVariedSalon holds the product's payloads against, testdata/kinds.txt: there
// is no field in one that is not in the other.

// reference is all documents by their paths.
type reference struct {
	columns  map[string]map[string]bool // of each table
	null     map[string]bool            // TABLE.COLUMN that may be NULL
	kinds    *kindsAt
	schemas  map[string]map[string]any // by name: appointment.save.full
	recorded map[string][]posted       // by the same names
}

// place is a field of payloads in the tree of a schema.
type place struct {
	kinds    []string
	below    map[string]*place
	item     *place // of a list
	any      *place // under names that the site gives
	path     string
	isColumn string // TABLE.COLUMN
	source   string
}

func newReference(t *testing.T) *reference {
	t.Helper()
	ddl, err := os.ReadFile("../dbtest/salon.sql")
	if err != nil {
		t.Fatal(err)
	}
	r := &reference{columns: map[string]map[string]bool{}, null: map[string]bool{}, kinds: readKinds(t), schemas: map[string]map[string]any{}, recorded: recorded(t)}
	for _, table := range regexp.MustCompile("(?s)CREATE TABLE `\\{prefix\\}(\\w+)` \\((.*?)\\n\\)").FindAllSubmatch(ddl, -1) {
		name := string(table[1])
		r.columns[name] = map[string]bool{}
		for _, column := range regexp.MustCompile("(?:^|,|\\n)\\s*`(\\w+)` ((?:[^,(]|\\([^)]*\\))*)").FindAllSubmatch(table[2], -1) {
			r.columns[name][string(column[1])] = true
			r.null[name+"."+string(column[1])] = !bytes.Contains(column[2], []byte("NOT NULL"))
		}
	}
	return r
}

// tree is the places of a group of payloads.
func (r *reference) tree(group, table string) *place {
	root := &place{path: "$"}
	for _, path := range slices.Sorted(maps.Keys(r.kinds.wanted[group])) {
		at := root
		for _, step := range regexp.MustCompile(`\[\]|\.[^.\[]+`).FindAllString(path[1:], -1) {
			next := &place{path: at.path + step}
			switch step {
			case "[]":
				if at.item == nil {
					at.item = next
				}
				at = at.item
			case ".*":
				if at.any == nil {
					at.any = next
				}
				at = at.any
			default:
				if at.below == nil {
					at.below = map[string]*place{}
				}
				if at.below[step[1:]] == nil {
					at.below[step[1:]] = next
				}
				at = at.below[step[1:]]
			}
		}
		at.kinds = r.kinds.wanted[group][path]
		if at.source = sourceOf(table, r.columns, path, strings.HasSuffix(group, "extended")); r.null[at.source] || strings.Contains(at.source, ".") && r.columns[strings.Split(at.source, ".")[0]] != nil {
			at.isColumn = at.source
		}
	}
	return root
}

// types are the types of JSON that a place's values have.
func (r *reference) types(p *place) []string {
	names := map[string]string{"text": "string", "number": "number", "bool": "boolean", "null": "null", "object": "object", "list": "array", "empty": "array"}
	seen := map[string]bool{}
	for _, kind := range p.kinds {
		seen[names[kind]] = true
	}
	if r.null[p.isColumn] {
		seen["null"] = true
	}
	return slices.Sorted(maps.Keys(seen))
}

func (r *reference) schema(p *place) map[string]any {
	s := map[string]any{}
	if types := r.types(p); len(types) == 1 {
		s["type"] = types[0]
	} else if len(types) > 1 {
		s["type"] = types
	}
	if p.source != "" && p.path != "$" {
		s["description"] = p.source
	}
	if len(p.below) > 0 {
		properties := map[string]any{}
		for name, below := range p.below {
			properties[name] = r.schema(below)
		}
		s["properties"] = properties
	}
	if p.item != nil {
		s["items"] = r.schema(p.item)
		if len(p.below) == 0 && slices.Contains(r.types(p), "object") { // PHP writes a list with gaps as an object
			s["additionalProperties"] = s["items"]
		}
	}
	if p.any != nil {
		s["additionalProperties"] = r.schema(p.any)
	}
	return s
}

// basicOf is a schema of what a statement saved: some of the columns, in the kinds of PHP.
func basicOf(full map[string]any) map[string]any {
	properties := map[string]any{}
	for name, below := range full["properties"].(map[string]any) {
		properties[name] = map[string]any{"description": below.(map[string]any)["description"]}
	}
	return map[string]any{"type": "object", "properties": properties}
}

// described is one payload of the reference.
type described struct {
	name, text string
	tree       *place // nil: the schema has no fields of its own
}

// describe makes the schemas of all actions.
func (r *reference) describe() (all []described) {
	add := func(name, text string, tree *place, s map[string]any) {
		s["$schema"], s["title"] = "https://json-schema.org/draft/2020-12/schema", name
		r.schemas[name] = s
		all = append(all, described{name, text, tree})
	}
	for _, action := range rules.Actions() {
		e, name := action.Entity, action.String()
		table := e.Table
		full := r.tree(e.Name+" full", table)
		switch action.Kind {
		case rules.Save:
			add(name+".basic", "What the statement saved: `id`, and those columns of `full` that it wrote, as the plugin typed them.", nil, basicOf(r.schema(full)))
		case rules.StatusChange:
			status := r.tree("status basic", "vikappointments_order_status")
			add(name+".basic", "The row of the status history.", status, r.schema(status))
		case rules.Delete:
			id := map[string]any{"description": "one, or several that one statement deleted", "type": []string{"array", "integer"}, "items": map[string]any{"type": "integer"}}
			add(name, "`{\"id\": 12}`, or `{\"id\": [10, 11, 12]}`: what one statement deleted.", nil,
				map[string]any{"type": "object", "required": []string{"id"}, "properties": map[string]any{"id": id}})
			continue
		default:
			continue
		}
		add(name+".full", "The whole row. Numbers are strings, as the plugin has them, but for the few that it computes.", full, r.schema(full))
		if slices.Contains(e.Loads, rules.Extended) {
			extended := r.tree(e.Name+" extended", table)
			add(name+".extended", "The order with all that belongs to it.", extended, r.schema(extended))
		}
	}
	r.describeOthers(add)
	r.describeTold(add)
	for name, s := range r.schemas {
		r.illustrate(name, s)
	}
	return all
}

// page is the reference for people.
func (r *reference) page(all []described) string {
	var b strings.Builder
	b.WriteString(pageTop)
	headerRows(&b)
	for _, d := range all {
		fmt.Fprintf(&b, "\n## %s\n\n%s [Schema](schemas/%[1]s.json)\n", d.name, d.text)
		if d.name == hookSave {
			r.hookRows(&b)
		}
		if d.tree == nil {
			continue
		}
		if same := strings.Replace(d.name, "status_change", "save", 1); same != d.name && !strings.HasSuffix(d.name, ".basic") {
			fmt.Fprintf(&b, "\nThe fields are those of [%s](#%s).\n", same, strings.ReplaceAll(same, ".", ""))
			continue
		}
		b.WriteString("\n| Field | Type | Source |\n|---|---|---|\n")
		r.rows(&b, d.tree)
	}
	return b.String()
}

func (r *reference) rows(b *strings.Builder, p *place) {
	if p.path != "$" && len(p.kinds) > 0 {
		source := p.source
		if p.isColumn != "" {
			source = "`" + source + "`"
		}
		fmt.Fprintf(b, "| `%s` | %s | %s |\n", strings.TrimPrefix(p.path, "$."), strings.Join(r.types(p), ", "), source)
	}
	for _, name := range slices.Sorted(maps.Keys(p.below)) {
		r.rows(b, p.below[name])
	}
	for _, next := range []*place{p.item, p.any} {
		if next != nil {
			r.rows(b, next)
		}
	}
}

const pageTop = `# Payloads

Every field of every payload, with the column that it comes from (of a table behind the site's prefix). The same as JSON Schemas is in
[schemas/](schemas), and as one OpenAPI 3.1 document with webhooks in [openapi.json](openapi.json). All of it is made, and checked against what the plugin was recorded
to post, by a test: ` + "`go test ./loader -run Reference -update`" + `.

` + "`load`" + ` of a rule decides how much comes: basic, full or extended; a delete has one form. Rules for [rows of a table](#customsave), for
[hooks](#hooksave) and for the [relay](#hookrelay) post what stands there; [rules.md](rules.md) has such rules. A value that would make a payload too large is null, and its column is named in ` + "`X-Rowhook-Omitted`" + `. A star stands for names that the site gives.

    rowhook events --from 2h --json          # what would fire at your site
    rowhook deliveries export --since 2h     # what was sent, with payloads
`

// openAPI is the document for programs.
func (r *reference) openAPI() map[string]any {
	hooks, schemas := map[string]any{}, map[string]any{}
	for name, s := range r.schemas {
		plain := maps.Clone(s)
		delete(plain, "$schema")
		schemas[name] = plain
	}
	restored, err := rules.ParseAction("rowhook.restored")
	if err != nil {
		panic(err) // it is one
	}
	summaries := maps.Clone(otherSummaries)
	for _, action := range slices.Concat(rules.Actions(), toldActions(), []rules.Action{restored}) {
		summaries[action.String()] = action.Hook()
	}
	for hook, summary := range summaries {
		var forms []any
		for _, name := range slices.Sorted(maps.Keys(r.schemas)) {
			if name == hook || strings.HasPrefix(name, hook+".") {
				forms = append(forms, map[string]any{"$ref": "#/components/schemas/" + name})
			}
		}
		if forms == nil {
			continue
		}
		hooks[hook] = map[string]any{"post": map[string]any{
			"summary":     summary,
			"parameters":  headerReferences(),
			"requestBody": map[string]any{"required": true, "content": map[string]any{"application/json": map[string]any{"schema": map[string]any{"anyOf": forms}}}},
			"responses": map[string]any{
				"2XX": map[string]any{"description": "accepted"}, "410": map[string]any{"description": "stop: the URL is paused"},
				"default": map[string]any{"description": "tried again later"},
			},
		}}
	}
	return map[string]any{
		"openapi":    "3.1.0",
		"info":       map[string]any{"title": "rowhook", "version": "1", "description": "Webhooks of VikAppointments, as rowhook posts them."},
		"webhooks":   hooks,
		"components": map[string]any{"schemas": schemas, "parameters": headerParameters()},
	}
}

// TestReference: the documents are those that the data make. Run it with -update after a change.
func TestReference(t *testing.T) {
	t.Parallel()
	r := newReference(t)
	files := map[string]string{"payloads.md": r.page(r.describe())}
	encode := func(v any) string {
		text, err := json.MarshalIndent(v, "", "  ")
		if err != nil {
			t.Fatal(err)
		}
		return string(text) + "\n"
	}
	files["openapi.json"] = encode(r.openAPI())
	for name, s := range r.schemas {
		files[filepath.Join("schemas", name+".json")] = encode(s)
	}
	if want := 6*2 + 2 + 2*3 + 6 + 12 + 6; len(r.schemas) != want { // saves, those of orders extended too, status changes, deletes, what befalls rowhook, rows and hooks
		t.Errorf("%d schemas", len(r.schemas))
	}
	for name, text := range files {
		path := filepath.Join("..", "docs", name)
		if *update {
			if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		if is, err := os.ReadFile(path); err != nil || string(is) != text {
			t.Errorf("%s is behind: go test ./loader -run Reference -update (%v)", path, err)
		}
	}
}

// TestReferenceSources: each field has a source, and each column that is named as one is there.
func TestReferenceSources(t *testing.T) {
	t.Parallel()
	r := newReference(t)
	var look func(name string, p *place)
	look = func(name string, p *place) {
		if p.path != "$" && len(p.kinds) > 0 && p.source == "" {
			t.Errorf("%s: where %s comes from is not known", name, p.path)
		}
		if table, column, ok := strings.Cut(p.source, "."); ok && p.path != "$" && !strings.Contains(p.source, " ") && !r.columns[table][column] {
			t.Errorf("%s: %s comes from %s, which is not there", name, p.path, p.source)
		}
		for _, below := range p.below {
			look(name, below)
		}
		if p.item != nil {
			look(name, p.item)
		}
	}
	for _, d := range r.describe() {
		if d.tree != nil {
			look(d.name, d.tree)
		}
	}
}
