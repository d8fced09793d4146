package rowcodec

import (
	"bufio"
	"bytes"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"unicode/utf8"

	"github.com/go-mysql-org/go-mysql/mysql"
	"github.com/go-mysql-org/go-mysql/replication"

	"rowhook/cdc/cdctest"
	"rowhook/cdc/schema/ddl"
)

// FuzzTableMap reads table maps of any bytes: what is accepted must be consistent.
func FuzzTableMap(f *testing.F) {
	eachCaptured(f, func(isMySQL bool, tableMap, _ cdctest.Event) { f.Add(isMySQL, tableMap.Body()) })
	f.Fuzz(func(t *testing.T, isMySQL bool, body []byte) {
		flavor := flavorOf(isMySQL)
		id, schema, table, peekErr := PeekTable(body)
		m, err := ParseTableMap(flavor, body)
		if err != nil {
			return
		}
		if peekErr != nil || id != m.id || string(schema) != m.name.Schema || string(table) != m.name.Name {
			t.Fatalf("peeked %d %q.%q, %v; parsed %d %q", id, schema, table, peekErr, m.id, m.name)
		}
		for _, column := range m.PrimaryKey {
			if column >= len(m.types) {
				t.Fatalf("the key has column %d of %d", column, len(m.types))
			}
		}
		if columns, ok := m.Columns(); ok && len(columns)+m.Hashes != len(m.types) {
			t.Fatalf("%d columns, %d types", len(columns), len(m.types))
		}
	})
}

// FuzzRows decodes rows of any bytes by a table map of any bytes: text must be UTF-8 and rows as wide as the table.
func FuzzRows(f *testing.F) {
	eachCaptured(f, func(isMySQL bool, tableMap, event cdctest.Event) {
		f.Add(isMySQL, tableMap.Body(), byte(event.Type), event.Body())
	})
	f.Fuzz(func(t *testing.T, isMySQL bool, tableMap []byte, typ byte, body []byte) {
		m, err := ParseTableMap(flavorOf(isMySQL), tableMap)
		if err != nil {
			return
		}
		columns, ok := m.Columns()
		if !ok {
			columns = make([]ddl.Column, len(m.types))
			for i := range columns {
				columns[i] = ddl.Column{Charset: "latin1", Enum: []string{"a", "b"}}
				if m.names != nil {
					columns[i].Name = m.names[i]
				}
			}
		}
		l, err := NewLayout(m, columns)
		if err != nil {
			return
		}
		h, rows, err := unpackedRows(typ, body)
		if err != nil {
			return
		}
		check := func(row Row) {
			for i := range row.Len() {
				if kind := row.Kind(i); kind != Binary && !utf8.ValidString(row.Text(i)) {
					t.Fatalf("column %d of kind %d is %q", i, kind, row.Text(i))
				}
			}
		}
		var whole, streamed []Row
		wholeErr := l.EachRow(h, &Images{rows: rows}, &RowBuilder{}, func(before, after Row) error {
			whole = append(whole, before, after)
			if h.Op != Insert && before.Len() != len(columns) || h.Op != Delete && after.Len() != len(columns) {
				t.Fatalf("rows of %d and %d columns, want %d", before.Len(), after.Len(), len(columns))
			}
			check(before)
			check(after)
			return nil
		})
		in := &Images{in: bufio.NewReader(iotest.OneByteReader(bytes.NewReader(rows))), left: len(rows)}
		streamErr := l.EachRow(h, in, &RowBuilder{}, func(before, after Row) error {
			streamed = append(streamed, before, after)
			return nil
		})
		same := func(a, b Row) bool {
			for i := range max(a.Len(), b.Len()) {
				if a.Kind(i) != b.Kind(i) || a.Text(i) != b.Text(i) || !a.Same(b, i) {
					return false
				}
			}
			return a.Len() == b.Len()
		}
		if (wholeErr == nil) != (streamErr == nil) || !slices.EqualFunc(whole, streamed, same) {
			t.Fatalf("as a stream %d rows, %v; in one %d rows, %v", len(streamed), streamErr, len(whole), wholeErr)
		}
	})
}

func flavorOf(isMySQL bool) string {
	if isMySQL {
		return mysql.MySQLFlavor
	}
	return mysql.MariaDBFlavor
}

// eachCaptured hands out the captured rows events, each with the table map before it.
func eachCaptured(f *testing.F, add func(isMySQL bool, tableMap, event cdctest.Event)) {
	f.Helper()
	files, err := filepath.Glob("testdata/*.binlog")
	if err != nil || len(files) == 0 {
		f.Fatalf("no captured events: %v", err)
	}
	for _, file := range append(files, cdctest.CapturedLogs(f, "..")...) {
		var tableMap cdctest.Event
		for _, e := range cdctest.ReadEvents(f, file) {
			if e.Type == replication.TABLE_MAP_EVENT {
				tableMap = e
			} else if _, _, err := unpackedRows(byte(e.Type), e.Body()); err == nil {
				add(strings.Contains(file, "mysql"), tableMap, e)
			}
		}
	}
}

// FuzzValue decodes a value of any bytes as a column of any type.
func FuzzValue(f *testing.F) {
	for _, c := range valueCases() {
		f.Add(c.typ, c.meta, uint8(c.column.Digits), c.column.Unsigned, c.column.DataType, c.bytes)
	}
	f.Fuzz(func(t *testing.T, typ byte, meta uint16, digits uint8, unsigned bool, dataType string, value []byte) {
		m := &TableMap{types: []byte{typ}, meta: []uint16{meta}}
		c := ddl.Column{Name: "c", DataType: dataType, Digits: int(digits), Unsigned: unsigned, Charset: "latin1", Enum: []string{"a", "ü"}, Fixed: digits > 0}
		l, err := NewLayout(m, []ddl.Column{c})
		if err != nil {
			return
		}
		row, rest, err := l.row(bitmap{1}, append([]byte{0}, value...), nil, &RowBuilder{})
		if err != nil {
			return
		}
		if text := row.Text(0); row.Kind(0) != Binary && !bytes.Equal([]byte(text), bytes.ToValidUTF8([]byte(text), nil)) || len(rest) > len(value) {
			t.Fatalf("kind %d is %q", row.Kind(0), text)
		}
	})
}
