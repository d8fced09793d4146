package deliver

import (
	"time"

	"golang.org/x/time/rate"
)

// pacer keeps the requests to an endpoint apart. A nil pacer does not.
type pacer struct {
	limiter *rate.Limiter
	apart   time.Duration // requests, on average
	slot    time.Time     // when the next request may be made, if the last one might not
}

// newPacer makes a pacer for a request no more often than every, nil for 0. Requests are spread evenly; only so many may
// follow each other at once as timers are too coarse for.
func newPacer(every time.Duration) *pacer {
	if every <= 0 {
		return nil
	}
	const tick = 10 * time.Millisecond
	return &pacer{limiter: rate.NewLimiter(rate.Every(every), max(1, int(tick/every))), apart: every}
}

// allow takes leave for one request, or sets slot to when there is.
func (p *pacer) allow(now time.Time) bool {
	if p == nil {
		return true
	}
	r := p.limiter.ReserveN(now, 1)
	wait := r.DelayFrom(now)
	if wait > 0 {
		r.CancelAt(now)
		p.slot = now.Add(wait)
	}
	return wait == 0
}

// next is when the next request may be made; zero: now, as far as is known.
func (p *pacer) next() time.Time {
	if p == nil {
		return time.Time{}
	}
	return p.slot
}

// every is how far requests are kept apart; 0: they are not.
func (p *pacer) every() time.Duration {
	if p == nil {
		return 0
	}
	return p.apart
}
