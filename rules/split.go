package rules

import (
	"slices"
	"time"

	"rowhook/cdc"
	"rowhook/rules/netting"
)

// A site whose rows cannot be read for now has an engine of its own until it has caught up: what was open of it moves
// there, keeps its windows on that site's own way through the log, and moves back. The two share their counters, so their
// records lie side by side in one store.

// apartPrefix begins the key of a transaction that a site's own engine applied in part.
const apartPrefix = progressPrefix + "site/"

// Split takes a site out of the engine, which passes its rows over from then on: also those that were gathered of the
// transaction that is being read. It must not be called while Applying says so.
func (e *Engine) Split(site *Site) *Engine {
	o := &Engine{
		opts: e.opts, catalog: e.catalog.part(site), unsent: newUnsent(e.unsent.count), fired: newFiredStatuses(), restores: newRestores(),
		net: netting.New(e.opts.Scratch), work: newApplying(apartPrefix + site.ID()), orphans: e.orphans,
		statements: statements{plugin: e.opts.Plugin, forms: e.statements.forms}, txn: e.txn, now: e.now, owner: e.owner,
	}
	o.open = newOpenEvents(&o.opts)
	if again := e.work.apart[site.ID()]; again != nil {
		o.work.again, o.work.stored = again, true
		delete(e.work.apart, site.ID())
	}
	e.catalog = e.catalog.without(site)
	o.SetRules(e.set)
	e.SetRules(e.set)
	if w := e.window; w != nil && w.site == site {
		e.window = nil
	}
	o.take(e, site)
	return o
}

// Join takes back what Split took out. Neither engine may be Applying, both must have applied the log up to the same
// place, and the other must not be used any more.
func (e *Engine) Join(o *Engine) {
	site := o.catalog.sites[0]
	e.catalog = e.catalog.with(site)
	e.SetRules(e.set)
	e.take(o, site)
	e.unsent.gone = append(e.unsent.gone, o.unsent.gone...)
	e.closed = append(e.closed, o.closed...)
	e.fired.behind = append(e.fired.behind, o.fired.take()...)
	e.others = append(append(e.others, o.others...), o.unsent.tables.take()...)
	e.others = append(e.others, o.work.take(o.txn.Txn.ID())...)
}

// take moves what is open of a site from another engine.
func (e *Engine) take(o *Engine, site *Site) {
	e.unsent.move(&o.unsent, site)
	for a, q := range o.open.queues {
		if a.site != site {
			continue
		}
		delete(o.open.queues, a)
		e.open.queues[a] = q
		if q.making != nil {
			o.makings.bytes, e.makings.bytes = o.makings.bytes-makingBytes, e.makings.bytes+makingBytes
		}
		moved := *q // the other's deadlines know the old one
		moved.log, moved.wall, moved.listed = time.Time{}, time.Time{}, false
		e.open.queues[a] = &moved
		e.open.schedule(&moved)
	}
	e.makings.behind = append(e.makings.behind, cut(&o.makings.behind, func(m *making) bool { return m.agg.site == site })...)
	e.fired.move(&o.fired, site)
	e.restores.move(&o.restores, e.set.Tables(site))
}

// move takes over what is noted of tables.
func (r *restores) move(o *restores, tables []cdc.TableName) {
	for _, t := range tables {
		if is := o.tables[t]; is != nil {
			delete(o.tables, t)
			r.tables[t] = is
		}
		if o.behind[t] {
			delete(o.behind, t)
			r.behind[t] = true
		}
		delete(o.inserted, t)
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
