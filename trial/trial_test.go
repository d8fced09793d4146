package trial

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"rowhook/loader"
	"rowhook/rules"
)

var update = flag.Bool("update", false, "rewrite the golden file")

func siteOf(name string) *rules.Site {
	for _, s := range []*rules.Site{{Name: "salon", Schema: "wp", Prefix: "wp_"}, {Name: "spa", Schema: "spa", Prefix: "wp_"}} {
		if s.Name == name || name == "" {
			return s
		}
	}
	return nil
}

func ruleSet(t *testing.T) *rules.Set {
	t.Helper()
	set, err := rules.Read("testdata/rules.yaml", func(string) bool { return true })
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range set.Rules {
		if r.Name == "cancelled" {
			r.Sites = map[string]bool{"salon": true}
		}
	}
	return set
}

func TestCases(t *testing.T) {
	t.Parallel()
	set := ruleSet(t)
	cases, err := Read("testdata/cases.yaml", set, siteOf)
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	trial := New(set, loader.Options{})
	for i := range cases {
		o := trial.Run(&cases[i])
		fmt.Fprintf(&b, "%s\n", cases[i].Name)
		for _, f := range o.Faults {
			fmt.Fprintf(&b, "      %s\n", f)
		}
		for _, v := range o.Verdicts { // why not is said of each rule that does not fire
			if v.Fires != (v.Why == "") {
				t.Errorf("%s, rule %s: %t, %q", cases[i].Name, v.Rule, v.Fires, v.Why)
			}
		}
	}
	if *update {
		if err := os.WriteFile("testdata/cases.txt", []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile("testdata/cases.txt")
	if err != nil || b.String() != string(want) {
		t.Errorf("%v, got:\n%s\nwant:\n%s", err, &b, want)
	}
}

// TestWrongCases: what is wrong with a case is said with file, line and key.
func TestWrongCases(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"cases: []": `:1: cases: has none`,
		"cases:\n- {name: a, action: appointment.save, before: {id: 1}}":                                      ":2: cases[0].after: is missing",
		"cases:\n- {name: a, action: appointment.delete, after: {id: 1}}":                                     ":2: cases[0].before: is missing",
		"cases:\n- {name: a, action: appointment.saves, after: {id: 1}}":                                      `:2: cases[0].action: "appointment.saves" is no action`,
		"cases:\n- {name: a, after: {id: 1}}":                                                                 ":2: cases[0].action: is missing",
		"cases:\n- {name: a, action: rowhook.restored, after: {id: 1}}":                                       "has no row that could be written down",
		"cases:\n- {name: a, action: onAddItemCart}":                                                          ":2: cases[0].payload: is missing; onAddItemCart leaves no row",
		"cases:\n- {name: a, action: coupon.save, key: [code], after: {code: x}}":                             ":2: cases[0].key: is for rows of a table",
		"cases:\n- {name: a, time: noon, action: coupon.save, after: {code: x}}":                              `cases[0].time: "noon" is no date and time; write 2026-03-01 09:00:00`,
		"cases:\n- {name: a, table: pages, after: {id: 1}}":                                                   "no rule is for the table pages",
		"cases:\n- {name: a, site: spas, action: coupon.save, after: {id: 1}}":                                `cases[0].site: "spas" is no site`,
		"cases:\n- {name: a, action: coupon.save, after: {cod: x}, want: [cancel, cancelld]}":                 "there is no such column; did you mean code?",
		"cases:\n- {name: a, action: coupon.save, after: {code: [x]}, want: [cancelld]}":                      "there is no rule cancelld; did you mean cancelled?",
		"cases:\n- {name: a, action: coupon.save, after: {code: x}, wants: [cancelled]}":                      "unknown key",
		"cases:\n- {action: coupon.save, after: {code: x}, posts: {x: 1}}":                                    "cases[0].name: is missing",
		"cases:\n- {name: a, action: coupon.save, after: {code: x}, payload: {a: \"= after.nothing +\"}}\n\n": "cases[0].payload",
	} {
		path := filepath.Join(t.TempDir(), "cases.yaml")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := Read(path, ruleSet(t), siteOf); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s\n%v\nwant %s", text, err, want)
		}
	}
}

// TestTimeOfCases: rules about time see the time that a case says, in either form, and else the one that docs/rules.md has.
func TestTimeOfCases(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	set, err := rules.Read(write("rules.yaml", `rules:
  - name: soon
    action: appointment.save
    load: full
    when: date(after.checkin_ts) - date(event.time) < duration("24h")
    template: {time: "= event.time", seconds: "= event.seconds"}
    url: https://crm.example.com/soon
`), func(string) bool { return true })
	if err != nil {
		t.Fatal(err)
	}
	cases := "cases:\n"
	for _, c := range []struct{ time, checkin, posts string }{
		{"", "2026-03-02 08:00:00", `{time: "2026-03-01T09:00:00Z", seconds: 1772355600}`},
		{"", "2026-03-02 10:00:00", ""},
		{"2026-03-01 10:00:01", "2026-03-02 10:00:00", `{time: "2026-03-01T10:00:01Z", seconds: 1772359201}`},
		{"2026-03-01 10:00:00", "2026-03-02 10:00:00", ""},
		{"2026-03-01T10:00:01.5+01:00", "2026-03-02 09:00:00", `{time: "2026-03-01T09:00:01.5Z", seconds: 1772355601}`},
		{"2026-03-01T10:00:00+01:00", "2026-03-02 09:00:00", ""},
	} {
		cases += fmt.Sprintf("- {name: a, action: appointment.save, after: {checkin_ts: %q}, ", c.checkin)
		if c.time != "" {
			cases += fmt.Sprintf("time: %q, ", c.time)
		}
		if c.posts != "" {
			cases += "want: [soon], posts: {soon: " + c.posts + "}, "
		}
		cases += "}\n"
	}
	read, err := Read(write("cases.yaml", cases), set, siteOf)
	if err != nil {
		t.Fatal(err)
	}
	trial := New(set, loader.Options{})
	for i := range read {
		if o := trial.Run(&read[i]); len(o.Faults) > 0 {
			t.Errorf("%s: %s", read[i].Place, strings.Join(o.Faults, "\n"))
		}
	}
}
