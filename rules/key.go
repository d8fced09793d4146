package rules

import (
	"encoding/hex"
	"strconv"
	"strings"

	"rowhook/cdc"
)

// Key is an object's key as text: of one column its text, of several columns their texts with a comma between them, in which
// a comma or backslash is written behind a backslash. A binary column is written in hexadecimal digits, behind 0x.
type Key string

// NumberKey is the key of an object whose key is a number.
func NumberKey(n int64) Key { return Key(strconv.FormatInt(n, 10)) }

// Number is the key as a number; false when it is none.
func (k Key) Number() (int64, bool) {
	n, err := strconv.ParseInt(string(k), 10, 64)
	return n, err == nil
}

// KeyAt is the key that a row has in some columns.
func KeyAt(row cdc.Row, columns []int) Key {
	if len(columns) == 1 {
		return Key(strings.Clone(keyText(row, columns[0]))) // the row may be large
	}
	var b strings.Builder
	for i, c := range columns {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(keyEscaper.Replace(keyText(row, c)))
	}
	return Key(b.String())
}

// keyEscaper never changes.
var keyEscaper = strings.NewReplacer(`\`, `\\`, `,`, `\,`)

func keyText(row cdc.Row, column int) string {
	if row.Kind(column) == cdc.Binary {
		return "0x" + hex.EncodeToString([]byte(row.Text(column)))
	}
	return row.Text(column)
}

// KeyOf is the key of a row: that of the table's primary key, or else of the column id, which all of the plugin's tables have.
func KeyOf(t *cdc.Table, row cdc.Row) Key {
	if len(t.Key) == 0 {
		return KeyAt(row, []int{t.Index("id")})
	}
	return KeyAt(row, t.Key)
}

// Split is the texts of a key's columns, of which there are so many.
func (k Key) Split(columns int) []string {
	if columns == 1 {
		return []string{string(k)}
	}
	parts := make([]string, 0, columns)
	var part []byte
	for i := 0; i < len(k); i++ {
		switch {
		case k[i] == ',':
			parts, part = append(parts, string(part)), part[:0]
			continue
		case k[i] == '\\' && i+1 < len(k):
			i++
		}
		part = append(part, k[i])
	}
	return append(parts, string(part))
}
