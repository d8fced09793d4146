package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"

	"rowhook/cdc"
	"rowhook/config"
)

// checkCommand is `rowhook check`: it looks at everything the daemon depends on, and prints what mends each fault.
func checkCommand(ctx context.Context, args []string, stdout, _ io.Writer) error {
	flags := newFlagSet("check", "looks at the server, the grants, the sites and the rules, and prints what to mend")
	asJSON := flags.Bool("json", false, "print the findings as JSON")
	if err := flags.parse(args, stdout); err != nil {
		return err
	}
	c, err := config.Load(flags.config)
	if err != nil {
		return err
	}
	set, err := readRules(c, flags.config)
	if err != nil {
		return err
	}
	db, err := openDB(c.Database)
	if err != nil {
		return err
	}
	defer db.Close()
	source, err := cdc.Open(ctx, db, sourceConfig(c, 0, slog.New(slog.DiscardHandler)))
	if err != nil {
		return err
	}
	findings, err := source.Check(ctx)
	if err != nil {
		return err
	}
	findings = append(findings, cdc.Finding{
		Check: "rules", OK: true, Warn: len(set.Rules) == 0, Found: fmt.Sprintf("%d in %s", len(set.Rules), c.Rules),
		Fix: "write a rule file, see rules.example/, or: rowhook import > rules.d/imported.yaml",
	})
	if err := report(stdout, findings, *asJSON); err != nil {
		return err
	}
	for _, f := range findings {
		if !f.OK && !f.Warn {
			return errReported
		}
	}
	return nil
}

// report prints findings: for people each with its mend, or as JSON.
func report(w io.Writer, findings []cdc.Finding, asJSON bool) error {
	if asJSON {
		e := json.NewEncoder(w)
		e.SetEscapeHTML(false)
		e.SetIndent("", "  ")
		return e.Encode(findings)
	}
	for _, f := range findings {
		mark := "ok   "
		switch {
		case f.Warn:
			mark = "warn "
		case !f.OK:
			mark = "FAIL "
		}
		if _, err := fmt.Fprintf(w, "%s %s: %s\n", mark, f.Check, f.Found); err != nil {
			return err
		}
		if (f.Warn || !f.OK) && f.Fix != "" {
			if _, err := fmt.Fprintf(w, "      mend it with:  %s\n", f.Fix); err != nil {
				return err
			}
		}
	}
	return nil
}

// hostOf is the host of an address, for the name in a certificate.
func hostOf(address string) string {
	if host, _, err := net.SplitHostPort(address); err == nil {
		return host
	}
	return address
}
