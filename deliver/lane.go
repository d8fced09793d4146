package deliver

import (
	"cmp"
	"container/heap"
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"rowhook/outbox"
)

const (
	// maxHot and maxHotBytes bound what a lane holds with bodies: more is parked.
	maxHot      = 2000
	maxHotBytes = 8 << 20
	// maxItems bounds what it holds altogether. Without its body a delivery takes half a kilobyte.
	maxItems = 20_000
	// sampleWhileDown is how many fresh deliveries a lane wants for a dead endpoint, though they are parked: a probe with
	// another delivery tells an endpoint that is dead from a delivery that it cannot take.
	sampleWhileDown = 64
	// readAgain is when reading back is tried again after it failed.
	readAgain = time.Second
	// reloadGrace is what requests on their way get when the rules change.
	reloadGrace = time.Second
	// settleGrace is what recording the last outcomes gets.
	settleGrace = 5 * time.Second
)

// errReload is why a lane is stopped when the rules change: what it holds in memory only is parked.
var errReload = errors.New("the rules change")

// lane is everything that goes to one endpoint. The goroutine of run owns it; what others see is behind mu.
type lane struct {
	*Worker
	name   string
	rules  []string
	atOnce int                     // requests
	limit  *rate.Limiter           // of requests; nil: none
	stop   context.CancelCauseFunc // ends run
	done   chan struct{}           // closed when run has ended

	jobs    chan job    // for the senders; holds as many as there may be in flight
	results chan result // from the senders; the same
	senders int
	wake    chan struct{} // holds a token when there is something in inbox

	items    map[int64]*item
	order    order
	ready    []*item // nothing is before them, and they are due
	bare     []*item // the same, but their bodies must be read first
	later    dueHeap // nothing is before them, and they wait for their next attempt
	inFlight int
	hot      load // items with bodies
	outcomes []outbox.Outcome

	slot    time.Time // when the rate allows the next request, if it did not allow the last
	paused  bool      // as of this turn
	gone    string    // the answer that says that the endpoint is to be paused; empty: none
	resumed time.Time // before this no delivery's age counts; zero: it always does

	cursor  int64     // what is parked has a higher Seq
	forgive bool      // what is read back is due at once: the endpoint was down
	rest    time.Time // no reading before: it failed
	breaker *breaker
	success time.Time // when the last delivery was accepted
	lastErr string

	mu       sync.Mutex
	inbox    []*outbox.Delivery
	arrived  load  // inbox
	held     load  // hot, as of the last turn
	many     bool  // it holds maxItems, as of the last turn
	starved  bool  // the router waits for room
	down     bool  // the endpoint is, or is paused
	again    bool  // a person wants deliveries sent again: look for them
	parking  bool  // something is parked: fresh deliveries are too, or they would overtake it
	parked   int   // how many were since parking began
	lastSeen int64 // the last one that was parked
	readTo   int64 // what is offered up to here was read from the outbox already
	counted  int   // what the brake counts
	status   EndpointStatus
}

// load is an amount of deliveries with bodies.
type load struct{ n, bytes int }

func (l *load) add(d *outbox.Delivery)    { l.n++; l.bytes += len(d.Body) }
func (l *load) remove(d *outbox.Delivery) { l.n--; l.bytes -= len(d.Body) }

// newLane makes a lane. It starts as if something were parked: the outbox may hold deliveries of an earlier run.
func newLane(w *Worker, name string, rules []string) *lane {
	limit := w.opts.Limits[name]
	n := cmp.Or(limit.Concurrency, w.opts.Concurrency)
	return &lane{
		Worker: w, name: name, rules: rules, atOnce: n, limit: newLimiter(limit.Every), done: make(chan struct{}),
		jobs: make(chan job, n), results: make(chan result, n), wake: make(chan struct{}, 1),
		items: make(map[int64]*item), order: newOrder(), breaker: newBreaker(), parking: true,
		status: EndpointStatus{Name: name, Rules: rules, Parked: true},
	}
}

// run delivers until ctx ends, and then waits for what is in flight.
func (l *lane) run(ctx context.Context) error {
	defer close(l.done)
	hard, cut := context.WithCancel(context.WithoutCancel(ctx))
	var senders sync.WaitGroup
	defer senders.Wait()
	defer close(l.jobs)
	defer cut()
	send := func() {
		for j := range l.jobs {
			l.results <- l.post(hard, ctx.Done(), j)
		}
	}
	start := func() { senders.Go(send) }

	timer := time.NewTimer(0)
	defer timer.Stop()
	for ctx.Err() == nil {
		if err := l.turn(ctx, start); err != nil {
			if ctx.Err() != nil {
				break
			}
			return err
		}
		timer.Reset(l.pause(time.Now()))
		select {
		case <-ctx.Done():
		case <-l.wake:
		case <-timer.C:
		case r := <-l.results:
			l.finish(r)
		}
	}
	return l.leave(ctx, cut)
}

// turn does all there is to do now.
func (l *lane) turn(ctx context.Context, start func()) error {
	for more := true; more; {
		select {
		case r := <-l.results:
			l.finish(r)
		default:
			more = false
		}
	}
	l.obey(ctx)
	l.takeInbox()
	l.wakeDue(time.Now())
	if err := l.flush(ctx); err != nil {
		return err
	}
	if err := l.readBack(ctx, start); err != nil {
		return err
	}
	l.dispatch(start)
	if err := l.flush(ctx); err != nil {
		return err
	}
	l.publish()
	return nil
}

// pause is how long run may wait when nothing happens.
func (l *lane) pause(now time.Time) time.Duration {
	const idle = time.Hour
	at := now.Add(idle)
	if l.mayProbe() {
		if at = l.breaker.next(now); at.Before(l.slot) {
			at = l.slot
		}
	} else if !l.stopped() && (len(l.bare) > 0 && l.inFlight < l.atOnce || l.mayRefill()) {
		at = now
	}
	if len(l.ready) > 0 && l.inFlight < l.atOnce && l.slot.Before(at) {
		at = l.slot
	}
	if !l.stopped() && len(l.later) > 0 && l.later[0].due.Before(at) {
		at = l.later[0].due
	}
	if at.Before(l.rest) {
		at = l.rest
	}
	return max(at.Sub(now), 0)
}

// takeInbox puts what the router handed over into the queue.
func (l *lane) takeInbox() {
	l.mu.Lock()
	list := l.inbox
	l.inbox, l.arrived = nil, load{}
	if len(list) > 0 && !l.parking { // else what is parked may begin before them: a person wants old ones again
		l.cursor = list[len(list)-1].Seq
	}
	for _, d := range list {
		l.hot.add(d)
	}
	l.held = l.hot
	l.mu.Unlock()
	for _, d := range list {
		l.add(&item{d: d, loaded: true})
	}
}

// add puts an item, which hot counts already if it has its body, behind all earlier ones.
func (l *lane) add(it *item) {
	l.items[it.d.Seq] = it
	behindBare := false
	for _, key := range it.keys() {
		before := l.order.last[key]
		behindBare = behindBare || before != nil && !before.loaded
	}
	l.order.add(it)
	switch {
	case it.waits == 0:
		l.enqueue(it)
	case behindBare: // for long, perhaps
		l.unload(it)
	}
}

// enqueue makes an item ready that nothing is before any more, or lets it wait for its next attempt.
func (l *lane) enqueue(it *item) {
	if !l.forgive && it.due.After(time.Now()) {
		l.unload(it)
		heap.Push(&l.later, it)
		return
	}
	l.ready = append(l.ready, it)
}

// wakeDue makes ready what waited for its next attempt long enough.
func (l *lane) wakeDue(now time.Time) {
	for len(l.later) > 0 && !l.later[0].due.After(now) {
		it, _ := heap.Pop(&l.later).(*item)
		l.ready = append(l.ready, it)
	}
}

// unload leaves an item's body to the outbox, for as long as it cannot be sent.
func (l *lane) unload(it *item) {
	if !it.loaded {
		return
	}
	l.park(it)
	l.hot.remove(it.d)
	d := *it.d // others may read the original
	d.Body, d.Large = nil, nil
	it.d, it.loaded = &d, false
}

// park makes the outbox know an item as Waiting.
func (l *lane) park(it *item) {
	if it.stored {
		return
	}
	it.stored = true
	if it.since.IsZero() {
		it.since = time.Now()
	}
	due := it.due
	if due.IsZero() {
		due = it.since
	}
	l.outcomes = append(l.outcomes, outbox.Outcome{Seq: it.d.Seq, State: outbox.Waiting, Attempts: it.attempts, Due: byClock(due, time.Now())})
}

// remove takes a finished item out and lets those go that waited for it.
func (l *lane) remove(it *item) {
	delete(l.items, it.d.Seq)
	if it.loaded {
		l.hot.remove(it.d)
	}
	l.order.remove(it, l.enqueue)
}

// shelve leaves everything that is not in flight to the outbox; it is read back later.
func (l *lane) shelve() {
	l.takeInbox()
	flying := make(map[int64]*item)
	l.order = newOrder()
	l.ready, l.bare, l.later, l.hot = nil, nil, nil, load{}
	for seq, it := range l.items {
		if !it.flying {
			l.park(it)
			continue
		}
		it.next, it.waits = nil, 0
		flying[seq] = it
		l.order.add(it)
		l.hot.add(it.d)
	}
	l.items = flying
	l.cursor = 0
}

// dispatch posts what is ready, as much as may be on its way at once.
func (l *lane) dispatch(start func()) {
	for len(l.ready) > 0 && l.inFlight < l.atOnce {
		it := l.ready[0]
		if it.loaded && !l.allows(time.Now()) {
			return
		}
		l.ready[0] = nil
		l.ready = l.ready[1:]
		if it.loaded {
			l.send(it, start)
		} else {
			l.bare = append(l.bare, it)
		}
	}
}

// send hands an item to a sender, and starts one more when all are busy.
func (l *lane) send(it *item, start func()) {
	t := (*l.targets.Load())[it.d.Rule]
	if t == nil {
		return // cannot be: a lane whose rules change is stopped first
	}
	if it.since.IsZero() {
		it.since = time.Now()
	}
	if l.inFlight == l.senders {
		l.senders++
		start()
	}
	tries := l.opts.Burst
	if it.probe || l.limit != nil {
		tries = 1
	}
	it.flying = true
	l.inFlight++
	l.jobs <- job{it: it, t: t, tries: tries} // has room
}

// flush records outcomes.
func (l *lane) flush(ctx context.Context) error {
	if len(l.outcomes) == 0 {
		return nil
	}
	if err := l.settle(ctx, l.outcomes); err != nil {
		return err
	}
	l.outcomes = l.outcomes[:0]
	return nil
}

// leave waits for what is in flight, cuts off what takes too long, and records what was accepted. What failed meanwhile
// was not an attempt of full length and is none.
func (l *lane) leave(ctx context.Context, cut func()) error {
	grace := l.opts.Grace
	reload := errors.Is(context.Cause(ctx), errReload)
	if reload {
		grace = min(grace, reloadGrace)
	}
	timer := time.AfterFunc(grace, cut)
	defer timer.Stop()
	for l.inFlight > 0 {
		r := <-l.results
		if r.verdict == accepted {
			l.finish(r)
			continue
		}
		l.inFlight--
		r.it.flying = false
	}
	l.mu.Lock()
	l.down = true // from now on what is offered is parked
	l.count()
	l.mu.Unlock()
	if reload {
		l.shelve()
	}
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), settleGrace)
	defer cancel()
	if err := l.flush(last); err != nil {
		l.log.Error("the last outcomes are not recorded; these deliveries are sent again", slog.String("endpoint", l.name),
			slog.Int("outcomes", len(l.outcomes)), slog.Any("error", err))
	}
	return nil
}
