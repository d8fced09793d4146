package loader

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"rowhook/cdc"
	"rowhook/rules"
)

// Existing selects rows that are there already, for a backfill. It reads by the primary key, in snapshots, and locks
// nothing.
type Existing struct {
	Site   *rules.Site
	Entity *rules.Entity
	Where  []Equal
	Since  time.Time // made then or later; zero: whenever
	// Statuses are those that are wanted; empty: all. The server compares as its collation does, so others may come too.
	Statuses []string
}

// Equal is a column and the value that it must have.
type Equal struct {
	Column string `json:"column"`
	Value  string `json:"value"`
}

// Place is a place in the log that a snapshot must contain: all up to it.
type Place struct {
	End   cdc.Coord
	GTIDs string // the set of transactions up to it; empty on a server without
}

// Chunk is rows of one snapshot, by ascending key.
type Chunk struct {
	Table *cdc.Table
	Rows  []cdc.Row
	Last  int64 // the id that the next chunk begins behind
	Whole bool  // no rows lie behind it

	// Of a table whose key is not one whole number:
	Keys   [][]string // of the rows
	Behind []string   // the key that the next chunk begins behind
	Fresh  int64      // rows that were not read before
}

// SelectionError says that a selection asks for what the table does not have.
type SelectionError struct{ text string }

func (e *SelectionError) Error() string { return e.text }

func (x Existing) table() cdc.TableName { return x.Entity.TableOf(x.Site) }

// CheckExisting looks whether the table has the columns that are asked for, and whether they can have those values.
// What is wrong is a SelectionError.
func (l *Loader) CheckExisting(ctx context.Context, x Existing) error {
	if !x.Since.IsZero() && x.Entity.Created == "" {
		return &SelectionError{fmt.Sprintf("a time to begin at cannot be had for %s: the plugin does not store when one was made (it does for appointment and package_order)", x.Entity.Name)}
	}
	return l.pool.do(ctx, func(conn *lease) error { return x.check(ctx, conn) })
}

func (x Existing) check(ctx context.Context, conn *lease) error {
	table := x.table()
	rows, err := conn.QueryContext(ctx, "SELECT * FROM "+quoted(table)+" LIMIT 0")
	if err != nil {
		if isNoTable(err) {
			return &SelectionError{fmt.Sprintf("site %s has no table %s", x.Site.Name, table)}
		}
		return fmt.Errorf("reading %s: %w", table, err)
	}
	defer rows.Close()
	types, err := rows.ColumnTypes()
	if err != nil {
		return fmt.Errorf("reading %s: %w", table, err)
	}
	names := make([]string, len(types))
	kinds := map[string]string{}
	for i, t := range types {
		names[i] = t.Name()
		kinds[t.Name()] = t.DatabaseTypeName()
	}
	for _, w := range x.Where {
		kind, ok := kinds[w.Column]
		if !ok {
			return &SelectionError{fmt.Sprintf("table %s has no column %q; its columns are %s", table, w.Column, strings.Join(names, ", "))}
		}
		if what := unfit(kind, w.Value); what != "" {
			return &SelectionError{fmt.Sprintf("column %s holds %s, and %q is none", w.Column, what, w.Value)}
		}
	}
	return rows.Err()
}

// unfit says what a column of a type holds when a value cannot be that: the server would take it for 0, and find
// something else.
func unfit(databaseType, value string) string {
	switch kindOf(databaseType) {
	case cdc.Int:
		if _, err := strconv.ParseInt(value, 10, 64); err != nil {
			return "whole numbers"
		}
	case cdc.Decimal, cdc.Float:
		if _, err := strconv.ParseFloat(value, 64); err != nil {
			return "numbers"
		}
	case cdc.Text:
		if databaseType != "DATE" && databaseType != "DATETIME" && databaseType != "TIMESTAMP" {
			break
		}
		for _, layout := range []string{time.DateTime, time.DateOnly} {
			if _, err := time.Parse(layout, value); err == nil {
				return ""
			}
		}
		return "times such as 2026-03-01 12:30:00"
	}
	return ""
}

// where is the selection in SQL, with its parameters.
func (x Existing) where() (sql string, args []any) {
	terms := []string{"1"}
	for _, w := range x.Where {
		w.Value = x.Site.Client.Stored(w.Value)
		if ascii(w.Value) {
			terms, args = append(terms, quote(w.Column)+" = ?"), append(args, w.Value)
		} else {
			terms = append(terms, equalsAny(quote(w.Column), []string{w.Value}))
		}
	}
	if !x.Since.IsZero() {
		terms = append(terms, quote(x.Entity.Created)+" >= ?")
		args = append(args, x.Since.UTC().Format(time.DateTime))
	}
	if len(x.Statuses) > 0 && !slices.ContainsFunc(x.Statuses, func(s string) bool { return !ascii(s) }) { // others the rule looks at anyway
		terms = append(terms, "`status` IN (?"+strings.Repeat(", ?", len(x.Statuses)-1)+")")
		for _, s := range x.Statuses {
			args = append(args, s)
		}
	}
	if only := x.Entity.Only; only != nil {
		terms, args = append(terms, quote(only.Column)+" = ?"), append(args, only.Value)
	}
	if x.Entity.Parent != nil { // a parent is no appointment
		terms = append(terms, "NOT "+x.Entity.ParentSQL())
	}
	return strings.Join(terms, " AND "), args
}

// CountExisting is how many rows there are now, and the highest id.
func (l *Loader) CountExisting(ctx context.Context, x Existing) (rows, last int64, err error) {
	where, args := x.where()
	err = l.pool.do(ctx, func(conn *lease) error {
		key, err := x.key(ctx, conn)
		if err != nil {
			return err
		}
		query := fmt.Sprintf("SELECT COUNT(*), COALESCE(MAX(%s), %d) FROM %s WHERE %s", quote(key), x.First(), quoted(x.table()), where)
		return conn.QueryRowContext(ctx, query, args...).Scan(&rows, &last)
	})
	if refused, ok := errors.AsType[*SelectionError](err); ok {
		return 0, 0, refused
	}
	if err != nil {
		return 0, 0, fmt.Errorf("counting the rows of %s: %w", x.table(), err)
	}
	return rows, last, nil
}

// ReadExisting reads the next rows beyond after, up to last and no more than limit, and with them those whose ids are in
// again, all from one snapshot that contains a place of the log. Large rows are fewer.
func (l *Loader) ReadExisting(ctx context.Context, x Existing, at Place, again []int64, after, last int64, limit int) (Chunk, error) {
	for {
		c, err := l.readExisting(ctx, x, at, again, after, last, limit)
		if !errors.Is(err, errTooMuch) {
			return c, err
		}
		limit /= 2
	}
}

func (l *Loader) readExisting(ctx context.Context, x Existing, at Place, again []int64, after, last int64, limit int) (Chunk, error) {
	snap, err := l.snapshotAt(ctx, x.Site, at)
	if err != nil {
		return Chunk{}, fmt.Errorf("reading a chunk of %s: %w", x.table(), err)
	}
	defer snap.close(ctx)
	where, args := x.where()
	name, err := x.key(ctx, snap.conn)
	if err != nil {
		return Chunk{}, err
	}
	if x.Entity.Custom {
		snap.keys = map[cdc.TableName][]string{x.table(): {name}}
	}
	key := quote(name)
	from := "SELECT " + key + " FROM " + quoted(x.table()) + " WHERE " + where
	c := Chunk{Last: after}
	var ids []int64
	if len(again) > 0 {
		if ids, err = snap.ids(ctx, from+" AND "+key+" IN ("+idList(again)+")", args); err != nil {
			return c, fmt.Errorf("reading a chunk of %s: %w", x.table(), err)
		}
	}
	next, err := snap.ids(ctx, from+" AND "+key+" > ? AND "+key+" <= ? ORDER BY "+key+" LIMIT ?", append(args, after, last, limit))
	if err != nil {
		return c, fmt.Errorf("reading a chunk of %s: %w", x.table(), err)
	}
	if c.Whole = len(next) < limit; len(next) > 0 {
		c.Last = next[len(next)-1]
	}
	if ids = append(ids, next...); len(ids) == 0 {
		return c, nil
	}
	// The rows themselves come as all others do, so that they look the same, and without large texts, which are read when the
	// payload is made.
	if limit <= 1 {
		snap.most = math.MaxInt
	}
	found, err := snap.all(ctx, x.table(), key+" IN ("+idList(ids)+") ORDER BY "+key)
	if err != nil {
		return c, err
	}
	for _, r := range found {
		c.Table, c.Rows = r.table, append(c.Rows, r.row)
	}
	return c, nil
}

// ids reads numbers.
func (s *snapshot) ids(ctx context.Context, query string, args []any) (ids []int64, err error) {
	s.queries++
	rows, err := s.conn.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var id int64
		if err := rows.Scan(&id); err != nil {
			return nil, err
		}
		ids = append(ids, id)
	}
	return ids, rows.Err()
}
