package rowcodec

import (
	"fmt"
	"strings"
	"testing"

	"github.com/go-mysql-org/go-mysql/mysql"
	"github.com/go-mysql-org/go-mysql/replication"

	"rowhook/cdc/cdctest"
)

// wideColumns are the sixty columns of a plugin's table that grew over the years.
func wideColumns() string {
	var defs []string
	add := func(n int, name, def string) {
		for i := range n {
			defs = append(defs, fmt.Sprintf("%s%d %s", name, i, def))
		}
	}
	add(16, "i", "INT NOT NULL")
	add(4, "u", "BIGINT UNSIGNED")
	add(6, "f", "TINYINT(1)")
	add(14, "v", "VARCHAR(255)")
	add(4, "x", "TEXT")
	add(6, "d", "DATETIME")
	add(2, "a", "DATE")
	add(5, "m", "DECIMAL(10,2)")
	add(1, "g", "DOUBLE")
	add(2, "e", "ENUM('approved','pending','canceled','rejected')")
	return "(" + strings.Join(defs, ", ") + ")"
}

func wideRows(n int) string {
	rows := make([]string, n)
	for i := range rows {
		rows[i] = wideRow(i)
	}
	return "INSERT INTO wide VALUES " + strings.Join(rows, ", ")
}

func wideRow(n int) string {
	var values []string
	add := func(count int, value func(i int) string) {
		for i := range count {
			values = append(values, value(i))
		}
	}
	add(16, func(i int) string { return fmt.Sprint(n * i * 37) })
	add(4, func(i int) string { return fmt.Sprint(uint64(n) * 1234567890123) })
	add(6, func(i int) string { return fmt.Sprint(i % 2) })
	add(14, func(i int) string {
		return []string{"NULL", "'Müller'", "'anna.mueller@example.com'", "'+49 30 1234567'", "''"}[i%5]
	})
	add(4, func(i int) string { return fmt.Sprintf("REPEAT('some notes ', %d)", i*8) })
	add(6, func(i int) string { return fmt.Sprintf("'2026-%02d-%02d 12:30:00'", 1+n%12, 1+i) })
	add(2, func(i int) string { return "'2026-02-03'" })
	add(5, func(i int) string { return fmt.Sprintf("%d.%02d", n*i*100, n) })
	add(1, func(i int) string { return fmt.Sprintf("%d.25", n) })
	add(2, func(i int) string { return fmt.Sprint(1 + i) })
	return "(" + strings.Join(values, ", ") + ")"
}

// BenchmarkRows decodes the same ten inserts and ten updates of a table with sixty columns as rows and, to compare, with
// go-mysql, which needs its values to be turned into text afterwards.
func BenchmarkRows(b *testing.B) {
	events := cdctest.ReadEvents(b, "testdata/wide.binlog")
	for name, decode := range map[string]func(testing.TB){
		"rowhook":  rowhookDecoder(b, events),
		"go-mysql": goMySQLDecoder(b, events, nil),
		// It does not look for the signs of numbers then, which it does for each row.
		"go-mysql without metadata": goMySQLDecoder(b, events, func([]byte) error { return nil }),
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				decode(b)
			}
		})
	}
}

// rowhookDecoder decodes all rows each time that it is called.
func rowhookDecoder(tb testing.TB, events []cdctest.Event) func(testing.TB) {
	tb.Helper()
	m, err := ParseTableMap(mysql.MariaDBFlavor, firstOf(tb, events, replication.TABLE_MAP_EVENT).Body())
	if err != nil {
		tb.Fatal(err)
	}
	columns, _ := m.Columns()
	l, err := NewLayout(m, columns)
	if err != nil {
		tb.Fatal(err)
	}
	var builder RowBuilder
	var last Row
	return func(tb testing.TB) {
		tb.Helper()
		for _, e := range events {
			if e.Type == replication.TABLE_MAP_EVENT || e.Type == replication.FORMAT_DESCRIPTION_EVENT {
				continue
			}
			h, rows, err := unpackedRows(byte(e.Type), e.Body())
			if err != nil {
				tb.Fatal(err)
			}
			err = l.EachRow(h, &Images{rows: rows}, &builder, func(_, after Row) error {
				last = after
				return nil
			})
			if err != nil || last.Len() != len(columns) {
				tb.Fatal(err)
			}
		}
	}
}

// goMySQLDecoder has go-mysql decode all rows each time that it is called.
func goMySQLDecoder(tb testing.TB, events []cdctest.Event, metadata func([]byte) error) func(testing.TB) {
	tb.Helper()
	parser := replication.NewBinlogParser()
	parser.SetFlavor(mysql.MariaDBFlavor)
	if metadata != nil {
		parser.SetTableMapOptionalMetaDecodeFunc(metadata)
	}
	type encoded struct {
		event *replication.RowsEvent
		start int
		body  []byte
	}
	var rows []encoded
	parser.SetRowsEventDecodeFunc(func(e *replication.RowsEvent, body []byte) error {
		start, err := e.DecodeHeader(body)
		rows = append(rows, encoded{e, start, body})
		return err
	})
	for _, e := range events {
		if _, err := parser.Parse(e.Raw); err != nil {
			tb.Fatal(err)
		}
	}
	return func(tb testing.TB) {
		tb.Helper()
		for _, r := range rows {
			if err := r.event.DecodeData(r.start, r.body); err != nil {
				tb.Fatal(err)
			}
		}
	}
}

func firstOf(tb testing.TB, events []cdctest.Event, typ replication.EventType) cdctest.Event {
	tb.Helper()
	for _, e := range events {
		if e.Type == typ {
			return e
		}
	}
	tb.Fatalf("no %s was captured", typ)
	return cdctest.Event{}
}
