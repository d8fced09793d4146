package cdc

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"rowhook/cdc/cdctest"
	"rowhook/dbtest"
)

// TestAfter: a source that takes another's place, for there are other sites, asks the server only about the tables that are new or were
// not as they must be: of hundreds of sites the others would wait for many seconds.
func TestAfter(t *testing.T) {
	t.Parallel()
	server := cdctest.StartServer(t, dbtest.MariaDB1011, "--sync-binlog=1")
	const sites = 40
	var tables []string
	for n := range sites {
		tables = append(tables, fmt.Sprintf("t%d", n))
	}
	conn := cdctest.SchemaConn(t, server, "shop")
	for _, name := range tables[1:] { // the first is missing
		cdctest.Exec(t, conn, fmt.Sprintf("CREATE TABLE %s (id INT PRIMARY KEY, note VARCHAR(20))", name))
	}
	asked := func() (n int) { // SHOW CREATE TABLE comes before all else that is asked of a table
		t.Helper()
		var name string
		if err := conn.QueryRowContext(t.Context(), "SHOW GLOBAL STATUS LIKE 'Com_show_create_table'").Scan(&name, &n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	open := func(after *Source, tables ...string) *Source {
		t.Helper()
		cfg := sourceConfig(server, newLog(), "shop", tables...)
		cfg.After = after
		s := openSource(t, cfg)
		findings, err := s.Preflight().CheckTables(t.Context())
		if missing := strings.Contains(fmt.Sprint(findings), "not found: t0"); err != nil || missing != (after == nil) {
			t.Fatalf("%v: %+v", err, findings)
		}
		return s
	}
	first := open(nil, tables...)
	f := followNow(t, first)
	cdctest.Exec(t, conn, "INSERT INTO t1 VALUES (1, 'a')", "INSERT INTO t2 VALUES (1, 'a')")
	f.reach(t)
	f.stop()
	before := asked()
	cdctest.Exec(t, conn, "CREATE TABLE t0 (id INT PRIMARY KEY)", "CREATE TABLE late (id INT PRIMARY KEY)")
	g := followWith(t, open(first, append(tables, "late")...), f.stored(t), slices.Collect(maps.Values(f.records)))
	cdctest.Exec(t, conn, "INSERT INTO t39 VALUES (1, 'b')", "INSERT INTO late VALUES (1)")
	g.reach(t)
	g.stop()
	if n := asked() - before; before < 2*(sites-1) || n > 10 {
		t.Errorf("the server was asked about a table %d times at first, and %d times for the two that came", before, n)
	}
}
