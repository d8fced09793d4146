package loader

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"

	"rowhook/cdc"
	"rowhook/rules"
)

// The plugin's tables have no index on the order that a row belongs to, so that finding an order's options or statuses
// takes a look at every row. But rows are added with their order or later: an order's rows stand behind a floor, the
// lowest id of the rows that belong to it or to younger orders. Floors are read once; Loader.Note keeps them right when a
// row comes that stands lower, whatever the reason.

// floors are the floors of the tables that were asked for.
type floors struct {
	mu      sync.Mutex
	byTable map[cdc.TableName][]*floor
	recent  []noted // the last rows that were noted: a table may not show them yet when its floors are read
}

// maxRecent is how many rows are kept at least. The log is ahead of the tables by milliseconds, seconds at most.
const maxRecent = 4096

// noted is what counts of a row.
type noted struct {
	table     cdc.TableName
	id, order int64
	kind      string // its column type
}

// rowsOf names rows of a table that belong to orders.
type rowsOf struct {
	table cdc.TableName
	order string // column of the order's id
	kind  string // value of the column type, empty where there is none
}

// where selects the rows.
func (r rowsOf) where() string {
	if r.kind == "" {
		return "1"
	}
	return "`type` = '" + r.kind + "'"
}

// floor is the floors of the orders of one kind of rows. Orders are taken together by the bucket.
type floor struct {
	rows  rowsOf
	ready bool    // steps are read
	early []noted // until they were
	steps []step  // ascending in both
	top   int64   // of orders beyond the last step
}

type step struct {
	bucket int64
	low    int64 // the lowest row of orders in this bucket or a later one
}

const bucketSize = 64

// Note takes a change of a row into account. Whoever reads the log calls it for every change, before the events of its
// transaction are loaded.
func (l *Loader) Note(c *cdc.Change) {
	if c.Op == cdc.Delete {
		return
	}
	name := c.Table.Name
	if !strings.HasSuffix(name, "_order_status") && !strings.HasSuffix(name, "_res_opt_assoc") && !strings.HasSuffix(name, "_package_order_item") {
		return
	}
	f := &l.floors
	f.mu.Lock()
	defer f.mu.Unlock()
	row := record{c.Table, c.After}
	order := "id_order"
	if row.column(order) < 0 {
		order = "id_reservation"
	}
	if row.row.Kind(row.column(order)) == cdc.Absent {
		return // an update that leaves the row with its order
	}
	r := noted{c.Table.TableName, row.id("id"), row.id(order), strings.Clone(row.text("type"))} // not all of the row, which may be large
	if f.recent = append(f.recent, r); len(f.recent) == 2*maxRecent {
		f.recent = append(f.recent[:0], f.recent[maxRecent:]...)
	}
	for _, fl := range f.byTable[c.Table.TableName] {
		fl.note(r)
	}
}

// note takes in a row, if it is one of the floor's.
func (f *floor) note(r noted) {
	switch {
	case f.rows.kind != "" && r.kind != "" && r.kind != f.rows.kind: // an update need not show it
	case f.ready:
		f.lower(r.order/bucketSize, r.id)
	default:
		f.early = append(f.early, r)
	}
}

// floor is an id that no row of these orders is below.
func (l *Loader) floor(ctx context.Context, rows rowsOf, orders []int64) (int64, error) {
	f := &l.floors
	f.mu.Lock()
	defer f.mu.Unlock()
	i := slices.IndexFunc(f.byTable[rows.table], func(fl *floor) bool { return fl.rows == rows })
	if i < 0 {
		i = len(f.byTable[rows.table])
		fl := &floor{rows: rows}
		for _, r := range f.recent {
			if r.table == rows.table {
				fl.note(r)
			}
		}
		f.byTable[rows.table] = append(f.byTable[rows.table], fl)
	}
	fl := f.byTable[rows.table][i]
	if !fl.ready { // what is committed from here on is noted: in early while we read
		f.mu.Unlock()
		steps, top, err := l.readSteps(ctx, rows)
		f.mu.Lock()
		if err != nil {
			return 0, err
		}
		if !fl.ready { // nobody was faster
			fl.steps, fl.top, fl.ready = steps, top, true
			for _, r := range fl.early {
				fl.note(r)
			}
			fl.early = nil
		}
	}
	return fl.of(slices.Min(orders) / bucketSize), nil
}

// readSteps reads the floors of a table.
func (l *Loader) readSteps(ctx context.Context, rows rowsOf) ([]step, int64, error) {
	found, err := l.db.QueryContext(ctx, fmt.Sprintf("SELECT `%[1]s` DIV %[2]d AS bucket, MIN(`id`), MAX(`id`) FROM %[3]s WHERE %[4]s GROUP BY bucket ORDER BY bucket",
		rows.order, bucketSize, quoted(rows.table), rows.where()))
	if err != nil {
		return nil, 0, fmt.Errorf("reading %s: %w", rows.table, err)
	}
	defer found.Close()
	var steps []step
	top := int64(1)
	for found.Next() {
		var s step
		var last int64
		if err := found.Scan(&s.bucket, &s.low, &last); err != nil {
			return nil, 0, fmt.Errorf("reading %s: %w", rows.table, err)
		}
		steps, top = append(steps, s), max(top, last+1)
	}
	for i := len(steps) - 2; i >= 0; i-- {
		steps[i].low = min(steps[i].low, steps[i+1].low)
	}
	return steps, top, found.Err()
}

// of is the floor of a bucket.
func (f *floor) of(bucket int64) int64 {
	if i := f.find(bucket); i < len(f.steps) {
		return f.steps[i].low
	}
	return f.top
}

// find is the first step that is not before a bucket.
func (f *floor) find(bucket int64) int {
	i, _ := slices.BinarySearchFunc(f.steps, bucket, func(s step, b int64) int { return int(min(max(s.bucket-b, -1), 1)) })
	return i
}

// lower takes in that a row with this id belongs to an order of this bucket.
func (f *floor) lower(bucket, row int64) {
	if row >= f.of(bucket) {
		return
	}
	i := f.find(bucket)
	if i == len(f.steps) || f.steps[i].bucket != bucket {
		f.steps = slices.Insert(f.steps, i, step{bucket, row})
	}
	for ; i >= 0 && f.steps[i].low >= row; i-- {
		f.steps[i].low = row
	}
}

// ordersRows are the rows that belong to an entity's orders, and are watched.
func ordersRows(site *rules.Site, entity *rules.Entity) (parts, history rowsOf) {
	return rowsOf{table: site.Table(entity.Parts), order: entity.PartOrder},
		rowsOf{table: site.Table("order_status"), order: "id_order", kind: entity.StatusType}
}
