package rowcodec

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/go-mysql-org/go-mysql/mysql"
	"github.com/go-mysql-org/go-mysql/replication"

	"rowhook/cdc/cdctest"
	"rowhook/cdc/schema/ddl"
	"rowhook/dbtest"
)

var update = flag.Bool("update", false, "capture the events of testdata again, from a server, and rewrite the golden files")

// TestCapturedEvents decodes events that a real server logged (testdata/*.binlog: a format description, table maps with
// binlog_row_metadata=FULL, and rows) and compares them with golden files. TestRowsOfServer proves the same decoder
// against SELECT.
func TestCapturedEvents(t *testing.T) {
	t.Parallel()
	if *update {
		captureEvents(t)
	}
	files, err := filepath.Glob("testdata/*.binlog")
	if err != nil || len(files) == 0 {
		t.Fatalf("no captured events: %v", err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			t.Parallel()
			golden := strings.TrimSuffix(file, ".binlog") + ".golden"
			got := showEvents(t, cdctest.ReadEvents(t, file))
			if *update {
				if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if got != string(want) {
				t.Errorf("%s differs; run with -update and look at the difference", golden)
			}
		})
	}
}

// showEvents writes a line for each column of each row.
func showEvents(tb testing.TB, events []cdctest.Event) string {
	tb.Helper()
	var out strings.Builder
	image := func(head string, l *Layout, row Row) {
		fmt.Fprintf(&out, "%s %s\n", head, l.name)
		for i := range row.Len() {
			fmt.Fprintf(&out, "\t%s %d %.80q\n", l.fields[i].name, row.Kind(i), row.Text(i))
		}
	}
	decodeEvents(tb, mysql.MariaDBFlavor, events, func(m *TableMap) []ddl.Column {
		columns, ok := m.Columns()
		if !ok {
			tb.Fatalf("%s was captured without its metadata", m.name)
		}
		fmt.Fprintf(&out, "table %s, key %v\n", m.name, m.PrimaryKey)
		return columns
	}, func(l *Layout, op Op, before, after Row) {
		if op != Insert {
			image(op.String()+" before", l, before)
		}
		if op != Delete {
			image(op.String()+" after", l, after)
		}
	})
	return out.String()
}

// decodeEvents decodes rows events and hands out their rows.
func decodeEvents(tb testing.TB, flavor string, events []cdctest.Event, columns func(*TableMap) []ddl.Column, f func(l *Layout, op Op, before, after Row)) {
	tb.Helper()
	layouts := map[uint64]*Layout{}
	var b RowBuilder
	for _, e := range events {
		switch e.Type {
		case replication.FORMAT_DESCRIPTION_EVENT:
		case replication.TABLE_MAP_EVENT:
			m, err := ParseTableMap(flavor, e.Body())
			if err != nil {
				tb.Fatal(err)
			}
			if layouts[m.id], err = NewLayout(m, columns(m)); err != nil {
				tb.Fatal(err)
			}
		default:
			h, rows, err := unpackedRows(byte(e.Type), e.Body())
			if err != nil {
				tb.Fatal(err)
			}
			l := layouts[h.TableID]
			if err := l.EachRow(h, &Images{rows: rows}, &b, func(before, after Row) error {
				f(l, h.Op, before, after)
				return nil
			}); err != nil {
				tb.Fatal(err)
			}
		}
	}
}

// captureEvents writes the files of testdata: the tables of the types' tests with their values, then the compressed
// events of log_bin_compress, rows that lack columns, and a table of sixty columns for the benchmark.
func captureEvents(t *testing.T) {
	server := dbtest.Start(t, "--binlog-checksum=NONE", "--binlog-row-metadata=FULL")
	conn := cdctest.Conn(t, server.DB(t, ""))
	cdctest.Exec(t, conn, "CREATE DATABASE decode", "USE decode")
	for _, table := range cdctest.TablesOfTypes(dbtest.MariaDB1011) {
		for i := range table.Columns {
			table.Columns[i].Random = nil // the values alone, so that the files stay small
		}
		cdctest.Exec(t, conn, table.Create())
		start := cdctest.LogEnd(t, server)
		none := rand.New(rand.NewPCG(1, 1))
		for i := range 4 {
			cdctest.Exec(t, conn, table.Insert(i, none))
		}
		cdctest.Exec(t, conn, table.Update(none), "DELETE FROM "+table.Name)
		cdctest.WriteEvents(t, filepath.Join("testdata", table.Name+".binlog"), cdctest.ReadLog(t, server, start, cdctest.LogEnd(t, server), isRows))
	}
	for _, table := range []struct {
		name       string
		create     string
		statements []string
	}{
		{"packed", "(a INT, b TEXT)", []string{
			"SET GLOBAL log_bin_compress = ON, log_bin_compress_min_len = 10", "INSERT INTO packed VALUES (1, REPEAT('long ', 100)), (2, 'short')",
			"UPDATE packed SET a = a + 1", "DELETE FROM packed", "SET GLOBAL log_bin_compress = OFF",
		}},
		{"keyed", "(a INT, b VARCHAR(100), c INT DEFAULT 5, PRIMARY KEY (b(10), a))", []string{
			"INSERT INTO keyed VALUES (1, 'one', 1)", "SET binlog_row_image = MINIMAL", "INSERT INTO keyed (a, b) VALUES (2, 'two')",
			"UPDATE keyed SET c = 7", "DELETE FROM keyed", "SET binlog_row_image = FULL",
		}},
		{"generated", "(id INT PRIMARY KEY, twice INT AS (id * 2), half INT AS (id / 2) STORED, last INT)", []string{
			"INSERT INTO generated (id, last) VALUES (4, 1)", "UPDATE generated SET last = 2", "DELETE FROM generated",
		}},
		{"wide", wideColumns(), []string{wideRows(10), "UPDATE wide SET i0 = i0 + 1"}},
	} {
		cdctest.Exec(t, conn, "CREATE TABLE "+table.name+" "+table.create)
		start := cdctest.LogEnd(t, server)
		cdctest.Exec(t, conn, table.statements...)
		cdctest.WriteEvents(t, filepath.Join("testdata", table.name+".binlog"), cdctest.ReadLog(t, server, start, cdctest.LogEnd(t, server), isRows))
	}
}

// isRows picks what rows need to be decoded: the format description, table maps and rows events.
func isRows(typ replication.EventType) bool {
	switch typ {
	case replication.FORMAT_DESCRIPTION_EVENT, replication.TABLE_MAP_EVENT, replication.WRITE_ROWS_EVENTv1, replication.UPDATE_ROWS_EVENTv1, replication.DELETE_ROWS_EVENTv1,
		replication.WRITE_ROWS_EVENTv2, replication.UPDATE_ROWS_EVENTv2, replication.DELETE_ROWS_EVENTv2,
		replication.MARIADB_WRITE_ROWS_COMPRESSED_EVENT_V1, replication.MARIADB_UPDATE_ROWS_COMPRESSED_EVENT_V1,
		replication.MARIADB_DELETE_ROWS_COMPRESSED_EVENT_V1:
		return true
	}
	return false
}
