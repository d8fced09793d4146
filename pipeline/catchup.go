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

// endedReading is a second reading that ended by itself.
type endedReading struct {
	of   *detached
	feed *feed
	err  error
}

// catchUp starts the readings of sites that may go on, and says how long nothing is to be done for any.
func (p *Pipeline) catchUp(ctx context.Context, g *errgroup.Group) time.Duration {
	wait, reading := p.sites.stranded.tell(p.cfg.Log), 0
	for _, d := range p.sites.detached {
		if d.feed != nil {
			reading++
			if len(d.todo) > 0 && !p.full() && !p.met(d) && !p.questions.open(d.site) && !p.laden(d) {
				wait = 0
			}
		}
	}
	now := time.Now()
	for _, d := range p.sites.detached {
		if d.feed == nil && d.engine.Applying() && !p.full() && !p.laden(d) {
			wait = 0
		}
		if d.feed != nil || d.fromNow {
			continue
		}
		p.sites.tell(d)
		d.engine.Expire(now) // what is known of it does not wait for what is not
		if at, ok := d.engine.NextDeadline(); ok {
			wait = min(wait, at.Sub(now))
		}
		wait = min(wait, d.told.Add(tellAgain).Sub(now))
		if p.cfg.Beside != nil {
			wait = min(wait, p.sites.askKept(ctx, g, d, func() Follower { return p.cfg.Beside(p.tables(d.site)) }))
		}
		switch {
		case !p.mayTry(d) || p.cfg.Beside == nil:
		case now.Before(d.retry):
			wait = min(wait, d.retry.Sub(now))
		case reading < maxCatchUps:
			reading++
			p.follow(ctx, g, d)
		}
	}
	return max(0, wait)
}

// mayTry says whether a site may go on as far as anybody can say.
func (p *Pipeline) mayTry(d *detached) bool {
	l := p.lanes.all[d.site]
	if p.questions.open(d.site) || d.stop.Full && (len(l.waiting) > 0 || l.held.events > 0) {
		return false
	}
	return !d.stop.Gone && (!d.stop.Decide || d.stop.Accept != nil) && !d.engine.Applying()
}

// follow reads the log for a site from where it stopped.
func (p *Pipeline) follow(ctx context.Context, g *errgroup.Group, d *detached) {
	ctx, cancel := context.WithCancel(ctx)
	f := newFeed(ctx, p.cfg.Sites, p.tables, nil)
	f.ready, f.most = p.sites.ready, feedBytes/4
	if a := d.stop.Accept; a != nil {
		f.accept = &accepting{acceptance: *a, log: p.cfg.Log.With(slog.String("site", d.site.Name))}
	}
	d.feed, d.cancel = f, cancel
	source, at, schema := p.cfg.Beside(p.tables(d.site)), d.cursor.Position(), d.schemaRecords()
	p.cfg.Log.Info("a stopped site catches up", slog.String("site", d.site.ID()), slog.String("position", at.String()))
	g.Go(func() error {
		err := source.Follow(ctx, at, schema, f)
		select {
		case p.sites.ended <- endedReading{d, f, err}:
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

// readingEnded takes in that a site's own reading cannot go on.
func (p *Pipeline) readingEnded(e endedReading) {
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
	if err := p.stopAgain(d, stop); err != nil {
		p.cfg.Log.Error("what was read of a site's transaction cannot be put away", slog.String("site", d.site.Name), slog.Any("error", err))
	}
}

// applyDetached applies what was read for sites that catch up, and takes back those that have.
func (p *Pipeline) applyDetached() error {
	for _, d := range p.sites.detached {
		var err error
		switch {
		case d.fromNow:
			err = p.joinFromNow(d)
		case d.feed != nil || d.engine.Applying():
			err = p.advance(d)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// advance applies what was read for a site, up to where the others are.
func (p *Pipeline) advance(d *detached) error {
	for n := 0; n < turnEntries && !p.full() && !p.laden(d); n++ {
		if d.engine.Applying() { // also when its reading was ended: the next one begins behind that transaction
			if err := p.step(&d.reading, d.engine.Step()); err != nil {
				return err
			}
			continue
		}
		if d.feed == nil {
			return nil
		}
		if d.others {
			return p.readOthers(d)
		}
		if p.met(d) {
			p.meet(d)
			return nil
		}
		if d.refill(); len(d.todo) == 0 {
			return nil
		}
		if d.todo[0].op == commitEntry && p.questions.open(d.site) {
			if reason := p.questions.refused(d.site); reason != "" { // others may catch up meanwhile
				return p.stopAgain(d, Stop{Reason: reason, Fix: d.stop.Fix})
			}
			return nil
		}
		if err := p.applyEntry(&d.reading, d.next()); err != nil {
			return err
		}
	}
	return nil
}

// laden says whether enough of a site's events wait to be loaded.
func (p *Pipeline) laden(d *detached) bool { return len(p.lanes.all[d.site].waiting) >= maxInLanes/8 }

// met says whether a site is where the others are. It passes that place for certain, for both read every transaction.
func (p *Pipeline) met(d *detached) bool { return d.between() && d.lastTxn() == p.lastTxn() }

// meet has a site's rows come with the others', and joins it when they do.
func (p *Pipeline) meet(d *detached) {
	switch {
	case d.carried && p.between():
		p.join(d)
	case !d.asked:
		d.asked = true
		p.feed.want(wish{site: d.site, turn: d.turn})
	}
}

// carried takes in that a site's rows come with the others' from here on.
func (p *Pipeline) carried(site *rules.Site, turn int) {
	if d := p.sites.detached[site]; d != nil && d.turn == turn && d.asked {
		d.carried = true
	}
}

// joinFromNow gives up what lies between a site's position and the others'.
func (p *Pipeline) joinFromNow(d *detached) error {
	if !d.asked {
		d.asked = true
		p.feed.want(wish{site: d.site, turn: d.turn})
	}
	for d.engine.Applying() {
		if err := d.engine.Step(); err != nil {
			return err
		}
	}
	if d.carried && p.between() {
		p.join(d)
	}
	return nil
}
