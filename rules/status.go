package rules

import (
	"strings"

	"rowhook/cdc"
)

// A status change is a new row of the status history. A status column that changed without one is a status change too,
// but the plugin writes the row in a transaction of its own, after the column: so the column's event waits for it, and
// takes it in when it comes. When it does not come the event fires as it is, and is remembered, so that a row that
// comes after all does not report the same status twice (DESIGN 5).

// statusColumn takes in a changed status column.
func (e *Engine) statusColumn(a aggregate, c *cdc.Change, status string) {
	if !e.wants(a, StatusChange) {
		return
	}
	if last := e.open.lastStatus(a); last != nil && !last.waits && last.Status == status {
		return // its history row came first
	}
	ev := e.newEvent(a, StatusChange, c)
	ev.Status = strings.Clone(status) // the row may be large
	ev.waits = e.opts.StatusWait > 0
	ev.knowOrder(c.Table, c.After)
	e.open.enqueue(a, ev)
}

// applyHistory takes in a row of the status history.
func (e *Engine) applyHistory(b *binding, c *cdc.Change) error {
	if c.Op != cdc.Insert {
		return nil // the plugin only rewrites a comment, or cleans up
	}
	entity := e.catalog.byStatusType(c.After.Text(b.statusType))
	if entity == nil {
		return nil
	}
	a := aggregate{b.site, entity, keyAt(c.After, []int{b.order})}
	if e.old(b, c) {
		return nil
	}
	e.prolong(a)
	e.makings.tellStatus(e.open.queues, a, e.now)
	if !e.wants(a, StatusChange) {
		return nil
	}
	st := e.statements.of(b, c, &e.txn)
	if e.opts.Plugin && (st == nil || !st.model) {
		return nil
	}
	status := c.After.Text(b.status)
	if fired, ok := e.fired.forget(a); ok && fired.Status == status {
		return nil
	}
	ev := e.open.waitingFor(a, status)
	if ev == nil {
		ev = e.newEvent(a, StatusChange, c)
		ev.Status = strings.Clone(status)
		e.open.enqueue(a, ev)
	}
	ev.Table, ev.Row, ev.waits = c.Table, c.After, false
	if e.opts.Plugin {
		ev.pass(c, st)
	}
	if save := e.open.openSave(a); save != nil && ev.Order.Len() == 0 {
		ev.knowOrder(save.Table, save.Row)
	}
	e.mark(ev)
	e.open.queueOf(a)
	return nil
}

// knowOrder keeps the order's row with a status change, but for one of which the log shows a part.
func (ev *Event) knowOrder(table *cdc.Table, row cdc.Row) {
	if row.Len() > 0 && row.Whole() {
		ev.OrderTable, ev.Order = table, row
	}
}
