package mysql

import (
	"context"
	"database/sql"
	"log/slog"
	"sync"
	"time"

	"rowhook/outbox"
	"rowhook/retry"
)

// retryAfter is when writing is tried again after it failed.
const retryAfter = 500 * time.Millisecond

// trouble says that the server cannot be written to for now: once, and each hour; and once that it can be again. Everything
// that writes shares it. It lasts until nobody waits any more.
type trouble struct {
	log     *slog.Logger
	mu      sync.Mutex
	waiting int // how many wait for it to end
	trouble retry.Trouble
}

// met is for who begins to wait, or waits on.
func (t *trouble) met(err error, first bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if first {
		t.waiting++
	}
	if t.trouble.Worth(shown(err)) {
		t.log.Error("the outbox cannot be written for now; rowhook waits, and goes on by itself", slog.Any("error", shown(err)))
	}
}

// over is for who need not wait any more: he could write, or has gone away.
func (t *trouble) over(written bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.waiting--; t.waiting > 0 {
		return
	}
	if lasted, was := t.trouble.Over(); was && written {
		t.log.Info("the outbox can be written again", slog.Duration("after", lasted.Round(time.Millisecond)))
	}
}

// lasts tells whether somebody waits.
func (t *trouble) lasts() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.waiting > 0
}

// persist writes, and while the server cannot be written to for now, waits and tries again. It returns early with ctx's error,
// with ErrClosed when the store is closed meanwhile, and with ErrFenced when the lease is lost over it.
func (s *Store) persist(ctx context.Context, write func() error) (err error) {
	if err := ctx.Err(); err != nil {
		return err
	}
	if err = write(); !s.worthWaiting(ctx, err) {
		return explain("write", &s.cfg, err)
	}
	s.leave(err)
	s.trouble.met(err, true)
	defer func() { s.trouble.over(err == nil) }()
	again := time.NewTicker(retryAfter)
	defer again.Stop()
	for {
		select {
		case <-again.C:
		case <-s.lease.lost:
		case <-s.closing:
			err = outbox.ErrClosed
			return err
		case <-ctx.Done():
			err = ctx.Err()
			return err
		}
		if err = write(); !s.worthWaiting(ctx, err) {
			return explain("write", &s.cfg, err)
		}
		s.leave(err)
		s.trouble.met(err, false)
	}
}

// leave ends idle connections to a server that answers, but cannot be written to: a node that left its cluster, for example. The
// next ones go to another address if there is one.
func (s *Store) leave(err error) {
	if isNumber(err, away...) {
		for _, db := range []*sql.DB{s.writes, s.beats, s.reader.db} {
			leave(db)
		}
	}
}

func leave(db *sql.DB) {
	most := db.Stats().MaxOpenConnections
	db.SetMaxIdleConns(0)
	db.SetMaxIdleConns(most)
}

func (s *Store) worthWaiting(ctx context.Context, err error) bool {
	return err != nil && passes(err) && ctx.Err() == nil
}
