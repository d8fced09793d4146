package main

import (
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"rowhook/printable"
	"rowhook/setup"
)

// tell says what was found and done, and what remains to be typed.
func (w *initWork) tell(out io.Writer) error {
	var b strings.Builder
	w.tellFound(&b)
	w.tellAccount(&b)
	w.tellLog(&b)
	w.tellFiles(&b)
	fmt.Fprintf(&b, "\nThen type:\n    %s\n", strings.Join(w.next(), "\n    "))
	_, err := io.WriteString(out, b.String())
	return err
}

// next is the commands to type when all that init says is done.
func (w *initWork) next() []string {
	with := w.with()
	run := "rowhook run" + with
	if _, err := os.Stat("/run/systemd/system"); err == nil && with == "" {
		run = "systemctl enable --now rowhook"
	}
	return []string{"rowhook check" + with, run}
}

// with is what commands need to find the configuration.
func (w *initWork) with() string {
	if w.file == defaultConfig {
		return ""
	}
	return " --config " + w.file
}

// initReport is what init writes for programs. It has no password but the one in statements, which somebody has to type.
type initReport struct {
	Server     string         `json:"server"`
	Version    string         `json:"version"`
	Hosting    string         `json:"hosting"`
	Sites      []initSite     `json:"sites"`
	Missing    []initSite     `json:"missing_sites,omitempty"` // in a configuration that was there
	Left       []leftWebhooks `json:"webhooks_left,omitempty"` // of which no rule is made, for there are rules
	User       string         `json:"user"`
	Applied    bool           `json:"applied"`                // the user is made
	Statements []string       `json:"statements,omitempty"`   // that make it
	Lines      []string       `json:"server_lines,omitempty"` // for the server's configuration
	LinesFile  string         `json:"server_file,omitempty"`  // where they go
	Restart    bool           `json:"restart"`                // of the server is needed
	Typed      []string       `json:"server_typed,omitempty"` // what is typed at the server instead, or without a restart
	Written    []string       `json:"files_written"`
	Kept       []string       `json:"files_kept"`
	Faulty     string         `json:"config_error,omitempty"` // why a configuration that was there cannot be read
	Next       []string       `json:"next"`                   // commands
}

type initSite struct {
	Name   string `json:"name"`
	Schema string `json:"schema"`
	Prefix string `json:"prefix"`
	Root   string `json:"root"`
}

func (w *initWork) report() initReport {
	log := w.server.Log()
	r := initReport{
		Server: w.server.Address, Version: w.server.Survey.Version, Hosting: w.server.Survey.Hosting, Sites: initSites(w.server.Sites), Missing: initSites(w.missing), Left: w.left,
		User: w.account.User, Applied: w.applied, Lines: log.Lines, LinesFile: log.File, Restart: log.Restart,
		Typed: slices.Concat(log.Typed, log.Now), Written: []string{}, Kept: []string{}, Next: w.next(),
	}
	if !w.applied {
		r.Statements = w.server.Statements(w.account)
	}
	for _, f := range w.files {
		if w.written[f.Path] {
			r.Written = append(r.Written, f.Path)
		} else {
			r.Kept = append(r.Kept, f.Path)
		}
	}
	if w.faulty != nil {
		r.Faulty = w.faulty.Error()
	}
	return r
}

func initSites(sites []setup.Site) []initSite {
	list := []initSite{}
	for _, s := range sites {
		list = append(list, initSite{s.Name, s.Schema, s.Prefix, s.Root})
	}
	return list
}

func (w *initWork) tellFound(b *strings.Builder) {
	fmt.Fprintf(b, "Found at the database server %s (%s, %s):\n", w.server.Address, w.server.Survey.Version, w.server.Survey.Hosting)
	for _, site := range w.server.Sites {
		fmt.Fprintf(b, "    site %s: schema %s, prefix %s, WordPress in %s\n", site.Name, site.Schema, site.Prefix, site.Root)
	}
	for _, c := range w.installs {
		for _, note := range c.Notes {
			fmt.Fprintf(b, "    note: %s; if the web server has it set, run init with it, or with --value\n", note)
		}
	}
}

func (w *initWork) tellAccount(b *strings.Builder) {
	if w.applied {
		fmt.Fprintf(b, "\nThe database user %s is made, may read the log and the sites' tables, and can log in.\n", w.account.User)
		return
	}
	b.WriteString("\nThe database user: type this as an administrator of the server (or run init again with --apply):\n")
	for _, statement := range w.server.Statements(w.account) {
		fmt.Fprintf(b, "    %s;\n", statement)
	}
}

func (w *initWork) tellLog(b *strings.Builder) {
	log := w.server.Log()
	if len(log.Lines)+len(log.Typed) == 0 {
		b.WriteString("\nThe server's log is as it must be; no restart is needed.\n")
	}
	if len(log.Typed) > 0 {
		fmt.Fprintf(b, "\nThe server's log (%s): type\n", w.server.Survey.Hosting)
		for _, line := range log.Typed {
			fmt.Fprintf(b, "    %s\n", line)
		}
	}
	if len(log.Lines) == 0 {
		return
	}
	fmt.Fprintf(b, "\nThe server's log: put these lines into %s\n    [mysqld]\n", log.File)
	for _, line := range log.Lines {
		fmt.Fprintf(b, "    %s\n", line)
	}
	if log.Restart {
		b.WriteString("and restart the server: a restart is needed.\n")
		return
	}
	b.WriteString("No restart is needed when you type this as well, and restart PHP-FPM, for open connections keep the old values:\n")
	for _, statement := range log.Now {
		fmt.Fprintf(b, "    %s;\n", statement)
	}
}

func (w *initWork) tellFiles(b *strings.Builder) {
	b.WriteString("\nFiles:\n")
	for _, f := range w.files {
		what := "kept     "
		if w.written[f.Path] {
			what = "written  "
		}
		fmt.Fprintf(b, "    %s%s\n", what, f.Path)
	}
	if w.imported.text != nil {
		fmt.Fprintf(b, "    made of the plugin's webhooks: %s, of which disabled: %d; as comments: %d. Unpublish them in the plugin once rowhook runs,\n"+
			"    and see fidelity in the configuration: plugin keeps to what the plugin posted\n", count(w.imported.rules, "rule"), w.imported.disabled, w.imported.refused)
	}
	if w.faulty != nil {
		fmt.Fprintf(b, "    to be corrected: %v\n", w.faulty)
	}
	if len(w.missing) > 0 {
		fmt.Fprintf(b, "    to be added under sites: in %s, then restart rowhook:\n%s", w.file, setup.SiteLines(w.missing))
	}
	for _, left := range w.left {
		has := fmt.Sprintf("%s, published of them: %d", count(left.Webhooks, "webhook"), left.Published)
		if left.Unread != "" {
			has = printable.Line(left.Unread)
		}
		fmt.Fprintf(b, "    no rules are made of the plugin's webhooks of site %s, for there are rules: %s. Once the site stands under sites:,\n"+
			"    this makes them; then see rowhook rules validate, restart rowhook, and unpublish them in the plugin:\n        %s\n", left.Site, has, left.Import)
	}
}
