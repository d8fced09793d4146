package main

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"rowhook/dbtest"
)

// TestCheckLanguages: sites of which the daemon cannot read the language pack are named, each with what fixes it.
func TestCheckLanguages(t *testing.T) {
	t.Parallel()
	server := dbtest.Start(t)
	locales := map[string]string{"open": "it_IT", "none": "de_DE", "hidden": "it_IT", "foreign": "ja", "unknown": "ja", "own": "fr_FR", "english": ""}
	var sites strings.Builder
	home := t.TempDir()
	for name, locale := range locales {
		dbtest.Salon(t, server, "s_"+name, "wp_")
		server.Exec(t, "DELETE FROM s_"+name+".wp_options WHERE option_name = 'WPLANG'")
		server.Exec(t, "INSERT INTO s_"+name+".wp_options (option_name, option_value) VALUES ('WPLANG', ?)", locale)
		sites.WriteString("  - {name: " + name + ", schema: s_" + name + ", prefix: wp_")
		if name != "unknown" && name != "own" {
			sites.WriteString(", root: " + filepath.Join(home, name))
		}
		sites.WriteString("}\n")
	}
	for _, name := range []string{"open", "none"} {
		if err := os.MkdirAll(filepath.Join(home, name, "wp-content", "languages"), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(home, "open/wp-content/languages/it_IT.mo"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	rowhookUser(t, server)
	for name := range locales {
		server.Exec(t, "GRANT SELECT ON `s\\_"+name+"`.* TO rowhook@'%'")
	}
	file := daemonFiles(t, server, everyAction("http://127.0.0.1:1/"), "")
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, _ := strings.Cut(string(text), "sites:")
	_, after, _ := strings.Cut(rest, "\n")
	if err := os.WriteFile(file, []byte(before+"sites:\n"+sites.String()+after), 0o600); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := command(t.Context(), []string{"check", "--config", file}, &out, io.Discard); err != nil {
		t.Errorf("check: %v", err)
	}
	for name, want := range map[string]string{
		"open":    "ok    language of site open: its language pack",
		"none":    "ok    language of site none: its language pack",
		"hidden":  "warn  language of site hidden: stat ",
		"foreign": "warn  language of site foreign: stat ",
		"unknown": "warn  language of site unknown: ja: names of months and days are English",
		"own":     "ok    language of site own: fr_FR: names of months and days are rowhook's own",
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%s: check does not say %q", name, want)
		}
	}
	if strings.Contains(out.String(), "language of site english") || t.Failed() {
		t.Errorf("check says:\n%s", &out)
	}
}

// TestOpenTo: into a folder that its group may look into, a user is let as a member of that group.
func TestOpenTo(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if got := openTo(dir, 1); got != "chmod o+x "+dir {
		t.Error(got)
	}
	if os.Geteuid() != 0 {
		return // others may not give files to other groups
	}
	if err := os.Chmod(dir, 0o750); err != nil {
		t.Fatal(err)
	}
	if err := os.Chown(dir, 0, 1); err != nil {
		t.Fatal(err)
	}
	if got, want := openTo(dir, 0), "usermod -aG "+groupName(dir)+" root; systemctl restart rowhook"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
