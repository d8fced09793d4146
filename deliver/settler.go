package deliver

import (
	"context"
	"fmt"
	"sync"

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
}

// add notes an outcome; flush hands it over.
func (s *settler) add(o outbox.Outcome) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.added = append(s.added, o)
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

// unsettled are the outcomes that the outbox may not know yet, by Seq.
func (s *settler) unsettled() map[int64]outbox.Outcome {
	s.mu.Lock()
	defer s.mu.Unlock()
	m := make(map[int64]outbox.Outcome, len(s.handing)+len(s.added))
	for _, list := range [][]outbox.Outcome{s.handing, s.added} {
		for _, o := range list {
			m[o.Seq] = o
		}
	}
	return m
}
