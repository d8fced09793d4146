package rules

import (
	"log/slog"
	"slices"

	"rowhook/cdc"
)

// A row image may lack columns (cdc.Change): what an update's statement did not name, what an insert left to its
// default, blobs. What it lacks after an update did not change. What it lacks before may have: then it counts as changed.

// differs says whether an update changed a column, as far as can be told.
func differs(before, after cdc.Row, i int) bool {
	return after.Shows(i) && !before.Same(after, i)
}

// carry is the image after a change of a row, completed from an older image of it. Of an inserted row's blobs and of what
// the server computes neither image of an update may show anything: there the older value need not hold, and is left out.
func carry(older cdc.Row, inserted bool, c *cdc.Change) cdc.Row {
	if older.Len() != c.After.Len() || c.Op != cdc.Update || c.After.Whole() || inserted && showsMore(c) {
		return c.After
	}
	return c.After.Fill(older, func(int) bool { return true })
}

// showsMore says whether the image before a change shows more than the key: then what it lacks is no default.
func showsMore(c *cdc.Change) bool {
	for i := range c.Before.Len() {
		if c.Before.Shows(i) && !slices.Contains(c.Table.Key, i) {
			return true
		}
	}
	return false
}

// Question is for the order that a part belongs to, where the log does not show it.
type Question struct {
	Site   *Site
	Table  cdc.TableName
	Column string // that holds the order's id
	ID     int64  // of the part
}

// Owner answers a question; false when there is no such part any more. It must not wait.
type Owner func(Question) (order int64, ok bool)

// AskOwners tells whom to ask for the order of a part.
func (e *Engine) AskOwners(o Owner) { e.owner = o }

// Question is what must be known before the transaction of a change is applied; false when the log shows all.
func (e *Engine) Question(c *cdc.Change) (Question, bool) {
	b := e.catalog.binding(c.Table)
	if b == nil || b.role != partRow || c.After.Kind(b.order) != cdc.Absent || c.Before.Kind(b.order) != cdc.Absent {
		return Question{}, false
	}
	id, ok := c.After.Int(b.id)
	return Question{b.site, c.Table.TableName, b.entity.PartOrder, id}, ok
}

// orderOf is the order that a changed part belongs to; false when nobody knows.
func (e *Engine) orderOf(b *binding, c *cdc.Change) (int64, bool, error) {
	row, other := c.After, c.Before
	if c.Op == cdc.Delete {
		row, other = c.Before, c.After
	}
	if row.Kind(b.order) == cdc.Absent {
		row = other
	}
	if row.Kind(b.order) != cdc.Absent {
		id, ok := row.Int(b.order)
		if !ok {
			return 0, false, errNotNumber(b.entity.PartOrder, row.Text(b.order))
		}
		return id, true, nil
	}
	if part, ok := c.After.Int(b.id); ok && e.owner != nil {
		if id, ok := e.owner(Question{b.site, c.Table.TableName, b.entity.PartOrder, part}); ok {
			return id, true, nil
		}
	}
	if !e.orphans[c.Table.TableName] {
		e.orphans[c.Table.TableName] = true
		e.opts.Log.Warn("a changed row does not say to which order it belongs, so nothing is sent for it; binlog_row_image = FULL would tell",
			slog.String("table", c.Table.String()), slog.String("transaction", e.txn.Txn.ID()))
	}
	return 0, false, nil
}

// parentOf is the multi-order of an appointment, 0 when it has none or nobody knows.
func (e *Engine) parentOf(b *binding, a aggregate, c *cdc.Change) int64 {
	row := c.After
	if ev := e.openSave(a); row.Kind(b.parent) == cdc.Absent && ev != nil {
		row = ev.Row
	}
	parent, ok := row.Int(b.parent)
	if !ok || parent <= 0 || parent == a.id {
		return 0
	}
	return parent
}
