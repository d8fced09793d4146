package cdc

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"rowhook/cdc/cdctest"
	"rowhook/cdc/schema"
	"rowhook/cdc/sqlmap"
	"rowhook/dbtest"
)

// TestLockedTable: a table that somebody holds locked at the start is not missing, and its site's trouble alone.
func TestLockedTable(t *testing.T) {
	cdctest.OnServers(t, func(t *testing.T, server *dbtest.Server) {
		conn := cdctest.SchemaConn(t, server, "busy", "CREATE TABLE a (id INT PRIMARY KEY)", "CREATE TABLE b (id INT PRIMARY KEY)")
		other := cdctest.Conn(t, server.DB(t, "busy"))
		cfg := sourceConfig(server, newLog(), "busy", "a", "b")
		s := openSource(t, cfg)
		cdctest.Exec(t, conn, "LOCK TABLES a WRITE")
		findings, err := s.Preflight().Check(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		said := false
		for _, f := range findings {
			said = said || strings.Contains(f.Found, "locked")
			if strings.Contains(f.Found, "not found") {
				t.Errorf("it is taken for missing: %+v", f)
			}
		}
		if !said {
			t.Error("nothing is said of the lock")
		}
		f := followNow(t, s)
		cdctest.Exec(t, other, "INSERT INTO b VALUES (1)")
		f.expect(t, "insert b(id=1)")
		cdctest.Exec(t, conn, "UNLOCK TABLES", "INSERT INTO a VALUES (2)")
		f.expect(t, "insert a(id=2)")
	})
}

// TestAskingWaitsForNoLock reads rows of tables whose columns are asked for while somebody holds them.
func TestAskingWaitsForNoLock(t *testing.T) {
	cdctest.OnServers(t, func(t *testing.T, server *dbtest.Server) {
		server.Exec(t, "SET GLOBAL binlog_row_metadata = "+least(server))
		for schema, hold := range map[string]func(*testing.T, *sql.Conn) (release []string){
			"locked": func(t *testing.T, conn *sql.Conn) []string {
				cdctest.Exec(t, conn, "LOCK TABLES a WRITE")
				return []string{"UNLOCK TABLES"}
			},
			"flushed": func(t *testing.T, conn *sql.Conn) []string {
				cdctest.Exec(t, conn, "FLUSH TABLES WITH READ LOCK")
				return []string{"UNLOCK TABLES"}
			},
			"altered": func(t *testing.T, conn *sql.Conn) []string {
				cdctest.Exec(t, conn, "BEGIN", "SELECT * FROM a")
				meanwhile(t, server, "ALTER TABLE altered.a ADD x INT")
				return []string{"COMMIT"}
			},
		} {
			t.Run(schema, func(t *testing.T) {
				conn := cdctest.SchemaConn(t, server, schema, "CREATE TABLE a (id INT PRIMARY KEY)", "CREATE TABLE b (id INT PRIMARY KEY)")
				s := openSource(t, sourceConfig(server, newLog(), schema, "a", "b"))
				p := current(t, s)
				cdctest.Exec(t, conn, "INSERT INTO a VALUES (1)", "INSERT INTO b VALUES (2)")
				release := hold(t, conn)
				f := follow(t, s, p)
				f.expect(t, "insert a(id=1)", "insert b(id=2)")
				cdctest.Exec(t, conn, release...)
				f.stop()
			})
		}
	})
}

// TestLockedCopies: sites restore tables from a backup, each under a lock, the reader is a moment behind, and their columns
// are in no log that it has read.
func TestLockedCopies(t *testing.T) {
	cdctest.OnServers(t, func(t *testing.T, server *dbtest.Server) {
		server.Exec(t, "SET GLOBAL binlog_row_metadata = "+least(server))
		cdctest.SchemaConn(t, server, "backup", "CREATE TABLE t (id INT PRIMARY KEY, s VARCHAR(9))", "INSERT INTO t VALUES (1, 'x')")
		sites := []string{"one", "two", "three"}
		cfg := sourceConfig(server, newLog(), "free", "a")
		conns := map[string]*sql.Conn{}
		for _, site := range sites {
			conns[site] = cdctest.SchemaConn(t, server, site)
			cfg.Tables = append(cfg.Tables, TableName{Schema: site, Name: "t"})
		}
		free := cdctest.SchemaConn(t, server, "free", "CREATE TABLE a (id INT PRIMARY KEY)")
		f := followNow(t, openSource(t, cfg))
		cdctest.Exec(t, free, "INSERT INTO a VALUES (1)")
		f.expect(t, "insert a(id=1)")
		f.stop()
		var want []string
		for _, site := range sites {
			cdctest.Exec(t, conns[site], "CREATE TABLE t LIKE backup.t", "LOCK TABLES t WRITE, backup.t READ", "INSERT INTO t SELECT * FROM backup.t")
			want = append(want, "insert t(id=1 s=x)")
		}
		cdctest.Exec(t, free, "INSERT INTO a VALUES (2)")
		f = followOn(t, f)
		f.expect(t, append(want, "insert a(id=2)")...)
		for _, site := range sites {
			cdctest.Exec(t, conns[site], "INSERT INTO t VALUES (2, 'y')")
		}
		f.expect(t, "insert t(id=2 s=y)", "insert t(id=2 s=y)", "insert t(id=2 s=y)")
		for _, site := range sites {
			cdctest.Exec(t, conns[site], "UNLOCK TABLES")
		}
	})
}

// TestExclusiveLock: while a statement changes a table, nobody can say what it is. Its rows are set aside, the others come.
func TestExclusiveLock(t *testing.T) {
	cdctest.OnServers(t, func(t *testing.T, server *dbtest.Server) {
		server.Exec(t, "SET GLOBAL binlog_row_metadata = "+least(server))
		conn := cdctest.SchemaConn(t, server, "held", "CREATE TABLE a (id INT PRIMARY KEY)", "CREATE TABLE z (id INT PRIMARY KEY)")
		free := cdctest.SchemaConn(t, server, "free", "CREATE TABLE b (id INT PRIMARY KEY)")
		cfg := sourceConfig(server, newLog(), "free", "b")
		held := TableName{Schema: "held", Name: "a"}
		cfg.Tables = append(cfg.Tables, held)
		s := openSource(t, cfg)
		p := current(t, s)
		cdctest.Exec(t, conn, "INSERT INTO a VALUES (1)", "BEGIN", "SELECT * FROM z")
		meanwhile(t, server, "RENAME TABLE held.a TO held.a2, held.z TO held.z2") // has a, and waits for z
		cdctest.Exec(t, free, "INSERT INTO b VALUES (2)")

		sink := &isolating{recorder: newRecorder(), skipped: map[TableName]bool{}, aside: make(chan *TableError, 1)}
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- s.Follow(ctx, p, nil, sink) }()
		select {
		case trouble := <-sink.aside:
			if trouble.Table != held || !schema.IsLocked(trouble) || trouble.Lasting || trouble.Hint != schema.LockedHint {
				t.Errorf("set aside: %+v", trouble)
			}
		case err := <-ended:
			t.Fatal(err)
		case <-time.After(patience):
			t.Fatal("nothing is set aside")
		}
		for came := false; !came; {
			select {
			case txn := <-sink.txns:
				came = slices.Equal(txn.rows, []string{"insert b(id=2)"})
			case err := <-ended:
				t.Fatal(err)
			case <-time.After(patience):
				t.Fatal("the other site's row does not come")
			}
		}
		cdctest.Exec(t, conn, "COMMIT")
		stop()
		<-ended
	})
}

// isolating is a recorder for which a table that cannot be read concerns nobody else.
type isolating struct {
	*recorder
	skipped map[TableName]bool
	aside   chan *TableError
}

func (s *isolating) Skips(t TableName) bool { return s.skipped[t] }

func (s *isolating) SetAside(t *TableError) bool {
	s.skipped[t.Table] = true
	s.aside <- t
	return true
}

// meanwhile runs a statement that has to wait for somebody's lock, and returns when it does. It ends before the test.
func meanwhile(t *testing.T, server *dbtest.Server, statement string) {
	t.Helper()
	conn := cdctest.Conn(t, server.DB(t, ""))
	done := make(chan error, 1)
	go func() {
		_, err := conn.ExecContext(context.WithoutCancel(t.Context()), statement)
		done <- err
	}()
	t.Cleanup(func() {
		if err := <-done; err != nil {
			t.Errorf("%s: %v", statement, err)
		}
	})
	db, look := server.DB(t, ""), time.NewTicker(10*time.Millisecond)
	defer look.Stop()
	for waits := 0; waits == 0; <-look.C {
		const question = "SELECT count(*) FROM information_schema.processlist WHERE state LIKE '%metadata lock%' AND info = ?"
		if err := db.QueryRowContext(t.Context(), question, statement).Scan(&waits); err != nil {
			t.Fatal(err)
		}
	}
}

// TestWordOnOneTable tells what a server may answer about a table from a connection that is broken.
func TestWordOnOneTable(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		number          uint16
		ofTable, locked bool
	}{
		{1205, true, true},                                            // lock wait timeout
		{1142, true, false}, {1143, true, false}, {1044, true, false}, // not granted
		{1356, true, false},                                           // an invalid view
		{1932, true, false}, {1033, true, false}, {1194, true, false}, // broken: not in the engine, its definition, its file
		{1286, true, false},                        // of an engine that is not there
		{1040, false, false}, {1226, false, false}, // no connection is free
		{1053, false, false}, {1927, false, false}, {1317, false, false}, // the server or somebody ended the connection, or the query
		{1045, false, false}, // no login
	} {
		err := fmt.Errorf("asking: %w", &sqlmap.Error{Number: c.number})
		if schema.IsOfTable(err) != c.ofTable || schema.IsLocked(err) != c.locked {
			t.Errorf("%d: of one table %v, locked %v", c.number, schema.IsOfTable(err), schema.IsLocked(err))
		}
	}
	for _, err := range []error{driver.ErrBadConn, context.DeadlineExceeded, io.ErrUnexpectedEOF} {
		if schema.IsOfTable(err) {
			t.Errorf("%v is taken for a table's trouble", err)
		}
	}
}

// TestCheckTellsTablesApart: what is not to be read is not therefore missing.
func TestCheckTellsTablesApart(t *testing.T) {
	cdctest.OnServers(t, func(t *testing.T, server *dbtest.Server) {
		cdctest.SchemaConn(t, server, "apart", "CREATE TABLE a (id INT PRIMARY KEY)", "CREATE VIEW good AS SELECT * FROM a", "CREATE TABLE gone (id INT)", "CREATE VIEW bad AS SELECT * FROM gone", "DROP TABLE gone")
		said := map[string]string{}
		for _, f := range faults(t, sourceConfig(server, newLog(), "apart", "a", "good", "bad", "gone")) {
			said[f.Check] += f.Found
		}
		for check, want := range map[string]string{"table apart.good": "a view", "table apart.bad": "a view", "tables of schema apart": "not found: gone"} {
			if !strings.Contains(said[check], want) || strings.Contains(said[check], ",") && check == "tables of schema apart" {
				t.Errorf("%s: %q, want %q", check, said[check], want)
			}
		}
	})
}

// TestVersionOfItsOwn: a MariaDB that calls itself a MySQL is read as what it is.
func TestVersionOfItsOwn(t *testing.T) {
	t.Parallel()
	server := cdctest.StartServer(t, dbtest.MariaDB1011, "--version=8.0.36")
	conn := cdctest.SchemaConn(t, server, "disguised", "CREATE TABLE a (id INT PRIMARY KEY)")
	s := openSource(t, sourceConfig(server, newLog(), "disguised", "a"))
	if !s.MariaDB() {
		t.Fatalf("it is taken for a MySQL: %s", s.Version())
	}
	f := followNow(t, s)
	for id := range 3 {
		cdctest.Exec(t, conn, fmt.Sprintf("INSERT INTO a VALUES (%d)", id))
		f.expect(t, fmt.Sprintf("insert a(id=%d)", id))
	}
}
