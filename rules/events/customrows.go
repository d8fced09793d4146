package events

import (
	"slices"
	"strconv"

	"rowhook/cdc"
	"rowhook/rules"
)

// objectOf is the object that a row is, or without a key is from this change on.
func (w *windows) objectOf(b *binding, row cdc.Row) aggregate {
	key := b.keyOf(row)
	if b.unnamed(row) {
		key = rules.Key("#" + w.txn.Txn.ID() + ":" + strconv.Itoa(w.row))
	}
	return aggregate{b.site, b.entity, key}
}

// keyed says whether a rule names the key's columns. It may be another than the table's primary key, by which changes are netted,
// so an update may make another object of a row: it is an insert then, and when deletes have their turn a delete.
func (b *binding) keyed() bool { return b.entity != nil && b.entity.Custom && len(b.entity.Key) > 0 }

// unnamed says whether nothing tells a row from others: its table has no key, or NULL is in the one that a rule names, which is equal
// to no other.
func (b *binding) unnamed(row cdc.Row) bool {
	return len(b.key) == 0 || b.keyed() && slices.ContainsFunc(b.key, func(c int) bool { return row.Kind(c) == cdc.Null })
}

// stays says whether a row is the same object before and after an update.
func (b *binding) stays(c *cdc.Change) bool {
	return b.keyOf(c.Before) == b.keyOf(c.After) && b.unnamed(c.Before) == b.unnamed(c.After)
}

// leaves says whether an update takes a row from an object, and none came to that object with the same transaction.
func (t *translator) leaves(b *binding, c *cdc.Change) bool {
	switch {
	case b.stays(c):
		return false
	case b.unnamed(c.Before):
		return true // nothing comes to what no other row is
	}
	ev := t.windows.open.openSave(aggregate{b.site, b.entity, b.keyOf(c.Before)})
	return ev == nil || ev.Last != t.windows.txn.End
}

// moved is an update as an object sees it that the row comes to, or leaves.
func (b *binding) moved(c *cdc.Change, leaves bool) *cdc.Change {
	if b.stays(c) {
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
