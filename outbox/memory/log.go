package memory

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"rowhook/outbox"
)

// List returns deliveries in order of Seq, or the other way round.
func (s *Store) List(ctx context.Context, f outbox.Filter) (list []*outbox.Stored, err error) {
	c, err := s.enter(ctx)
	if err != nil {
		return nil, err
	}
	defer s.mu.Unlock()
	size := 0
	for i := range c.entries {
		e := c.entries[i]
		if f.Newest {
			e = c.entries[len(c.entries)-1-i]
		}
		if !e.matches(&f) {
			continue
		}
		list = append(list, s.shown(e, f.Bodies))
		size += len(e.Body)
		if len(list) == f.Limit || f.Bodies && size >= maxRead {
			break
		}
	}
	return list, nil
}

func (e *entry) matches(f *outbox.Filter) bool {
	return e.Seq > f.After && (f.Before == 0 || e.Seq < f.Before) &&
		(len(f.States) == 0 || slices.Contains(f.States, e.State)) &&
		(len(f.Rules) == 0 || slices.Contains(f.Rules, e.Rule)) &&
		(len(f.Sites) == 0 || slices.Contains(f.Sites, e.Site)) &&
		(len(f.Endpoints) == 0 || slices.Contains(f.Endpoints, e.Endpoint)) &&
		f.About(e.Keys) &&
		(f.ID == nil || *f.ID == e.ID) &&
		(f.Entity == "" || strings.HasPrefix(e.Kind, f.Entity+".")) &&
		(f.Since.IsZero() || !e.Created.Before(f.Since)) &&
		(f.Until.IsZero() || e.Created.Before(f.Until)) &&
		(f.DueBy.IsZero() || e.State == outbox.Waiting && !e.Due.After(f.DueBy))
}

// Attempts returns the recorded attempts of a delivery.
func (s *Store) Attempts(ctx context.Context, seq int64) ([]outbox.Attempt, error) {
	c, err := s.enter(ctx)
	if err != nil {
		return nil, err
	}
	defer s.mu.Unlock()
	if e := c.find(seq); e != nil {
		return slices.Clone(e.attempts), nil
	}
	return nil, nil
}

// Counts returns how many deliveries there are, by rule and state.
func (s *Store) Counts(ctx context.Context) ([]outbox.Count, error) {
	c, err := s.enter(ctx)
	if err != nil {
		return nil, err
	}
	defer s.mu.Unlock()
	n := make(map[outbox.Count]int)
	for _, e := range c.entries {
		n[outbox.Count{Rule: e.Rule, State: e.State}]++
	}
	list := make([]outbox.Count, 0, len(n))
	for count, n := range n {
		count.N = n
		list = append(list, count)
	}
	slices.SortFunc(list, func(a, b outbox.Count) int {
		return cmp.Or(cmp.Compare(a.Rule, b.Rule), cmp.Compare(a.State, b.State))
	})
	return list, nil
}

// selected are the deliveries that a filter selects, in its order and up to its limit.
func (c *content) selected(f *outbox.Filter, also func(e *entry) bool) (list []*entry) {
	entries := slices.Clone(c.entries)
	if f.Newest {
		slices.Reverse(entries)
	}
	for _, e := range entries {
		if e.matches(f) && also(e) {
			list = append(list, e)
		}
		if len(list) == f.Limit && f.Limit > 0 {
			break
		}
	}
	return list
}

// remove takes deliveries out of the store.
func (c *content) remove(list []*entry) {
	gone := make(map[*entry]bool, len(list))
	for _, e := range list {
		gone[e] = true
		c.leave(e)
	}
	c.entries = slices.DeleteFunc(c.entries, func(e *entry) bool { return gone[e] })
}

// Drop removes deliveries that are not delivered.
func (s *Store) Drop(ctx context.Context, f outbox.Filter) (int, error) {
	c, err := s.enter(ctx)
	if err != nil {
		return 0, err
	}
	defer s.mu.Unlock()
	list := c.selected(&f, func(e *entry) bool { return e.State != outbox.Delivered })
	c.remove(list)
	return len(list), nil
}

// Erase removes the payloads and the answers of deliveries that are settled.
func (s *Store) Erase(ctx context.Context, f outbox.Filter) (int, error) {
	c, err := s.enter(ctx)
	if err != nil {
		return 0, err
	}
	defer s.mu.Unlock()
	list := c.selected(&f, func(e *entry) bool { return !e.undelivered() && !e.Erased })
	for _, e := range list {
		e.Erased, e.Body = true, nil
		for i := range e.attempts {
			e.attempts[i].Response = ""
		}
		if e.Last != nil {
			e.Last = &e.attempts[len(e.attempts)-1]
		}
	}
	return len(list), nil
}

// Size tells how many bytes the deliveries take, about.
func (s *Store) Size(ctx context.Context) (int64, error) {
	c, err := s.enter(ctx)
	if err != nil {
		return 0, err
	}
	defer s.mu.Unlock()
	return c.size(), nil
}

// Prune removes what need not be kept: by age, and then the oldest delivered ones for size.
func (s *Store) Prune(ctx context.Context, keep outbox.Keep) (p outbox.Pruned, err error) {
	c, err := s.enter(ctx)
	if err != nil {
		return p, err
	}
	defer s.mu.Unlock()
	p.Bytes = c.size()
	var gone []*entry
	for _, e := range c.entries {
		var since time.Time
		switch e.State {
		case outbox.Delivered:
			since = keep.Since
		case outbox.Dead, outbox.Held:
			since = keep.Dead
		}
		if e.stored.Before(since) || e.State == outbox.Delivered && keep.Bytes > 0 && p.Bytes > keep.Bytes {
			gone = append(gone, e)
			p.Bytes -= size(e)
		}
	}
	c.remove(gone)
	p.Deliveries = len(gone)
	return p, nil
}

// size is what a delivery takes, about.
func size(e *entry) int64 { return int64(len(e.Body)) + 256 }

func (c *content) size() (n int64) {
	for _, e := range c.entries {
		n += size(e)
	}
	return n
}
