package mysql

import (
	"context"
	"fmt"
	"slices"
	"time"

	"rowhook/outbox"
)

// Claim returns undelivered deliveries of an endpoint: from memory when it has all of them beyond that number, otherwise from
// the server.
func (s *Store) Claim(ctx context.Context, endpoint string, after int64, limit int) ([]*outbox.Stored, error) {
	if limit < 1 {
		return nil, fmt.Errorf("claim deliveries: a limit of %d", limit)
	}
	g, err := s.glance(ctx, endpoint, after, limit)
	if err != nil || g.known {
		return g.list, err
	}
	items, err := s.reader.undelivered(ctx, &g, after, limit)
	return g.show(items), explain("read", &s.cfg, err)
}

// Read returns those of an endpoint's deliveries with these numbers that are undelivered.
func (s *Store) Read(ctx context.Context, endpoint string, numbers []int64) ([]*outbox.Stored, error) {
	g, err := s.glance(ctx, endpoint, 0, 0)
	if err != nil || len(numbers) == 0 || g.known {
		return nil, err
	}
	items, err := s.reader.numbers(ctx, &g, slices.Compact(slices.Sorted(slices.Values(numbers))))
	return g.show(items), explain("read", &s.cfg, err)
}

// glance is what memory knows of an endpoint at a moment.
type glance struct {
	known   bool               // list is all there is to know
	list    []*outbox.Stored   // in memory
	id      int64              //
	now     time.Duration      // uptime
	end     *end               //
	words   words              //
	pending map[int64]*outcome // that the server does not know yet
}

// glance looks at an endpoint. With a limit of 0 it takes nothing from memory.
func (s *Store) glance(ctx context.Context, name string, after int64, limit int) (g glance, err error) {
	if err := s.usable(ctx); err != nil {
		return g, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	id := s.view.byName[name]
	e := s.view.ends[id]
	if id == 0 || e == nil || e.count() == 0 {
		return glance{known: true}, nil
	}
	g = glance{id: id, now: s.Uptime(), end: e, words: s.view.words}
	if limit > 0 && s.recent.covers(id, after, e.last) {
		g.known, g.list = true, s.recent.claim(id, after, limit, g.now)
		return g, nil
	}
	g.pending = s.pending.snapshot()
	return g, nil
}

// use makes what was read show what is not written yet. It returns false for what is settled.
func (g *glance) use(it *item) bool {
	if !undelivered(it.State) {
		return false
	}
	o := g.pending[it.Seq]
	if o == nil {
		return true
	}
	if o.Attempt != nil && it.failing == 0 {
		it.failing = max(o.at, time.Microsecond)
	}
	return o.apply(&it.Stored)
}

// show is what was read as it is handed out.
func (g *glance) show(items []*item) []*outbox.Stored {
	list := make([]*outbox.Stored, len(items))
	for i, it := range items {
		it.Age = max(0, g.now-it.since)
		if it.failing > 0 {
			it.Failing = max(0, g.now-it.failing)
		}
		list[i] = &it.Stored
	}
	return list
}

// Wake returns the endpoint's channel.
func (s *Store) Wake(endpoint string) <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.channel(endpoint)
}

// channel is the endpoint's. The caller holds mu.
func (s *Store) channel(endpoint string) chan struct{} {
	if s.view.wakes[endpoint] == nil {
		s.view.wakes[endpoint] = make(chan struct{}, 1)
	}
	return s.view.wakes[endpoint]
}

// Due tells by endpoint what lies undelivered, as of the last time that outcomes were written.
func (s *Store) Due(ctx context.Context) (map[string]outbox.Due, error) {
	if err := s.usable(ctx); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	due, now := make(map[string]outbox.Due), s.Uptime()
	for id, e := range s.view.ends {
		if e.count() <= 0 {
			continue
		}
		d := outbox.Due{Count: int(e.count()), Bytes: e.bytesIn - e.bytes}
		since, ok := s.recent.oldest(id, e.count())
		if !ok {
			since, ok = s.view.oldest[id]
		}
		if ok {
			d.Oldest = max(0, now-since)
		}
		due[s.view.words.endpoints[id]] = d
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
func (s *Store) settle(ctx context.Context, outcomes []outbox.Outcome) (room chan struct{}, err error) {
	if err := s.usable(ctx); err != nil {
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
	if s.pending.bytes >= maxPending {
		return s.pending.room, nil
	}
	for _, o := range s.outcomes(outcomes) {
		s.pending.add(o)
		s.recent.settle(o)
	}
	if n := len(s.pending.list); n > 0 {
		s.flusher.wake(n)
	}
	return nil, nil
}

// check refuses outcomes that make no sense, and tells whether some are a person's. The caller holds mu.
func (s *Store) check(outcomes []outbox.Outcome) (retried bool, err error) {
	if s.broken != nil {
		return false, fmt.Errorf("record outcomes: %w", s.broken)
	}
	for i := range outcomes {
		o := &outcomes[i]
		err := o.Check()
		if err == nil && o.Seq > s.view.last {
			err = outbox.ErrNotFound
		}
		if err != nil {
			return false, fmt.Errorf("record outcomes: delivery %d: %w", o.Seq, err)
		}
		retried = retried || !o.Retried.IsZero()
	}
	return retried, nil
}

// outcomes are copies, with what memory knows. The caller holds mu.
func (s *Store) outcomes(list []outbox.Outcome) []*outcome {
	now, hour := s.Uptime(), hourOf(time.Now())
	copies := make([]outcome, len(list))
	all := make([]*outcome, len(list))
	for i, o := range list {
		if o.Attempt != nil {
			a := o.Attempt.Cut()
			o.Attempt = &a
		}
		copies[i] = outcome{Outcome: o, at: now, hour: hour, entry: s.recent.bySeq[o.Seq]}
		all[i] = &copies[i]
	}
	return all
}

// settleNow writes outcomes before it returns.
func (s *Store) settleNow(ctx context.Context, outcomes []outbox.Outcome) error {
	s.routing.RLock()
	defer s.routing.RUnlock()
	s.mu.Lock()
	all := s.outcomes(outcomes)
	s.mu.Unlock()
	var seqs []int64
	for _, o := range all {
		o.entry = nil // what memory has is forgotten
		seqs = append(seqs, o.Seq)
	}
	return s.persist(ctx, func() error {
		return s.write(ctx, &outbox.Batch{}, func(c *change) error {
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
	})
}

// retriable tells whether a delivery can be sent again, if that is what is wanted of it.
func (c *change) retriable(o *outcome) error {
	r := c.rows[o.Seq]
	if r != nil && r.endpoint != 0 {
		c.disarranged[r.endpoint] = true
	}
	switch {
	case o.Retried.IsZero():
		return nil
	case r == nil:
		return outbox.ErrNotFound
	case r.erased:
		return outbox.ErrErased
	}
	return nil
}
