package mysql

import (
	"context"
	"time"

	"rowhook/outbox"
)

// move brings a delivery into a state and to a place.
func (c *change) move(r *row, to outbox.State, endpoint, n int64) {
	was, is, moved := r.state.Undelivered(), to.Undelivered(), endpoint != r.endpoint || n != r.n
	c.counter(r.endpoint, r.label).states[r.state]--
	c.counter(endpoint, r.label).states[to]++
	if was && (!is || moved) {
		c.end(r.endpoint).leave(r.length)
	}
	if is && !was && !moved {
		c.end(endpoint).takeIn(r.length)
	}
	if is && (!was || moved) {
		c.woken[endpoint] = true
		c.disarranged[endpoint] = true
	}
	if moved {
		if r.endpoint != 0 {
			c.end(r.endpoint).marks.Add(r.n)
			c.disarranged[r.endpoint] = true
		}
		r.moved = true
	}
	if to != outbox.Fresh && endpoint != 0 {
		c.end(endpoint).marks.Add(n)
	}
	r.state, r.endpoint, r.n, r.touched = to, endpoint, n, true
}

// settle records outcomes. That of a delivery that is gone comes to nothing.
func (c *change) settle(ctx context.Context, outcomes []*outcome) error {
	times := make(map[int64]int)
	for _, o := range outcomes {
		times[o.Seq]++
	}
	var seqs []int64
	for _, o := range outcomes {
		if times[o.Seq] > 1 || !c.plain(o) {
			seqs = append(seqs, o.Seq)
		}
	}
	if err := c.find(ctx, seqs); err != nil {
		return err
	}
	for _, o := range outcomes {
		r := c.rows[o.Seq]
		switch {
		case r == nil && c.plain(o):
			c.accept(o)
		case r != nil && !o.Retried.IsZero():
			c.retry(r, o)
		case r != nil:
			c.become(r, o)
		}
	}
	return nil
}

// plain tells whether an outcome needs no look at its delivery: that is in memory, fresh as it was committed, and was accepted.
func (c *change) plain(o *outcome) bool {
	e := o.Delivery
	return e != nil && o.AtOnce() && !c.end(e.endpoint).marks.Has(e.Number)
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

// accept is for a plain outcome: all of it is in the marks.
func (c *change) accept(o *outcome) {
	e := o.Delivery
	n := c.counter(e.endpoint, e.label)
	n.states[outbox.Fresh]--
	n.states[outbox.Delivered]++
	end := c.end(e.endpoint)
	end.leave(e.length)
	end.marks.Add(e.Number)
	c.tally(o, e.label, e.endpoint, false)
}

// become gives a delivery the state that an outcome says.
func (c *change) become(r *row, o *outcome) {
	buried := o.State == outbox.Dead && r.state != outbox.Dead && r.state != outbox.Delivered
	c.tally(o, r.label, r.endpoint, buried)
	if r.state == outbox.Delivered {
		return
	}
	atOnce := r.state == outbox.Fresh && o.AtOnce()
	if o.Attempt != nil && o.State != outbox.Delivered && r.failing == 0 {
		r.failing = max(o.At, time.Microsecond)
	}
	switch {
	case o.State == outbox.Waiting && r.state == outbox.Held:
		r.attempts, r.touched = o.Attempts, true
	case o.State == outbox.Waiting && r.state == outbox.Dead:
		c.requeue(r, o)
	default:
		r.attempts, r.due = o.Attempts, outbox.Kept(o.Due)
		c.move(r, o.State, r.endpoint, r.n)
	}
	if !atOnce && o.Attempt != nil {
		r.added = append(r.added, attempt{o.Attempt.Cut(), o.Attempts})
		r.added = r.added[max(0, len(r.added)-outbox.MaxAttempts):]
	}
}

// retry makes a delivery one that a person wants sent again; its age begins anew.
func (c *change) retry(r *row, o *outcome) {
	r.retried, r.since, r.failing, r.moved = outbox.Kept(o.Retried), c.now, 0, true
	c.requeue(r, o)
	if r.endpoint != 0 {
		c.woken[r.endpoint], c.disarranged[r.endpoint] = true, true
	}
}

// requeue puts a delivery where its rule's go, at its old number if that is where it was; it is held when they go nowhere.
func (c *change) requeue(r *row, o *outcome) {
	r.attempts, r.due = o.Attempts, outbox.Kept(o.Due)
	endpoint, ok := c.routes[c.ruleOf(r.label)]
	if !ok {
		c.hold(r)
		return
	}
	n := r.n
	if endpoint != r.endpoint || n == 0 {
		n = c.number(endpoint, r.length)
	}
	c.move(r, outbox.Waiting, endpoint, n)
}

// hold is for a delivery that nothing sends anywhere.
func (c *change) hold(r *row) {
	r.due = time.Time{}
	c.move(r, outbox.Held, 0, 0)
}

// release is for a held one whose rule is there again.
func (c *change) release(r *row, endpoint int64) {
	state := outbox.Fresh
	if r.attempts > 0 {
		state = outbox.Waiting
	}
	r.since, r.due = c.now, time.Time{}
	c.move(r, state, endpoint, c.number(endpoint, r.length))
}
