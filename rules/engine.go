// Package rules turns row changes into events and says which rules want them: rule files, the catalog of entities,
// coalescing, matching. It is the sole owner of open events.
//
// The Engine is the heart; an event lives in a queue of its aggregate (queue.go), a transaction is reduced to its net
// effect (net.go), a status waits for its history row (status.go), and what is open survives a crash as records beside
// the position (record.go).
package rules

import (
	"fmt"
	"log/slog"
	"strings"
	"time"

	"rowhook/cdc"
)

// Options say how changes become events.
type Options struct {
	Plugin      bool          // only what the plugin itself would have posted (fidelity: plugin); needs the statements' texts
	Coalesce    time.Duration // changes of one aggregate are one event while they keep coming within it; 0: never merged
	CoalesceMax time.Duration // but at most this long
	StatusWait  time.Duration // how long a changed status column waits for its history row
	Precision   time.Duration // of the log's commit times: a second on MariaDB, a microsecond on MySQL
	Log         *slog.Logger
}

// maxDeleteIDs cuts a delete event of many rows into several.
const maxDeleteIDs = 1000

// firedFor is how long a status that fired from the column silences the history row that repeats it.
const firedFor = time.Hour

// Engine turns changes into events and is the sole owner of the open ones.
//
// A transaction's changes are gathered until its commit and reduced to their net effect; each then opens an event of
// its aggregate or is absorbed by an open one. The events of an aggregate stand in a queue in the order of their first
// changes and leave it at its head: when the time of the event is over (it closes), rules are matched, and Closed hands
// it out. It stays in the engine's records until Done says that its deliveries are made, so whoever commits the
// records together with the position loses nothing in a crash.
//
// Time is over either by the log's own clock (a later transaction was committed after the window: true whatever our
// lag) or by ours (Expire, whose caller has read the log to an end that was observed after the window). An Engine is
// not safe for concurrent use.
type Engine struct {
	opts    Options
	catalog *catalog
	set     *Set
	wanted  map[wantedKey]bool

	net    netting
	queues map[aggregate]*queue
	byLog  deadlines
	byWall deadlines
	touch  []*queue // queues the current transaction touched

	txn cdc.Commit // the transaction being applied
	now moment
	row int // its rows so far

	text   string // the statement that was read last
	parsed statement
	known  bool // parsed is what text says

	numbers  uint64
	closings uint64
	closed   []*Event
	waiting  int               // events that are closed and not done
	live     map[uint64]*Event // every event that is not done
	gone     []uint64          // stored events that are done
	fired    map[aggregate]firedStatus
	firstOut time.Time // no status in fired fired before
	tables   tableRecords
	window   *window
	filling  int
	others   []Record // records besides events that the next commit must hold
	changed  []*Event // events whose record is behind
}

// aggregate is one object of a site with its own id.
type aggregate struct {
	site   *Site
	entity *Entity
	id     int64
}

// wantedKey is a kind of event of a site that some rule asks for.
type wantedKey struct {
	site   *Site
	entity string
	kind   Kind
}

// NewEngine makes an engine for sites under a set of rules.
func NewEngine(sites []*Site, set *Set, o Options) *Engine {
	e := &Engine{
		opts: o, catalog: newCatalog(sites), queues: map[aggregate]*queue{}, live: map[uint64]*Event{},
		fired: map[aggregate]firedStatus{}, tables: newTableRecords(),
	}
	e.SetRules(set)
	return e
}

// SetRules makes later closings use other rules.
func (e *Engine) SetRules(set *Set) {
	e.set = set
	e.wanted = map[wantedKey]bool{}
	for _, s := range e.catalog.sites {
		for _, r := range set.Rules {
			if len(r.Sites) == 0 || r.Sites[s.Name] {
				e.wanted[wantedKey{s, r.Action.Entity.Name, r.Action.Kind}] = true
			}
		}
	}
}

// Change gathers a change of the transaction that is being read. It is invisible until Commit.
func (e *Engine) Change(c *cdc.Change) { e.net.add(c) }

// Discard keeps the first changes of the transaction that is being read and forgets the others.
func (e *Engine) Discard(keep int) { e.net.discard(min(keep, len(e.net.changes))) }

// Commit makes the gathered changes visible as one transaction that was read at now.
func (e *Engine) Commit(c *cdc.Commit, now time.Time) error {
	e.txn = *c
	e.now = moment{log: roundUp(c.Time, e.opts.Precision), wall: now}
	e.row = 0
	if c.Statement && e.window != nil {
		e.window.all = true // it may have changed rows, or columns
	}
	e.closeByLog(c.Time)
	e.forgetFired(c.Time)
	e.applyEmptied(c.Emptied)
	var deletes []cdc.Change
	for _, change := range e.net.take() {
		b := e.catalog.binding(change.Table)
		if b == nil {
			continue
		}
		e.row++
		if b.role == rootRow && change.Op == cdc.Delete {
			deletes = append(deletes, change)
			continue
		}
		if err := e.apply(b, &change); err != nil {
			return fmt.Errorf("transaction %s, table %s: %w", c.Txn.ID(), change.Table, err)
		}
	}
	if err := e.applyDeletes(deletes); err != nil {
		return fmt.Errorf("transaction %s: %w", c.Txn.ID(), err)
	}
	for _, q := range e.touch {
		q.listed = false
		if e.opts.Coalesce == 0 {
			q.seal()
			e.leave(q, func(ev *Event) bool { return !ev.waits })
		}
		e.schedule(q)
	}
	e.touch = e.touch[:0]
	return nil
}

// Closed hands out the events that closed since the last call, in their order.
func (e *Engine) Closed() []*Event {
	closed := e.closed
	e.closed = nil
	return closed
}

// Done says that a closed event is nothing but deliveries now: its record goes with the commit that holds them.
func (e *Engine) Done(ev *Event) {
	delete(e.live, ev.number)
	if ev.closing > 0 {
		e.waiting--
	}
	if ev.Backfill != "" {
		e.filling--
	}
	if ev.stored {
		e.gone = append(e.gone, ev.number)
	}
}

// Waiting is how many events are closed and not done.
func (e *Engine) Waiting() int { return e.waiting }

// apply takes in one net change that is no delete of an object.
func (e *Engine) apply(b *binding, c *cdc.Change) error {
	switch b.role {
	case partRow:
		return e.applyPart(b, c)
	case historyRow:
		return e.applyHistory(b, c)
	}
	id, ok := c.After.Int(b.id)
	if !ok {
		return errNotNumber("id", c.After.Text(b.id))
	}
	agg := aggregate{b.site, b.entity, id}
	e.prolong(agg)
	if parent, ok := c.After.Int(b.parent); ok && parent > 0 && parent != id {
		e.prolong(aggregate{b.site, b.entity, parent})
	}
	st := e.statement(c)
	if c.Op == cdc.Insert && b.isParent(c.After, st) {
		return nil // fires its status only
	}
	if !e.isSave(b, c, st) {
		e.refresh(agg, c)
		return nil
	}
	if e.wants(agg, Save) {
		ev := e.saveRow(agg, c)
		ev.name(c, st)
		if c.Op == cdc.Insert {
			ev.Insert = true
		} else {
			ev.markChanged(c)
		}
		e.mark(ev)
	}
	if c.Op == cdc.Update && !e.opts.Plugin && b.entity.StatusType != "" && !c.Before.Same(c.After, b.status) {
		e.statusColumn(agg, c, c.After.Text(b.status))
	}
	return nil
}

// isSave says whether a change of an object's row is a save: for the documentation every change that is not
// housekeeping; for the plugin what its own models write, and of appointments only what takes their lock (FINDINGS 8).
func (e *Engine) isSave(b *binding, c *cdc.Change, st *statement) bool {
	switch {
	case !e.opts.Plugin:
		return c.Op == cdc.Insert || b.matters(c.Before, c.After)
	case st == nil || !st.model:
		return false
	}
	return b.entity.Lock == "" || st.names(b.entity.Lock)
}

// statement is what is known of the statement that wrote a row, nil when nothing is: a trigger's rows travel under
// their parent's text, which counts only for the table that it names.
func (e *Engine) statement(c *cdc.Change) *statement {
	if c.Statement != e.text {
		e.text = c.Statement
		e.parsed, e.known = parseStatement(c.Statement)
	}
	if !e.known || !strings.EqualFold(e.parsed.table, c.Table.Name) {
		return nil
	}
	return &e.parsed
}

// applyPart takes in a changed option or item: a save of its order.
func (e *Engine) applyPart(b *binding, c *cdc.Change) error {
	row := c.After
	if c.Op == cdc.Delete {
		row = c.Before
	}
	id, ok := row.Int(b.order)
	if !ok {
		return errNotNumber(b.entity.PartOrder, row.Text(b.order))
	}
	agg := aggregate{b.site, b.entity, id}
	e.prolong(agg)
	if e.opts.Plugin || c.Op == cdc.Update && !b.matters(c.Before, c.After) || !e.wants(agg, Save) {
		return nil
	}
	e.mark(e.saveEvent(agg, c))
	return nil
}

// applyDeletes makes the deleted objects of a transaction one event for each entity of a site, cut at maxDeleteIDs.
func (e *Engine) applyDeletes(deletes []cdc.Change) error {
	open := map[wantedKey]*Event{}
	listed := map[wantedKey][]int64{} // the ids as the last statement has them
	var made []*Event
	for i := range deletes {
		c := &deletes[i]
		b := e.catalog.binding(c.Table)
		e.row++
		id, ok := c.Before.Int(b.id)
		if !ok {
			return fmt.Errorf("table %s: %w", c.Table, errNotNumber("id", c.Before.Text(b.id)))
		}
		agg := aggregate{b.site, b.entity, id}
		if q := e.queues[agg]; q != nil {
			e.leave(q, func(*Event) bool { return true })
		}
		e.forget(agg)
		e.window.touch(agg)
		st := e.statement(c)
		if !e.wants(agg, Delete) || e.opts.Plugin && (st == nil || !st.model || st.verb != "DELETE") {
			continue
		}
		k := wantedKey{b.site, b.entity.Name, Delete}
		if st != nil && len(st.ids) > 0 {
			listed[k] = st.ids
		}
		ev := open[k]
		if ev == nil || len(ev.IDs) == maxDeleteIDs {
			ev = e.newEvent(agg, Delete, c)
			ev.Row = c.Before
			open[k], made = ev, append(made, ev)
			continue
		}
		ev.IDs = append(ev.IDs, id)
	}
	for _, ev := range made {
		ev.order(listed[wantedKey{ev.Site, ev.Action.Entity.Name, Delete}])
		e.close(ev)
	}
	return nil
}

func errNotNumber(column, text string) error {
	return fmt.Errorf("column %s is %q, not a number", column, text)
}

func (e *Engine) wants(a aggregate, k Kind) bool {
	return e.wanted[wantedKey{a.site, a.entity.Name, k}]
}

// roundUp is the end of the tick in which t lies: a log that stamps whole seconds says 12:00:01 for all of that second.
func roundUp(t time.Time, precision time.Duration) time.Time {
	return t.Truncate(precision).Add(precision)
}
