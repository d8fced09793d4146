package events

import (
	"slices"
	"time"

	"rowhook/cdc"
	"rowhook/rules"
)

// A site whose rows cannot be read for now has an engine of its own until it has caught up: what was open of it moves
// there, keeps its windows on that site's own way through the log, and moves back. The two share their counters, so their
// records lie side by side in one store.

// apartPrefix begins the key of a transaction that a site's own engine applied in part.
const apartPrefix = progressPrefix + "site/"

// ApartKey is the key of the record that says how much of a transaction the own engine of a site, or of a part of one, has applied.
func ApartKey(id string) string { return apartPrefix + id }

// Split takes a site out of the engine, which passes its rows over from then on: also those that were gathered of the
// transaction that is being read. It must not be called while Applying says so.
func (e *Engine) Split(site *rules.Site) *Engine {
	o := newEngine(e.opts, e.catalog.part(site), e.windows.unsent.count, ApartKey(site.ID()))
	o.windows.txn, o.windows.now = e.windows.txn, e.windows.now
	o.translator.owner, o.translator.orphans, o.translator.statements.forms = e.translator.owner, e.translator.orphans, e.translator.statements.forms
	if again := e.work.apart[site.ID()]; again != nil {
		o.work.again, o.work.stored = again, true
		delete(e.work.apart, site.ID())
	}
	e.catalog.drop(site)
	o.SetRules(e.catalog.set)
	if c := e.windows.chunk; c != nil && c.site == site {
		e.windows.chunk = nil
	}
	o.take(e, site)
	return o
}

// Join takes back what Split took out. Neither engine may be Applying, both must have applied the log up to the same
// place, and the other must not be used any more.
func (e *Engine) Join(o *Engine) {
	site := o.catalog.sites[0]
	e.catalog.add(site)
	e.take(o, site)
	e.windows.unsent.gone = append(e.windows.unsent.gone, o.windows.unsent.gone...)
	e.windows.closed = append(e.windows.closed, o.windows.closed...)
	e.windows.fired.behind = append(e.windows.fired.behind, o.windows.fired.take()...)
	e.records.join(&o.records)
}

// take moves what is open of a site from another engine.
func (e *Engine) take(o *Engine, site *rules.Site) {
	e.windows.move(&o.windows, site)
	e.translator.restores.move(&o.translator.restores, site, e.catalog.set.Tables(site))
}

// move takes over the events of a site, with their windows.
func (w *windows) move(o *windows, site *rules.Site) {
	w.unsent.move(&o.unsent, site)
	for a, q := range o.open.queues {
		if a.site != site {
			continue
		}
		delete(o.open.queues, a)
		if q.making != nil {
			o.makings.bytes, w.makings.bytes = o.makings.bytes-makingBytes, w.makings.bytes+makingBytes
		}
		moved := *q // the other's deadlines know the old one
		moved.log, moved.wall, moved.listed = time.Time{}, time.Time{}, false
		w.open.queues[a] = &moved
		w.open.schedule(&moved)
	}
	w.makings.behind = append(w.makings.behind, cut(&o.makings.behind, func(m *making) bool { return m.agg.site == site })...)
	w.fired.move(&o.fired, site)
}

// move takes over what is noted of a site's tables.
func (r *restores) move(o *restores, site *rules.Site, tables []cdc.TableName) {
	for _, name := range tables {
		t := tableAt(name, site)
		if is := o.tables[t]; is != nil {
			delete(o.tables, t)
			r.tables[t] = is
		}
		if o.behind[t] {
			delete(o.behind, t)
			r.behind[t] = true
		}
	}
}

// cut takes out of a list what is wanted of it.
func cut[T any](list *[]T, wanted func(T) bool) (taken []T) {
	*list = slices.DeleteFunc(*list, func(x T) bool {
		if wanted(x) {
			taken = append(taken, x)
			return true
		}
		return false
	})
	return taken
}
