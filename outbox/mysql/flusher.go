package mysql

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"rowhook/outbox"
	"rowhook/retry"
)

const (
	// flushAfter is how long an outcome may wait for a commit to ride on, flushCount how many may.
	flushAfter = 100 * time.Millisecond
	flushCount = 128
	// ageAfter is how much what Due tells of the oldest may lag behind.
	ageAfter = time.Second
)

// flusher writes outcomes that found no commit to ride on.
type flusher struct {
	due   chan struct{} // holds a token when outcomes are pending
	full  chan struct{} // holds a token when there are many
	ended chan struct{} // closed when run has ended
}

func newFlusher() flusher {
	return flusher{due: make(chan struct{}, 1), full: make(chan struct{}, 1), ended: make(chan struct{})}
}

// wake tells it how many outcomes are pending.
func (f *flusher) wake(n int) {
	signal(f.due)
	if n >= flushCount {
		signal(f.full)
	}
}

// signal leaves a token in a channel that holds one.
func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// run ends when the store is closed, or when its outcomes can never be written: another process may work on it.
func (f *flusher) run(ctx context.Context, s *Store) {
	defer close(f.ended)
	for {
		select {
		case <-s.closing:
			return
		case <-s.lease.lost:
			s.fail(s.lease.held())
			return
		case <-f.due:
		}
		wait := time.NewTimer(flushAfter)
		select {
		case <-f.full:
		case <-wait.C:
		case <-s.closing:
		}
		wait.Stop()
		err := s.persist(ctx, func() error { return s.write(ctx, &outbox.Batch{}, nil) })
		switch {
		case errors.Is(err, outbox.ErrClosed):
			return
		case err != nil:
			if !errors.Is(err, outbox.ErrFenced) {
				s.log.Error("outcomes cannot be written", slog.Any("error", err))
			}
			s.fail(err)
			return
		}
	}
}

// fail is for when outcomes will never be written: who waits for room need not.
func (s *Store) fail(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.broken = err
	s.pending.makeRoom()
}

// ages finds out how old the oldest delivery of an endpoint is where memory does not tell.
type ages struct {
	changed map[int64]bool // endpoints whose oldest may be another one; Store.mu guards it
	some    chan struct{}  // holds a token when there are some
}

func newAges() ages { return ages{changed: make(map[int64]bool), some: make(chan struct{}, 1)} }

// change notes an endpoint. The caller holds Store.mu.
func (a *ages) change(endpoint int64) {
	a.changed[endpoint] = true
	signal(a.some)
}

// run ends with ctx.
func (a *ages) run(ctx context.Context, s *Store) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-a.some:
		}
		for id, low := range s.unknownAges() {
			since, err := s.reader.oldest(ctx, id, low)
			if err != nil {
				break // it stays as it was, and is looked at again when something changes
			}
			s.mu.Lock()
			s.view.oldest[id] = since
			s.mu.Unlock()
		}
		if retry.Pause(ctx, ageAfter) != nil {
			return
		}
	}
}

// unknownAges are the endpoints that changed whose oldest delivery is not in memory, and up to where they are settled.
func (s *Store) unknownAges() map[int64]int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	lows := make(map[int64]int64)
	for id := range s.ages.changed {
		e := s.view.ends[id]
		if _, known := s.recent.oldest(id, e.count()); !known && e.count() > 0 {
			lows[id] = e.marks.low
		}
	}
	clear(s.ages.changed)
	return lows
}
