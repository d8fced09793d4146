package mysql

import (
	"context"
	"fmt"
	"slices"

	"rowhook/outbox"
)

// Claim returns undelivered deliveries of an endpoint: from memory when it has all of them beyond that number, otherwise from
// the server.
func (s *Store) Claim(ctx context.Context, endpoint string, after int64, limit int) ([]*outbox.Stored, error) {
	if limit < 1 {
		return nil, fmt.Errorf("claim deliveries: a limit of %d", limit)
	}
	if err := s.writer.usable(ctx); err != nil {
		return nil, err
	}
	g := s.queue.glance(endpoint, after, limit)
	if g.known {
		return g.list, nil
	}
	items, err := undelivered(ctx, s.reader.db, &g, after, limit)
	items = slices.DeleteFunc(items, func(it *item) bool { return it.Number > g.end.last }) // of a commit that is not known to be done
	return g.show(items), explain("read", s.cfg, err)
}

// Read returns those of an endpoint's deliveries with these numbers that are undelivered.
func (s *Store) Read(ctx context.Context, endpoint string, numbers []int64) ([]*outbox.Stored, error) {
	if err := s.writer.usable(ctx); err != nil || len(numbers) == 0 {
		return nil, err
	}
	g := s.queue.glance(endpoint, 0, 0)
	if g.known {
		return nil, nil
	}
	items, err := numbered(ctx, s.reader.db, &g, slices.Compact(slices.Sorted(slices.Values(numbers))))
	return g.show(items), explain("read", s.cfg, err)
}

// Wake returns the endpoint's channel.
func (s *Store) Wake(endpoint string) <-chan struct{} { return s.queue.wake(endpoint) }

// Due tells by endpoint what lies undelivered, as of the last time that outcomes were written.
func (s *Store) Due(ctx context.Context) (map[string]outbox.Due, error) {
	if err := s.writer.usable(ctx); err != nil {
		return nil, err
	}
	return s.queue.due(), nil
}

// Settle records outcomes in memory; they are written with the next commit, or by the flusher. Those that a person wants
// are written at once.
func (s *Store) Settle(ctx context.Context, outcomes []outbox.Outcome) error {
	for {
		if err := s.writer.usable(ctx); err != nil {
			return err
		}
		room, retried, err := s.queue.settle(outcomes)
		switch {
		case err != nil:
			return err
		case retried:
			return s.settleNow(ctx, outcomes)
		case room == nil:
			return nil
		}
		select {
		case <-room:
		case <-s.closing:
		case <-ctx.Done():
		}
	}
}

// settleNow writes outcomes before it returns.
func (s *Store) settleNow(ctx context.Context, outcomes []outbox.Outcome) error {
	s.routing.RLock()
	defer s.routing.RUnlock()
	all := s.queue.record(outcomes)
	var seqs []int64
	for _, o := range all {
		o.Delivery = nil // what memory has is forgotten
		seqs = append(seqs, o.Seq)
	}
	return s.writer.commit(ctx, &outbox.Batch{}, func(c *change) error {
		if err := c.find(ctx, seqs); err != nil {
			return err
		}
		for _, o := range all {
			if err := c.retriable(o); err != nil {
				return fmt.Errorf("send delivery %d again: %w", o.Seq, err)
			}
		}
		return c.settle(ctx, all)
	})
}
