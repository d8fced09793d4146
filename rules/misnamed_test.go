package rules

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"rowhook/cdc"
)

// TestMisnamed: what a rule names of a table that only the server knows is compared with its columns, each with its own line.
func TestMisnamed(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := filepath.Join(dir, "rules.yaml")
	first := "Post {{.after.ID}}\n{{.after.post_titel}} {{.event.type}}\n"
	const head = "rules:\n- name: a\n  url: https://example.com\n"
	posts := []string{"ID", "post_title", "post_type", "data"}
	for rule, want := range map[string][]string{
		"  action: custom\n  table: posts\n  when: after.post_typo == 'page'":                        {":6: rules[0].when: table s.wp_posts has no column post_typo; did you mean post_type?"},
		"  action: custom\n  table: posts\n  when: |\n    after.ID > 1 &&\n    before?.xyzzy == nil": {":8: rules[0].when: table s.wp_posts has no column xyzzy"},
		"  action: custom\n  table: posts\n  template:\n    id: = after.id\n    all: {title: '= after.post_title', kind: '= payload.data.post_typ'}": {
			":7: rules[0].template.id: table s.wp_posts has no column id; did you mean ID?",
			":8: rules[0].template.all.kind: table s.wp_posts has no column post_typ; did you mean post_type?",
		},
		"  action: custom\n  table: posts\n  template_file: post.txt": {"post.txt:2: rules[0].template_file: table s.wp_posts has no column post_titel; did you mean post_title?"},
		"  action: custom\n  table: posts\n  fields: [type, data.ID, data.post_typ]\n  redact: [old.post_title, key.no]": {
			"has no data.post_typ that is known; did you mean post_type?", "has no key.no that is known",
		},
		"  action: coupon.save\n  load: full\n  fields: [code, cod]\n  when: after.value > 1": {":7: rules[0].when: table s.wp_posts has no column value"},
		"  action: custom\n  table: posts\n  when: get(after, 'newer') != before?.ID && after.data == nil && payload.data.ID > 1 && payload.old.ID == nil && event.key != ''\n" +
			"  template: {a: '= payload.data', b: '= payload.keys', c: '= site', d: '= after'}": nil,
		"  action: coupon.save": nil,
	} {
		if err := os.WriteFile(filepath.Join(dir, "post.txt"), []byte(first), 0o600); err != nil {
			t.Fatal(err)
		}
		list, err := Parse(file, []byte(head+rule+"\n"), nil)
		if err != nil {
			t.Fatalf("%s: %v", rule, err)
		}
		var got []Misnamed
		table, names := list[0].RowTable(&Site{Name: "s", Schema: "s", Prefix: "wp_"})
		if is := strings.Contains(rule, "when") || strings.Contains(rule, "posts"); names != is {
			t.Errorf("%s: it names columns of %s: %t", rule, table, names)
		}
		if names {
			if err := os.WriteFile(filepath.Join(dir, "post.txt"), []byte("changed {{.after.no}}"), 0o600); err != nil { // it is not taken over
				t.Fatal(err)
			}
			got = list[0].Misnamed(cdc.TableName{Schema: "s", Name: "wp_posts"}, posts)
		}
		if !slices.EqualFunc(got, want, func(got Misnamed, want string) bool {
			return strings.Contains(got.Found, want) && got.Spared == strings.Contains(want, "is known")
		}) {
			t.Errorf("%s:\n got %+v\nwant %q", rule, got, want)
		}
	}
}

// TestMisnamedReadsNothing: a rule is asked again and again while it is in force, and what it takes in from files may be gone by then.
func TestMisnamedReadsNothing(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	token := filepath.Join(dir, "token")
	if err := os.WriteFile(token, []byte(strings.Repeat("x", 60<<10)), 0o600); err != nil {
		t.Fatal(err)
	}
	const text = `rules:
- {name: a, url: https://example.com, action: custom, table: posts, template: {token: '${file:token}', id: = after.ID}}
`
	list, err := Parse(filepath.Join(dir, "rules.yaml"), []byte(text), nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 100 {
		if got := list[0].Misnamed(cdc.TableName{}, []string{"ID"}); len(got) > 0 {
			t.Fatalf("the %dth time: %+v", i, got)
		}
		if i == 90 {
			if err := os.Remove(token); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// TestRowTable: conditions for status changes are about the history's rows, and for hooks that leave no row about none.
func TestRowTable(t *testing.T) {
	t.Parallel()
	for action, want := range map[string]string{
		"appointment.status_change": "wp_vikappointments_order_status", "customer.delete": "wp_vikappointments_users",
		"onAfterSaveOption": "wp_vikappointments_option", "onAddItemCart": "", "rowhook.endpoint_down": "",
	} {
		list, err := Parse("rules.yaml", []byte("rules: [{name: a, url: 'https://example.com', action: "+action+", when: 'event.key != \"1\"'}]\n"), nil)
		if err != nil {
			t.Fatal(err)
		}
		if table, names := list[0].RowTable(&Site{Schema: "s", Prefix: "wp_"}); names != (want != "") || table.Name != want {
			t.Errorf("%s: %s, %t", action, table, names)
		}
	}
}
