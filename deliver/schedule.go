package deliver

import (
	"time"

	"rowhook/outbox"
)

// youngFor is for how long after a start, the end of a pause or the beginning of an outage nothing is given up for its age: what
// is old by then may have had no chance.
const youngFor = 10 * time.Minute

// expired tells whether a delivery was tried in vain for so long that it is given up. What counts is the time in which it
// could be tried: since its own first failure, or, as long as an outage lasts, since it lies there. The outbox measures both,
// so the time in which rowhook did not run counts as little as a clock that jumps; and neither does a pause. mu is held.
func (e *endpoint) expired(it *item, outage *breaker, now time.Time) bool {
	var tried time.Duration
	if !it.failing.IsZero() {
		tried = now.Sub(e.notBefore(it, it.failing))
	}
	began := latest(e.began, e.notBefore(it, e.began))
	if outage != nil {
		began = latest(began, outage.since)
		tried = max(tried, now.Sub(e.notBefore(it, latest(it.lying, outage.since))))
	}
	return tried >= e.opts.MaxAge && now.Sub(began) >= min(youngFor, e.opts.MaxAge)
}

// nextAttempt is when a delivery is tried again after a wait: not later than when it expires.
func (e *endpoint) nextAttempt(it *item, wait time.Duration, now time.Time) time.Time {
	due := now.Add(wait)
	if end := e.notBefore(it, it.failing).Add(e.opts.MaxAge); end.After(now) && due.After(end) {
		return end
	}
	return due
}

// notBefore is a time, or the end of the last pause of the delivery's endpoint or URL, if that was later.
func (e *endpoint) notBefore(it *item, t time.Time) time.Time {
	t = latest(t, e.resumed)
	if target := e.targets(it.Rule); target != nil {
		t = latest(t, e.urls.of(target.url).resumed)
	}
	return t
}

func latest(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// dueBy is when a delivery from the outbox is due. It is no later than its schedule may ever have it, whatever the clock was
// when that was recorded: else, when the clock was set back, it would wait until the clock is there again.
func (e *endpoint) dueBy(s *outbox.Stored, now time.Time) time.Time {
	var longest time.Duration
	if n := min(s.Attempts, len(e.opts.Schedule)); n > 0 {
		longest = e.opts.Schedule[n-1] * 6 / 5
	}
	return now.Add(min(s.Due.Sub(now), longest))
}
