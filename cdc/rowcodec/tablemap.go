package rowcodec

import (
	"fmt"

	"github.com/go-mysql-org/go-mysql/mysql"

	"rowhook/cdc/schema/ddl"
	"rowhook/cdc/wire"
)

// Column types that only MariaDB has: COMPRESSED columns.
const (
	typeBlobCompressed    = 140
	typeVarcharCompressed = 141
)

// TableMap is a TABLE_MAP_EVENT: how the rows that follow are laid out. What binlog_row_metadata leaves out is nil.
// See MySQL's sql/log_event.h and MariaDB's sql/log_event.h, class Table_map_log_event.
type TableMap struct {
	id    uint64
	name  ddl.TableName
	types []byte   // a mysql.MYSQL_TYPE_ per column
	meta  []uint16 // lengths, precisions and the like, by type

	unsigned   []bool     // per column
	Collations []uint64   // per column, 0 for columns that are no text
	labels     [][]string // per column, of ENUM and SET, in the column's charset
	names      []string
	PrimaryKey []int

	Hashes int // how many of the last columns may be hashes that MariaDB keeps for itself
}

// hashColumn is what the names of such columns begin with.
const hashColumn = "DB_ROW_HASH_"

// PeekTable reads the table's id and name and nothing else, for the events of tables nobody watches. The name is a
// part of body.
func PeekTable(body []byte) (id uint64, schema, table []byte, err error) {
	w := wire.Reader{Rest: body}
	id, schema, table = beginning(&w)
	if w.Short {
		return 0, nil, nil, fmt.Errorf("reading a table map: %w", wire.ErrTruncated)
	}
	return id, schema, table, nil
}

// beginning reads what a table map begins with: the id, two bytes of flags, and two names, each ended by a zero.
func beginning(w *wire.Reader) (id uint64, schema, table []byte) {
	id = w.Fixed(6)
	w.Bytes(2)
	schema = w.Bytes(uint64(w.Byte()))
	w.Bytes(1)
	table = w.Bytes(uint64(w.Byte()))
	w.Bytes(1)
	return id, schema, table
}

// ParseTableMap reads a table map. The flavor matters: MariaDB counts geometry among the text columns, MySQL does not.
func ParseTableMap(flavor string, body []byte) (*TableMap, error) {
	w := wire.Reader{Rest: body}
	id, schema, table := beginning(&w)
	m := &TableMap{id: id, name: ddl.TableName{Schema: string(schema), Name: string(table)}}
	m.types = append(m.types, w.Bytes(w.Packed())...)
	if err := m.readMeta(w.Bytes(w.Packed())); err != nil {
		return nil, fmt.Errorf("table map of %s: %w", m.name, err)
	}
	w.Bytes(uint64(bitmapSize(len(m.types)))) // which columns may be null
	if w.Short {
		return nil, fmt.Errorf("table map of %s: %w", m.name, wire.ErrTruncated)
	}
	if err := m.readOptional(flavor, w.Rest); err != nil {
		return nil, fmt.Errorf("table map of %s: %w", m.name, err)
	}
	return m, nil
}

// readMeta reads the bytes that follow the types: none, one or two for each column. A type that is not known here
// cannot be stepped over.
func (m *TableMap) readMeta(data []byte) error {
	w := wire.Reader{Rest: data}
	m.meta = make([]uint16, len(m.types))
	for i, t := range m.types {
		switch t {
		case mysql.MYSQL_TYPE_STRING, mysql.MYSQL_TYPE_NEWDECIMAL, mysql.MYSQL_TYPE_ENUM, mysql.MYSQL_TYPE_SET:
			m.meta[i] = uint16(w.Byte())<<8 | uint16(w.Byte())
		case mysql.MYSQL_TYPE_VARCHAR, mysql.MYSQL_TYPE_VAR_STRING, mysql.MYSQL_TYPE_BIT, typeVarcharCompressed:
			m.meta[i] = w.Uint16()
		case mysql.MYSQL_TYPE_FLOAT, mysql.MYSQL_TYPE_DOUBLE,
			mysql.MYSQL_TYPE_TIME2, mysql.MYSQL_TYPE_DATETIME2, mysql.MYSQL_TYPE_TIMESTAMP2,
			mysql.MYSQL_TYPE_BLOB, mysql.MYSQL_TYPE_TINY_BLOB, mysql.MYSQL_TYPE_MEDIUM_BLOB, mysql.MYSQL_TYPE_LONG_BLOB,
			mysql.MYSQL_TYPE_GEOMETRY, mysql.MYSQL_TYPE_JSON, mysql.MYSQL_TYPE_VECTOR, typeBlobCompressed:
			m.meta[i] = uint16(w.Byte())
		case mysql.MYSQL_TYPE_TINY, mysql.MYSQL_TYPE_SHORT, mysql.MYSQL_TYPE_INT24, mysql.MYSQL_TYPE_LONG,
			mysql.MYSQL_TYPE_LONGLONG, mysql.MYSQL_TYPE_YEAR, mysql.MYSQL_TYPE_DATE, mysql.MYSQL_TYPE_NEWDATE,
			mysql.MYSQL_TYPE_TIME, mysql.MYSQL_TYPE_DATETIME, mysql.MYSQL_TYPE_TIMESTAMP:
		default:
			return &UndecodableError{what: fmt.Sprintf("of type %d", t), to: "a type that both MySQL 8.0 and MariaDB 10.6 have", Number: i + 1}
		}
	}
	if w.Short {
		return wire.ErrTruncated
	}
	return nil
}

// realType is a column's type with ENUM and SET, which are sent as STRING, told apart.
func (m *TableMap) realType(i int) byte {
	if m.types[i] == mysql.MYSQL_TYPE_STRING {
		switch t := byte(m.meta[i] >> 8); t {
		case mysql.MYSQL_TYPE_ENUM, mysql.MYSQL_TYPE_SET:
			return t
		}
	}
	return m.types[i]
}
