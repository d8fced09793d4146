package cdc

import (
	"context"
	"database/sql"

	driver "github.com/go-sql-driver/mysql"
)

// mysqlError is an error that the server answered.
type mysqlError = driver.MySQLError

// asker is a pool or a connection.
type asker interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

// queryRow returns the first row of an answer by column name, nil when it has none. NULL is "".
func queryRow(ctx context.Context, db asker, query string) (map[string]string, error) {
	rows, err := queryRows(ctx, db, query)
	if err != nil || len(rows) == 0 {
		return nil, err
	}
	return rows[0], nil
}

// queryRows returns an answer's rows by column name. It is for small answers of the server about itself.
func queryRows(ctx context.Context, db asker, query string, args ...any) ([]map[string]string, error) {
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
