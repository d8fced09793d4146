// Package cdc follows the binary log of a MySQL or MariaDB server and yields its row changes and commits. It knows
// nothing of the plugin.
//
// A Source is one server. Follow reads its log from a Position and hands every change of a watched table, then the
// commit that makes it visible, to a Sink. It reconnects by itself, and reads the last transaction again at every
// connect to prove that the log is still the one it knew. What it cannot read rightly it does not skip: it stops with
// a StopError that says what to do.
package cdc

import (
	"cmp"
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/go-mysql-org/go-mysql/mysql"

	"rowhook/cdc/preflight"
	"rowhook/cdc/schema"
	"rowhook/cdc/schema/ddl"
	"rowhook/cdc/sqlmap"
	"rowhook/connect"
	"rowhook/retry"
	"rowhook/sqltext"
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
	cfg     Config
	db      *sql.DB
	flavor  string
	version string
	hosting preflight.Hosting
	dialect ddl.Dialect
	list    atomic.Pointer[watchList] // what is read; nil: nothing
	next    atomic.Pointer[watchList] // what is to be read from the next transaction on; nil: the same
	lock    *sql.Conn                 // holds the GET_LOCK that keeps a twin out
	held    bool                      // it was ours once
	beside  bool                      // a second reading, under an id that nobody else has: it needs no lock
	lease   lease
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
	s := &Source{cfg: cfg, db: db, flavor: mysql.MySQLFlavor, lease: lease{lockIdle, lockBeat}, asked: new(asked)}
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

// identify finds out the kind of server by a variable that only one kind has. What it says of its version is its
// administrator's or a proxy's to choose: a MariaDB may call itself 8.0.36.
func (s *Source) identify(ctx context.Context) error {
	rows, err := sqlmap.Rows(ctx, s.db, `SHOW GLOBAL VARIABLES WHERE variable_name IN ('version', 'innodb_version', 'gtid_domain_id', 'server_uuid', 'lower_case_table_names',
		'version_comment', 'basedir', 'datadir', 'aurora_version')`)
	if err != nil {
		return err
	}
	vars := map[string]string{}
	for _, r := range rows {
		vars[strings.ToLower(r["Variable_name"])] = r["Value"]
	}
	_, mariaDB := vars["gtid_domain_id"]
	_, mySQL := vars["server_uuid"]
	switch {
	case mariaDB:
		s.flavor = mysql.MariaDBFlavor
	case !mySQL:
		return errors.New("it has the variables of neither a MySQL nor a MariaDB")
	}
	s.version, s.hosting = vars["version"], preflight.HostingOf(vars)
	number := versionNumber(cmp.Or(vars["innodb_version"], s.version)) // the engine's is that of the server, and not for choice
	if mariaDB && !strings.Contains(strings.ToLower(s.version), "mariadb") {
		s.version += " (MariaDB " + vars["innodb_version"] + ")"
	}
	s.dialect = ddl.Dialect{Dialect: sqltext.Dialect{MariaDB: mariaDB, Version: number}, FoldNames: vars["lower_case_table_names"] != "0"}
	return nil
}

// Close releases the lock on the server.
func (s *Source) Close() error {
	if s.lock == nil {
		return nil
	}
	err := discard(s.lock)
	s.lock = nil
	return err
}

// discard ends a connection, and what it holds on the server; Close alone would give it back to the pool.
func discard(conn *sql.Conn) error {
	err := conn.Raw(func(any) error { return driver.ErrBadConn })
	if errors.Is(err, driver.ErrBadConn) || errors.Is(err, sql.ErrConnDone) {
		return nil
	}
	return err
}

// MariaDB says whether the server is a MariaDB.
func (s *Source) MariaDB() bool { return s.flavor == mysql.MariaDBFlavor }

// tables asks the server what its tables are.
func (s *Source) tables() schema.Server {
	return schema.Server{DB: s.db, MariaDB: s.MariaDB(), User: s.cfg.Server.Config().User}
}

// Finding is the result of one check of a server.
type Finding = preflight.Finding

// Survey is what a server is and lacks.
type Survey = preflight.Survey

// Preflight looks at the server, for what following its log depends on.
func (s *Source) Preflight() *preflight.Checker {
	w := s.watched()
	c := &preflight.Checker{
		DB: s.db, Server: s.cfg.Server, MariaDB: s.MariaDB(), Version: s.version, Hosting: s.hosting, Define: s.tables().Define,
		NeedStatements: s.cfg.NeedStatements, Tables: w.Tables, Optional: w.Optional, Prefixes: w.Prefixes, Schemas: slices.Sorted(maps.Keys(w.names)), Sound: &s.asked.sound,
	}
	c.Lookups = slices.AppendSeq(c.Lookups, maps.Keys(w.lookups))
	return c
}

// Version is what the server calls its version.
func (s *Source) Version() string { return s.version }

// Precision is that of the log's commit times.
func (s *Source) Precision() time.Duration {
	if s.MariaDB() {
		return time.Second
	}
	return time.Microsecond
}

// sideTimeout bounds what is asked on a side connection, the wait for the lock included. A link that lost its other end
// would keep us for ever.
const sideTimeout = 20 * time.Second

// lease is for how long the lock's connection may be silent, until the server ends it, and how often we speak. So a
// server that lost us, and was not told, holds the lock of our old connection no longer than that: TCP alone would have
// it for hours.
type lease struct{ idle, beat time.Duration }

const (
	lockIdle = 90 * time.Second
	lockBeat = 20 * time.Second
)

// Lock keeps a second reader with our server id out for as long as the Source is open: two would disturb each other,
// and MySQL lets them. It waits ten seconds for a reader that is just going away.
//
// A twin is a StopError only before we held the lock ourselves. Later the holder is our own old connection, of which
// the server does not know yet that it is dead, and the error is one to try again after.
func (s *Source) Lock(ctx context.Context) error {
	if s.beside || s.cfg.Alone {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, sideTimeout)
	defer cancel()
	if s.lock != nil {
		if s.lock.PingContext(ctx) == nil {
			return nil
		}
		_ = s.Close() // it is broken, and the lock gone with it
	}
	conn, err := s.db.Conn(ctx)
	if err != nil {
		return fmt.Errorf("connecting for the lock: %w", err)
	}
	if err := s.acquire(ctx, conn); err != nil {
		return errors.Join(err, discard(conn))
	}
	s.lock, s.held = conn, true
	return nil
}

// acquire takes the lock on a connection.
func (s *Source) acquire(ctx context.Context, conn *sql.Conn) error {
	name := fmt.Sprintf("rowhook:%d", s.cfg.ServerID)
	if _, err := conn.ExecContext(ctx, fmt.Sprintf("SET SESSION wait_timeout = %d", int(s.lease.idle.Seconds()))); err != nil {
		return fmt.Errorf("preparing the connection for the lock: %w", err)
	}
	var got sql.NullInt64
	err := conn.QueryRowContext(ctx, "SELECT GET_LOCK(?, 10)", name).Scan(&got)
	switch {
	case err != nil:
		return fmt.Errorf("taking the lock %s: %w", name, err)
	case got.Int64 == 1:
		return nil
	case s.held:
		return fmt.Errorf("another connection, perhaps our old one, holds the lock %s", name)
	}
	return &StopError{
		Reason: fmt.Sprintf("another rowhook with this state follows this server (lock %s is taken)", name),
		Hint:   "stop the other one; for a second rowhook use a state_dir of its own, not a copy",
	}
}

// keepLock shows the server that we are there until ctx ends, or the lock is lost.
func (s *Source) keepLock(ctx context.Context) error {
	if s.beside || s.cfg.Alone {
		<-ctx.Done()
		return nil
	}
	beat := time.NewTicker(s.lease.beat)
	defer beat.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-beat.C:
		}
		if err := s.beat(ctx); err != nil && ctx.Err() == nil {
			return fmt.Errorf("the lock that keeps a second reader out is lost: %w", err)
		}
	}
}

func (s *Source) beat(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, sideTimeout)
	defer cancel()
	return s.lock.PingContext(ctx)
}

// Current is the position at the log's end: following from it yields what is committed from now on.
func (s *Source) Current(ctx context.Context) (Position, error) {
	end, err := s.End(ctx)
	if err != nil {
		return Position{}, err
	}
	p := Position{Flavor: s.flavor, Start: end.Coord}
	if end.set != nil {
		p.Set = end.set.String()
	}
	return p, nil
}

// End is the end of a server's log at some moment.
type End struct {
	Coord Coord
	set   mysql.GTIDSet // nil on a server without GTIDs
}

// End asks the server where its log ends now.
func (s *Source) End(ctx context.Context) (End, error) {
	row, err := preflight.LogStatus(ctx, s.db, s.MariaDB())
	if err != nil {
		return End{}, fmt.Errorf("asking where the log ends: %w", err)
	}
	offset, err := strconv.ParseUint(row["Position"], 10, 64)
	if err != nil || row["File"] == "" {
		return End{}, errors.New("asking where the log ends: the server says that it writes no binary log")
	}
	end := End{Coord: Coord{row["File"], offset}}
	set := row["Executed_Gtid_Set"]
	if s.MariaDB() {
		if err := s.db.QueryRowContext(ctx, "SELECT @@global.gtid_binlog_pos").Scan(&set); err != nil {
			return End{}, fmt.Errorf("asking for the log's GTIDs: %w", err)
		}
	}
	if set = strings.ReplaceAll(set, "\n", ""); set == "" && !s.MariaDB() {
		return end, nil
	}
	if end.set, err = mysql.ParseGTIDSet(s.flavor, set); err != nil {
		return End{}, fmt.Errorf("reading the log's GTIDs %q: %w", set, err)
	}
	return end, nil
}
