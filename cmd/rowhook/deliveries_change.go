package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"

	"github.com/schollz/progressbar/v3"
	"github.com/spf13/cobra"

	"rowhook/api"
	"rowhook/api/control"
	"rowhook/config"
	"rowhook/deliver"
	"rowhook/outbox"
	"rowhook/printable"
)

func (t *tree) exportDeliveries() *cobra.Command {
	cmd := &cobra.Command{
		Use: "export", Short: "write deliveries with their payloads, the oldest first, one JSON object a line",
		Example: "  rowhook deliveries export --since 2026-03-01 > deliveries.jsonl",
	}
	s := t.newSelection(cmd, 0)
	return does(cmd, 0, 0, func(ctx context.Context, _ []string, stdout, stderr io.Writer) error {
		keepPrivate(stdout, stderr, 0) // while it is root still
		return readLog(ctx, t.config, func(c *config.Config, log storedLog) error {
			if err := s.complete(c); err != nil {
				return err
			}
			return export(ctx, log, s.filter, stdout, newSpinner(stderr, stdout))
		})
	})
}

// export writes what a filter selects, an object a line.
func export(ctx context.Context, log storedLog, f outbox.Filter, stdout io.Writer, bar *progressbar.ProgressBar) error {
	shown := printable.NewWriter(stdout)
	out := bufio.NewWriter(shown)
	f.Bodies = true
	written := 0
	_, err := pages(ctx, log, f, func(page []*outbox.Stored) error {
		for _, s := range page {
			if err := writeJSONLine(out, api.WithPayload(s)); err != nil {
				return err
			}
		}
		written += len(page)
		bar.Describe(fmt.Sprintf("written: %d", written))
		return out.Flush()
	})
	_ = bar.Clear() // who looks may have gone
	return errors.Join(err, shown.Flush())
}

// changer is the worker that does what a command wants: the running daemon's, or our own where none runs.
type changer interface {
	Retry(ctx context.Context, f outbox.Filter) (deliver.Retried, error)
	Drop(ctx context.Context, f outbox.Filter) (int, error)
	Erase(ctx context.Context, f outbox.Filter) (int, error)
	Pause(ctx context.Context, name, reason string) error
	Resume(ctx context.Context, name string) error
}

// reach hands do the running daemon. When none runs it opens the outbox itself, and keeps a daemon out meanwhile. c is what loadState
// made of the file: whoever gave up root's rights there cannot read all of it again.
func reach(ctx context.Context, c *config.Config, file string, do func(changer) error) error {
	if err := do(control.NewClient(c.StateDir)); !errors.Is(err, control.ErrNoDaemon) {
		return err
	}
	if err := hasOutbox(ctx, c); err != nil {
		return err
	}
	set, err := readRules(c, file)
	if err != nil {
		return err
	}
	store, err := outboxOf(c).open(ctx, slog.New(slog.DiscardHandler))
	if errors.Is(err, outbox.ErrLocked) {
		return outboxOf(c).elsewhere(err)
	}
	if err != nil {
		return err
	}
	worker, err := deliver.New(store, endpointsOf(c, set), deliver.Options{MaxAge: c.Deliver.MaxAge})
	if err == nil {
		err = do(worker)
	}
	return errors.Join(err, store.Close())
}

func (t *tree) retryDeliveries() *cobra.Command {
	c := &cobra.Command{
		Use: "retry [ID...]", Short: "send deliveries again",
		Long: "Sends deliveries again: those that are named, or those that flags select; of these the dead ones, unless --state says\n" +
			"otherwise. What is sent again is outside of the order; what waits is due at once.",
		Example: "  rowhook deliveries retry --dead\n  rowhook deliveries retry --rule crm-bookings --since 2h",
	}
	asJSON := jsonFlag(c)
	dead := c.Flags().Bool("dead", false, "all that are dead")
	s := t.newSelection(c, 0)
	return prints(c, 0, 1000, func(ctx context.Context, names []string, stdout, _ io.Writer) error {
		return t.retry(ctx, names, s, *dead, *asJSON, stdout)
	})
}

func (t *tree) retry(ctx context.Context, names []string, s *selection, dead, asJSON bool, stdout io.Writer) error {
	if (len(names) > 0) == (s.given() || dead) || dead && s.filter.States != nil {
		return &usageError{"retry takes ids, or flags that select deliveries", "try: rowhook deliveries retry --dead, or -h"}
	}
	c, err := loadState(ctx, t.config)
	if err != nil {
		return err
	}
	filters, err := s.filters(c, names, outbox.Dead)
	if err != nil {
		return err
	}
	var all deliver.Retried
	err = reach(ctx, c, t.config, func(w changer) (err error) {
		all, err = retryAll(ctx, w, filters)
		return err
	})
	if err != nil {
		return err
	}
	if asJSON {
		return writeJSON(stdout, all)
	}
	return writeRetried(stdout, all)
}

// retryAll retries what each filter selects. That an id selects nothing is an error.
func retryAll(ctx context.Context, w changer, filters []outbox.Filter) (all deliver.Retried, err error) {
	for _, f := range filters {
		done, err := w.Retry(ctx, f)
		if err != nil {
			return all, err
		}
		if f.ID != nil && f.States == nil && done == (deliver.Retried{}) {
			return all, notFound(*f.ID)
		}
		all.Again += done.Again
		all.Sooner += done.Sooner
		all.Left += done.Left
	}
	return all, nil
}

func writeRetried(w io.Writer, r deliver.Retried) error {
	said := fmt.Sprintf("%d to be sent again", r.Again)
	if r.Sooner > 0 {
		said += fmt.Sprintf("; %d that waited due at once", r.Sooner)
	}
	if r.Left > 0 {
		said += fmt.Sprintf("; %d left as they are: their rule is gone or disabled, or they are on their way", r.Left)
	}
	_, err := fmt.Fprintln(w, said)
	return err
}
