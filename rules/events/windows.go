package events

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"rowhook/cdc"
	"rowhook/rules"
	"rowhook/rules/netting"
)

// windows are all events that are not deliveries: they open with a change, absorb others, and close when their time is over.
// The events of an aggregate leave in the order of their first changes.
type windows struct {
	opts    *Options
	catalog *catalog

	txn cdc.Commit // the transaction being applied
	now moment
	row int // the number of its current change within the table

	open    openEvents
	unsent  unsent
	fired   firedStatuses
	makings makings
	closed  []*rules.Event // not handed out yet
	chunk   *chunkWatch    // of a backfill that reads rows now; nil: none does
}

func newWindows(o *Options, c *catalog, numbers *counters) windows {
	return windows{opts: o, catalog: c, open: newOpenEvents(o), unsent: newUnsent(numbers), fired: newFiredStatuses()}
}

// begin takes in what a transaction says of time, and what it emptied.
func (w *windows) begin(c *cdc.Commit, now time.Time) {
	w.txn = *c
	w.now = moment{log: roundUp(c.Time, w.opts.Precision), wall: now}
	if c.Statement && w.chunk != nil {
		w.chunk.all = true // it may have changed rows, or columns
	}
	w.closeByLog(c.Time)
	w.fired.expire(c.Time)
	w.applyEmptied(c.Emptied)
}

// settle ends a step of a transaction: what it opened gets its place among the deadlines, or closes with it.
func (w *windows) settle(first, more bool) {
	atOnce := w.opts.Coalesce == 0 && !more
	for _, q := range w.open.touch {
		q.listed = false
		if atOnce && first {
			q.seal()
			w.leave(q, func(ev *event) bool { return !ev.waits && ev.Restored == nil })
		}
		w.open.schedule(q)
	}
	clear(w.open.touch)
	w.open.touch = w.open.touch[:0]
	if atOnce && !first {
		for _, q := range w.open.queues { // all that is open is of this transaction, or sealed before
			q.seal()
		}
		w.closeByLog(w.now.log)
	}
	w.relieve()
}

// newEvent opens an event of the aggregate with its first change.
func (w *windows) newEvent(a aggregate, k rules.Kind, c *cdc.Change) *event {
	ev := w.makeEvent(a, k, c)
	w.unsent.add(ev)
	w.mark(ev)
	return ev
}

// makeEvent makes an event that is not in the records yet.
func (w *windows) makeEvent(a aggregate, k rules.Kind, c *cdc.Change) *event {
	return &event{first: w.now, Event: rules.Event{
		Site: a.site, Action: rules.Action{Entity: a.entity, Kind: k}, IDs: []rules.Key{a.key}, Table: c.Table,
		First: rules.First{
			Txn: w.txn.Txn.ID(), Committed: committed(w.txn.Original),
			Table: c.Table.TableName, Key: strings.Clone(w.rowKey(c)), // cloned, for the row may be large
		},
		Number: w.unsent.number(),
	}}
}

// committed is an instant as ids take it in, 0 where it is not known.
func committed(at time.Time) int64 {
	if at.IsZero() {
		return 0
	}
	return at.UnixMicro()
}

// rowKey names the row within its table: its primary key, or its number in the transaction where there is none.
func (w *windows) rowKey(c *cdc.Change) string {
	switch {
	case len(c.Table.Key) == 0:
		return "#" + strconv.Itoa(w.row)
	case c.Op == cdc.Delete:
		return netting.PrimaryKey(c.Table, c.Before)
	}
	return netting.PrimaryKey(c.Table, c.After)
}

// saveEvent is the open save of the aggregate, made when there is none that absorbs.
func (w *windows) saveEvent(a aggregate, c *cdc.Change) *event {
	ev := w.open.openSave(a)
	if ev == nil {
		ev = w.newEvent(a, rules.Save, c)
		w.open.enqueue(a, ev)
	}
	return ev
}

// saveRow is saveEvent for a change of the object's own row, which it takes over.
func (w *windows) saveRow(a aggregate, c *cdc.Change) *event {
	ev := w.saveEvent(a, c)
	ev.takeRow(c)
	return ev
}

// takeRow makes the image after a change the event's.
func (ev *event) takeRow(c *cdc.Change) {
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
func (w *windows) refresh(a aggregate, c *cdc.Change) {
	if ev := w.open.openSave(a); ev != nil && ev.Row.Len() > 0 && !w.opts.Plugin {
		ev.takeRow(c)
		if c.Op == cdc.Update {
			ev.markChanged(c)
		}
		w.mark(ev)
	}
}

// markChanged adds the columns an update changed.
func (ev *event) markChanged(c *cdc.Change) {
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
func (ev *event) name(c *cdc.Change, st *statement) {
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
func (w *windows) mark(ev *event) {
	ev.Last, ev.GTID, ev.Time, ev.last = w.txn.End, w.txn.Txn.GTID, w.txn.Time, w.now
	w.unsent.dirty(ev)
}

// prolong keeps the aggregate's open events open: one of its own rows, or a child's, changed. A payload of one of them
// must show that change.
func (w *windows) prolong(a aggregate) {
	w.chunk.touch(a)
	q := w.open.queues[a]
	if q == nil || w.opts.Coalesce == 0 {
		return
	}
	for _, ev := range q.events {
		if w.open.over(q, ev, logClock, w.txn.Time) {
			ev.sealed = true // a later change is a later event, even when this one still waits behind another
		}
		if !ev.sealed && !ev.waits {
			ev.Last, ev.GTID, ev.last = w.txn.End, w.txn.Txn.GTID, w.now
			w.unsent.dirty(ev)
		}
	}
	if q.making != nil {
		w.makings.carryOn(q.making, w.now, w.opts.Precision)
		if q.making.parent != "" {
			w.prolong(q.making.parentOf())
		}
	}
	w.open.queueOf(a)
}

// leave closes events at the head of the queue while they may. A queue that nothing is left in goes.
func (w *windows) leave(q *queue, may func(*event) bool) {
	for len(q.events) > 0 && may(q.events[0]) {
		ev := q.events[0]
		q.events[0] = nil // a deadline may hold the queue for long
		q.events = q.events[1:]
		if ev.waits {
			ev.waits = false
			w.fired.note(q.agg, ev)
		}
		w.close(ev)
	}
	if len(q.events) == 0 && w.open.queues[q.agg] == q {
		w.makings.end(q)
		delete(w.open.queues, q.agg)
	}
}

// close matches rules and hands the event out; one that nobody wants is done.
func (w *windows) close(ev *event) {
	if ev.Action.Kind == rules.Delete {
		w.mark(ev)
	}
	if ev.Restored != nil {
		warnRestored(w.opts.Log, ev.Site.Name, ev.Restored)
	}
	ev.match(w.catalog.set, w.opts.Plugin)
	if len(ev.Rules) == 0 {
		w.unsent.done(ev)
		return
	}
	w.chunk.tell(ev)
	w.unsent.close(ev)
	w.closed = append(w.closed, &ev.Event)
}

// closeByLog closes what the log's own clock says is over: the transaction at now was committed after the window.
func (w *windows) closeByLog(now time.Time) {
	for {
		q, ok := w.open.byLog.due(now)
		if !ok {
			return
		}
		q.log = time.Time{}
		w.closeOver(q, logClock, now)
	}
}

// closeOver closes what is over in a queue.
func (w *windows) closeOver(q *queue, c clock, now time.Time) {
	if w.open.queues[q.agg] != q {
		return
	}
	if q.head() != nil || !w.open.due(q, c).After(now) {
		w.leave(q, func(ev *event) bool { return w.open.over(q, ev, c, now) })
	}
	w.open.schedule(q)
}

// closeByOurs closes what our clock says is over.
func (w *windows) closeByOurs(now time.Time) {
	for {
		q, ok := w.open.byWall.due(now)
		if !ok {
			return
		}
		q.wall = time.Time{}
		w.closeOver(q, ourClock, now)
	}
}
