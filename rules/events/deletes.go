package events

import (
	"cmp"
	"slices"

	"rowhook/cdc"
	"rowhook/rules"
)

// deletes are the delete events of the transaction that is becoming visible: those of an entity of a site are one, cut at
// maxDeleteIDs. They count as applied when theirs is closed.
type deletes struct {
	of     *translator
	naming map[wantedKey]*event  // those that take more ids
	listed map[wantedKey][]int64 // the ids as the last statement has them
}

// maxDeleteIDs cuts a delete event of many rows into several.
const maxDeleteIDs = 1000

func newDeletes(of *translator) deletes {
	return deletes{of: of, naming: map[wantedKey]*event{}, listed: map[wantedKey][]int64{}}
}

// apply takes in a deleted object. What is open of it closes first.
func (d *deletes) apply(b *binding, c *cdc.Change, p *progress) {
	t, windows := d.of, d.of.windows
	agg := windows.objectOf(b, c.Before)
	windows.bury(agg, c)
	k := wantedKey{b.site, b.entity.Name, rules.Delete}
	ev := d.naming[k]
	st := t.statements.of(b, c, &windows.txn)
	if !b.isObject(c.Before) || !t.catalog.wants(agg, rules.Delete) || t.opts.Plugin && (!b.entity.Custom || b.entity.Hooks) && (st == nil || !st.model || st.verb != "DELETE") {
		if ev == nil {
			p.done = p.n
		}
		return
	}
	if ev != nil && len(ev.IDs) == maxDeleteIDs {
		d.close(k)
		ev, p.done = nil, p.n-1
	}
	if st != nil && len(st.ids) > 0 && !b.entity.Custom {
		d.listed[k] = st.ids
	}
	if ev != nil {
		ev.IDs = append(ev.IDs, agg.key)
		return
	}
	ev = windows.makeEvent(agg, rules.Delete, c)
	ev.Row = c.Before
	d.naming[k] = ev
	if len(b.key) == 0 || b.entity.Hooks { // each row is named by all it has; a hook tells of each object
		p.done = p.n
		d.close(k)
	}
}

// close hands out a delete that takes no more ids.
func (d *deletes) close(k wantedKey) {
	ev := d.naming[k]
	delete(d.naming, k)
	ev.order(d.listed[k])
	d.of.windows.unsent.add(ev)
	d.of.windows.close(ev)
}

// end hands out what is left, in the order of the first ids.
func (d *deletes) end() {
	left := make([]wantedKey, 0, len(d.naming))
	for k := range d.naming {
		left = append(left, k)
	}
	slices.SortFunc(left, func(a, b wantedKey) int { return cmp.Compare(d.naming[a].Number, d.naming[b].Number) })
	for _, k := range left {
		d.close(k)
	}
	clear(d.listed)
}

// bury closes what is open of an object that is gone, with its last row.
func (w *windows) bury(agg aggregate, c *cdc.Change) {
	if q := w.open.queues[agg]; q != nil {
		for _, ev := range q.events {
			if ev.Action.Kind == rules.StatusChange {
				ev.knowOrder(c.Table, c.Before)
			}
		}
		w.leave(q, func(*event) bool { return true })
	}
	w.fired.forget(agg)
	w.chunk.touch(agg)
}
