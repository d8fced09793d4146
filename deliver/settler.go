package deliver

import (
	"context"
	"fmt"
	"sync"
	"time"

	"rowhook/deliver/post"
	"rowhook/outbox"
)

// maxUnsettled is how many outcomes of an endpoint may wait to be handed over before it makes no further request: what was
// posted is recorded before much else is posted.
const maxUnsettled = 64

// settler hands outcomes to the outbox, in batches: who finds nobody doing so does it, for others too. The outbox may make
// it wait, so no lock is held meanwhile.
type settler struct {
	queue outbox.Queue

	mu      sync.Mutex
	added   []outbox.Outcome
	handing []outbox.Outcome // being handed over
	busy    bool             // somebody does so

	news map[int64]outbox.Outcome // what the outbox may not know while it is asked, by Seq; nil: nobody wants to know
}

// add notes an outcome; flush hands it over.
func (s *settler) add(o outbox.Outcome) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.added = append(s.added, o)
	if s.news != nil {
		s.news[o.Seq] = o
	}
}

// delivered notes a success. The outbox keeps no attempt of what was accepted at once.
func (s *settler) delivered(it *item, r *post.Result, now time.Time) {
	o := outbox.Outcome{Seq: it.Seq, State: outbox.Delivered, Attempts: it.Attempts + 1, Took: r.Latency}
	if it.State == outbox.Waiting {
		o.Attempt = recorded(r, now)
	}
	s.add(o)
}

// putBack notes a failure, of which the delivery's attempts tell whether it counts.
func (s *settler) putBack(it *item, r *post.Result, now time.Time) {
	o := outbox.Outcome{Seq: it.Seq, State: outbox.Waiting, Attempts: it.Attempts, Attempt: recorded(r, now)}
	if !it.due.IsZero() {
		o.Due = byClock(it.due, now)
	}
	s.add(o)
	it.State = outbox.Waiting
}

// dead notes a failure that was the last.
func (s *settler) dead(it *item, r *post.Result, now time.Time) {
	s.add(outbox.Outcome{Seq: it.Seq, State: outbox.Dead, Attempts: it.Attempts, Attempt: recorded(r, now)})
}

// flush hands over what was added, unless somebody is at it already: then that one does.
func (s *settler) flush(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for !s.busy && len(s.added) > 0 {
		s.busy = true
		s.added, s.handing = s.handing[:0], s.added
		s.mu.Unlock()
		err := s.queue.Settle(ctx, s.handing)
		s.mu.Lock()
		s.busy = false
		if err != nil {
			s.added = append(s.handing, s.added...)
			s.handing = nil
			return fmt.Errorf("recording outcomes: %w", err)
		}
		clear(s.handing) // they hold what receivers said
		s.handing = s.handing[:0]
	}
	return nil
}

// full tells whether the outbox has fallen behind.
func (s *settler) full() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.added) >= maxUnsettled
}

// watch remembers the outcomes that the outbox may not know yet, and those that come, for one who asks it now and puts right what
// it says by what unwatch returns.
func (s *settler) watch() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.news = make(map[int64]outbox.Outcome, len(s.handing)+len(s.added))
	for _, list := range [][]outbox.Outcome{s.handing, s.added} {
		for _, o := range list {
			s.news[o.Seq] = o
		}
	}
}

// unwatch are the outcomes since watch, by Seq; none, if that was not called.
func (s *settler) unwatch() map[int64]outbox.Outcome {
	s.mu.Lock()
	defer s.mu.Unlock()
	news := s.news
	s.news = nil
	return news
}

// left is how many outcomes were not handed over.
func (s *settler) left() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.handing) + len(s.added)
}

// byClock says by the clock as it is set now when t was, or will be: t may have been taken before somebody set the clock, and still
// tells how far from now it lies. What is stored is compared with times of later processes, which have only the clock.
func byClock(t, now time.Time) time.Time { return now.Round(0).Add(t.Sub(now)) }

// recorded is an attempt for the record.
func recorded(r *post.Result, now time.Time) *outbox.Attempt {
	return &outbox.Attempt{At: byClock(r.At, now), Latency: r.Latency, Status: r.Status, Error: r.Error, Response: r.Response}
}
