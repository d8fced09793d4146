package memory

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sort"
	"time"

	"rowhook/outbox"
)

// maxRead bounds the payloads that one call returns, in bytes.
const maxRead = 8 << 20

// undelivered tells whether a delivery is one that Claim hands out.
func (e *entry) undelivered() bool {
	return e.Endpoint != "" && (e.State == outbox.Fresh || e.State == outbox.Waiting)
}

// enqueue gives a delivery the next number of an endpoint.
func (c *content) enqueue(e *entry, endpoint string) {
	c.numbers[endpoint]++
	e.Endpoint, e.Number = endpoint, c.numbers[endpoint]
	if e.State == outbox.Held {
		e.State = outbox.Fresh
		if e.Attempts > 0 {
			e.State = outbox.Waiting
		}
	}
	c.queues[endpoint] = append(c.queues[endpoint], e)
}

// leave takes a delivery out of its endpoint's queue.
func (c *content) leave(e *entry) {
	q := c.queues[e.Endpoint]
	if i := from(q, e.Number); i < len(q) && q[i] == e {
		c.queues[e.Endpoint] = slices.Delete(q, i, i+1)
	}
}

// hold is for a delivery that nothing sends anywhere.
func (e *entry) hold() {
	e.State, e.Endpoint, e.Number, e.Due = outbox.Held, "", 0, time.Time{}
}

// Route says where the deliveries of each rule go.
func (s *Store) Route(ctx context.Context, routes map[string]string) (moved outbox.Moved, err error) {
	c, err := s.enter(ctx)
	if err != nil {
		return moved, err
	}
	defer s.mu.Unlock()
	c.routes = maps.Clone(routes)
	for _, e := range c.entries {
		endpoint, ok := routes[e.Rule]
		switch {
		case e.undelivered() && !ok:
			c.leave(e)
			e.hold()
			moved.Held++
		case e.undelivered() && e.Endpoint != endpoint:
			c.leave(e)
			c.enqueue(e, endpoint)
			moved.Rerouted++
		case e.State == outbox.Held && ok && !e.Erased:
			e.since = s.uptime()
			c.enqueue(e, endpoint)
			moved.Released++
		default:
			continue
		}
		if ok {
			s.wake(endpoint)
		}
	}
	return moved, nil
}

// Claim returns undelivered deliveries of an endpoint.
func (s *Store) Claim(ctx context.Context, endpoint string, after int64, limit int) (list []*outbox.Stored, err error) {
	if limit < 1 {
		return nil, fmt.Errorf("claim deliveries: a limit of %d", limit)
	}
	c, err := s.enter(ctx)
	if err != nil {
		return nil, err
	}
	defer s.mu.Unlock()
	size := 0
	for _, e := range c.queue(endpoint, after+1) {
		if len(list) == limit || size >= maxRead {
			break
		}
		if e.undelivered() {
			list = append(list, s.shown(e, true))
			size += len(e.Body)
		}
	}
	return list, nil
}

// queue is what an endpoint has from a number on. What was settled at its beginning is forgotten first.
func (c *content) queue(endpoint string, number int64) []*entry {
	q := c.queues[endpoint]
	for len(q) > 0 && !q[0].undelivered() {
		q = q[1:]
	}
	c.queues[endpoint] = q
	return q[from(q, number):]
}

// from is the index of the first entry of a queue with this number or a higher one.
func from(q []*entry, number int64) int {
	return sort.Search(len(q), func(i int) bool { return q[i].Number >= number })
}

// Read returns those of an endpoint's deliveries with these numbers that are undelivered.
func (s *Store) Read(ctx context.Context, endpoint string, numbers []int64) (list []*outbox.Stored, err error) {
	c, err := s.enter(ctx)
	if err != nil {
		return nil, err
	}
	defer s.mu.Unlock()
	size := 0
	for _, number := range slices.Compact(slices.Sorted(slices.Values(numbers))) {
		if size >= maxRead {
			break
		}
		if q := c.queue(endpoint, number); len(q) > 0 && q[0].Number == number && q[0].undelivered() {
			list = append(list, s.shown(q[0], true))
			size += len(q[0].Body)
		}
	}
	return list, nil
}

// shown is a delivery as it is handed out.
func (s *Store) shown(e *entry, body bool) *outbox.Stored {
	d := e.Stored
	d.Age = s.uptime() - e.since
	if e.failing >= 0 {
		d.Failing = s.uptime() - e.failing
	}
	if e.Last != nil {
		last := *e.Last
		d.Last = &last
	}
	if !body {
		d.Body = nil
	}
	return &d
}

// Wake returns the endpoint's channel.
func (s *Store) Wake(endpoint string) <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.channel(endpoint)
}

func (s *Store) channel(endpoint string) chan struct{} {
	if s.wakes[endpoint] == nil {
		s.wakes[endpoint] = make(chan struct{}, 1)
	}
	return s.wakes[endpoint]
}

func (s *Store) wake(endpoint string) {
	select {
	case s.channel(endpoint) <- struct{}{}:
	default:
	}
}

// Settle records outcomes, at once.
func (s *Store) Settle(ctx context.Context, outcomes []outbox.Outcome) error {
	c, err := s.enter(ctx)
	if err != nil {
		return err
	}
	defer s.mu.Unlock()
	for i := range outcomes {
		if err := c.check(&outcomes[i]); err != nil {
			return fmt.Errorf("record outcomes: delivery %d: %w", outcomes[i].Seq, err)
		}
	}
	for i := range outcomes {
		if e := c.find(outcomes[i].Seq); e != nil {
			s.settle(e, &outcomes[i])
		}
	}
	return nil
}

// check refuses an outcome that makes no sense.
func (c *content) check(o *outbox.Outcome) error {
	if err := o.Check(); err != nil {
		return err
	}
	e := c.find(o.Seq)
	switch {
	case o.Seq > c.last, e == nil && !o.Retried.IsZero():
		return outbox.ErrNotFound
	case e != nil && e.Erased && !o.Retried.IsZero():
		return outbox.ErrErased
	}
	return nil
}

// find is the delivery with a Seq, nil when it is gone.
func (c *content) find(seq int64) *entry {
	i := sort.Search(len(c.entries), func(i int) bool { return c.entries[i].Seq >= seq })
	if i < len(c.entries) && c.entries[i].Seq == seq {
		return c.entries[i]
	}
	return nil
}

func (s *Store) settle(e *entry, o *outbox.Outcome) {
	if !o.Retried.IsZero() {
		s.retry(e, o)
		return
	}
	s.content.counts.outcome(e, o)
	if e.State == outbox.Delivered {
		return
	}
	first := e.State == outbox.Fresh
	switch {
	case e.State == outbox.Held && o.State == outbox.Waiting:
		e.Attempts = o.Attempts
	case e.State == outbox.Dead && o.State == outbox.Waiting:
		e.State, e.Attempts, e.Due = o.State, o.Attempts, outbox.Kept(o.Due)
		s.requeue(e)
	default:
		e.State, e.Attempts, e.Due = o.State, o.Attempts, outbox.Kept(o.Due)
	}
	if first && o.State == outbox.Delivered && o.Attempts <= 1 || o.Attempt == nil {
		return // accepted at once: there is nothing to tell
	}
	a := o.Attempt.Cut()
	e.attempts = append(e.attempts, a)
	e.attempts = e.attempts[max(0, len(e.attempts)-outbox.MaxAttempts):]
	e.Last = &a
	if o.State != outbox.Delivered && e.failing < 0 {
		e.failing = s.uptime()
	}
}

// retry makes a delivery one that is to be sent again.
func (s *Store) retry(e *entry, o *outbox.Outcome) {
	e.Retried, e.since, e.failing = outbox.Kept(o.Retried), s.uptime(), -1
	e.State, e.Attempts, e.Due = o.State, o.Attempts, outbox.Kept(o.Due)
	s.requeue(e)
}

// requeue puts a delivery that is undelivered again into its endpoint's queue.
func (s *Store) requeue(e *entry) {
	c := s.content
	endpoint, ok := c.routes[e.Rule]
	switch {
	case !ok:
		e.hold()
		return
	case endpoint != e.Endpoint:
		c.leave(e)
		c.enqueue(e, endpoint)
	default:
		q := c.queues[endpoint]
		i := from(q, e.Number)
		if i == len(q) || q[i] != e {
			c.queues[endpoint] = slices.Insert(q, i, e)
		}
	}
	s.wake(endpoint)
}

// Due tells by endpoint what lies undelivered.
func (s *Store) Due(ctx context.Context) (map[string]outbox.Due, error) {
	c, err := s.enter(ctx)
	if err != nil {
		return nil, err
	}
	defer s.mu.Unlock()
	due := make(map[string]outbox.Due)
	for _, e := range c.entries {
		if !e.undelivered() {
			continue
		}
		d := due[e.Endpoint]
		d.Count++
		d.Bytes += int64(len(e.Body))
		d.Oldest = max(d.Oldest, s.uptime()-e.since)
		due[e.Endpoint] = d
	}
	return due, nil
}
