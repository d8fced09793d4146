package deliver

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"rowhook/outbox"
)

// Retried counts what a retry came to.
type Retried struct {
	Again  int `json:"again"`  // dead or delivered ones: they are sent again, with a new schedule, outside of the order
	Sooner int `json:"sooner"` // waiting ones: they are due at once, in their order
	Left   int `json:"left"`   // fresh ones, which are on their way, and those whose rule or payload is gone: nothing changes
}

// retryPage is how many deliveries are retried at a time.
const retryPage = 1000

// Retry sends deliveries again that the filter selects. It returns when that is recorded; what comes of it the log will
// tell. What is sent again holds nothing back and waits for nothing. Without a Run it is done by the next one.
func (w *Worker) Retry(ctx context.Context, f outbox.Filter) (done Retried, err error) {
	left := f.Limit
	f.Newest, f.Bodies = false, false
	defer w.restart()
	for {
		f.Limit = retryPage
		if left > 0 {
			f.Limit = min(left, retryPage)
		}
		list, err := w.store.List(ctx, f)
		if err != nil {
			return done, fmt.Errorf("reading what to retry: %w", err)
		}
		if len(list) == 0 {
			return done, nil
		}
		if err := w.retry(ctx, list, &done); err != nil {
			return done, fmt.Errorf("recording retries: %w", err)
		}
		f.After = list[len(list)-1].Seq
		if left > 0 {
			if left -= len(list); left == 0 {
				return done, nil
			}
		}
	}
}

// retry records that deliveries are to be sent again, and counts them.
func (w *Worker) retry(ctx context.Context, list []*outbox.Stored, done *Retried) error {
	outcomes, now := make([]outbox.Outcome, 0, len(list)), time.Now()
	for _, s := range list {
		o := outbox.Outcome{Seq: s.Seq, State: outbox.Waiting, Due: now}
		switch {
		case s.State == outbox.Fresh || s.State == outbox.Held || s.Erased || !w.serves(s.Rule):
			done.Left++
			continue
		case s.State != outbox.Waiting:
			done.Again++
			o.Retried = now
		default:
			done.Sooner++
			o.Attempts = s.Attempts
		}
		outcomes = append(outcomes, o)
	}
	err := w.store.Settle(ctx, outcomes)
	if !errors.Is(err, outbox.ErrNotFound) && !errors.Is(err, outbox.ErrErased) {
		return err
	}
	for _, o := range outcomes { // one was dropped or erased meanwhile, and so none was recorded
		switch err := w.store.Settle(ctx, []outbox.Outcome{o}); {
		case errors.Is(err, outbox.ErrNotFound), errors.Is(err, outbox.ErrErased):
			done.Left++
			if done.Again--; o.Retried.IsZero() {
				done.Again, done.Sooner = done.Again+1, done.Sooner-1
			}
		case err != nil:
			return err
		}
	}
	return nil
}

// serves tells whether a rule has an endpoint.
func (w *Worker) serves(rule string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.wanted[rule] != nil || (*w.targets.Load())[rule] != nil
}

// Drop removes deliveries that the filter selects, of any state but delivered. What is on its way arrives nevertheless. It
// returns how many were removed.
func (w *Worker) Drop(ctx context.Context, f outbox.Filter) (int, error) {
	n, err := w.store.Drop(ctx, f)
	if len(f.States) == 0 || slices.Contains(f.States, outbox.Fresh) || slices.Contains(f.States, outbox.Waiting) {
		w.restart()
	}
	if err != nil {
		return n, fmt.Errorf("dropping deliveries: %w", err)
	}
	return n, nil
}

// Erase removes the payloads of deliveries that the filter selects, and the answers to them; undelivered ones are left as
// they are. It returns how many were erased.
func (w *Worker) Erase(ctx context.Context, f outbox.Filter) (int, error) {
	n, err := w.store.Erase(ctx, f)
	if err != nil {
		return n, fmt.Errorf("erasing payloads: %w", err)
	}
	return n, nil
}

// restart makes all endpoints look at what the outbox has for them once more.
func (w *Worker) restart() {
	for _, e := range w.all() {
		e.restart()
	}
}
