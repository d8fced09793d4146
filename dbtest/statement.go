package dbtest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Insert adds a row to one of the plugin's tables, named without prefix ("users" are its customers), and gives its id.
// Column names and values alternate; like the plugin it quotes every value but NULL (nil).
func (s *Site) Insert(ctx context.Context, table string, pairs ...any) (int64, error) {
	columns, values, err := split(pairs)
	if err != nil {
		return 0, fmt.Errorf("inserting into %s: %w", table, err)
	}
	query := fmt.Sprintf("INSERT INTO %s (%s) VALUES (%s)", s.table(table), strings.Join(columns, ", "), strings.Join(values, ", "))
	if err := s.rest(ctx); err != nil {
		return 0, err
	}
	res, err := s.db.ExecContext(ctx, query)
	if err != nil {
		return 0, fmt.Errorf("inserting into %s: %w", table, err)
	}
	return res.LastInsertId()
}

// Update saves columns of a row as the plugin's models do: in one line, every value quoted.
func (s *Site) Update(ctx context.Context, table string, id int64, pairs ...any) error {
	columns, values, err := split(pairs)
	if err != nil {
		return fmt.Errorf("updating %s: %w", table, err)
	}
	for i := range columns {
		columns[i] += " = " + values[i]
	}
	return s.exec(ctx, "UPDATE %s SET %s WHERE `id` = '%d'", s.table(table), strings.Join(columns, ", "), id)
}

// Remove deletes rows with one statement.
func (s *Site) Remove(ctx context.Context, table string, ids ...int64) error {
	if len(ids) == 0 {
		return errors.New("deleting nothing from " + table)
	}
	return s.exec(ctx, "DELETE \nFROM %s\nWHERE `id` IN (%s)", s.table(table), list(ids))
}

// removeWhere deletes what belongs to a row. As the plugin does, it looks the ids up first and deletes nothing when there are none.
func (s *Site) removeWhere(ctx context.Context, table, condition string) error {
	rows, err := s.db.QueryContext(ctx, "SELECT `id` FROM "+s.table(table)+" WHERE "+condition)
	if err != nil {
		return fmt.Errorf("looking for rows of %s: %w", table, err)
	}
	defer rows.Close()
	var ids []int64
	for rows.Next() {
		var id int64
		if err := rows.Scan(&id); err != nil {
			return fmt.Errorf("looking for rows of %s: %w", table, err)
		}
		ids = append(ids, id)
	}
	if err := rows.Err(); err != nil || len(ids) == 0 {
		return err
	}
	return s.Remove(ctx, table, ids...)
}

func (s *Site) exec(ctx context.Context, format string, args ...any) error {
	query := fmt.Sprintf(format, args...)
	if err := s.rest(ctx); err != nil {
		return err
	}
	if _, err := s.db.ExecContext(ctx, query); err != nil {
		return fmt.Errorf("%.80q: %w", query, err)
	}
	return nil
}

func (s *Site) table(short string) string { return name(s.prefix + "vikappointments_" + short) }

// split makes backquoted columns and quoted values of alternating names and values.
func split(pairs []any) (columns, values []string, err error) {
	if len(pairs) == 0 || len(pairs)%2 != 0 {
		return nil, nil, errors.New("column names and values must alternate")
	}
	for pair := range slices.Chunk(pairs, 2) {
		column, ok := pair[0].(string)
		if !ok {
			return nil, nil, fmt.Errorf("%v is no column name", pair[0])
		}
		value := "NULL"
		if pair[1] != nil {
			value = quote(fmt.Sprint(pair[1]))
		}
		columns, values = append(columns, name(column)), append(values, value)
	}
	return columns, values, nil
}

// quote writes a value as the plugin does; a backslash escapes, because sql_mode is cleared.
func quote(s string) string {
	return "'" + strings.NewReplacer(`\`, `\\`, `'`, `\'`, `"`, `\"`, "\n", `\n`, "\r", `\r`, "\x00", `\0`).Replace(s) + "'"
}

func name(s string) string { return "`" + strings.ReplaceAll(s, "`", "``") + "`" }

// list writes ids as the plugin does: without spaces or quotes.
func list(ids []int64) string {
	words := make([]string, len(ids))
	for i, id := range ids {
		words[i] = strconv.FormatInt(id, 10)
	}
	return strings.Join(words, ",")
}
