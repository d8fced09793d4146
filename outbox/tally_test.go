package outbox

import (
	"testing"
	"time"
)

func TestQuantile(t *testing.T) {
	t.Parallel()
	of := func(times ...time.Duration) (t Tally) {
		for _, took := range times {
			t.Count(&Outcome{State: Delivered, Took: took}, false)
		}
		return t
	}
	hundred := of()
	for i := range 100 {
		hundred.Count(&Outcome{State: Delivered, Took: time.Duration(i) * time.Millisecond}, false)
	}
	for name, c := range map[string]struct {
		tally    Tally
		part     float64
		from, to time.Duration
	}{
		"none":             {of(), 0.95, 0, 0},
		"at once":          {of(0, 0), 0.95, 0, time.Millisecond},
		"one":              {of(3 * time.Millisecond), 0.95, 2500 * time.Microsecond, 5 * time.Millisecond},
		"the slowest":      {hundred, 1, 100 * time.Millisecond, 100 * time.Millisecond},
		"most":             {hundred, 0.95, 90 * time.Millisecond, 100 * time.Millisecond},
		"half":             {hundred, 0.5, 40 * time.Millisecond, 55 * time.Millisecond},
		"one of 20 hangs":  {of(append(make([]time.Duration, 19), time.Hour)...), 0.95, 0, time.Millisecond},
		"two of 20 hang":   {of(append(make([]time.Duration, 18), time.Hour, time.Hour)...), 0.95, 30 * time.Second, 30 * time.Second},
		"before the clock": {of(-time.Second), 0.95, 0, time.Millisecond},
	} {
		if got := c.tally.Quantile(c.part); got < c.from || got > c.to {
			t.Errorf("%s: got %v, want %v to %v", name, got, c.from, c.to)
		}
	}
}
