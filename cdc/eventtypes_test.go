package cdc

import (
	"errors"
	"strings"
	"testing"

	"github.com/go-mysql-org/go-mysql/replication"

	"rowhook/cdc/cdctest"
	"rowhook/dbtest"
)

// TestEventTypes hands every type of event to the reader, and looks whether it does what the list says.
func TestEventTypes(t *testing.T) {
	t.Parallel()
	const ignorable = 0x80
	for typ, e := range eventTypes {
		typ := replication.EventType(typ)
		if known := typ.String() != "UnknownEvent" && typ != replication.UNKNOWN_EVENT; known && e.name == "" {
			t.Errorf("type %d, %s, is not on the list", typ, typ)
		}
		if (e.name == "") != (e.class == unknown) {
			t.Errorf("type %d is %q of class %d", typ, e.name, e.class)
		}
		for _, body := range [][]byte{nil, {1}, make([]byte, 64)} {
			for _, flags := range []uint16{0, ignorable} {
				for _, inside := range []bool{false, true} {
					h := newHanded(t, nil)
					if inside {
						if err := h.gtid(5); err != nil {
							t.Fatal(err)
						}
					}
					err := h.event(typ, body, flags)
					var stop *StopError
					stops := errors.As(err, &stop)
					switch {
					case err != nil && !stops:
						t.Fatalf("type %d, %d bytes: %v", typ, len(body), err)
					case stops:
						wantStop(t, stop)
					}
					switch e.class {
					case ignored:
						if stops || len(h.txns) > 0 || h.txn.open != inside {
							t.Errorf("%s is not ignored: %v", e.name, err)
						}
					case refused:
						if !stops {
							t.Errorf("%s is not refused", e.name)
						}
					case unknown:
						if stops != (flags == 0) {
							t.Errorf("type %d with flags %#x: %v", typ, flags, err)
						}
					case used:
						if stops && strings.Contains(stop.Reason, "does not know") {
							t.Errorf("%s is not used: %v", e.name, err)
						}
						if other := alien(typ, true); other != (stops && strings.Contains(stop.Reason, "other vendor")) {
							t.Errorf("%s: %v", e.name, err)
						}
					}
				}
			}
		}
	}
	for typ, says := range map[replication.EventType]string{replication.INCIDENT_EVENT: "INCIDENT", partialRowData: "binlog_row_event_fragment_threshold"} {
		var stop *StopError
		if err := newHanded(t, nil).event(typ, []byte{1, 0, 0}); !errors.As(err, &stop) || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v", eventTypes[typ].name, err)
		}
	}
}

// The GTIDs of one vendor in the other's log are a reason to stop: such a stream is no better at the next try.
func TestEventsOfTheOtherVendor(t *testing.T) {
	t.Parallel()
	for flavor, types := range map[string][]replication.EventType{
		"mariadb": {replication.GTID_EVENT, replication.ANONYMOUS_GTID_EVENT, replication.GTID_TAGGED_LOG_EVENT, replication.TRANSACTION_PAYLOAD_EVENT},
		"mysql":   {replication.MARIADB_GTID_EVENT, replication.MARIADB_QUERY_COMPRESSED_EVENT, replication.MARIADB_WRITE_ROWS_COMPRESSED_EVENT_V1},
	} {
		for _, typ := range types {
			h := newHanded(t, nil)
			h.src.flavor = flavor
			if _, ok := errors.AsType[*StopError](h.event(typ, make([]byte, 64))); !ok {
				t.Errorf("%s goes on behind %s", flavor, eventTypes[typ].name)
			}
		}
	}
}

func TestXA(t *testing.T) { cdctest.OnServers(t, testXA) }

func testXA(t *testing.T, server *dbtest.Server) {
	t.Helper()
	conn := cdctest.SchemaConn(t, server, "xa", "CREATE TABLE a (id INT PRIMARY KEY)", "CREATE TABLE other (id INT PRIMARY KEY)")
	f := followNow(t, openSource(t, sourceConfig(server, newLog(), "xa", "a")))
	cdctest.Exec(t, conn, "XA START 'one'", "INSERT INTO a VALUES (1)", "XA END 'one'", "XA COMMIT 'one' ONE PHASE")
	f.expect(t, "insert a(id=1)")
	cdctest.Exec(t, conn, "XA START 'two'", "INSERT INTO other VALUES (1)", "XA END 'two'", "XA PREPARE 'two'", "XA COMMIT 'two'",
		"XA START 'three'", "INSERT INTO other VALUES (2)", "XA END 'three'", "XA PREPARE 'three'", "XA ROLLBACK 'three'",
		"XA START 'four'", "INSERT INTO a VALUES (4)", "XA END 'four'", "XA ROLLBACK 'four'",
		"INSERT INTO a VALUES (2)")
	f.expect(t, "insert a(id=2)")
	cdctest.Exec(t, conn, "XA START 'five'", "INSERT INTO a VALUES (5)", "XA END 'five'", "XA PREPARE 'five'")
	wantStop(t, f.stopError(t), "XA transaction")
	cdctest.Exec(t, conn, "XA ROLLBACK 'five'")
	if len(f.txns) > 0 {
		t.Errorf("%v is committed", (<-f.txns).rows)
	}
}

// TestPartialJSON lets a MySQL log what changed in a document: of a table that nobody watches it may.
func TestPartialJSON(t *testing.T) {
	cdctest.OnServers(t, func(t *testing.T, server *dbtest.Server) {
		if !server.Kind().MySQL() {
			return // there is no such thing
		}
		const row = `(1, '{"k": "aaaaaaaaaaaaaaaaaaaa", "l": "bbbbbbbbbbbbbbbbbbbbbbbbbbbbb"}')`
		conn := cdctest.SchemaConn(t, server, "parts", "CREATE TABLE a (id INT PRIMARY KEY, j JSON)", "CREATE TABLE other (id INT PRIMARY KEY, j JSON)",
			"INSERT INTO a VALUES "+row, "INSERT INTO other VALUES "+row)
		f := followNow(t, openSource(t, sourceConfig(server, newLog(), "parts", "a")))
		cdctest.Exec(t, conn, "SET SESSION binlog_row_value_options = PARTIAL_JSON", "UPDATE other SET j = JSON_SET(j, '$.k', 'c')", "INSERT INTO a VALUES (2, '1')")
		f.expect(t, "insert a(id=2 j=1)")
		cdctest.KillDumps(t, server) // so that the last is compared
		cdctest.Exec(t, conn, "UPDATE other SET j = JSON_SET(j, '$.k', 'd')")
		f.reach(t)
		cdctest.KillDumps(t, server)
		cdctest.Exec(t, conn, "INSERT INTO a VALUES (3, '1')")
		f.expect(t, "insert a(id=3 j=1)")
		cdctest.Exec(t, conn, "UPDATE a SET j = JSON_SET(j, '$.k', 'c') WHERE id = 1")
		wantStop(t, f.stopError(t), "parts.a", "binlog_row_value_options = ''")
	})
}

// TestIncident makes a server lose events: a statement that it cannot take back is larger than it may keep.
func TestIncident(t *testing.T) {
	cdctest.OnKinds(t, func(t *testing.T, kind dbtest.Kind) {
		server := cdctest.StartServer(t, kind, "--binlog-stmt-cache-size=4096", "--max-binlog-stmt-cache-size=4096")
		conn := cdctest.SchemaConn(t, server, "lost", "CREATE TABLE a (id INT PRIMARY KEY, s LONGTEXT) ENGINE=MyISAM")
		f := followNow(t, openSource(t, sourceConfig(server, newLog(), "lost", "a")))
		if _, err := conn.ExecContext(t.Context(), "INSERT INTO a VALUES (1, REPEAT('x', 5000)), (2, REPEAT('x', 50000)), (3, REPEAT('x', 50000))"); err == nil {
			t.Fatal("the server kept the statement")
		}
		wantStop(t, f.stopError(t), "INCIDENT", "compare")
	})
}
