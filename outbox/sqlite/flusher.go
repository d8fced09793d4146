package sqlite

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"rowhook/outbox"
)

const (
	// flushAfter is how long an outcome may wait for a commit to ride on, flushCount how many may.
	flushAfter = 100 * time.Millisecond
	flushCount = 128
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

// run ends when the store is closed, or when its file is beyond help.
func (f *flusher) run(ctx context.Context, s *Store) {
	defer close(f.ended)
	for {
		select {
		case <-s.closing:
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
		err := s.persist(ctx, func() error { return s.write(&outbox.Batch{}, false, nil) })
		switch {
		case errors.Is(err, outbox.ErrClosed):
			return
		case err != nil:
			s.log.Error("outcomes cannot be written", slog.Any("error", err))
			s.mu.Lock()
			s.broken = err
			close(s.pending.room)
			s.pending.room = make(chan struct{})
			s.mu.Unlock()
			return
		}
	}
}
