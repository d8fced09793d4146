package cdc

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-mysql-org/go-mysql/mysql"

	"rowhook/cdc/cdctest"
	"rowhook/dbtest"
)

// scanned is what a scan between two points yields, without schema records: transactions with watched rows, each as its
// rows joined by "; ".
func scanned(t *testing.T, s *Source, from, to Point) []string {
	t.Helper()
	got, err := scan(t, s, from, to, nil)
	if err != nil {
		t.Fatalf("from %+v to %+v: %v", from, to, err)
	}
	return got
}

func scan(t *testing.T, s *Source, from, to Point, schema []SchemaRecord) ([]string, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	span, err := s.Span(ctx, from, to)
	if err != nil {
		t.Fatalf("from %+v to %+v: %v", from, to, err)
	}
	rec := newRecorder()
	err = s.Scan(ctx, span, schema, rec)
	var got []string
	for len(rec.txns) > 0 {
		if txn := <-rec.txns; len(txn.rows) > 0 {
			got = append(got, strings.Join(txn.rows, "; "))
		}
	}
	return got, err
}

// mark is a place between two transactions, in all the ways to name it.
type mark struct {
	end  End
	time time.Time
}

func (m mark) points() []Point {
	points := []Point{{Coord: m.end.Coord}, {Time: m.time}}
	if m.end.set != nil && !m.end.set.IsEmpty() {
		points = append(points, Point{GTIDs: m.end.set.String()})
	}
	return points
}

// TestScan reads parts of a log of several files, between places that are named in every way.
func TestScan(t *testing.T) { cdctest.OnServers(t, testScan) }

func testScan(t *testing.T, server *dbtest.Server) {
	t.Helper()
	conn := cdctest.SchemaConn(t, server, "scanned", "CREATE TABLE a (id INT PRIMARY KEY)", "CREATE TABLE other (id INT PRIMARY KEY)", "FLUSH BINARY LOGS")
	s := openSource(t, sourceConfig(server, newLog(), "scanned", "a"))
	var marks []mark
	next := func() { // times of log are whole seconds
		t.Helper()
		end, err := s.End(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		marks = append(marks, mark{end, nextSecond(t)})
	}
	next()
	for i := range 5 {
		cdctest.Exec(t, conn, "BEGIN", fmt.Sprintf("INSERT INTO a VALUES (%d)", 10*i), fmt.Sprintf("INSERT INTO a VALUES (%d)", 10*i+1), "COMMIT",
			fmt.Sprintf("INSERT INTO other VALUES (%d)", i), fmt.Sprintf("INSERT INTO a VALUES (%d)", 10*i+2))
		next()
		if i%2 == 0 {
			cdctest.Exec(t, conn, "FLUSH BINARY LOGS")
		}
	}
	want := func(from, to int) []string {
		var all []string
		for i := from; i < to; i++ {
			all = append(all, fmt.Sprintf("insert a(id=%d); insert a(id=%d)", 10*i, 10*i+1), fmt.Sprintf("insert a(id=%d)", 10*i+2))
		}
		return all
	}
	check := func(from, to Point, i, j int) {
		t.Helper()
		if got, want := fmt.Sprint(scanned(t, s, from, to)), fmt.Sprint(want(i, j)); got != want {
			t.Errorf("from %+v to %+v\n got %s\nwant %s", from, to, got, want)
		}
	}
	last := len(marks) - 1
	for k, from := range marks[2].points() { // in the middle of a file
		check(from, Point{End: true}, 2, last)
		check(from, marks[4].points()[k], 2, 4)
	}
	for _, from := range marks[3].points() { // between files
		for _, to := range marks[3].points() {
			check(from, to, 3, 3)
		}
		check(from, marks[4].points()[0], 3, 4)
	}
	check(Point{}, Point{End: true}, 0, last)
	check(Point{}, Point{Time: time.Now().Add(time.Hour)}, 0, last)
	check(Point{Time: time.Now().Add(-24 * time.Hour)}, marks[1].points()[0], 0, 1)
	check(Point{Time: time.Now().Add(time.Hour)}, Point{End: true}, last, last)
	check(Point{End: true}, Point{End: true}, last, last)

	testNoSpan(t, s, marks[2])
	purge(t, server)
	for _, from := range marks[2].points() {
		if from.GTIDs == "" && from.Time.IsZero() {
			continue
		}
		_, err := s.Span(t.Context(), from, Point{End: true})
		if from.GTIDs != "" && (err == nil || !strings.Contains(err.Error(), "no longer has")) {
			t.Errorf("behind purged transactions: %v", err)
		}
		if from.GTIDs == "" && err != nil {
			t.Error(err)
		}
	}
}

// TestScanKnowsColumns scans a log that tells no names, from a stored position on and from elsewhere.
func TestScanKnowsColumns(t *testing.T) { cdctest.OnServers(t, testScanKnowsColumns) }

func testScanKnowsColumns(t *testing.T, server *dbtest.Server) {
	t.Helper()
	server.Exec(t, "SET GLOBAL binlog_row_metadata = "+least(server))
	conn := cdctest.SchemaConn(t, server, "known", "CREATE TABLE a (id INT PRIMARY KEY, s VARCHAR(20))", "FLUSH BINARY LOGS")
	s := openSource(t, sourceConfig(server, newLog(), "known", "a"))
	f := followNow(t, s)
	cdctest.Exec(t, conn, "INSERT INTO a VALUES (1, 'before')")
	f.expect(t, "insert a(id=1 s=before)") // and the table is known
	cdctest.Exec(t, conn, "ALTER TABLE a ADD n INT", "INSERT INTO a VALUES (2, 'x', 7)")
	f.expect(t, "insert a(id=2 s=x n=7)")
	f.stop()
	from, err := f.stored(t).Behind()
	if err != nil {
		t.Fatal(err)
	}
	schema := slices.Collect(maps.Values(f.records))
	cdctest.Exec(t, conn, "INSERT INTO a VALUES (3, 'y', 8)", "ALTER TABLE a RENAME COLUMN s TO q", "INSERT INTO a VALUES (4, 'z', 9)", "ALTER TABLE a DROP q")
	got, err := scan(t, s, from, Point{End: true}, schema)
	if want := []string{"insert a(id=3 s=y n=8)", "insert a(id=4 q=z n=9)"}; err != nil || !slices.Equal(got, want) {
		t.Errorf("from the stored position: %v, %v; want %v", got, err, want)
	}
	got, err = scan(t, s, from, Point{End: true}, nil)
	stop, ok := errors.AsType[*StopError](err)
	if !ok || len(got) > 0 {
		t.Fatalf("without records: %v, %v", got, err)
	}
	wantStop(t, stop, "altered later", "begin behind that, or without --from")
}

// testNoSpan asks for places that are none.
func testNoSpan(t *testing.T, s *Source, m mark) {
	t.Helper()
	for name, c := range map[string]struct {
		at    Point
		words string
	}{
		"no file":      {Point{Coord: Coord{"nothing.000001", 4}}, "no log file"},
		"no place":     {Point{Coord: Coord{m.end.Coord.File, 1 << 40}}, "no place"},
		"no GTIDs":     {Point{GTIDs: "nonsense"}, "nonsense"},
		"others' ones": {Point{GTIDs: map[bool]string{true: "0-1-999999", false: testUUID + ":1-5"}[s.MariaDB()]}, "gtid"},
	} {
		if _, err := s.Span(t.Context(), c.at, Point{End: true}); err == nil || !strings.Contains(strings.ToLower(err.Error()), c.words) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// nextSecond waits for the next whole second: that is how finely MariaDB tells times in its log.
func nextSecond(t *testing.T) time.Time {
	t.Helper()
	at := time.Now().Truncate(time.Second).Add(time.Second)
	select {
	case <-time.After(time.Until(at)):
	case <-t.Context().Done():
		t.Fatal("the test is over")
	}
	return at
}

func FuzzParseGTIDList(f *testing.F) {
	f.Add([]byte{1, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 5, 0, 0, 0, 0, 0, 0, 0})
	f.Add([]byte{0, 0, 0, 0x10})
	f.Add(append([]byte{1, 0, 0, 0}, make([]byte, 16)...))
	f.Fuzz(func(t *testing.T, body []byte) {
		set, err := parseGTIDList(body)
		if err != nil {
			return
		}
		if len(set.Sets) > len(body)/16 {
			t.Fatalf("%d domains in %d bytes", len(set.Sets), len(body))
		}
		again, err := mysql.ParseMariadbGTIDSet(set.String())
		if err != nil || !again.Equal(set) {
			t.Fatalf("%s is read as %v: %v", set, again, err)
		}
	})
}
