package cdc

import (
	"fmt"
	"slices"
	"testing"

	"rowhook/cdc/cdctest"
	"rowhook/cdc/schema/ddl"
	"rowhook/dbtest"
)

func TestEmptied(t *testing.T) { cdctest.OnServers(t, testEmptied) }

// emptyingCase is statements, and what they empty of the watched tables a, b and parted: "a: TRUNCATE TABLE".
type emptyingCase struct {
	name       string
	statements []string
	want       []string
}

func emptyingCases(server *dbtest.Server) []emptyingCase {
	cases := []emptyingCase{
		{"truncate", []string{"TRUNCATE a", "truncate table `emptied`.`b`"}, []string{"a: TRUNCATE TABLE", "b: TRUNCATE TABLE"}},
		{"truncate from afar", []string{"USE mysql", "/* so */ TRUNCATE emptied . a", "USE emptied"}, []string{"a: TRUNCATE TABLE"}},
		{"truncate in a procedure", []string{"CREATE PROCEDURE p() TRUNCATE a", "CALL p()"}, []string{"a: TRUNCATE TABLE"}},
		{"truncate what nobody watches", []string{"TRUNCATE other"}, nil},
		{"drop several", []string{"DROP TABLE IF EXISTS other, a, b"}, []string{"a: DROP TABLE", "b: DROP TABLE"}},
		{"drop a temporary", []string{"CREATE TEMPORARY TABLE a (id INT)", "DROP TABLE a"}, nil},
		{"drop an index", []string{"ALTER TABLE a ADD INDEX i (s)", "DROP INDEX i ON a", "ALTER TABLE a ADD INDEX i (s)", "ALTER TABLE a RENAME INDEX i TO j, RENAME COLUMN s TO r"}, nil},
		{"drop the schema", []string{"DROP DATABASE emptied"}, []string{"a: DROP DATABASE", "b: DROP DATABASE", "parted: DROP DATABASE"}},
		{"rename", []string{"RENAME TABLE a TO a2, b TO a"}, []string{"b: RENAME TABLE to emptied.a"}},
		{"rename twice", []string{"RENAME TABLE a TO tmp, tmp TO other_a"}, []string{"a: RENAME TABLE to emptied.other_a"}},
		{"swap", []string{"RENAME TABLE a TO tmp, b TO a, tmp TO b"}, nil},
		{"rename by alter", []string{"ALTER TABLE a ADD c INT, RENAME TO a2"}, []string{"a: ALTER TABLE ... RENAME to emptied.a2"}},
		{"replaced by another", []string{"CREATE TABLE a_new LIKE a", "RENAME TABLE a TO a_old, a_new TO a"}, nil},
		{"truncate a partition", []string{"ALTER TABLE parted TRUNCATE PARTITION p0"}, []string{"parted: ALTER TABLE ... TRUNCATE PARTITION"}},
		{"drop a partition", []string{"ALTER TABLE parted DROP PARTITION p0"}, []string{"parted: ALTER TABLE ... DROP PARTITION"}},
		{"exchange a partition", []string{"CREATE TABLE x (id INT PRIMARY KEY, s VARCHAR(20))", "ALTER TABLE parted EXCHANGE PARTITION p0 WITH TABLE x"}, []string{"parted: ALTER TABLE ... EXCHANGE PARTITION"}},
		{"reorganize partitions", []string{"ALTER TABLE parted REORGANIZE PARTITION p0, p1 INTO (PARTITION p VALUES LESS THAN MAXVALUE)"}, nil},
	}
	if !server.Kind().MySQL() {
		cases = append(
			cases,
			emptyingCase{"replace the table", []string{"CREATE OR REPLACE TABLE a (id INT PRIMARY KEY, s INT)"}, []string{"a: CREATE OR REPLACE TABLE"}},
			emptyingCase{"replace the table by rows", []string{"CREATE OR REPLACE TABLE a SELECT 7 AS id"}, []string{"a: CREATE OR REPLACE TABLE"}},
			emptyingCase{"replace the schema", []string{"CREATE OR REPLACE DATABASE emptied"}, []string{"a: CREATE OR REPLACE DATABASE", "b: CREATE OR REPLACE DATABASE", "parted: CREATE OR REPLACE DATABASE"}},
			emptyingCase{"drop doubles", []string{"ALTER IGNORE TABLE a ADD UNIQUE (s)"}, []string{"a: ALTER IGNORE TABLE"}},
			emptyingCase{"limits", []string{"SET STATEMENT max_statement_time = 100 FOR TRUNCATE a"}, []string{"a: TRUNCATE TABLE"}},
		)
	}
	return cases
}

func testEmptied(t *testing.T, server *dbtest.Server) {
	t.Helper()
	for _, c := range emptyingCases(server) {
		t.Run(c.name, func(t *testing.T) {
			conn := cdctest.SchemaConn(
				t, server, "emptied", "CREATE TABLE a (id INT PRIMARY KEY, s VARCHAR(20))", "CREATE TABLE b LIKE a", "CREATE TABLE other LIKE a",
				"CREATE TABLE parted (id INT PRIMARY KEY, s VARCHAR(20)) PARTITION BY RANGE (id) (PARTITION p0 VALUES LESS THAN (10), PARTITION p1 VALUES LESS THAN MAXVALUE)",
			)
			defer cdctest.Exec(t, conn, "DROP DATABASE IF EXISTS emptied")
			f := followNow(t, openSource(t, sourceConfig(server, newLog(), "emptied", "a", "b", "parted")))
			cdctest.Exec(t, conn, c.statements...)
			cdctest.Exec(t, conn, "CREATE DATABASE another", "DROP DATABASE another")
			if got := f.emptied(t); !slices.Equal(got, c.want) {
				t.Errorf("%q empty %q, want %q", c.statements, got, c.want)
			}
			cdctest.KillDumps(t, server) // so that the last is read again, to be compared
			cdctest.Exec(t, conn, "CREATE DATABASE IF NOT EXISTS emptied", "USE emptied", "CREATE TABLE again (id INT)")
			if got := f.emptied(t); len(got) > 0 {
				t.Errorf("after a reconnect %q empty %q again", c.statements, got)
			}
		})
	}
}

// emptied reads to the log's end, behind a transaction that the test did not take yet, and returns what was emptied on
// the way.
func (f *follower) emptied(t *testing.T) []string {
	t.Helper()
	end, err := f.source.End(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for seen := (Coord{}); !f.at.Reached(end, seen); {
		txn := f.next(t)
		seen = txn.End
		for _, e := range txn.Emptied {
			text := fmt.Sprintf("%s: %s", e.Table.Name, e.Statement)
			if e.To != (TableName{}) {
				text += " to " + e.To.String()
			}
			all = append(all, text)
		}
	}
	return all
}

// watching is a source that watches tables.
func watching(tables ...TableName) *Source {
	s := &Source{server: new(server), cfg: Config{Watch: Watch{Tables: tables}}}
	s.list.Store(newWatchList(ddl.Dialect{}, s.cfg.Watch, nil))
	return s
}
