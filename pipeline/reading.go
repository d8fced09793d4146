package pipeline

import (
	"slices"
	"strings"
	"time"

	"rowhook/cdc"
	"rowhook/loader"
	"rowhook/rules"
	"rowhook/rules/events"
)

// reading is one way through the log: that of all sites, or of one that has to catch up (site.go). The loop owns it.
type reading struct {
	drive
	cursor *cdc.Cursor // what is applied, as the commits told it
	seen   cdc.Coord
	feed   *feed // nil: nothing is read

	todo, spare []entry // taken from the feed and not applied yet; a slice to give back
}

// refill takes what was read when nothing is left of what was taken before.
func (r *reading) refill() {
	if len(r.todo) == 0 && r.feed != nil {
		r.todo = r.feed.take(r.spare)
		r.spare = r.todo
	}
}

// next takes the first entry that is not applied yet.
func (r *reading) next() entry {
	e := r.todo[0]
	r.todo[0] = entry{} // its row may be large
	r.todo = r.todo[1:]
	return e
}

// lastTxn names the last transaction that was applied.
func (r *reading) lastTxn() string {
	if last := r.cursor.Last(); last != nil {
		return last.ID()
	}
	return ""
}

// place is how far the log was applied.
func (r *reading) place() loader.Place {
	pos := r.cursor.Position()
	at := loader.Place{End: r.seen, GTIDs: pos.Set}
	if last := pos.Last; last != nil && last.GTID != "" {
		at.GTIDs = strings.TrimPrefix(at.GTIDs+","+last.GTID, ",")
	}
	return at
}

// apply lets the engine take in what was read, until a batch is full.
func (p *Pipeline) apply() error {
	for !p.full() {
		switch {
		case p.engine.Applying():
			if err := p.step(&p.reading, p.engine.Step()); err != nil {
				return err
			}
		case len(p.todo) > 0:
			if p.todo[0].op == commitEntry && len(p.questions.sites) > 0 {
				if p.awaitsOwners() {
					return nil
				}
			}
			if err := p.applyEntry(&p.reading, p.next()); err != nil {
				return err
			}
		default:
			return nil
		}
	}
	return nil
}

func (p *Pipeline) applyEntry(r *reading, e entry) error {
	switch e.op {
	case changeEntry:
		p.observer.Change(&e.change)
		if q, ok := r.engine.Question(&e.change); ok {
			p.questions.put(q)
		}
		misfit, err := r.change(&e.change)
		if misfit != nil {
			return p.misfit(r, misfit)
		}
		return err
	case discardEntry:
		return r.discard(e.keep)
	case asideEntry:
		return p.aside(r, e.site, e.trouble)
	case carriedEntry:
		p.carried(e.site, e.turn)
		return nil
	}
	return p.applyCommit(r, &e.commit)
}

func (p *Pipeline) applyCommit(r *reading, c *cdc.Commit) error {
	if c.IsProgress() {
		p.noteRead(r, c)
		return nil
	}
	p.observer.Commit(c, c.End.Before(r.seen)) // then a replica was promoted
	p.tellEmptied(r, c)
	return p.step(r, r.commit(c, time.Now()))
}

// noteRead takes in how far the log was read, and what became known of tables on the way.
func (p *Pipeline) noteRead(r *reading, c *cdc.Commit) {
	r.cursor, r.seen = c.At, c.End
	if len(c.Schema) == 0 {
		return
	}
	p.moved = true
	if s := p.sites.of(r); s != nil {
		s.learn(c.Schema)
		return
	}
	p.schema = append(p.schema, c.Schema...)
	p.sites.learn(c.Schema)
}

// step moves the position when the engine has applied all of a transaction, or says that it is in the middle of one.
func (p *Pipeline) step(r *reading, err error) error {
	if err != nil {
		return err
	}
	if !r.applying.Own || time.Since(p.lastCommit) > ownCommit {
		p.moved = true
	}
	p.sites.moved(r)
	if r.engine.Applying() {
		r.cursor = r.cursor.Begin(r.applying.Txn)
	} else {
		p.noteRead(r, &r.applying)
		p.questions.forget(func(site *rules.Site) bool { return p.engineOf(site) == r.engine })
	}
	p.dispatch()
	return nil
}

// full says whether enough waits for the next commit, or for the lanes.
func (p *Pipeline) full() bool {
	waiting, bytes := p.loading()
	return p.press.crowded || p.batchFull() || waiting > maxInLanes || bytes > maxLaneBytes
}

// loading is how many events are closed and neither delivered nor held, and about how many bytes they take.
func (p *Pipeline) loading() (events, bytes int) {
	for e := range p.engines() {
		n, size := e.Waiting()
		events, bytes = events+n, bytes+size
	}
	for site := range p.sites.detached { // it is braked on its own (laden)
		l := p.lanes.all[site]
		events, bytes = events-len(l.waiting), bytes-l.weight
	}
	held := p.lanes.held
	if held.bytes > maxHeldBytes { // memory has an end: the reader waits until something is fixed
		return events, bytes
	}
	return events - held.events, bytes - held.bytes
}

func (p *Pipeline) batchFull() bool {
	pending := 0
	for e := range p.engines() {
		pending += e.Pending()
	}
	return p.batch.count >= batchSize || p.batch.bytes >= batchBytes || pending >= batchRecords
}

// engines yields that of all sites, and those of the sites that are on their own.
func (p *Pipeline) engines() func(yield func(*events.Engine) bool) {
	return func(yield func(*events.Engine) bool) {
		if !yield(p.engine) {
			return
		}
		for _, s := range p.sites.detached {
			if !yield(s.engine) {
				return
			}
		}
	}
}

// tables are those of a site that make events now.
func (p *Pipeline) tables(site *rules.Site) []cdc.TableName { return p.set.Load().Tables(site) }

// useRules makes events that close from now on use other rules.
func (p *Pipeline) useRules(set *rules.Set) {
	for e := range p.engines() {
		e.SetRules(set)
	}
	if len(p.sites.detached) == 0 { // else an event could come to another engine than its site is at
		p.engine.TakeBack(time.Now())
		p.sites.stranded.bySite = p.engine.Stranded()
	}
	was := p.set.Swap(set)
	if p.cfg.Watch != nil { // last: what it reads finds the rules that want it
		p.cfg.Watch(set)
	}
	for site, d := range p.sites.detached {
		switch tables := set.Tables(site); {
		case p.unwanted(d, tables):
		case d.feed != nil && !slices.Equal(was.Tables(site), tables):
			d.others = true
			p.feed.want(wish{site: site, skip: true})
		}
	}
}

// unwanted lets a site go on that is stopped for a table that no rule names any more: nobody has to decide about it. It says
// whether none of its tables is named.
func (p *Pipeline) unwanted(d *detached, tables []cdc.TableName) bool {
	if len(tables) == 0 {
		p.endReading(d)
		d.fromNow = true
		return true
	}
	d.retry, d.wait = time.Time{}, 0 // the rules may have been what is wrong
	if d.stop.Decide && d.stop.Table != "" && !slices.ContainsFunc(tables, func(t cdc.TableName) bool { return t.String() == d.stop.Table }) {
		d.stop.Decide, d.dirty = false, true
	}
	return false
}

// readOthers begins the reading of a site anew, for rules name other tables of it.
func (p *Pipeline) readOthers(d *detached) error {
	p.endReading(d)
	d.others, d.wait, d.retry = false, 0, time.Time{}
	return d.engine.Discard(0)
}

// engineOf is the engine that a site's events are in.
func (p *Pipeline) engineOf(site *rules.Site) *events.Engine {
	if s := p.sites.detached[site]; s != nil {
		return s.engine
	}
	return p.engine
}
