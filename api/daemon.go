package api

import (
	"context"
	"fmt"
	"sync"
	"time"

	"rowhook/cdc"
	"rowhook/deliver"
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

// Daemon is a daemon, from its start on. Make it with New, and tell it of its parts with Follows.
type Daemon struct {
	outbox Outbox

	mu     sync.Mutex
	line   Line // nil: it does not follow yet
	worker Worker
	kept   *kept
}

// New makes one that does not follow yet.
func New(store Outbox) *Daemon { return &Daemon{outbox: store} }

// Follows says that the daemon follows a server's log from now on.
func (d *Daemon) Follows(line Line, worker Worker, source Source) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.line, d.worker, d.kept = line, worker, &kept{source: source}
}

// Rests says that it follows no more: it ends, or begins anew with other sites. Whoever asks is not kept waiting by what has ended.
func (d *Daemon) Rests() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.line, d.worker, d.kept = nil, nil, nil
}

// Site is how a site stands.
type Site = pipeline.SiteStatus

// Status is everything that a daemon does.
type Status struct {
	Reader    *Reader                  `json:"reader,omitempty"` // nil: it does not follow yet
	Sites     []pipeline.SiteStatus    `json:"sites"`
	Endpoints []deliver.EndpointStatus `json:"endpoints"`
	Outbox    Outboxed                 `json:"outbox"`
}

// Reader is how far the log is read.
type Reader struct {
	Position  string  `json:"position"`
	Connected bool    `json:"connected"`
	CaughtUp  bool    `json:"caught_up"`
	Lag       float64 `json:"lag_seconds"` // since the commit of what was read last; 0 when caught up
	// Purge is how long the server keeps the log that is needed next; nil: for ever, or that is not known.
	Purge *float64 `json:"purge_seconds,omitempty"`
	// Storing is for how long a commit of the outbox has been on its way.
	Storing float64 `json:"storing_seconds"`
}

// Outboxed is what lies in the outbox.
type Outboxed struct {
	Bytes      int64  `json:"bytes"`
	Deliveries []Kept `json:"deliveries"`
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

// Totals is what was counted since the outbox was made.
func (d *Daemon) Totals(ctx context.Context) (outbox.Totals, error) {
	t, err := d.outbox.Totals(ctx)
	if err != nil {
		return t, fmt.Errorf("reading the outbox: %w", err)
	}
	return t, nil
}

// Status asks all parts. It returns an error when the outbox, or the loop that reads, does not answer until ctx ends.
func (d *Daemon) Status(ctx context.Context) (s Status, err error) {
	d.mu.Lock()
	line, worker, kept := d.line, d.worker, d.kept
	d.mu.Unlock()
	if s.Outbox, err = d.outboxed(ctx); err != nil {
		return s, fmt.Errorf("reading the outbox: %w", err)
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
	s.Endpoints = worker.Status(ctx).Endpoints
	s.Reader = readerOf(is, time.Now())
	s.Reader.Purge = kept.purge(ctx, is.Position)
	return s, nil
}

func (d *Daemon) outboxed(ctx context.Context) (o Outboxed, err error) {
	if o.Bytes, err = d.outbox.Size(ctx); err != nil {
		return o, err
	}
	counts, err := d.outbox.Counts(ctx)
	if err != nil {
		return o, err
	}
	o.Deliveries = make([]Kept, len(counts))
	for i, c := range counts {
		o.Deliveries[i] = Kept{c.Rule, c.State.String(), c.N}
	}
	return o, nil
}

func readerOf(is pipeline.Status, now time.Time) *Reader {
	r := &Reader{Position: is.Position.String(), Connected: !is.Heard.IsZero() && now.Sub(is.Heard) < silence, CaughtUp: is.CaughtUp}
	if !is.CaughtUp && !is.Committed.IsZero() {
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
}

// askAgain is the time between two questions: they read more of the server than others do.
const askAgain = 5 * time.Minute

func (k *kept) purge(ctx context.Context, at cdc.Position) *float64 {
	k.mu.Lock()
	defer k.mu.Unlock()
	now := time.Now()
	if k.asked.IsZero() || now.Sub(k.asked) >= askAgain {
		ctx, stop := context.WithTimeout(ctx, patience)
		defer stop()
		if st, err := k.source.Standing(ctx, at); err == nil {
			k.until = pipeline.KeptOf(st, now).Until
		}
		k.asked = now
	}
	if k.until.IsZero() {
		return nil
	}
	left := max(0, k.until.Sub(now).Seconds())
	return &left
}
