package ddl

import (
	"strconv"
	"strings"
)

// Column is what has to be known of a column, besides its table map, to write its values as text. It comes from the
// server's schema (ParseColumn) or from the table map itself (columnsFromMap).
type Column struct {
	Name     string   `json:"name"`
	DataType string   `json:"type,omitempty"`     // data_type of information_schema, in lower case; empty when it is not known, and not checked
	Charset  string   `json:"charset,omitempty"`  // the server's name of it; empty for binary and for what is no text
	Unsigned bool     `json:"unsigned,omitempty"` // of numbers
	Enum     []string `json:"labels,omitempty"`   // of an ENUM or SET, in order, in UTF-8
	Fixed    bool     `json:"fixed,omitempty"`    // of FLOAT(m,n) and DOUBLE(m,n), which have Digits behind the point
	Digits   int      `json:"digits,omitempty"`   // the n of FLOAT(m,n), TIME(n), DATETIME(n), TIMESTAMP(n) and YEAR(n)
}

// ParseColumn makes a column of what information_schema.columns says: column_name, data_type, column_type and
// character_set_name (empty for NULL). The four are texts in UTF-8. MariaDB's information_schema shows a question mark
// for what utf8mb3 lacks, emoji in the label of an ENUM among it; only binlog_row_metadata=FULL has such labels right.
func ParseColumn(name, dataType, columnType, charset string) Column {
	c := Column{Name: name, DataType: strings.ToLower(dataType), Charset: charset}
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
