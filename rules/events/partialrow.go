package events

import (
	"log/slog"

	"rowhook/cdc"
	"rowhook/rules"
)

// A row image may lack columns (cdc.Change): what an update's statement did not name, what an insert left to its
// default, blobs. A column that the image after an update lacks did not change. A column that only the image before lacks
// may have changed or not; it counts as changed.

// differs says whether an update changed a column, as far as can be told.
func differs(before, after cdc.Row, i int) bool {
	return after.Shows(i) && !before.Same(after, i)
}

// Question is for the order that a part belongs to, where the log does not show it.
type Question struct {
	Site   *rules.Site
	Table  cdc.TableName
	Column string    // that holds the order's id
	Part   rules.Key // of the row that asks
}

// Owner answers a question; false when there is no such part any more. It must not wait.
type Owner func(Question) (order rules.Key, ok bool)

// AskOwners tells whom to ask for the order of a part.
func (e *Engine) AskOwners(o Owner) { e.translator.owner = o }

// Question is what must be known before the transaction of a change is applied; false when the log shows all.
func (e *Engine) Question(c *cdc.Change) (Question, bool) {
	for _, b := range e.catalog.bound(c.Table) {
		if b.role != partRow || c.After.Kind(b.order) != cdc.Absent || c.Before.Kind(b.order) != cdc.Absent {
			continue
		}
		_, ok := c.After.Int(b.id)
		return Question{b.site, c.Table.TableName, b.entity.Parts.Order, b.keyOf(c.After)}, ok
	}
	return Question{}, false
}

// orderOf is the order that a changed part belongs to; false when nobody knows.
func (t *translator) orderOf(b *binding, c *cdc.Change) (rules.Key, bool, error) {
	row, other := c.After, c.Before
	if c.Op == cdc.Delete {
		row, other = c.Before, c.After
	}
	if row.Kind(b.order) == cdc.Absent {
		row = other
	}
	if row.Kind(b.order) != cdc.Absent {
		if _, ok := row.Int(b.order); !ok {
			return "", false, errNotNumber(b.entity.Parts.Order, row.Text(b.order))
		}
		return rules.KeyAt(row, []int{b.order}), true, nil
	}
	if _, ok := c.After.Int(b.id); ok && t.owner != nil {
		if order, ok := t.owner(Question{b.site, c.Table.TableName, b.entity.Parts.Order, b.keyOf(c.After)}); ok {
			return order, true, nil
		}
	}
	if !t.orphans[c.Table.TableName] {
		t.orphans[c.Table.TableName] = true
		t.opts.Log.Warn("a changed row does not say to which order it belongs, so nothing is sent for it; binlog_row_image = FULL would tell",
			slog.String("table", c.Table.String()), slog.String("transaction", t.windows.txn.Txn.ID()))
	}
	return "", false, nil
}

// parentOf is the multi-order of an appointment; false when it has none or nobody knows.
func (t *translator) parentOf(b *binding, a aggregate, c *cdc.Change) (aggregate, bool) {
	row := c.After
	if ev := t.windows.open.openSave(a); row.Kind(b.parent) == cdc.Absent && ev != nil {
		row = ev.Row
	}
	parent, ok := row.Int(b.parent)
	if key := rules.NumberKey(parent); ok && parent > 0 && key != a.key {
		return aggregate{a.site, a.entity, key}, true
	}
	return aggregate{}, false
}
