package loader

import (
	"context"
	"database/sql"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
)

// keyPart is a column of a primary key.
type keyPart struct {
	name, is string // is: its type
	value    string // in SQL, what is kept of it
	compared string // in SQL, what a kept value is compared with
	charset  string // of a text; "binary" of bytes
	quoted   bool
}

// keyParts are the columns of a table's primary key, in its order. A table without one is a SelectionError. The plugin's tables
// are known to have whole numbers.
func (x Existing) keyParts(ctx context.Context, conn *lease) ([]keyPart, error) {
	if !x.Entity.Custom {
		return []keyPart{newKeyPart(x.Entity.Key[0], "int")}, nil
	}
	rows, err := conn.QueryContext(ctx, `SELECT c.column_name, c.column_type, c.data_type, c.character_set_name
		FROM information_schema.statistics s JOIN information_schema.columns c USING (table_schema, table_name, column_name)
		WHERE s.table_schema = ? AND s.table_name = ? AND s.index_name = 'PRIMARY' ORDER BY s.seq_in_index`, x.Site.Schema, x.table().Name)
	if err != nil {
		return nil, fmt.Errorf("asking for the key of %s: %w", x.table(), err)
	}
	defer rows.Close()
	var parts []keyPart
	for rows.Next() {
		var name, is, dataType string
		var charset sql.NullString
		if err := rows.Scan(&name, &is, &dataType, &charset); err != nil {
			return nil, fmt.Errorf("asking for the key of %s: %w", x.table(), err)
		}
		p := newKeyPart(name, is)
		if !p.read(strings.ToLower(dataType), charset.String) {
			return nil, &SelectionError{fmt.Sprintf("rows are read in the order of the primary key, and of table %s that has %s %s, which has no exact text", x.table(), p.name, p.is)}
		}
		parts = append(parts, p)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("asking for the key of %s: %w", x.table(), err)
	}
	if len(parts) == 0 {
		return nil, &SelectionError{fmt.Sprintf("table %s is not there, or has no primary key to read its rows by", x.table())}
	}
	return parts, x.ordered(parts)
}

// newKeyPart is a column whose values are kept and compared as they are: numbers.
func newKeyPart(name, is string) keyPart {
	return keyPart{name: name, is: is, value: quote(name), compared: quote(name)}
}

// read finds out how values of a type are kept and compared; false: they cannot be.
func (p *keyPart) read(dataType, charset string) bool {
	column := quote(p.name)
	switch dataType {
	case "tinyint", "smallint", "mediumint", "int", "bigint", "decimal":
	case "year", "bit", "enum", "set": // sorted by their numbers, and compared as those with numbers alone
		p.value, p.compared = column+" + 0", column+" + 0"
	case "date", "datetime", "timestamp", "time", "uuid", "inet4", "inet6":
		p.quoted = true
	case "char", "varchar", "tinytext", "text", "mediumtext", "longtext":
		p.value, p.charset = "HEX("+column+")", charset
	case "binary", "varbinary", "tinyblob", "blob", "mediumblob", "longblob":
		p.value, p.charset = "HEX("+column+")", "binary"
	default:
		return false
	}
	return p.charset == "" || isPlainWord(p.charset)
}

// isPlainWord says whether a name may stand in SQL as it is.
func isPlainWord(name string) bool {
	return !strings.ContainsFunc(name, func(r rune) bool { return (r < 'a' || r > 'z') && (r < '0' || r > '9') && r != '_' })
}

// literal is a kept value in SQL. A text has its column's charset, and is compared by its column's collation.
func (p *keyPart) literal(kept string) (string, error) {
	const numbers, others = "0123456789.-", "0123456789.-: abcdefABCDEF"
	switch {
	case p.charset != "":
		if _, err := hex.DecodeString(kept); err == nil {
			return "_" + p.charset + " X'" + kept + "'", nil
		}
	case p.quoted && strings.Trim(kept, others) == "":
		return "'" + kept + "'", nil
	case !p.quoted && kept != "" && strings.Trim(kept, numbers) == "":
		return kept, nil
	}
	return "", fmt.Errorf("%q is no value of column %s %s; was the table altered since the backfill began? begin another", kept, p.name, p.is)
}

// ordered says whether a rule's key, where it names one, is the primary key.
func (x Existing) ordered(parts []keyPart) error {
	key := x.Entity.Key
	same := len(key) == len(parts)
	for _, p := range parts {
		same = same && slices.ContainsFunc(key, func(column string) bool { return strings.EqualFold(column, p.name) })
	}
	if len(key) == 0 || same {
		return nil
	}
	return &SelectionError{fmt.Sprintf("rows are read in the order of the primary key, which of table %s is %s, and the rule's key is %s", x.table(), columnsOf(parts), strings.Join(key, ", "))}
}

func columnsOf(parts []keyPart) string {
	names := make([]string, len(parts))
	for i, p := range parts {
		names[i] = p.name
	}
	return strings.Join(names, ", ")
}

// objectKey are the columns of the key as the rules have it.
func (x Existing) objectKey(parts []keyPart) []string {
	names := make([]string, len(parts))
	for i, p := range parts {
		names[i] = p.name
	}
	for i, column := range x.Entity.Key {
		if at := slices.IndexFunc(parts, func(p keyPart) bool { return strings.EqualFold(p.name, column) }); at >= 0 {
			names[i] = parts[at].name
		}
	}
	return names
}

// orderOf is the key in SQL, to sort by.
func orderOf(parts []keyPart, direction string) string {
	terms := make([]string, len(parts))
	for i, p := range parts {
		terms[i] = quote(p.name) + direction
	}
	return strings.Join(terms, ", ")
}

// compare is a condition: the key stands behind a row's (">"), or not behind it ("<="). It is spelled out, for the servers
// use no index for (a, b) > (1, 2); the first term is for the index.
func compare(parts []keyPart, operator string, kept []string) (string, error) {
	if len(kept) != len(parts) {
		return "", fmt.Errorf("a key of %d columns is kept, and the table's has %d; begin another backfill", len(kept), len(parts))
	}
	strict := operator[:1]
	if len(parts) == 1 {
		value, err := parts[0].literal(kept[0])
		return parts[0].compared + " " + operator + " " + value, err
	}
	var equal string
	var terms []string
	first := ""
	for i := range parts {
		p := &parts[i]
		value, err := p.literal(kept[i])
		if err != nil {
			return "", err
		}
		op := strict
		if i == len(parts)-1 {
			op = operator
		}
		if i == 0 {
			first = p.compared + " " + strict + "= " + value
		}
		terms = append(terms, "("+equal+p.compared+" "+op+" "+value+")")
		equal += p.compared + " = " + value + " AND "
	}
	return "(" + first + " AND (" + strings.Join(terms, " OR ") + "))", nil
}

// same is a condition: the key is one of some rows'.
func same(parts []keyPart, rows [][]string) (string, error) {
	if len(rows) == 0 {
		return "FALSE", nil
	}
	terms := make([]string, 0, len(rows))
	for _, kept := range rows {
		if len(kept) != len(parts) {
			return "", fmt.Errorf("a key of %d columns is kept, and the table's has %d; begin another backfill", len(kept), len(parts))
		}
		equal := make([]string, len(parts))
		for i := range parts {
			value, err := parts[i].literal(kept[i])
			if err != nil {
				return "", err
			}
			if equal[i] = value; len(parts) > 1 {
				equal[i] = parts[i].compared + " = " + value
			}
		}
		terms = append(terms, strings.Join(equal, " AND "))
	}
	if len(parts) == 1 {
		return parts[0].compared + " IN (" + strings.Join(terms, ", ") + ")", nil
	}
	return "((" + strings.Join(terms, ") OR (") + "))", nil
}
