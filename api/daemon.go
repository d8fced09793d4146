package api

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"rowhook/cdc"
	"rowhook/deliver"
	"rowhook/lasting"
	"rowhook/outbox"
	"rowhook/pipeline"
)

// Line is what reads the log; a *pipeline.Pipeline.
type Line interface {
	Status(ctx context.Context, patience time.Duration) (pipeline.Status, error)
	Sites(ctx context.Context) ([]pipeline.SiteStatus, error)
}

// Worker is what delivers; a *deliver.Worker.
type Worker interface {
	Status(ctx context.Context) deliver.Status
}

// Source is the server whose log is followed; a *cdc.Source that nobody follows with.
type Source interface {
	Standing(ctx context.Context, p cdc.Position) (cdc.Standing, error)
}

// Outbox is where deliveries lie; an outbox.Store.
type Outbox interface {
	Counts(ctx context.Context) ([]outbox.Count, error)
	Totals(ctx context.Context) (outbox.Totals, error)
	Size(ctx context.Context) (int64, error)
}

// Daemon is a daemon, from its start on. Make it with New, and tell it of its parts as they come and go.
type Daemon struct {
	mu        sync.Mutex
	outbox    Outbox // nil: it has none yet
	standsBy  bool   // while it has none: it joins those that share it
	peers     Peers  // who shares it; nil: nobody
	member    bool   // another of them holds it
	resting   bool   // it holds it, and follows no log by itself
	worker    Worker // nil: nothing is delivered yet
	line      Line   // nil: it does not follow
	kept      *kept
	hindrance *Hindrance // why it does not follow; nil: nothing is known
	lacking   *lacking   // of the rules that are in force; nil: nobody has looked
	wrong     func() []lasting.Wrong
}

// New makes one that has not even an outbox.
func New() *Daemon { return &Daemon{} }

// StandsBy says that the daemon has no part in the outbox that machines share: its server does not answer, or it is between two parts.
func (d *Daemon) StandsBy() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.outbox, d.peers, d.worker, d.line, d.kept, d.hindrance, d.standsBy = nil, nil, nil, nil, nil, nil, true
}

// Joins says that the daemon delivers its share of an outbox that another process holds.
func (d *Daemon) Joins(store Outbox, peers Peers) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.outbox, d.peers, d.member, d.resting, d.standsBy = store, peers, true, false, false
}

// Holds says that the daemon works on an outbox from now on; nil: on none any more. Peers are those who share it, nil where nobody does.
func (d *Daemon) Holds(store Outbox, peers Peers) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.outbox, d.peers, d.member, d.resting, d.standsBy = store, peers, false, false, false
}

// FollowsNot says that it will not follow a log, though it holds the outbox: it only delivers, and no other process is there.
func (d *Daemon) FollowsNot() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.resting = true
}

// Delivers says that what lies in the outbox is delivered; nil: no more.
func (d *Daemon) Delivers(worker Worker) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.worker = worker
}

// Follows says that the daemon follows a server's log from now on.
func (d *Daemon) Follows(line Line, source Source) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.line, d.kept, d.hindrance = line, &kept{source: source}, nil
}

// Rests says that it follows no log: it begins, begins anew with other sites, or ends. Whoever asks is not kept waiting by what has
// ended.
func (d *Daemon) Rests() { d.Hindered(nil) }

// Hindered says that it follows no log, and why.
func (d *Daemon) Hindered(h *Hindrance) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.line, d.kept, d.hindrance = nil, nil, h
}

// Hindrance is why a daemon does not follow the log yet.
type Hindrance struct {
	Since  time.Time `json:"since"`
	Reason string    `json:"reason"`
	Fix    string    `json:"fix,omitempty"`
}

// Site is how a site stands.
type Site = pipeline.SiteStatus

// EndpointStatus is how an endpoint does.
type EndpointStatus = deliver.EndpointStatus

// Pace is how fast an endpoint may be sent to.
type Pace = deliver.Pace

// Status is everything that a daemon does.
type Status struct {
	StandsBy  bool                     `json:"stands_by,omitempty"` // it has no part yet in the outbox that machines share: all else is missing
	Member    bool                     `json:"member,omitempty"`    // another machine holds the outbox, and did not say how it does: what only that one knows is missing
	Resting   bool                     `json:"resting,omitempty"`   // the machine that holds the outbox has deliver: only
	Machines  []Machine                `json:"machines,omitempty"`  // that share the outbox
	Reader    *Reader                  `json:"reader,omitempty"`    // nil: it does not follow yet
	Hindrance *Hindrance               `json:"hindrance,omitempty"` // why it does not
	Sites     []pipeline.SiteStatus    `json:"sites"`
	Endpoints []deliver.EndpointStatus `json:"endpoints"`
	Outbox    Outboxed                 `json:"outbox"`
	Lacks     []Lack                   `json:"lacks,omitempty"` // of rules
	Wrong     []lasting.Wrong          `json:"wrong,omitempty"` // what the log repeats each hour
}

// Reader is how far the log is read.
type Reader struct {
	Position  string  `json:"position"`
	Connected bool    `json:"connected"`
	CaughtUp  bool    `json:"caught_up"`
	Lag       float64 `json:"lag_seconds"` // since the commit of what was read last; 0 when caught up
	// Purge is how long the server keeps the log that is needed next; nil: for ever, or that is not known.
	Purge *float64 `json:"purge_seconds,omitempty"`
	// Longer is what to type to have the log kept for longer; empty: that is not known, or the hosting keeps it no longer.
	Longer string `json:"keep_longer,omitempty"`
	// Storing is for how long a commit of the outbox has been on its way.
	Storing float64 `json:"storing_seconds"`
}

// Stuck says that the outbox takes nothing: its disk is full, or another program holds it.
func (r *Reader) Stuck() bool { return seconds(r.Storing) > storesWithin }

// Outboxed is what lies in the outbox.
type Outboxed struct {
	Bytes      int64  `json:"bytes"`
	Deliveries []Kept `json:"deliveries"`
	Unused     bool   `json:"unused,omitempty"` // no delivery was ever made, not even one that is pruned by now
}

// Kept is how many deliveries of a rule are in a state.
type Kept struct {
	Rule  string `json:"rule"`
	State string `json:"state"`
	Count int    `json:"count"`
}

const (
	// patience is how long the server may take to say where its log ends.
	patience = 2 * time.Second
	// silence is how long a server may say nothing: it sends a heartbeat each second.
	silence = 10 * time.Second
)

// Totals is what was counted since the outbox was made; nothing while there is none, or another process holds it, which tells as much.
func (d *Daemon) Totals(ctx context.Context) (t outbox.Totals, err error) {
	d.mu.Lock()
	store, member := d.outbox, d.member
	d.mu.Unlock()
	if store == nil || member {
		return t, nil
	}
	if t, err = store.Totals(ctx); err != nil {
		return t, fmt.Errorf("reading the outbox: %w", err)
	}
	return t, nil
}

// ErrAway says that the server with the outbox that machines share does not answer, for which no restart is a remedy.
var ErrAway = errors.New("the server with the outbox does not answer")

// Status asks all parts of this process. It returns an error when the outbox, or the loop that reads, does not answer until ctx ends.
func (d *Daemon) Status(ctx context.Context) (s Status, err error) {
	d.mu.Lock()
	store, line, worker, kept, peers := d.outbox, d.line, d.worker, d.kept, d.peers
	s.StandsBy, s.Hindrance, s.Member, s.Resting = d.standsBy, d.hindrance, d.member, d.resting
	if d.lacking != nil {
		s.Lacks = d.lacking.last
	}
	wrong := d.wrong
	d.mu.Unlock()
	if wrong != nil {
		s.Wrong = wrong()
	}
	if store == nil {
		return s, nil
	}
	s.Outbox, err = outboxed(ctx, store)
	if err == nil && peers != nil {
		s.Machines, err = peers.Machines(ctx)
	}
	switch {
	case err != nil && peers != nil:
		return s, fmt.Errorf("%w: %w", ErrAway, err)
	case err != nil:
		return s, fmt.Errorf("reading the outbox: %w", err)
	}
	if worker != nil {
		s.Endpoints = worker.Status(ctx).Endpoints
	}
	if line == nil {
		return s, nil
	}
	is, err := line.Status(ctx, patience)
	if err != nil {
		return s, fmt.Errorf("asking how far the log is read: %w", err)
	}
	if s.Sites, err = line.Sites(ctx); err != nil {
		return s, fmt.Errorf("asking how the sites stand: %w", err)
	}
	s.Reader = readerOf(is, time.Now())
	s.Reader.Purge, s.Reader.Longer = kept.purge(ctx, is.Position)
	return s, nil
}

func outboxed(ctx context.Context, store Outbox) (o Outboxed, err error) {
	if o.Bytes, err = store.Size(ctx); err != nil {
		return o, err
	}
	counts, err := store.Counts(ctx)
	if err != nil {
		return o, err
	}
	o.Deliveries = make([]Kept, len(counts))
	n := 0
	for i, c := range counts {
		o.Deliveries[i] = Kept{c.Rule, c.State.String(), c.N}
		n += c.N
	}
	if n > 0 {
		return o, nil
	}
	ever, err := store.Totals(ctx)
	o.Unused = len(ever.Events)+len(ever.Rules) == 0
	return o, err
}

func readerOf(is pipeline.Status, now time.Time) *Reader {
	r := &Reader{Position: is.Position.String(), Connected: !is.Heard.IsZero() && now.Sub(is.Heard) < silence}
	r.CaughtUp = is.CaughtUp && (is.Unanswered == nil || r.Connected) // what a link said that is gone is no news
	if !r.CaughtUp && !is.Committed.IsZero() {
		r.Lag = max(0, now.Sub(is.Committed).Seconds())
	}
	if !is.Storing.IsZero() {
		r.Storing = max(0, now.Sub(is.Storing).Seconds())
	}
	return r
}

// kept asks now and then how long the server keeps the log that is needed.
type kept struct {
	source Source

	mu    sync.Mutex
	asked time.Time
	until time.Time // zero: for ever, or not known
	fix   string    // what to type to have it kept longer
}

// askAgain is the time between two questions: they read more of the server than others do.
const askAgain = 5 * time.Minute

// purge is for how many seconds the log is kept that is needed next (nil: for ever, or that is not known), and what makes that longer.
func (k *kept) purge(ctx context.Context, at cdc.Position) (left *float64, fix string) {
	now := time.Now()
	if k.due(now) {
		ctx, stop := context.WithTimeout(ctx, patience)
		defer stop()
		if st, err := k.source.Standing(ctx, at); err == nil {
			k.take(pipeline.KeptOf(st, now).Until, st.Longer)
		}
	}
	return k.left(now)
}

// due says whether it is to be asked, to one of those who want to know: the others take what was answered last.
func (k *kept) due(now time.Time) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	if !k.asked.IsZero() && now.Sub(k.asked) < askAgain {
		return false
	}
	k.asked = now
	return true
}

func (k *kept) take(until time.Time, fix string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.until, k.fix = until, fix
}

func (k *kept) left(now time.Time) (*float64, string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.until.IsZero() {
		return nil, ""
	}
	left := max(0, k.until.Sub(now).Seconds())
	return &left, k.fix
}
