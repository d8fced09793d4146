package pipeline

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"golang.org/x/sync/errgroup"

	"rowhook/cdc"
	"rowhook/rules"
)

const (
	firstSiteWait   = time.Second
	longestSiteWait = time.Minute
	// maxCatchUps bounds how many sites catch up at a time: each reads the log on a connection of its own.
	maxCatchUps = 2
	// turnEntries is how much of a site that catches up is applied before the others' turn.
	turnEntries = 512
)

// catchUp reads the log for sites that are detached, from where each stopped to where the others are.
type catchUp struct {
	*sites
	apply applier
}

// applier applies what was read.
type applier interface {
	applyEntry(r *reading, e entry) error
	step(r *reading, err error) error // of an engine, in the middle of a transaction
	full() bool                       // enough is applied for now
}

// endedReading is a second reading that ended by itself.
type endedReading struct {
	of   *detached
	feed *feed
	err  error
}

// start starts the readings of sites that may go on, and says how long nothing is to be done for any.
func (c *catchUp) start(ctx context.Context, g *errgroup.Group) time.Duration {
	wait, reading := c.stranded.tell(c.cfg.Log), 0
	for _, d := range c.detached {
		if d.feed != nil {
			reading++
			if len(d.todo) > 0 && !c.apply.full() && !c.met(d) && !c.questions.open(d.site) && !c.laden(d) {
				wait = 0
			}
		}
	}
	now := time.Now()
	for _, d := range c.detached {
		if d.feed == nil && d.engine.Applying() && !c.apply.full() && !c.laden(d) {
			wait = 0
		}
		if d.feed != nil || d.fromNow {
			continue
		}
		c.tell(d)
		d.engine.Expire(now) // what is known of it does not wait for what is not
		if at, ok := d.engine.NextDeadline(); ok {
			wait = min(wait, at.Sub(now))
		}
		wait = min(wait, d.told.Add(tellAgain).Sub(now))
		if c.cfg.Beside != nil {
			wait = min(wait, c.askKept(ctx, g, d, func() Follower { return c.cfg.Beside(c.tables(d.site)) }))
		}
		switch {
		case !c.mayTry(d) || c.cfg.Beside == nil:
		case now.Before(d.retry):
			wait = min(wait, d.retry.Sub(now))
		case reading < maxCatchUps:
			reading++
			c.follow(ctx, g, d)
		}
	}
	return max(0, wait)
}

// mayTry says whether a site may go on as far as anybody can say.
func (c *catchUp) mayTry(d *detached) bool {
	l := c.lanes.all[d.site]
	if c.questions.open(d.site) || d.stop.Full && (len(l.waiting) > 0 || l.held.events > 0) {
		return false
	}
	return !d.stop.Gone && (!d.stop.Decide || d.stop.Accept != nil) && !d.engine.Applying()
}

// follow reads the log for a site from where it stopped.
func (c *catchUp) follow(ctx context.Context, g *errgroup.Group, d *detached) {
	ctx, cancel := context.WithCancel(ctx)
	f := newFeed(ctx, func() []*rules.Site { return []*rules.Site{d.site} }, c.tables, nil)
	f.ready, f.most = c.ready, feedBytes/4
	if a := d.stop.Accept; a != nil {
		f.accept = &accepting{acceptance: *a, log: c.cfg.Log.With(slog.String("site", d.site.Name))}
	}
	d.feed, d.cancel = f, cancel
	source, at, schema := c.cfg.Beside(c.tables(d.site)), d.cursor.Position(), d.schemaRecords()
	c.cfg.Log.Info("a stopped site catches up", slog.String("site", d.site.ID()), slog.String("position", at.String()))
	g.Go(func() error {
		err := source.Follow(ctx, at, schema, f)
		select {
		case c.ended <- endedReading{d, f, err}:
		case <-ctx.Done():
		}
		return nil
	})
}

// accepting is an acceptance for the goroutine that reads.
type accepting struct {
	acceptance
	over bool // the log is read to where it was given
	log  *slog.Logger
}

// covers says whether a trouble was accepted.
func (a *accepting) covers(t *cdc.TableError) bool {
	if a == nil || a.over || t.Table.String() != a.Table {
		return false
	}
	a.log.Warn("what the log does not show is left out, as a person decided", slog.String("table", a.Table),
		slog.String("transaction", t.Txn.ID()), slog.Any("reason", t))
	return true
}

// passed takes in that a transaction was read.
func (a *accepting) passed(c *cdc.Commit) {
	if a != nil && c.Txn.ID() == a.Until {
		a.over = true
	}
}

// takeEnd takes in that a site's own reading cannot go on.
func (c *catchUp) takeEnd(e endedReading) {
	d := e.of
	if d.feed != e.feed || e.err == nil || errors.Is(e.err, context.Canceled) {
		return
	}
	stop := Stop{Reason: e.err.Error(), Decide: true}
	if s, ok := errors.AsType[*cdc.StopError](e.err); ok {
		stop.Reason, stop.At = s.Reason, s.At
		if s.Gone {
			stop = d.stop.purged(s.Reason)
		}
	}
	if err := c.stopAgain(d, stop); err != nil {
		c.cfg.Log.Error("what was read of a site's transaction cannot be put away", slog.String("site", d.site.Name), slog.Any("error", err))
	}
}

// applyAll applies what was read for sites that catch up, and takes back those that have.
func (c *catchUp) applyAll() error {
	for _, d := range c.detached {
		var err error
		switch {
		case d.fromNow:
			err = c.joinFromNow(d)
		case d.feed != nil || d.engine.Applying():
			err = c.advance(d)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// advance applies what was read for a site, up to where the others are.
func (c *catchUp) advance(d *detached) error {
	for n := 0; n < turnEntries && !c.apply.full() && !c.laden(d); n++ {
		if d.engine.Applying() { // also when its reading was ended: the next one begins behind that transaction
			if err := c.apply.step(&d.reading, d.engine.Step()); err != nil {
				return err
			}
			continue
		}
		if d.feed == nil {
			return nil
		}
		if c.met(d) {
			c.meet(d)
			return nil
		}
		if d.refill(); len(d.todo) == 0 {
			return nil
		}
		if d.todo[0].op == commitEntry && c.questions.open(d.site) {
			if reason := c.questions.refused(d.site); reason != "" { // others may catch up meanwhile
				return c.stopAgain(d, Stop{Reason: reason, Fix: d.stop.Fix})
			}
			return nil
		}
		if err := c.apply.applyEntry(&d.reading, d.next()); err != nil {
			return err
		}
	}
	return nil
}

// laden says whether enough of a site's events wait to be loaded.
func (c *catchUp) laden(d *detached) bool { return len(c.lanes.all[d.site].waiting) >= maxInLanes/8 }

// met says whether a site is where the others are. It passes that place for certain, for both read every transaction.
func (c *catchUp) met(d *detached) bool { return d.between() && d.lastTxn() == c.common.lastTxn() }

// meet has a site's rows come with the others', and joins it when they do.
func (c *catchUp) meet(d *detached) {
	switch {
	case d.carried && c.common.between():
		c.join(d)
	case !d.asked:
		d.asked = true
		c.common.feed.want(wish{site: d.site, turn: d.turn})
	}
}

// carried takes in that a site's rows come with the others' from here on.
func (c *catchUp) carried(site *rules.Site, turn int) {
	if d := c.detached[site]; d != nil && d.turn == turn && d.asked {
		d.carried = true
	}
}

// joinFromNow gives up what lies between a site's position and the others'.
func (c *catchUp) joinFromNow(d *detached) error {
	if !d.asked {
		d.asked = true
		c.common.feed.want(wish{site: d.site, turn: d.turn})
	}
	for d.engine.Applying() {
		if err := d.engine.Step(); err != nil {
			return err
		}
	}
	if d.carried && c.common.between() {
		c.join(d)
	}
	return nil
}
