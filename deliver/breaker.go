package deliver

import (
	"math/rand/v2"
	"time"
)

// probeWaits are the times between the probes of what is down; the last one goes on.
var probeWaits = [...]time.Duration{
	time.Second, 2 * time.Second, 5 * time.Second, 10 * time.Second, 20 * time.Second, 30 * time.Second,
}

// breaker is a circuit breaker. It is closed, or open until a time at which one probe may pass. Who uses it decides what
// is a failure, and closes it with whatever gets through. The zero breaker is closed.
type breaker struct {
	since  time.Time // when it opened; zero: it is closed
	until  time.Time // when a probe may pass
	asked  bool      // until is what the receiver asked for
	probes int       // that failed since it opened
}

// open tells whether nothing but probes is sent.
func (b *breaker) open() bool { return !b.since.IsZero() }

// fail opens the breaker, or, after a probe, waits for the next one: as long as the receiver asks, or the usual time.
func (b *breaker) fail(now time.Time, asked time.Duration) {
	if b.open() {
		b.probes++
	} else {
		b.since, b.probes = now, 0
	}
	wait := asked
	if b.asked = asked > 0; !b.asked {
		wait = jitter(probeWaits[min(b.probes, len(probeWaits)-1)])
	}
	b.until = now.Add(wait)
}

// close forgets that there was any trouble.
func (b *breaker) close() { *b = breaker{} }

// choose is which of n candidates the next probe takes: in turn the oldest, and another one, as the oldest may be what the
// receiver cannot take.
func (b *breaker) choose(n int) int {
	if b.probes%2 == 1 && n > 1 {
		return 1 + b.probes/2%(n-1)
	}
	return 0
}

// jitter varies a duration by up to a fifth either way, so that what failed together does not come again together.
func jitter(d time.Duration) time.Duration {
	return d*4/5 + rand.N(d*2/5+1)
}
