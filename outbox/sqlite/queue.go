package sqlite

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"sort"
	"time"

	"rowhook/outbox"
	"rowhook/outbox/pending"
)

// Route says where the deliveries of each rule go.
func (s *Store) Route(ctx context.Context, routes map[string]string) (moved outbox.Moved, err error) {
	err = s.persist(ctx, func() error {
		return s.write(&outbox.Batch{}, true, func(c *change) error {
			moved, err = c.route(routes)
			return err
		})
	})
	return moved, err
}

// Claim returns undelivered deliveries of an endpoint: from memory, and what has no room there from the file.
func (s *Store) Claim(ctx context.Context, endpoint string, after int64, limit int) ([]*outbox.Stored, error) {
	if limit < 1 {
		return nil, fmt.Errorf("claim deliveries: a limit of %d", limit)
	}
	g, err := s.glance(ctx, endpoint, after, limit)
	if err != nil || g.lagging == 0 {
		return g.list, err
	}
	list, err := s.claims.backlog(ctx, g.id, after, limit, g.now, g.use)
	if err != nil {
		return nil, explain("read", s.path, err)
	}
	return g.merge(list, limit), nil
}

// Read returns those of an endpoint's deliveries with these numbers that are undelivered.
func (s *Store) Read(ctx context.Context, endpoint string, numbers []int64) (list []*outbox.Stored, err error) {
	g, err := s.glance(ctx, endpoint, 0, 0)
	if err != nil || len(numbers) == 0 {
		return nil, err
	}
	numbers = slices.Compact(slices.Sorted(slices.Values(numbers)))
	s.mu.Lock()
	for _, n := range numbers {
		if some := s.recent.claim(g.id, n-1, 1, g.now); len(some) == 1 && some[0].Number == n {
			g.list = append(g.list, some[0])
		}
	}
	s.mu.Unlock()
	if g.lagging > 0 {
		if list, err = s.claims.numbers(ctx, g.id, numbers, g.now, g.use); err != nil {
			return nil, explain("read", s.path, err)
		}
	}
	return g.merge(list, len(numbers)), nil
}

// glance is what memory knows of an endpoint at a moment.
type glance struct {
	id      int64
	lagging int64
	now     time.Duration
	list    []*outbox.Stored   // in memory
	pending map[int64]*outcome // that the file does not know yet
}

func (s *Store) glance(ctx context.Context, name string, after int64, limit int) (g glance, err error) {
	if err := ctx.Err(); err != nil {
		return g, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.isClosed() {
		return g, outbox.ErrClosed
	}
	e := s.queues[name]
	if e == nil || e.id == 0 {
		return g, nil
	}
	g.id, g.lagging, g.now = e.id, e.lagging, s.Uptime()
	g.list = s.recent.claim(e.id, after, limit, g.now)
	if g.lagging > 0 {
		g.pending = s.pending.Latest()
	}
	return g, nil
}

// use makes what the file has show what is not written yet. It returns false for what is settled.
func (g *glance) use(d *outbox.Stored) bool {
	o := g.pending[d.Seq]
	if o == nil {
		return true
	}
	if o.Attempt != nil && d.Failing == 0 {
		d.Failing = g.now - o.At
	}
	return o.Apply(d)
}

// merge joins what is in the backlog to what was in memory. What comes behind the end of a part that is not all there is
// left out; what moved from one to the other meanwhile is in both.
func (g *glance) merge(lagging []*outbox.Stored, limit int) []*outbox.Stored {
	all := slices.Concat(lagging, g.list)
	sort.SliceStable(all, func(i, j int) bool { return all[i].Number < all[j].Number })
	all = slices.CompactFunc(all, func(a, b *outbox.Stored) bool { return a.Number == b.Number })
	size := 0
	for i, d := range all {
		if i == limit || size >= maxRecent {
			return all[:i]
		}
		size += len(d.Body)
	}
	return all
}

// Wake returns the endpoint's channel.
func (s *Store) Wake(endpoint string) <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.endpoint(endpoint).wake
}

// Due tells by endpoint what lies undelivered, as of the last time that outcomes were written.
func (s *Store) Due(ctx context.Context) (map[string]outbox.Due, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.isClosed() {
		return nil, outbox.ErrClosed
	}
	due, now := make(map[string]outbox.Due), s.Uptime()
	for name, e := range s.queues {
		if e.count == 0 || e.id == 0 {
			continue
		}
		d := outbox.Due{Count: int(e.count), Bytes: e.bytes}
		if since, ok := s.recent.first(e.id); ok {
			d.Oldest = now - since
		}
		if e.lagging > 0 {
			d.Oldest = max(d.Oldest, now-e.oldest)
		}
		due[name] = d
	}
	return due, nil
}

// Settle records outcomes in memory; they are written with the next commit, or by the flusher. Those that a person wants
// are written at once.
func (s *Store) Settle(ctx context.Context, outcomes []outbox.Outcome) error {
	for {
		room, err := s.settle(ctx, outcomes)
		if err != nil || room == nil {
			return err
		}
		select {
		case <-room:
		case <-s.closing:
		case <-ctx.Done():
		}
	}
}

// settle is one try of Settle; the channel tells when another one is worth it, nil: it is done.
func (s *Store) settle(ctx context.Context, outcomes []outbox.Outcome) (room <-chan struct{}, err error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	s.mu.Lock()
	retried, err := s.check(outcomes)
	if err != nil || retried {
		s.mu.Unlock()
		if retried {
			err = s.settleNow(ctx, outcomes)
		}
		return nil, err
	}
	defer s.mu.Unlock()
	if room := s.pending.Room(); room != nil {
		return room, nil
	}
	for _, o := range pending.Record(outcomes, s.Uptime(), s.recent.bySeq) {
		s.pending.Add(o)
		s.recent.settle(o)
	}
	if n := s.pending.Len(); n > 0 {
		s.flusher.Wake(n)
	}
	return nil, nil
}

// check refuses outcomes that make no sense, and tells whether some are a person's. The caller holds mu.
func (s *Store) check(outcomes []outbox.Outcome) (retried bool, err error) {
	if s.isClosed() {
		return false, outbox.ErrClosed
	}
	if err := s.pending.Failed(); err != nil {
		return false, fmt.Errorf("record outcomes: %w", err)
	}
	return outbox.CheckOutcomes(outcomes, s.last)
}

// settleNow writes outcomes before it returns.
func (s *Store) settleNow(ctx context.Context, outcomes []outbox.Outcome) error {
	s.mu.Lock()
	list := pending.Record(outcomes, s.Uptime(), s.recent.bySeq)
	s.mu.Unlock()
	return s.persist(ctx, func() error {
		return s.write(&outbox.Batch{}, false, func(c *change) error {
			for _, o := range list {
				if o.Retried.IsZero() {
					continue
				}
				if err := c.retriable(o.Seq); err != nil {
					return fmt.Errorf("send delivery %d again: %w", o.Seq, err)
				}
			}
			for _, o := range list {
				if err := c.settle(o); err != nil {
					return err
				}
				c.gone = append(c.gone, o.Seq)
			}
			return nil
		})
	})
}

// flushOutcomes writes outcomes that found no commit to ride on. It ends when the store is closed, or when its file is beyond
// help.
func (s *Store) flushOutcomes(ctx context.Context) {
	err := s.flusher.Run(ctx, s.closing, func() error {
		return s.persist(ctx, func() error { return s.write(&outbox.Batch{}, false, nil) })
	})
	if err == nil {
		return
	}
	s.log.Error("outcomes cannot be written", slog.Any("error", err))
	s.mu.Lock()
	defer s.mu.Unlock()
	s.pending.Fail(err)
}
