package rowcodec

import (
	"slices"
	"strings"

	"github.com/go-mysql-org/go-mysql/mysql"

	"rowhook/cdc/charset"
	"rowhook/cdc/schema/ddl"
)

// Learn adds what only the schema tells to columns that come from a table map: how FLOAT(m,d), DOUBLE(m,d), YEAR(2) and
// old times are shown, and which strings are UUIDs or addresses. A column that is another one by now is left alone.
func (m *TableMap) Learn(columns, schema []ddl.Column) {
	known := make(map[string]ddl.Column, len(schema))
	for _, c := range schema {
		known[c.Name] = c
	}
	for i := range columns {
		c := &columns[i]
		s, ok := known[c.Name]
		if !ok || !fits(m.realType(i), s.DataType) || s.Charset != c.Charset && s.Charset != "" {
			continue
		}
		c.Fixed, c.Digits = s.Fixed, s.Digits
		switch s.DataType {
		case "uuid", "inet4", "inet6":
			c.DataType = s.DataType
		}
	}
}

// SpeaksForItself says whether a table map that tells everything leaves nothing for learn.
func (m *TableMap) SpeaksForItself() bool {
	for i := range m.types {
		switch m.realType(i) {
		case mysql.MYSQL_TYPE_FLOAT, mysql.MYSQL_TYPE_DOUBLE, mysql.MYSQL_TYPE_YEAR,
			mysql.MYSQL_TYPE_TIME, mysql.MYSQL_TYPE_DATETIME, mysql.MYSQL_TYPE_TIMESTAMP:
			return false
		case mysql.MYSQL_TYPE_STRING:
			if n := charLength(int(m.meta[i])); n == uuidSize || n == inet4Size {
				return false
			}
		}
	}
	return true
}

// namedHashes counts the last columns that are MariaDB's hashes by type and name, but for what is in the primary key.
func (m *TableMap) namedHashes() int {
	n := len(m.names)
	for n > 1 && strings.HasPrefix(m.names[n-1], hashColumn) && m.types[n-1] == mysql.MYSQL_TYPE_LONGLONG && !slices.Contains(m.PrimaryKey, n-1) {
		n--
	}
	return len(m.names) - n
}

// Columns describes the columns when the table map tells everything (binlog_row_metadata=FULL), false otherwise. Even
// then it lacks what only the schema knows: see learn.
func (m *TableMap) Columns() ([]ddl.Column, bool) {
	if m.names == nil {
		return nil, false
	}
	m.Hashes = m.namedHashes()
	columns := make([]ddl.Column, len(m.types)-m.Hashes)
	for i := range columns {
		t := m.realType(i)
		c := ddl.Column{Name: m.names[i]}
		switch {
		case isNumber(t):
			if m.unsigned == nil {
				return nil, false
			}
			c.Unsigned = m.unsigned[i]
		case t == mysql.MYSQL_TYPE_ENUM || t == mysql.MYSQL_TYPE_SET:
			if m.labels == nil || m.labels[i] == nil || m.Collations == nil {
				return nil, false
			}
			c.Charset = charset.OfCollation(m.Collations[i])
			text, err := newTextDecoder(c.Charset)
			if err != nil {
				return nil, false
			}
			for _, label := range m.labels[i] {
				c.Enum = append(c.Enum, string(text.Append(nil, []byte(label))))
			}
		case isText(t):
			if m.Collations == nil {
				return nil, false
			}
			c.Charset = charset.OfCollation(m.Collations[i])
		}
		columns[i] = c
	}
	return columns, true
}

// MayBeVersioned says whether a table map has columns that may be a period.
func (m *TableMap) MayBeVersioned(flavor string) bool {
	periods := 0
	for i := range m.types {
		if m.MayBePeriod(i) {
			periods++
		}
	}
	return flavor == mysql.MariaDBFlavor && periods >= 2
}

// MayBePeriod says whether a column has the type that one of a period has.
func (m *TableMap) MayBePeriod(i int) bool {
	return m.types[i] == mysql.MYSQL_TYPE_TIMESTAMP2 && m.meta[i] == 6
}
