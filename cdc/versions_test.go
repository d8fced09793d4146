package cdc

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"rowhook/cdc/cdctest"
	"rowhook/dbtest"
)

// TestSystemVersioning changes tables that keep what their rows were, in every form that MariaDB has. What comes is what
// who looks at the table sees.
func TestSystemVersioning(t *testing.T) {
	cdctest.OnKinds(t, func(t *testing.T, kind dbtest.Kind) {
		if kind.MySQL() { // it has nothing of the kind: columns of these names are any others
			testPeriodNames(t, kind)
			return
		}
		server := cdctest.StartServer(t, kind)
		const named = "start_ TIMESTAMP(6) GENERATED ALWAYS AS ROW START%s, end_ TIMESTAMP(6) GENERATED ALWAYS AS ROW END%[1]s, PERIOD FOR SYSTEM_TIME(start_, end_)"
		tables := map[string]string{
			"hidden":    "(id INT PRIMARY KEY, s VARCHAR(9)) WITH SYSTEM VERSIONING",
			"hashed":    "(id INT PRIMARY KEY, s VARCHAR(9), u TEXT UNIQUE) WITH SYSTEM VERSIONING",
			"named":     "(id INT PRIMARY KEY, " + fmt.Sprintf(named, "") + ", s VARCHAR(9)) WITH SYSTEM VERSIONING",
			"invisible": "(id INT PRIMARY KEY, s VARCHAR(9), " + fmt.Sprintf(named, " INVISIBLE") + ") WITH SYSTEM VERSIONING",
			"parted":    "(id INT PRIMARY KEY, s VARCHAR(9)) WITH SYSTEM VERSIONING PARTITION BY SYSTEM_TIME (PARTITION p0 HISTORY, PARTITION p1 CURRENT)",
			"excepted":  "(id INT PRIMARY KEY, s VARCHAR(9), x INT WITHOUT SYSTEM VERSIONING) WITH SYSTEM VERSIONING",
			"altered":   "(id INT PRIMARY KEY, s VARCHAR(9))", // later
		}
		for _, metadata := range []string{"NO_LOG", "MINIMAL", "FULL"} {
			for _, image := range []string{"FULL", "MINIMAL"} {
				for name, def := range tables {
					t.Run(metadata+"_"+image+"_"+name, func(t *testing.T) {
						server.Exec(t, "SET GLOBAL binlog_row_metadata = "+metadata)
						schema := "v_" + strings.ToLower(metadata+image+name)
						conn := cdctest.SchemaConn(t, server, schema, "CREATE TABLE a "+def, "SET system_versioning_alter_history = KEEP, binlog_row_image = "+image)
						rec, seen := newRecorder(), &versionedChanges{}
						rec.onChange = seen.take
						s := openSource(t, sourceConfig(server, newLog(), schema, "a"))
						f := follow(t, s, current(t, s), rec)
						if name == "altered" {
							cdctest.Exec(t, conn, "ALTER TABLE a ADD SYSTEM VERSIONING")
						}
						wait := func(last string) {
							for !slices.Contains(seen.changes(), last) {
								f.next(t)
							}
						}
						cdctest.Exec(t, conn, "INSERT INTO a (id, s) VALUES (1, 'x')", "UPDATE a SET s = 'y'", "UPDATE a SET id = 2, s = 'z'")
						wait("update 2=z") // its columns are known before they are altered
						cdctest.Exec(t, conn, "ALTER TABLE a ADD COLUMN more INT", "INSERT INTO a (id, s) VALUES (2, 'd') ON DUPLICATE KEY UPDATE s = 'o'", "REPLACE INTO a (id, s) VALUES (2, 'r')",
							"DELETE FROM a", "DELETE HISTORY FROM a", "INSERT INTO a (id, s) VALUES (9, 'end')")
						wait("insert 9=end")
						f.stop()
						got := strings.Join(seen.changes(), ", ")
						got = strings.Replace(got, "delete 2, insert 2=r", "update 2=r", 1) // what a REPLACE logs depends on the version
						if want := "insert 1=x, update 1=y, update 2=z, update 2=o, update 2=r, delete 2, insert 9=end"; got != want {
							t.Errorf("got  %s\nwant %s", got, want)
						}
					})
				}
			}
		}
	})
}

// TestVersionsOfABacklog reads rows of tables that were altered later, so that the server says something else of them. The log
// tells of a period that nobody declared. Of one that was declared and is no more it does not, so such rows are not taken
// for any others.
func TestVersionsOfABacklog(t *testing.T) {
	cdctest.OnKinds(t, func(t *testing.T, kind dbtest.Kind) {
		if kind.MySQL() {
			return // it has no such tables
		}
		server := cdctest.StartServer(t, kind, "--binlog-row-metadata=FULL")
		const declared = "b TIMESTAMP(6) GENERATED ALWAYS AS ROW START, e TIMESTAMP(6) GENERATED ALWAYS AS ROW END, PERIOD FOR SYSTEM_TIME(b, e)) WITH SYSTEM VERSIONING"
		const ordinary = "b TIMESTAMP(6) DEFAULT '2020-01-01', e TIMESTAMP(6) DEFAULT '2020-01-01'"
		const all = "insert 1=x, update 1=y, delete 1, insert 9=end"
		for name, c := range map[string]struct{ def, first, last, want string }{
			"came and went":     {"id INT PRIMARY KEY, s VARCHAR(9))", "ADD SYSTEM VERSIONING", "DROP SYSTEM VERSIONING", all},
			"hidden, widened":   {"id INT PRIMARY KEY, s VARCHAR(9)) WITH SYSTEM VERSIONING", "COMMENT 'x'", "ADD COLUMN more INT", all},
			"declared, wider":   {"id INT PRIMARY KEY, s VARCHAR(9), " + declared, "COMMENT 'x'", "ADD COLUMN more INT", all},
			"declared, went":    {"id INT PRIMARY KEY, s VARCHAR(9), " + declared, "COMMENT 'x'", "DROP SYSTEM VERSIONING, DROP COLUMN b, DROP COLUMN e", ""},
			"ordinary, wider":   {"id INT, s VARCHAR(9), " + ordinary + ", PRIMARY KEY (id, e))", "COMMENT 'x'", "ADD COLUMN more INT", all},
			"ordinary, no more": {"id INT PRIMARY KEY, s VARCHAR(9), " + ordinary + ")", "COMMENT 'x'", "DROP COLUMN e", all},
		} {
			t.Run(name, func(t *testing.T) {
				schema := "later_" + strings.NewReplacer(", ", "_", " ", "_").Replace(name)
				conn := cdctest.SchemaConn(t, server, schema, "CREATE TABLE a ("+c.def, "SET system_versioning_alter_history = KEEP")
				s := openSource(t, sourceConfig(server, newLog(), schema, "a"))
				from := current(t, s)
				cdctest.Exec(t, conn, "ALTER TABLE a "+c.first, "INSERT INTO a (id, s) VALUES (1, 'x')", "UPDATE a SET s = 'y'", "DELETE FROM a", "ALTER TABLE a "+c.last, "INSERT INTO a (id, s) VALUES (9, 'end')")
				rec, seen := newRecorder(), &versionedChanges{}
				rec.onChange = func(change *Change) error {
					shown, table := *change, *change.Table
					table.Key, shown.Table = table.Key[:1], &table // that of an ordinary one has a second column
					return seen.take(&shown)
				}
				f := follow(t, s, from, rec)
				if c.want == "" {
					wantStop(t, f.stopError(t), schema+".a", "system-versioned")
					return
				}
				for !slices.Contains(seen.changes(), "insert 9=end") {
					f.next(t)
				}
				if got := strings.Join(seen.changes(), ", "); got != c.want {
					t.Errorf("got  %s\nwant %s", got, c.want)
				}
			})
		}
	})
}

// TestVersionedByTransaction has a table whose changes are logged as statements, whatever the server is told. The advice is
// about the table.
func TestVersionedByTransaction(t *testing.T) {
	t.Parallel()
	server := cdctest.StartServer(t, dbtest.MariaDB1011)
	conn := cdctest.SchemaConn(t, server, "trx", "CREATE TABLE a (id INT PRIMARY KEY, b BIGINT UNSIGNED GENERATED ALWAYS AS ROW START, "+
		"e BIGINT UNSIGNED GENERATED ALWAYS AS ROW END, PERIOD FOR SYSTEM_TIME(b, e)) WITH SYSTEM VERSIONING")
	cfg := sourceConfig(server, newLog(), "trx", "a")
	found := false
	for _, f := range faults(t, cfg) {
		found = found || f.Check == "table trx.a" && strings.Contains(f.Fix, "DROP SYSTEM VERSIONING")
	}
	if !found {
		t.Errorf("check says %+v", findings(t, cfg))
	}
	f := followNow(t, openSource(t, cfg))
	f.reach(t)
	cdctest.Exec(t, conn, "INSERT INTO a (id) VALUES (1)")
	err := f.stopError(t)
	wantStop(t, err, "trx.a", "DROP SYSTEM VERSIONING", "rowhook position set --gtid")
	if strings.Contains(err.Error(), "SET GLOBAL binlog_format") {
		t.Errorf("it advises what does not help: %v", err)
	}
}

// TestPromotedKey has tables whose rows a UNIQUE key tells apart. That is no primary key, whatever the log says of columns.
func TestPromotedKey(t *testing.T) {
	cdctest.OnKinds(t, func(t *testing.T, kind dbtest.Kind) {
		server := cdctest.StartServer(t, kind)
		for _, metadata := range []string{"MINIMAL", "FULL"} {
			server.Exec(t, "SET GLOBAL binlog_row_metadata = "+metadata)
			schema := "promoted_" + strings.ToLower(metadata)
			conn := cdctest.SchemaConn(t, server, schema, "CREATE TABLE a (s VARCHAR(9), id INT NOT NULL, UNIQUE KEY (id))", "CREATE TABLE b (s VARCHAR(9), id INT PRIMARY KEY, n INT NOT NULL UNIQUE)")
			rec, keys := newRecorder(), map[string]int{}
			rec.onChange = func(c *Change) error { keys[c.Table.Name] = len(c.Table.Key); return nil }
			s := openSource(t, sourceConfig(server, newLog(), schema, "a", "b"))
			f := follow(t, s, current(t, s), rec)
			cdctest.Exec(t, conn, "INSERT INTO a VALUES ('x', 1)", "INSERT INTO b VALUES ('x', 1, 2)")
			f.expect(t, "insert a(s=x id=1)")
			f.expect(t, "insert b(s=x id=1 n=2)")
			if keys["a"] != 0 || keys["b"] != 1 {
				t.Errorf("%s: columns of keys: %v", metadata, keys)
			}
			f.stop()
		}
	})
}

// versionedChanges gathers what comes.
type versionedChanges struct {
	mu  sync.Mutex
	all []string
}

func (v *versionedChanges) changes() []string {
	v.mu.Lock()
	defer v.mu.Unlock()
	return slices.Clone(v.all)
}

func (v *versionedChanges) take(c *Change) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	id, text := c.Table.Index("id"), c.Table.Index("s")
	row := c.After
	if c.Op == Delete {
		v.all = append(v.all, "delete "+c.Before.Text(id))
		return nil
	}
	v.all = append(v.all, fmt.Sprintf("%s %s=%s", c.Op, row.Text(id), row.Text(text)))
	if row.Len() != len(c.Table.Columns) || !slices.Equal(c.Table.Key, []int{id}) {
		return fmt.Errorf("a row of %d columns, of %v, with the key %v", row.Len(), c.Table.Columns, c.Table.Key)
	}
	return nil
}

// testPeriodNames has columns on a server without versions that are called as a period is.
func testPeriodNames(t *testing.T, kind dbtest.Kind) {
	t.Helper()
	server := cdctest.StartServer(t, kind)
	for _, metadata := range []string{"MINIMAL", "FULL"} {
		server.Exec(t, "SET GLOBAL binlog_row_metadata = "+metadata)
		conn := cdctest.SchemaConn(t, server, "names_"+metadata, "CREATE TABLE a (id INT PRIMARY KEY, row_start TIMESTAMP(6), row_end TIMESTAMP(6))")
		f := followNow(t, openSource(t, sourceConfig(server, newLog(), "names_"+metadata, "a")))
		cdctest.Exec(t, conn, "INSERT INTO a VALUES (1, '2020-01-01', '2021-01-01')", "UPDATE a SET row_end = '2022-01-01'")
		f.expect(t, "insert a(id=1 row_start=2020-01-01 00:00:00.000000 row_end=2021-01-01 00:00:00.000000)")
		f.expect(t, "update a(id=1 row_start=2020-01-01 00:00:00.000000 row_end=2021-01-01 00:00:00.000000 -> "+
			"id=1 row_start=2020-01-01 00:00:00.000000 row_end=2022-01-01 00:00:00.000000)")
	}
}
