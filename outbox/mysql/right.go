package mysql

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"rowhook/outbox"
	"rowhook/retry"
)

// right is what this process may do as long as it renews it: hold the lease, or be a member.
type right struct {
	mu       sync.Mutex
	deadline time.Time // by this process's monotonic clock
	reason   error     // why it is lost
	lost     chan struct{}
}

func newRight() right { return right{lost: make(chan struct{})} }

var (
	errExpired = errors.New("its lease ran out before the server renewed it")
	errTaken   = errors.New("it holds the lease now")
)

// extend moves the deadline on.
func (r *right) extend(deadline time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.deadline = deadline
}

// lose is for when somebody else has it, or may have it soon.
func (r *right) lose(reason error) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.reason == nil {
		r.reason = fmt.Errorf("%w: %w", outbox.ErrFenced, reason)
		close(r.lost)
	}
	return r.reason
}

// held says why the right is not ours any more. It looks at the clock itself: a process that was frozen finds out here.
func (r *right) held() error {
	r.mu.Lock()
	reason, deadline := r.reason, r.deadline
	r.mu.Unlock()
	if reason == nil && !time.Now().Before(deadline) {
		return r.lose(errExpired)
	}
	return reason
}

// keep renews it until ctx ends or it is lost.
func (r *right) keep(ctx context.Context, cfg *Config, log *slog.Logger, renew func(ctx context.Context) error) {
	tick := time.NewTicker(cfg.lease() / 5)
	defer tick.Stop()
	var again <-chan time.Time // sooner, after one that failed
	var trouble retry.Trouble
	for {
		r.mu.Lock()
		deadline := r.deadline
		r.mu.Unlock()
		expiry := time.NewTimer(time.Until(deadline))
		select {
		case <-ctx.Done():
		case <-r.lost:
		case <-expiry.C:
		case <-tick.C:
		case <-again:
		}
		expiry.Stop()
		if ctx.Err() != nil || r.held() != nil {
			return
		}
		err := within(ctx, deadline, renew)
		if again = nil; err != nil {
			again = time.After(cfg.lease() / 50)
		}
		switch {
		case err == nil:
			if lasted, was := trouble.Over(); was {
				log.Info("the lease on the outbox is renewed again", slog.Duration("after", lasted.Round(time.Millisecond)))
			}
		case ctx.Err() == nil && r.held() == nil && trouble.Worth(err):
			log.Warn("the lease on the outbox was not renewed; trying again", slog.Any("error", shown(err)))
		}
	}
}

func within(ctx context.Context, deadline time.Time, do func(ctx context.Context) error) error {
	ctx, cancel := context.WithDeadline(ctx, deadline)
	defer cancel()
	return do(ctx)
}
