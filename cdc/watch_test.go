package cdc

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"rowhook/cdc/cdctest"
	"rowhook/dbtest"
)

// TestWatch reads other tables from a transaction on, while it follows, with what the log tells of tables and without: one
// that nobody knew, one that was altered before it is watched and afterwards, one that is made later, and one that is not
// wanted any more.
func TestWatch(t *testing.T) { cdctest.OnServers(t, testWatch) }

func testWatch(t *testing.T, server *dbtest.Server) {
	t.Helper()
	for _, metadata := range []string{"MINIMAL", "FULL"} {
		t.Run(metadata, func(t *testing.T) {
			server.Exec(t, "SET GLOBAL binlog_row_metadata = "+metadata)
			schema := "watch" + metadata
			conn := cdctest.SchemaConn(t, server, schema, "CREATE TABLE a (id INT PRIMARY KEY)", "CREATE TABLE items (ord INT, sku VARCHAR(9), PRIMARY KEY (ord, sku))",
				"CREATE TABLE b (`ID` INT PRIMARY KEY, gone INT)")
			s := openSource(t, sourceConfig(server, newLog(), schema, "a"))
			f := followNow(t, s)
			cdctest.Exec(t, conn, "INSERT INTO items VALUES (1, 'x')", "INSERT INTO b VALUES (1, 1)", "ALTER TABLE b DROP gone", "INSERT INTO a VALUES (1)")
			f.expect(t, "insert a(id=1)")
			watch := func(names ...string) {
				var w Watch
				for _, name := range names {
					w.Tables = append(w.Tables, TableName{Schema: schema, Name: name})
				}
				s.Watch(w)
			}
			watch("a", "items", "b", "late")
			cdctest.Exec(t, conn, "INSERT INTO items VALUES (2, 'y')", "INSERT INTO b VALUES (2)")
			f.expect(t, "insert items(ord=2 sku=y)", "insert b(ID=2)")
			cdctest.Exec(t, conn, "ALTER TABLE b ADD note CHAR(3)", "INSERT INTO b VALUES (3, 'n')",
				"DELETE FROM items", "CREATE TABLE late (k VARCHAR(5) PRIMARY KEY)", "INSERT INTO late VALUES ('k')", "INSERT INTO a VALUES (2)")
			f.expect(t, "insert b(ID=3 note=n)", "delete items(ord=1 sku=x); delete items(ord=2 sku=y)",
				"insert late(k=k)", "insert a(id=2)")
			watch("items")
			cdctest.Exec(t, conn, "INSERT INTO a VALUES (3)", "INSERT INTO b VALUES (4, '')", "INSERT INTO items VALUES (4, 'z')")
			f.expect(t, "insert items(ord=4 sku=z)")
		})
	}
}

// Optional tables that are not as they must be are warned of, and are no reason not to follow.
func TestOptionalTables(t *testing.T) { cdctest.OnServers(t, testOptionalTables) }

func testOptionalTables(t *testing.T, server *dbtest.Server) {
	t.Helper()
	cdctest.SchemaConn(t, server, "optional", "CREATE TABLE a (id INT PRIMARY KEY)", "CREATE TABLE loose (x INT)", "CREATE VIEW seen AS SELECT * FROM a")
	cfg := sourceConfig(server, newLog(), "optional", "a", "loose", "seen", "missing")
	cfg.Optional = cfg.Tables[1:]
	s := openSource(t, cfg)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for name, look := range map[string]func() ([]Finding, error){
		"at the start": func() ([]Finding, error) { return s.Preflight().CheckTables(ctx) },
		"of other rules": func() ([]Finding, error) {
			c := s.Preflight()
			c.Tables = slices.Insert(slices.Clone(c.Tables), 1, TableName{Schema: "optional", Name: "later"})
			c.Optional = c.Tables[1:]
			return c.CheckTables(ctx)
		},
	} {
		found, err := look()
		if err != nil {
			t.Fatal(err)
		}
		warned := map[string]bool{}
		for _, f := range found {
			if !f.OK && !f.Warn {
				t.Errorf("%s: %+v", name, f)
			}
			if f.Warn {
				warned[f.Check] = true
			}
		}
		delete(warned, "table optional.later")
		if got := fmt.Sprint(warned); got != "map[table optional.missing:true table optional.seen:true]" {
			t.Errorf("%s: warned of %s", name, got)
		}
	}
}
