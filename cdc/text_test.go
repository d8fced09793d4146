package cdc

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"rowhook/cdc/cdctest"
	"rowhook/dbtest"
)

// TestStatementTexts looks at the texts of statements that travel with their rows.
func TestStatementTexts(t *testing.T) {
	cdctest.OnKinds(t, func(t *testing.T, kind dbtest.Kind) {
		args, compress := []string(nil), "log_bin_compress = %s"
		if kind.MySQL() {
			args, compress = []string{"--binlog-rows-query-log-events=ON"}, "binlog_transaction_compression = %s"
		}
		server := cdctest.StartServer(t, kind, args...)
		for _, setting := range []string{"OFF", "ON"} {
			t.Run("compression "+setting, func(t *testing.T) {
				server.Exec(t, "SET GLOBAL "+fmt.Sprintf(compress, setting))
				testStatementTexts(t, server, "texts_"+strings.ToLower(setting))
			})
		}
	})
}

func testStatementTexts(t *testing.T, server *dbtest.Server, schema string) {
	t.Helper()
	conn := cdctest.SchemaConn(t, server, schema, "CREATE TABLE a (id INT PRIMARY KEY, s LONGTEXT)", "CREATE TABLE b (id INT PRIMARY KEY)",
		"CREATE TRIGGER tr AFTER DELETE ON a FOR EACH ROW INSERT INTO b VALUES (OLD.id)")
	var got []string
	rec := newRecorder()
	rec.onChange = func(c *Change) error {
		got = append(got, fmt.Sprintf("%s %s: %.60s", c.Op, c.Table.Name, c.Statement))
		return nil
	}
	cfg := sourceConfig(server, newLog(), schema, "a", "b")
	cfg.Statements, cfg.NeedStatements = true, true
	s := openSource(t, cfg)
	if bad := faults(t, cfg); slices.ContainsFunc(bad, func(f Finding) bool { return !f.OK }) {
		t.Errorf("faults: %+v", bad)
	}
	f := follow(t, s, current(t, s), rec)
	long := "INSERT INTO a VALUES (9, '" + strings.Repeat("long ", maxStatementText/5) + "')"
	cdctest.Exec(t, conn, "BEGIN", "INSERT INTO a VALUES (1, 'ö'), (2, 'x')", "UPDATE /* why */ a SET `s` = NULL WHERE id = 2", "DELETE FROM a WHERE id = 1", "COMMIT",
		long, "INSERT INTO b VALUES (7)")
	for range 3 {
		for txn := f.next(t); len(txn.rows) == 0; {
			txn = f.next(t)
		}
	}
	f.stop()
	want := []string{
		"insert a: INSERT INTO a VALUES (1, 'ö'), (2, 'x')", "insert a: INSERT INTO a VALUES (1, 'ö'), (2, 'x')",
		"update a: UPDATE /* why */ a SET `s` = NULL WHERE id = 2", "delete a: DELETE FROM a WHERE id = 1", "insert b: DELETE FROM a WHERE id = 1",
		"insert a: ", "insert b: INSERT INTO b VALUES (7)",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}
