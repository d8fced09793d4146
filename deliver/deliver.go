// Package deliver posts deliveries to their receivers until they are accepted.
//
// Everything that goes to one endpoint goes through its lane: one goroutine that owns the endpoint's queue, decides what
// may be posted now, and records what became of it. Lanes share nothing, so a dead endpoint costs the others nothing.
//
//	outbox.Next -> router -> lane (one an endpoint) -> senders (HTTP) -> lane -> outbox.Settle
//
// Order: a delivery is posted when no earlier one to the same endpoint about the same aggregate is unfinished. Memory: a
// lane holds a bounded stretch of the queue; what goes beyond it, and all that waits for a dead endpoint, is parked: left
// to the outbox as Waiting, and read back in order when there is room. Trouble: failures while nothing gets through are
// the endpoint's and cost no delivery an attempt; failures while others get through are the delivery's own.
package deliver

import (
	"cmp"
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"rowhook/outbox"
)

// Endpoint is where the deliveries of a rule go.
type Endpoint struct {
	URL            string   // http or https
	WebhookID      int64    // X-VAP-WEBHOOK-ID; 0: none
	Secret         string   // sends its md5, as the plugin does; empty: none
	AlwaysSecure   bool     // sends that md5 for an empty secret too, as the plugin does
	SigningSecrets []string // Standard Webhooks keys, whsec_ and base64; one signature for each
	OrderGroup     string   // deliveries of one group keep their order; empty: scheme, host and port of URL
}

// Options are the bounds of sending. A zero field means its default.
type Options struct {
	Concurrency int               // requests at once to one endpoint: 16
	Limits      map[string]Limit  // what some endpoints need otherwise, by EndpointName
	Timeout     time.Duration     // of one request, and a second more for each MB of payload: 10s
	Burst       int               // tries of one attempt, shortly after each other: 3
	Schedule    []time.Duration   // waits after failed attempts, 5s to 24h; a delivery that fails after the last is dead
	MaxAge      time.Duration     // from when a delivery could first be sent; after that a failure is the last: 5 days
	Grace       time.Duration     // for requests on their way when Run is to end: 10s
	UserAgent   string            // "rowhook"
	PublicOnly  bool              // refuses loopback and private addresses; link-local and metadata ones always are
	Transport   http.RoundTripper // makes the requests; nil: HTTP/1.1 over TCP, without a proxy
	Log         *slog.Logger      // nil: no log

	slowest  int64          // how fast a payload must be taken, in bytes a second, besides Timeout: 1 MB
	resolver *net.Resolver  // of host names; nil: the system's
	roots    *x509.CertPool // whose certificates are trusted; nil: the system's
}

// Limit is what an endpoint can take. A zero field means what is usual.
type Limit struct {
	Concurrency int           // requests at once
	Every       time.Duration // a request no more often than this; a failed one is then not repeated before its schedule
}

// withDefaults fills in what is zero.
func (o Options) withDefaults() Options {
	o.Concurrency = cmp.Or(o.Concurrency, 16)
	o.Timeout = cmp.Or(o.Timeout, 10*time.Second)
	o.slowest = cmp.Or(o.slowest, 1<<20)
	o.Burst = cmp.Or(o.Burst, 3)
	o.MaxAge = cmp.Or(o.MaxAge, 5*24*time.Hour)
	o.Grace = cmp.Or(o.Grace, 10*time.Second)
	o.UserAgent = cmp.Or(o.UserAgent, "rowhook")
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
	store     outbox.Store
	opts      Options
	log       *slog.Logger
	client    *http.Client
	closeIdle func()
	brake     brake

	targets atomic.Pointer[map[string]*target] // by rule; replaced as a whole
	holds   holds
	routed  atomic.Int64 // the last Seq that was handed to a lane, or held

	reload chan struct{} // holds a token when wanted was set
	roomy  chan struct{} // holds a token when a lane takes deliveries again

	mu     sync.Mutex
	wanted map[string]*target // the rules to change to; nil: none
	lanes  map[string]*lane   // changed by the router only
}

// New makes a Worker for the endpoints, by rule. It returns an error for an endpoint that cannot be used.
func New(store outbox.Store, endpoints map[string]Endpoint, o Options) (*Worker, error) {
	targets := make(map[string]*target, len(endpoints))
	for _, rule := range slices.Sorted(maps.Keys(endpoints)) {
		t, err := newTarget(endpoints[rule])
		if err != nil {
			return nil, fmt.Errorf("rule %s: %w", rule, err)
		}
		targets[rule] = t
	}
	o = o.withDefaults()
	w := &Worker{
		store: store, opts: o, log: o.Log, wanted: targets, lanes: make(map[string]*lane),
		reload: make(chan struct{}, 1), roomy: make(chan struct{}, 1),
	}
	w.client, w.closeIdle = newClient(o)
	w.targets.Store(&map[string]*target{})
	w.holds.store = store
	return w, nil
}

// Run delivers until ctx ends. Then no further request is made, and those on their way get Options.Grace to end; one that
// is cut off is no attempt. All goroutines have ended when it returns. It returns nil when ctx ended, and otherwise why
// the outbox cannot be used any more. It may be called once.
func (w *Worker) Run(ctx context.Context) error {
	defer w.closeIdle()
	if err := w.holds.load(ctx); err != nil {
		return err
	}
	g, running := errgroup.WithContext(ctx)
	r := &router{Worker: w, group: g, asks: make(chan int64, 1), fresh: make(chan []*outbox.Delivery)}
	g.Go(func() error { return r.fetch(running) })
	g.Go(func() error { return r.run(running) })
	err := g.Wait()
	if ctx.Err() != nil && errors.Is(err, ctx.Err()) {
		return nil
	}
	return err
}

// SetEndpoints replaces the endpoints. Deliveries of a rule that is gone are held; those of a rule that is back are sent
// again. A rule whose endpoint cannot be used is logged and counts as gone. It does not wait for the change, but what is
// committed to the outbox afterwards meets the new endpoints.
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

// Wait holds the caller back while many deliveries to healthy endpoints are due and not delivered; what waits for a dead
// endpoint lies on disk and is not counted. It returns an error when ctx ends.
func (w *Worker) Wait(ctx context.Context) error { return w.brake.wait(ctx) }

// Status is what the endpoints are doing, by name.
type Status struct {
	Endpoints []EndpointStatus
}

// EndpointStatus is what one endpoint is doing. It names no secret.
type EndpointStatus struct {
	Name        string    // scheme, host and port, or the order group
	Rules       []string  // whose deliveries go there
	Pending     int       // deliveries in memory that are not delivered yet, with those in flight
	InFlight    int       // requests on their way
	Parked      bool      // more lie in the outbox
	Paused      *Pause    // nil: it is not
	DownSince   time.Time // zero: healthy
	LastSuccess time.Time // zero: none yet
	LastError   string    // of the last failure; empty: none yet
}

// Status tells what the endpoints are doing.
func (w *Worker) Status() Status {
	w.mu.Lock()
	defer w.mu.Unlock()
	var s Status
	for _, name := range slices.Sorted(maps.Keys(w.lanes)) {
		s.Endpoints = append(s.Endpoints, w.lanes[name].snapshot())
	}
	return s
}

// settleAgain is when recording outcomes is tried again after it failed.
const settleAgain = time.Second

// settle records outcomes. While the outbox cannot take them (a full disk) it waits: what was posted is recorded before
// anything else is posted. It returns an error when ctx ends or the outbox is of no use any more.
func (w *Worker) settle(ctx context.Context, outcomes []outbox.Outcome) error {
	said := ""
	for {
		err := w.store.Settle(outcomes)
		if err == nil || errors.Is(err, outbox.ErrClosed) || errors.Is(err, outbox.ErrNotFound) {
			return err
		}
		if err.Error() != said {
			said = err.Error()
			w.log.Error("outcomes cannot be recorded, delivering pauses", slog.Any("error", err))
		}
		if err := sleep(ctx, settleAgain); err != nil {
			return err
		}
	}
}

// sleep waits, or returns why ctx ended.
func sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}

// signal leaves a token in a channel that holds one.
func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
