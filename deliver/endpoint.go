package deliver

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"rowhook/outbox"
)

const (
	// reloadGrace is what requests on their way get when the rules change.
	reloadGrace = time.Second
	// settleGrace is what recording the last outcomes gets.
	settleGrace = 5 * time.Second
)

// Why an endpoint is stopped while others go on.
var (
	errReload = errors.New("the rules change")
	errMoved  = errors.New("its term is over")
)

// endpoint is everything that goes to one scheme, host and port, or order group. The goroutine of run claims deliveries and
// owns all timers; senders, started on demand, take what is ready themselves. It brings together parts of which none knows it:
//
//	claimer   fills the window from the outbox
//	window    what was claimed: its order, and what is due
//	pacer     keeps requests apart
//	pool      the senders
//	health    who is in trouble, and whose matter a failure is
//	schedule  when a delivery is tried again, and when it is given up
//	settler   hands outcomes to the outbox
//	pauser    what of the pauses is to be read or stored
//
// mu guards all of them but the settler and the pauser, which have locks of their own. No lock is held while the outbox or a
// receiver is asked: who holds mu waits for nobody.
type endpoint struct {
	name    string
	term    outbox.Term // of this process's lease; the worker's mu guards it
	rules   []string
	opts    *Options
	log     *slog.Logger
	pauses  *pauses
	targets func(rule string) *target
	settler settler
	pauser  pauser

	stop context.CancelCauseFunc // ends run
	over chan struct{}           // closed when it has ended and its name is free
	wake chan struct{}           // holds a token when run has something to look at

	mu       sync.Mutex
	win      *window
	claimer  claimer
	health   health
	schedule schedule
	pacer    *pacer // nil: as fast as it takes them
	pool     pool
	stopping bool
	paused   bool
	looks    time.Time       // when run looks again by itself
	inFlight int             // requests
	post     context.Context //nolint:containedctx // of all requests: cut off at the end
	settle   context.Context //nolint:containedctx // of recording outcomes
	failed   error           // why the outbox is of no use any more
}

func newEndpoint(w *Worker, name string, rules []string, term outbox.Term) *endpoint {
	limit := w.opts.Limits[name]
	e := &endpoint{
		name: name, term: term, rules: rules,
		opts: &w.opts, log: w.log.With(slog.String("endpoint", name)), pauses: w.pauses,
		targets: func(rule string) *target { return (*w.targets.Load())[rule] },
		settler: settler{queue: w.store},
		over:    make(chan struct{}), wake: make(chan struct{}, 1),
		win: newWindow(w.opts.maxItems), schedule: schedule{waits: w.opts.Schedule, maxAge: w.opts.MaxAge, began: time.Now()},
		pacer: newPacer(limit.Every),
	}
	e.pauser = pauser{name: name, pauses: w.pauses, log: e.log, look: true, unread: w.share.leases != nil}
	e.health = health{log: e.log, urls: newURLs(), outages: w.outagesOf(name)}
	e.claimer = claimer{name: name, queue: w.store, settler: &e.settler, log: e.log, admit: e.admit, mu: &e.mu, win: e.win, more: true}
	e.pool = pool{
		most: cmp.Or(limit.Concurrency, w.opts.Concurrency), poster: w.poster, take: e.take, deliver: e.deliver, mu: &e.mu, quit: make(chan struct{}),
	}
	return e
}

// run delivers until ctx ends, and then waits for what is in flight.
func (e *endpoint) run(ctx context.Context) error {
	var cut, unsettled context.CancelFunc
	e.post, cut = context.WithCancel(context.WithoutCancel(ctx))
	defer cut()
	e.settle, unsettled = context.WithCancel(context.WithoutCancel(ctx))
	defer unsettled()
	timer := time.NewTimer(0)
	defer timer.Stop()
	for ctx.Err() == nil {
		next, err := e.turn(ctx)
		if err != nil && ctx.Err() == nil {
			e.leave(ctx, err, cut, unsettled)
			return err
		}
		timer.Reset(max(time.Until(next), 0))
		select {
		case <-ctx.Done():
		case <-e.wake:
		case <-timer.C:
		case <-e.claimer.queue.Wake(e.name):
			e.mu.Lock()
			e.claimer.more = true
			e.mu.Unlock()
		}
	}
	e.leave(ctx, context.Cause(ctx), cut, unsettled)
	return nil
}

// turn does all there is to do now, and tells when it has to look again.
func (e *endpoint) turn(ctx context.Context) (next time.Time, err error) {
	for {
		if err := e.obey(ctx); err != nil {
			return next, err
		}
		e.mu.Lock()
		now := time.Now()
		if err := e.failed; err != nil {
			e.mu.Unlock()
			return next, err
		}
		if !e.stopped() {
			e.claimer.unshelve(now)
			e.win.awake(now)
			for _, it := range e.health.urls.probes(now) {
				e.win.release(it, now)
			}
		}
		e.rouse(now)
		work := e.work(now)
		next = e.next(now)
		e.looks = next
		e.mu.Unlock()
		if work == nil {
			return next, nil
		}
		if err := work(ctx); err != nil {
			return next, err
		}
	}
}

// obey does what persons and answers of 410 say: it pauses, or goes on. What cannot be read is asked for again later, and nothing is
// claimed meanwhile.
func (e *endpoint) obey(ctx context.Context) error {
	if !e.pauser.stale() {
		return nil
	}
	targets := make(map[string]*target, len(e.rules))
	var urls []string
	for _, rule := range e.rules {
		if t := e.targets(rule); t != nil {
			targets[rule] = t
			urls = append(urls, t.url)
		}
	}
	err := e.pauser.update(ctx, targets)
	e.mu.Lock()
	defer e.mu.Unlock()
	if err != nil {
		return e.claimer.fails(ctx, err)
	}
	if e.health.urls.set(urls) {
		e.forget()
	}
	whole := e.pauses.of(e.name)
	e.schedule.resumed = e.pauses.resumed(whole)
	again := false
	for _, url := range urls {
		u, h := e.health.urls.of(url), e.pauses.of(pauseName(url))
		u.resumed = e.pauses.resumed(h)
		paused := h.pause() != nil || e.pauser.pausing(url) // that may have come in the meantime
		again = again || paused != u.paused
		u.paused = paused
	}
	paused := whole.pause() != nil || e.health.urls.paused()
	if paused != e.paused || again {
		// Either way everything that is not in flight lies in the outbox then, and what goes on does so from the beginning.
		e.paused = paused
		e.health.reset(time.Now())
		e.forget()
		e.claimer.hurry()
	}
	return nil
}

// stopped tells whether nothing but probes is sent; mu is held.
func (e *endpoint) stopped() bool { return e.paused || e.health.down() }

// work is what is to be read from the outbox now, nil when nothing is; mu is held.
func (e *endpoint) work(now time.Time) func(context.Context) error {
	switch {
	case e.paused || now.Before(e.claimer.rest):
		return nil
	case e.health.down():
		if len(e.win.items) == 0 && !now.Before(e.health.breaker.until) && !now.Before(e.pacer.next()) {
			return e.probe
		}
		return nil
	case len(e.win.bare) > 0 && (len(e.win.ready) == 0 || e.win.roomy()):
		return e.claimer.reload
	case e.claimer.ready():
		return e.claimer.claim
	}
	return nil
}

// next is when there is something to do if nothing happens before; mu is held.
func (e *endpoint) next(now time.Time) time.Time {
	at := now.Add(time.Hour)
	sooner := func(t time.Time) {
		if !t.IsZero() && t.Before(at) {
			at = t
		}
	}
	switch {
	case len(e.win.ready) > 0 && e.pacer.next().After(now):
		sooner(e.pacer.next())
	case e.health.down() && !e.paused:
		if len(e.win.items) == 0 {
			sooner(latest(e.health.breaker.until, e.pacer.next()))
		}
	}
	if !e.stopped() {
		if len(e.win.later) > 0 {
			sooner(e.win.later[0].due)
		}
		sooner(e.health.urls.next())
		sooner(e.claimer.again())
	}
	if now.Before(e.claimer.rest) {
		return e.claimer.rest
	}
	return at
}

// leave waits for what is in flight, cuts off what takes too long, and records what was accepted. What failed meanwhile
// was not an attempt of full length and is none.
func (e *endpoint) leave(ctx context.Context, why error, cut, unsettled context.CancelFunc) {
	e.mu.Lock()
	e.stopping = true
	e.mu.Unlock()
	close(e.pool.quit)
	grace := e.opts.Grace
	if e.opts.Leases != nil {
		grace = min(grace, e.opts.Handover) // another process waits for it
	}
	switch {
	case e.opts.Leases != nil && e.opts.MayPost != nil && !e.opts.MayPost():
		grace = 0 // another one may post the same by now
	case errors.Is(why, errReload), errors.Is(why, outbox.ErrFenced):
		grace = min(grace, reloadGrace)
	}
	defer time.AfterFunc(grace, cut).Stop()
	defer time.AfterFunc(grace+settleGrace, unsettled).Stop()
	e.pool.running.Wait()
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), settleGrace)
	defer cancel()
	if err := e.settler.flush(last); err != nil {
		e.log.Error("the last outcomes are not recorded; these deliveries are sent again",
			slog.Int("outcomes", e.settler.left()), slog.Any("error", err))
	}
	e.pauser.store(last)
}

// poke makes run look.
func (e *endpoint) poke() { signal(e.wake) }

// reconsider makes run look at what is paused.
func (e *endpoint) reconsider() {
	e.pauser.again(false)
	e.poke()
}

// restart makes the endpoint claim anew from the beginning of what is undelivered: a person changed something of it.
func (e *endpoint) restart() {
	e.mu.Lock()
	e.forget()
	e.mu.Unlock()
	e.poke()
}

// anew makes the endpoint look at everything once more: another process changed what it has, or what is paused.
func (e *endpoint) anew() {
	e.pauser.again(true)
	e.mu.Lock()
	e.forget()
	e.mu.Unlock()
	e.poke()
}

// forget leaves everything that is not in flight to the outbox, and claims it anew later; mu is held.
func (e *endpoint) forget() {
	e.win.forget()
	e.health.urls.forget()
	e.claimer.rewind(0)
}

// fail takes in that the outbox is of no use any more.
func (e *endpoint) fail(err error) {
	e.mu.Lock()
	e.failed = err
	e.mu.Unlock()
	e.poke()
}

// admit makes an item of what was claimed, unless its URL is paused; mu is held.
func (e *endpoint) admit(s *outbox.Stored, now time.Time) *item {
	u := e.urlOf(s.Rule)
	if u != nil && u.paused {
		return nil
	}
	it := &item{Stored: s, url: u, lying: now.Add(-s.Age), due: e.schedule.due(s, now)}
	if s.Last != nil {
		it.tried = s.Last.At
		it.failing = now.Add(-s.Failing)
	}
	return it
}

// urlOf is the URL that a rule posts to, nil when the rule is gone; mu is held.
func (e *endpoint) urlOf(rule string) *urlState {
	if t := e.targets(rule); t != nil {
		return e.health.urls.of(t.url)
	}
	return nil
}
