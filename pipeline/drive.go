package pipeline

import (
	"errors"
	"time"

	"rowhook/cdc"
	"rowhook/rules"
	"rowhook/rules/events"
)

// drive takes an engine through the log: what a reader hands over becomes events. The daemon has one for all sites and one for each
// that catches up; a dry run, whose Replay is, has one as well.
type drive struct {
	engine   *events.Engine
	applying cdc.Commit // the last one; the engine says whether all of it is applied
	gathered bool       // changes of a transaction that is not committed yet
}

// change takes in a change. MisfitErrors say that it is left out, and whose row it is.
func (d *drive) change(c *cdc.Change) (misfits events.MisfitErrors, err error) {
	d.gathered = true
	err = d.engine.Change(c)
	if m, ok := errors.AsType[events.MisfitErrors](err); ok {
		return m, nil
	}
	return nil, err
}

// discard keeps the first changes of the transaction that is being read.
func (d *drive) discard(keep int) error {
	d.gathered = d.gathered && keep > 0
	return d.engine.Discard(keep)
}

// commit makes events of the transaction that was read at now, of a large one only the first: until between says that all is
// applied, engine.Step goes on.
func (d *drive) commit(c *cdc.Commit, now time.Time) error {
	d.applying, d.gathered = *c, false
	return d.engine.Commit(c, now)
}

// between says whether what is applied ends with a transaction, of which all is visible.
func (d *drive) between() bool { return !d.gathered && !d.engine.Applying() }

// Replay is a cdc.Sink that has rules make events of a part of the log, by the log's own clock: nothing is loaded, stored or
// delivered.
type Replay struct {
	drive
	to     ReplayTo
	tick   time.Duration
	failed error // of a Discard
}

// ReplayTo takes what a Replay finds. Its errors end the reading.
type ReplayTo interface {
	Event(*rules.Event) error          // in the order in which they would be delivered
	Committed(*cdc.Commit) error       // behind the events of a transaction, or when only the log was read on
	LeftOut(*events.MisfitError) error // a row of which no event can be made
}

// NewReplay makes a Replay; the log's clock has opts.Precision.
func NewReplay(sites []*rules.Site, set *rules.Set, opts events.Options, to ReplayTo) *Replay {
	return &Replay{drive: drive{engine: events.NewEngine(sites, set, opts)}, to: to, tick: opts.Precision}
}

// Change is cdc.Sink.
func (r *Replay) Change(c *cdc.Change) error {
	misfits, err := r.change(c)
	for _, misfit := range misfits {
		err = errors.Join(err, r.to.LeftOut(misfit))
	}
	return err
}

// Discard is cdc.Sink.
func (r *Replay) Discard(keep int) { r.failed = errors.Join(r.failed, r.discard(keep)) }

// Commit is cdc.Sink.
func (r *Replay) Commit(c *cdc.Commit) error {
	if r.failed != nil || c.IsProgress() {
		return errors.Join(r.failed, r.to.Committed(c))
	}
	r.engine.Expire(c.Time) // the log's clock is the only one
	err := r.commit(c, c.Time.Truncate(r.tick).Add(r.tick))
	for err == nil && r.engine.Applying() {
		if err = r.drain(); err == nil {
			err = r.engine.Step()
		}
	}
	if err == nil {
		err = r.drain()
	}
	return errors.Join(err, r.to.Committed(c))
}

// Close closes what is open, as if nothing came any more.
func (r *Replay) Close() error {
	const century = 100 * 365 * 24 * time.Hour
	r.engine.Expire(time.Now().Add(century))
	return r.drain()
}

// drain hands out what closed. Nothing has to be stored: the records of what is open are only taken away.
func (r *Replay) drain() error {
	for _, ev := range r.engine.Closed() {
		if len(ev.Rules) > 0 {
			if err := r.to.Event(ev); err != nil {
				return err
			}
		}
		r.engine.Done(ev)
	}
	_, err := r.engine.TakeRecords()
	return err
}
