package main

import (
	"strings"
	"testing"

	"rowhook/deliver/delivertest"
	"rowhook/docs/schemas"
	"rowhook/rules"
	"rowhook/schematest"
)

// conforms holds what a receiver got by a rule for a table or a hook against the schema that docs/payloads.md links to.
func conforms(t *testing.T, r *delivertest.Request) {
	t.Helper()
	action, name := r.Header.Get("X-VAP-WEBHOOK-ACTION"), "custom.save"
	if strings.HasPrefix(string(r.Body), `{"type":"delete"`) {
		name = "custom.delete"
	}
	if action != "custom" {
		a, err := rules.ParseAction(action)
		if err != nil {
			t.Fatal(err)
		}
		name = map[rules.Kind]string{rules.Save: "hook.save", rules.Delete: "hook.delete", rules.Publish: "hook.publish"}[a.Kind]
		switch {
		case a.Entity.Relay:
			name = "hook.relay"
		case !a.Entity.Hooks:
			return // TestReferenceRecorded has those
		}
	}
	text, err := schemas.Read(name)
	if err != nil {
		t.Fatal(err)
	}
	s, err := schematest.Compile(text)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Validate(r.Body); err != nil {
		t.Errorf("%s: %s: %v", name, r.Body, err)
	}
}
