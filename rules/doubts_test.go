package rules

import (
	"slices"
	"strings"
	"testing"
)

// TestDoubts: what is allowed, and most likely not meant, is told when the file is read.
func TestDoubts(t *testing.T) {
	t.Parallel()
	const missing = "of what is new there is no before.status, so it fails then; write before?.status, or type: update"
	for rule, want := range map[string][]string{
		`action: appointment.save, when: 'before.status != after.status'`:                             {"a.yaml:1: rules[0].when: " + missing},
		`action: appointment.save, type: update, when: 'before.status != after.status'`:               nil,
		`action: appointment.save, when: 'before?.status != after.status'`:                            nil,
		`action: appointment.save, when: 'before != nil && before.status != after.status'`:            nil,
		`action: appointment.save, when: 'event.type == "update" && before.status != after.status'`:   nil,
		`action: appointment.delete, when: 'before.status == "C"'`:                                    nil,
		`action: custom, table: posts, when: 'before.post_title != after.post_title'`:                 {"a.yaml:1: rules[0].when: of what is new there is no before.post_title, so it fails then; write before?.post_title, or on: [update]"},
		`action: custom, table: posts, "on": [update], when: 'before.post_title != after.post_title'`: nil,
		`action: appointment.save, template: {a: "= before.status"}`:                                  {"a.yaml:1: rules[0].template: " + missing},
		`action: appointment.save, template: {a: after.status, b: ["{{.after.id}}", "mail before 5", "= after.id"]}`: {
			`a.yaml:1: rules[0].template.a: is posted as it is, after.status; an expression begins with =, as in "= after.id"`,
			`a.yaml:1: rules[0].template.b[0]: is posted as it is, {{.after.id}}; an expression begins with =, as in "= after.id"`,
		},
	} {
		list, err := Parse("a.yaml", []byte("rules: [{name: a, url: 'http://a/', "+rule+"}]\n"), nil)
		if err != nil {
			t.Errorf("%s: %v", rule, err)
			continue
		}
		if got := list[0].Doubts; !slices.Equal(got, want) {
			t.Errorf("%s:\n got %s\nwant %s", rule, strings.Join(got, "\n     "), strings.Join(want, "\n     "))
		}
	}
}
