package mysql

import (
	"context"
	"time"

	"rowhook/outbox/pending"
	"rowhook/retry"
)

// ageAfter is how much what Due tells of the oldest may lag behind.
const ageAfter = time.Second

// ages are how old the oldest delivery of an endpoint is, where recent does not tell.
type ages struct {
	oldest  map[int64]time.Duration // by endpoint: the uptime when its age began
	changed map[int64]bool          // endpoints whose oldest may be another one
	some    chan struct{}           // holds a token when there are some
}

func newAges() ages {
	return ages{oldest: make(map[int64]time.Duration), changed: make(map[int64]bool), some: make(chan struct{}, 1)}
}

// change notes an endpoint. The caller holds queue.mu.
func (a *ages) change(endpoint int64) {
	a.changed[endpoint] = true
	pending.Signal(a.some)
}

// findOldest asks for the oldest of every endpoint that has some.
func (q *queue) findOldest(ctx context.Context, ask func(ctx context.Context, endpoint, low int64) (time.Duration, error)) error {
	for id, e := range q.ends {
		if e.count() <= 0 {
			continue
		}
		since, err := ask(ctx, id, e.marks.Low)
		if err != nil {
			return err
		}
		q.ages.oldest[id] = since
	}
	return nil
}

// watchAges asks for the oldest of those endpoints that changed, until ctx ends.
func (q *queue) watchAges(ctx context.Context, ask func(ctx context.Context, endpoint, low int64) (time.Duration, error)) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-q.ages.some:
		}
		for id, low := range q.unknownAges() {
			since, err := ask(ctx, id, low)
			if err != nil {
				break // it stays as it was, and is looked at again when something changes
			}
			q.mu.Lock()
			q.ages.oldest[id] = since
			q.mu.Unlock()
		}
		if retry.Pause(ctx, ageAfter) != nil {
			return
		}
	}
}

// unknownAges are the endpoints that changed whose oldest delivery is not in memory, and up to where they are settled.
func (q *queue) unknownAges() map[int64]int64 {
	q.mu.Lock()
	defer q.mu.Unlock()
	lows := make(map[int64]int64)
	for id := range q.ages.changed {
		e := q.ends[id]
		if _, known := q.recent.oldest(id, e.count()); !known && e.count() > 0 {
			lows[id] = e.marks.Low
		}
	}
	clear(q.ages.changed)
	return lows
}
