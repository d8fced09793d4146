package pipeline

import (
	"errors"
	"strings"
	"time"

	"rowhook/cdc"
	"rowhook/loader"
	"rowhook/rules"
)

// reading is one way through the log: that of all sites, or of one that has to catch up (site.go). The loop owns it.
type reading struct {
	drive
	cursor *cdc.Cursor // what is applied, as the commits told it
	seen   cdc.Coord
	idle   bool  // what was read last was that the server has nothing more
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
				if p.sites.awaitsOwners() {
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
		misfits, err := r.change(&e.change)
		for _, misfit := range misfits {
			err = errors.Join(err, p.sites.misfit(r, misfit))
		}
		return err
	case discardEntry:
		return r.discard(e.keep)
	case asideEntry:
		return p.sites.aside(r, e.site, e.trouble)
	case carriedEntry:
		p.catchUp.carried(e.site, e.turn)
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
	p.sites.tellEmptied(r, c)
	return p.step(r, r.commit(c, time.Now()))
}

// noteRead takes in how far the log was read, and what became known of tables on the way.
func (p *Pipeline) noteRead(r *reading, c *cdc.Commit) {
	r.cursor, r.seen, r.idle = c.At, c.End, c.Idle
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
		p.questions.forget(func(site *rules.Site) bool { return p.sites.engineOf(site) == r.engine })
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
	for e := range p.sites.engines() {
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
	for e := range p.sites.engines() {
		pending += e.Pending()
	}
	return p.batch.count >= batchSize || p.batch.bytes >= batchBytes || pending >= batchRecords
}

// useRules makes events that close from now on use other rules.
func (p *Pipeline) useRules(set *rules.Set) {
	p.sites.cut(set)
	for e := range p.sites.engines() {
		e.SetRules(set)
	}
	if len(p.sites.detached) == 0 { // else an event could come to another engine than its site is at
		p.engine.TakeBack(time.Now())
		p.sites.cut(set)
		p.sites.stranded.bySite = p.engine.Stranded()
	}
	p.set.Store(set)
	if p.cfg.Watch != nil { // last: what it reads finds the rules that want it
		p.cfg.Watch(set)
	}
	for site, d := range p.sites.detached {
		p.sites.unwanted(d, set.Tables(site))
	}
	p.feed.want(wish{}) // a part may be new that shares a table with one whose rows are passed over
}
