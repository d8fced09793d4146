package mysql

import (
	"context"
	"errors"
	"sync"
	"time"

	"rowhook/outbox"
	"rowhook/retry"
)

const (
	// retryAfter is when writing is tried again after it failed.
	retryAfter = 500 * time.Millisecond
	// retryDoubt is when it is tried again to find out what has become of a commit.
	retryDoubt = 200 * time.Millisecond
	// maxDeadlocks is how often a transaction is sent again at once that got in another's way.
	maxDeadlocks = 3
)

// writer is what changes the tables, one transaction at a time, as long as the lease is held.
type writer struct {
	cfg     *Config
	pools   pools
	lease   *lease
	queue   *queue          // is told of all that was written
	steward *steward        // is told of routes
	closing <-chan struct{} // closed when the store is
	room    int             // for what the server takes at once, in bytes
	trouble trouble

	mu      sync.Mutex // held for each transaction, and before queue.mu where both are
	content *content
}

// usable says why the store cannot be worked with: the caller is gone, it is closed, or another process may work with it.
func (w *writer) usable(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	select {
	case <-w.closing:
		return outbox.ErrClosed
	default:
		return w.lease.held()
	}
}

// commit writes, and while the server cannot be written to for now, waits and tries again. It returns early with ctx's error,
// with ErrClosed when the store is closed meanwhile, and with ErrFenced when the lease is lost over it.
func (w *writer) commit(ctx context.Context, b *outbox.Batch, do func(c *change) error) (err error) {
	if err = w.try(ctx, b, do); !worthWaiting(ctx, err) {
		return explain("write", w.cfg, err)
	}
	w.trouble.met(err, true)
	defer func() { w.trouble.over(err == nil) }()
	again := time.NewTicker(retryAfter)
	defer again.Stop()
	for {
		select {
		case <-again.C:
		case <-w.lease.lost:
		case <-w.closing:
			err = outbox.ErrClosed
			return err
		case <-ctx.Done():
			err = ctx.Err()
			return err
		}
		if err = w.try(ctx, b, do); !worthWaiting(ctx, err) {
			return explain("write", w.cfg, err)
		}
		w.trouble.met(err, false)
	}
}

func worthWaiting(ctx context.Context, err error) bool {
	return err != nil && passes(err) && ctx.Err() == nil
}

// try runs one write transaction: what is pending, the batch, and then do, if there is one.
func (w *writer) try(ctx context.Context, b *outbox.Batch, do func(c *change) error) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if err := w.usable(ctx); err != nil {
		return err
	}
	return w.transact(ctx, b, do)
}

// finish writes what is pending, when the store is closed, and releases the lease, if it is still held.
func (w *writer) finish(ctx context.Context) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.lease.held() != nil {
		return nil
	}
	if err := w.transact(ctx, &outbox.Batch{}, nil); err != nil {
		return err
	}
	return w.lease.release(ctx, w.queue.clock.now())
}

// transact is try for those who hold mu.
func (w *writer) transact(ctx context.Context, b *outbox.Batch, do func(c *change) error) error {
	outcomes := w.queue.outcomes()
	c := newChange(w.content, w.pools.writes, w.queue.clock.now())
	if err := c.settle(ctx, outcomes); err != nil {
		return err
	}
	entries := c.batch(b)
	if do != nil {
		if err := do(c); err != nil {
			return err
		}
	}
	if !c.empty() {
		if err := w.send(ctx, c); err != nil {
			return err
		}
		w.content.take(c)
		if c.newRoutes != nil {
			w.steward.route(w.content)
		}
	}
	for i, e := range entries {
		d := b.Deliveries[i]
		d.Seq, d.Endpoint, d.Number, d.Created, d.AsOf = e.Seq, e.Endpoint, e.Number, e.Created, e.AsOf
	}
	w.queue.written(w.content, c, entries, len(outcomes))
	return nil
}

// send commits a change. It is known afterwards whether that was done: when the connection is lost on the way, the lease is
// taken once more, which is decided after the commit, and fence.commits tells. The end of ctx breaks nothing off that was sent.
func (w *writer) send(ctx context.Context, c *change) error {
	ctx = context.WithoutCancel(ctx)
	err := sendParts(ctx, w.pools.writes, w.room, c.whole()...)
	for range maxDeadlocks {
		if !isNumber(err, again...) {
			break
		}
		err = sendParts(ctx, w.pools.writes, w.room, c.whole()...)
	}
	switch {
	case err == nil:
		return nil
	case isNumber(err, fencedBy):
		return w.lease.lose(errTaken)
	case answered(err), isOurs(err), errors.Is(err, errUnsent):
		return err
	}
	w.trouble.met(err, true)
	f, lost := w.decide(ctx)
	w.trouble.over(lost == nil)
	switch {
	case lost != nil:
		return lost
	case f.commits == c.commits+1 && f.lastSeq == c.lastSeq:
		w.content.epoch = f.epoch
		return nil
	case f.commits != c.commits:
		return w.lease.lose(errTaken)
	}
	w.content.epoch = f.epoch
	return err
}

// decide takes the lease again, until it is known what has become of a commit, or the lease is lost.
func (w *writer) decide(ctx context.Context) (fence, error) {
	for {
		if err := w.lease.held(); err != nil {
			return fence{}, err
		}
		f, err := w.lease.again(ctx)
		switch {
		case err == nil:
			return f, nil
		case errors.Is(err, errQuicker):
			return f, w.lease.lose(errTaken)
		case !passes(err):
			return f, w.lease.lose(err)
		}
		if err := retry.Pause(ctx, retryDoubt); err != nil {
			return f, err
		}
	}
}
