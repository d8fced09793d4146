// Package pipeline is the order of things: it reads the log, lets rules make events of it, loads their payloads and
// commits deliveries, open events and the position to the outbox, together.
//
//	cdc.Source -> feed -> rules.Engine -> (lanes) loader -> outbox
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
	"time"

	"golang.org/x/sync/errgroup"

	"rowhook/cdc"
	"rowhook/loader"
	"rowhook/outbox"
	"rowhook/rules"
)

// Source is the server whose log is read; a *cdc.Source.
type Source interface {
	Current(ctx context.Context) (cdc.Position, error)
	Follow(ctx context.Context, p cdc.Position, schema []cdc.SchemaRecord, sink cdc.Sink) error
	End(ctx context.Context) (cdc.End, error)
}

// Brake holds the reader back while too much waits to be delivered; a *deliver.Worker.
type Brake interface {
	Wait(ctx context.Context) error
	// Calm waits until a rule's deliveries up to a Seq are on their way and little else is: for what has time.
	Calm(ctx context.Context, rule string, seq int64) error
}

// Config is what a Pipeline is made of.
type Config struct {
	Source   Source
	SourceID string // what delivery ids are derived from
	Store    outbox.Store
	Loader   *loader.Loader
	Brake    Brake
	Sites    []*rules.Site
	Rules    *rules.Set
	Options  rules.Options
	Log      *slog.Logger
}

// Pipeline runs from the log to the outbox.
type Pipeline struct {
	cfg    Config
	engine *rules.Engine
	track  *cdc.Tracker
	seen   cdc.Coord
	lanes  map[*rules.Site]*lane
	feed   *feed
	stale  *stale
	fills  *fills

	todo, spare []entry        // taken from the feed and not applied yet; a slice to give back
	applying    cdc.Commit     // the last one; the engine says whether all of it is applied
	closed      []*rules.Event // not dispatched yet
	batch       []*outbox.Delivery
	batchBytes  int
	schema      []cdc.SchemaRecord // not committed yet
	moved       bool               // there is something to commit besides deliveries
	committing  bool
	lastCommit  time.Time
	asking      bool      // a question for the log's end is on its way
	asked       time.Time // when the last was put
	goal        *logEnd   // the end that must be read before windows close

	loaded    chan loaded
	committed chan commit
	ends      chan logEnd
	rules     chan *rules.Set
}

// logEnd is where the log ended at a moment.
type logEnd struct {
	at  time.Time
	end cdc.End
	err error
}

const (
	batchSize     = 256     // deliveries that are worth a commit of their own
	batchBytes    = 4 << 20 // or so many bytes of them
	batchRecords  = 4096    // or so many records of open events
	dispatchBytes = 8 << 20 // of a commit, when many events close at once
	deliveryBytes = 512     // what a delivery takes besides its payload, about
	lazyCommit    = time.Second
	endSpacing    = 10 * time.Millisecond // between two questions for the log's end
	endRetry      = time.Second
	maxInLanes    = 4096
	maxLaneBytes  = 8 << 20
	huge          = 8 << 20 // bytes of a row or of a batch: memory is given back around it
	shutdownGrace = 10 * time.Second
)

// New makes a pipeline; Run starts it.
func New(cfg Config) *Pipeline {
	p := &Pipeline{
		cfg: cfg, engine: rules.NewEngine(cfg.Sites, cfg.Rules, cfg.Options), lanes: map[*rules.Site]*lane{},
		loaded: make(chan loaded), committed: make(chan commit, 1), ends: make(chan logEnd, 1), rules: make(chan *rules.Set),
	}
	p.stale, p.fills = newStale(cfg.Sites), newFills(cfg.Rules)
	for _, s := range cfg.Sites {
		p.lanes[s] = &lane{site: s}
	}
	return p
}

// SetRules makes events that close from now on use other rules.
func (p *Pipeline) SetRules(ctx context.Context, set *rules.Set) error {
	select {
	case p.rules <- set:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Run reads, and returns when ctx ends (nil), or with the reason why it cannot go on. What was read and applied is
// stored in either case.
func (p *Pipeline) Run(ctx context.Context) error {
	start, schema, err := p.resume(ctx)
	if err != nil {
		if ctx.Err() != nil && errors.Is(err, context.Canceled) {
			return nil // it was told to stop before it began
		}
		return err
	}
	parts, stop := context.WithCancel(ctx)
	g, parts := errgroup.WithContext(parts)
	p.feed = newFeed(parts, p.cfg.Brake)
	p.engine.AskOwners(p.owners(parts))
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
	state, err := p.cfg.Store.Resume(ctx)
	if err != nil {
		return cdc.Position{}, nil, fmt.Errorf("reading the outbox: %w", err)
	}
	var start cdc.Position
	if state.Checkpoint == nil {
		start, err = p.cfg.Source.Current(ctx)
		p.moved = true // so that a crash does not lose where now was
	} else {
		start, err = decodePosition(state.Checkpoint)
	}
	if err != nil {
		return start, nil, err
	}
	if p.track, err = cdc.NewTracker(start); err != nil {
		return start, nil, fmt.Errorf("reading the stored position: %w", err)
	}
	p.seen = start.Start
	records, schema := splitRecords(state.Open)
	if err := p.engine.Restore(records, time.Now()); err != nil {
		return start, nil, fmt.Errorf("reading the open events: %w", err)
	}
	if p.fills.runs, err = restoreRuns(state.Open); err != nil {
		return start, nil, err
	}
	p.fills.show()
	return start, schema, p.commitNow(ctx)
}

// loop is the one goroutine that owns the engine. It ends with ctx, or with an error that nothing here can mend.
func (p *Pipeline) loop(ctx context.Context, g *errgroup.Group) error {
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		if err := p.apply(); err != nil {
			return err
		}
		p.reachGoal()
		p.fill(ctx, g)
		p.dispatch()
		if err := p.commit(ctx, g); err != nil {
			return err
		}
		ready := p.feed.ready
		if len(p.todo) > 0 || p.engine.Applying() || p.full() {
			ready = nil
		}
		timer.Reset(min(p.tick(ctx, g), p.fills.restTimer(), p.feedLanes(ctx, g)))
		select {
		case <-ctx.Done():
			return nil
		case <-ready:
			p.todo = p.feed.take(p.spare)
			p.spare = p.todo
		case l := <-p.loaded:
			p.back(l)
		case c := <-p.committed:
			p.committing = false
			if c.err != nil {
				return fmt.Errorf("committing to the outbox: %w", c.err)
			}
			p.stored(c)
			if c.bytes >= huge {
				debug.FreeOSMemory() // the rows that it was made of
			}
		case e := <-p.ends:
			p.asking = false
			if e.err != nil {
				p.cfg.Log.Warn("cannot tell whether the log's end is reached", slog.Any("error", e.err))
				p.asked = time.Now().Add(endRetry)
				break
			}
			p.goal = &e
		case set := <-p.rules:
			p.engine.SetRules(set)
			p.fills.set.Store(set)
		case o := <-p.fills.orders:
			p.obey(o)
		case r := <-p.fills.results:
			p.filled(r)
		case <-timer.C:
		}
	}
}

// dispatch makes payloads of the events that closed: at once where the log showed all that is needed, else in the
// lane of the event's site. Within a site nothing overtakes.
func (p *Pipeline) dispatch() {
	p.closed = append(p.closed, p.engine.Closed()...)
	for len(p.closed) > 0 && p.batchBytes < dispatchBytes {
		ev := p.closed[0]
		p.closed[0] = nil
		p.closed = p.closed[1:]
		if ev.Row.Size() >= huge {
			debug.FreeOSMemory() // what the last one took is garbage by now
		}
		l := p.lanes[ev.Site]
		if l.held.follow(ev) {
			continue
		}
		if l.idle() {
			if payloads, ok := p.cfg.Loader.Immediate(ev); ok {
				p.emit(ev, payloads)
				continue
			}
		}
		l.waiting = append(l.waiting, ev)
	}
}

// emit makes an event's payloads deliveries of the next commit.
func (p *Pipeline) emit(ev *rules.Event, payloads []loader.Payload) {
	for _, pay := range payloads {
		p.batch = append(p.batch, &outbox.Delivery{
			ID: ev.DeliveryID(p.cfg.SourceID, pay.Rule.Name), Rule: pay.Rule.Name, Site: ev.Site.Name,
			Action: ev.Action.Hook(), Kind: ev.Action.String(), Keys: ev.Keys(), Object: string(pay.Object), AsOf: pay.AsOf,
			Created: ev.Time, Body: pay.Body, Large: pay.Large,
		})
		p.batchBytes += int(p.batch[len(p.batch)-1].Size()) + deliveryBytes
	}
	p.engine.Done(ev)
	p.moved = true
}

// commit sends what there is to the outbox when no commit is on its way: deliveries at once, unless more is being
// read anyway; a mere move of the position and of open events lazily, for until then they are simply read again.
func (p *Pipeline) commit(ctx context.Context, g *errgroup.Group) error {
	more := len(p.todo) > 0 || len(p.feed.ready) > 0 || p.engine.Applying()
	switch {
	case p.committing || len(p.batch) == 0 && !p.moved && !p.batchFull():
		return nil
	case len(p.batch) > 0 && more && !p.full():
		return nil
	case len(p.batch) == 0 && time.Since(p.lastCommit) < lazyCommit && !p.batchFull() && !p.urgent():
		return nil
	}
	bytes := p.batchBytes
	b, err := p.take()
	if err != nil {
		return err
	}
	told := p.fills.told
	p.fills.told = nil
	p.committing = true
	g.Go(func() error {
		p.committed <- commit{b, told, bytes, p.cfg.Store.Commit(context.WithoutCancel(ctx), b)}
		return nil
	})
	return nil
}

// take makes a batch of everything that is not committed.
func (p *Pipeline) take() (*outbox.Batch, error) {
	records, err := p.engine.TakeRecords()
	if err != nil {
		return nil, err
	}
	point, err := encodePosition(p.track.Position())
	if err != nil {
		return nil, err
	}
	open, err := p.takeRuns()
	if err != nil {
		return nil, err
	}
	for _, r := range records {
		open = append(open, outbox.Record(r))
	}
	for _, r := range p.schema {
		open = append(open, outbox.Record{Key: r.Key, Data: r.Data})
	}
	b := &outbox.Batch{Checkpoint: point, Deliveries: p.batch, Open: open}
	p.batch, p.batchBytes, p.schema, p.moved, p.lastCommit = nil, 0, nil, false, time.Now()
	return b, nil
}
