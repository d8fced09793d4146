package cdc

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

	"rowhook/cdc/ddl"
)

// FuzzTableMap reads table maps of any bytes: what is accepted must be consistent.
func FuzzTableMap(f *testing.F) {
	eachCaptured(f, func(isMySQL bool, tableMap, _ rawEvent) { f.Add(isMySQL, tableMap.body()) })
	f.Fuzz(func(t *testing.T, isMySQL bool, body []byte) {
		flavor := flavorOf(isMySQL)
		id, schema, table, peekErr := peekTable(body)
		m, err := parseTableMap(flavor, body)
		if err != nil {
			return
		}
		if peekErr != nil || id != m.id || string(schema) != m.name.Schema || string(table) != m.name.Name {
			t.Fatalf("peeked %d %q.%q, %v; parsed %d %q", id, schema, table, peekErr, m.id, m.name)
		}
		for _, column := range m.primaryKey {
			if column >= len(m.types) {
				t.Fatalf("the key has column %d of %d", column, len(m.types))
			}
		}
		if columns, ok := columnsFromMap(m); ok && len(columns)+m.hashes != len(m.types) {
			t.Fatalf("%d columns, %d types", len(columns), len(m.types))
		}
	})
}

// FuzzRows decodes rows of any bytes by a table map of any bytes: text must be UTF-8 and rows as wide as the table.
func FuzzRows(f *testing.F) {
	eachCaptured(f, func(isMySQL bool, tableMap, event rawEvent) {
		f.Add(isMySQL, tableMap.body(), byte(event.typ), event.body())
	})
	f.Fuzz(func(t *testing.T, isMySQL bool, tableMap []byte, typ byte, body []byte) {
		m, err := parseTableMap(flavorOf(isMySQL), tableMap)
		if err != nil {
			return
		}
		columns, ok := columnsFromMap(m)
		if !ok {
			columns = make([]ddl.Column, len(m.types))
			for i := range columns {
				columns[i] = ddl.Column{Charset: "latin1", Enum: []string{"a", "b"}}
				if m.names != nil {
					columns[i].Name = m.names[i]
				}
			}
		}
		l, err := newLayout(m, columns)
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
		wholeErr := l.eachRow(h, &images{rows: rows}, &RowBuilder{}, func(before, after Row) error {
			whole = append(whole, before, after)
			if h.op != Insert && before.Len() != len(columns) || h.op != Delete && after.Len() != len(columns) {
				t.Fatalf("rows of %d and %d columns, want %d", before.Len(), after.Len(), len(columns))
			}
			check(before)
			check(after)
			return nil
		})
		in := &images{in: bufio.NewReader(iotest.OneByteReader(bytes.NewReader(rows))), left: len(rows)}
		streamErr := l.eachRow(h, in, &RowBuilder{}, func(before, after Row) error {
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
func eachCaptured(f *testing.F, add func(isMySQL bool, tableMap, event rawEvent)) {
	f.Helper()
	files, err := filepath.Glob("testdata/*.binlog")
	if err != nil || len(files) == 0 {
		f.Fatalf("no captured events: %v", err)
	}
	for _, file := range append(files, capturedLogs(f)...) {
		var tableMap rawEvent
		for _, e := range capturedEvents(f, file) {
			if e.typ == replication.TABLE_MAP_EVENT {
				tableMap = e
			} else if _, _, err := unpackedRows(byte(e.typ), e.body()); err == nil {
				add(strings.Contains(file, "mysql"), tableMap, e)
			}
		}
	}
}
