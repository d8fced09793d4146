package cdc

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/go-mysql-org/go-mysql/replication"

	"rowhook/cdc/cdctest"
	"rowhook/cdc/schema/ddl"
	"rowhook/connect"
	"rowhook/dbtest"
)

var update = flag.Bool("update", false, "capture the events of testdata again, from servers, and rewrite the golden files")

// TestCapturedLogs reads again what servers of each kind logged (testdata/logs: all events of some transactions, with
// binlog_row_metadata=FULL) and compares the changes with golden files. `go test -tags matrix -run CapturedLogs -update`
// captures them anew.
func TestCapturedLogs(t *testing.T) {
	t.Parallel()
	if *update {
		for _, kind := range cdctest.Kinds(t) {
			captureLog(t, kind)
		}
	}
	files := cdctest.CapturedLogs(t, ".")
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			t.Parallel()
			r, rec := offlineReader(t, file)
			for _, e := range cdctest.ReadEvents(t, file) {
				if err := handRaw(r, e.Raw); err != nil {
					t.Fatalf("%s: %v", e.Type, err)
				}
			}
			var got strings.Builder
			for len(rec.txns) > 0 {
				txn := <-rec.txns
				fmt.Fprintf(&got, "%s %s\n", txn.Txn.GTID, txn.Time.UTC().Format(time.DateOnly))
				for _, row := range txn.rows {
					fmt.Fprintf(&got, "\t%q\n", row)
				}
			}
			golden := strings.TrimSuffix(file, ".binlog") + ".golden"
			if *update {
				if err := os.WriteFile(golden, []byte(got.String()), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if got.String() != string(want) {
				t.Errorf("%s differs; run with -update and look at the difference", golden)
			}
		})
	}
}

// captureLog has a server log transactions with all that matters, once each.
func captureLog(t *testing.T, kind dbtest.Kind) {
	t.Helper()
	args := []string{"--binlog-checksum=NONE", "--binlog-row-metadata=FULL"}
	table := "CREATE TABLE t (id INT PRIMARY KEY, name VARCHAR(50) CHARACTER SET latin1, price DECIMAL(65,30), at DATETIME(3), e ENUM('a','b'), s SET('x','y'), b BIT(64), g POINT, "
	if kind.MySQL() {
		args = append(args, "--binlog-rows-query-log-events=ON")
		table += "doc JSON)"
	} else {
		table += "doc LONGTEXT COMPRESSED)"
	}
	server := dbtest.StartServer(t, kind, args...)
	conn := cdctest.Conn(t, server.DB(t, ""))
	cdctest.Exec(t, conn, "CREATE DATABASE log", "USE log", table)
	start := cdctest.LogEnd(t, server)
	insert := `INSERT INTO t VALUES (%d, 'Müller', -12345.678, '2024-02-30 10:00:00.5', 'b', 'x,y', 0xfffffffffffffffe, POINT(1,2), '{"a": [1, 2.5, null, "%s"]}')`
	row := func(id int) string { return fmt.Sprintf(insert, id, strings.Repeat("long ", 100)) }
	cdctest.Exec(t, conn, row(1), "BEGIN", row(2), "SAVEPOINT s", "UPDATE t SET e = 'a' WHERE id = 1", "ROLLBACK TO SAVEPOINT s", "DELETE FROM t WHERE id = 1", "COMMIT",
		"CREATE TABLE other (id INT)", "INSERT INTO other VALUES (1)", "DROP TABLE other")
	if kind.MySQL() {
		cdctest.Exec(t, conn, "SET gtid_next = 'AUTOMATIC:tag'", row(3), "SET gtid_next = AUTOMATIC, binlog_transaction_compression = ON", row(4), "UPDATE t SET doc = JSON_SET(doc, '$.b', CAST(1.5 AS DECIMAL(9,3)))")
	} else {
		cdctest.Exec(t, conn, "SET GLOBAL log_bin_compress = ON, log_bin_compress_min_len = 10", row(3), "DELETE FROM t WHERE id = 3", "SET STATEMENT max_statement_time = 9 FOR UPDATE t SET name = NULL",
			"/* a comment */ CREATE TABLE other (id INT)")
	}
	cdctest.WriteEvents(t, filepath.Join("testdata", "logs", string(kind)+".binlog"), cdctest.ReadLog(t, server, start, cdctest.LogEnd(t, server), isOwn))
}

// isOwn says whether an event is no artificial one of the server.
func isOwn(typ replication.EventType) bool {
	switch typ {
	case replication.FORMAT_DESCRIPTION_EVENT, replication.ROTATE_EVENT, replication.MARIADB_GTID_LIST_EVENT, replication.HEARTBEAT_EVENT:
		return false
	}
	return true
}

// offlineReader reads what a captured log's server logged, without a server; it watches log.t.
func offlineReader(tb testing.TB, file string) (*reader, *recorder) {
	tb.Helper()
	kind := dbtest.Kind(strings.TrimSuffix(filepath.Base(file), ".binlog"))
	tracker, err := newTracker(Position{Flavor: cdctest.Flavor(kind), Set: map[bool]string{true: testUUID + ":1", false: ""}[kind.MySQL()]})
	if err != nil {
		tb.Fatal(err)
	}
	rec := newRecorder()
	db := sql.OpenDB(noServer{})
	tb.Cleanup(func() { db.Close() })
	s := &Source{server: &server{flavor: cdctest.Flavor(kind), db: db, login: connect.New(connect.Config{})}, cfg: Config{Now: time.Now, Log: slog.New(slog.DiscardHandler)}}
	s.cfg.Tables = []TableName{{Schema: "log", Name: "t"}}
	s.list.Store(newWatchList(s.dialect, s.cfg.Watch, nil))
	r := newReader(tb.Context(), s, tracker, rec, false)
	tb.Cleanup(r.packed.close)
	r.resolver.history.Learn(s.cfg.Tables[0], &ddl.Definition{Columns: []ddl.Column{{Name: "id"}}, Key: []int{0}}) // the log tells the rest
	r.resolver.history.Commit()
	return r, rec
}

// handRaw hands an event to a reader as go-mysql does in its raw mode.
func handRaw(r *reader, raw []byte) error {
	h := new(replication.EventHeader)
	if err := h.Decode(raw); err != nil {
		return err
	}
	return r.HandleEvent(&replication.BinlogEvent{Header: h, Event: &replication.GenericEvent{Data: raw[replication.EventHeaderSize:]}})
}

var errNoServer = errors.New("there is no server")

// noServer is a database that cannot be asked.
type noServer struct{}

func (noServer) Connect(context.Context) (driver.Conn, error) { return nil, errNoServer }
func (noServer) Driver() driver.Driver                        { return nil }
