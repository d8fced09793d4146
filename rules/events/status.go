package events

import (
	"strings"

	"rowhook/cdc"
	"rowhook/rules"
)

// A status change is a new row of the status history. A status column that changed without one is a status change too,
// but the plugin writes the row in a transaction of its own, after the column: so the column's event waits for it, and
// takes it in when it comes. When it does not come the event fires as it is, and is remembered, so that a row that
// comes after all does not report the same status twice (DESIGN 5).

// statusColumn takes in a changed status column.
func (t *translator) statusColumn(a aggregate, c *cdc.Change, status string) {
	if !t.catalog.wants(a, rules.StatusChange) {
		return
	}
	if last := t.windows.open.lastStatus(a); last != nil && !last.waits && last.Status == status {
		return // its history row came first
	}
	ev := t.windows.newEvent(a, rules.StatusChange, c)
	ev.Status = strings.Clone(status) // the row may be large
	ev.waits = t.opts.StatusWait > 0
	ev.knowOrder(c.Table, c.After)
	t.windows.open.enqueue(a, ev)
}

// applyHistory takes in a row of the status history.
func (t *translator) applyHistory(b *binding, c *cdc.Change) error {
	if c.Op != cdc.Insert {
		return nil // the plugin only rewrites a comment, or cleans up
	}
	entity := t.catalog.byStatusType(c.After.Text(b.statusType))
	if entity == nil {
		return nil
	}
	a := aggregate{b.site, entity, rules.KeyAt(c.After, []int{b.order})}
	if t.old(b, c) {
		return nil
	}
	t.windows.prolong(a)
	t.windows.makings.tellStatus(t.windows.open.queues, a, t.windows.now)
	if !t.catalog.wants(a, rules.StatusChange) {
		return nil
	}
	st := t.statements.of(b, c, &t.windows.txn)
	if t.opts.Plugin && (st == nil || !st.model) {
		return nil
	}
	status := c.After.Text(b.status)
	if fired, ok := t.windows.fired.forget(a); ok && fired.Status == status {
		return nil
	}
	ev := t.windows.open.waitingFor(a, status)
	if ev == nil {
		ev = t.windows.newEvent(a, rules.StatusChange, c)
		ev.Status = strings.Clone(status)
		t.windows.open.enqueue(a, ev)
	}
	ev.Table, ev.Row, ev.waits = c.Table, c.After, false
	if t.opts.Plugin {
		ev.pass(c, st)
	}
	if save := t.windows.open.openSave(a); save != nil && ev.Order.Len() == 0 {
		ev.knowOrder(save.Table, save.Row)
	}
	t.windows.mark(ev)
	t.windows.open.queueOf(a)
	return nil
}

// knowOrder keeps the order's row with a status change, but for one of which the log shows a part.
func (ev *event) knowOrder(table *cdc.Table, row cdc.Row) {
	if row.Len() > 0 && row.Whole() {
		ev.OrderTable, ev.Order = table, row
	}
}
