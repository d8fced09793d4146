package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"strings"

	"rowhook/api"
	"rowhook/config"
	"rowhook/outbox"
	"rowhook/outbox/mysql"
	"rowhook/outbox/sqlite"
	"rowhook/rules"
)

// This file is the only one here that knows which outboxes there are; share.go and member.go are about those that machines share.

// outboxKind is where the configuration has the outbox.
type outboxKind interface {
	// open opens it to work on it, and keeps others who want that out meanwhile. The error is outbox.ErrLocked while a daemon has it.
	open(ctx context.Context, log *slog.Logger) (outbox.Store, error)
	// hold opens it for a daemon with these rules.
	hold(ctx context.Context, set *rules.Set, log *slog.Logger) (tenure, error)
	// read opens it for reading; the error is outbox.ErrNotExist when no daemon ever ran there.
	read(ctx context.Context) (storedLog, error)
	// whole opens it to be copied as a whole. The error is outbox.ErrLocked while a daemon has it.
	whole(ctx context.Context, log *slog.Logger) (wholeOutbox, error)
	// exists says that it is not there, with outbox.ErrNotExist, or that nobody can know.
	exists(ctx context.Context) error
	// elsewhere is what a person is told whose command finds it in other hands, and no daemon on this machine.
	elsewhere(err error) error
	key() string    // of the configuration, that says where it is
	String() string // where it is, for people
}

// tenure is an outbox while it is this daemon's.
type tenure struct {
	outbox.Store
	lost   <-chan struct{} // closed when it is another machine's; nil: nobody else can have it
	held   func() bool     // whether it is still ours, by the clock; nil: always
	shared *mysql.Store    // the same, where machines share it; nil: nobody does
}

// peers are the other machines.
func (t tenure) peers() api.Peers {
	if t.shared == nil {
		return nil
	}
	return peers{t.shared}
}

// storedLog is an outbox that is only read, while the daemon may be at work on it.
type storedLog interface {
	outbox.Log
	outbox.Settings
	Resume(ctx context.Context) (outbox.Resume, error)
	Close() error
}

func outboxOf(c *config.Config) outboxKind {
	if c.Outbox.MySQL.Used() {
		return sharedOutbox{c}
	}
	return embeddedOutbox{c.StateDir}
}

// hasOutbox says that there is no outbox, if so.
func hasOutbox(ctx context.Context, c *config.Config) error {
	err := outboxOf(c).exists(ctx)
	if errors.Is(err, outbox.ErrNotExist) {
		return noOutbox(c)
	}
	return err
}

func noOutbox(c *config.Config) error {
	kind := outboxOf(c)
	return fmt.Errorf("%s holds no outbox: the daemon has not run yet, or with another %s", kind, kind.key())
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

// embeddedOutbox is in a file in state_dir.
type embeddedOutbox struct{ dir string }

func (o embeddedOutbox) key() string    { return "state_dir" }
func (o embeddedOutbox) String() string { return o.dir }

func (o embeddedOutbox) open(ctx context.Context, log *slog.Logger) (outbox.Store, error) {
	return sqlite.Open(ctx, o.dir, log)
}

func (o embeddedOutbox) hold(ctx context.Context, _ *rules.Set, log *slog.Logger) (tenure, error) {
	store, err := sqlite.Open(ctx, o.dir, log)
	if err != nil {
		return tenure{}, fmt.Errorf("opening the outbox in %s: %w", o.dir, err)
	}
	return tenure{Store: store}, nil
}

func (o embeddedOutbox) read(ctx context.Context) (storedLog, error) {
	return sqlite.OpenLog(ctx, o.dir)
}

func (o embeddedOutbox) whole(ctx context.Context, _ *slog.Logger) (wholeOutbox, error) {
	w, err := sqlite.OpenWhole(ctx, o.dir)
	if err != nil {
		return nil, err
	}
	return w, nil
}

func (o embeddedOutbox) exists(context.Context) error {
	if err := sqlite.Exists(o.dir); errors.Is(err, outbox.ErrNotExist) {
		return err
	}
	return nil // what else is wrong with the file says who opens it
}

func (o embeddedOutbox) elsewhere(err error) error {
	return fmt.Errorf("a daemon has the outbox, but does not answer; it may be starting or stopping, so try again: %w", err)
}

// sharedOutbox is on a server, where machines share it.
type sharedOutbox struct{ cfg *config.Config }

func (o sharedOutbox) key() string { return "outbox.mysql" }

func (o sharedOutbox) String() string {
	s := o.cfg.Outbox.MySQL
	return fmt.Sprintf("schema %s at %s", s.Schema, strings.Join(s.Addresses, ", "))
}

// server is how it is reached.
func (o sharedOutbox) server() mysql.Config {
	s := o.cfg.Outbox.MySQL
	m := mysql.Config{User: s.User, Password: s.ReadPassword, Schema: s.Schema, Lease: s.Lease}
	for _, dial := range s.Dials() {
		m.Addresses = append(m.Addresses, dial[1])
	}
	if s.TLS.Mode != config.NoTLS {
		m.TLS = func(host string) (*tls.Config, error) { return tlsOf("outbox.mysql.tls", s.TLS, host) }
	}
	return m
}

// serverAs is the same for a daemon that has these rules.
func (o sharedOutbox) serverAs(set *rules.Set) mysql.Config {
	server := o.server()
	server.Who = whoOf(o.cfg, set)
	return server
}

func (o sharedOutbox) open(ctx context.Context, log *slog.Logger) (outbox.Store, error) {
	server := o.server()
	server.NoWait = true
	store, err := mysql.Open(ctx, server, log)
	if err != nil {
		return nil, err
	}
	return store, nil
}

func (o sharedOutbox) hold(ctx context.Context, set *rules.Set, log *slog.Logger) (tenure, error) {
	return o.take(ctx, set, nil, log)
}

// take takes the reader's lease, which is free as far as is known; the error is outbox.ErrLocked when another one was quicker. A member
// of this process may have watched it.
func (o sharedOutbox) take(ctx context.Context, set *rules.Set, watched *mysql.Member, log *slog.Logger) (tenure, error) {
	server := o.serverAs(set)
	server.NoWait, server.Beside = true, watched
	store, err := mysql.Open(ctx, server, log)
	if err != nil {
		return tenure{}, err
	}
	return tenure{store, store.Lost(), store.Held, store}, nil
}

func (o sharedOutbox) read(ctx context.Context) (storedLog, error) {
	log, err := mysql.OpenLog(ctx, o.server())
	if err != nil {
		return nil, err
	}
	return log, nil
}

func (o sharedOutbox) whole(ctx context.Context, log *slog.Logger) (wholeOutbox, error) {
	w, err := mysql.OpenWhole(ctx, o.server(), log)
	if err != nil {
		return nil, err
	}
	return w, nil
}

func (o sharedOutbox) exists(ctx context.Context) error {
	log, err := mysql.OpenLog(ctx, o.server())
	if err != nil {
		return err
	}
	return log.Close()
}

func (o sharedOutbox) elsewhere(err error) error {
	return fmt.Errorf("no daemon runs on this machine, and one of another machine holds the outbox; type this where one runs: %w", err)
}
