package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"rowhook/config"
	"rowhook/outbox"
	"rowhook/outbox/sqlite"
)

// This file is the only one here that knows which outbox there is.

// openOutbox opens the outbox to work on it, and keeps others who want that out meanwhile.
func openOutbox(ctx context.Context, c *config.Config, log *slog.Logger) (outbox.Store, error) {
	return sqlite.Open(ctx, c.StateDir, log)
}

// storedLog is an outbox that is only read, while the daemon may be at work on it.
type storedLog interface {
	outbox.Log
	outbox.Settings
	Resume(ctx context.Context) (outbox.Resume, error)
	Close() error
}

// openLog opens the outbox for reading; the error is outbox.ErrNotExist when no daemon ever ran there.
func openLog(ctx context.Context, c *config.Config) (storedLog, error) {
	return sqlite.OpenLog(ctx, c.StateDir)
}

// hasOutbox says that there is no outbox, if so.
func hasOutbox(c *config.Config) error {
	if err := sqlite.Exists(c.StateDir); errors.Is(err, outbox.ErrNotExist) {
		return noOutbox(c)
	}
	return nil
}

func noOutbox(c *config.Config) error {
	return fmt.Errorf("%s holds no outbox: the daemon has not run yet, or with another state_dir", c.StateDir)
}
