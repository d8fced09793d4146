package pipeline

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"rowhook/loader"
	"rowhook/retry"
	"rowhook/rules"
)

// lanes load the events of all sites. The loop owns them; a goroutine a batch asks the database.
type lanes struct {
	loader *loader.Loader
	log    *slog.Logger
	emit   func(ev *rules.Event, payloads []loader.Payload) // makes deliveries of an event

	all    map[*rules.Site]*lane
	active map[*lane]bool // the others rest
	held   load           // in all of them
	loaded chan loaded
}

// lane loads the events of one site, in their order. Sites do not wait for each other, and neither do a site's objects:
// what cannot be loaded is held (held.go), and later events of the same objects with it, while others go on.
type lane struct {
	site    *rules.Site
	waiting []*rules.Event // to be loaded, in their order
	weight  int            // of those, in bytes
	busy    bool           // a batch is being loaded
	held    held
	outage  outage
}

// maxHeldBytes is how much may be held, some ten thousand bookings, before the reader waits too. At half of it the sites that
// hold the most are detached, so that the log keeps their events.
const maxHeldBytes = 24 << 20

// laneBatch is how many events are loaded from one snapshot, laneBytes of how many bytes at most.
const (
	laneBatch = 256
	laneBytes = 4 << 20
)

// loaded is a batch that is back, or the first part of it.
type loaded struct {
	lane   *lane
	events []*rules.Event
	done   []outcome // of the first events, or of all
	probe  bool      // the events are held ones, one for each reason
	err    error     // the database did not answer; nil: all else
}

// outcome is what became of an event: payloads, or why there are none.
type outcome struct {
	payloads []loader.Payload
	err      error
}

func newLanes(sites []*rules.Site, l *loader.Loader, log *slog.Logger, emit func(*rules.Event, []loader.Payload)) *lanes {
	ls := &lanes{loader: l, log: log, emit: emit, all: make(map[*rules.Site]*lane, len(sites)), active: map[*lane]bool{}, loaded: make(chan loaded)}
	for _, s := range sites {
		ls.add(s)
	}
	return ls
}

// add takes in a site.
func (ls *lanes) add(s *rules.Site) { ls.all[s] = &lane{site: s, held: held{all: &ls.held}} }

// take makes payloads of an event: at once where the log showed all that is needed and no earlier event of the site waits.
func (ls *lanes) take(ev *rules.Event) {
	l := ls.all[ev.Site]
	if l.held.follow(ev) {
		return
	}
	if l.idle() {
		if payloads, ok := ls.loader.Immediate(ev); ok {
			ls.emit(ev, payloads)
			return
		}
	}
	l.push(ev)
	ls.active[l] = true
}

// push has an event wait behind the others.
func (l *lane) push(ev *rules.Event) {
	l.waiting = append(l.waiting, ev)
	l.weight += ev.Weight
}

// putBack has events wait before the others.
func (l *lane) putBack(events []*rules.Event) {
	for _, ev := range events {
		l.weight += ev.Weight
	}
	l.waiting = slices.Concat(events, l.waiting)
}

// rests says whether the lane has nothing to do.
func (l *lane) rests() bool { return l.idle() && l.held.events == 0 }

// idle says whether an event of the site overtakes nothing but events of other objects that are held.
func (l *lane) idle() bool { return !l.busy && len(l.waiting) == 0 }

// feed has the next events of each site loaded unless enough is, and says how long nothing is to be done.
func (ls *lanes) feed(ctx context.Context, g *errgroup.Group, enough bool) time.Duration {
	wait := time.Hour
	for l := range ls.active {
		if l.rests() {
			delete(ls.active, l)
			continue
		}
		if !enough {
			ls.load(ctx, g, l)
		}
		ls.tellHeld(l)
		if l.busy || enough {
			continue // it says when it is not, and so does the commit
		}
		if at, ok := l.held.next(); ok {
			wait = min(wait, max(time.Until(at), time.Until(l.outage.next)))
		}
		if len(l.waiting) > 0 {
			wait = min(wait, time.Until(l.outage.next))
		}
	}
	return max(0, wait)
}

// load has the next batch loaded when the lane is free: events that may be tried again first.
func (ls *lanes) load(ctx context.Context, g *errgroup.Group, l *lane) {
	now := time.Now()
	if l.busy || now.Before(l.outage.next) {
		return
	}
	events, probe := l.held.probes(now), true
	if len(events) == 0 {
		events, probe = l.batch(), false
	}
	if len(events) == 0 {
		return
	}
	l.busy = true
	g.Go(func() error {
		back := loaded{lane: l, events: events, probe: probe}
		back.done, back.err = loadSingly(ctx, ls.loader, events)
		select {
		case ls.loaded <- back:
		case <-ctx.Done():
		}
		return nil
	})
}

// batch takes the next events that no earlier one of their objects holds back.
func (l *lane) batch() []*rules.Event {
	var batch []*rules.Event
	n, bytes := 0, 0
	for ; n < len(l.waiting) && len(batch) < laneBatch && bytes < laneBytes; n++ {
		ev := l.waiting[n]
		l.weight -= ev.Weight
		if l.held.follow(ev) {
			continue
		}
		batch = append(batch, ev)
		bytes += ev.Row.Size()
	}
	l.waiting = l.waiting[n:]
	return batch
}

// loadSingly loads events; where one of them cannot be, it finds out which, and loads the others. The error is an
// outage's.
func loadSingly(ctx context.Context, ld *loader.Loader, events []*rules.Event) ([]outcome, error) {
	payloads, err := ld.Load(ctx, events)
	switch {
	case err == nil:
		done := make([]outcome, len(payloads))
		for i := range payloads {
			done[i].payloads = payloads[i]
		}
		return done, nil
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case loader.TroubleOf(err) == loader.Outage:
		return nil, err
	case len(events) == 1 && loader.TroubleOf(err) == loader.Unfit:
		return []outcome{{ld.Shown(events[0]), err}}, nil
	case len(events) == 1:
		return []outcome{{nil, err}}, nil
	}
	half := len(events) / 2
	done, err := loadSingly(ctx, ld, events[:half])
	if err != nil || len(done) < half {
		return done, err
	}
	more, err := loadSingly(ctx, ld, events[half:])
	return append(done, more...), err
}

// back takes in a batch that was loaded.
func (ls *lanes) back(b loaded) {
	l := b.lane
	l.busy = false
	if b.err == nil {
		l.outage.over(ls.log, l.site)
	} else if !errors.Is(b.err, context.Canceled) {
		l.outage.note(ls.log, l.site, b.err)
	}
	if b.probe {
		ls.probed(b)
		return
	}
	for i, o := range b.done {
		ev := b.events[i]
		switch {
		case l.held.follow(ev): // an earlier event of this batch is held
		case o.payloads == nil && o.err != nil:
			l.held.add(ev, o.err)
		default:
			ls.emitLoaded(ev, o)
		}
	}
	l.putBack(b.events[len(b.done):])
}

// emitLoaded makes deliveries of an event, and says so where they hold what the log showed only.
func (ls *lanes) emitLoaded(ev *rules.Event, o outcome) {
	if o.err != nil && len(o.payloads) > 0 {
		ls.log.Warn("an event is delivered as the log shows it, for its data cannot be read", slog.String("site", ev.Site.Name),
			slog.String("event", ev.String()), slog.Any("error", o.err))
	}
	ls.emit(ev, o.payloads)
}

// outage is a database that does not answer one lane.
type outage struct {
	wait time.Duration
	next time.Time // of another try
	text string    // of the last error; empty: none
	said retry.Trouble
}

const (
	firstOutageWait   = 100 * time.Millisecond
	longestOutageWait = 10 * time.Second
	// seeCheck is what to type when the database does not answer: it knows what that means, and what to do.
	seeCheck = "rowhook check"
	// tellAgain is after what time a trouble that lasts is logged once more.
	tellAgain = time.Hour
)

// over notes that the database answered.
func (o *outage) over(log *slog.Logger, site *rules.Site) {
	if lasted, was := o.said.Over(); was {
		log.Info("the database answers again, payloads are loaded", slog.String("site", site.Name), slog.Duration("after", lasted.Round(time.Second)))
	}
	*o = outage{}
}

func (o *outage) note(log *slog.Logger, site *rules.Site, err error) {
	now := time.Now()
	o.wait = min(max(firstOutageWait, 2*o.wait), longestOutageWait)
	o.next = now.Add(o.wait/2 + rand.N(o.wait/2))
	o.text = err.Error()
	if o.said.Worth(err) {
		log.Error("payloads cannot be loaded, for the database does not answer; events wait until it does", slog.String("site", site.Name),
			slog.Any("error", err), slog.Time("since", o.said.Since()), slog.String("fix", seeCheck))
	}
}
