package outbox

import (
	"sort"
	"time"
)

// HoursKept is for how many hours, of those in which there was something to count, a store keeps what Hours tells.
const HoursKept = 48

// HourOf is the hour of a time, counted from 1970 on.
func HourOf(t time.Time) int64 { return t.Unix() / 3600 }

// latencies are the upper bounds by which the durations of attempts are told apart. What is stored is by their places: other
// bounds need another version of the stored form.
var latencies = [...]time.Duration{
	time.Millisecond, 2500 * time.Microsecond, 5 * time.Millisecond, 10 * time.Millisecond, 25 * time.Millisecond, 50 * time.Millisecond,
	100 * time.Millisecond, 250 * time.Millisecond, 500 * time.Millisecond, time.Second, 2500 * time.Millisecond, 5 * time.Second,
	10 * time.Second, 30 * time.Second,
}

// Latencies returns the upper bounds of Tally.Times but its last, which has none.
func Latencies() []time.Duration { return append([]time.Duration(nil), latencies[:]...) }

// OutcomeCount is what became of deliveries.
type OutcomeCount struct {
	Delivered int64 // attempts that were accepted
	Failed    int64 // attempts that were not, also the last one of a delivery
	Dead      int64 // deliveries given up, also those that were without an attempt of their own
}

// Count adds an outcome. Buried says that it is what makes the delivery dead.
func (c *OutcomeCount) Count(o *Outcome, buried bool) {
	if _, tried := o.Tried(); tried {
		if o.State == Delivered {
			c.Delivered++
		} else {
			c.Failed++
		}
	}
	if buried {
		c.Dead++
	}
}

func (c *OutcomeCount) add(o OutcomeCount, sign int64) {
	c.Delivered += sign * o.Delivered
	c.Failed += sign * o.Failed
	c.Dead += sign * o.Dead
}

// Tally is what became of the attempts at an endpoint, and how long they took.
type Tally struct {
	OutcomeCount
	Took  time.Duration             // all attempts together
	Times [len(latencies) + 1]int64 // attempts by how long they took: up to each of Latencies, and longer
}

// Count adds an outcome. Buried says that it is what makes the delivery dead.
func (t *Tally) Count(o *Outcome, buried bool) {
	t.OutcomeCount.Count(o, buried)
	if took, tried := o.Tried(); tried {
		t.Took += took
		t.Times[sort.Search(len(latencies), func(i int) bool { return took <= latencies[i] })]++
	}
}

// Plus is both together.
func (t Tally) Plus(o Tally) Tally { return t.plus(o, 1) }

// Minus is what was counted since it was o.
func (t Tally) Minus(o Tally) Tally { return t.plus(o, -1) }

func (t Tally) plus(o Tally, sign int64) Tally {
	t.add(o.OutcomeCount, sign)
	t.Took += time.Duration(sign) * o.Took
	for i, n := range o.Times {
		t.Times[i] += sign * n
	}
	return t
}

// Attempts is how many there were.
func (t *Tally) Attempts() int64 { return t.Delivered + t.Failed }

// Quantile tells within which time a part of the attempts ended, 0.95 of them for example: about, as only the bounds are known
// between which each lies. It is 0 when there were none, and the last of Latencies when it is longer.
func (t *Tally) Quantile(part float64) time.Duration {
	all := int64(0)
	for _, n := range t.Times {
		all += n
	}
	rest, low := part*float64(all), time.Duration(0)
	for i, n := range t.Times[:len(latencies)] {
		if n > 0 && rest <= float64(n) {
			return low + time.Duration(float64(latencies[i]-low)*max(0, rest)/float64(n))
		}
		rest -= float64(n)
		low = latencies[i]
	}
	if all == 0 {
		return 0
	}
	return low
}

// Hour is what was counted of an endpoint in an hour.
type Hour struct {
	Endpoint string
	Start    time.Time // in UTC; its first moment
	Tally
}

// EventCount is how many events of a site and of a kind, "appointment.save", became deliveries.
type EventCount struct {
	Site, Kind string
	N          int64
}

// RuleCount is what became of a rule's deliveries.
type RuleCount struct {
	Rule string
	OutcomeCount
}

// EndpointCount is what became of the attempts at an endpoint.
type EndpointCount struct {
	Endpoint string
	Tally
}

// Totals are what was counted since the store was made, over all its lives. They only grow, whatever is dropped or pruned.
type Totals struct {
	Events    []EventCount    // by site and kind
	Rules     []RuleCount     // by rule
	Endpoints []EndpointCount // by endpoint
}
