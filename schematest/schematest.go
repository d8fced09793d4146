// Package schematest makes JSON Schemas of what configuration and rule files may hold, from the structs that they are decoded
// into, and asks them about files. Tests use it; the program carries neither.
package schematest

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"reflect"
	"strings"
	"time"

	generator "github.com/invopop/jsonschema"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"gopkg.in/yaml.v3"

	"rowhook/config"
)

// Kind is what a schema knows of a key besides its Go type, by "struct.key".
type Kind map[string]any

// expansion is a text that stands for something outside of the file, so nobody knows what it is.
func expansion() Kind { return Kind{"type": "string", "pattern": `\$\{`} }

func anyOf(kinds ...any) Kind { return Kind{"anyOf": append(kinds, expansion(), Kind{"type": "null"})} }

// Enum is one of some texts.
func Enum(values ...any) Kind { return anyOf(Kind{"enum": values}) }

// Pattern is a text, or a number that is read as one, of a form.
func Pattern(pattern string) Kind {
	return anyOf(Kind{"type": "string", "pattern": pattern}, Kind{"type": "number"})
}

// Between is a whole number.
func Between(least, most int) Kind {
	return anyOf(Kind{"type": "integer", "minimum": least, "maximum": most})
}

// AnyOf is one of several kinds, or a struct by its name.
func AnyOf(values []any, structure string) Kind {
	return anyOf(Kind{"enum": values}, Kind{"$ref": "#/$defs/" + structure})
}

// Make is the schema of a file that is decoded into v, a struct of a package of ours whose source lies in the working folder.
// Known are the keys of which more can be said, required those that a struct must have, and together what keys of a struct make of
// each other: schemas that must hold all. Comments become descriptions, and each key must have one.
func Make(v any, title string, known map[string]Kind, required map[string][]string, together map[string][]any) ([]byte, error) {
	r := &generator.Reflector{FieldNameTag: "yaml", ExpandedStruct: true, RequiredFromJSONSchemaTags: true, Mapper: scalar, Anonymous: true}
	if err := r.AddGoComments(reflect.TypeOf(v).PkgPath(), "./"); err != nil {
		return nil, fmt.Errorf("reading the comments: %w", err)
	}
	comments, err := commentsOf(reflect.TypeOf(v).PkgPath())
	if err != nil {
		return nil, err
	}
	r.LookupComment = func(t reflect.Type, field string) string { return comments[t.PkgPath()+"."+t.Name()+"."+field] }
	text, err := json.Marshal(r.Reflect(v))
	if err != nil {
		return nil, fmt.Errorf("encoding the schema: %w", err)
	}
	var root map[string]any
	if err := json.Unmarshal(text, &root); err != nil {
		return nil, fmt.Errorf("decoding the schema: %w", err)
	}
	root["title"] = title
	p := patcher{known: known, required: required, together: together}
	p.object(reflect.TypeOf(v).Name(), root)
	root["type"] = []any{"object", "null"} // a file may be empty
	definitions, _ := root["$defs"].(map[string]any)
	for name, d := range definitions {
		if d, ok := d.(map[string]any); ok {
			p.object(name, d)
		}
	}
	if len(p.known) > 0 || len(p.silent) > 0 {
		return nil, fmt.Errorf("there are no keys %v, and no comments on %v", p.known, p.silent)
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(root); err != nil {
		return nil, fmt.Errorf("encoding the schema: %w", err)
	}
	return b.Bytes(), nil
}

// commentsOf are the comments on fields of a package's structs, also of those that it does not export, which the generator passes over.
func commentsOf(pkg string) (map[string]string, error) {
	files, err := filepath.Glob("*.go")
	if err != nil {
		return nil, fmt.Errorf("looking for the source: %w", err)
	}
	comments := map[string]string{}
	for _, name := range files {
		f, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ParseComments)
		if err != nil {
			return nil, fmt.Errorf("reading the comments: %w", err)
		}
		ast.Inspect(f, func(n ast.Node) bool {
			spec, ok := n.(*ast.TypeSpec)
			if !ok {
				return true
			}
			of, ok := spec.Type.(*ast.StructType)
			if !ok {
				return false
			}
			for _, field := range of.Fields.List {
				for _, n := range field.Names {
					comments[pkg+"."+spec.Name.Name+"."+n.Name] = strings.TrimSpace(cmp.Or(field.Doc.Text(), field.Comment.Text()))
				}
			}
			return false
		})
	}
	return comments, nil
}

// scalar is what the decoder takes for a Go type: any plain value for a text, for it is read as it is written.
func scalar(t reflect.Type) *generator.Schema {
	kind := func(k Kind) *generator.Schema { return &generator.Schema{Extras: k} }
	text := Kind{"type": []any{"string", "number", "boolean", "null"}}
	switch t {
	case reflect.TypeFor[time.Duration]():
		return kind(anyOf(Kind{"type": "string", "pattern": `^[-+]?(([0-9.]+(ns|us|µs|ms|s|m|h))+|0)$`}, Kind{"const": 0}))
	case reflect.TypeFor[config.Size]():
		return kind(anyOf(Kind{"type": "string", "pattern": `^[0-9.]+ *([KMGT]i?)?B?$`}, Kind{"type": "integer", "minimum": 0}))
	case reflect.TypeFor[config.Every]():
		return kind(anyOf(Kind{"type": "string", "pattern": `^[0-9.]*[1-9][0-9.]*/[smh]$`}))
	case reflect.TypeFor[config.Strings]():
		return kind(Kind{"anyOf": []any{text, Kind{"type": "array", "items": item(text)}}})
	case reflect.TypeFor[config.Pairs]():
		return kind(Kind{"type": []any{"object", "null"}, "additionalProperties": item(text)})
	case reflect.TypeFor[config.Text]():
		return kind(text)
	case reflect.TypeFor[config.Tree]():
		return kind(Kind{})
	}
	switch t.Kind() {
	case reflect.String:
		return kind(text)
	case reflect.Bool:
		return kind(anyOf(Kind{"enum": []any{true, false, "true", "false"}}))
	case reflect.Int, reflect.Int64:
		return kind(anyOf(Kind{"type": "integer"}, Kind{"type": "string", "pattern": `^-?[0-9]+$`}))
	}
	return nil
}

// item is a text that must be there.
func item(Kind) Kind { return Kind{"type": []any{"string", "number", "boolean"}} }

// patcher adds to structs what their types do not say.
type patcher struct {
	known    map[string]Kind
	required map[string][]string
	together map[string][]any
	silent   []string // keys without a description
}

func (p *patcher) object(name string, o map[string]any) {
	if required := p.required[name]; len(required) > 0 {
		o["required"] = required
	}
	if all := p.together[name]; len(all) > 0 {
		o["allOf"] = all
	}
	properties, _ := o["properties"].(map[string]any)
	for key, property := range properties {
		of, ok := property.(map[string]any)
		if !ok { // true: of any kind
			of = map[string]any{}
		}
		properties[key] = p.property(name+"."+key, of)
	}
}

func (p *patcher) property(path string, of map[string]any) map[string]any {
	description := of["description"]
	more, isKnown := p.known[path]
	delete(p.known, path)
	switch {
	case of["type"] == "array":
		of["type"] = []any{"array", "null"}
		items, _ := of["items"].(map[string]any)
		if _, isStruct := items["$ref"]; isKnown {
			of["items"] = more
		} else if !isStruct {
			of["items"] = item(nil)
		}
	case isKnown:
		of = more
	case of["$ref"] != nil:
		of = Kind{"anyOf": []any{Kind{"$ref": of["$ref"]}, Kind{"type": "null"}}}
	}
	if description == nil {
		p.silent = append(p.silent, path)
	} else {
		of["description"] = description
	}
	return of
}

// Schema is a compiled one.
type Schema struct{ compiled *jsonschema.Schema }

// Compile makes a schema ready.
func Compile(text []byte) (*Schema, error) {
	parsed, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		return nil, fmt.Errorf("reading the schema: %w", err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("schema.json", parsed); err != nil {
		return nil, fmt.Errorf("adding the schema: %w", err)
	}
	compiled, err := c.Compile("schema.json")
	if err != nil {
		return nil, fmt.Errorf("compiling the schema: %w", err)
	}
	return &Schema{compiled}, nil
}

// Validate says what is wrong with a YAML file.
func (s *Schema) Validate(text []byte) error {
	var v any
	if err := yaml.Unmarshal(text, &v); err != nil {
		return fmt.Errorf("it is no YAML: %w", err)
	}
	asJSON, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("it is nothing that JSON has: %w", err)
	}
	parsed, err := jsonschema.UnmarshalJSON(bytes.NewReader(asJSON))
	if err != nil {
		return fmt.Errorf("reading it: %w", err)
	}
	if err := s.compiled.Validate(parsed); err != nil {
		return fmt.Errorf("by the schema: %w", err)
	}
	return nil
}
