package rules

import (
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"rowhook/config"
	"rowhook/rules/shape"
)

// ruleOf reads one rule, of which the text is what it says besides name, action and url.
func ruleOf(t *testing.T, text string) (*Rule, error) {
	t.Helper()
	dir := t.TempDir()
	for name, content := range map[string]string{
		"rules.yaml": "rules:\n  - name: a\n    action: appointment.save\n    url: https://crm.example.com/a\n    " + text + "\n",
		"taken.txt":  "to={{.after.id}}\nmore&token=${SECRET}", "meant.txt": "`${\"${\"}` {{\"${\"}}SECRET} costs $5", "key": "fromfile\n",
		"written.txt": "id={{.after.id}}&token=hushhush&pin=hushhush",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	set, err := Read(filepath.Join(dir, "rules.yaml"), nil)
	if err != nil {
		return nil, err
	}
	return set.Rules[0], nil
}

func takenValues() *shape.Values {
	return &shape.Values{After: map[string]any{"id": 7, "status": "C$", "purchaser_mail": "a@b.example"}, Site: "salon"}
}

// TestTakenInCondition: what a condition takes in is a text, whatever it holds, and is shown nowhere.
func TestTakenInCondition(t *testing.T) {
	const secret = "se'cret\" || 'a' == 'a"
	t.Setenv("SECRET", secret)
	t.Setenv("BROKEN", "qrstu(vw")
	t.Setenv("ID", "7")
	for text, want := range map[string]bool{
		"after.status == '${SECRET}'":                         false,
		"after.status == '${SECRET}' or after.id == 7":        true,
		`site == "x" or string(after.id) in ['${ID}']`:        true,
		"after.id == int('${ID}')":                            true,
		"after.status == 'C$$'":                               true,
		`after.status matches '^[A-Z][$$]$$'`:                 true,
		"after.purchaser_mail matches '${ID}$$'":              false,
		"'${file:key}' == 'fromfile' and after['id'] == 7":    true,
		"len('${SECRET}') > 10 and '$${ID}' == '$$' + '{ID}'": true,
	} {
		r, err := ruleOf(t, "when: |\n      "+text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if r.Shape.WhenText != text {
			t.Errorf("%s is shown as %s", text, r.Shape.WhenText)
		}
		if got, err := r.Shape.When.Holds(takenValues()); err != nil || got != want {
			t.Errorf("%s: %t, %v", text, got, err)
		}
	}
	for text, want := range map[string]string{
		"after.nothing == '${SECRET}'":          "unknown field nothing\n    after.nothing == '${SECRET}'\n          ^",
		"after['${BROKEN}'] == 1":               "unknown field ***",
		"after.status matches '${BROKEN}'":      "missing closing ): `***`",
		"after.id == ${ID}":                     "${ID} is taken in only within a text: write '${ID}' in quotes, and int('${ID}') for a number\n    after.id == ${ID}\n",
		"${SECRET}":                             "${SECRET} is taken in only within a text",
		"after.status == '5$'":                  "has a lone $; write $$ for a dollar, ${NAME} for an environment variable\n    after.status == '5$'\n                    ^",
		"after.status == '${NOT_THERE_AT_ALL}'": "needs the environment variable NOT_THERE_AT_ALL",
	} {
		_, err := ruleOf(t, "when: |\n      "+text)
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "cret") && !strings.Contains(text, "cret") || strings.Contains(err.Error(), "qrstu") || strings.Contains(err.Error(), "== 'a") {
			t.Errorf("%s: %v", text, err)
		}
	}
	r, err := ruleOf(t, "when: int('${BROKEN}') == after.id")
	if err != nil {
		t.Fatal(err)
	}
	if holds, err := r.Shape.When.Holds(takenValues()); err == nil || strings.Contains(err.Error(), "qrstu") {
		t.Errorf("%t, %v", holds, err)
	}
}

// TestTakenInTemplate: an expression takes in what a text does, and it is a secret there too.
func TestTakenInTemplate(t *testing.T) {
	const secret = "x'y\\\"z"
	t.Setenv("SECRET", secret)
	r, err := ruleOf(t, `template: {auth: "= 'Bearer ${SECRET}'", "id": "= after.id", price: "= '$$' + string(after.id)", plain: "${SECRET} $$"}`)
	if err != nil {
		t.Fatal(err)
	}
	const want = `{"auth":"Bearer x'y\\\"z","id":7,"price":"$7","plain":"x'y\\\"z $"}`
	if got, err := r.Shape.Make(nil, takenValues()); err != nil || string(got) != want {
		t.Errorf("%s, %v; want %s", got, err, want)
	}
	if !slices.Contains(r.Shape.Template.Secrets, secret) {
		t.Errorf("the secrets are %q", r.Shape.Template.Secrets)
	}
	const hidden = `{"auth":"(its value is not shown)","id":7,"price":"$7","plain":"(its value is not shown)"}`
	if got, err := r.Shape.Masked().Make(nil, takenValues()); err != nil || string(got) != hidden {
		t.Errorf("%s, %v; want %s", got, err, hidden)
	}
	if _, err := ruleOf(t, `template: {price: "= '$' + string(after.id)"}`); err == nil || !strings.Contains(err.Error(), "write $$ for a dollar") {
		t.Error(err)
	}
}

// TestNothingIsTakenInByFiles: a template_file that seems to take something in is refused where it stands.
func TestNothingIsTakenInByFiles(t *testing.T) {
	t.Setenv("SECRET", "abcdef")
	if _, err := ruleOf(t, "template_file: taken.txt"); err == nil || !strings.Contains(err.Error(), "taken.txt:2: rules[0].template_file: has ${SECRET}, and a template_file takes in nothing") {
		t.Error(err)
	}
	r, err := ruleOf(t, "template_file: meant.txt")
	if err != nil {
		t.Fatal(err)
	}
	if got, err := r.Shape.Make(nil, takenValues()); err != nil || string(got) != "`${\"${\"}` ${SECRET} costs $5" {
		t.Errorf("%s, %v", got, err)
	}
}

// TestTakenOnce: what was taken in is not looked at again, also where the library has one text in two places; names are no texts.
func TestTakenOnce(t *testing.T) {
	for _, secret := range []string{"b$$c${NOT_THERE_AT_ALL}", "b${SECRET}", "b$c", "b$${x}\\'\""} {
		t.Setenv("SECRET", secret)
		t.Setenv("SAME", secret)
		for _, text := range []string{"'a' < '${SECRET}' < 'c' and '${SECRET}' == '${SAME}'", `len("${SECRET}") == ` + strconv.Itoa(len(secret))} {
			r, err := ruleOf(t, "when: |\n      "+text)
			if err != nil {
				t.Errorf("%s: %v", text, err)
				continue
			}
			if holds, err := r.Shape.When.Holds(takenValues()); err != nil || !holds {
				t.Errorf("%s of %s: %t, %v", text, secret, holds, err)
			}
		}
	}
	r, err := ruleOf(t, `template: {a: "= {a$b: 1}.a$b", b: "= {'a$$b': 2}.a$b"}`)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := r.Shape.Make(nil, takenValues()); err != nil || string(got) != `{"a":1,"b":2}` {
		t.Errorf("%s, %v", got, err)
	}
	if _, err := ruleOf(t, `when: after.status == '\${SECRET}'`); err == nil || !strings.Contains(err.Error(), "invalid char escape") {
		t.Error(err)
	}
}

// TestPartsOfSecrets: who writes a message may cut and escape what it shows.
func TestPartsOfSecrets(t *testing.T) {
	t.Setenv("QUOTED", `hush"er\than`)
	t.Setenv("SHORT", "hush")
	t.Setenv("LONG", "hush-quiet")
	t.Setenv("LAYOUT", "2006-hushed")
	t.Setenv("ESCAPED", `h"u\s"h`)
	t.Setenv("PATTERN", "hush[[:quiet:]]")
	for _, text := range []string{
		"duration('${QUOTED}').Hours() > 1", "duration('${ESCAPED}').Hours() > 1", "int('${SHORT}${LONG}') > 1", "date('2026-quiet${SHORT}', '${LAYOUT}').Year() > 1",
		"date('${LONG}', '2006-01').Year() > 1", "int('" + strings.Repeat("x", 270) + "${LONG}') > 1", "int('" + strings.Repeat("x", 271) + "${ESCAPED}') > 1",
	} {
		r, err := ruleOf(t, `when: "`+text+`"`)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if _, err := r.Shape.When.Holds(takenValues()); err == nil || strings.Contains(err.Error(), "hush") || strings.Contains(err.Error(), "quiet") || strings.Contains(err.Error(), "than") || strings.Contains(err.Error(), `"u`) {
			t.Errorf("%s: %v", text, err)
		}
	}
	if _, err := ruleOf(t, `when: after.status matches '${PATTERN}'`); err == nil || strings.Contains(err.Error(), "quiet") || !strings.Contains(err.Error(), "some of that") {
		t.Error(err)
	}
}

// TestFilesOfExpressionsAway: that a file is not there yet is told apart from what is wrong with an expression.
func TestFilesOfExpressionsAway(t *testing.T) {
	for text, away := range map[string]bool{
		"when: after.status == '${file:later}'":     true,
		`template: {a: "= 'x' + '${file:later}'"}`:  true,
		`template: {a: "${file:later}"}`:            true,
		"when: after.status == '${NOT_THERE_EVER}'": false,
		"when: after.nothing == '${file:key}'":      false,
	} {
		if _, err := ruleOf(t, text); err == nil || config.Away(err) != away {
			t.Errorf("%s: away is %t: %v", text, !away, err)
		}
	}
}

// TestMaskedFile: what a template_file has behind a name that tells of a secret is posted, and not shown.
func TestMaskedFile(t *testing.T) {
	r, err := ruleOf(t, "template_file: written.txt")
	if err != nil {
		t.Fatal(err)
	}
	if got, err := r.Shape.Make(nil, takenValues()); err != nil || string(got) != "id=7&token=hushhush&pin=hushhush" {
		t.Errorf("%s, %v", got, err)
	}
	const hidden = "id=7&token=(its value is not shown)&pin=(its value is not shown)"
	if got, err := r.Shape.Masked().Make(nil, takenValues()); err != nil || string(got) != hidden {
		t.Errorf("%s, %v; want %s", got, err, hidden)
	}
}
