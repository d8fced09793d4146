// Package sqlmap reads small answers of a server about itself, each row as a map by column name.
package sqlmap

import (
	"context"
	"database/sql"

	driver "github.com/go-sql-driver/mysql"
)

// Error is an error that the server answered.
type Error = driver.MySQLError

// Queryer is a pool or a connection.
type Queryer interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

// Row returns the first row of an answer by column name, nil when it has none. NULL is "".
func Row(ctx context.Context, db Queryer, query string) (map[string]string, error) {
	rows, err := Rows(ctx, db, query)
	if err != nil || len(rows) == 0 {
		return nil, err
	}
	return rows[0], nil
}

// Rows returns an answer's rows by column name. It is for small answers of the server about itself.
func Rows(ctx context.Context, db Queryer, query string, args ...any) ([]map[string]string, error) {
	rows, err := db.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	names, err := rows.Columns()
	if err != nil {
		return nil, err
	}
	var all []map[string]string
	for rows.Next() {
		values := make([]sql.NullString, len(names))
		into := make([]any, len(names))
		for i := range values {
			into[i] = &values[i]
		}
		if err := rows.Scan(into...); err != nil {
			return nil, err
		}
		row := make(map[string]string, len(names))
		for i, n := range names {
			row[n] = values[i].String
		}
		all = append(all, row)
	}
	return all, rows.Err()
}
