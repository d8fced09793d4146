package deliver

import (
	"time"

	"golang.org/x/time/rate"
)

// newLimiter makes the limiter of an endpoint that takes a request no more often than every. Requests are spread evenly;
// only so many may follow each other at once as timers are too coarse for.
func newLimiter(every time.Duration) *rate.Limiter {
	if every <= 0 {
		return nil
	}
	const tick = 10 * time.Millisecond
	return rate.NewLimiter(rate.Every(every), max(1, int(tick/every)))
}

// allows takes leave for one request, or sets slot to when there is.
func (l *lane) allows(now time.Time) bool {
	if l.limit == nil {
		return true
	}
	r := l.limit.ReserveN(now, 1)
	wait := r.DelayFrom(now)
	if wait > 0 {
		r.CancelAt(now)
		l.slot = now.Add(wait)
	}
	return wait == 0
}
