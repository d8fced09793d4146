package deliver

import (
	"time"

	"rowhook/deliver/post"
	"rowhook/outbox"
)

// youngFor is for how long after a start, the end of a pause or the beginning of an outage nothing is given up for its age: what
// is old by then may have had no chance.
const youngFor = 10 * time.Minute

// schedule is when an endpoint's deliveries are tried again after failures of their own, and when they are given up. It counts
// only the time in which a delivery could be tried. The endpoint's mu guards it.
type schedule struct {
	waits   []time.Duration // after failed attempts; who fails after the last is dead
	maxAge  time.Duration   // of trying in vain
	began   time.Time       // when the endpoint did
	resumed time.Time       // when the last pause of the endpoint was over; zero: there was none
}

// fails counts a failure that is the delivery's own, and tells whether it was the last. An attempt that was made early, because
// the endpoint came back, costs nothing: nothing dies faster than its schedule.
func (s *schedule) fails(it *item, r *post.Result, now time.Time) (dead bool) {
	it.failed(r, now)
	switch {
	case it.Object == outbox.Unshaped: // no other try makes a payload of it
		it.Attempts++
		return true
	case now.Before(it.due):
		return false
	}
	it.Attempts++
	if it.Attempts > len(s.waits) || s.expired(it, nil, now) {
		return true
	}
	it.due = s.next(it, max(jitter(s.waits[it.Attempts-1]), r.RetryAfter), now)
	return false
}

// next is when a delivery is tried again after a wait: not later than when it expires.
func (s *schedule) next(it *item, wait time.Duration, now time.Time) time.Time {
	due := now.Add(wait)
	if end := s.notBefore(it, it.failing).Add(s.maxAge); end.After(now) && due.After(end) {
		return end
	}
	return due
}

// expired tells whether a delivery was tried in vain for so long that it is given up. What counts is the time in which it
// could be tried: since its own first failure, or, as long as an outage lasts, since it lies there. The outbox measures both,
// so the time in which rowhook did not run counts as little as a clock that jumps; and neither does a pause.
func (s *schedule) expired(it *item, outage *breaker, now time.Time) bool {
	var tried time.Duration
	if !it.failing.IsZero() {
		tried = now.Sub(s.notBefore(it, it.failing))
	}
	began := latest(s.began, s.notBefore(it, s.began))
	if outage != nil {
		began = latest(began, outage.since)
		tried = max(tried, now.Sub(s.notBefore(it, latest(it.lying, outage.since))))
	}
	return tried >= s.maxAge && now.Sub(began) >= min(youngFor, s.maxAge)
}

// notBefore is a time, or the end of the last pause of the delivery's endpoint or URL, if that was later.
func (s *schedule) notBefore(it *item, t time.Time) time.Time {
	t = latest(t, s.resumed)
	if it.url != nil {
		t = latest(t, it.url.resumed)
	}
	return t
}

// due is when a delivery from the outbox is, zero for at once. It is no later than its schedule may ever have it, whatever the
// clock was when that was recorded: else, when the clock was set back, it would wait until the clock is there again.
func (s *schedule) due(d *outbox.Stored, now time.Time) time.Time {
	if d.Due.IsZero() {
		return time.Time{}
	}
	var longest time.Duration
	if n := min(d.Attempts, len(s.waits)); n > 0 {
		longest = s.waits[n-1] * 6 / 5
	}
	return now.Add(min(d.Due.Sub(now), longest))
}

func latest(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}
