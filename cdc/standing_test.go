package cdc

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"rowhook/cdc/cdctest"
	"rowhook/dbtest"
)

// TestStanding asks about positions while somebody follows the log.
func TestStanding(t *testing.T) { cdctest.OnServers(t, testStanding) }

func testStanding(t *testing.T, server *dbtest.Server) {
	t.Helper()
	conn := cdctest.SchemaConn(t, server, "standing", "CREATE TABLE a (id INT PRIMARY KEY)", "SET GLOBAL binlog_expire_logs_seconds = 3600")
	cfg := sourceConfig(server, newLog(), "standing", "a")
	f := followNow(t, openSource(t, cfg))
	cfg.ServerID++
	s := openSource(t, cfg)
	standing := func(p Position) Standing {
		t.Helper()
		st, err := s.Standing(t.Context(), p)
		if err != nil {
			t.Fatalf("%s: %v", p, err)
		}
		return st
	}
	if st := standing(f.stored(t)); st.Verified || st.Behind != 0 || st.Place != st.End || st.Retention != time.Hour {
		t.Errorf("before anything was read: %+v", st)
	}
	cdctest.Exec(t, conn, "INSERT INTO a VALUES (1)")
	read := f.expect(t, "insert a(id=1)")
	at := f.stored(t)
	st := standing(at)
	if !st.Verified || st.Behind != 0 || st.Place != read.End || st.End != read.End || time.Since(st.Last) > time.Minute || !st.Until.IsZero() {
		t.Errorf("at the end: %+v", st)
	}
	cdctest.Exec(t, conn, "INSERT INTO a VALUES (2)")
	next := f.expect(t, "insert a(id=2)")
	if st := standing(at); !st.Verified || st.Behind != next.End.Offset-read.End.Offset || st.Place != read.End {
		t.Errorf("one transaction behind: %+v", st)
	}
	cdctest.Exec(t, conn, "FLUSH BINARY LOGS", "INSERT INTO a VALUES (3)", "FLUSH BINARY LOGS")
	f.expect(t, "insert a(id=3)")
	st = standing(at)
	if late := time.Until(st.Until); !st.Verified || st.Behind < 500 || late < time.Hour-time.Minute || late > time.Hour {
		t.Errorf("in an old file: %+v", st)
	}
	third := f.stored(t)
	f.stop()
	purge(t, server)
	_, err := s.Standing(t.Context(), at)
	if err == nil || !strings.Contains(err.Error(), "no longer has") {
		t.Errorf("purged: %v", err)
	}
	if !hasGTIDs(t, server) {
		return
	}
	if st := standing(third); st.Verified || st.Behind != 0 {
		t.Errorf("purged, but for what comes behind it: %+v", st)
	}
}

// TestPositionAt makes positions of places and GTID sets, and follows from them.
func TestPositionAt(t *testing.T) { cdctest.OnServers(t, testPositionAt) }

func testPositionAt(t *testing.T, server *dbtest.Server) {
	t.Helper()
	conn := cdctest.SchemaConn(t, server, "places", "CREATE TABLE a (id INT PRIMARY KEY)", "INSERT INTO a VALUES (1)", "FLUSH BINARY LOGS")
	s := openSource(t, sourceConfig(server, newLog(), "places", "a"))
	var ends []End
	for i := 2; i < 5; i++ {
		cdctest.Exec(t, conn, fmt.Sprintf("INSERT INTO a VALUES (%d)", i))
		end, err := s.End(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		ends = append(ends, end)
	}
	points := []Point{{Coord: ends[0].Coord}}
	if hasGTIDs(t, server) {
		points = append(points, Point{GTIDs: ends[0].set.String()})
	}
	for _, at := range points {
		p, err := s.PositionAt(t.Context(), at)
		if err != nil {
			t.Fatal(err)
		}
		if hasGTIDs(t, server) && p.Set != ends[0].set.String() {
			t.Errorf("at %+v: %s, want %s", at, p, ends[0])
		}
		f := follow(t, s, p)
		f.expect(t, "insert a(id=3)", "insert a(id=4)")
		p = f.stored(t)
		f.stop()
		f = follow(t, s, p) // and again from there, over GTIDs that must be whole
		cdctest.Exec(t, conn, "DELETE FROM a WHERE id = 1")
		f.expect(t, "delete a(id=1)")
		f.stop()
		cdctest.Exec(t, conn, "SET sql_log_bin = 0", "INSERT INTO a VALUES (1)", "SET sql_log_bin = 1")
	}
	inside := ends[1].Coord
	inside.Offset -= 40
	wrong := map[string]Point{"no transaction begins": {Coord: inside}, "no log file": {Coord: Coord{"none", 4}}}
	switch {
	case !hasGTIDs(t, server):
		wrong["no GTIDs"] = Point{GTIDs: testUUID + ":1-5"}
	case server.Kind().MySQL():
		id, number, _ := strings.Cut(ends[1].set.String(), ":1-")
		wrong["wrote first"] = Point{GTIDs: id + ":" + number}
	default:
		cdctest.Exec(t, conn, "SET gtid_domain_id = 7", "INSERT INTO a VALUES (7)", "SET gtid_domain_id = 0")
		wrong["domain 7"] = Point{GTIDs: ends[1].set.String()}
	}
	for words, at := range wrong {
		if p, err := s.PositionAt(t.Context(), at); err == nil || !strings.Contains(err.Error(), words) {
			t.Errorf("at %+v: %s, %v", at, p, err)
		}
	}
}
