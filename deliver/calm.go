package deliver

import (
	"context"
	"time"
)

const (
	// calmBelow is how many deliveries may be due on all healthy endpoints together for it to be calm.
	calmBelow = brakeAt / 2
	// CalmRetries is how many deliveries of an endpoint may wait for another attempt: when it refuses what it gets, more of
	// it can wait too.
	CalmRetries = 1000
	// lookAgain is when Calm looks again at what nobody tells it: an endpoint that is down or paused, a rate.
	lookAgain = 100 * time.Millisecond
)

// Calm waits until little is to be delivered, for what has time until then: the delivery with that Seq was handed to its
// endpoint, and the rule's endpoint is well and has no more waiting than it takes at once. It returns an error when ctx
// ends. A rule without an endpoint has nothing to wait for.
func (w *Worker) Calm(ctx context.Context, rule string, seq int64) error {
	for {
		changed := w.brake.change()
		if w.isCalm(rule, seq) {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-changed:
		case <-time.After(lookAgain):
		}
	}
}

func (w *Worker) isCalm(rule string, seq int64) bool {
	targets := *w.targets.Load()
	t, known := targets[rule]
	if !known {
		return true
	}
	if t == nil || w.routed.Load() < seq || w.brake.due() >= calmBelow {
		return false
	}
	w.mu.Lock()
	l := w.lanes[t.lane]
	w.mu.Unlock()
	if l == nil {
		return false // it is being started
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	return !l.down && !l.parking && l.arrived.n+l.held.n <= l.atOnce && l.status.Pending <= CalmRetries
}
