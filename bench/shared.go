package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"rowhook/dbtest"
)

// leastShared is how many of the events a second, of those with the embedded outbox, there must be with one on a server.
const leastShared = 0.6

// mostShared is what the latency may be there at 200 changes a second, in ms.
const mostShared = 25

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
	for _, machines := range []int{1, 2} {
		d, err := b.sharedLatency(ctx, server, machines)
		if err != nil {
			return fmt.Errorf("latency with %d machines: %w", machines, err)
		}
		b.figures = append(b.figures, figure{fmt.Sprintf("shared: latency of %d machines with an endpoint each, p99", machines), percentile(d.start, 99), mostShared, "%.2f ms", false})
	}
	return nil
}

// sharedLatency measures it at a steady rate, with so many processes, each of which has an endpoint.
func (b *bench) sharedLatency(ctx context.Context, server *dbtest.Server, machines int) (*delays, error) {
	db, err := b.server.Open("wordpress")
	if err != nil {
		return nil, err
	}
	defer db.Close()
	gtid, err := position(ctx, db)
	if err != nil {
		return nil, err
	}
	if err := errors.Join(b.configure(b.sink.urls[:machines], written{config: onServer(server)}), b.anew(ctx, server, gtid)); err != nil {
		return nil, err
	}
	var children []*child
	for i := range machines {
		c, err := b.machine(ctx, i)
		if err != nil {
			return nil, err
		}
		children = append(children, c)
	}
	if err := b.shareOut(ctx, server, machines); err != nil {
		return nil, fmt.Errorf("%w\n%s", err, children[0].tail())
	}
	d := new(delays)
	if err := b.steady(ctx, db, children[0], machines, d); err != nil {
		return nil, fmt.Errorf("%w\n%s", err, children[0].tail())
	}
	for _, c := range children[1:] {
		if _, _, err := c.stop(); err != nil {
			return nil, fmt.Errorf("%w\n%s", err, c.tail())
		}
	}
	return d, nil
}

// shareOut waits until each process has an endpoint. The one that holds the outbox has no rows for its own while it is alone.
func (b *bench) shareOut(ctx context.Context, server *dbtest.Server, machines int) error {
	db, err := server.Open("rowhook")
	if err != nil {
		return err
	}
	defer db.Close()
	again := time.NewTicker(20 * time.Millisecond)
	defer again.Stop()
	for {
		var others int
		err := db.QueryRowContext(ctx, `SELECT COUNT(DISTINCT member) FROM share s JOIN lease l ON l.name = 'reader' AND l.owner <> '' WHERE s.member NOT IN ('', l.owner)`).Scan(&others)
		if err == nil && others == machines-1 && (machines > 1 || b.held(ctx, db)) {
			return nil
		}
		select {
		case <-again.C:
		case <-ctx.Done():
			return errors.Join(ctx.Err(), err)
		}
	}
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

// held tells whether somebody holds the outbox.
func (b *bench) held(ctx context.Context, db *sql.DB) bool {
	var owner string
	return db.QueryRowContext(ctx, `SELECT owner FROM lease WHERE name = 'reader'`).Scan(&owner) == nil && owner != ""
}
