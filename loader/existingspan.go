package loader

import (
	"context"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"rowhook/cdc"
)

// A table whose key is not one whole number is read in the order of its primary key as the server sees it: texts by their
// collation, ENUMs by their numbers. Nothing is compared here. A row's place in that order is the values of its key, which
// are kept as texts that bring the same bytes back.

// Span is a part of a table, from behind one row up to another.
type Span struct {
	After []string `json:"after,omitempty"` // the values of the key of the row that was read last; none: nothing was read
	Last  []string `json:"last"`            // those of the last row; none: there are no rows
}

// keyPart is a column of a primary key.
type keyPart struct {
	name, is string // is: its type
	value    string // in SQL, what is kept of it
	compared string // in SQL, what a kept value is compared with
	charset  string // of a text; "binary" of bytes
	quoted   bool
}

// keyParts are the columns of a table's primary key, in its order. A table without one is a SelectionError.
func (x Existing) keyParts(ctx context.Context, conn *lease) ([]keyPart, error) {
	rows, err := conn.QueryContext(ctx, `SELECT c.column_name, c.column_type, c.data_type, c.character_set_name
		FROM information_schema.statistics s JOIN information_schema.columns c USING (table_schema, table_name, column_name)
		WHERE s.table_schema = ? AND s.table_name = ? AND s.index_name = 'PRIMARY' ORDER BY s.seq_in_index`, x.Site.Schema, x.table().Name)
	if err != nil {
		return nil, fmt.Errorf("asking for the key of %s: %w", x.table(), err)
	}
	defer rows.Close()
	var parts []keyPart
	for rows.Next() {
		var p keyPart
		var dataType string
		var charset sql.NullString
		if err := rows.Scan(&p.name, &p.is, &dataType, &charset); err != nil {
			return nil, fmt.Errorf("asking for the key of %s: %w", x.table(), err)
		}
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

// read finds out how values of a type are kept and compared; false: they cannot be.
func (p *keyPart) read(dataType, charset string) bool {
	column := quote(p.name)
	p.value, p.compared = column, column
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

// isNumber says whether a key is one whole number.
func isNumber(parts []keyPart) bool {
	base, _, _ := strings.Cut(parts[0].is, "(")
	base, _, _ = strings.Cut(base, " ")
	return len(parts) == 1 && strings.HasSuffix(strings.ToLower(base), "int")
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

// condition is true of the rows of a span.
func (s Span) condition(parts []keyPart) (string, error) {
	upTo, err := compare(parts, "<=", s.Last)
	if err != nil || s.After == nil {
		return upTo, err
	}
	beyond, err := compare(parts, ">", s.After)
	return beyond + " AND " + upTo, err
}

// same is a condition: the key is one of some rows'.
func same(parts []keyPart, rows [][]string) (string, error) {
	terms := []string{"FALSE"}
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
			equal[i] = parts[i].compared + " = " + value
		}
		terms = append(terms, "("+strings.Join(equal, " AND ")+")")
	}
	return "(" + strings.Join(terms, " OR ") + ")", nil
}

// SpanOfExisting is how many rows there are now, and all of them as a span; nil where the key is one whole number, which
// CountExisting is for.
func (l *Loader) SpanOfExisting(ctx context.Context, x Existing) (rows int64, all *Span, err error) {
	if !x.Entity.Custom {
		return 0, nil, nil
	}
	where, args := x.where()
	err = l.pool.do(ctx, func(conn *lease) error {
		parts, err := x.keyParts(ctx, conn)
		if err != nil || isNumber(parts) {
			return err
		}
		if err := conn.QueryRowContext(ctx, "SELECT COUNT(*) FROM "+quoted(x.table())+" WHERE "+where, args...).Scan(&rows); err != nil {
			return err
		}
		last, err := keysOf(ctx, conn, parts, x, where+" ORDER BY "+orderOf(parts, " DESC")+" LIMIT 1", args)
		if err != nil {
			return err
		}
		all = &Span{}
		if len(last) > 0 {
			all.Last = last[0]
		}
		return nil
	})
	if refused, ok := errors.AsType[*SelectionError](err); ok {
		return 0, nil, refused
	}
	if err != nil {
		return 0, nil, fmt.Errorf("counting the rows of %s: %w", x.table(), err)
	}
	return rows, all, nil
}

// keysOf reads keys.
func keysOf(ctx context.Context, conn *lease, parts []keyPart, x Existing, condition string, args []any) (keys [][]string, err error) {
	values := make([]string, len(parts))
	for i, p := range parts {
		values[i] = p.value
	}
	rows, err := conn.QueryContext(ctx, "SELECT "+strings.Join(values, ", ")+" FROM "+quoted(x.table())+" WHERE "+condition, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		kept := make([]string, len(parts))
		into := make([]any, len(parts))
		for i := range kept {
			into[i] = &kept[i]
		}
		if err := rows.Scan(into...); err != nil {
			return nil, err
		}
		keys = append(keys, kept)
	}
	return keys, rows.Err()
}

// ReadSpan is ReadExisting for a table whose key is not one whole number. Again are the keys of rows, as a chunk has them.
func (l *Loader) ReadSpan(ctx context.Context, x Existing, at Place, again [][]string, span Span, limit int) (Chunk, error) {
	for {
		c, err := l.readSpan(ctx, x, at, again, span, limit)
		if !errors.Is(err, errTooMuch) {
			return c, err
		}
		limit /= 2
	}
}

func (l *Loader) readSpan(ctx context.Context, x Existing, at Place, again [][]string, span Span, limit int) (Chunk, error) {
	c := Chunk{Behind: span.After}
	if span.Last == nil {
		c.Whole = true
		return c, nil
	}
	snap, err := l.snapshotAt(ctx, x.Site, at)
	if err != nil {
		return c, fmt.Errorf("reading a chunk of %s: %w", x.table(), err)
	}
	defer snap.close(ctx)
	parts, err := x.keyParts(ctx, snap.conn)
	if err != nil {
		return c, err
	}
	snap.keys = map[cdc.TableName][]string{x.table(): x.objectKey(parts)}
	old, err := same(parts, again)
	if err != nil {
		return c, err
	}
	next, err := span.condition(parts)
	if err != nil {
		return c, err
	}
	where, args := x.where()
	order := " ORDER BY " + orderOf(parts, "")
	found, err := keysOf(ctx, snap.conn, parts, x, fmt.Sprintf("%s AND %s%s LIMIT %d", where, next, order, limit), args)
	if err != nil {
		return c, fmt.Errorf("reading a chunk of %s: %w", x.table(), err)
	}
	c.Fresh = int64(len(found))
	if c.Whole = len(found) < limit; len(found) > 0 {
		c.Behind = found[len(found)-1]
	}
	if c.Keys, err = keysOf(ctx, snap.conn, parts, x, where+" AND "+old+order, args); err != nil {
		return c, fmt.Errorf("reading a chunk of %s: %w", x.table(), err)
	}
	if c.Keys = append(c.Keys, found...); len(c.Keys) == 0 {
		return c, nil
	}
	// Those that are read again stand before the others.
	wanted, err := same(parts, c.Keys)
	if err != nil {
		return c, err
	}
	if limit <= 1 {
		snap.most = math.MaxInt
	}
	rows, err := snap.all(ctx, x.table(), wanted+order)
	if err != nil {
		return c, err
	}
	if len(rows) != len(c.Keys) { // one snapshot has one truth
		return c, fmt.Errorf("reading a chunk of %s: %d rows have %d keys", x.table(), len(rows), len(c.Keys))
	}
	for _, r := range rows {
		c.Table, c.Rows = r.table, append(c.Rows, r.row)
	}
	return c, nil
}
