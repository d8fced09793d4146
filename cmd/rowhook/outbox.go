package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"

	"github.com/spf13/cobra"

	"rowhook/config"
	"rowhook/outbox"
	"rowhook/outbox/transfer"
	"rowhook/printable"
	english "rowhook/words"
)

// outboxCommand is `rowhook outbox`: where what is to be delivered is kept.
func (t *tree) outboxCommand() *cobra.Command {
	c := &cobra.Command{Use: "outbox", Short: "move what is to be delivered from a file to a server, or back"}
	return group(c, t.copyOutbox())
}

// wholeOutbox is an outbox that no daemon has open.
type wholeOutbox interface {
	transfer.Target
	Close() error
}

// copied is what `outbox copy --json` writes.
type copied struct {
	From  string           `json:"from"`
	To    string           `json:"to"`
	Equal bool             `json:"equal"`
	Bytes int64            `json:"payload_bytes"`
	Count map[string]int64 `json:"copied"`
}

func (t *tree) copyOutbox() *cobra.Command {
	c := &cobra.Command{
		Use: "copy", Short: "copy the outbox of a stopped daemon to the other place where it can be, and check the copy",
		Long: "Copies the outbox from the file in state_dir to the server that outbox.mysql names (--to mysql), or back (--to sqlite), with\n" +
			"all that it knows: deliveries under their ids and numbers, attempts, open events, the position, settings, totals. Then it\n" +
			"reads both again and compares everything. rowhook must be stopped, on every machine, and the copy's place must be empty.\n" +
			"The old outbox is only read. What is broken off leaves half a copy, which no daemon opens.",
		Example: "  rowhook outbox copy --to mysql\n  rowhook outbox copy --to sqlite",
	}
	to := c.Flags().String("to", "", "`mysql`: to the server that outbox.mysql names; sqlite: to the file in state_dir")
	t.complete(c, "to", oneOf("mysql", "sqlite"))
	asJSON := jsonFlag(c)
	return prints(c, 0, 0, func(ctx context.Context, _ []string, stdout, _ io.Writer) error {
		if *to != "mysql" && *to != "sqlite" {
			return &usageError{"outbox copy needs --to mysql or --to sqlite", "try: rowhook outbox copy -h"}
		}
		cfg, err := config.Load(t.config)
		if err != nil {
			return err
		}
		if !cfg.Outbox.MySQL.Used() {
			return errors.New("the configuration has no outbox.mysql, the server to copy to or from: write it down first (docs/machines.md); a daemon must not run with it before the copy is made")
		}
		if err := becomeOwner(cfg.StateDir); err != nil {
			return err
		}
		var from, into outboxKind = embeddedOutbox{cfg.StateDir}, sharedOutbox{cfg}
		if *to == "sqlite" {
			from, into = into, from
		}
		said := stdout
		if *asJSON {
			said = io.Discard
		}
		done, err := moveOutbox(ctx, from, into, said)
		if err != nil {
			return err
		}
		if *asJSON {
			return writeJSON(stdout, done)
		}
		_, err = io.WriteString(stdout, nextSteps(cfg, *to))
		return err
	})
}

// moveOutbox copies, and says what it does.
func moveOutbox(ctx context.Context, from, to outboxKind, stdout io.Writer) (done copied, err error) {
	if err := from.exists(ctx); errors.Is(err, outbox.ErrNotExist) {
		return done, fmt.Errorf("there is nothing to copy: %s holds no outbox", from)
	} else if err != nil {
		return done, err
	}
	source, err := openWhole(ctx, from)
	if err != nil {
		return done, err
	}
	defer func() { err = errors.Join(err, source.Close()) }()
	target, err := openWhole(ctx, to)
	if err != nil {
		return done, err
	}
	defer func() { err = errors.Join(err, target.Close()) }()
	say := func(what, format string, args ...any) {
		_, _ = fmt.Fprintf(stdout, "%-9s%s\n", what, printable.Line(fmt.Sprintf(format, args...))) // the copy goes on, whoever listens
	}
	say("copies", "the outbox from %s to %s", from, to)
	if err := transfer.Copy(ctx, source, target); err != nil {
		return done, err
	}
	say("compares", "both are read again")
	sums, err := transfer.Check(ctx, source, target)
	if err != nil {
		return done, err
	}
	done = copied{From: from.String(), To: to.String(), Equal: true, Bytes: sums.Bytes, Count: sums.Counts()}
	n := func(what, one, many string) string { return english.Count(int(done.Count[what]), one, many) }
	say("equal", "%s with %s of payloads, %s, %s, %s", n("deliveries", "delivery", "deliveries"), size(uint64(max(0, sums.Bytes))),
		n("attempts", "attempt", "attempts"), n("records", "record", "records"), n("settings", "setting", "settings"))
	say("", "and the position, %s, %s, and what was counted of %s, %s and %s", n("endpoints", "endpoint", "endpoints"), n("routes", "route", "routes"),
		n("rules", "rule", "rules"), n("hours", "hour", "hours"), n("events", "kind of event", "kinds of event"))
	return done, nil
}

func openWhole(ctx context.Context, kind outboxKind) (wholeOutbox, error) {
	o, err := kind.whole(ctx, slog.New(slog.DiscardHandler))
	if errors.Is(err, outbox.ErrLocked) {
		return nil, fmt.Errorf("rowhook runs with the outbox in %s; stop it first, on every machine: %w", kind, err)
	}
	return o, err
}

// nextSteps is what a person does then.
func nextSteps(c *config.Config, to string) string {
	var steps []string
	if to == "mysql" {
		steps = []string{
			"systemctl start rowhook, here and on the other machines: the configuration names outbox.mysql, so that is what it uses now",
			fmt.Sprintf("once it works: rm %s/outbox.db*, which nobody uses any more", strings.TrimSuffix(c.StateDir, "/")),
		}
	} else {
		steps = []string{
			"take outbox.mysql out of the configuration here, and disable rowhook on the other machines",
			"systemctl start rowhook",
			fmt.Sprintf("once it works: DROP DATABASE %s; on %s, which nobody uses any more", c.Outbox.MySQL.Schema, strings.Join(c.Outbox.MySQL.Addresses, ", ")),
		}
	}
	var b strings.Builder
	name := "next"
	for i, step := range steps {
		fmt.Fprintf(&b, "%-9s%d. %s\n", name, i+1, printable.Line(step))
		name = ""
	}
	return b.String()
}
