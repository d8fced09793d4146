package events

import (
	"slices"
	"time"

	"rowhook/cdc"
	"rowhook/rules"
)

// A backfill reports rows that were there before as if they had just been saved, while others change them. It reads a
// chunk of rows in a snapshot and asks for nothing but reading, so what orders it against live changes is the log:
//
// WatchChunk is called at an offset that the snapshot will contain, Fill when the log was applied up to one that the snapshot does not
// reach beyond. A row that no transaction in between touched is now as the snapshot showed it, and its save goes to the end of its
// object's queue: behind all that happened to it before, and before all that comes. A row that was touched may be stale.
// It is left to the live save where the rule gets one, and otherwise read again.

// Fill is a chunk of existing rows for one rule.
type Fill struct {
	Site  *rules.Site
	Rule  *rules.Rule
	Run   string // of the backfill; ids are derived from it and from the row's key
	Table *cdc.Table
	Rows  []cdc.Row
	Last  cdc.Coord // how far the log was applied: what is loaded for the saves must contain it
	GTID  string    // and its last transaction
	Now   time.Time
}

// Filled says what became of a chunk.
type Filled struct {
	Made  int         // saves
	Live  int         // rows that were left to a live save
	Left  int         // rows that the rule does not want
	Again []rules.Key // rows that must be read again
}

// maxTouched bounds what is remembered of them; when more changes, the chunk is read again.
const maxTouched = 100_000

// chunkWatch is what happened to the objects of one entity since a chunk of them was asked for.
type chunkWatch struct {
	site    *rules.Site
	entity  *rules.Entity
	rule    string
	touched map[rules.Key]bool // an object's own rows, or its parts', changed
	told    map[rules.Key]bool // the rule got a live save of it
	all     bool               // nothing is known: a statement that logs no rows, or too much happened
}

// WatchChunk begins to note what happens to the objects that a rule is about, in place of an earlier chunk.
func (e *Engine) WatchChunk(site *rules.Site, rule *rules.Rule) {
	e.windows.chunk = &chunkWatch{
		site: site, entity: e.catalog.byName(rule.Action.Entity.Name), rule: rule.Name,
		touched: map[rules.Key]bool{}, told: map[rules.Key]bool{},
	}
}

// ForgetChunk ends that: the chunk does not come.
func (e *Engine) ForgetChunk() { e.windows.chunk = nil }

// touch notes that an object changed.
func (w *chunkWatch) touch(a aggregate) {
	switch {
	case w == nil || a.site != w.site || a.entity != w.entity || w.all:
	case len(w.touched) == maxTouched:
		w.all = true
	default:
		w.touched[a.key] = true
	}
}

// tell notes a live save that the rule gets.
func (w *chunkWatch) tell(ev *event) {
	if w != nil && ev.Backfill == "" && ev.Action.Kind == rules.Save && ev.Site == w.site && ev.Action.Entity == w.entity && len(w.told) < maxTouched &&
		slices.ContainsFunc(ev.Rules, func(r *rules.Rule) bool { return r.Name == w.rule }) {
		w.told[ev.IDs[0]] = true
	}
}

// Fill makes saves of the rows of the chunk that was watched.
func (e *Engine) Fill(f Fill) Filled {
	w := e.windows.chunk
	e.windows.chunk = nil
	entity := e.catalog.byName(f.Rule.Action.Entity.Name)
	b := e.catalog.of(f.Table, f.Site, entity)
	var done Filled
	if b == nil { // it is nobody's table any more
		done.Left = len(f.Rows)
		return done
	}
	for _, row := range f.Rows {
		id := b.keyOf(row)
		agg := aggregate{f.Site, entity, id}
		at := moment{e.windows.txn.Time, f.Now}
		ev := &event{sealed: true, first: at, last: at, Event: rules.Event{
			Site: f.Site, Action: rules.Action{Entity: entity, Kind: rules.Save}, IDs: []rules.Key{id}, Insert: true, Table: f.Table, Row: row, Backfill: f.Rule.Name,
			First: rules.First{Txn: "backfill " + f.Run, Table: f.Table.TableName, Key: string(id)},
			Last:  f.Last, GTID: f.GTID, Time: f.Now,
		}}
		switch {
		case b.fits(e.catalog, &cdc.Change{Op: cdc.Insert, After: row}) != nil || b.insertsParent(row, nil):
			done.Left++ // as when it was inserted
		case w == nil || w.all:
			done.Again = append(done.Again, id)
		case w.told[id] || e.windows.willTell(agg, f.Rule):
			done.Live++
		case w.touched[id]:
			done.Again = append(done.Again, id)
		case !f.Rule.Wants(&ev.Event, e.opts.Plugin):
			done.Left++
		default:
			e.windows.fill(agg, ev)
			done.Made++
		}
	}
	return done
}

// fill puts the save behind all open events of its object. None of them absorbs what comes: it is newer than this save.
func (w *windows) fill(a aggregate, ev *event) {
	ev.Number = w.unsent.number()
	w.unsent.add(ev)
	w.unsent.dirty(ev)
	q := w.open.queues[a]
	if q == nil || len(q.events) == 0 {
		w.close(ev)
		return
	}
	q.seal()
	q.events = append(q.events, ev)
}

// willTell says whether an open event is a save that the rule gets.
func (w *windows) willTell(a aggregate, r *rules.Rule) bool {
	q := w.open.queues[a]
	return q != nil && slices.ContainsFunc(q.events, func(ev *event) bool {
		return ev.Backfill == "" && ev.Action.Kind == rules.Save && r.Wants(&ev.Event, w.opts.Plugin)
	})
}

// Filling is how many saves of existing rows are not done.
func (e *Engine) Filling() int { return e.windows.unsent.filling }
