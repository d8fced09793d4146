package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"rowhook/config"
	"rowhook/docs/schemas"
	"rowhook/rules"
	"rowhook/rules/shape"
	"rowhook/schematest"
)

// inventive is a sampler without a database.
func inventive() sampler {
	return sampler{&config.Config{MaxPayload: 16 << 20, Database: config.Database{Address: "127.0.0.1:1", User: "x"}}, []*rules.Site{{Name: "salon", Schema: "wordpress", Prefix: "wp_"}}}
}

// rulesIn reads rules as documents have them: what the environment holds is an address here.
func rulesIn(t *testing.T, text string) []*rules.Rule {
	t.Helper()
	dir := t.TempDir()
	form, err := os.ReadFile("../../rules.example/receivers/form.txt")
	if err != nil {
		t.Fatal(err)
	}
	text = strings.ReplaceAll(text, "${CRM_SIGNING_SECRET}", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
	files := map[string]string{"form.txt": string(form), "rules.yaml": regexp.MustCompile(`\$\{\w+\}`).ReplaceAllString(text, "https://receiver.example.com/a")}
	for _, m := range regexp.MustCompile(`template_file: (\S+) +# (\S*\{\{.+)`).FindAllStringSubmatch(text, -1) { // what is in it is shown beside it
		files[m[1]] = m[2]
	}
	for name, content := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	set, err := rules.Read(filepath.Join(dir, "rules.yaml"), func(string) bool { return true })
	if err != nil || len(set.Rules) == 0 {
		t.Fatalf("%v\n%s", err, text)
	}
	return set.Rules
}

// inventedAs makes a rule's sample, asks its when, and holds what has no shape of its own against the schema of its form.
func inventedAs(t *testing.T, r *rules.Rule, form string) string {
	t.Helper()
	m, err := inventive().of(t.Context(), r)
	if err != nil {
		t.Errorf("a sample of %s: %v", r.Name, err)
		return ""
	}
	if r.Shape == nil || r.Shape.Template == nil && r.Shape.Document == nil && !r.Shape.Previous {
		text, err := schemas.Read(form)
		if err != nil {
			return string(m.Body)
		}
		s, err := schematest.Compile(text)
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Validate(m.Body); err != nil {
			t.Errorf("a sample of %s: %s: %v", r.Name, m.Body, err)
		}
	}
	if r.Shape != nil && r.Shape.When != nil {
		plain := *r
		plain.Shape = nil
		whole, err := inventive().of(t.Context(), &plain)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := r.Shape.When.Holds(inventValues(r, "salon", whole.Body, nil)); err != nil {
			t.Errorf("the condition of %s: %v", r.Name, err)
		}
	}
	return string(m.Body)
}

// schemaOf is the name of a rule's schema.
func schemaOf(r *rules.Rule) string {
	name := r.Action.String()
	if r.Load != 0 {
		name += "." + r.Load.String()
	}
	return name
}

// TestInventedForDocuments: every rule of the examples, the cookbook and docs/rules.md makes a sample, and so does every expression
// that their text has.
func TestInventedForDocuments(t *testing.T) {
	t.Parallel()
	var texts, expressions []string
	for _, glob := range []string{"../../rules.example/*.yaml", "../../rules.example/receivers/*.yaml"} {
		files, err := filepath.Glob(glob)
		if err != nil || len(files) == 0 {
			t.Fatalf("%s: %v, %v", glob, files, err)
		}
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			texts = append(texts, string(text))
		}
	}
	for _, name := range []string{"../../docs/cookbook.md", "../../docs/rules.md"} {
		doc := string(documents(t)[name])
		for _, block := range regexp.MustCompile("(?s)```yaml\n(rules:\n.*?)```").FindAllStringSubmatch(doc, -1) {
			texts = append(texts, block[1])
		}
		for _, span := range regexp.MustCompile("`([^`\n]*\\b(?:after|before|payload)\\b[?.,][^`\n]*)`").FindAllStringSubmatch(doc, -1) {
			expressions = append(expressions, span[1])
		}
	}
	if len(expressions) < 8 {
		t.Errorf("the documents have only the expressions %q", expressions)
	}
	for i, e := range expressions {
		rule := fmt.Sprintf("rules:\n  - name: expression-%d\n    action: appointment.save\n    load: full\n    url: https://receiver.example.com/a\n", i)
		if strings.Contains(e, "{{") {
			if rule = strings.Replace(rule, "full", "extended", 1); strings.Contains(e, "purchaser_phone}}&") || strings.Contains(e, "template_file") {
				continue // of a rule that is read with its file
			}
			texts = append(texts, rule+fmt.Sprintf("    template_file: made.txt # x{{with $}}%s{{end}}\n", strings.TrimPrefix(e, "x")))
			continue
		}
		e = regexp.MustCompile(`int\('\$\{\w+\}'\)`).ReplaceAllString(e, "int('7')") // what is there for others is an address
		quoted, err := json.Marshal("= " + e)
		if err != nil {
			t.Fatal(err)
		}
		texts = append(texts, rule+"    template: {made: "+string(quoted)+"}\n")
	}
	seen := 0
	for _, text := range texts {
		for _, r := range rulesIn(t, text) {
			seen++
			inventedAs(t, r, schemaOf(r))
		}
	}
	if seen < 60 {
		t.Errorf("only %d rules were tried", seen)
	}
}

// TestInventedForms: a sample of every action, in every load, is as its schema says, and every column that holds a point in time is one
// in the payload and in expressions, JSON is JSON, and what no column holds can be read as its type.
func TestInventedForms(t *testing.T) {
	t.Parallel()
	moment := regexp.MustCompile(`^\d{4}-\d\d-\d\d( \d\d:\d\d:\d\d)?$`)
	actions := append(rules.Actions(), rules.RestoredAction())
	for _, a := range actions {
		loads := []string{""}
		if a.Kind == rules.Save || a.Kind == rules.StatusChange {
			loads = nil
			for _, l := range a.Entity.Loads {
				loads = append(loads, l.String())
			}
		}
		for _, load := range loads {
			text := fmt.Sprintf("rules:\n  - name: r\n    action: %s\n    url: https://receiver.example.com/a\n", a)
			if load != "" {
				text += "    load: " + load + "\n"
			}
			r := rulesIn(t, text)[0]
			body := inventedAs(t, r, schemaOf(r))
			var row map[string]any
			if err := json.Unmarshal([]byte(body), &row); err != nil || len(row) == 0 {
				t.Fatalf("%s: %v", body, err)
			}
			if a.Kind == rules.Restored {
				continue
			}
			for name, kind := range a.Columns() {
				of := rules.MomentOf(a.Table(), name)
				if value, ok := row[name]; ok && value != nil && of != "" && load != "extended" && !moment.MatchString(fmt.Sprint(value)) {
					t.Errorf("%s %s: %s is %v", a, load, name, value)
				}
				text, value := inventColumn(a.Table(), name, kind, "")
				if _, isText := value.(string); isText != (kind == shape.Text) || text == "" && of != "" {
					t.Errorf("%s: the column %s is %q, %v", a, name, text, value)
				}
				if of != "" {
					row := "after"
					if a.Kind == rules.Delete {
						row = "before"
					}
					expression := rulesIn(t, fmt.Sprintf("rules:\n  - {name: r, action: %s, url: https://receiver.example.com/a, template: {at: \"= date(%s.%s).Year()\"}}\n", a, row, name))[0]
					if made := inventedAs(t, expression, ""); !strings.HasPrefix(made, `{"at":202`) {
						t.Errorf("%s: the year of %s is %s", a, name, made)
					}
				}
			}
		}
	}
	r := rulesIn(t, `rules:
  - name: r
    action: appointment.save
    load: full
    url: https://receiver.example.com/a
    template:
      day: = date(after.checkin_ts).Format("02.01.2006")
      hour: = after.checkin_ts[11:16]
      same: = payload.checkin_ts == after.checkin_ts && payload.custom_f == after.custom_f
      first: = fromJSON(after.custom_f).CUSTOMF_NAME
      taxes: = fromJSON(after.tax_breakdown)[0].tax
      status: = after.status
`)[0]
	made := inventedAs(t, r, "")
	if !regexp.MustCompile(`^\{"day":"\d\d\.\d\d\.20\d\d","hour":"\d\d:\d\d","same":true,"first":"\w+","taxes":[0-9.]+,"status":"C"\}$`).MatchString(made) {
		t.Errorf("made is %s", made)
	}
}
