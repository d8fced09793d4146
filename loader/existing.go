package loader

import (
	"context"
	"fmt"
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
