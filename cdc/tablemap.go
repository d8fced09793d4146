package cdc

import (
	"errors"
	"fmt"

	"github.com/go-mysql-org/go-mysql/mysql"
)

// Column types that only MariaDB has: COMPRESSED columns.
const (
	typeBlobCompressed    = 140
	typeVarcharCompressed = 141
)

var errTruncated = errors.New("the event ends too early")

// tableMap is a TABLE_MAP_EVENT: how the rows that follow are laid out. What binlog_row_metadata leaves out is nil.
// See MySQL's sql/log_event.h and MariaDB's sql/log_event.h, class Table_map_log_event.
type tableMap struct {
	id    uint64
	name  TableName
	types []byte   // a mysql.MYSQL_TYPE_ per column
	meta  []uint16 // lengths, precisions and the like, by type

	unsigned   []bool     // per column
	collations []uint64   // per column, 0 for columns that are no text
	labels     [][]string // per column, of ENUM and SET, in the column's charset
	names      []string
	primaryKey []int

	hashes int // how many of the last columns may be hashes that MariaDB keeps for itself
}

// hashColumn is what the names of such columns begin with.
const hashColumn = "DB_ROW_HASH_"

// peekTable reads the table's id and name and nothing else, for the events of tables nobody watches. The name is a
// part of body.
func peekTable(body []byte) (id uint64, schema, table []byte, err error) {
	w := wire{rest: body}
	id, schema, table = w.table()
	if w.short {
		return 0, nil, nil, fmt.Errorf("reading a table map: %w", errTruncated)
	}
	return id, schema, table, nil
}

// table reads what a table map begins with: the id, two bytes of flags, and two names, each ended by a zero.
func (w *wire) table() (id uint64, schema, table []byte) {
	id = w.fixed(6)
	w.bytes(2)
	schema = w.bytes(uint64(w.byte()))
	w.bytes(1)
	table = w.bytes(uint64(w.byte()))
	w.bytes(1)
	return id, schema, table
}

// parseTableMap reads a table map. The flavor matters: MariaDB counts geometry among the text columns, MySQL does not.
func parseTableMap(flavor string, body []byte) (*tableMap, error) {
	w := wire{rest: body}
	id, schema, table := w.table()
	m := &tableMap{id: id, name: TableName{Schema: string(schema), Name: string(table)}}
	m.types = append(m.types, w.bytes(w.packed())...)
	if err := m.readMeta(w.bytes(w.packed())); err != nil {
		return nil, fmt.Errorf("table map of %s: %w", m.name, err)
	}
	w.bytes(uint64(bitmapSize(len(m.types)))) // which columns may be null
	if w.short {
		return nil, fmt.Errorf("table map of %s: %w", m.name, errTruncated)
	}
	if err := m.readOptional(flavor, w.rest); err != nil {
		return nil, fmt.Errorf("table map of %s: %w", m.name, err)
	}
	return m, nil
}

// readMeta reads the bytes that follow the types: none, one or two for each column. A type that is not known here
// cannot be stepped over.
func (m *tableMap) readMeta(data []byte) error {
	w := wire{rest: data}
	m.meta = make([]uint16, len(m.types))
	for i, t := range m.types {
		switch t {
		case mysql.MYSQL_TYPE_STRING, mysql.MYSQL_TYPE_NEWDECIMAL, mysql.MYSQL_TYPE_ENUM, mysql.MYSQL_TYPE_SET:
			m.meta[i] = uint16(w.byte())<<8 | uint16(w.byte())
		case mysql.MYSQL_TYPE_VARCHAR, mysql.MYSQL_TYPE_VAR_STRING, mysql.MYSQL_TYPE_BIT, typeVarcharCompressed:
			m.meta[i] = w.uint16()
		case mysql.MYSQL_TYPE_FLOAT, mysql.MYSQL_TYPE_DOUBLE,
			mysql.MYSQL_TYPE_TIME2, mysql.MYSQL_TYPE_DATETIME2, mysql.MYSQL_TYPE_TIMESTAMP2,
			mysql.MYSQL_TYPE_BLOB, mysql.MYSQL_TYPE_TINY_BLOB, mysql.MYSQL_TYPE_MEDIUM_BLOB, mysql.MYSQL_TYPE_LONG_BLOB,
			mysql.MYSQL_TYPE_GEOMETRY, mysql.MYSQL_TYPE_JSON, mysql.MYSQL_TYPE_VECTOR, typeBlobCompressed:
			m.meta[i] = uint16(w.byte())
		case mysql.MYSQL_TYPE_TINY, mysql.MYSQL_TYPE_SHORT, mysql.MYSQL_TYPE_INT24, mysql.MYSQL_TYPE_LONG,
			mysql.MYSQL_TYPE_LONGLONG, mysql.MYSQL_TYPE_YEAR, mysql.MYSQL_TYPE_DATE, mysql.MYSQL_TYPE_NEWDATE,
			mysql.MYSQL_TYPE_TIME, mysql.MYSQL_TYPE_DATETIME, mysql.MYSQL_TYPE_TIMESTAMP:
		default:
			return &undecodableError{what: fmt.Sprintf("of type %d", t), to: "a type that both MySQL 8.0 and MariaDB 10.6 have", number: i + 1}
		}
	}
	if w.short {
		return errTruncated
	}
	return nil
}

// realType is a column's type with ENUM and SET, which are sent as STRING, told apart.
func (m *tableMap) realType(i int) byte {
	if m.types[i] == mysql.MYSQL_TYPE_STRING {
		switch t := byte(m.meta[i] >> 8); t {
		case mysql.MYSQL_TYPE_ENUM, mysql.MYSQL_TYPE_SET:
			return t
		}
	}
	return m.types[i]
}
