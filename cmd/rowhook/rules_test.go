package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"rowhook/api"
	"rowhook/config"
)

// setUp writes a configuration with one site, and rule files by name.
func setUp(t *testing.T, ruleFiles map[string]string) (configFile string) {
	t.Helper()
	dir := t.TempDir()
	configFile = filepath.Join(dir, "config.yaml")
	write := func(path, content string) {
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(configFile, "sites: [{name: salon, schema: wordpress}]\n")
	for name, content := range ruleFiles {
		write(filepath.Join(dir, "rules.d", name), content)
	}
	return configFile
}

const twoRules = `rules:
  - name: crm-bookings
    action: onAfterSaveReservation
    type: insert
    statuses: [P, C]
    load: full
    url: https://user:hunter2@crm.example.com/hook
    secret: hunter2
    sites: [salon]
    id: 12
  - {name: gone, enabled: false, action: coupon.delete, url: "http://a"}
`

// runRules runs the command in the configuration's folder, whose name it takes out of what was written.
func runRules(t *testing.T, configFile string, args ...string) (string, error) {
	t.Helper()
	var out bytes.Buffer
	err := command(t.Context(), append([]string{"rules", "--config", configFile}, args...), &out, io.Discard)
	return strings.ReplaceAll(out.String(), filepath.Dir(configFile)+"/", ""), err
}

func TestRulesList(t *testing.T) {
	t.Parallel()
	configFile := setUp(t, map[string]string{"crm.yaml": twoRules})
	got, err := runRules(t, configFile, "list")
	want := `NAME          ENABLED  ACTION            TYPE    STATUSES  LOAD  SITES  URL                             FILE
crm-bookings  yes      appointment.save  insert  C,P       full  salon  https://…@crm.example.com/hook  rules.d/crm.yaml:2
gone          no       coupon.delete     -       all       -     all    http://a/                       rules.d/crm.yaml:11
`
	if err != nil || got != want {
		t.Errorf("%v, got:\n%s\nwant:\n%s", err, got, want)
	}
	got, err = runRules(t, configFile, "list", "--show-secrets")
	if err != nil || !strings.Contains(got, "https://user:hunter2@crm.example.com/hook  ") {
		t.Errorf("%v, got:\n%s", err, got)
	}
	got, err = runRules(t, configFile, "list", "--json")
	var list []api.Rule
	if err != nil || json.Unmarshal([]byte(got), &list) != nil || len(list) != 2 || strings.Contains(got, "hunter2") {
		t.Fatalf("%v, got:\n%s", err, got)
	}
	if list[1].Enabled {
		t.Errorf("the disabled one: %+v", list[1])
	}
	if r := list[0]; !r.Enabled || r.ID != 12 || !r.Secret || r.Signed || r.Hook != "onAfterSaveReservation" || r.Place != "rules.d/crm.yaml:2" {
		t.Errorf("got %+v", r)
	}
}

func TestRulesValidate(t *testing.T) {
	t.Parallel()
	configFile := setUp(t, map[string]string{"a.yaml": twoRules, "b.yaml": ""})
	got, err := runRules(t, configFile, "validate")
	want := "2 rules in 2 files, 1 disabled: valid\n" +
		"warning: rules.d/b.yaml has no rules; write them (rules.example/ has one for each action), or remove the file\n"
	if err != nil || got != want {
		t.Errorf("got %q, %v", got, err)
	}
	got, err = runRules(t, configFile, "validate", "--json")
	var answer struct {
		Valid    bool
		Rules    int
		Files    []string
		Warnings []string
	}
	if err != nil || json.Unmarshal([]byte(got), &answer) != nil || !answer.Valid || answer.Rules != 2 || len(answer.Files) != 2 || len(answer.Warnings) != 1 {
		t.Errorf("got %q, %v", got, err)
	}
}

// TestRulesWarnings: the kinds of files that hold no rule, and rules of which none posts. `check` says the same.
func TestRulesWarnings(t *testing.T) {
	t.Parallel()
	const live, off = "rules: [{name: a, action: coupon.save, url: http://a}]", "rules: [{name: b, enabled: false, action: coupon.save, url: http://a}]"
	for name, c := range map[string]struct {
		files map[string]string
		want  []string
	}{
		"a rule":       {map[string]string{"a.yaml": live}, nil},
		"one disabled": {map[string]string{"a.yaml": live, "b.yaml": off}, nil},
		"all disabled": {map[string]string{"b.yaml": off}, []string{"every rule is disabled"}},
		"empty":        {map[string]string{"a.yaml": ""}, []string{"a.yaml has no rules"}},
		"comments":     {map[string]string{"a.yaml": "# rules:\n"}, []string{"a.yaml has no rules"}},
		"null":         {map[string]string{"a.yaml": "rules:\n"}, []string{"a.yaml has no rules"}},
		"empty list":   {map[string]string{"a.yaml": "rules: []"}, []string{"a.yaml has no rules"}},
		"two of three": {map[string]string{"a.yaml": "", "b.yaml": live, "c.yaml": ""}, []string{"a.yaml has no rules", "c.yaml has no rules"}},
	} {
		configFile := setUp(t, c.files)
		got, err := runRules(t, configFile, "validate")
		if err != nil || strings.Count(got, "\nwarning: ") != len(c.want) {
			t.Errorf("%s: %v, got:\n%s", name, err, got)
		}
		conf, err := config.Load(configFile)
		if err != nil {
			t.Fatal(err)
		}
		set, err := readRules(conf, configFile)
		if err != nil {
			t.Fatal(err)
		}
		findings := checkRules(set)
		if f := findings[0]; !f.OK || f.Warn || len(findings) != len(c.want)+1 {
			t.Errorf("%s: check finds %+v", name, findings)
		}
		for i, want := range c.want {
			if f := findings[i+1]; !f.OK || !f.Warn || !strings.HasSuffix(f.Found, want) && !strings.HasPrefix(f.Found, want) || f.Fix == "" {
				t.Errorf("%s: check finds %+v, want %s", name, f, want)
			}
			if !strings.Contains(got, want) {
				t.Errorf("%s: validate lacks %s", name, want)
			}
		}
	}
}

func TestRulesFaults(t *testing.T) {
	t.Parallel()
	bad := setUp(t, map[string]string{"a.yaml": "rules:\n- {name: a, action: coupon.save, url: a, sites: [spa]}\n", "b.yaml": "rule: 1"})
	none := setUp(t, nil)
	noSite := setUp(t, nil)
	if err := os.WriteFile(noSite, []byte("sites: []"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		file   string
		faults int
	}{"rules": {bad, 3}, "no files": {none, 1}, "configuration": {noSite, 1}, "no configuration": {bad + "x", 1}} {
		for _, command := range []string{"list", "validate"} {
			got, err := runRules(t, c.file, command)
			if n := len(config.Errors(err)); n != c.faults || got != "" {
				t.Errorf("%s, %s: %d faults in %v, wrote %q", name, command, n, err, got)
			}
		}
		got, err := runRules(t, c.file, "validate", "--json")
		var answer struct {
			Valid  bool
			Errors []struct{ File, Message string }
		}
		if err == nil || json.Unmarshal([]byte(got), &answer) != nil || answer.Valid || len(answer.Errors) != c.faults || answer.Errors[0].Message == "" {
			t.Errorf("%s: got %s, %v", name, got, err)
		}
	}
}

func TestRulesUsage(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{nil, {"explode"}, {"--json"}, {"list", "x"}, {"list", "--nope"}, {"validate", "--config"}} {
		var out bytes.Buffer
		err := command(t.Context(), append([]string{"rules"}, args...), &out, io.Discard)
		if _, ok := errors.AsType[*usageError](err); !ok || !strings.Contains(err.Error(), "\ntry: rowhook rules ") || out.Len() > 0 {
			t.Errorf("%q: got %v, wrote %q", args, err, out.String())
		}
	}
	var out bytes.Buffer
	err := command(t.Context(), []string{"rules", "list", "-h"}, &out, io.Discard)
	if err != nil || !strings.Contains(out.String(), "--config FILE") || !strings.Contains(out.String(), defaultConfig) {
		t.Errorf("got %v, wrote %q", err, out.String())
	}
}
