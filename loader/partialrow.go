package loader

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"rowhook/cdc"
	"rowhook/cdc/rowcodec"
	"rowhook/rules"
)

// The log may show a part of a row only (binlog_row_image MINIMAL or NOBLOB, columns that MariaDB computes). What it
// does not show of the row that a payload is made of comes from the snapshot; so does what of a row was too large to be carried.

// partial says whether the log showed a part of the event's row only.
func partial(ev *rules.Event) bool { return ev.Row.Len() > 0 && !ev.Row.Whole() }

// complete is the event's row, with what the log did not show as the snapshot has it.
func (o object) complete(ev *rules.Event) record {
	if !o.whole.missing() {
		return o.whole
	}
	shown := record{ev.Table, ev.Row}
	if !partial(ev) || o.same.missing() {
		return shown
	}
	var b rowcodec.RowBuilder
	b.Grow(ev.Row.Size() + o.same.row.Size())
	for i, name := range ev.Table.Columns {
		if same := o.same.column(name); same >= 0 && ev.Row.Kind(i) == cdc.Absent {
			b.AddColumn(o.same.row, same)
		} else {
			b.AddColumn(ev.Row, i)
		}
	}
	shown.row = b.Row()
	return shown
}

// completed is the object with the event's row completed, once for all: it may be large.
func (o object) completed(ev *rules.Event) object {
	if partial(ev) && !o.same.missing() {
		o.whole = o.complete(ev)
		o.same = o.whole
	}
	return o
}

// Owner finds the order that a part belongs to. It needs no snapshot: a row that was updated is visible, and a column
// that the update does not show is as it was.
func (l *Loader) Owner(ctx context.Context, part cdc.TableName, column string, row rules.Key) (order rules.Key, ok bool, err error) {
	id, ok := row.Number()
	if !ok {
		return "", false, nil
	}
	var n int64
	query := fmt.Sprintf("SELECT %s FROM %s WHERE `id` = %d", quote(column), quoted(part), id)
	err = l.pool.do(ctx, func(conn *lease) error { return conn.QueryRowContext(ctx, query).Scan(&n) })
	if errors.Is(err, sql.ErrNoRows) || isNoTable(err) {
		return "", false, nil
	}
	if err != nil {
		return "", false, fmt.Errorf("asking which order a row of %s belongs to: %w", part, err)
	}
	return rules.NumberKey(n), true, nil
}
