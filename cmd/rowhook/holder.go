package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"rowhook/api/control"
	"rowhook/cdc"
	"rowhook/deliver"
	"rowhook/lasting"
	"rowhook/outbox"
	"rowhook/pipeline"
	"rowhook/retry"
	"rowhook/trouble"
)

// holder is this process while it holds the outbox: it delivers, does what commands want, and follows the log.
type holder struct {
	*daemon
	tenure tenure
	front  *front       // where commands are answered, for machines that share the outbox; nil: at a socket of its own
	store  outbox.Store // the tenure's, timed
	id     identity
	worker *deliver.Worker
	teller *trouble.Teller

	follows atomic.Pointer[follower] // nil: no log is followed
	last    *cdc.Source              // that was followed before, for what it knows of tables
}

// hold works for as long as the outbox is this process's. The error wraps outbox.ErrFenced when it is another's.
func (d *daemon) hold(ctx context.Context, t tenure, front *front) (err error) {
	defer func() { err = errors.Join(err, t.Close()) }()
	d.monitor.daemon.Holds(t.Store, t.peers())
	defer d.monitor.daemon.Holds(nil, nil)
	defer d.forgetHeld()
	if err := d.tellRules(ctx, t); err != nil {
		return fmt.Errorf("%w: %w", errBeginning, err)
	}
	h := &holder{daemon: d, tenure: t, front: front, store: d.monitor.metrics.Timed(t.Store)}
	d.manager.Ready("connecting to the database at " + d.cfg.Database.Address) // however long that takes
	if t.shared == nil {
		defer d.manager.Watch(context.WithoutCancel(ctx), h.alive)()
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error {
		defer stop()
		return h.work(ctx)
	})
	g.Go(func() error {
		select {
		case <-t.lost:
			return outbox.ErrFenced
		case <-ctx.Done():
			return nil
		}
	})
	return g.Wait()
}

// errBeginning says that the outbox could not be read before anything was done with it.
var errBeginning = errors.New("reading the outbox")

// work delivers what lies in the outbox and follows the log, until ctx ends or a part fails. What delivers, tells and answers is there
// while the database is away, too. At the end the log is left first, and what was read stored; the worker goes on until then, and
// finishes the requests that are on their way.
func (h *holder) work(ctx context.Context) error {
	if err := h.begin(ctx); err != nil {
		return err
	}
	defer h.monitor.daemon.Delivers(nil)
	answer := h.answers() // first: who sees that it follows may give commands
	g, parts := errgroup.WithContext(ctx)
	delivering, stopDelivering := context.WithCancel(context.WithoutCancel(ctx))
	defer stopDelivering()
	unfenced := context.AfterFunc(parts, func() {
		if errors.Is(context.Cause(parts), outbox.ErrFenced) { // another machine delivers now
			stopDelivering()
		}
	})
	defer unfenced()
	g.Go(func() error {
		defer stopDelivering()
		err := h.follow(parts)
		if err != nil && ctx.Err() == nil && !errors.Is(err, outbox.ErrFenced) && !errors.Is(err, errWanted) {
			h.teller.Stopped(ctx, err)
		}
		if h.tenure.shared != nil {
			h.leaves(ctx, h.tenure.shared)
		}
		return err
	})
	g.Go(func() error { h.teller.Run(parts); return nil })
	g.Go(func() error { return h.worker.Run(delivering) })
	g.Go(func() error { h.prune(parts); return nil })
	g.Go(func() error { answer(parts); return nil })
	g.Go(func() error { h.watchMachines(parts); return nil })
	return g.Wait()
}

// begin makes what delivers, and what tells of it.
func (h *holder) begin(ctx context.Context) (err error) {
	if h.id, err = identify(ctx, h.store); err != nil {
		return fmt.Errorf("%w: %w", errBeginning, err)
	}
	o := h.deliverOptions()
	o.MayPost = h.tenure.held
	if h.tenure.shared != nil {
		o.Leases, o.Handover = h.tenure.shared, h.handover()
	}
	if h.worker, err = deliver.New(h.store, endpointsOf(h.cfg, h.set), o); err != nil {
		return err
	}
	h.tellUnused()
	h.monitor.show(h.cfg, h.set)
	h.monitor.daemon.Delivers(h.worker)
	h.teller = trouble.New(whole{h.monitor.daemon}, h.store, h.worker, h.id.source, h.set, h.log)
	return nil
}

// follow follows the log, until ctx ends or that cannot go on. It begins anew whenever there are other sites.
func (h *holder) follow(ctx context.Context) error {
	if h.cfg.Deliver.Only {
		return h.rest(ctx)
	}
	for {
		if err := h.followSites(ctx); ctx.Err() != nil || !errors.Is(err, errSitesChanged) {
			return err
		}
	}
}

// rest is what a machine does that holds the outbox but is not to follow the log, until one comes that is.
func (h *holder) rest(ctx context.Context) error {
	h.monitor.daemon.FollowsNot()
	h.wrong.Found(wrongIdle, lasting.Wrong{About: "the log", Text: "no machine follows the log, for all have deliver: only; this one holds the outbox until another one comes",
		Fix: "start rowhook on a machine without deliver: only"})
	hourly := time.NewTicker(time.Hour)
	defer hourly.Stop()
	h.manager.Status("delivering; no machine follows the log")
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-h.tenure.shared.Wanted():
			h.log.Info("a machine has come that may follow the log; it holds the outbox now")
			return errWanted
		case <-h.hangups:
			h.hangup(ctx, nil)
			h.lookAtFiles()
		case <-hourly.C:
			h.lookAtFiles()
		}
	}
}

// following is the pipeline while the log is followed.
func (h *holder) following() (*pipeline.Pipeline, error) {
	if f := h.follows.Load(); f != nil {
		return f.line, nil
	}
	return nil, control.NotYet(errNotYet)
}

// errNotYet is what is answered to commands that need the log to be followed.
var errNotYet = errors.New("the daemon does not follow the database yet; rowhook status says why")

// alive says whether the store on the daemon's own disk answers. What databases and receivers do is no matter: they come back,
// and a restart helps none of them.
func (h *holder) alive(ctx context.Context) error {
	if _, err := h.store.Get(ctx, sourceIDKey); err != nil {
		return fmt.Errorf("reading the outbox in %s: %w", h.cfg.StateDir, err)
	}
	return nil
}

// pruneEvery is how often old deliveries are forgotten: a busy site stores some hundred megabytes meanwhile.
const pruneEvery = 5 * time.Minute

// prune forgets old deliveries, at the start and then now and again.
func (h *holder) prune(ctx context.Context) {
	var told time.Time // that it is too large
	again := time.NewTicker(pruneEvery)
	defer again.Stop()
	var trouble retry.Trouble
	for ctx.Err() == nil {
		now, keep := time.Now(), h.cfg.Keep
		limits := outbox.Keep{Since: now.Add(-keep.Age), Bytes: int64(keep.Size)}
		if keep.Dead > 0 {
			limits.Dead = now.Add(-keep.Dead)
		}
		pruned, err := h.store.Prune(ctx, limits)
		if err == nil {
			trouble.Over()
		} else if ctx.Err() == nil && trouble.Worth(err) {
			h.log.Error("old deliveries cannot be removed from the outbox, which grows meanwhile; trying again", slog.Any("error", err),
				slog.Time("since", trouble.Since()), slog.String("fix", "see that the disk of "+h.cfg.StateDir+" has room, and who else has the outbox open"))
		}
		if over := err == nil && limits.Bytes > 0 && pruned.Bytes > limits.Bytes; over && now.Sub(told) >= time.Hour {
			told = now
			h.log.Warn("the outbox is larger than keep.size, and the rest of it may not go", slog.Int64("bytes", pruned.Bytes), slog.Int64("keep_size", limits.Bytes),
				slog.String("fix", "rowhook endpoints list shows what waits for whom; rowhook deliveries drop --state dead,held removes what nobody wants; or set keep.dead"))
		}
		select {
		case <-ctx.Done():
		case <-again.C:
		}
	}
}
