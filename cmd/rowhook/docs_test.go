package main

import (
	"bytes"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"rowhook/config"
	"rowhook/dbtest"
	"rowhook/rules"
)

var (
	documentedLine = regexp.MustCompile(`(?m)^ +(?:sudo )?(rowhook .*)$`)
	documentedText = regexp.MustCompile("`(?:sudo )?(rowhook [^`]*)`")
)

// TestDocumentedCommands: each command of the documentation exists, and so do its flags.
func TestDocumentedCommands(t *testing.T) {
	t.Parallel()
	commands := 0
	for file, text := range documents(t) {
		found := append(documentedLine.FindAllSubmatch(text, -1), documentedText.FindAllSubmatch(text, -1)...)
		commands += len(found)
		for _, match := range found {
			line, _, _ := strings.Cut(string(match[1]), "#")
			line, _, _ = strings.Cut(line, " > ")
			line, _, _ = strings.Cut(line, " | ")
			args := strings.Fields(line)[1:]
			var out bytes.Buffer
			if err := command(t.Context(), append(args, "-h"), &out, &out); exitCode(err) != exitDone {
				t.Errorf("%s: %s: %v", file, line, err)
			}
		}
	}
	if commands < 50 {
		t.Errorf("only %d commands are found", commands)
	}
}

// documents are the pages for users.
func documents(t *testing.T) map[string][]byte {
	t.Helper()
	files, err := filepath.Glob("../../docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	pages := map[string][]byte{}
	for _, file := range append(files, "../../README.md") {
		if pages[file], err = os.ReadFile(file); err != nil {
			t.Fatal(err)
		}
	}
	return pages
}

// TestDocumentedLinks: pages link to what is there, and each page is linked to.
func TestDocumentedLinks(t *testing.T) {
	t.Parallel()
	linked := map[string]bool{"../../README.md": true}
	pages := documents(t)
	for file, text := range pages {
		for _, link := range regexp.MustCompile(`\]\(([^)#:]+)(#[^)]*)?\)`).FindAllSubmatch(text, -1) {
			to := filepath.Join(filepath.Dir(file), string(link[1]))
			if _, err := os.Stat(to); err != nil {
				t.Errorf("%s: %v", file, err)
			}
			linked[to] = true
		}
	}
	for file := range pages {
		if !linked[file] {
			t.Errorf("no page links to %s", file)
		}
	}
}

// TestDocumentedSnippets: a server takes the statements and the settings that the pages show, and rowhook the rules and
// configurations. What is written for other languages TestReceivers runs.
func TestDocumentedSnippets(t *testing.T) {
	t.Parallel()
	makefile, err := os.ReadFile("../../Makefile")
	if err != nil {
		t.Fatal(err)
	}
	kinds := map[string]int{}
	for file, text := range documents(t) {
		for _, f := range regexp.MustCompile("(?ms)^( *)```([a-z]*)\n(.*?)^ *```").FindAllSubmatch(text, -1) {
			kind, snippet := string(f[2]), regexp.MustCompile("(?m)^"+string(f[1])).ReplaceAllString(string(f[3]), "")
			kinds[kind]++
			t.Run(fmt.Sprintf("%s/%s%d", filepath.Base(file), kind, kinds[kind]), func(t *testing.T) {
				t.Parallel()
				switch {
				case kind == "yaml":
					tryYAML(t, snippet)
				case kind == "sql":
					trySQL(t, snippet)
				case kind == "ini":
					trySettings(t, snippet)
				case snippets[kind].file == "" || filepath.Base(file) != "receivers.md":
					t.Errorf("nothing runs this:\n%s", snippet)
				}
			})
		}
		for _, m := range regexp.MustCompile(`(?m)^ +make ([a-z-]+)`).FindAllSubmatch(text, -1) {
			if !bytes.Contains(makefile, append([]byte("\n"), append(m[1], ':')...)) {
				t.Errorf("%s: there is no make %s", file, m[1])
			}
		}
	}
	if kinds["yaml"] < 8 || kinds["sql"] < 2 || kinds["ini"] < 1 {
		t.Errorf("too few snippets are found: %v", kinds)
	}
}

// tryYAML reads rules, or a configuration.
func tryYAML(t *testing.T, text string) {
	t.Helper()
	dir := t.TempDir()
	newAuthority(t, dir, "ca")
	files := map[string]string{"password": "secret\n", "outbox-password": "secret\n"}
	for _, m := range regexp.MustCompile(`template_file: (\S+) +# (.+)`).FindAllStringSubmatch(text, -1) { // what is in it is shown beside it
		files[m[1]] = m[2]
	}
	for name, content := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	text = strings.NewReplacer("/etc/rowhook/", dir+"/", "whsec_...", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").Replace(text)
	if strings.HasPrefix(text, "rules:") {
		if err := os.WriteFile(filepath.Join(dir, "rules.yaml"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if set, err := rules.Read(filepath.Join(dir, "*.yaml"), func(string) bool { return true }); err != nil || len(set.Rules) == 0 {
			t.Errorf("rules: %v\n%s", err, text)
		}
		return
	}
	if strings.HasPrefix(text, "cases:") {
		tryCases(t, dir, text)
		return
	}
	if !strings.Contains(text, "sites:") && !strings.Contains(text, "discover:") { // only how to log in is shown
		text += "sites: [{name: salon, schema: wordpress, prefix: wp_}]\n"
	}
	file := filepath.Join(dir, "config.yaml")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := config.Load(file); err != nil {
		t.Errorf("configuration: %v\n%s", err, text)
	}
}

// tryCases tries cases with the rules of the cookbook.
func tryCases(t *testing.T, dir, text string) {
	t.Helper()
	ruleFile := "rules:\n" + strings.Replace(recipes(t)["rescheduled"], "    url:", "    fields: [id, checkin_ts, previous]\n    url:", 1)
	for name, text := range map[string]string{
		"cases.yaml": text, "rules.yaml": ruleFile,
		"config.yaml": "database: {address: 127.0.0.1:1, user: x, password: x}\nsites: [{name: salon, schema: wordpress, prefix: wp_}]\nrules: rules.yaml\nstate_dir: state\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if out, err := rowhook(t, filepath.Join(dir, "config.yaml"), "rules", "test", "--case", filepath.Join(dir, "cases.yaml")); err != nil {
		t.Errorf("cases: %v\n%s", err, out)
	}
}

// trySQL runs statements. Those of a hosting only its servers have; they must be what `rowhook check` prints.
func trySQL(t *testing.T, text string) {
	t.Helper()
	server := dbtest.Start(t)
	server.Exec(t, "CREATE DATABASE wordpress")
	if !strings.Contains(text, "CREATE USER") {
		server.Exec(t, "CREATE USER rowhook@localhost IDENTIFIED BY 'x'")
	}
	for statement := range strings.SplitSeq(strings.TrimSpace(text), ";") {
		switch statement = strings.TrimSpace(statement); {
		case statement == "":
		case strings.HasPrefix(statement, "CALL mysql.rds"):
			if !isPrinted(t, statement) {
				t.Errorf("rowhook check prints something else than %s", statement)
			}
		default:
			server.Exec(t, statement)
		}
	}
}

// TestDocumentedHosting: what is typed at a hosting, which only its servers can run, is what rowhook check prints there.
func TestDocumentedHosting(t *testing.T) {
	t.Parallel()
	found := 0
	for file, text := range documents(t) {
		for _, line := range regexp.MustCompile(`(?m)^ +((?:aws|gcloud) .*)$`).FindAllSubmatch(text, -1) {
			found++
			if !isPrinted(t, string(line[1])) {
				t.Errorf("%s: rowhook check prints something else than %s", file, line[1])
			}
		}
	}
	if found < 2 {
		t.Errorf("only %d lines for hostings are found", found)
	}
}

// isPrinted says whether the checks of the server have a text to print.
func isPrinted(t *testing.T, text string) (found bool) {
	t.Helper()
	err := filepath.WalkDir("../../cdc", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		source, err := os.ReadFile(path)
		found = found || bytes.Contains(source, []byte(text))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// trySettings starts a server with the lines of a my.cnf.
func trySettings(t *testing.T, text string) {
	t.Helper()
	var args []string
	for _, m := range regexp.MustCompile(`(?m)^([a-z_]+) = (\S+)`).FindAllStringSubmatch(text, -1) {
		args = append(args, "--"+strings.ReplaceAll(m[1], "_", "-")+"="+m[2])
	}
	server := dbtest.Start(t, args...)
	dbtest.Salon(t, server, "wordpress", "wp_")
	rowhookUser(t, server)
	var out bytes.Buffer
	if err := command(t.Context(), []string{"check", "--config", daemonFiles(t, server, everyAction("http://127.0.0.1:1"), "")}, &out, io.Discard); err != nil || len(args) < 5 {
		t.Errorf("%q: %v\n%s", args, err, &out)
	}
}
