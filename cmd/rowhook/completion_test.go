package main

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/spf13/cobra"
)

// TestCompletion: a shell that asks is told what there is: commands, flags, and the names of what the configuration has.
func TestCompletion(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := filepath.Join(dir, "config.yaml")
	for path, text := range map[string]string{
		file: "database: {address: /nowhere/mysqld.sock, user: rowhook}\nrules: rules.d/*.yaml\nstate_dir: " + dir + "\n" +
			"sites: [{name: salon, schema: wordpress, prefix: wp_}, {name: spa, schema: wordpress, prefix: wp_2_}]\n",
		filepath.Join(dir, "rules.d", "all.yaml"): "rules:\n" +
			"  - {name: crm, action: appointment.save, url: 'https://crm.example.com/a'}\n" +
			"  - {name: books, action: appointment.save, url: 'https://crm.example.com/b', order_group: accounts}\n" +
			"  - {name: old, action: appointment.save, url: 'https://old.example.com', enabled: false}\n",
	} {
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for typed, want := range map[string]string{
		"deliveries re":                     "retry",
		"po":                                "position",
		"sites resume ":                     "salon spa",
		"sites resume salon ":               "",
		"import --site ":                    "salon spa",
		"backfill --site s":                 "salon spa",
		"backfill --rule ":                  "crm books old",
		"events --rule ":                    "crm books old",
		"events --from ":                    "start now",
		"outbox copy --to ":                 "mysql sqlite",
		"deliveries list --rule ":           "crm books old",
		"deliveries list --rule crm,":       "crm,crm crm,books crm,old",
		"deliveries retry --state dead,":    "dead,fresh dead,waiting dead,delivered dead,dead dead,held",
		"deliveries drop --entity ":         strings.Join(entityNames(), " "),
		"endpoints pause ":                  "https://crm.example.com:443 accounts",
		"endpoints resume ":                 "https://crm.example.com:443 accounts",
		"deliveries list --endpoint ":       "https://crm.example.com:443 accounts",
		"position set --no":                 "--now",
		"completion ":                       "bash fish zsh",
		"help sites ":                       "list resume",
		"deliveries list --config ":         "yaml yml",
		"deliveries list --since ":          "",
		"version --":                        "--help --json",
		"deliveries list --config /nowhere": "yaml yml",
	} {
		words := strings.Split(typed, " ")
		args := slices.Concat([]string{cobra.ShellCompNoDescRequestCmd, "--config", file}, words)
		var out bytes.Buffer
		if err := command(t.Context(), args, &out, io.Discard); err != nil {
			t.Errorf("rowhook %s: %v", typed, err)
		}
		lines := strings.Fields(out.String())
		if got := strings.Join(lines[:len(lines)-1], " "); got != want { // the last line says what the shell may add
			t.Errorf("rowhook %s: %q, want %q", typed, got, want)
		}
	}
	for _, shell := range []string{"bash", "zsh", "fish"} {
		var out bytes.Buffer
		if err := command(t.Context(), []string{"completion", shell}, &out, io.Discard); err != nil || !strings.Contains(out.String(), "__complete") {
			t.Errorf("rowhook completion %s: %v, %d bytes", shell, err, out.Len())
		}
	}
}

// TestManPages: each command that a person may type has a page, which says what it does, its flags, and how it is typed.
func TestManPages(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "man")
	if err := command(t.Context(), []string{"man", dir}, io.Discard, io.Discard); err != nil {
		t.Fatal(err)
	}
	pages := 0
	tree := newTree(io.Discard, io.Discard)
	tree.visit(func(c *cobra.Command) {
		if c.Hidden {
			return
		}
		pages++
		text, err := os.ReadFile(filepath.Join(dir, strings.ReplaceAll(c.CommandPath(), " ", "-")+".8"))
		if err != nil {
			t.Error(err)
			return
		}
		for _, part := range []string{".SH NAME", ".SH SYNOPSIS", ".SH EXAMPLE", "\\fB--config\\fP"} {
			if !bytes.Contains(text, []byte(part)) && (part != ".SH EXAMPLE" || c.Example != "") {
				t.Errorf("the page of %s has no %s", c.CommandPath(), part)
			}
		}
	})
	found, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil || len(found) != pages || pages < 20 {
		t.Errorf("%d pages for %d commands, %v", len(found), pages, err)
	}
}

// TestPagesDate: man pages are of the same month wherever they are made.
func TestPagesDate(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 1, 1, 5, 0, 0, 0, time.FixedZone("", 20700))
	for epoch, want := range map[string]string{"1767225599": "Dec 2025", "1767225600": "Jan 2026", "": "Dec 2025", "soon": "Dec 2025"} {
		if got := pagesDate(epoch, now).Format("Jan 2006"); got != want {
			t.Errorf("%q: %s, want %s", epoch, got, want)
		}
	}
}
