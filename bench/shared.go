package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	"rowhook/dbtest"
)

// leastShared is how many of the events a second, of those with the embedded outbox, there must be with one on a server.
const leastShared = 0.6

// shared drains a backlog into the embedded outbox and, by turns, into one on a MariaDB of its own that survives a power cut.
func (b *bench) shared(ctx context.Context) (err error) {
	start, err := b.backlog(ctx, b.changes)
	if err != nil {
		return err
	}
	server, err := b.outboxServer(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, server.Kill()) }()
	defer b.configure(b.sink.urls[:1], written{}) //nolint:errcheck // the next measurement would say
	var ratios []float64
	for range b.rounds {
		if err := errors.Join(b.configure(b.sink.urls[:1], written{}), b.restore()); err != nil {
			return err
		}
		embedded, err := b.drain(ctx, "embedded", b.rowhookCommand())
		if err != nil {
			return err
		}
		if err := b.configure(b.sink.urls[:1], written{config: onServer(server)}); err != nil {
			return err
		}
		if err := b.anew(ctx, server, start); err != nil {
			return err
		}
		mysql, err := b.drain(ctx, "mysql", b.rowhookCommand())
		if err != nil {
			return err
		}
		ratios = append(ratios, embedded.wall.Seconds()/mysql.wall.Seconds())
	}
	b.figures = append(b.figures, figure{"shared: events a second with an outbox on a server, by those with the embedded one", median(ratios), leastShared, "%.2fx", true})
	return nil
}

// outboxServer is a MariaDB for an outbox, which survives a power cut.
func (b *bench) outboxServer(ctx context.Context) (*dbtest.Server, error) {
	data, err := os.MkdirTemp(b.dir, "outbox-")
	if err != nil {
		return nil, err
	}
	server, err := dbtest.Launch(ctx, data, "--innodb-flush-log-at-trx-commit=1", "--sync-binlog=1")
	if err != nil {
		return nil, err
	}
	if err := server.AddUser(ctx, "rowhook_outbox", password, "ALL PRIVILEGES ON rowhook.*", "BINLOG ADMIN ON *.*"); err != nil {
		return nil, errors.Join(err, server.Kill())
	}
	return server, nil
}

// onServer is the configuration of an outbox there.
func onServer(server *dbtest.Server) string {
	return fmt.Sprintf("outbox: {mysql: {addresses: [%q], user: rowhook_outbox, password: %s}}\n", server.Address(), password)
}

// anew makes the outbox on the server anew, with a position before the backlog.
func (b *bench) anew(ctx context.Context, server *dbtest.Server, gtid string) error {
	db, err := server.Open("")
	if err != nil {
		return err
	}
	defer db.Close()
	if _, err := db.ExecContext(ctx, "DROP DATABASE IF EXISTS rowhook"); err != nil {
		return err
	}
	command := exec.CommandContext(ctx, b.rowhook, "position", "set", "--gtid", gtid, "--yes", "--config", filepath.Join(b.dir, "config.yaml"))
	if out, err := command.CombinedOutput(); err != nil {
		return fmt.Errorf("setting the position: %w\n%s", err, out)
	}
	return nil
}
