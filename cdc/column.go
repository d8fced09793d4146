package cdc

import (
	"slices"
	"strconv"
	"strings"

	"github.com/go-mysql-org/go-mysql/mysql"

	"rowhook/cdc/charset"
)

// column is what has to be known of a column, besides its table map, to write its values as text. It comes from the
// server's schema (parseColumn) or from the table map itself (columnsFromMap).
type column struct {
	Name     string   `json:"name"`
	DataType string   `json:"type,omitempty"`     // data_type of information_schema, in lower case; empty when it is not known, and not checked
	Charset  string   `json:"charset,omitempty"`  // the server's name of it; empty for binary and for what is no text
	Unsigned bool     `json:"unsigned,omitempty"` // of numbers
	Enum     []string `json:"labels,omitempty"`   // of an ENUM or SET, in order, in UTF-8
	Fixed    bool     `json:"fixed,omitempty"`    // of FLOAT(m,n) and DOUBLE(m,n), which have Digits behind the point
	Digits   int      `json:"digits,omitempty"`   // the n of FLOAT(m,n), TIME(n), DATETIME(n), TIMESTAMP(n) and YEAR(n)
}

// parseColumn makes a column of what information_schema.columns says: column_name, data_type, column_type and
// character_set_name (empty for NULL). The four are texts in UTF-8. MariaDB's information_schema shows a question mark
// for what utf8mb3 lacks, emoji in the label of an ENUM among it; only binlog_row_metadata=FULL has such labels right.
func parseColumn(name, dataType, columnType, charset string) column {
	c := column{Name: name, DataType: strings.ToLower(dataType), Charset: charset}
	switch c.DataType {
	case "enum", "set":
		c.Enum = parseLabels(columnType)
		return c
	}
	declared, _, _ := strings.Cut(strings.ToLower(columnType), "/*") // MariaDB adds comments
	c.Unsigned = strings.Contains(declared, "unsigned") || c.DataType == "year"
	_, size, _ := strings.Cut(declared, "(")
	size, _, _ = strings.Cut(size, ")")
	digits := size
	switch c.DataType {
	case "float", "double", "real":
		_, digits, c.Fixed = strings.Cut(size, ",")
	}
	if n, err := strconv.Atoi(strings.TrimSpace(digits)); err == nil {
		c.Digits = n
	}
	return c
}

// parseLabels reads the quoted labels of "enum('a','b')". Whatever its sql_mode, the server doubles quotes and writes
// four characters with a backslash: backslash, NUL, newline and carriage return.
func parseLabels(columnType string) []string {
	_, list, _ := strings.Cut(columnType, "(")
	labels := []string{}
	var label strings.Builder
	quoted := false
	for i := 0; i < len(list); i++ {
		c := list[i]
		switch {
		case !quoted:
			quoted = c == '\''
		case c == '\'' && i+1 < len(list) && list[i+1] == '\'':
			label.WriteByte(c)
			i++
		case c == '\'':
			labels = append(labels, label.String())
			label.Reset()
			quoted = false
		case c == '\\' && i+1 < len(list):
			i++
			label.WriteByte(unescape(list[i]))
		default:
			label.WriteByte(c)
		}
	}
	return labels
}

func unescape(c byte) byte {
	switch c {
	case '0':
		return 0
	case 'n':
		return '\n'
	case 'r':
		return '\r'
	}
	return c
}

// learn adds what only the schema tells to columns that come from a table map: how FLOAT(m,d), DOUBLE(m,d), YEAR(2) and
// old times are shown, and which strings are UUIDs or addresses. A column that is another one by now is left alone.
func learn(m *tableMap, columns, schema []column) {
	known := make(map[string]column, len(schema))
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

// speaksForItself says whether a table map that tells everything leaves nothing for learn.
func (m *tableMap) speaksForItself() bool {
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
func (m *tableMap) namedHashes() int {
	n := len(m.names)
	for n > 1 && strings.HasPrefix(m.names[n-1], hashColumn) && m.types[n-1] == mysql.MYSQL_TYPE_LONGLONG && !slices.Contains(m.primaryKey, n-1) {
		n--
	}
	return len(m.names) - n
}

// columnsFromMap describes the columns when the table map tells everything (binlog_row_metadata=FULL), false otherwise. Even
// then it lacks what only the schema knows: see learn.
func columnsFromMap(m *tableMap) ([]column, bool) {
	if m.names == nil {
		return nil, false
	}
	m.hashes = m.namedHashes()
	columns := make([]column, len(m.types)-m.hashes)
	for i := range columns {
		t := m.realType(i)
		c := column{Name: m.names[i]}
		switch {
		case isNumber(t):
			if m.unsigned == nil {
				return nil, false
			}
			c.Unsigned = m.unsigned[i]
		case t == mysql.MYSQL_TYPE_ENUM || t == mysql.MYSQL_TYPE_SET:
			if m.labels == nil || m.labels[i] == nil || m.collations == nil {
				return nil, false
			}
			c.Charset = charset.OfCollation(m.collations[i])
			text, err := newTextDecoder(c.Charset)
			if err != nil {
				return nil, false
			}
			for _, label := range m.labels[i] {
				c.Enum = append(c.Enum, string(text.Append(nil, []byte(label))))
			}
		case isText(t):
			if m.collations == nil {
				return nil, false
			}
			c.Charset = charset.OfCollation(m.collations[i])
		}
		columns[i] = c
	}
	return columns, true
}
