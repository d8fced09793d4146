// Package cdc follows the binary log of a MySQL or MariaDB server and yields its row changes and commits. It knows
// nothing of the plugin.
//
// A Source is one server. Follow reads its log from a Position and hands every change of a watched table, then the
// commit that makes it visible, to a Sink. It reconnects by itself, and reads the last transaction again at every
// connect to prove that the log is still the one it knew. What it cannot read rightly it does not skip: it stops with
// a StopError that says what to do.
package cdc

import (
	"context"
	"database/sql"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"sync/atomic"
	"time"

	"github.com/go-mysql-org/go-mysql/mysql"

	"rowhook/cdc/preflight"
	"rowhook/connect"
	"rowhook/retry"
)

// Config is how to reach a server and what to watch on it.
type Config struct {
	Server   *connect.Server // whose log it is
	ServerID uint32          // ours among the server's replicas; random, kept over restarts
	Watch                    // the watched tables, at first
	// Lookups are tables of which it only matters that rows changed, with the columns that are decoded all the same.
	Lookups map[TableName][]string
	// Alone says that somebody else sees to it that nobody reads under our ServerID besides, so that no lock is taken: one that is
	// frozen would keep its lock.
	Alone bool
	// Own is a schema that only we write to, as our outbox is in it. Its rows are passed over. Empty: none.
	Own string
	// Statements asks a MariaDB for the text of the statements, about a quarter more to read. A MySQL sends it when
	// binlog_rows_query_log_events is on.
	Statements bool
	// Created is told of each table that comes to be under a name that is not watched, and which transaction made it. An error
	// ends Follow before that transaction, with this error. Nil: nobody wants to know.
	Created func(table TableName, txn string) error
	// Dropped is told of each table that goes whose name is not watched, and of each schema: of that without a name. Nil: nobody wants
	// to know.
	Dropped func(table TableName)
	// NeedStatements makes it a fault in Check when the server does not log them.
	NeedStatements bool
	// After is the Source of the same server that this one takes the place of, if any: of the tables that both watch the server is
	// not asked again what it has said already.
	After *Source
	Log   *slog.Logger
	Now   func() time.Time // nil: time.Now
}

// Source is a server whose log is followed. Its side connections come from a pool that the caller owns.
type Source struct {
	*server
	cfg     Config
	twin    twinLock
	list    atomic.Pointer[watchList] // what is read; nil: nothing
	next    atomic.Pointer[watchList] // what is to be read from the next transaction on; nil: the same
	beside  bool                      // a second reading, under an id that nobody else has
	asked   *asked
	trouble retry.Trouble
	clock   time.Time // the last commit's time: the log's clock never runs backwards
}

// asked is what the server has said of tables to a Source, and to those before it.
type asked struct {
	compared atomic.Bool     // those that were known are what the log made of them
	sound    preflight.Sound // those that are as they must be
}

// Open finds out what server is behind db. The caller must Close the Source.
func Open(ctx context.Context, db *sql.DB, cfg Config) (*Source, error) {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	at := &server{db: db, login: cfg.Server, id: cfg.ServerID, statements: cfg.Statements, flavor: mysql.MySQLFlavor}
	s := &Source{server: at, cfg: cfg, twin: twinLock{server: at, none: cfg.Alone, lease: lease{lockIdle, lockBeat}}, asked: new(asked)}
	if cfg.After != nil {
		s.asked, s.cfg.After = cfg.After.asked, nil
	}
	if err := s.identify(ctx); err != nil {
		return nil, fmt.Errorf("asking the database server at %s what it is: %w", cfg.Server.Config().Address, err)
	}
	if err := cfg.Server.Fit(ctx, db); err != nil {
		return nil, err
	}
	s.list.Store(newWatchList(s.dialect, cfg.Watch, cfg.Lookups))
	return s, nil
}

// Close releases the lock that keeps a second reader out.
func (s *Source) Close() error { return s.twin.release() }

// Finding is the result of one check of a server.
type Finding = preflight.Finding

// Survey is what a server is and lacks.
type Survey = preflight.Survey

// Preflight looks at the server, for what following its log depends on.
func (s *Source) Preflight() *preflight.Checker {
	w := s.watched()
	c := &preflight.Checker{
		DB: s.db, Server: s.login, MariaDB: s.MariaDB(), Version: s.version, Hosting: s.hosting, Define: s.tables().Define,
		NeedStatements: s.cfg.NeedStatements, Tables: w.Tables, Optional: w.Optional, Prefixes: w.Prefixes, Schemas: slices.Sorted(maps.Keys(w.names)), Sound: &s.asked.sound,
	}
	c.Lookups = slices.AppendSeq(c.Lookups, maps.Keys(w.lookups))
	return c
}
