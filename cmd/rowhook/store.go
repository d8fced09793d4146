package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"

	"rowhook/config"
	"rowhook/outbox"
	"rowhook/outbox/mysql"
	"rowhook/outbox/sqlite"
)

// This file is the only one here that knows which outbox there is.

// openOutbox opens the outbox to work on it, and keeps others who want that out meanwhile. The error is outbox.ErrLocked while
// a daemon has it.
func openOutbox(ctx context.Context, c *config.Config, log *slog.Logger) (outbox.Store, error) {
	if !c.Outbox.MySQL.Used() {
		return sqlite.Open(ctx, c.StateDir, log)
	}
	where, err := outboxServer(c)
	if err != nil {
		return nil, err
	}
	where.NoWait = true
	store, err := mysql.Open(ctx, where, log)
	if err != nil {
		return nil, err
	}
	return store, nil
}

// tenure is an outbox while it is this daemon's.
type tenure struct {
	outbox.Store
	lost <-chan struct{} // closed when it is another machine's; nil: nobody else can have it
	held func() bool     // whether it is still ours, by the clock; nil: always
}

// holdOutbox opens the outbox for a daemon: where machines share one it waits until it is this one's turn.
func holdOutbox(ctx context.Context, c *config.Config, log *slog.Logger) (tenure, error) {
	if !c.Outbox.MySQL.Used() {
		store, err := sqlite.Open(ctx, c.StateDir, log)
		if err != nil {
			return tenure{}, fmt.Errorf("opening the outbox in %s: %w", c.StateDir, err)
		}
		return tenure{Store: store}, nil
	}
	if err := os.MkdirAll(c.StateDir, 0o700); err != nil { // for the socket and scratch files
		return tenure{}, fmt.Errorf("making state_dir: %w", err)
	}
	where, err := outboxServer(c)
	if err != nil {
		return tenure{}, err
	}
	store, err := mysql.Open(ctx, where, log)
	if err != nil {
		return tenure{}, err
	}
	return tenure{store, store.Lost(), store.Held}, nil
}

// lockedElsewhere is what a person is told whose command finds the outbox in other hands, and no daemon on this machine.
func lockedElsewhere(c *config.Config, err error) error {
	if c.Outbox.MySQL.Used() {
		return fmt.Errorf("the daemon of another machine works on the outbox; type this there: %w", err)
	}
	return fmt.Errorf("a daemon has the outbox, but does not answer; it may be starting or stopping, so try again: %w", err)
}

// holderOf is the process that works on an outbox which machines share; empty where none does, or nobody shares it.
func holderOf(ctx context.Context, log storedLog) (string, error) {
	if shared, ok := log.(*mysql.ReadOnly); ok {
		return shared.Holder(ctx)
	}
	return "", nil
}

// notHere is what is known of a daemon that does not run on this machine.
func notHere(holder string) string {
	if holder == "" {
		return "no daemon runs"
	}
	return "runs elsewhere: " + holder
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
	if !c.Outbox.MySQL.Used() {
		return sqlite.OpenLog(ctx, c.StateDir)
	}
	where, err := outboxServer(c)
	if err != nil {
		return nil, err
	}
	log, err := mysql.OpenLog(ctx, where)
	if err != nil {
		return nil, err
	}
	return log, nil
}

// hasOutbox says that there is no outbox, if so.
func hasOutbox(ctx context.Context, c *config.Config) error {
	if c.Outbox.MySQL.Used() {
		log, err := openLog(ctx, c)
		if errors.Is(err, outbox.ErrNotExist) {
			return noOutbox(c)
		}
		if err != nil {
			return err
		}
		return log.Close()
	}
	if err := sqlite.Exists(c.StateDir); errors.Is(err, outbox.ErrNotExist) {
		return noOutbox(c)
	}
	return nil
}

func noOutbox(c *config.Config) error {
	other := "state_dir"
	if c.Outbox.MySQL.Used() {
		other = "outbox.mysql"
	}
	return fmt.Errorf("%s holds no outbox: the daemon has not run yet, or with another %s", outboxPlace(c), other)
}

// outboxPlace is where the outbox is, for people.
func outboxPlace(c *config.Config) string {
	if s := c.Outbox.MySQL; s.Used() {
		return fmt.Sprintf("schema %s at %s", s.Schema, strings.Join(s.Addresses, ", "))
	}
	return c.StateDir
}

// outboxServer is the outbox that machines share.
func outboxServer(c *config.Config) (m mysql.Config, err error) {
	s := c.Outbox.MySQL
	m = mysql.Config{User: s.User, Schema: s.Schema, Lease: s.Lease}
	for _, dial := range s.Dials() {
		m.Addresses = append(m.Addresses, dial[1])
	}
	if m.Password, err = s.ReadPassword(); err != nil {
		return m, err
	}
	if s.TLS.Mode != config.NoTLS {
		m.TLS, err = tlsOf("outbox.mysql.tls", s.TLS, "")
	}
	return m, err
}
