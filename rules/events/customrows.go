package events

import (
	"slices"
	"strconv"

	"rowhook/cdc"
	"rowhook/rules"
)

// objectOf is the object that a row is, or of a table without a key is from this change on.
func (w *windows) objectOf(b *binding, row cdc.Row) aggregate {
	key := b.keyOf(row)
	if len(b.key) == 0 {
		key = rules.Key("#" + w.txn.Txn.ID() + ":" + strconv.Itoa(w.row))
	}
	return aggregate{b.site, b.entity, key}
}

// keyed says whether a rule names the key's columns. It may be another than the table's primary key, by which changes are netted,
// so an update may make another object of a row: it is an insert then, and when deletes have their turn a delete.
func (b *binding) keyed() bool { return b.entity != nil && b.entity.Custom && len(b.entity.Key) > 0 }

// leaves says whether an update takes a row from an object, and none came to that object with the same transaction.
func (t *translator) leaves(b *binding, c *cdc.Change) bool {
	if b.keyOf(c.Before) == b.keyOf(c.After) {
		return false
	}
	ev := t.windows.open.openSave(aggregate{b.site, b.entity, b.keyOf(c.Before)})
	return ev == nil || ev.Last != t.windows.txn.End
}

// moved is an update as an object sees it that the row comes to, or leaves.
func (b *binding) moved(c *cdc.Change, leaves bool) *cdc.Change {
	if b.keyOf(c.Before) == b.keyOf(c.After) {
		return c
	}
	m := *c
	if leaves {
		m.Op, m.After = cdc.Delete, cdc.Row{}
	} else {
		m.Op, m.Before = cdc.Insert, cdc.Row{}
	}
	return &m
}

// applyRow takes in a row of a custom rule's table that was inserted or updated.
func (t *translator) applyRow(b *binding, c *cdc.Change) {
	agg := t.windows.objectOf(b, c.After)
	t.windows.prolong(agg)
	if c.Op == cdc.Update && !b.matters(c.Before, c.After) || !t.catalog.wants(agg, rules.Save) {
		return
	}
	ev := t.windows.open.openSave(agg)
	if ev != nil && ev.Table != c.Table && !slices.Equal(ev.Table.Columns, c.Table.Columns) {
		ev.Before, ev.Changed = cdc.Row{}, nil // their columns are others by now
	}
	opens := ev == nil
	ev = t.windows.saveRow(agg, c)
	switch {
	case c.Op == cdc.Insert:
		ev.Insert = true
	case opens:
		ev.Before = c.Before
		fallthrough
	default:
		ev.markChanged(c)
	}
	t.windows.mark(ev)
}
