package main

import (
	"bytes"
	"encoding"
	"encoding/json"
	"fmt"
	"io"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"rowhook/api"
	"rowhook/cdc"
	"rowhook/deliver"
	"rowhook/pipeline"
)

func TestFew(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 100) // the longest name of a rule
	for want, names := range map[string][]string{
		"":                              nil,
		"crm":                           {"crm"},
		"crm, erp, a, b":                {"crm", "erp", "a", "b"},
		"5 rules: crm, erp, a, b, ...":  {"crm", "erp", "a", "b", "c"},
		long:                            {long},
		"2 rules: " + long + ", ...":    {long, "crm"},
		"3 rules: crm, ...":             {"crm", long, long},
		"64 rules: r0, r1, r2, r3, ...": ruleNames(64),
	} {
		if got := few(names); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func ruleNames(n int) (names []string) {
	for i := range n {
		names = append(names, fmt.Sprintf("r%d", i))
	}
	return names
}

// TestManyRulesStayReadable: an endpoint and an event are a line each, however many rules they have, and no line is long.
func TestManyRulesStayReadable(t *testing.T) {
	t.Parallel()
	names := ruleNames(64)
	list := endpointList{EndpointList: api.EndpointList{Daemon: true, Endpoints: []*api.Endpoint{{Name: "https://crm.example.com:443", Rules: names}, {Name: "books", Rules: names[:1]}}}}
	var out bytes.Buffer
	if err := list.write(&out); err != nil {
		t.Fatal(err)
	}
	f := api.Firing{Site: "salon", Event: "appointment.save", IDs: []any{1}, Txn: "0-1-55"}
	for _, name := range names {
		f.Rules = append(f.Rules, api.FiringRule{Name: name})
	}
	for i, text := range []string{out.String(), firingLine(&f) + "\n"} {
		if strings.Count(text, "\n") != 3-2*i || strings.Count(text, "64 rules: r0, r1, r2, r3, ...") != 1 {
			t.Errorf("got:\n%s", text)
		}
		for line := range strings.Lines(text) {
			if len(line) > 160 {
				t.Errorf("a line of %d bytes: %s", len(line), line)
			}
		}
	}
	var asJSON bytes.Buffer
	if err := writeJSON(&asJSON, list); err != nil || !strings.Contains(asJSON.String(), `"r63"`) {
		t.Errorf("%v: JSON lacks a rule:\n%s", err, &asJSON)
	}
	if err := writeJSONLine(&asJSON, f); err != nil || strings.Count(asJSON.String(), `"r63"`) != 2 {
		t.Errorf("%v: JSON lacks a rule:\n%s", err, &asJSON)
	}
}

// TestJSONNames: all that commands write for programs has names in snake_case.
func TestJSONNames(t *testing.T) {
	t.Parallel()
	name := regexp.MustCompile(`^[a-z][a-z0-9]*(_[a-z0-9]+)*$`)
	var look func(where string, typ reflect.Type)
	look = func(where string, typ reflect.Type) {
		switch typ.Kind() {
		case reflect.Pointer, reflect.Slice, reflect.Map:
			look(where, typ.Elem())
			return
		case reflect.Struct:
		default:
			return
		}
		if typ.Implements(reflect.TypeFor[json.Marshaler]()) || typ.Implements(reflect.TypeFor[encoding.TextMarshaler]()) {
			return
		}
		for f := range typ.Fields() {
			tag, _, _ := strings.Cut(f.Tag.Get("json"), ",")
			if f.IsExported() && tag != "-" {
				if !f.Anonymous && !name.MatchString(tag) {
					t.Errorf("%s.%s is written as %q", where, f.Name, tag)
				}
				look(where+"."+f.Name, f.Type)
			}
		}
	}
	for _, v := range []any{
		[]cdc.Finding{}, api.Delivery{}, deliver.Retried{}, api.EndpointChange{}, endpointList{}, siteList{}, shownPosition{}, api.PositionChange{}, []api.Rule{},
		[]pipeline.Run{}, api.Firing{}, api.Loss{}, initReport{},
	} {
		look(fmt.Sprintf("%T", v), reflect.TypeOf(v))
	}
}

// TestJSONWherePossible: every command that says something takes --json, but for those whose output has a form of its own.
func TestJSONWherePossible(t *testing.T) {
	t.Parallel()
	own := []string{"rowhook run", "rowhook relay", "rowhook import", "rowhook deliveries export", "rowhook help", "rowhook man", "rowhook completion bash", "rowhook completion zsh", "rowhook completion fish"}
	tree := newTree(io.Discard, io.Discard)
	tree.visit(func(c *cobra.Command) {
		if has := c.Flags().Lookup("json") != nil; !c.HasSubCommands() && has == slices.Contains(own, c.CommandPath()) {
			t.Errorf("%s: --json: %v", c.CommandPath(), has)
		}
	})
}
