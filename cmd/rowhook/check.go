package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"strings"

	"github.com/spf13/cobra"

	"rowhook/cdc"
	"rowhook/config"
	"rowhook/outbox/mysql"
	"rowhook/printable"
	"rowhook/rules"
)

// checkCommand is `rowhook check`: it looks at everything the daemon depends on, and prints what fixes each fault.
func (t *tree) checkCommand() *cobra.Command {
	c := &cobra.Command{
		Use: "check", Short: "look at the server, the grants, the sites and the rules, and print what to fix",
		Long: "Looks at everything that the daemon depends on: the server and its log, the grants, the sites' tables and the rules, and\n" +
			"prints what fixes each fault. It fails when there is one.",
		Example: "  rowhook check\n  rowhook check --json",
	}
	asJSON := jsonFlag(c)
	return prints(c, 0, 0, func(ctx context.Context, _ []string, stdout, _ io.Writer) error { return t.check(ctx, *asJSON, stdout) })
}

func (t *tree) check(ctx context.Context, asJSON bool, stdout io.Writer) error {
	c, err := config.Load(t.config)
	if err != nil {
		return err
	}
	set, err := readRules(c, t.config)
	if err != nil {
		return err
	}
	var findings []cdc.Finding
	if !c.Deliver.Only { // else it never reads the database
		if findings, err = checkDatabase(ctx, c, set); err != nil {
			return err
		}
	}
	findings = append(findings, checkOutbox(ctx, c)...)
	findings = append(findings, checkMachines(ctx, c, set)...)
	findings = append(findings, checkRules(set)...)
	findings = append(findings, checkFiles(c, t.config, set)...)
	findings = append(findings, checkSandbox(unitOf(ctx), c, t.config, set)...)
	findings = append(findings, checkStanding(ctx, c)...) // it gives up root's rights
	findings = append(findings, checkUnseen(ctx, c)...)
	if err := report(stdout, findings, asJSON); err != nil {
		return err
	}
	for _, f := range findings {
		if !f.OK && !f.Warn {
			return errReported
		}
	}
	return nil
}

// checkOutbox looks at the server that holds the outbox, where one does.
func checkOutbox(ctx context.Context, c *config.Config) (findings []cdc.Finding) {
	if !c.Outbox.MySQL.Used() {
		return nil
	}
	for _, f := range mysql.Check(ctx, sharedOutbox{c}.server()) {
		findings = append(findings, cdc.Finding{Check: "outbox " + f.Name, OK: f.Grade != mysql.Fail, Warn: f.Grade == mysql.Warn, Found: f.Found, Fix: f.Fix})
	}
	return findings
}

// checkRules looks at rules that can be read.
func checkRules(set *rules.Set) []cdc.Finding {
	findings := []cdc.Finding{{Check: "rules", OK: true, Found: countRules(set)}}
	for _, warning := range warnings(set) {
		found, fix, _ := strings.Cut(warning, "; ")
		findings = append(findings, cdc.Finding{Check: "rules", OK: true, Warn: true, Found: found, Fix: fix})
	}
	return findings
}

// checkDatabase looks at the database. One that does not answer, or lets nobody in, is a finding too.
func checkDatabase(ctx context.Context, c *config.Config, set *rules.Set) ([]cdc.Finding, error) {
	server := serverOf(c.Database)
	db := server.Pool()
	defer db.Close()
	if err := presentSites(ctx, db, c); err != nil {
		return []cdc.Finding{{Check: "server", Found: err.Error(), Fix: server.Advice(err)}}, ctx.Err()
	}
	source, err := cdc.Open(ctx, db, sourceConfig(c, set, server, 0, slog.New(slog.DiscardHandler)))
	if err != nil {
		return []cdc.Finding{{Check: "server", Found: err.Error(), Fix: server.Advice(err)}}, ctx.Err()
	}
	findings, err := source.Preflight().Check(ctx)
	if err != nil {
		return nil, err
	}
	findings = append(findings, checkSites(ctx, db, source, c)...)
	findings = append(findings, checkLanguages(ctx, db, source, c)...)
	findings = append(findings, checkIndexes(ctx, db, source, c)...)
	findings = append(findings, checkColumns(ctx, source, c, set)...)
	findings = append(findings, checkRelay(ctx, db, c, set)...)
	return append(findings, checkTexts(ctx, db, c)...), nil
}

// report prints findings: for people each with its fix, or as JSON.
func report(w io.Writer, findings []cdc.Finding, asJSON bool) error {
	if asJSON {
		return writeJSON(w, findings)
	}
	faults, apart, warnings := 0, 0, 0
	for _, f := range findings {
		mark := "ok  "
		switch {
		case f.Warn:
			mark, warnings = "warn", warnings+1
		case f.Hint:
			mark = "hint"
		case !f.OK && f.Schema != "":
			mark, apart = "FAIL", apart+1
		case !f.OK:
			mark, faults = "FAIL", faults+1
		}
		text := fmt.Sprintf("%s  %s: %s\n", mark, printable.Line(f.Check), printable.Line(f.Found))
		if mark != "ok  " && f.Fix != "" {
			lead := "fix it with:"
			if f.Hint {
				lead = "better with:"
			}
			text += "      " + lead + "  " + strings.ReplaceAll(printable.Line(f.Fix), "   ", "\n                    ") + "\n"
		}
		if _, err := io.WriteString(w, text); err != nil {
			return err
		}
	}
	summary := "rowhook can run here"
	if faults > 0 {
		summary = "rowhook cannot run here until every FAIL is fixed"
	} else if apart > 0 {
		summary += ", but a site or a rule that fails gets nothing until that is fixed; the others go on"
	} else if warnings > 0 {
		summary += "; the warnings say what it would miss, or what could go wrong"
	}
	_, err := fmt.Fprintf(w, "\n%s.\n", summary)
	return err
}
