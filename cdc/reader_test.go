package cdc

import (
	"slices"
	"strings"
	"testing"
	"time"

	"rowhook/cdc/cdctest"
	"rowhook/dbtest"
)

// TestTransactions looks at what the groups of the log become. Every case ends with the insert of row 99 into a, so
// that what must not come would be seen.
func TestTransactions(t *testing.T) { cdctest.OnServers(t, testTransactions) }

func testTransactions(t *testing.T, server *dbtest.Server) {
	t.Helper()
	mysql, strict := server.Kind().MySQL(), server.Kind().MySQL() && hasGTIDs(t, server)
	other := []string{
		"CREATE TABLE gone (id INT)", "RENAME TABLE gone TO went", "DROP TABLE went", "CREATE VIEW v AS SELECT 1", "DROP VIEW v", "ANALYZE TABLE a", "FLUSH TABLES",
		"CREATE USER IF NOT EXISTS u1", "DROP USER u1", "CREATE FUNCTION f() RETURNS INT DETERMINISTIC RETURN 1", "DROP FUNCTION f",
	}
	if !mysql {
		other = append(other, "CREATE SEQUENCE sq", "SELECT NEXTVAL(sq)", "DROP SEQUENCE sq")
	}
	cases := []struct {
		name       string
		statements []string
		want       []string
		discards   []int // of the last transaction in want
	}{
		{
			"several tables", []string{
				"BEGIN", "INSERT INTO a VALUES (1, 'x'), (2, 'y')", "INSERT INTO other VALUES (1, 'z')", "INSERT INTO b VALUES (5, 'z')",
				"UPDATE a SET s = 'w' WHERE id = 2", "DELETE FROM b", "COMMIT",
			},
			[]string{"insert a(id=1 s=x); insert a(id=2 s=y); insert b(id=5 s=z); update a(id=2 s=y -> id=2 s=w); delete b(id=5 s=z)"}, nil,
		},
		{
			"replace", []string{"INSERT INTO a VALUES (1, 'x')", "REPLACE INTO a VALUES (1, 'y'), (2, 'z')"},
			[]string{"insert a(id=1 s=x)", "update a(id=1 s=x -> id=1 s=y); insert a(id=2 s=z)"}, nil,
		},
		{
			"on duplicate key", []string{"INSERT INTO a VALUES (1, 'x')", "INSERT INTO a VALUES (1, 'q'), (2, 'q') ON DUPLICATE KEY UPDATE s = 'y'"},
			[]string{"insert a(id=1 s=x)", "update a(id=1 s=x -> id=1 s=y); insert a(id=2 s=q)"}, nil,
		},
		{
			"several tables, one statement", []string{
				"INSERT INTO a VALUES (1, 'x')", "INSERT INTO b VALUES (1, 'y')", "UPDATE a JOIN b USING (id) SET a.s = 'm', b.s = 'n'",
			},
			[]string{"insert a(id=1 s=x)", "insert b(id=1 s=y)", "update a(id=1 s=x -> id=1 s=m); update b(id=1 s=y -> id=1 s=n)"}, nil,
		},
		{
			"trigger", []string{"CREATE TRIGGER tr AFTER INSERT ON a FOR EACH ROW INSERT INTO b VALUES (NEW.id, NEW.s)", "INSERT INTO a VALUES (1, 'x')", "DROP TRIGGER tr"},
			[]string{"insert a(id=1 s=x); insert b(id=1 s=x)"}, nil,
		},
		{
			"rolled back", []string{"BEGIN", "INSERT INTO a VALUES (1, 'x')", "ROLLBACK"}, nil, nil,
		},
		{
			"rolled back with a MyISAM table", []string{"BEGIN", "INSERT INTO a VALUES (1, 'x')", "INSERT INTO m VALUES (1, 'y')", "UPDATE a SET s = 'z'", "ROLLBACK"},
			[]string{"insert m(id=1 s=y)"}, nil,
		},
		{
			"rolled back with a temporary table", []string{"CREATE TEMPORARY TABLE tmp (id INT)", "BEGIN", "INSERT INTO a VALUES (1, 'x')", "INSERT INTO tmp VALUES (1)", "DROP TEMPORARY TABLE tmp", "ROLLBACK"},
			nil, nil,
		},
		{
			"MyISAM", []string{"INSERT INTO m VALUES (1, 'x'), (2, 'y')", "DELETE FROM m"},
			[]string{"insert m(id=1 s=x); insert m(id=2 s=y)", "delete m(id=1 s=x); delete m(id=2 s=y)"}, nil,
		},
		{
			"savepoint", []string{
				"BEGIN", "INSERT INTO a VALUES (1, 'x')", "SAVEPOINT `S p`", "INSERT INTO a VALUES (2, 'y')", "INSERT INTO other VALUES (1, 'y')",
				"CREATE TEMPORARY TABLE tmp (id INT)", "DROP TEMPORARY TABLE tmp",
				"ROLLBACK TO SAVEPOINT `s P`", "INSERT INTO a VALUES (3, 'z')", "COMMIT",
			},
			[]string{"insert a(id=1 s=x); insert a(id=3 s=z)"}, []int{1},
		},
		{
			"nested savepoints", []string{
				"BEGIN", "SAVEPOINT one", "INSERT INTO a VALUES (1, 'x')", "SAVEPOINT two", "INSERT INTO a VALUES (2, 'y')", "SAVEPOINT one", "INSERT INTO a VALUES (3, 'y')",
				"INSERT INTO m VALUES (1, 'm')", "ROLLBACK TO one", "ROLLBACK TO two", "RELEASE SAVEPOINT two", "INSERT INTO a VALUES (4, 'z')", "COMMIT",
			},
			[]string{"insert m(id=1 s=m)", "insert a(id=1 s=x); insert a(id=4 s=z)"}, []int{2, 1},
		},
		{
			"create select", []string{"CREATE TABLE c SELECT 1 AS id, 'x' AS s", "INSERT INTO c VALUES (2, 'y')"},
			[]string{"insert c(id=1 s=x)", "insert c(id=2 s=y)"}, nil,
		},
		{
			"other statements", other, nil, nil,
		},
		{
			"XA of a table nobody watches", []string{
				"XA START 'x1'", "INSERT INTO other VALUES (5, 'x')", "XA END 'x1'", "XA PREPARE 'x1'", "XA COMMIT 'x1'",
				"XA START 'x2'", "INSERT INTO other VALUES (6, 'x')", "XA END 'x2'", "XA PREPARE 'x2'", "XA ROLLBACK 'x2'",
			}, nil, nil,
		},
		{
			"XA in one phase", []string{"XA START 'x3'", "INSERT INTO a VALUES (6, 'x')", "XA END 'x3'", "XA COMMIT 'x3' ONE PHASE"},
			[]string{"insert a(id=6 s=x)"}, nil,
		},
	}
	for _, c := range cases {
		mixed := slices.ContainsFunc(c.statements, func(s string) bool { return strings.Contains(s, "INTO m ") })
		if strict && mixed && c.statements[0] == "BEGIN" { // it refuses to write tables of both kinds in one transaction
			continue
		}
		t.Run(c.name, func(t *testing.T) {
			schema := "t_" + strings.NewReplacer(" ", "_", ",", "").Replace(strings.ToLower(c.name))
			conn := cdctest.SchemaConn(t, server, schema)
			for _, table := range []string{"a", "b", "other", "m"} {
				cdctest.Exec(t, conn, "CREATE TABLE "+table+" (id INT PRIMARY KEY, s VARCHAR(10))")
			}
			cdctest.Exec(t, conn, "ALTER TABLE m ENGINE=MyISAM")
			f := followNow(t, openSource(t, sourceConfig(server, newLog(), schema, "a", "b", "c", "m")))
			cdctest.Exec(t, conn, c.statements...)
			txn := f.expect(t, c.want...)
			// MySQL rolls back before it logs, where it can.
			if !slices.Equal(txn.discards, c.discards) && (!mysql || txn.discards != nil) {
				t.Errorf("discards %v, want %v", txn.discards, c.discards)
			}
			cdctest.Exec(t, conn, "INSERT INTO a VALUES (99, 'end')")
			f.expect(t, "insert a(id=99 s=end)")
		})
	}

	t.Run("XA", func(t *testing.T) {
		conn := cdctest.SchemaConn(t, server, "xa", "CREATE TABLE a (id INT PRIMARY KEY)")
		f := followNow(t, openSource(t, sourceConfig(server, newLog(), "xa", "a")))
		cdctest.Exec(t, conn, "XA START 'w'", "INSERT INTO a VALUES (1)", "XA END 'w'", "XA PREPARE 'w'")
		wantStop(t, f.stopError(t), "XA")
		cdctest.Exec(t, conn, "XA ROLLBACK 'w'")
	})

	t.Run("time", func(t *testing.T) {
		conn := cdctest.SchemaConn(t, server, "clock", "CREATE TABLE a (id INT PRIMARY KEY)")
		cfg := sourceConfig(server, newLog(), "clock", "a")
		now := time.Now().Truncate(time.Second).Add(time.Hour)
		cfg.Now = func() time.Time { return now }
		f := followNow(t, openSource(t, cfg))
		stamps := []time.Time{now.Add(-time.Minute), time.Date(2001, 1, 1, 0, 0, 0, 0, time.UTC), now.Add(-30 * time.Second), now.Add(24 * time.Hour), now.Add(-10 * time.Second)}
		want := []time.Time{now.Add(-time.Minute), now.Add(-time.Minute), now.Add(-30 * time.Second), now, now}
		for i, stamp := range stamps {
			if _, err := conn.ExecContext(t.Context(), "SET timestamp = ?", stamp.Unix()); err != nil {
				t.Fatal(err)
			}
			if _, err := conn.ExecContext(t.Context(), "INSERT INTO a VALUES (?)", i); err != nil {
				t.Fatal(err)
			}
			txn := f.next(t)
			if mysql { // it has times of its own, which a session cannot set
				if age := time.Since(txn.Time); age < 0 || age > time.Minute {
					t.Errorf("stamp %v: committed %v ago", stamp, age)
				}
				continue
			}
			if !txn.Time.Equal(want[i]) {
				t.Errorf("stamp %v: committed at %v, want %v", stamp, txn.Time, want[i])
			}
		}
	})
}
