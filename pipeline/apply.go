package pipeline

import (
	"time"

	"rowhook/cdc"
)

// apply lets the engine take in what was read, until a batch is full.
func (p *Pipeline) apply() error {
	for !p.full() {
		switch {
		case p.engine.Applying():
			if err := p.step(p.engine.Step()); err != nil {
				return err
			}
		case len(p.todo) > 0:
			e := p.todo[0]
			p.todo[0] = entry{} // its row may be large
			p.todo = p.todo[1:]
			if err := p.applyEntry(&e); err != nil {
				return err
			}
		default:
			return nil
		}
	}
	return nil
}

func (p *Pipeline) applyEntry(e *entry) error {
	switch e.op {
	case changeEntry:
		p.stale.note(&e.change)
		return p.engine.Change(&e.change)
	case discardEntry:
		return p.engine.Discard(e.keep)
	}
	return p.applyCommit(&e.commit)
}

func (p *Pipeline) applyCommit(c *cdc.Commit) error {
	if c.Txn.ID() == (cdc.Txn{}).ID() {
		p.noteRead(c)
		return nil // only progress
	}
	if c.End.Before(p.seen) { // a replica was promoted
		p.cfg.Loader.Forget()
	}
	p.applying = *c
	p.stale.commit(c, p.cfg.Loader)
	p.tellEmptied(c)
	return p.step(p.engine.Commit(c, time.Now()))
}

// noteRead takes in how far the log was read, and what became known of tables on the way.
func (p *Pipeline) noteRead(c *cdc.Commit) {
	p.seen = c.End
	p.schema = append(p.schema, c.Schema...)
	p.moved = p.moved || len(c.Schema) > 0
}

// step moves the position when the engine has applied all of a transaction, or says that it is in the middle of one.
func (p *Pipeline) step(err error) error {
	if err != nil {
		return err
	}
	if p.moved = true; p.engine.Applying() {
		p.track.Begin(p.applying.Txn)
	} else {
		p.noteRead(&p.applying)
		if err := p.track.Advance(p.applying.Txn); err != nil {
			return err
		}
	}
	p.dispatch()
	return nil
}

// full says whether enough waits for the next commit, or for the lanes.
func (p *Pipeline) full() bool {
	waiting, bytes := p.loading()
	return p.batchFull() || waiting > maxInLanes || bytes > maxLaneBytes
}

func (p *Pipeline) batchFull() bool {
	return len(p.batch) >= batchSize || p.batchBytes >= batchBytes || p.engine.Pending() >= batchRecords
}
