package rules

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"rowhook/cdc"
	"rowhook/rules/netting"
)

// newEvent opens an event of the aggregate with its first change.
func (e *Engine) newEvent(a aggregate, k Kind, c *cdc.Change) *Event {
	ev := e.makeEvent(a, k, c)
	e.unsent.add(ev)
	e.mark(ev)
	return ev
}

// makeEvent makes an event that is not in the records yet.
func (e *Engine) makeEvent(a aggregate, k Kind, c *cdc.Change) *Event {
	return &Event{
		Site: a.site, Action: Action{a.entity, k}, IDs: []Key{a.key}, Table: c.Table,
		First: First{
			Txn: e.txn.Txn.ID(), Committed: committed(e.txn.Original),
			Table: c.Table.TableName, Key: strings.Clone(e.rowKey(c)), // cloned, for the row may be large
		},
		number: e.unsent.number(), first: e.now,
	}
}

// committed is an instant as ids take it in, 0 where it is not known.
func committed(at time.Time) int64 {
	if at.IsZero() {
		return 0
	}
	return at.UnixMicro()
}

// rowKey names the row within its table: its primary key, or its number in the transaction where there is none.
func (e *Engine) rowKey(c *cdc.Change) string {
	switch {
	case len(c.Table.Key) == 0:
		return "#" + strconv.Itoa(e.row)
	case c.Op == cdc.Delete:
		return netting.PrimaryKey(c.Table, c.Before)
	}
	return netting.PrimaryKey(c.Table, c.After)
}

// saveEvent is the open save of the aggregate, made when there is none that absorbs.
func (e *Engine) saveEvent(a aggregate, c *cdc.Change) *Event {
	ev := e.open.openSave(a)
	if ev == nil {
		ev = e.newEvent(a, Save, c)
		e.open.enqueue(a, ev)
	}
	return ev
}

// saveRow is saveEvent for a change of the object's own row, which it takes over.
func (e *Engine) saveRow(a aggregate, c *cdc.Change) *Event {
	ev := e.saveEvent(a, c)
	ev.takeRow(c)
	return ev
}

// takeRow makes the image after a change the event's.
func (ev *Event) takeRow(c *cdc.Change) {
	if ev.Table == c.Table {
		ev.Row = netting.Carry(ev.Row, ev.Insert, c)
	} else { // the columns may be others by now
		if ev.Table != nil && !slices.Equal(ev.Table.Columns, c.Table.Columns) {
			ev.Before = cdc.Row{}
		}
		ev.Table, ev.Row, ev.Passed = c.Table, c.After, nil
	}
}

// refresh lets an open save show a housekeeping change too, for its row is delivered as committed.
func (e *Engine) refresh(a aggregate, c *cdc.Change) {
	if ev := e.open.openSave(a); ev != nil && ev.Row.Len() > 0 && !e.opts.Plugin {
		ev.takeRow(c)
		if c.Op == cdc.Update {
			ev.markChanged(c)
		}
		e.mark(ev)
	}
}

// markChanged adds the columns an update changed.
func (ev *Event) markChanged(c *cdc.Change) {
	if len(ev.Changed) < c.After.Len() {
		ev.Changed = append(ev.Changed, make([]bool, c.After.Len()-len(ev.Changed))...)
	}
	for i := c.Before.NextChange(c.After, 0); i >= 0; i = c.Before.NextChange(c.After, i+1) {
		if !slices.Contains(c.Table.Period, i) {
			ev.Changed[i] = true
		}
	}
}

// name adds the columns that a save's statement names.
func (ev *Event) name(c *cdc.Change, st *statement) {
	if st == nil || ev.unnamed {
		ev.unnamed, ev.Named = true, nil
		return
	}
	if len(ev.Named) < c.After.Len() {
		ev.Named = append(ev.Named, make([]bool, c.After.Len()-len(ev.Named))...)
	}
	for _, column := range st.columns {
		if i := c.Table.Index(column); i >= 0 {
			ev.Named[i] = true
		}
	}
}

// mark notes that the current transaction is in the event, and that its record is behind.
func (e *Engine) mark(ev *Event) {
	ev.Last, ev.GTID, ev.Time, ev.last = e.txn.End, e.txn.Txn.GTID, e.txn.Time, e.now
	e.unsent.dirty(ev)
}

// prolong keeps the aggregate's open events open: one of its own rows, or a child's, changed. A payload of one of them
// must show that change.
func (e *Engine) prolong(a aggregate) {
	e.window.touch(a)
	q := e.open.queues[a]
	if q == nil || e.opts.Coalesce == 0 {
		return
	}
	for _, ev := range q.events {
		if e.open.over(q, ev, logClock, e.txn.Time) {
			ev.sealed = true // a later change is a later event, even when this one still waits behind another
		}
		if !ev.sealed && !ev.waits {
			ev.Last, ev.GTID, ev.last = e.txn.End, e.txn.Txn.GTID, e.now
			e.unsent.dirty(ev)
		}
	}
	if q.making != nil {
		e.makings.carryOn(q.making, e.now, e.opts.Precision)
		if q.making.parent != "" {
			e.prolong(q.making.parentOf())
		}
	}
	e.open.queueOf(a)
}

// leave closes events at the head of the queue while they may. A queue that nothing is left in goes.
func (e *Engine) leave(q *queue, may func(*Event) bool) {
	for len(q.events) > 0 && may(q.events[0]) {
		ev := q.events[0]
		q.events[0] = nil // a deadline may hold the queue for long
		q.events = q.events[1:]
		if ev.waits {
			ev.waits = false
			e.fired.note(q.agg, ev)
		}
		e.close(ev)
	}
	if len(q.events) == 0 && e.open.queues[q.agg] == q {
		e.makings.end(q)
		delete(e.open.queues, q.agg)
	}
}

// close matches rules and hands the event out; one that nobody wants is done.
func (e *Engine) close(ev *Event) {
	if ev.Action.Kind == Delete {
		e.mark(ev)
	}
	if ev.Restored != nil {
		ev.Restored.warn(e.opts.Log, ev.Site.Name)
	}
	ev.match(e.set, e.opts.Plugin)
	if len(ev.Rules) == 0 {
		e.Done(ev)
		return
	}
	e.window.tell(ev)
	e.unsent.close(ev)
	e.closed = append(e.closed, ev)
}

// closeByLog closes what the log's own clock says is over: the transaction at now was committed after the window.
func (e *Engine) closeByLog(now time.Time) {
	for {
		q, ok := e.open.byLog.due(now)
		if !ok {
			return
		}
		q.log = time.Time{}
		e.closeOver(q, logClock, now)
	}
}

// closeOver closes what is over in a queue.
func (e *Engine) closeOver(q *queue, c clock, now time.Time) {
	if e.open.queues[q.agg] != q {
		return
	}
	if q.head() != nil || !e.open.due(q, c).After(now) {
		e.leave(q, func(ev *Event) bool { return e.open.over(q, ev, c, now) })
	}
	e.open.schedule(q)
}

// NextDeadline is when, by our clock, the first open event's time is over; false when none is open.
func (e *Engine) NextDeadline() (time.Time, bool) { return e.open.next() }

// Expire closes the events whose time was over at now by our clock. The caller must have read and committed the log up
// to an end that was observed at now or later; otherwise changes that belong to them may still be on their way.
func (e *Engine) Expire(now time.Time) {
	for {
		q, ok := e.open.byWall.due(now)
		if !ok {
			return
		}
		q.wall = time.Time{}
		e.closeOver(q, ourClock, now)
	}
}
