package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"rowhook/api"
	"rowhook/api/control"
	"rowhook/printable"
)

// statusCommand is `rowhook status`: whether it is well, and what needs a person.
func (t *tree) statusCommand() *cobra.Command {
	c := &cobra.Command{
		Use: "status", Short: "say whether all is well, what needs you, and what goes on by itself",
		Long: "Asks the daemon whether all is well, and prints what needs you, with what to type, and what goes on by itself: what the\n" +
			"console's first page says. It fails when something needs you.",
		Example: "  rowhook status\n  rowhook status --json",
	}
	asJSON := jsonFlag(c)
	return prints(c, 0, 0, func(ctx context.Context, _ []string, stdout, _ io.Writer) error {
		cfg, err := loadState(ctx, t.config)
		if err != nil {
			return err
		}
		is, err := control.NewClient(cfg.StateDir).Daemon(ctx)
		if errors.Is(err, control.ErrNoDaemon) {
			return fmt.Errorf("%w in %s: it does not run; see systemctl status rowhook", err, cfg.StateDir)
		}
		if err != nil {
			return err
		}
		report := api.NewReport(&is, time.Now())
		if *asJSON {
			err = writeJSON(stdout, report)
		} else {
			_, err = io.WriteString(stdout, reportText(&report))
		}
		if err == nil && report.NeedsYou() {
			return errReported
		}
		return err
	})
}

// reportText is a report for people.
func reportText(r *api.Report) string {
	var b strings.Builder
	b.WriteString(printable.Line(r.Verdict) + "\n")
	for _, part := range []struct {
		title string
		needs bool
	}{{"Needs you", true}, {"Goes on by itself", false}} {
		title := "\n" + part.title + ":\n"
		for _, t := range r.Troubles {
			if t.NeedsYou != part.needs {
				continue
			}
			b.WriteString(title + troubleText(&t))
			title = ""
		}
	}
	if r.Status != nil && len(r.Status.Machines) > 0 {
		b.WriteString("\nMachines:\n" + machinesText(r.Status))
	}
	return b.String()
}

// machinesText is who shares the outbox, and what each does.
func machinesText(s *api.Status) string {
	var b strings.Builder
	table := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	for _, line := range s.MachineLines() {
		fmt.Fprintf(table, "  %s\t%s\t%s\n", printable.Line(line[0]), line[1], line[2])
	}
	_ = table.Flush() // to memory
	return b.String()
}

func troubleText(t *api.Trouble) string {
	var b strings.Builder
	b.WriteString("  " + printable.Line(t.Headline()))
	if !t.Since.IsZero() {
		b.WriteString(", since " + clock(t.Since))
	}
	b.WriteString("\n")
	for _, line := range []string{t.Reason, t.Text} {
		if line != "" {
			b.WriteString("    " + printable.Line(line) + "\n")
		}
	}
	for _, line := range t.Fix {
		b.WriteString("      " + printable.Line(line) + "\n")
	}
	return b.String()
}
