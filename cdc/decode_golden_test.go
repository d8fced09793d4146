package cdc

import (
	"encoding/binary"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/go-mysql-org/go-mysql/mysql"
	"github.com/go-mysql-org/go-mysql/replication"

	"rowhook/cdc/ddl"
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
			got := showEvents(t, capturedEvents(t, file))
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

// capturedEvents splits a file of events, which have no checksums.
func capturedEvents(tb testing.TB, file string) []rawEvent {
	tb.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		tb.Fatal(err)
	}
	var events []rawEvent
	for len(data) > 0 {
		size := binary.LittleEndian.Uint32(data[9:])
		events = append(events, rawEvent{replication.EventType(data[4]), data[:size]})
		data = data[size:]
	}
	return events
}

// showEvents writes a line for each column of each row.
func showEvents(tb testing.TB, events []rawEvent) string {
	tb.Helper()
	var out strings.Builder
	image := func(head string, l *layout, row Row) {
		fmt.Fprintf(&out, "%s %s\n", head, l.name)
		for i := range row.Len() {
			fmt.Fprintf(&out, "\t%s %d %.80q\n", l.fields[i].name, row.Kind(i), row.Text(i))
		}
	}
	decodeEvents(tb, mysql.MariaDBFlavor, events, func(m *tableMap) []ddl.Column {
		columns, ok := columnsFromMap(m)
		if !ok {
			tb.Fatalf("%s was captured without its metadata", m.name)
		}
		fmt.Fprintf(&out, "table %s, key %v\n", m.name, m.primaryKey)
		return columns
	}, func(l *layout, op Op, before, after Row) {
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
func decodeEvents(tb testing.TB, flavor string, events []rawEvent, columns func(*tableMap) []ddl.Column, f func(l *layout, op Op, before, after Row)) {
	tb.Helper()
	layouts := map[uint64]*layout{}
	var b RowBuilder
	for _, e := range events {
		switch e.typ {
		case replication.FORMAT_DESCRIPTION_EVENT:
		case replication.TABLE_MAP_EVENT:
			m, err := parseTableMap(flavor, e.body())
			if err != nil {
				tb.Fatal(err)
			}
			if layouts[m.id], err = newLayout(m, columns(m)); err != nil {
				tb.Fatal(err)
			}
		default:
			h, rows, err := unpackedRows(byte(e.typ), e.body())
			if err != nil {
				tb.Fatal(err)
			}
			l := layouts[h.tableID]
			if err := l.eachRow(h, &images{rows: rows}, &b, func(before, after Row) error {
				f(l, h.op, before, after)
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
	conn := testConn(t, server.DB(t, ""))
	execute(t, conn, "CREATE DATABASE decode", "USE decode")
	for _, table := range tablesOfTypes(dbtest.MariaDB1011) {
		for i := range table.columns {
			table.columns[i].random = nil // the values alone, so that the files stay small
		}
		execute(t, conn, table.create())
		start := logEnd(t, server)
		none := rand.New(rand.NewPCG(1, 1))
		for i := range 4 {
			execute(t, conn, table.insert(i, none))
		}
		execute(t, conn, table.update(none), "DELETE FROM "+table.name)
		writeEvents(t, table.name, readLog(t, server, start, logEnd(t, server)))
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
		execute(t, conn, "CREATE TABLE "+table.name+" "+table.create)
		start := logEnd(t, server)
		execute(t, conn, table.statements...)
		writeEvents(t, table.name, readLog(t, server, start, logEnd(t, server)))
	}
}

func writeEvents(t *testing.T, name string, events []rawEvent) {
	t.Helper()
	var data []byte
	for _, e := range events {
		data = append(data, e.raw...)
	}
	if err := os.WriteFile(filepath.Join("testdata", name+".binlog"), data, 0o644); err != nil {
		t.Fatal(err)
	}
}
