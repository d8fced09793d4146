package cdc

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"strings"
	"time"

	"github.com/go-mysql-org/go-mysql/mysql"
	"github.com/go-mysql-org/go-mysql/replication"

	"rowhook/cdc/preflight"
	"rowhook/cdc/schema"
	"rowhook/cdc/schema/ddl"
	"rowhook/cdc/sqlmap"
	"rowhook/connect"
	"rowhook/sqltext"
)

// server is a database server: what it is, and what it says of its log.
type server struct {
	db         *sql.DB
	login      *connect.Server // how to get there
	id         uint32          // of ours, among its replicas
	statements bool            // it is asked for the statements' texts

	flavor  string
	version string
	hosting preflight.Hosting
	dialect ddl.Dialect
}

// as is the same one, to which we are another replica.
func (s *server) as(id uint32) *server {
	at := *s
	at.id = id
	return &at
}

// identify finds out the kind of server by a variable that only one kind has. What it says of its version is its
// administrator's or a proxy's to choose: a MariaDB may call itself 8.0.36.
func (s *server) identify(ctx context.Context) error {
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

// MariaDB says whether the server is a MariaDB.
func (s *server) MariaDB() bool { return s.flavor == mysql.MariaDBFlavor }

// tables asks the server what its tables are.
func (s *server) tables() schema.Server {
	return schema.Server{DB: s.db, MariaDB: s.MariaDB(), User: s.login.Config().User}
}

// Version is what the server calls its version.
func (s *server) Version() string { return s.version }

// Precision is that of the log's commit times.
func (s *server) Precision() time.Duration {
	if s.MariaDB() {
		return time.Second
	}
	return time.Microsecond
}

// Current is the position at the log's end: following from it yields what is committed from now on.
func (s *server) Current(ctx context.Context) (Position, error) {
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
func (s *server) End(ctx context.Context) (End, error) {
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

// stream hands the events of one connection to h until it ends; dump says which. Its link is kept in at, for the tails of
// large events.
func (s *server) stream(ctx context.Context, h replication.EventHandler, at **link, dump func(*replication.BinlogSyncer) (*replication.BinlogStreamer, error)) error {
	syncer := s.syncer(h, at)
	defer syncer.Close() // waits for the handler
	streamer, err := start(syncer, dump)
	if err != nil {
		return fmt.Errorf("asking for the binary log: %w", err)
	}
	_, err = streamer.GetEvent(ctx) // events go to the handler; here only the end arrives
	return fmt.Errorf("reading the binary log: %w", err)
}

// start asks for the log. What the server answers until the log comes go-mysql parses unprotected: an answer that makes it
// panic is an error of the link.
func start(b *replication.BinlogSyncer, dump func(*replication.BinlogSyncer) (*replication.BinlogStreamer, error)) (_ *replication.BinlogStreamer, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("the server's answer cannot be read: %v", p)
		}
	}()
	return dump(b)
}

// syncer makes the one connection of go-mysql that hands events to h. Its link is kept in at. The connection is logged in
// when go-mysql gets it.
func (s *server) syncer(h replication.EventHandler, at **link) *replication.BinlogSyncer {
	var flags uint16
	if s.statements && s.MariaDB() {
		flags = replication.BINLOG_SEND_ANNOTATE_ROWS_EVENT
	}
	return replication.NewBinlogSyncer(replication.BinlogSyncerConfig{
		DumpCommandFlag: flags,
		ServerID:        s.id, Flavor: s.flavor, Localhost: "rowhook",
		RawModeEnabled:          true, // we decode, and only what is watched
		SynchronousEventHandler: h,
		DisableRetrySync:        true, // resuming is ours: go-mysql's would repeat half a transaction
		DiscardGTIDSet:          true,
		HeartbeatPeriod:         heartbeatPeriod, Dialer: dialer(s.login, at),
		Logger: slog.New(slog.DiscardHandler), // what it has to say comes back as an error
	})
}
