package mysql

import (
	"context"
	"errors"
)

// results runs several queries in one packet, and calls for each row of the first one the first function, and so on.
func results(ctx context.Context, db rower, query string, args []any, rowOf ...func(scan func(dest ...any) error) error) error {
	rows, err := db.QueryContext(ctx, query, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for i, row := range rowOf {
		if i > 0 && !rows.NextResultSet() {
			return errors.Join(rows.Err(), errFewResults)
		}
		for rows.Next() {
			if err := row(rows.Scan); err != nil {
				return err
			}
		}
		if err := rows.Err(); err != nil {
			return err
		}
	}
	return nil
}

var errFewResults = errors.New("the server answered fewer queries than it was asked")
