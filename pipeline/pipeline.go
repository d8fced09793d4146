// Package pipeline is the order of things: it reads the log, lets rules make events of it, loads their payloads and
// commits deliveries, open events and the position to the outbox, together.
//
//	cdc.Source -> feed -> events.Engine -> (lanes) loader -> outbox
//
// One goroutine, the loop of Run, owns the engine and decides; the reader, the lanes and the commit run beside it. A
// commit is on its way while the next batch is gathered, so batches grow with the load by themselves.
package pipeline

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"slices"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"rowhook/cdc"
	"rowhook/loader"
	"rowhook/outbox"
	"rowhook/rules"
	"rowhook/rules/events"
)

// Source is the server whose log is read; a *cdc.Source.
type Source interface {
	Current(ctx context.Context) (cdc.Position, error)
	Tables(ctx context.Context, p cdc.Position) []cdc.SchemaRecord
	Follow(ctx context.Context, p cdc.Position, schema []cdc.SchemaRecord, sink cdc.Sink) error
	End(ctx context.Context) (cdc.End, error)
}

// Outbox is where everything goes, and what tells how much of it lies there undelivered.
type Outbox interface {
	outbox.Journal
	Due(ctx context.Context) (map[string]outbox.Due, error)
}

// Follower reads the log for one site, and knows how long the server keeps what comes next of it; a *cdc.Source.
type Follower interface {
	Follow(ctx context.Context, p cdc.Position, schema []cdc.SchemaRecord, sink cdc.Sink) error
	Standing(ctx context.Context, p cdc.Position) (cdc.Standing, error)
}

// Config is what a Pipeline is made of.
type Config struct {
	Source Source
	// Beside is a second reading of the log, of some tables, for a site that has to catch up; nil: none can.
	Beside func([]cdc.TableName) Follower
	// Watch has the Source read the tables that rules want from its next transaction on; nil: it reads the same for ever.
	Watch    func(*rules.Set)
	SourceID string // what delivery ids are derived from
	Outbox   Outbox
	Loader   *loader.Loader
	Sites    []*rules.Site
	Rules    *rules.Set
	Options  events.Options
	Log      *slog.Logger
}

// Pipeline runs from the log to the outbox.
type Pipeline struct {
	reading // of all sites but those that are on their own
	press   backpressure

	cfg      Config
	sites    *sites
	catchUp  catchUp
	lanes    *lanes
	observer *loader.Observer
	fills    *Backfills
	clock    *clock

	questions *questions
	set       atomic.Pointer[rules.Set] // of now

	closed          []*rules.Event // not dispatched yet
	batch           batch
	schema          []cdc.SchemaRecord // not committed yet
	moved           bool               // there is something to commit besides deliveries
	committing      bool
	committingBytes int // of the commit that is on its way
	lastCommit      time.Time

	committed chan commit
	rules     chan *rules.Set
	ended     chan struct{} // closed when Run has
}

// ErrEnded is what is answered when the log is not followed by this pipeline any more.
var ErrEnded = errors.New("following the log has ended, or begins anew with other sites: try again in a moment")

const (
	batchSize     = 256     // deliveries that are worth a commit of their own
	batchBytes    = 4 << 20 // or so many bytes of them
	batchRecords  = 4096    // or so many records of open events
	dispatchBytes = 8 << 20 // of a commit, when many events close at once
	dispatchCount = 1024    // or so many deliveries
	deliveryBytes = 512     // what a delivery takes besides its payload, about
	lazyCommit    = time.Second
	ownCommit     = 10 * time.Minute // where the log showed nothing but our own commits: each makes more log that is to be passed
	maxInLanes    = 4096
	maxLaneBytes  = 8 << 20
	huge          = 8 << 20 // bytes of payloads: memory is given back once they are stored, and nothing is loaded before
	shutdownGrace = 10 * time.Second
)

// New makes a pipeline; Run starts it.
func New(cfg Config) *Pipeline {
	parts := rules.CutSites(cfg.Sites, cfg.Rules, nil)
	p := &Pipeline{
		reading:   reading{drive: drive{engine: events.NewEngine(parts, cfg.Rules, cfg.Options)}},
		cfg:       cfg,
		committed: make(chan commit, 1), rules: make(chan *rules.Set), ended: make(chan struct{}),
		observer: cfg.Loader.Observe(cfg.Sites), clock: newClock(cfg.Source, cfg.Log), questions: newQuestions(cfg.Loader, cfg.Log),
	}
	p.set.Store(cfg.Rules)
	p.engine.AskOwners(p.questions.answer)
	p.lanes = newLanes(parts, cfg.Loader, cfg.Log, p.emit)
	p.sites = newSites(&p.cfg, parts, &p.set, &p.reading, p.lanes, p.questions)
	p.catchUp = catchUp{p.sites, p}
	p.fills = newBackfills(&p.cfg, p.sites.all, &p.set, &p.reading, p.sites.stopped, p.ended)
	p.sites.leaves = p.fills.leave
	return p
}

// Backfills are what can be asked and told of backfills.
func (p *Pipeline) Backfills() *Backfills { return p.fills }

// SetRules makes events that close from now on use other rules.
func (p *Pipeline) SetRules(ctx context.Context, set *rules.Set) error {
	select {
	case p.rules <- set:
		return nil
	case <-p.ended:
		return ErrEnded
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Run reads, and returns when ctx ends (nil), or with the reason why it cannot go on. What was read and applied is
// stored in either case.
func (p *Pipeline) Run(ctx context.Context) error {
	defer close(p.ended)
	start, schema, err := p.resume(ctx)
	if err != nil {
		if ctx.Err() != nil && errors.Is(err, context.Canceled) {
			return nil // it was told to stop before it began
		}
		return err
	}
	parts, stop := context.WithCancel(ctx)
	g, parts := errgroup.WithContext(parts)
	p.feed = newFeed(parts, p.sites.all, p.sites.tables, p.observer.Tables())
	p.feed.skipAll(p.sites.detached)
	for site, d := range p.sites.detached { // the rules may be others since it stopped
		p.sites.unwanted(d, p.sites.tables(site))
	}
	g.Go(func() error { return p.cfg.Source.Follow(parts, start, schema, p.feed) })
	p.cfg.Log.Info("following the binlog", slog.String("position", start.String()))

	failed := p.loop(parts, g)
	stop()
	ended := g.Wait()
	if ctx.Err() != nil && errors.Is(ended, context.Canceled) {
		ended = nil
	}
	if failed != nil {
		return failed // what is in memory may be half a transaction, or lack what a failed commit held: it is read again
	}
	return errors.Join(ended, p.lastWords(ctx))
}

// resume reads the outbox, or takes the present end of the log as the beginning.
func (p *Pipeline) resume(ctx context.Context) (cdc.Position, []cdc.SchemaRecord, error) {
	state, err := p.cfg.Outbox.Resume(ctx)
	if err != nil {
		return cdc.Position{}, nil, fmt.Errorf("reading the outbox: %w", err)
	}
	var start cdc.Position
	if state.Checkpoint == nil {
		start, err = p.cfg.Source.Current(ctx)
		p.moved = true // so that a crash does not lose where now was
		if err == nil {
			p.schema = p.cfg.Source.Tables(ctx, start) // for a start much later, when they may have been altered
		}
	} else {
		start, err = decodePosition(state.Checkpoint)
	}
	if err != nil {
		return start, nil, err
	}
	if p.cursor, err = cdc.NewCursor(start); err != nil {
		return start, nil, fmt.Errorf("reading the stored position: %w", err)
	}
	p.seen = start.Start
	stored, err := p.sites.takeOver(state.Open)
	if err != nil {
		return start, nil, err
	}
	records, schema, unknown := splitRecords(stored)
	for _, r := range unknown {
		p.cfg.Log.Warn("the outbox holds a record that this version cannot read; it is left as it is", slog.String("owner", r.Owner), slog.String("key", r.Key))
	}
	schema = append(schema, p.schema...)
	p.sites.learn(schema)
	if err := p.engine.Restore(records, time.Now()); err != nil {
		return start, nil, fmt.Errorf("reading the open events: %w", err)
	}
	p.sites.cut(p.set.Load())
	p.sites.stranded = strandedEvents{bySite: p.engine.Stranded(), since: time.Now()}
	if p.fills.runs, err = restoreRuns(state.Open); err != nil {
		return start, nil, err
	}
	p.fills.show()
	if err := p.sites.restoreStops(stored); err != nil {
		return start, nil, err
	}
	return start, schema, p.commitNow(ctx)
}

// loop is the one goroutine that owns the engine. It ends with ctx, or with an error that nothing here can fix.
func (p *Pipeline) loop(ctx context.Context, g *errgroup.Group) error {
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		if err := p.press.look(ctx, p.cfg.Outbox); err != nil {
			return err
		}
		if err := p.apply(); err != nil {
			return err
		}
		if err := p.catchUp.applyAll(); err != nil {
			return err
		}
		p.clock.closeWindows(&p.reading)
		waiting, _ := p.loading()
		p.fills.step(ctx, g, waiting)
		p.dispatch()
		if err := p.commit(ctx, g); err != nil {
			return err
		}
		ready := p.feed.ready
		if len(p.todo) > 0 || p.engine.Applying() || p.full() {
			ready = nil
		}
		timer.Reset(min(p.untilLazyCommit(), p.clock.tick(ctx, g, &p.reading), p.fills.restTimer(), p.feedLanes(ctx, g), p.catchUp.start(ctx, g),
			p.questions.ask(ctx, g, p.sites.detached), p.press.timer()))
		select {
		case <-ctx.Done():
			return nil
		case <-ready:
			p.refill()
		case o := <-p.questions.answers:
			p.sites.answered(o)
		case l := <-p.lanes.loaded:
			p.lanes.back(l)
		case c := <-p.committed:
			p.committing, p.committingBytes = false, 0
			if c.err != nil {
				return fmt.Errorf("committing to the outbox: %w", c.err)
			}
			p.stored(c)
			if c.bytes >= huge {
				debug.FreeOSMemory() // the rows that it was made of
			}
		case e := <-p.clock.ends:
			p.clock.take(e)
		case set := <-p.rules:
			p.useRules(set)
		case o := <-p.fills.orders:
			p.fills.obey(o)
		case r := <-p.fills.results:
			p.fills.filled(r)
		case <-p.sites.ready: // catchUp.applyAll takes it
		case e := <-p.sites.ended:
			p.catchUp.takeEnd(e)
		case o := <-p.sites.orders:
			o()
		case <-timer.C:
		}
	}
}

// dispatch hands the events that closed to the lanes of their sites. Within a site nothing overtakes.
func (p *Pipeline) dispatch() {
	for e := range p.sites.engines() {
		p.closed = append(p.closed, e.Closed()...)
	}
	for len(p.closed) > 0 && p.batch.bytes < dispatchBytes && p.batch.count < dispatchCount {
		ev := p.closed[0]
		p.closed[0] = nil
		p.closed = p.closed[1:]
		p.lanes.take(ev)
	}
}

// feedLanes has the next events loaded, unless so many payloads are not stored yet, or take so much memory, that no more are to
// be. It says how long nothing is to be done.
func (p *Pipeline) feedLanes(ctx context.Context, g *errgroup.Group) time.Duration {
	p.sites.detachOverfull()
	return p.lanes.feed(ctx, g, p.batch.count >= maxInLanes || p.batch.bytes+p.committingBytes >= huge)
}

// emit makes an event's payloads deliveries of the next commit.
func (p *Pipeline) emit(ev *rules.Event, payloads []loader.Payload) {
	p.moved = true
	if len(payloads) == 0 {
		p.sites.engineOf(ev.Site).Done(ev)
		return
	}
	deliveries := make([]*outbox.Delivery, len(payloads))
	for i, pay := range payloads {
		deliveries[i] = &outbox.Delivery{
			ID: ev.DeliveryID(p.cfg.SourceID, pay.Rule.Name), Rule: pay.Rule.Name, Site: ev.Site.Name,
			Action: ev.Action.Hook(), Kind: ev.Action.String(), Keys: ev.Keys(), Object: string(pay.Object), AsOf: pay.AsOf,
			Created: ev.Time, Body: pay.Body, Omitted: pay.Omitted,
		}
	}
	p.batch.add(ev, deliveries)
}

// commit sends what there is to the outbox when no commit is on its way: deliveries at once, unless more is being
// read anyway; a mere move of the position and of open events lazily, for until then they are simply read again.
func (p *Pipeline) commit(ctx context.Context, g *errgroup.Group) error {
	more := len(p.todo) > 0 || len(p.feed.ready) > 0 || p.engine.Applying()
	switch {
	case p.committing || p.batch.count == 0 && !p.unsaved() && !p.batchFull():
		return nil
	case p.batch.count > 0 && more && !p.full():
		return nil
	case p.batch.count == 0 && time.Since(p.lastCommit) < lazyCommit && !p.batchFull() && !p.urgent():
		return nil
	}
	b, bytes, err := p.take()
	if err != nil {
		return err
	}
	told := slices.Concat(p.fills.told, p.sites.told)
	p.fills.told, p.sites.told = nil, nil
	p.committing, p.committingBytes = true, bytes
	g.Go(func() error {
		p.committed <- commit{b, told, bytes, p.cfg.Outbox.Commit(context.WithoutCancel(ctx), b)}
		return nil
	})
	return nil
}

// take makes a commit of everything that is not stored: of the deliveries as many as the outbox takes. It tells how many
// bytes those take.
func (p *Pipeline) take() (b *outbox.Batch, bytes int, err error) {
	b = &outbox.Batch{}
	taken := p.batch.take(p.cfg.Outbox.Limits())
	b.Events = counted(taken)
	for _, m := range taken {
		p.sites.engineOf(m.event.Site).Done(m.event)
		b.Deliveries = append(b.Deliveries, m.deliveries...)
		bytes += m.bytes
	}
	var records []events.Record
	for e := range p.sites.engines() {
		more, err := e.TakeRecords()
		if err != nil {
			return nil, 0, err
		}
		records = append(records, more...)
	}
	if b.Checkpoint, err = encodePosition(p.cursor.Position()); err != nil {
		return nil, 0, err
	}
	if b.Open, err = p.fills.take(); err != nil {
		return nil, 0, err
	}
	stops, err := p.sites.take()
	if err != nil {
		return nil, 0, err
	}
	b.Open = append(b.Open, stops...)
	for _, r := range records {
		b.Open = append(b.Open, outbox.Record{Owner: eventsOwner, Key: r.Key, Data: r.Data})
	}
	for _, r := range p.schema {
		b.Open = append(b.Open, outbox.Record{Owner: schemaOwner, Key: r.Key, Data: r.Data})
	}
	p.schema, p.moved, p.lastCommit = nil, false, time.Now()
	return b, bytes, nil
}
