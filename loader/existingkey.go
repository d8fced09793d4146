package loader

import (
	"context"
	"fmt"
	"math"
	"strings"
)

// Existing rows are read by their key in ascending order, so that key must be one column of whole numbers. The plugin's
// tables have it; of a table that a custom rule names the server is asked.

// First is a number below the key of every row.
func (x Existing) First() int64 {
	if x.Entity.Custom {
		return math.MinInt64
	}
	return -1
}

// key is the column that rows are read by. A table that has none such is a SelectionError.
func (x Existing) key(ctx context.Context, conn *lease) (string, error) {
	if !x.Entity.Custom {
		return x.Entity.Key[0], nil
	}
	rows, err := conn.QueryContext(ctx, `SELECT column_name, column_type FROM information_schema.columns
		WHERE table_schema = ? AND table_name = ? AND column_key = 'PRI' ORDER BY ordinal_position`, x.Site.Schema, x.table().Name)
	if err != nil {
		return "", fmt.Errorf("asking for the key of %s: %w", x.table(), err)
	}
	defer rows.Close()
	var names, shown []string
	whole := true
	for rows.Next() {
		var name, is string
		if err := rows.Scan(&name, &is); err != nil {
			return "", fmt.Errorf("asking for the key of %s: %w", x.table(), err)
		}
		base, _, _ := strings.Cut(is, "(")
		base, _, _ = strings.Cut(base, " ")
		whole = whole && strings.HasSuffix(strings.ToLower(base), "int")
		names, shown = append(names, name), append(shown, name+" "+is)
	}
	switch {
	case rows.Err() != nil:
		return "", fmt.Errorf("asking for the key of %s: %w", x.table(), rows.Err())
	case len(names) == 0:
		return "", &SelectionError{fmt.Sprintf("table %s is not there, or has no primary key to read its rows by", x.table())}
	case len(names) > 1 || !whole:
		return "", &SelectionError{fmt.Sprintf("rows are read in the order of a primary key that is one whole number, and that of table %s is %s", x.table(), strings.Join(shown, ", "))}
	}
	if key := x.Entity.Key; len(key) > 0 && (len(key) > 1 || !strings.EqualFold(key[0], names[0])) {
		return "", &SelectionError{fmt.Sprintf("rows are read in the order of the primary key, which of table %s is %s, and the rule's key is %s", x.table(), names[0], strings.Join(key, ", "))}
	}
	return names[0], nil
}
