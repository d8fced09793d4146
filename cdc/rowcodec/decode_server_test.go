package rowcodec

import (
	"database/sql"
	"math/rand/v2"
	"testing"

	"github.com/go-mysql-org/go-mysql/mysql"

	"rowhook/cdc/cdctest"
	"rowhook/cdc/schema/ddl"
	"rowhook/dbtest"
)

// TestRowsOfServer has a real server log random rows of every type and compares each decoded column with what SELECT
// returns, byte for byte, for all settings of binlog_row_metadata.
func TestRowsOfServer(t *testing.T) {
	cdctest.OnKinds(t, func(t *testing.T, kind dbtest.Kind) {
		server := dbtest.StartServer(t, kind, "--binlog-checksum=NONE")
		db := server.DB(t, "")
		settings := []string{"NO_LOG", "MINIMAL", "FULL"}
		if kind.MySQL() {
			settings = settings[1:]
		}
		for _, metadata := range settings {
			t.Run(metadata, func(t *testing.T) {
				conn := cdctest.Conn(t, db)
				cdctest.Exec(t, conn, "CREATE DATABASE IF NOT EXISTS decode", "USE decode", "SET GLOBAL binlog_row_metadata = "+metadata)
				for _, table := range cdctest.TablesOfTypes(kind) {
					compareTable(t, server, conn, table)
				}
			})
		}
	})
}

// compareTable writes rows with each value and with random ones, changes and deletes them, and decodes the log.
func compareTable(t *testing.T, server *dbtest.Server, conn *sql.Conn, table cdctest.Table) {
	t.Helper()
	seed := dbtest.Seed(t)
	rnd := rand.New(rand.NewPCG(seed, 0))
	cdctest.Exec(t, conn, "DROP TABLE IF EXISTS "+table.Name, table.Create())
	selects := cdctest.SelectConn(t, server)
	start := cdctest.LogEnd(t, server)
	var written [][]sql.NullString // each state of each row, in order
	for i := range table.Rows() {
		cdctest.Exec(t, conn, table.Insert(i, rnd))
		written = append(written, table.Read(t, selects))
		cdctest.Exec(t, conn, table.Update(rnd))
		written = append(written, table.Read(t, selects))
		cdctest.Exec(t, conn, "DELETE FROM "+table.Name)
	}
	schema := schemaColumns(t, conn, table.Name)
	logged := 0
	check := func(row Row, want []sql.NullString) {
		t.Helper()
		for i, c := range table.Columns {
			if got := (sql.NullString{String: row.Text(i), Valid: row.Kind(i) != Null}); got != want[i] {
				t.Fatalf("seed %d, %s.%s %s: decoded %+q (kind %d), SELECT says %+q (null: %t)", seed, table.Name, c.Name(i), c.Def,
					got.String, row.Kind(i), want[i].String, !want[i].Valid)
			}
		}
	}
	eachChange(t, server, start, cdctest.LogEnd(t, server), func(m *TableMap) []ddl.Column {
		if columns, ok := m.Columns(); ok {
			if !m.SpeaksForItself() {
				m.Learn(columns, schema)
			}
			return columns
		}
		return schema
	}, func(op Op, before, after Row) {
		switch op {
		case Insert:
			check(after, written[logged])
		case Update:
			check(before, written[logged])
			check(after, written[logged+1])
			logged += 2
		case Delete:
			check(before, written[logged-1])
		}
	})
	if logged != len(written) {
		t.Fatalf("%s: %d rows logged, %d written", table.Name, logged, len(written))
	}
}

func schemaColumns(t *testing.T, conn *sql.Conn, table string) []ddl.Column {
	t.Helper()
	rows, err := conn.QueryContext(t.Context(), `SELECT column_name, data_type, column_type, COALESCE(character_set_name, '')
		FROM information_schema.columns WHERE table_schema = 'decode' AND table_name = '`+table+`' ORDER BY ordinal_position`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var columns []ddl.Column
	for rows.Next() {
		var name, dataType, columnType, charset string
		if err := rows.Scan(&name, &dataType, &columnType, &charset); err != nil {
			t.Fatal(err)
		}
		columns = append(columns, ddl.ParseColumn(name, dataType, columnType, charset))
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return columns
}

// eachChange decodes the rows that were logged between two places.
func eachChange(t *testing.T, server *dbtest.Server, from, to mysql.Position, columns func(*TableMap) []ddl.Column, f func(op Op, before, after Row)) {
	t.Helper()
	decodeEvents(t, cdctest.Flavor(server.Kind()), cdctest.ReadLog(t, server, from, to, isRows), columns, func(_ *Layout, op Op, before, after Row) { f(op, before, after) })
}
