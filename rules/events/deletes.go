package events

import (
	"cmp"
	"slices"

	"rowhook/cdc"
	"rowhook/rules"
)

// deletes are the delete events of the transaction that is becoming visible: those of an entity of a site are one, cut at
// maxDeleteIDs. They count as applied when theirs is closed. A rule that asks for the rows as they were gets an event of each, for
// one may be what it wants and the next not.
type deletes struct {
	of     *translator
	naming map[wantedKey]*group  // those that take more ids
	listed map[wantedKey][]int64 // the ids as the last statement has them
}

// group is the delete event of several rows.
type group struct {
	*event
	apart []*event // one of each row, where a rule asks for them
	bytes int      // of the rows of those
}

// maxDeleteIDs cuts a delete event of many rows into several, and so do maxDeleteBytes of rows that rules ask for.
const (
	maxDeleteIDs   = 1000
	maxDeleteBytes = 1 << 20
)

func newDeletes(of *translator) deletes {
	return deletes{of: of, naming: map[wantedKey]*group{}, listed: map[wantedKey][]int64{}}
}

// apply takes in a deleted object. What is open of it closes first.
func (d *deletes) apply(b *binding, c *cdc.Change, p *progress) {
	t, windows := d.of, d.of.windows
	agg := windows.objectOf(b, c.Before)
	windows.bury(agg, c)
	k := wantedKey{b.site, b.entity.Name, rules.Delete}
	g := d.naming[k]
	st := t.statements.of(b, c, &windows.txn)
	if !b.isObject(c.Before) || !t.catalog.wants(agg, rules.Delete) || t.opts.Plugin && (!b.entity.Custom || b.entity.Hooks) && (st == nil || !st.model || st.verb != "DELETE") {
		if g == nil {
			p.done = p.n
		}
		return
	}
	alone := b.unnamed(c.Before) || b.entity.Hooks // it is named by all it has, and a hook tells of each object
	if g != nil && (alone || len(g.IDs) == maxDeleteIDs || g.bytes > maxDeleteBytes) {
		d.close(k)
		g, p.done = nil, p.n-1
	}
	if st != nil && len(st.ids) > 0 && !b.entity.Custom {
		d.listed[k] = st.ids
	}
	if g != nil {
		g.IDs = append(g.IDs, agg.key)
	} else {
		g = &group{event: windows.makeEvent(agg, rules.Delete, c)}
		g.Row = c.Before
		d.naming[k] = g
	}
	if !alone && t.catalog.gone[b.entity.Name] {
		one := windows.makeEvent(agg, rules.Delete, c)
		one.Row, one.rows = c.Before, eachRow
		g.apart = append(g.apart, one)
		g.bytes += one.Row.Size()
	}
	if alone {
		p.done = p.n
		d.close(k)
	}
}

// close hands out a delete that takes no more ids.
func (d *deletes) close(k wantedKey) {
	g := d.naming[k]
	delete(d.naming, k)
	if len(g.apart) < 2 { // it is of one row, whoever asks
		g.apart = nil
	} else {
		g.rows = allRows
	}
	g.order(d.listed[k])
	d.of.windows.unsent.add(g.event)
	d.of.windows.close(g.event)
	for _, one := range g.apart {
		d.of.windows.unsent.add(one)
		d.of.windows.close(one)
	}
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
