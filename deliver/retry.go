package deliver

import (
	"container/heap"
	"context"
	"fmt"
	"time"

	"rowhook/outbox"
)

// Retried counts what a retry came to.
type Retried struct {
	Again  int `json:"again"`  // dead or delivered ones: they are sent again, with a new schedule, outside of the order
	Sooner int `json:"sooner"` // waiting ones: they are due at once, in their order
	Left   int `json:"left"`   // those whose rule is gone, and fresh ones, which are on their way: nothing changes
}

// retryPage is how many deliveries are retried at a time.
const retryPage = 1000

// Retry sends deliveries again that the filter selects. It returns when that is recorded; what comes of it the log will
// tell. What is sent again holds nothing back and waits for nothing. Without a Run it is done by the next one.
func (w *Worker) Retry(ctx context.Context, f outbox.Filter) (done Retried, err error) {
	left := f.Limit
	f.Newest, f.Bodies = false, false
	defer w.rescan()
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
		if err := w.store.Settle(done.retry(list, w.serves)); err != nil {
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

// retry counts deliveries, and says what becomes of them.
func (r *Retried) retry(list []*outbox.Stored, serves func(rule string) bool) []outbox.Outcome {
	now := time.Now()
	outcomes := make([]outbox.Outcome, 0, len(list))
	for _, s := range list {
		o := outbox.Outcome{Seq: s.Seq, State: outbox.Waiting, Due: now}
		switch {
		case s.State == outbox.Fresh || s.State == outbox.Held || !serves(s.Rule):
			r.Left++
			continue
		case s.State != outbox.Waiting:
			r.Again++
			o.Retried = now
		default:
			r.Sooner++
			o.Attempts = s.Attempts
		}
		outcomes = append(outcomes, o)
	}
	return outcomes
}

// serves tells whether a rule has an endpoint.
func (w *Worker) serves(rule string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.wanted[rule] != nil || (*w.targets.Load())[rule] != nil
}

// rescan tells all lanes to look.
func (w *Worker) rescan() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, l := range w.lanes {
		l.rescan()
	}
}

// hasten lets an item that waits for its next attempt go at once, when that is what the outbox says.
func (l *lane) hasten(it *item, due time.Time) {
	if it.flying || !due.Before(it.due.Truncate(time.Microsecond)) { // which is what an outbox keeps
		return
	}
	it.due = due
	for i, other := range l.later {
		if other == it {
			heap.Fix(&l.later, i)
			return
		}
	}
}
