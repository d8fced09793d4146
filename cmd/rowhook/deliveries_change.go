package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"

	"rowhook/config"
	"rowhook/deliver"
	"rowhook/deliver/control"
	"rowhook/outbox"
)

func exportDeliveries(ctx context.Context, args []string, stdout io.Writer) error {
	flags := newFlagSet("deliveries export", "writes deliveries with their payloads, the oldest first, one JSON object a line")
	s := newSelection(flags, 0)
	if err := flags.parse(args, stdout); err != nil {
		return err
	}
	return readLog(ctx, flags.config, func(c *config.Config, log storedLog) error {
		if err := s.complete(c); err != nil {
			return err
		}
		out := bufio.NewWriter(stdout)
		s.filter.Bodies = true
		_, err := pages(ctx, log, s.filter, func(page []*outbox.Stored) error {
			for _, s := range page {
				if err := writeJSONLine(out, withPayload(s)); err != nil {
					return err
				}
			}
			return out.Flush()
		})
		return err
	})
}

// changer is the worker that does what a command wants: the running daemon's, or our own where none runs.
type changer interface {
	Retry(ctx context.Context, f outbox.Filter) (deliver.Retried, error)
	Drop(ctx context.Context, f outbox.Filter) (int, error)
	Erase(ctx context.Context, f outbox.Filter) (int, error)
	Pause(ctx context.Context, name, reason string) error
	Resume(ctx context.Context, name string) error
}

// reach hands do the running daemon. When none runs it opens the outbox itself, and keeps a daemon out meanwhile.
func reach(ctx context.Context, file string, do func(changer) error) error {
	c, err := loadState(file)
	if err != nil {
		return err
	}
	if err := do(control.NewClient(c.StateDir)); !errors.Is(err, control.ErrNoDaemon) {
		return err
	}
	if err := hasOutbox(c); err != nil {
		return err
	}
	set, err := readRules(c, file)
	if err != nil {
		return err
	}
	store, err := openOutbox(ctx, c, slog.New(slog.DiscardHandler))
	if errors.Is(err, outbox.ErrLocked) {
		return fmt.Errorf("a daemon has the outbox, but does not answer; it may be starting or stopping, so try again: %w", err)
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

func retryDeliveries(ctx context.Context, args []string, stdout io.Writer) error {
	flags := newFlagSet("deliveries retry", "sends deliveries again: rowhook deliveries retry ID..., or those that flags select.\n"+
		"Dead ones, unless --state says otherwise. What is sent again is outside of the order; what waits is due at once")
	asJSON := flags.Bool("json", false, "write JSON, for programs")
	dead := flags.Bool("dead", false, "all that are dead")
	s := newSelection(flags, 0)
	names, err := flags.parseNames(args, stdout, 0, 1000)
	if err != nil {
		return err
	}
	if (len(names) > 0) == (s.given() || *dead) || *dead && s.filter.States != nil {
		return &usageError{"retry takes ids, or flags that select deliveries", "try: rowhook deliveries retry --dead, or -h"}
	}
	c, err := loadState(flags.config)
	if err != nil {
		return err
	}
	filters, err := s.filters(c, names, outbox.Dead)
	if err != nil {
		return err
	}
	var all deliver.Retried
	err = reach(ctx, flags.config, func(w changer) (err error) {
		all, err = retryAll(ctx, w, filters)
		return err
	})
	if err != nil {
		return err
	}
	if *asJSON {
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
