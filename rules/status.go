package rules

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"rowhook/cdc"
)

// A status change is a new row of the status history. A status column that changed without one is a status change too,
// but the plugin writes the row in a transaction of its own, after the column: so the column's event waits for it, and
// takes it in when it comes. When it does not come the event fires as it is, and is remembered, so that a row that
// comes after all does not report the same status twice (DESIGN 5).

// firedStatus is a status that was reported from the column alone.
type firedStatus struct {
	Status string    `json:"status"`
	At     time.Time `json:"at"`
}

// statusColumn takes in a changed status column.
func (e *Engine) statusColumn(a aggregate, c *cdc.Change, status string) {
	if !e.wants(a, StatusChange) {
		return
	}
	if last := e.lastStatus(a); last != nil && !last.waits && last.Status == status {
		return // its history row came first
	}
	ev := e.newEvent(a, StatusChange, c)
	ev.Status = strings.Clone(status) // the row may be large
	ev.waits = e.opts.StatusWait > 0
	ev.knowOrder(c.Table, c.After)
	e.enqueue(a, ev)
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
	e.tellStatus(a)
	if !e.wants(a, StatusChange) {
		return nil
	}
	st := e.statement(b, c)
	if e.opts.Plugin && (st == nil || !st.model) {
		return nil
	}
	status := c.After.Text(b.status)
	if fired, ok := e.fired[a]; ok {
		e.forget(a)
		if fired.Status == status {
			return nil
		}
	}
	ev := e.waitingFor(a, status)
	if ev == nil {
		ev = e.newEvent(a, StatusChange, c)
		ev.Status = strings.Clone(status)
		e.enqueue(a, ev)
	}
	ev.Table, ev.Row, ev.waits = c.Table, c.After, false
	if e.opts.Plugin {
		ev.pass(c, st)
	}
	if save := e.openSave(a); save != nil && ev.Order.Len() == 0 {
		ev.knowOrder(save.Table, save.Row)
	}
	e.mark(ev)
	e.queueOf(a)
	return nil
}

// knowOrder keeps the order's row with a status change, but for one of which the log shows a part.
func (ev *Event) knowOrder(table *cdc.Table, row cdc.Row) {
	if row.Len() > 0 && row.Whole() {
		ev.OrderTable, ev.Order = table, row
	}
}

// lastStatus is the latest open status change of the aggregate, nil when there is none.
func (e *Engine) lastStatus(a aggregate) *Event {
	var last *Event
	if q := e.queues[a]; q != nil {
		for _, ev := range q.events {
			if ev.Action.Kind == StatusChange {
				last = ev
			}
		}
	}
	return last
}

// waitingFor is the open event that waits for a history row with this status, nil when there is none.
func (e *Engine) waitingFor(a aggregate, status string) *Event {
	if q := e.queues[a]; q != nil {
		for _, ev := range q.events {
			if ev.waits && ev.Status == status {
				return ev
			}
		}
	}
	return nil
}

// maxFired bounds how many statuses are remembered; the oldest are forgotten first.
const maxFired = 100_000

// fire ends the waiting of an event whose history row did not come.
func (e *Engine) fire(a aggregate, ev *Event) {
	ev.waits = false
	f := firedStatus{Status: ev.Status, At: ev.Time}
	e.fired[a] = f
	e.order = append(e.order, a)
	e.others = append(e.others, firedRecord(a, &f))
	for len(e.order) > maxFired {
		e.forgetOldest()
	}
}

// forget drops the memory of a fired status.
func (e *Engine) forget(a aggregate) {
	if _, ok := e.fired[a]; ok {
		delete(e.fired, a)
		e.others = append(e.others, firedRecord(a, nil))
	}
}

func (e *Engine) forgetOldest() {
	e.forget(e.order[0])
	e.order = e.order[1:]
}

// forgetFired drops the memories that are too old at now.
func (e *Engine) forgetFired(now time.Time) {
	for len(e.order) > 0 {
		if f, ok := e.fired[e.order[0]]; ok && now.Sub(f.At) < firedFor {
			return
		}
		e.forgetOldest()
	}
}

// orderFired puts the memories in order after a restart.
func (e *Engine) orderFired() {
	slices.SortFunc(e.order, func(a, b aggregate) int {
		return cmp.Or(e.fired[a].At.Compare(e.fired[b].At), cmp.Compare(a.name(), b.name()))
	})
}
