package cdc

import (
	"database/sql/driver"
	"encoding/binary"
	"errors"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/go-mysql-org/go-mysql/replication"

	"rowhook/cdc/cdctest"
	"rowhook/cdc/schema"
	"rowhook/cdc/schema/ddl"
	"rowhook/dbtest"
)

func TestStatements(t *testing.T) { cdctest.OnServers(t, testStatements) }

func testStatements(t *testing.T, server *dbtest.Server) {
	t.Helper()
	setup := []string{
		"CREATE TABLE a (id INT PRIMARY KEY, s VARCHAR(200))", "CREATE TABLE a2 (id INT PRIMARY KEY, s VARCHAR(200))",
		"INSERT INTO a VALUES (1, 'x')", "INSERT INTO a2 VALUES (1, 'x')",
	}
	file := filepath.Join(t.TempDir(), "rows")
	if err := os.WriteFile(file, []byte("50\tx\n51\ty\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	load := "LOAD DATA INFILE '" + file + "' INTO TABLE "

	t.Run("stop", func(t *testing.T) {
		statements := map[string]string{
			"update":      "UPDATE a SET s = 'y'",
			"other case":  "uPdAtE\n`stop`.`a` SET s = 'y'",
			"comment":     "/* by a plugin */ # too\n DELETE FROM a",
			"executable":  "/*!50000 REPLACE */ INTO a VALUES (1, 'z')",
			"load":        load + "a",
			"two tables":  "UPDATE a2 JOIN a USING (id) SET a.s = 'y'",
			"by an alias": "DELETE q FROM a2 JOIN a AS q USING (id)",
			"the default": "INSERT INTO a SELECT 7, s FROM a2",
		}
		if !server.Kind().MySQL() {
			statements["with limits"] = "SET STATEMENT max_statement_time = 100 FOR INSERT INTO a VALUES (2, 'x')"
		}
		for name, statement := range statements {
			t.Run(name, func(t *testing.T) {
				conn := cdctest.SchemaConn(t, server, "stop", setup...)
				defer cdctest.Exec(t, conn, "DROP DATABASE stop")
				f := followNow(t, openSource(t, sourceConfig(server, newLog(), "stop", "a")))
				cdctest.Exec(t, conn, "SET SESSION binlog_format = STATEMENT", statement)
				stop := f.stopError(t)
				wantStop(t, stop, "stop.a", "statement", "binlog_format", "rowhook position set --", "rowhook backfill")
				if stop.At.Offset == 0 {
					t.Error("it does not say where")
				}
			})
		}
	})

	t.Run("go on", func(t *testing.T) {
		conn := cdctest.SchemaConn(t, server, "pass", setup...)
		f := followNow(t, openSource(t, sourceConfig(server, newLog(), "pass", "a")))
		cdctest.Exec(t, conn, "CREATE TABLE checksums (tbl VARCHAR(50), crc BIGINT)", "CREATE TABLE A (id INT PRIMARY KEY, s VARCHAR(200))", "SET SESSION binlog_format = STATEMENT, @v = 'z'",
			"REPLACE INTO checksums SELECT 'pass.a', COUNT(*) FROM pass.a FORCE INDEX (`PRIMARY`) /*checksum table*/",
			"UPDATE a2 JOIN a USING (id) SET a2.s = a.s /* INSERT INTO a */", "DELETE a2 FROM a2 LEFT JOIN a USING (id) WHERE a.s = 'UPDATE a'", "INSERT INTO A VALUES (1, 'a')", "UPDATE a2 SET s = @v", "INSERT INTO a2 VALUES (LAST_INSERT_ID() + 7, RAND())",
			load+"a2",
			"BEGIN", "SAVEPOINT sp", "DELETE FROM a2", "ROLLBACK TO sp", "COMMIT",
			"SET SESSION binlog_format = ROW", "INSERT INTO a VALUES (3, 'row')")
		f.expect(t, "insert a(id=3 s=row)")
	})

	// A connection's temporary table may have a watched table's name.
	t.Run("temporary", func(t *testing.T) {
		conn := cdctest.SchemaConn(t, server, "temporary", setup...)
		f := followNow(t, openSource(t, sourceConfig(server, newLog(), "temporary", "a")))
		other := cdctest.SchemaConn(t, server, "elsewhere", "USE temporary")
		cdctest.Exec(t, conn, "SET SESSION binlog_format = STATEMENT", "CREATE TEMPORARY TABLE IF NOT EXISTS temporary.A0 (id INT PRIMARY KEY)",
			"CREATE TEMPORARY TABLE a (id INT PRIMARY KEY)", "INSERT INTO a VALUES (1)", "ALTER TABLE a ADD COLUMN t INT FIRST", "TRUNCATE a",
			"ALTER TABLE a RENAME TO b", "ALTER TABLE b RENAME TO a", "REPLACE INTO temporary.a VALUES (1, 2)")
		cdctest.Exec(t, other, "INSERT INTO a VALUES (2, 'row')")
		cdctest.Exec(t, conn, "CREATE TEMPORARY TABLE c SELECT * FROM a", "DROP TEMPORARY TABLE A0, a", "DROP TABLE c", "SET SESSION binlog_format = ROW", "INSERT INTO a VALUES (3, 'row')",
			"SET SESSION binlog_format = STATEMENT", "CREATE TEMPORARY TABLE a (id INT)")
		f.expect(t, "insert a(id=2 s=row)", "insert a(id=3 s=row)")
		cdctest.Exec(t, other, "SET SESSION binlog_format = STATEMENT", "INSERT INTO a VALUES (4, 'x')")
		wantStop(t, f.stopError(t), "temporary.a", "statement")
	})

	// It is known after a restart, too, and as long as its connection lasts.
	t.Run("temporary of before", func(t *testing.T) {
		conn := cdctest.SchemaConn(t, server, "temporary2", setup...)
		other := cdctest.SchemaConn(t, server, "elsewhere2", "USE temporary2")
		f := followNow(t, openSource(t, sourceConfig(server, newLog(), "temporary2", "a")))
		cdctest.Exec(t, conn, "SET SESSION binlog_format = STATEMENT", "CREATE TEMPORARY TABLE a (id INT PRIMARY KEY)",
			"CREATE TEMPORARY TABLE b (id INT PRIMARY KEY)", "INSERT INTO a VALUES (1)")
		cdctest.Exec(t, other, "INSERT INTO a VALUES (2, 'row')")
		f.expect(t, "insert a(id=2 s=row)")
		f = followOn(t, f)
		rename := [2]string{"ALTER TABLE a RENAME TO c", "ALTER TABLE b RENAME TO a"}
		if !server.Kind().MySQL() { // there it is of other tables only
			rename = [2]string{"RENAME TABLE a TO c, b TO d", "RENAME TABLE d TO a"}
		}
		cdctest.Exec(t, conn, "UPDATE a SET id = 2", "INSERT INTO a VALUES (3)", rename[0], rename[1])
		cdctest.Exec(t, other, "INSERT INTO a VALUES (3, 'row')")
		f.expect(t, "insert a(id=3 s=row)")
		f = followOn(t, f)
		cdctest.Exec(t, conn, "DELETE FROM a", "INSERT INTO c VALUES (7)")
		if err := conn.Raw(func(any) error { return driver.ErrBadConn }); !errors.Is(err, driver.ErrBadConn) {
			t.Fatal(err)
		}
		for slices.ContainsFunc(slices.Collect(maps.Keys(f.records)), func(key string) bool { return strings.Contains(key, "@") }) {
			f.take(t)
		}
		cdctest.Exec(t, other, "INSERT INTO a VALUES (4, 'row')")
		f.expect(t, "insert a(id=4 s=row)")
		f = followOn(t, f)
		cdctest.Exec(t, other, "SET SESSION binlog_format = STATEMENT", "INSERT INTO a VALUES (5, 'x')")
		wantStop(t, f.stopError(t), "temporary2.a", "statement", "to go on loses nothing")
	})
}

func TestVerb(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"INSERT INTO a": "INSERT", "  (insert\tinto a": "INSERT", "/* x */ /* y */UPDATE a": "UPDATE", "/*!50003 CREATE*/ x": "CREATE", "/*M!100100 DROP */": "DROP",
		"# one\n-- two\nDELETE": "DELETE", "SET STATEMENT a=1, b='FOR ' FOR update a": "UPDATE", "SET PASSWORD": "SET", "/* never ends": "", "": "", "# Dummy": "",
		"SAVEPOINT `x`": "SAVEPOINT",
	} {
		if verb := (&schema.Statement{Text: text}).Cursor().Verb(); verb != want {
			t.Errorf("%q begins with %q, want %q", text, verb, want)
		}
	}
	for text, want := range map[string]string{"`A b`": "a b", "x": "x", " X ;": "x", "`to`": "to"} {
		if got := savepointName((&schema.Statement{Text: text}).Cursor()); got != want {
			t.Errorf("savepoint %q is %q, want %q", text, got, want)
		}
	}
}

// queryBody is the body of a QUERY_EVENT.
func queryBody(schema, text string) []byte {
	var head [13]byte
	head[8] = byte(len(schema))
	return slices.Concat(head[:], []byte(schema), []byte{0}, []byte(text))
}

func FuzzParseQuery(f *testing.F) {
	f.Add(queryBody("shop", "BEGIN"), 0, false)
	f.Add(queryBody("", "# x"), 13, false)
	f.Add(append(queryBody("s", ""), "\x81\x05\x78\x9c\xcb\x48\xcd\xc9\xc9\x07\x00\x06\x2c\x02\x15"...), 0, true)
	eachLogged(f, func(_ string, e cdctest.Event) {
		switch e.Type {
		case replication.QUERY_EVENT, replication.MARIADB_QUERY_COMPRESSED_EVENT:
			f.Add(e.Body(), 0, e.Type != replication.QUERY_EVENT)
		}
	})
	f.Fuzz(func(t *testing.T, body []byte, more int, compressed bool) {
		q, text, err := parseQuery(ddl.Dialect{}, min(max(more, 0), 13), body)
		if err != nil || q.readText(text, compressed, nil, 0) != nil {
			return
		}
		if !compressed && len(q.Schema)+len(text) > len(body) {
			t.Fatalf("%q and %q from %q", q.Schema, text, body)
		}
		asSent := q.Dialect.Client == "ascii" || strings.HasPrefix(q.Dialect.Client, "utf") // and a client sends what it likes
		if !utf8.ValidString(q.Text) && q.Dialect.Client != "" && !asSent && !q.Opaque {
			t.Fatalf("%q from %q in %s", q.Text, text, q.Dialect.Client)
		}
		if len(q.Text) > maxStatementText && q.Dialect.Client == "" {
			t.Fatalf("%d bytes are kept", len(q.Text))
		}
	})
}

// handed is a reader of a MariaDB's log that gets its events from a test.
type handed struct {
	*reader
	*recorder
	log *logText
	pos uint32
}

func newHanded(t *testing.T, last *Txn) *handed {
	t.Helper()
	tracker, err := newTracker(Position{Flavor: "mariadb", Set: "0-1-4", Last: last})
	if err != nil {
		t.Fatal(err)
	}
	h := &handed{recorder: newRecorder(), log: newLog(), pos: 4}
	s := &Source{server: &server{flavor: "mariadb"}, cfg: Config{Now: time.Now, Log: slog.New(slog.NewTextHandler(h.log, nil))}}
	h.reader = newReader(t.Context(), s, tracker, h.recorder, last != nil)
	h.seen = Coord{"binlog.000001", 4}
	return h
}

func (h *handed) event(typ replication.EventType, body []byte, flags ...uint16) error {
	size := uint32(len(body)) + replication.EventHeaderSize
	h.pos += size
	header := &replication.EventHeader{EventType: typ, EventSize: size, LogPos: h.pos, ServerID: 1, Timestamp: 1e9}
	for _, f := range flags {
		header.Flags |= f
	}
	return h.HandleEvent(&replication.BinlogEvent{Header: header, Event: &replication.GenericEvent{Data: body}})
}

// gtid begins the group 0-1-sequence.
func (h *handed) gtid(sequence uint64) error {
	return h.event(replication.MARIADB_GTID_EVENT, append(binary.LittleEndian.AppendUint64(nil, sequence), 0, 0, 0, 0, 0))
}

// rows is an insert into table 7, which nobody watches.
func (h *handed) rows(value byte) error {
	if err := h.event(replication.TABLE_MAP_EVENT, append([]byte{7, 0, 0, 0, 0, 0, 0, 0}, "\x01s\x00\x01t\x00\x01\x03\x00\x01"...)); err != nil {
		return err
	}
	return h.event(replication.WRITE_ROWS_EVENTv1, []byte{7, 0, 0, 0, 0, 0, 1, 0, 1, 1, 0, value, 0, 0, 0})
}

func (h *handed) format() error {
	return h.HandleEvent(&replication.BinlogEvent{
		Header: &replication.EventHeader{EventType: replication.FORMAT_DESCRIPTION_EVENT}, Event: &replication.FormatDescriptionEvent{},
	})
}

func TestHandedEvents(t *testing.T) {
	t.Parallel()
	h := newHanded(t, nil)
	group := func(sequence uint64, value byte) error {
		return errors.Join(h.gtid(sequence), h.rows(value), h.event(replication.XID_EVENT, make([]byte, 8)))
	}
	if err := group(5, 1); err != nil {
		t.Fatal(err)
	}
	five := (<-h.txns).Txn
	if want := (Coord{"binlog.000001", 4}); five.GTID != "0-1-5" || five.Start != want {
		t.Errorf("got %+v", five)
	}

	// The server crashes within a group, and another file begins.
	if err := errors.Join(h.gtid(6), h.rows(1), h.format(), group(6, 2)); err != nil {
		t.Fatal(err)
	}
	if six := <-h.txns; six.Txn.GTID != "0-1-6" || !strings.Contains(h.log.String(), "crashed") {
		t.Errorf("got %+v, logged %s", six, h.log)
	}

	// The last transaction comes once more, as it was and otherwise.
	for _, c := range []struct {
		sequence uint64
		value    byte
		crash    bool
		says     string
	}{
		{5, 1, false, ""}, {5, 2, false, "other rows"}, {6, 1, false, "0-1-6"}, {5, 1, true, "only a part"},
	} {
		h = newHanded(t, &five)
		err := h.event(replication.HEARTBEAT_EVENT, nil)
		if len(h.recorder.progress) > 0 {
			t.Error("progress is told from before the last transaction")
		}
		if c.crash {
			err = errors.Join(err, h.gtid(c.sequence), h.format())
		} else {
			err = errors.Join(err, group(c.sequence, c.value))
		}
		var stop *StopError
		switch {
		case c.says == "" && err != nil:
			t.Errorf("%+v: %v", c, err)
		case c.says != "" && !errors.As(err, &stop):
			t.Errorf("%+v: it goes on: %v", c, err)
		case c.says != "":
			wantStop(t, stop, c.says)
		case len(h.txns) > 0 || len(h.recorder.progress) == 0:
			t.Errorf("%+v: handed out again, or without progress", c)
		}
	}
}

func TestEventsThatStop(t *testing.T) {
	t.Parallel()
	const ignorable = 0x80
	for name, c := range map[string]struct {
		typ    replication.EventType
		body   []byte
		flags  uint16
		inside bool // of a transaction
		goesOn bool
	}{
		"incident":          {typ: replication.INCIDENT_EVENT, body: []byte{1, 0, 0}},
		"unknown":           {typ: 250, body: []byte("x")},
		"unknown ignorable": {typ: 250, body: []byte("x"), flags: ignorable, goesOn: true},
		"partial JSON":      {typ: replication.PARTIAL_UPDATE_ROWS_EVENT, inside: true},
		"payload":           {typ: replication.TRANSACTION_PAYLOAD_EVENT},
		"short GTID":        {typ: replication.MARIADB_GTID_EVENT, body: []byte{1, 2, 3}},
		"nested GTID":       {typ: replication.MARIADB_GTID_EVENT, body: make([]byte, 13), inside: true},
		"short query":       {typ: replication.QUERY_EVENT, body: []byte{1, 2, 3}},
		"bad compression":   {typ: replication.MARIADB_QUERY_COMPRESSED_EVENT, body: queryBody("s", "x")},
		"short table map":   {typ: replication.TABLE_MAP_EVENT, body: []byte{1, 2, 3}, inside: true},
		"rows outside":      {typ: replication.WRITE_ROWS_EVENTv1, body: []byte{7, 0, 0, 0, 0, 0, 1, 0, 1, 1, 0, 1, 0, 0, 0}},
		"rows unannounced":  {typ: replication.WRITE_ROWS_EVENTv1, body: []byte{7, 0, 0, 0, 0, 0, 1, 0, 1, 1, 0, 1, 0, 0, 0}, inside: true},
		"short rows":        {typ: replication.DELETE_ROWS_EVENTv1, body: []byte{7, 0}, inside: true},
		"savepoint":         {typ: replication.QUERY_EVENT, body: queryBody("s", "ROLLBACK TO `x`"), inside: true},
		"annotation":        {typ: replication.MARIADB_ANNOTATE_ROWS_EVENT, body: []byte("INSERT"), inside: true, goesOn: true},
		"stop of a server":  {typ: replication.STOP_EVENT, goesOn: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHanded(t, nil)
			if c.inside {
				if err := h.gtid(5); err != nil {
					t.Fatal(err)
				}
			}
			err := h.event(c.typ, c.body, c.flags)
			var stop *StopError
			if c.goesOn {
				if err != nil {
					t.Errorf("it stops: %v", err)
				}
				return
			}
			if !errors.As(err, &stop) {
				t.Fatalf("it goes on, or tries again: %v", err)
			}
			wantStop(t, stop)
			if !errors.Is(h.err, err) || stop.At.File == "" || strings.ContainsRune(stop.Error(), 0) {
				t.Errorf("it stops with %q", stop)
			}
		})
	}
}
