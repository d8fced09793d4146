package rowcodec

import (
	"fmt"

	"github.com/go-mysql-org/go-mysql/mysql"

	"rowhook/cdc/wire"
)

// The fields of a table map's optional metadata that are used here, by their number. See MySQL's
// libbinlogevents/include/rows_event.h, enum Optional_metadata_field_type; MariaDB has the same.
const (
	metaSignedness         = 1
	metaDefaultCharset     = 2
	metaColumnCharset      = 3
	metaColumnName         = 4
	metaSetLabels          = 5
	metaEnumLabels         = 6
	metaPrimaryKey         = 8
	metaPrimaryKeyPrefixed = 9
	metaEnumDefaultCharset = 10
	metaEnumColumnCharset  = 11
)

// readOptional reads what binlog_row_metadata adds behind the null bits: fields of a type, a length and a value. Most
// fields count only the columns they are about: numbers, texts, enums.
func (m *TableMap) readOptional(flavor string, data []byte) error {
	text := m.columnsOf(func(t byte) bool {
		return isText(t) || t == mysql.MYSQL_TYPE_VECTOR || t == mysql.MYSQL_TYPE_GEOMETRY && flavor == mysql.MariaDBFlavor
	})
	labelled := m.columnsOf(func(t byte) bool { return t == mysql.MYSQL_TYPE_ENUM || t == mysql.MYSQL_TYPE_SET })
	w := wire.Reader{Rest: data}
	for len(w.Rest) > 0 {
		field := w.Byte()
		v := wire.Reader{Rest: w.Bytes(w.Packed())}
		if w.Short {
			return fmt.Errorf("optional field %d: %w", field, wire.ErrTruncated)
		}
		var err error
		switch field {
		case metaSignedness:
			err = m.readSignedness(v)
		case metaDefaultCharset:
			err = m.readDefaultCollation(v, text)
		case metaColumnCharset:
			err = m.readCollations(v, text)
		case metaEnumDefaultCharset:
			err = m.readDefaultCollation(v, labelled)
		case metaEnumColumnCharset:
			err = m.readCollations(v, labelled)
		case metaColumnName:
			err = m.readNames(v)
		case metaEnumLabels:
			err = m.readLabels(v, m.columnsOf(func(t byte) bool { return t == mysql.MYSQL_TYPE_ENUM }))
		case metaSetLabels:
			err = m.readLabels(v, m.columnsOf(func(t byte) bool { return t == mysql.MYSQL_TYPE_SET }))
		case metaPrimaryKey, metaPrimaryKeyPrefixed:
			err = m.readKey(v, field == metaPrimaryKeyPrefixed)
		}
		if err != nil {
			return fmt.Errorf("optional field %d: %w", field, err)
		}
	}
	return nil
}

// columnsOf lists the columns whose type is one of a family.
func (m *TableMap) columnsOf(family func(realType byte) bool) []int {
	var columns []int
	for i := range m.types {
		if family(m.realType(i)) {
			columns = append(columns, i)
		}
	}
	return columns
}

// readSignedness reads a bit for each number, the first in the highest bit of the first byte.
func (m *TableMap) readSignedness(w wire.Reader) error {
	numbers := m.columnsOf(isNumber)
	if len(w.Rest) < bitmapSize(len(numbers)) {
		return wire.ErrTruncated
	}
	m.unsigned = make([]bool, len(m.types))
	for n, column := range numbers {
		m.unsigned[column] = w.Rest[n/8]&(0x80>>(n%8)) != 0
	}
	return nil
}

// readDefaultCollation reads the collation of most of the columns, then pairs for the others: which, counted among
// columns, and its collation.
func (m *TableMap) readDefaultCollation(w wire.Reader, columns []int) error {
	m.makeCollations()
	most := w.Packed()
	for _, column := range columns {
		m.Collations[column] = most
	}
	for len(w.Rest) > 0 && !w.Short {
		n, collation := w.Packed(), w.Packed()
		if n >= uint64(len(columns)) {
			return fmt.Errorf("a charset for text column %d of %d", n+1, len(columns))
		}
		m.Collations[columns[n]] = collation
	}
	return w.Err()
}

func (m *TableMap) readCollations(w wire.Reader, columns []int) error {
	m.makeCollations()
	for _, column := range columns {
		m.Collations[column] = w.Packed()
	}
	return w.End()
}

func (m *TableMap) makeCollations() {
	if m.Collations == nil {
		m.Collations = make([]uint64, len(m.types))
	}
}

func (m *TableMap) readNames(w wire.Reader) error {
	m.names = make([]string, len(m.types))
	for i := range m.names {
		m.names[i] = string(w.Bytes(w.Packed()))
	}
	return w.End()
}

func (m *TableMap) readLabels(w wire.Reader, columns []int) error {
	if m.labels == nil {
		m.labels = make([][]string, len(m.types))
	}
	for _, column := range columns {
		labels := []string{} // not nil: known, although there are none
		for n := w.Packed(); n > 0 && !w.Short; n-- {
			labels = append(labels, string(w.Bytes(w.Packed())))
		}
		m.labels[column] = labels
	}
	return w.End()
}

// readKey reads the columns of the primary key; when one of them is indexed by a prefix, each has its length behind it.
func (m *TableMap) readKey(w wire.Reader, prefixed bool) error {
	m.PrimaryKey = nil
	for len(w.Rest) > 0 && !w.Short {
		column := w.Packed()
		if prefixed {
			w.Packed()
		}
		if column >= uint64(len(m.types)) {
			return fmt.Errorf("the primary key has column %d of %d", column+1, len(m.types))
		}
		m.PrimaryKey = append(m.PrimaryKey, int(column))
	}
	return w.Err()
}

func isNumber(t byte) bool {
	switch t {
	case mysql.MYSQL_TYPE_TINY, mysql.MYSQL_TYPE_SHORT, mysql.MYSQL_TYPE_INT24, mysql.MYSQL_TYPE_LONG,
		mysql.MYSQL_TYPE_LONGLONG, mysql.MYSQL_TYPE_NEWDECIMAL, mysql.MYSQL_TYPE_FLOAT, mysql.MYSQL_TYPE_DOUBLE,
		mysql.MYSQL_TYPE_YEAR:
		return true
	}
	return false
}

// isText says whether a type has a charset; binary is one.
func isText(t byte) bool {
	switch t {
	case mysql.MYSQL_TYPE_STRING, mysql.MYSQL_TYPE_VAR_STRING, mysql.MYSQL_TYPE_VARCHAR,
		mysql.MYSQL_TYPE_BLOB, mysql.MYSQL_TYPE_TINY_BLOB, mysql.MYSQL_TYPE_MEDIUM_BLOB, mysql.MYSQL_TYPE_LONG_BLOB,
		typeBlobCompressed, typeVarcharCompressed:
		return true
	}
	return false
}
