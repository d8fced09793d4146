// Package deliver posts deliveries to their receivers until they are accepted.
//
// Everything that goes to one scheme, host and port is an endpoint's. It claims deliveries from the outbox, fresh and waiting
// alike, in order, as many as it has room for; its senders take those that may go, post them, and hand over what became of
// them:
//
//	outbox.Claim -> window (order, due times) -> senders (package post) -> settler -> outbox.Settle
//
// What an endpoint cannot take is not claimed: it lies on disk, costs nothing and holds up nobody. Endpoints share nothing.
//
// Order: a delivery is posted when no earlier one to the same endpoint about the same aggregate is unfinished. Trouble:
// failures while nothing gets through are the endpoint's, or the URL's where an endpoint has several, and cost no delivery an
// attempt; failures while others get through are the delivery's own.
package deliver

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"rowhook/deliver/post"
	"rowhook/outbox"
	"rowhook/retry"
)

// Store is what a Worker needs of an outbox.
type Store interface {
	outbox.Queue
	outbox.Log
	outbox.Settings
}

// Options are the bounds of sending. A zero field means its default.
type Options struct {
	Concurrency int               // requests at once to one endpoint: 16
	Limits      map[string]Limit  // what some endpoints need otherwise, by EndpointName
	Timeout     time.Duration     // of one request, and a second more for each MB of payload: 10s
	Burst       int               // tries of one attempt, shortly after each other: 3
	Schedule    []time.Duration   // waits after failed attempts, 5s to 24h; a delivery that fails after the last is dead
	MaxAge      time.Duration     // of trying in vain, after which a failure is the last: 5 days
	Grace       time.Duration     // for requests on their way when Run is to end: 10s
	Handover    time.Duration     // the same where several processes share the outbox, and another one waits for the endpoint: 2s
	UserAgent   string            // "rowhook"
	MayPost     func() bool       // is asked before each delivery whether it may be posted, not long before another process posts it; nil: always
	PublicOnly  bool              // refuses loopback and private addresses; link-local and metadata ones always are
	Leases      Leases            // which endpoints are this process's, where several share the outbox; nil: all
	Transport   http.RoundTripper // makes the requests, for tests; nil: HTTP/1.1 over TCP, without a proxy
	Log         *slog.Logger      // nil: no log

	maxItems int // deliveries of an endpoint that wait in memory: 20,000
}

// Limit is what an endpoint can take. A zero field means what is usual.
type Limit struct {
	Concurrency int           // requests at once
	Every       time.Duration // a request no more often than this; a failed one is then not repeated before its schedule
}

// withDefaults fills in what is zero.
func (o Options) withDefaults() Options {
	o.Concurrency = cmp.Or(o.Concurrency, 16)
	o.Burst = cmp.Or(o.Burst, 3)
	o.maxItems = cmp.Or(o.maxItems, maxItems)
	o.MaxAge = cmp.Or(o.MaxAge, 5*24*time.Hour)
	o.Grace = cmp.Or(o.Grace, 10*time.Second)
	o.Handover = cmp.Or(o.Handover, 2*time.Second)
	if o.Schedule == nil {
		o.Schedule = []time.Duration{
			5 * time.Second, 30 * time.Second, 2 * time.Minute, 10 * time.Minute, time.Hour,
			3 * time.Hour, 6 * time.Hour, 12 * time.Hour, 24 * time.Hour, 24 * time.Hour,
		}
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return o
}

// Worker delivers what is in an outbox. Make it with New, start it with Run.
type Worker struct {
	store   Store
	opts    Options
	log     *slog.Logger
	pauses  *pauses
	poster  func() poster
	targets atomic.Pointer[map[string]*target] // by rule; replaced as a whole

	reload chan struct{} // holds a token when wanted was set

	mu        sync.Mutex
	wanted    map[string]*target   // the rules to change to; nil: none
	taken     map[string]*target   // the last of these that Run took
	endpoints map[string]*endpoint // by name, until they are over
	outages   map[string]*outages  // by the endpoints' names: they outlast a change of its rules
	share     share
}

// New makes a Worker for the endpoints, by rule. It returns an error for an endpoint that cannot be used.
func New(store Store, endpoints map[string]Endpoint, o Options) (*Worker, error) {
	targets := make(map[string]*target, len(endpoints))
	for _, rule := range slices.Sorted(maps.Keys(endpoints)) {
		t, err := newTarget(endpoints[rule])
		if err != nil {
			return nil, fmt.Errorf("rule %s: %w", rule, err)
		}
		targets[rule] = t
	}
	o = o.withDefaults()
	client := post.NewClient(post.Options{Timeout: o.Timeout, UserAgent: o.UserAgent, PublicOnly: o.PublicOnly, Transport: o.Transport})
	w := &Worker{
		store: store, opts: o, log: o.Log, pauses: newPauses(store, store), wanted: targets, endpoints: make(map[string]*endpoint), outages: make(map[string]*outages),
		poster: func() poster { return client.NewSender() }, reload: make(chan struct{}, 1), share: newShare(o.Leases),
	}
	w.targets.Store(&map[string]*target{})
	return w, nil
}

// Run delivers until ctx ends. Then no further request is made, and those on their way get Options.Grace to end; one that
// is cut off is no attempt. All goroutines have ended when it returns. It returns nil when ctx ended, and otherwise why
// the outbox cannot be used any more. It may be called once.
func (w *Worker) Run(ctx context.Context) error {
	g, running := errgroup.WithContext(ctx)
	g.Go(func() error {
		for {
			if err := w.change(running); err != nil {
				return err
			}
			select {
			case <-running.Done():
				return running.Err()
			case <-w.reload:
			case <-w.assign(running, g):
			}
		}
	})
	err := g.Wait()
	if ctx.Err() != nil && errors.Is(err, ctx.Err()) {
		return nil
	}
	return err
}

// SetEndpoints replaces the endpoints. Deliveries of a rule that is gone are held; those of a rule that is back are sent
// again. A rule whose endpoint cannot be used is logged and counts as gone. It does not wait for the change.
func (w *Worker) SetEndpoints(endpoints map[string]Endpoint) {
	targets := make(map[string]*target, len(endpoints))
	for rule, e := range endpoints {
		t, err := newTarget(e)
		if err != nil {
			w.log.Error("a rule's endpoint cannot be used, its deliveries are held", slog.String("rule", rule), slog.Any("error", err))
			continue
		}
		targets[rule] = t
	}
	w.mu.Lock()
	w.wanted = targets
	w.mu.Unlock()
	signal(w.reload)
}

// change goes over to the wanted endpoints, if there are new ones. An endpoint whose rules are not the same any more is
// stopped, for assign to start a new one; the others only get their new URLs and secrets.
func (w *Worker) change(ctx context.Context) error {
	w.mu.Lock()
	wanted := w.wanted
	if wanted != nil {
		w.taken, w.wanted = wanted, nil
	}
	w.mu.Unlock()
	if wanted == nil {
		return nil
	}
	routes := make(map[string]string, len(wanted)) // the endpoint of each rule
	for rule, t := range wanted {
		routes[rule] = t.endpoint
	}
	if err := w.insist(ctx, func() error { return w.pauses.load(ctx, wanted) }); err != nil {
		return err
	}
	if err := w.stopEndpoints(ctx, byEndpoint(wanted)); err != nil {
		return err
	}
	w.targets.Store(&wanted)
	var moved outbox.Moved
	err := w.insist(ctx, func() (err error) {
		moved, err = w.store.Route(ctx, routes)
		return err
	})
	if err != nil {
		return fmt.Errorf("handing the rules' endpoints to the outbox: %w", err)
	}
	if moved != (outbox.Moved{}) {
		w.log.Info("the rules' endpoints are not what they were", slog.Int("held", moved.Held), slog.Int("released", moved.Released),
			slog.Int("rerouted", moved.Rerouted))
	}
	w.reconsider() // they may have other URLs
	return nil
}

// insist does something to an outbox that processes share, again and again until it is done: its server may be away. It returns an
// error when the outbox is not this process's any more, or ctx ends. One that nobody shares is tried once.
func (w *Worker) insist(ctx context.Context, do func() error) error {
	again := time.NewTicker(claimAgain)
	defer again.Stop()
	for trouble := (retry.Trouble{}); ; {
		err := do()
		if err == nil || w.share.leases == nil || ctx.Err() != nil || errors.Is(err, outbox.ErrClosed) || errors.Is(err, outbox.ErrFenced) {
			return err
		}
		if trouble.Worth(err) {
			w.log.Warn("the rules are not taken over yet, as the outbox cannot be used; trying again", slog.Any("error", err))
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-again.C:
		}
	}
}

// assign has those endpoints run that are this process's, and no others. What it returns is closed when these are others.
func (w *Worker) assign(ctx context.Context, g *errgroup.Group) (changed <-chan struct{}) {
	rules := byEndpoint(*w.targets.Load())
	w.mu.Lock()
	defer w.mu.Unlock()
	changed = w.share.look()
	for name := range w.share.owed {
		if w.endpoints[name] == nil && !w.share.giving[name] {
			w.share.giving[name] = true
			g.Go(func() error { w.handOver(ctx, name); return nil })
		}
	}
	for name, e := range w.endpoints {
		switch is := w.share.terms[name]; {
		case !w.share.ours(name), is.Epoch != e.term.Epoch:
			e.stop(errMoved)
		case is != e.term:
			e.term = is
			e.anew()
		}
	}
	for name, of := range rules {
		term, may := w.share.mayBegin(name)
		if !may || w.endpoints[name] != nil {
			continue
		}
		e := newEndpoint(w, name, of, term)
		w.endpoints[name] = e
		own, stop := context.WithCancelCause(ctx)
		e.stop = stop
		g.Go(func() error { return w.runEndpoint(own, e) })
	}
	return changed
}

// runEndpoint runs an endpoint until ctx ends, and gives it away when it is not this process's any more, or is to stop with all.
func (w *Worker) runEndpoint(ctx context.Context, e *endpoint) error {
	defer close(e.over)
	defer e.stop(nil)
	err := e.run(ctx)
	fenced := w.share.leases != nil && errors.Is(err, outbox.ErrFenced)
	if fenced { // the others of this process may go on
		if w.opts.MayPost == nil || w.opts.MayPost() { // who has lost all says so once
			e.log.Warn("an endpoint was taken over by another process before it was given away", slog.Any("error", err))
		}
		err = nil
	}
	why := context.Cause(ctx)
	ends := why != nil && !errors.Is(why, errReload) && !errors.Is(why, errMoved)
	w.mu.Lock()
	w.share.look()
	gives := w.share.leases != nil && (ends || !w.share.ours(e.name))
	w.mu.Unlock()
	if gives {
		w.handOver(ctx, e.name)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.endpoints, e.name)
	if fenced {
		w.share.spent[e.name] = e.term
	}
	signal(w.reload)
	return err
}

// stopEndpoints stops those whose rules are not as they shall be, all at once, and waits for them.
func (w *Worker) stopEndpoints(ctx context.Context, rules map[string][]string) error {
	var stopped []*endpoint
	for _, e := range w.all() {
		if !slices.Equal(e.rules, rules[e.name]) {
			e.stop(errReload)
			stopped = append(stopped, e)
		}
	}
	for _, e := range stopped {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-e.over:
		}
	}
	return nil
}

// outagesOf are those of an endpoint, of which one at a time runs; mu is held.
func (w *Worker) outagesOf(endpoint string) *outages {
	o := w.outages[endpoint]
	if o == nil {
		o = &outages{}
		w.outages[endpoint] = o
	}
	o.end(time.Now(), 0) // who begins anew knows of no trouble
	return o
}

// all are the endpoints that run.
func (w *Worker) all() []*endpoint {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Collect(maps.Values(w.endpoints))
}

// known are the rules' targets, with those to change to, also while Run is at it.
func (w *Worker) known() []*target {
	w.mu.Lock()
	defer w.mu.Unlock()
	var all []*target
	for _, targets := range []map[string]*target{w.wanted, w.taken, *w.targets.Load()} {
		all = slices.AppendSeq(all, maps.Values(targets))
	}
	return all
}

// named are the rules of each endpoint that the newest rules name, also before Run has started it.
func (w *Worker) named() map[string][]string {
	w.mu.Lock()
	newest := w.wanted
	if newest == nil {
		newest = w.taken
	}
	w.mu.Unlock()
	return byEndpoint(newest)
}

// byEndpoint are the rules of each endpoint, in order.
func byEndpoint(targets map[string]*target) map[string][]string {
	rules := make(map[string][]string)
	for _, rule := range slices.Sorted(maps.Keys(targets)) {
		name := targets[rule].endpoint
		rules[name] = append(rules[name], rule)
	}
	return rules
}

// signal leaves a token in a channel that holds one.
func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
