package cdc

import (
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-mysql-org/go-mysql/replication"

	"rowhook/cdc/cdctest"
	"rowhook/cdc/schema/ddl"
	"rowhook/dbtest"
)

// manySites is a reader that watches the tables of sites, each known. Its schemas are site1, site2, ...
func manySites(tb testing.TB, sites int) *reader {
	tb.Helper()
	var tables []TableName
	for i := range sites {
		for _, name := range []string{"reservation", "order_status", "users", "employee", "service", "coupon", "package_order", "options"} {
			tables = append(tables, TableName{Schema: fmt.Sprintf("site%d", i+1), Name: "wp_vikappointments_" + name})
		}
	}
	s := watching(tables...)
	s.flavor = "mariadb"
	s.cfg.Log, s.cfg.Now = slog.New(slog.DiscardHandler), time.Now
	tracker, err := newTracker(Position{Flavor: "mariadb"})
	if err != nil {
		tb.Fatal(err)
	}
	r := newReader(tb.Context(), s, tracker, newRecorder(), false)
	for _, t := range r.resolver.history.All() {
		r.resolver.history.Learn(t, &ddl.Definition{Charset: "utf8mb4", Columns: []ddl.Column{{Name: "id", DataType: "int"}}})
	}
	return r
}

// What lies behind the part of a statement that is looked at is not understood, never wrong: the tables that it may be
// about are unknown from there on, and no others.
func TestCutStatements(t *testing.T) {
	t.Parallel()
	const a, b = "wp_vikappointments_reservation", "wp_vikappointments_users" // of site1; b does not exist
	long := "/* " + strings.Repeat("x", maxStatementText) + " */ "
	values := strings.Repeat("('äöü'), ", maxStatementText/8)
	for name, c := range map[string]struct {
		text    string
		unknown string // of a, b and coupon; "all"
		stops   bool
	}{
		"another's table":           {"ALTER TABLE other.t ENGINE=InnoDB " + long, "b", false}, // the rest may call it b
		"another's new table":       {"CREATE TABLE other.t (id INT) " + long, "", false},
		"another's procedure":       {"CREATE DEFINER=root@localhost PROCEDURE other.p() BEGIN UPDATE site1." + a + " SET id = 1; " + long, "", false},
		"another's function":        {"CREATE OR REPLACE FUNCTION other.f() RETURNS INT " + long, "", false},
		"a truncate":                {"TRUNCATE other.t " + long, "", false},
		"a watched one":             {"ALTER TABLE site1." + a + " ADD x INT, " + long + "DROP y", "a b", false},
		"a new watched one":         {"CREATE TABLE site1." + b + " (x INT, " + long + ")", "b", false},
		"a watched one by the way":  {"ALTER TABLE other.t COMMENT 'site1." + a + "' " + long, "a b", false},
		"drops":                     {"DROP TABLE other.t, " + long + "site1." + a, "all", false},
		"renames":                   {"RENAME TABLE other.t TO other.u, " + long, "all", false},
		"nothing but a comment":     {long + "ALTER TABLE site1." + a + " ADD x INT", "all", false},
		"a comment in it":           {"ALTER " + long + "TABLE site1." + a + " ADD x INT", "all", false},
		"its end is there":          {"ALTER TABLE other.t ENGINE=InnoDB " + long[len(long)/2:], "", false},
		"another's rows":            {"INSERT INTO other.t (x) VALUES " + values + "('site1." + a + "')", "", false},
		"another's rows from it":    {"INSERT INTO other.t SELECT * FROM site1." + a + " WHERE x NOT IN (" + values, "", false},
		"a watched one's rows":      {"INSERT INTO site1." + a + " (x) VALUES " + values, "", true},
		"rows of one or another":    {"UPDATE other.t, site1." + a + " AS q SET other.t.x = 1, " + long + "q.x = 1", "", true},
		"a large file's rows":       {"LOAD DATA LOCAL INFILE '/x' INTO TABLE site1." + a + " " + long, "", true},
		"another large file's rows": {"LOAD DATA LOCAL INFILE '/site1." + a + "' INTO TABLE other.t " + long, "", false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := manySites(t, 2)
			r.resolver.history.Learn(TableName{Schema: "site1", Name: b}, ddl.Gone)
			err := r.query(1, 0, false, queryBody("other", c.text))
			var stop *StopError
			if errors.As(err, &stop) != c.stops || !c.stops && err != nil {
				t.Errorf("it stops: %t, want %t: %v", err != nil, c.stops, err)
			}
			var unknown []string
			for _, at := range []TableName{{Schema: "site1", Name: a}, {Schema: "site1", Name: b}, {Schema: "site2", Name: "wp_vikappointments_coupon"}} {
				if is := r.resolver.history.Get(at); is == nil {
					unknown = append(unknown, map[string]string{a: "a", b: "b"}[at.Name])
				}
			}
			got := strings.Join(unknown, " ")
			if got == "a b " {
				got = "all"
			}
			if got != c.unknown {
				t.Errorf("unknown are %q, want %q", got, c.unknown)
			}
			if !slices.Contains([]bool{false, c.unknown != ""}, r.resolver.stale) {
				t.Errorf("the server is asked: %t", r.resolver.stale)
			}
		})
	}
}

// BenchmarkForeignStatement takes another tenant's statement in. What it costs does not depend on its size, and hardly on
// how many sites there are.
func BenchmarkForeignStatement(b *testing.B) {
	for _, sites := range []int{2, 1000} {
		for _, megabytes := range []int{0, 1, 15, 100} {
			b.Run(fmt.Sprintf("sites=%d/MB=%d", sites, megabytes), func(b *testing.B) {
				r := manySites(b, sites)
				body := queryBody("other", "ALTER TABLE other.t ENGINE=InnoDB /* "+strings.Repeat("x", megabytes<<20)+" */")
				for b.Loop() {
					if err := r.dispatch(&replication.EventHeader{EventType: replication.QUERY_EVENT}, body); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}

// TestForeignStatementIsCheap holds it against a statement that is read wholly, among two sites.
func TestForeignStatementIsCheap(t *testing.T) {
	cost := func(sites, megabytes int) time.Duration {
		r := manySites(t, sites)
		body := queryBody("other", "ALTER TABLE other.t ENGINE=InnoDB /* "+strings.Repeat("x", megabytes<<20)+" */")
		best := time.Hour
		for range 5 {
			began := time.Now()
			if err := r.query(1, 0, false, body); err != nil {
				t.Fatal(err)
			}
			best = min(best, time.Since(began))
		}
		return best
	}
	one, large := cost(2, 1), cost(1000, 100)
	t.Logf("a megabyte, two sites: %v; 100 MB, a thousand: %v", one, large)
	if large > 20*one+100*time.Millisecond {
		t.Errorf("100 MB and a thousand sites cost %v, a megabyte and two sites %v", large, one)
	}
	r := manySites(t, 2)
	body := queryBody("other", "ALTER TABLE other.t ENGINE=InnoDB /* "+strings.Repeat("x", 100<<20)+" */")
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	if err := r.query(1, 0, false, body); err != nil {
		t.Fatal(err)
	}
	runtime.ReadMemStats(&after)
	if took := after.TotalAlloc - before.TotalAlloc; took > 16<<20 {
		t.Errorf("it takes %d bytes of memory", took)
	}
}

// TestLargeStatements follows a table beside statements of many megabytes, of others and of its own.
func TestLargeStatements(t *testing.T) { cdctest.OnServers(t, testLargeStatements) }

func testLargeStatements(t *testing.T, server *dbtest.Server) {
	t.Helper()
	server.Exec(t, "SET GLOBAL binlog_row_metadata = "+least(server))
	conn := cdctest.SchemaConn(t, server, "longtexts", "CREATE TABLE a (id INT PRIMARY KEY, s VARCHAR(20))", "CREATE TABLE other (id INT)")
	f := followNow(t, openSource(t, sourceConfig(server, newLog(), "longtexts", "a")))
	long := " /* " + strings.Repeat("größe ", 12<<20/8) + " */"
	cdctest.Exec(t, conn, "INSERT INTO a VALUES (1, 'x')", "ALTER TABLE other ADD x INT"+long, "INSERT INTO a VALUES (2, 'x')")
	f.expect(t, "insert a(id=1 s=x)", "insert a(id=2 s=x)")
	cdctest.Exec(t, conn, "ALTER TABLE a ADD n INT FIRST"+long)
	f.reach(t)
	cdctest.Exec(t, conn, "INSERT INTO a VALUES (7, 3, 'y')", "CREATE TABLE another (id INT"+long+")", "SET SESSION binlog_format = STATEMENT", "INSERT INTO other (id) SELECT id FROM a"+long,
		"SET SESSION binlog_format = ROW")
	f.expect(t, "insert a(n=7 id=3 s=y)")
	cdctest.KillDumps(t, server)
	cdctest.Exec(t, conn, "INSERT INTO a VALUES (8, 4, 'z')")
	f.expect(t, "insert a(n=8 id=4 s=z)")
}
