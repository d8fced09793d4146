package pending

import (
	"context"
	"errors"
	"time"

	"rowhook/outbox"
)

const (
	// FlushAfter is how long an outcome may wait for a commit to ride on.
	FlushAfter = 100 * time.Millisecond
	// FlushCount is how many outcomes are written without waiting for one: more than come while two commits of a backlog are
	// made, which each take what there is.
	FlushCount = 512
)

// Flusher tells when outcomes are to be written that found no commit to ride on. Make it with NewFlusher.
type Flusher struct {
	due  chan struct{} // holds a token when outcomes are pending
	full chan struct{} // holds a token when there are many
}

// NewFlusher returns a Flusher that nobody has woken yet.
func NewFlusher() Flusher {
	return Flusher{due: make(chan struct{}, 1), full: make(chan struct{}, 1)}
}

// Wake tells it how many outcomes are pending: more than before, or what a commit has left of them.
func (f *Flusher) Wake(n int) {
	hold(f.due, n > 0)
	hold(f.full, n >= FlushCount)
}

// hold leaves a token in a channel that holds one, or takes it out.
func hold(c chan struct{}, token bool) {
	if token {
		Signal(c)
		return
	}
	select {
	case <-c:
	default:
	}
}

// Run calls write a little later than outcomes became pending, or when they are many. It returns nil when closing is closed, or
// write returns outbox.ErrClosed, and ctx's error or any other of write as it is: outcomes will never be written then.
func (f *Flusher) Run(ctx context.Context, closing <-chan struct{}, write func() error) error {
	for {
		select {
		case <-closing:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		case <-f.due:
		}
		wait := time.NewTimer(FlushAfter)
		select {
		case <-f.full:
		case <-wait.C:
		case <-closing:
		}
		wait.Stop()
		if err := write(); errors.Is(err, outbox.ErrClosed) {
			return nil
		} else if err != nil {
			return err
		}
	}
}

// Signal leaves a token in a channel that holds one, if it is empty.
func Signal(c chan<- struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
