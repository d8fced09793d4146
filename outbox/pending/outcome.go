package pending

import (
	"time"

	"rowhook/outbox"
)

// Outcome is an outcome that is not written yet. D is what the store keeps of a delivery in memory.
type Outcome[D any] struct {
	outbox.Outcome
	At       time.Duration // the store's uptime when it was recorded
	Hour     int64         // then, as outbox.HourOf has it
	Delivery *D            // its delivery, if that was in memory and fresh
}

// Record makes copies of outcomes, with when they were recorded and their deliveries, as far as those are in memory, by Seq.
func Record[D any](list []outbox.Outcome, uptime time.Duration, deliveries map[int64]*D) []*Outcome[D] {
	hour := outbox.HourOf(time.Now())
	copies := make([]Outcome[D], len(list))
	all := make([]*Outcome[D], len(list))
	for i, o := range list {
		if o.Attempt != nil {
			a := o.Attempt.Cut()
			o.Attempt = &a
		}
		copies[i] = Outcome[D]{Outcome: o, At: uptime, Hour: hour, Delivery: deliveries[o.Seq]}
		all[i] = &copies[i]
	}
	return all
}

// size is roughly what it takes in memory, in bytes.
func (o *Outcome[D]) size() int {
	n := 160
	if o.Attempt != nil {
		n += 96 + len(o.Attempt.Error) + len(o.Attempt.Response)
	}
	return n
}

// AtOnce tells whether a fresh delivery was accepted at its first attempt: then there is nothing to tell but that.
func (o *Outcome[D]) AtOnce() bool { return o.State == outbox.Delivered && o.Attempts <= 1 }

// Apply makes a delivery show the outcome. It tells whether the delivery is undelivered still.
func (o *Outcome[D]) Apply(d *outbox.Stored) bool {
	if o.State != outbox.Waiting {
		return false
	}
	d.State, d.Attempts, d.Due = o.State, o.Attempts, outbox.Kept(o.Due)
	if o.Attempt != nil {
		a := *o.Attempt
		d.Last = &a
	}
	return true
}
