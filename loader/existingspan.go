package loader

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"

	"rowhook/cdc"
)

// Rows that are there are read in the order of their table's primary key as the server sees it: texts by their collation,
// ENUMs by their numbers. Nothing is compared here. A row's place in that order is the values of its key, which are kept as
// texts that bring the same bytes back.

// Span is a part of a table, from behind one row up to another.
type Span struct {
	After []string `json:"after,omitempty"` // the values of the key of the row that was read last; none: nothing was read
	Last  []string `json:"last"`            // those of the last row; none: there are no rows
}

// Chunk is rows of one snapshot, by ascending key.
type Chunk struct {
	Table  *cdc.Table
	Rows   []cdc.Row
	Keys   [][]string // of the rows
	Behind []string   // the key that the next chunk begins behind
	Fresh  int64      // rows that were not read before
	Whole  bool       // no rows lie behind it
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

// CountExisting is how many rows there are now, and all of them as a span.
func (l *Loader) CountExisting(ctx context.Context, x Existing) (rows int64, all Span, err error) {
	where, args := x.where()
	err = l.pool.do(ctx, func(conn *lease) error {
		parts, err := x.keyParts(ctx, conn)
		if err != nil {
			return err
		}
		if err := conn.QueryRowContext(ctx, "SELECT COUNT(*) FROM "+quoted(x.table())+" WHERE "+where, args...).Scan(&rows); err != nil {
			return err
		}
		last, err := keysOf(ctx, conn, parts, x, where+" ORDER BY "+orderOf(parts, " DESC")+" LIMIT 1", args)
		if err == nil && len(last) > 0 {
			all.Last = last[0]
		}
		return err
	})
	if refused, ok := errors.AsType[*SelectionError](err); ok {
		return 0, all, refused
	}
	if err != nil {
		return 0, all, fmt.Errorf("counting the rows of %s: %w", x.table(), err)
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

// ReadExisting reads the next rows of a span, no more than limit, and with them those whose keys are in again, as a chunk has
// them, all from one snapshot that contains a place of the log. Large rows are fewer.
func (l *Loader) ReadExisting(ctx context.Context, x Existing, at Place, again [][]string, span Span, limit int) (Chunk, error) {
	for {
		c, err := l.readExisting(ctx, x, at, again, span, limit)
		if !errors.Is(err, errTooMuch) {
			return c, err
		}
		limit /= 2
	}
}

func (l *Loader) readExisting(ctx context.Context, x Existing, at Place, again [][]string, span Span, limit int) (Chunk, error) {
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
	if x.Entity.Custom {
		snap.keys = map[cdc.TableName][]string{x.table(): x.objectKey(parts)}
	}
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
	// The rows themselves come as all others do, so that they look the same, and without large texts, which are read when the
	// payload is made. Those that are read again stand before the others.
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
	err = c.take(x, parts, rows)
	return c, err
}

// take takes the rows of the chunk's keys in.
func (c *Chunk) take(x Existing, parts []keyPart, rows []record) error {
	switch {
	case len(rows) == len(c.Keys):
	case x.Entity.Custom: // one snapshot has one truth, and its key is a primary key
		return fmt.Errorf("reading a chunk of %s: %d rows have %d keys", x.table(), len(rows), len(c.Keys))
	default: // the plugin's table lost its primary key, and several rows have one id
		c.Fresh += int64(len(rows) - len(c.Keys))
		c.Keys = make([][]string, len(rows))
		for i, r := range rows {
			c.Keys[i] = []string{r.text(parts[0].name)}
		}
	}
	for _, r := range rows {
		c.Table, c.Rows = r.table, append(c.Rows, r.row)
	}
	return nil
}
