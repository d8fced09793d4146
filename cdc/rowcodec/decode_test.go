package rowcodec

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"io"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/go-mysql-org/go-mysql/mysql"
	"github.com/go-mysql-org/go-mysql/replication"

	"rowhook/cdc/cdctest"
	"rowhook/cdc/schema/ddl"
	"rowhook/cdc/wire"
)

// The real types of ENUM and SET in the metadata of a STRING.
const enum, set = uint16(mysql.MYSQL_TYPE_ENUM), uint16(mysql.MYSQL_TYPE_SET)

// valueCase is a value as bytes of the log.
type valueCase struct {
	name   string
	typ    byte
	meta   uint16
	column ddl.Column
	bytes  []byte
	want   string
	kind   Kind
}

// valueCases are the values of each type at its limits.
func valueCases() []valueCase {
	float := func(v float32) []byte { return binary.LittleEndian.AppendUint32(nil, math.Float32bits(v)) }
	double := func(v float64) []byte { return binary.LittleEndian.AppendUint64(nil, math.Float64bits(v)) }
	unsigned := ddl.Column{Unsigned: true}
	return []valueCase{
		{"TINYINT", mysql.MYSQL_TYPE_TINY, 0, ddl.Column{}, []byte{0x80}, "-128", Int},
		{"TINYINT UNSIGNED", mysql.MYSQL_TYPE_TINY, 0, unsigned, []byte{0xff}, "255", Int},
		{"MEDIUMINT", mysql.MYSQL_TYPE_INT24, 0, ddl.Column{}, []byte{0xff, 0xff, 0xff}, "-1", Int},
		{"MEDIUMINT lowest", mysql.MYSQL_TYPE_INT24, 0, ddl.Column{}, []byte{0, 0, 0x80}, "-8388608", Int},
		{"MEDIUMINT UNSIGNED", mysql.MYSQL_TYPE_INT24, 0, unsigned, []byte{0xff, 0xff, 0xff}, "16777215", Int},
		{"BIGINT", mysql.MYSQL_TYPE_LONGLONG, 0, ddl.Column{}, []byte{0, 0, 0, 0, 0, 0, 0, 0x80}, "-9223372036854775808", Int},
		{"BIGINT UNSIGNED", mysql.MYSQL_TYPE_LONGLONG, 0, unsigned, bytes.Repeat([]byte{0xff}, 8), "18446744073709551615", Int},
		{"FLOAT", mysql.MYSQL_TYPE_FLOAT, 4, ddl.Column{}, float(1234567.8), "1234570", Float},
		{"FLOAT(10,3)", mysql.MYSQL_TYPE_FLOAT, 4, ddl.Column{Fixed: true, Digits: 3}, float(1234567.125), "1234567.125", Float},
		{"FLOAT not a number", mysql.MYSQL_TYPE_FLOAT, 4, ddl.Column{}, float(float32(math.NaN())), "0", Float},
		{"DOUBLE", mysql.MYSQL_TYPE_DOUBLE, 8, ddl.Column{}, double(1e20), "1e20", Float},
		{"DOUBLE small", mysql.MYSQL_TYPE_DOUBLE, 8, ddl.Column{}, double(-1.5e-16), "-1.5e-16", Float},
		{"DOUBLE plain", mysql.MYSQL_TYPE_DOUBLE, 8, ddl.Column{}, double(1e-15), "0.000000000000001", Float},
		{"DECIMAL(4,2)", mysql.MYSQL_TYPE_NEWDECIMAL, 4<<8 | 2, ddl.Column{}, []byte{0x7f ^ 1, 0xff ^ 50}, "-1.50", Decimal},
		{"DECIMAL(2,2)", mysql.MYSQL_TYPE_NEWDECIMAL, 2<<8 | 2, ddl.Column{}, []byte{0x80 | 5}, "0.05", Decimal},
		{"DATE", mysql.MYSQL_TYPE_DATE, 0, ddl.Column{}, []byte{0x21, 0xd0, 0x0f}, "2024-01-01", Text},
		{"DATE zero", mysql.MYSQL_TYPE_DATE, 0, ddl.Column{}, []byte{0, 0, 0}, "0000-00-00", Text},
		{"TIME of old tables", mysql.MYSQL_TYPE_TIME, 0, ddl.Column{}, []byte{0x21, 0xd8, 0xff}, "-01:02:07", Text},
		{"TIME(2)", mysql.MYSQL_TYPE_TIME2, 2, ddl.Column{}, []byte{0x7f, 0xff, 0xff, 0xff}, "-00:00:00.01", Text},
		{"TIME(1)", mysql.MYSQL_TYPE_TIME2, 1, ddl.Column{}, []byte{0x80, 0, 0, 0}, "00:00:00.0", Text},
		{"DATETIME of old tables", mysql.MYSQL_TYPE_DATETIME, 0, ddl.Column{}, binary.LittleEndian.AppendUint64(nil, 20240229235958), "2024-02-29 23:59:58", Text},
		{"DATETIME zero", mysql.MYSQL_TYPE_DATETIME2, 0, ddl.Column{}, []byte{0x80, 0, 0, 0, 0}, "0000-00-00 00:00:00", Text},
		{"TIMESTAMP of old tables", mysql.MYSQL_TYPE_TIMESTAMP, 0, ddl.Column{}, []byte{1, 0, 0, 0}, "1970-01-01 00:00:01", Text},
		{"TIMESTAMP(3) zero", mysql.MYSQL_TYPE_TIMESTAMP2, 3, ddl.Column{}, make([]byte, 6), "0000-00-00 00:00:00.000", Text},
		{"TIMESTAMP after 2038", mysql.MYSQL_TYPE_TIMESTAMP2, 0, ddl.Column{}, []byte{0xff, 0xff, 0xff, 0xff}, "2106-02-07 06:28:15", Text},
		{"YEAR", mysql.MYSQL_TYPE_YEAR, 0, unsigned, []byte{255}, "2155", Text},
		{"YEAR zero", mysql.MYSQL_TYPE_YEAR, 0, unsigned, []byte{0}, "0000", Text},
		{"CHAR", mysql.MYSQL_TYPE_STRING, 0xfe<<8 | 10, ddl.Column{Charset: "latin1"}, []byte{2, 0x80, 'a'}, "€a", Text},
		{"CHAR of 1020 bytes", mysql.MYSQL_TYPE_STRING, (0xfe^0x30)<<8 | 0xfc, ddl.Column{Charset: "utf8mb4"}, []byte{1, 0, 'a'}, "a", Text},
		{"BINARY", mysql.MYSQL_TYPE_STRING, 0xfe<<8 | 4, ddl.Column{}, []byte{2, 'a', 0xff}, "a\xff\x00\x00", Binary},
		{"VARCHAR", mysql.MYSQL_TYPE_VARCHAR, 255, ddl.Column{Charset: "utf8mb3"}, []byte{2, 'a', 0xff}, "a\ufffd", Text},
		{"VARCHAR of 256 bytes", mysql.MYSQL_TYPE_VARCHAR, 256, ddl.Column{Charset: "ascii"}, []byte{1, 0, 'a'}, "a", Text},
		{"LONGTEXT", mysql.MYSQL_TYPE_BLOB, 4, ddl.Column{Charset: "utf16"}, []byte{4, 0, 0, 0, 0xd8, 0x3d, 0xde, 0x00}, "😀", Text},
		{"JSON of MariaDB", mysql.MYSQL_TYPE_BLOB, 4, ddl.Column{Charset: "utf8mb4", DataType: "json"}, []byte{2, 0, 0, 0, '{', '}'}, "{}", JSON},
		{"BIT(9)", mysql.MYSQL_TYPE_BIT, 1<<8 | 1, ddl.Column{}, []byte{1, 1}, "257", Int},
		{"BIT(64)", mysql.MYSQL_TYPE_BIT, 8 << 8, ddl.Column{}, bytes.Repeat([]byte{0xff}, 8), "18446744073709551615", Int},
		{"GEOMETRY", mysql.MYSQL_TYPE_GEOMETRY, 4, ddl.Column{}, []byte{1, 0, 0, 0, 7}, "\x07", Binary},
		{"VECTOR", mysql.MYSQL_TYPE_VECTOR, 4, ddl.Column{}, []byte{1, 0, 0, 0, 7}, "\x07", Binary},
		{"ENUM", mysql.MYSQL_TYPE_STRING, enum<<8 | 1, ddl.Column{Enum: []string{"a", "b"}}, []byte{2}, "b", Text},
		{"ENUM refused", mysql.MYSQL_TYPE_STRING, enum<<8 | 2, ddl.Column{Enum: []string{"a"}}, []byte{0, 0}, "", Text},
		{"SET", mysql.MYSQL_TYPE_STRING, set<<8 | 1, ddl.Column{Enum: []string{"a", "b", "c"}}, []byte{5}, "a,c", Text},
	}
}

func TestValues(t *testing.T) {
	t.Parallel()
	for _, c := range valueCases() {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			l := oneColumn(t, c.typ, c.meta, c.column)
			row, rest, err := l.row(bitmap{1}, append([]byte{0}, c.bytes...), nil, &RowBuilder{})
			if err != nil || len(rest) > 0 {
				t.Fatalf("%d bytes left, %v", len(rest), err)
			}
			if row.Text(0) != c.want || row.Kind(0) != c.kind {
				t.Errorf("%q of kind %d, want %q of kind %d", row.Text(0), row.Kind(0), c.want, c.kind)
			}
			for n := range c.bytes {
				if _, _, err := l.row(bitmap{1}, append([]byte{0}, c.bytes[:n]...), nil, &RowBuilder{}); err == nil {
					t.Errorf("no error for %d of %d bytes", n, len(c.bytes))
				}
			}
		})
	}
}

func oneColumn(t *testing.T, typ byte, meta uint16, c ddl.Column) *Layout {
	t.Helper()
	l, err := NewLayout(&TableMap{types: []byte{typ}, meta: []uint16{meta}}, []ddl.Column{c})
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// Columns that were not logged are not NULL, and columns that are not asked for are neither.
func TestAbsentColumns(t *testing.T) {
	t.Parallel()
	tiny := mysql.MYSQL_TYPE_TINY
	l, err := NewLayout(&TableMap{types: []byte{tiny, tiny, tiny, tiny}, meta: make([]uint16, 4)}, []ddl.Column{{Name: "a"}, {Name: "b"}, {Name: "c"}, {Name: "d"}})
	if err != nil {
		t.Fatal(err)
	}
	image := []byte{0b010, 1, 3} // of a, c and d, c is NULL
	for _, c := range []struct {
		layout *Layout
		want   []Kind
		last   string
	}{{l, []Kind{Int, Absent, Null, Int}, "3"}, {l.Only("a"), []Kind{Int, Absent, Absent, Absent}, ""}} {
		row, rest, err := c.layout.row(bitmap{0b1101}, image, nil, &RowBuilder{})
		if err != nil || len(rest) > 0 {
			t.Fatalf("%d bytes left, %v", len(rest), err)
		}
		var got []Kind
		for i := range row.Len() {
			got = append(got, row.Kind(i))
		}
		if !slices.Equal(got, c.want) || row.Text(3) != c.last {
			t.Errorf("kinds %v, last %q; want %v, %q", got, row.Text(3), c.want, c.last)
		}
	}
}

// An INSERT of nothing but defaults logs, with binlog_row_image MINIMAL, a row of no columns and no bytes.
func TestRowWithoutColumns(t *testing.T) {
	t.Parallel()
	l := oneColumn(t, mysql.MYSQL_TYPE_TINY, 0, ddl.Column{})
	h := Header{Op: Insert, columns: 1, after: bitmap{0}}
	rows := 0
	count := func(Row, Row) error { rows++; return nil }
	if err := l.EachRow(h, &Images{}, &RowBuilder{}, count); err != nil || rows != 1 {
		t.Errorf("%d rows, %v; want 1", rows, err)
	}
	if err := l.EachRow(h, &Images{rows: []byte{1}}, &RowBuilder{}, count); err == nil {
		t.Error("no error for bytes behind a row without columns")
	}
	h.columns = 2
	if err := l.EachRow(h, &Images{}, &RowBuilder{}, count); err == nil {
		t.Error("no error for another number of columns")
	}
}

func TestLayoutRefuses(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		typ    byte
		meta   uint16
		column ddl.Column
		want   string
	}{
		{"another type", mysql.MYSQL_TYPE_LONG, 0, ddl.Column{DataType: "varchar"}, "is no varchar"},
		{"no label", mysql.MYSQL_TYPE_STRING, enum<<8 | 1, ddl.Column{}, "labels"},
		{"a wide ENUM", mysql.MYSQL_TYPE_STRING, enum<<8 | 3, ddl.Column{Enum: []string{"a"}}, "3 bytes"},
		{"an unknown charset", mysql.MYSQL_TYPE_VARCHAR, 10, ddl.Column{Charset: "klingon"}, `"klingon"`},
		{"a large DECIMAL", mysql.MYSQL_TYPE_NEWDECIMAL, 66 << 8, ddl.Column{}, "DECIMAL(66,0)"},
		{"a long fraction", mysql.MYSQL_TYPE_TIME2, 7, ddl.Column{}, "7 digits"},
		{"a TIME(3) of MariaDB 5.3", mysql.MYSQL_TYPE_TIME, 0, ddl.Column{Digits: 3}, "MariaDB 5.3"},
		{"a BLOB without a length", mysql.MYSQL_TYPE_BLOB, 0, ddl.Column{}, "0 bytes"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			c.column.Name = "price"
			_, err := NewLayout(&TableMap{name: ddl.TableName{Schema: "shop", Name: "items"}, types: []byte{c.typ}, meta: []uint16{c.meta}}, []ddl.Column{c.column})
			if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "price of shop.items") {
				t.Errorf("error %v, want one with %q and the column", err, c.want)
			}
		})
	}
	m := &TableMap{types: []byte{mysql.MYSQL_TYPE_TINY}, meta: []uint16{0}, names: []string{"a"}}
	if _, err := NewLayout(m, []ddl.Column{{Name: "b"}}); err == nil {
		t.Error("no error for a column of another name")
	}
	if _, err := NewLayout(m, nil); err == nil {
		t.Error("no error for another number of columns")
	}
}

func TestParseColumn(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		dataType, columnType string
		want                 ddl.Column
	}{
		{"int", "int(10) unsigned", ddl.Column{DataType: "int", Unsigned: true, Digits: 10}},
		{"bigint", "bigint", ddl.Column{DataType: "bigint"}},
		{"float", "float(10,3) unsigned", ddl.Column{DataType: "float", Unsigned: true, Fixed: true, Digits: 3}},
		{"double", "double", ddl.Column{DataType: "double"}},
		{"timestamp", "timestamp(6) /* mariadb-5.3 */", ddl.Column{DataType: "timestamp", Digits: 6}},
		{"year", "year(4)", ddl.Column{DataType: "year", Unsigned: true, Digits: 4}},
		{"varchar", "varchar(9) /* unsigned */", ddl.Column{DataType: "varchar", Digits: 9}},
		{"enum", `enum('a''b','c,d','e\nf\\')`, ddl.Column{DataType: "enum", Enum: []string{"a'b", "c,d", "e\nf\\"}}},
		{"set", "set('')", ddl.Column{DataType: "set", Enum: []string{""}}},
		{"ENUM", "ENUM('unsigned')", ddl.Column{DataType: "enum", Enum: []string{"unsigned"}}},
	} {
		got := ddl.ParseColumn("", c.dataType, c.columnType, "")
		if got.DataType != c.want.DataType || got.Unsigned != c.want.Unsigned || got.Fixed != c.want.Fixed ||
			got.Digits != c.want.Digits || !slices.Equal(got.Enum, c.want.Enum) {
			t.Errorf("%s: %+v, want %+v", c.columnType, got, c.want)
		}
	}
}

func TestRowsHeader(t *testing.T) {
	t.Parallel()
	body := []byte{7, 0, 0, 0, 0, 0, 1, 0, 5, 0, 1, 2, 3, 9, 0xff, 1, 0xfe, 1, 'r'} // version 2, with extra data of 5 bytes
	h, rows, err := unpackedRows(byte(replication.UPDATE_ROWS_EVENTv2), body)
	if err != nil {
		t.Fatal(err)
	}
	if h.Op != Update || h.TableID != 7 || !h.EndOfStatement || h.columns != 9 || !h.before.has(8) || h.after.has(0) || string(rows) != "r" {
		t.Errorf("%+v, rows %q", h, rows)
	}
	for n := range len(body) - 1 {
		if _, _, err := unpackedRows(byte(replication.UPDATE_ROWS_EVENTv2), body[:n]); err == nil {
			t.Errorf("no error for %d of %d bytes", n, len(body))
		}
	}
	for _, typ := range []replication.EventType{replication.WRITE_ROWS_EVENTv0, replication.XID_EVENT} {
		if _, _, err := unpackedRows(byte(typ), body); err == nil {
			t.Errorf("no error for a %s", typ)
		}
	}
}

// Compressed rows must be what they promise: a small event cannot take much memory.
func TestUnpack(t *testing.T) {
	t.Parallel()
	var packed bytes.Buffer
	z := zlib.NewWriter(&packed)
	if _, err := z.Write(make([]byte, 1000)); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	with := func(head ...byte) []byte { return append(head, packed.Bytes()...) }
	if rows, err := wire.Unpack(with(0x82, 1000>>8, 1000&0xff)); err != nil || len(rows) != 1000 {
		t.Errorf("%d bytes, %v; want 1000", len(rows), err)
	}
	for _, bad := range [][]byte{
		nil, {0x82}, with(0x81, 100), with(0x82, 1001>>8, 1001&0xff), with(0x92, 1000>>8, 1000&0xff), with(0x84, 0xff, 0xff, 0xff, 0xff), {0x81, 5, 'x'},
	} {
		if rows, err := wire.Unpack(bad); err == nil {
			t.Errorf("%x gave %d bytes without an error", bad, len(rows))
		}
	}
}

// TestTruncatedEvents cuts captured events short at every byte: an error, no panic.
func TestTruncatedEvents(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/*.binlog")
	if err != nil || len(files) == 0 {
		t.Fatalf("no captured events: %v", err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			t.Parallel()
			var l *Layout
			for _, e := range cdctest.ReadEvents(t, file) {
				switch body := e.Body(); e.Type {
				case replication.FORMAT_DESCRIPTION_EVENT:
				case replication.TABLE_MAP_EVENT:
					l = cutTableMap(t, body)
				default:
					cutRows(t, l, e.Type, body)
				}
			}
		})
	}
}

func cutTableMap(t *testing.T, body []byte) *Layout {
	t.Helper()
	m, err := ParseTableMap(mysql.MariaDBFlavor, body)
	if err != nil {
		t.Fatal(err)
	}
	whole := 0
	for n := range body {
		if _, err := ParseTableMap(mysql.MariaDBFlavor, body[:n]); err == nil {
			whole++
		}
	}
	if whole > metaEnumColumnCharset { // it may end before each of its optional fields
		t.Errorf("%s: %d table maps that were cut short are whole", m.name, whole)
	}
	id, schema, table, err := PeekTable(body)
	if err != nil || id != m.id || string(schema) != m.name.Schema || string(table) != m.name.Name {
		t.Errorf("peeked %d %s.%s, %v; want %d %s", id, schema, table, err, m.id, m.name)
	}
	columns, _ := m.Columns()
	l, err := NewLayout(m, columns)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func cutRows(t *testing.T, l *Layout, typ replication.EventType, body []byte) {
	t.Helper()
	decode := func(body []byte) (rows int, err error) {
		h, encoded, err := unpackedRows(byte(typ), body)
		if err != nil {
			return 0, err
		}
		err = l.EachRow(h, &Images{rows: encoded}, &RowBuilder{}, func(Row, Row) error { rows++; return nil })
		return rows, err
	}
	all, err := decode(body)
	if err != nil {
		t.Fatal(err)
	}
	for n := 0; n < len(body); n += 1 + len(body)/500 {
		if rows, err := decode(body[:n]); err == nil && rows >= all {
			t.Errorf("%s: %d bytes of %d gave all rows", l.name, n, len(body))
		}
	}
}

// unpackedRows is a rows event: its header, and its rows in memory.
func unpackedRows(typ byte, body []byte) (Header, []byte, error) {
	h, rows, err := ParseHeader(typ, body)
	if err != nil {
		return h, nil, err
	}
	in, err := NewImages(h, rows, nil, 0, io.Discard)
	if err == nil && in.in != nil {
		in.rows, err = io.ReadAll(io.LimitReader(in.in, wire.MaxUnpacked))
	}
	if err != nil {
		return h, nil, err
	}
	return h, in.rows, nil
}
