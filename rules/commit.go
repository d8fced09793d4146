package rules

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"rowhook/cdc"
	"rowhook/rules/netting"
)

// A transaction becomes visible in steps: a small one in one, of a large one so much at a time that the caller can load,
// commit and hand over in between. A commit in the middle holds, as a record, how many net changes of each table are
// applied; when the transaction is read again after a crash, they are passed over. They are counted by table, so the
// count is right though other tables are watched by then.

const (
	stepChanges = 1000 // a step ends behind so many changes
	stepBytes   = 1 << 20
)

// applying is the transaction that is becoming visible. Deletes come last, for a delete closes what is open of its
// object, and one event names many.
type applying struct {
	net     netting.Changes // nil: none is
	steps   int             // so far
	later   bool            // there are deletes
	deletes bool            // it is their turn
	tables  map[tablePart]*progress
	naming  map[wantedKey]*Event  // deletes that take more ids
	listed  map[wantedKey][]int64 // the ids as the last statement has them

	again  *progressRecord            // a transaction that was applied in part before a restart
	stored bool                       // the last commit holds a progressRecord
	key    string                     // of that
	apart  map[string]*progressRecord // of stored engines that are not split off yet, by their site
}

func newApplying(key string) applying {
	return applying{tables: map[tablePart]*progress{}, key: key, apart: map[string]*progressRecord{}}
}

// tablePart is a table as one entity sees it.
type tablePart struct {
	table  cdc.TableName
	custom string // the entity of a custom rule; empty: the plugin's
}

// part is what a binding sees of its table.
func (b *binding) part(t cdc.TableName) tablePart {
	if b.entity != nil && b.entity.Custom {
		return tablePart{t, b.entity.Name}
	}
	return tablePart{table: t}
}

// progress is how far the net changes of a table are applied.
type progress struct {
	n    int // the number of the current change
	skip int // those up to here were applied before
	done int // those up to here are in events
}

// progressRecord is progress as stored.
type progressRecord struct {
	Txn    string          `json:"txn"`
	Tables []tableProgress `json:"tables"`
}

type tableProgress struct {
	Schema string `json:"schema"`
	Name   string `json:"name"`
	Custom string `json:"custom,omitempty"`
	Done   int    `json:"done"`
}

// Commit makes the gathered changes visible as one transaction that was read at now. Of a large one only the beginning:
// while Applying says so, Step must be called before anything else is handed in.
func (e *Engine) Commit(c *cdc.Commit, now time.Time) error {
	e.txn = *c
	e.now = moment{log: roundUp(c.Time, e.opts.Precision), wall: now}
	if c.Statement && e.window != nil {
		e.window.all = true // it may have changed rows, or columns
	}
	e.closeByLog(c.Time)
	e.fired.expire(c.Time)
	e.applyEmptied(c.Emptied)
	e.restores.begin(e.catalog, c)
	net, err := e.net.Take()
	if err != nil {
		return fmt.Errorf("transaction %s: %w", c.Txn.ID(), err)
	}
	w := &e.work
	w.net, w.steps, w.later, w.deletes = net, 0, false, false
	clear(w.tables)
	if w.again != nil && w.again.Txn == c.Txn.ID() {
		for _, t := range w.again.Tables {
			w.tables[tablePart{cdc.TableName{Schema: t.Schema, Name: t.Name}, t.Custom}] = &progress{skip: t.Done, done: t.Done}
		}
	}
	w.again = nil
	return e.Step()
}

// Applying says whether the last transaction is applied in part only.
func (e *Engine) Applying() bool { return e.work.net != nil }

// Step applies more of a large transaction.
func (e *Engine) Step() error {
	more, err := e.step()
	if err == nil && !more {
		err = e.work.net.Close()
		e.work.net = nil
		e.restores.discard(0)
	}
	if err != nil {
		return fmt.Errorf("transaction %s: %w", e.txn.Txn.ID(), err)
	}
	e.work.steps++
	e.settle(more)
	e.relieve()
	return nil
}

// step applies net changes until a step is full, or all are.
func (e *Engine) step() (more bool, err error) {
	w := &e.work
	for changes, bytes := 0, 0; changes < stepChanges && bytes < stepBytes; {
		t, op, ok, err := w.net.Next()
		switch {
		case err != nil:
			return false, err
		case !ok && w.later && !w.deletes:
			w.deletes = true
			if err := w.net.Again(); err != nil {
				return false, err
			}
			continue
		case !ok:
			e.endDeletes()
			return false, nil
		}
		for _, b := range e.catalog.bound(t) {
			size, err := e.applyTo(b, t, op)
			if err != nil {
				return false, fmt.Errorf("table %s: %w", t, err)
			}
			if size > 0 {
				changes, bytes = changes+1, bytes+size
			}
		}
	}
	return true, nil
}

// applyTo applies the current net change as far as a binding of its table is concerned, and tells how many bytes its rows
// take; 0 when it is not its turn, or was applied before.
func (e *Engine) applyTo(b *binding, t *cdc.Table, op cdc.Op) (size int, err error) {
	w := &e.work
	last, both := b.role == rootRow && op == cdc.Delete, b.keyed() && op == cdc.Update
	if w.later = w.later || last || both; last != w.deletes && !both {
		return 0, nil
	}
	p := w.progress(b.part(t.TableName))
	if p.n++; p.n <= p.skip {
		return 0, nil
	}
	c, err := w.net.Change()
	if err != nil {
		return 0, err
	}
	if e.statements.parts, err = w.net.Parts(); err != nil {
		return 0, err
	}
	e.row = p.n
	if both && w.deletes && !e.leaves(b, c) {
		return 1, nil
	}
	if both {
		c = b.moved(c, w.deletes)
	}
	if w.deletes {
		e.applyDelete(b, c, p)
	} else {
		err = e.apply(b, c)
		p.done = p.n
	}
	return max(1, c.Before.Size()+c.After.Size()), err
}

// settle ends a step: what the transaction opened gets its place among the deadlines, or closes with it.
func (e *Engine) settle(more bool) {
	atOnce := e.opts.Coalesce == 0 && !more
	for _, q := range e.open.touch {
		q.listed = false
		if atOnce && e.work.steps == 1 {
			q.seal()
			e.leave(q, func(ev *Event) bool { return !ev.waits && ev.Restored == nil })
		}
		e.open.schedule(q)
	}
	clear(e.open.touch)
	e.open.touch = e.open.touch[:0]
	if atOnce && e.work.steps > 1 {
		for _, q := range e.open.queues { // all that is open is of this transaction, or sealed before
			q.seal()
		}
		e.closeByLog(e.now.log)
	}
}

func (w *applying) progress(t tablePart) *progress {
	p := w.tables[t]
	if p == nil {
		p = &progress{}
		w.tables[t] = p
	}
	return p
}

// applyDelete takes in a deleted object. The deletes of a transaction are one event for each entity of a site, cut at
// maxDeleteIDs; they count as applied when theirs is closed.
func (e *Engine) applyDelete(b *binding, c *cdc.Change, p *progress) {
	w := &e.work
	agg := e.objectOf(b, c.Before)
	if q := e.open.queues[agg]; q != nil {
		for _, ev := range q.events {
			if ev.Action.Kind == StatusChange {
				ev.knowOrder(c.Table, c.Before)
			}
		}
		e.leave(q, func(*Event) bool { return true })
	}
	e.fired.forget(agg)
	e.window.touch(agg)
	k := wantedKey{b.site, b.entity.Name, Delete}
	ev := w.naming[k]
	st := e.statements.of(b, c, &e.txn)
	if !b.isObject(c.Before) || !e.wants(agg, Delete) || e.opts.Plugin && (!b.entity.Custom || b.entity.Hooks) && (st == nil || !st.model || st.verb != "DELETE") {
		if ev == nil {
			p.done = p.n
		}
		return
	}
	if ev != nil && len(ev.IDs) == maxDeleteIDs {
		e.closeDelete(k)
		ev, p.done = nil, p.n-1
	}
	if st != nil && len(st.ids) > 0 && !b.entity.Custom {
		w.list(k, st.ids)
	}
	if ev != nil {
		ev.IDs = append(ev.IDs, agg.key)
		return
	}
	if w.naming == nil {
		w.naming = map[wantedKey]*Event{}
	}
	ev = e.makeEvent(agg, Delete, c)
	ev.Row = c.Before
	w.naming[k] = ev
	if len(b.key) == 0 || b.entity.Hooks { // each row is named by all it has; a hook tells of each object
		p.done = p.n
		e.closeDelete(k)
	}
}

// list notes the ids of a statement.
func (w *applying) list(k wantedKey, ids []int64) {
	if w.listed == nil {
		w.listed = map[wantedKey][]int64{}
	}
	w.listed[k] = ids
}

// closeDelete hands out a delete that takes no more ids.
func (e *Engine) closeDelete(k wantedKey) {
	ev := e.work.naming[k]
	delete(e.work.naming, k)
	ev.order(e.work.listed[k])
	e.unsent.add(ev)
	e.close(ev)
}

// endDeletes hands out what is left, in the order of the first ids.
func (e *Engine) endDeletes() {
	w := &e.work
	left := make([]wantedKey, 0, len(w.naming))
	for k := range w.naming {
		left = append(left, k)
	}
	slices.SortFunc(left, func(a, b wantedKey) int { return cmp.Compare(w.naming[a].number, w.naming[b].number) })
	for _, k := range left {
		e.closeDelete(k)
	}
	clear(w.listed)
}

// progressKey is the record of a transaction that is applied in part.
const progressKey = progressPrefix + "txn"

// take is the record that a commit in the middle of a transaction must hold, or the deletion of the last one.
func (w *applying) take(txn string) []Record {
	switch {
	case w.net != nil:
		r := progressRecord{Txn: txn}
		for t, p := range w.tables {
			r.Tables = append(r.Tables, tableProgress{t.table.Schema, t.table.Name, t.custom, max(p.done, p.skip)})
		}
		slices.SortFunc(r.Tables, func(a, b tableProgress) int {
			return cmp.Or(strings.Compare(a.Schema, b.Schema), strings.Compare(a.Name, b.Name), strings.Compare(a.Custom, b.Custom))
		})
		w.stored = true
		return []Record{{Key: w.key, Data: encodeRecord(r)}}
	case w.stored && w.again == nil:
		w.stored = false
		return []Record{{Key: w.key}}
	}
	return nil
}

// restore takes in a record.
func (w *applying) restore(r Record) error {
	p := &progressRecord{}
	if site, apart := strings.CutPrefix(r.Key, apartPrefix); apart {
		w.apart[site] = p
	} else {
		w.again, w.stored = p, true
	}
	return decodeRecord(r.Data, p)
}
