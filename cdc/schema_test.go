package cdc

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"rowhook/cdc/cdctest"
	"rowhook/cdc/rowcodec"
	"rowhook/dbtest"
)

// TestSchemas follows tables that are altered while they are written, with each setting that changes what the log says
// of them.
func TestSchemas(t *testing.T) { cdctest.OnServers(t, testSchemas) }

func testSchemas(t *testing.T, server *dbtest.Server) {
	t.Helper()
	settings := []string{"binlog_row_metadata = MINIMAL", "binlog_row_metadata = FULL"}
	least := "MINIMAL"
	if !server.Kind().MySQL() {
		settings = append(settings, "log_bin_compress = ON, log_bin_compress_min_len = 10", "log_bin_compress = OFF, binlog_row_metadata = NO_LOG")
		least = "NO_LOG"
	}
	for _, setting := range settings {
		t.Run(setting, func(t *testing.T) {
			name, _, _ := strings.Cut(setting, ",")
			schema := "s_" + strings.ToLower(strings.ReplaceAll(name, " = ", "_"))
			server.Exec(t, "SET GLOBAL "+setting)
			conn := cdctest.SchemaConn(t, server, schema, "CREATE TABLE a (id INT PRIMARY KEY, s VARCHAR(400))")
			f := followNow(t, openSource(t, sourceConfig(server, newLog(), schema, "a")))
			for _, step := range []struct{ alter, write, want string }{
				{"", "INSERT INTO a VALUES (1, 'x')", "insert a(id=1 s=x)"},
				{"ADD COLUMN first_ INT NOT NULL DEFAULT 7 FIRST", "UPDATE a SET s = 'y'", "update a(first_=7 id=1 s=x -> first_=7 id=1 s=y)"},
				{"RENAME COLUMN s TO q", "UPDATE a SET q = 'z'", "update a(first_=7 id=1 q=y -> first_=7 id=1 q=z)"},
				{"DROP COLUMN first_", "UPDATE a SET q = REPEAT('long', 20)", "update a(id=1 q=z -> id=1 q=" + strings.Repeat("long", 20) + ")"},
				{"MODIFY q TEXT CHARACTER SET latin1", "UPDATE a SET q = 'ö'", "update a(id=1 q=" + strings.Repeat("long", 20) + " -> id=1 q=ö)"},
				{"ADD COLUMN e ENUM('p', 'q'), ADD COLUMN u BIGINT UNSIGNED", "INSERT INTO a VALUES (2, 'n', 'q', 18446744073709551615)", "insert a(id=2 q=n e=q u=18446744073709551615)"},
				{"DROP PRIMARY KEY, ADD PRIMARY KEY (e, id)", "DELETE FROM a WHERE id = 2", "delete a(id=2 q=n e=q u=18446744073709551615)"},
			} {
				if step.alter != "" {
					cdctest.Exec(t, conn, "ALTER TABLE a "+step.alter)
				}
				cdctest.Exec(t, conn, step.write)
				f.expect(t, step.want)
			}
			is, err := f.source.tables().Define(t.Context(), TableName{Schema: schema, Name: "a"})
			if err != nil || len(is.Columns) != 4 || !slices.Equal(is.Key, []int{2, 0}) {
				t.Errorf("columns %v, key %v: %v", is.Columns, is.Key, err)
			}
		})
	}

	t.Run("behind", func(t *testing.T) {
		server.Exec(t, "SET GLOBAL binlog_row_metadata = "+least)
		conn := cdctest.SchemaConn(t, server, "behind", "CREATE TABLE a (id INT PRIMARY KEY, s VARCHAR(10))")
		s := openSource(t, sourceConfig(server, newLog(), "behind", "a"))
		p := current(t, s)
		cdctest.Exec(t, conn, "INSERT INTO a VALUES (1, 'x')", "ALTER TABLE a ADD n INT FIRST")
		wantStop(t, follow(t, s, p).stopError(t), "behind.a", "altered later", "ADD n INT FIRST", "binlog_row_metadata")
		cdctest.Exec(t, conn, "DROP TABLE a")
		s = openSource(t, sourceConfig(server, newLog(), "behind", "a"))
		wantStop(t, follow(t, s, p).stopError(t), "behind.a", "altered later", "ADD n INT FIRST")
	})

	t.Run("known at once", func(t *testing.T) {
		conn := cdctest.SchemaConn(t, server, "at_once", "CREATE TABLE a (id INT PRIMARY KEY, s VARCHAR(10))")
		config := sourceConfig(server, newLog(), "at_once", "a", "missing")
		s := openSource(t, config)
		p := current(t, s)
		known := s.Tables(t.Context(), p)
		cdctest.Exec(t, conn, "INSERT INTO a VALUES (1, 'x')", "ALTER TABLE a ADD n INT FIRST", "INSERT INTO a VALUES (7, 2, 'y')")
		if late := s.Tables(t.Context(), p); late != nil {
			t.Errorf("of a place that the log has passed the server tells %v", late)
		}
		f := followWith(t, openSource(t, config), p, known)
		f.expect(t, "insert a(id=1 s=x)", "insert a(n=7 id=2 s=y)")
	})

	t.Run("dropped since", func(t *testing.T) {
		conn := cdctest.SchemaConn(t, server, "since", "CREATE TABLE a (id INT PRIMARY KEY)", "CREATE TABLE b (id INT PRIMARY KEY)")
		s := openSource(t, sourceConfig(server, newLog(), "since", "a", "b"))
		f := followNow(t, s)
		cdctest.Exec(t, conn, "INSERT INTO a VALUES (1)")
		f.expect(t, "insert a(id=1)")
		p := f.stored(t)
		f.stop()
		cdctest.Exec(t, conn, "DROP TABLE a", "INSERT INTO b VALUES (2)")
		f = follow(t, s, p) // compares the transaction that wrote a, whose columns nobody knows any more
		f.expect(t, "insert b(id=2)")
	})

	t.Run("the side connection breaks", func(t *testing.T) {
		conn := cdctest.SchemaConn(t, server, "side", "CREATE TABLE a (id INT PRIMARY KEY)")
		server.CreateUser(t, "side", "secret", cdctest.Grants, "SELECT ON *.*")
		log := newLog()
		cfg := sourceConfig(server, log, "side", "a")
		side := cfg
		side.as("side")
		s, err := Open(t.Context(), pool(t, side), cfg)
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		f := followNow(t, s)
		defer f.stop()
		cdctest.Exec(t, conn, "CREATE TABLE other (id INT)")
		f.reach(t)
		cdctest.Exec(t, conn, "ALTER USER side ACCOUNT LOCK")
		cdctest.Kill(t, server, "user = 'side'")
		cdctest.Exec(t, conn, "ALTER TABLE a /* /* */ FORCE", "INSERT INTO a VALUES (1)") // not understood
		log.wait(t, "asking the server for its columns")
		cdctest.Exec(t, conn, "ALTER USER side ACCOUNT UNLOCK")
		f.next(t) // the first ALTER USER
		// The other one comes once, although what it did to the table could not be asked at first.
		if txn := f.next(t); !txn.Statement || len(txn.Schema) != 1 || txn.Schema[0].Data != nil {
			t.Errorf("the statement comes as %+v", txn)
		}
		f.expect(t, "insert a(id=1)")
	})
}

// TestUndecodable meets columns that cannot be read: it must say which, of what type, and what to do.
func TestUndecodable(t *testing.T) {
	t.Parallel()
	server := cdctest.StartServer(t, dbtest.MariaDB1011)
	for _, metadata := range []string{"NO_LOG", "FULL"} {
		t.Run(metadata, func(t *testing.T) {
			conn := cdctest.SchemaConn(t, server, "old_"+strings.ToLower(metadata), "SET GLOBAL mysql56_temporal_format = OFF, binlog_row_metadata = "+metadata)
			cdctest.Exec(t, conn, "CREATE TABLE a (id INT PRIMARY KEY, began TIME(3))")
			f := followNow(t, openSource(t, sourceConfig(server, newLog(), "old_"+strings.ToLower(metadata), "a")))
			cdctest.Exec(t, conn, "INSERT INTO a VALUES (1, '10:00:00.5')")
			wantStop(t, f.stopError(t), ".a", "column began", "MariaDB 5.3", "ALTER TABLE ... MODIFY")
		})
	}

	cdctest.SchemaConn(t, server, "new", "CREATE TABLE a (id INT PRIMARY KEY, shape GEOMETRY)")
	s := openSource(t, sourceConfig(server, newLog(), "new", "a"))
	body := append([]byte{7, 0, 0, 0, 0, 0, 0, 0}, "\x03new\x00\x01a\x00\x02\x03\xc8\x00\x03"...) // a type of the future
	err := newReader(t.Context(), s, &tracker{Cursor: &Cursor{}}, newRecorder(), false).resolver.tables.Announce(body)
	if u, ok := errors.AsType[*rowcodec.UndecodableError](err); !ok || !strings.Contains(u.Hint(), "MODIFY") {
		t.Fatalf("it is no column that cannot be read: %v", err)
	}
	for _, words := range []string{"new.a", "column shape, GEOMETRY", "type 200"} {
		if !strings.Contains(err.Error(), words) {
			t.Errorf("%q does not say %q", err, words)
		}
	}
}
