package loader

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"

	"rowhook/cdc"
	"rowhook/rules"
)

// Unindexed is a large table of which extended payloads select rows by a column that has no index, so that each of them
// reads the whole table.
type Unindexed struct {
	Table  cdc.TableName
	Column string
	Rows   int64  // about, as the server estimates
	Create string // the statement that makes the index
}

// manyRows is from how many rows on a table is worth an index: reading them all takes some ten milliseconds.
const manyRows = 20_000

// Unindexed finds the site's large tables that lack an index. What our user may not see, or an older plugin does not
// have, is none of them.
func (l *Loader) Unindexed(ctx context.Context, site *rules.Site) ([]Unindexed, error) {
	var found []Unindexed
	err := l.pool.do(ctx, func(conn *lease) (err error) {
		found, err = unindexed(ctx, conn.Conn, site, selectedBy(site))
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("asking for the indexes of site %s: %w", site.Name, err)
	}
	slices.SortFunc(found, func(a, b Unindexed) int { return strings.Compare(a.Create, b.Create) })
	return found, nil
}

// selectedBy is the columns by which the rows that belong to orders are selected (orders.go), besides primary keys, by table.
func selectedBy(site *rules.Site) map[cdc.TableName]string {
	columns := map[cdc.TableName]string{site.Table("users"): "billing_mail"}
	for _, action := range rules.Actions() {
		entity := action.Entity
		if entity.Parts == nil {
			continue // what is no order has nothing that belongs to it
		}
		for _, of := range []rowsOf{partsOf(entity), historyOf(entity), notesOf(entity), invoicesOf(entity)} {
			columns[site.WordPressTable(of.table)] = of.order
		}
		if entity.Parent != nil {
			columns[entity.TableOf(site)] = entity.Parent.Column
		}
	}
	return columns
}

// unindexed asks for one table after the other, by its name: servers open every table of a schema to answer for all.
func unindexed(ctx context.Context, conn *sql.Conn, site *rules.Site, selected map[cdc.TableName]string) ([]Unindexed, error) {
	var query strings.Builder
	var args []any
	for table, column := range selected {
		if query.Len() > 0 {
			query.WriteString(" UNION ALL ")
		}
		query.WriteString(`SELECT t.table_name, c.column_name, t.table_rows, c.character_maximum_length > 255
			FROM information_schema.tables t JOIN information_schema.columns c
			WHERE t.table_schema = ? AND t.table_name = ? AND t.table_rows >= ?
			AND c.table_schema = ? AND c.table_name = ? AND LOWER(c.column_name) = LOWER(?)
			AND NOT EXISTS (SELECT 1 FROM information_schema.statistics s
				WHERE s.table_schema = ? AND s.table_name = ? AND s.column_name = c.column_name AND s.seq_in_index = 1 AND s.index_type <> 'FULLTEXT')`)
		args = append(args, table.Schema, table.Name, manyRows, table.Schema, table.Name, column, table.Schema, table.Name)
	}
	rows, err := conn.QueryContext(ctx, query.String(), args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var found []Unindexed
	for rows.Next() {
		u := Unindexed{Table: cdc.TableName{Schema: site.Schema}}
		var long sql.NullBool
		if err := rows.Scan(&u.Table.Name, &u.Column, &u.Rows, &long); err != nil {
			return nil, err
		}
		length := ""
		if long.Bool { // more than an index takes
			length = "(64)"
		}
		u.Create = fmt.Sprintf("CREATE INDEX %s ON %s (%s%s);", quote("rowhook_"+u.Column), quoted(u.Table), quote(u.Column), length)
		found = append(found, u)
	}
	return found, rows.Err()
}
