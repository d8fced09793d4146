package main

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
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
	list := endpointList{Daemon: true, Endpoints: []*endpoint{{Name: "https://crm.example.com:443", Rules: names}, {Name: "books", Rules: names[:1]}}}
	var out bytes.Buffer
	if err := list.write(&out); err != nil {
		t.Fatal(err)
	}
	f := firing{Site: "salon", Event: "appointment.save", IDs: []any{1}, Txn: "0-1-55"}
	for _, name := range names {
		f.Rules = append(f.Rules, firingRule{Name: name})
	}
	for i, text := range []string{out.String(), f.String() + "\n"} {
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
