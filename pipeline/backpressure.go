package pipeline

import (
	"context"
	"fmt"
	"time"

	"rowhook/outbox"
)

// Backpressure is asked of the outbox, never of those who deliver: by endpoint, how much lies there undelivered. An
// endpoint that takes what it gets is not run ahead of, so that its deliveries come from memory and the outbox stays small.
// One that does not keep up, dead or only slow, is told by the age of what waits for it: that stays on disk, and nobody
// waits for it.
const (
	// aheadCount and aheadBytes are what may lie undelivered for an endpoint that keeps up before no more is made.
	aheadCount = 1000
	aheadBytes = 8 << 20
	// keepsUp is how old the oldest may be at an endpoint that keeps up.
	keepsUp = 2 * time.Second
	// lookAgain is when the outbox is asked again while there is too much.
	lookAgain = 5 * time.Millisecond
	// calmCount is how many fresh deliveries, calmRetries how many failed ones an endpoint may have when it is given what
	// has time.
	calmCount   = 16
	calmRetries = 1000
)

// backpressure remembers whether too much lies undelivered.
type backpressure struct {
	crowded bool
	stale   bool // it must be asked again
}

// look asks the outbox, when something was added since, or there was too much.
func (b *backpressure) look(ctx context.Context, queue Outbox) error {
	if !b.stale && !b.crowded {
		return nil
	}
	due, err := queue.Due(context.WithoutCancel(ctx)) // which asks no disk
	if err != nil {
		return fmt.Errorf("asking the outbox what is undelivered: %w", err)
	}
	b.stale, b.crowded = false, isCrowded(due)
	return nil
}

// timer is when look has something to do, if nothing else happens.
func (b *backpressure) timer() time.Duration {
	if b.crowded {
		return lookAgain
	}
	return time.Hour
}

// isCrowded tells whether an endpoint that keeps up has enough to do.
func isCrowded(due map[string]outbox.Due) bool {
	for _, d := range due {
		if (d.Count >= aheadCount || d.Bytes >= aheadBytes) && d.Oldest < keepsUp {
			return true
		}
	}
	return false
}

// isCalm tells whether there is room for what has time: no endpoint that keeps up has much to do, and the endpoint in
// question has no more than it takes at once and does not refuse what it gets.
func isCalm(due map[string]outbox.Due, endpoint string) bool {
	for _, d := range due {
		if d.Count >= aheadCount/2 && d.Oldest < keepsUp {
			return false
		}
	}
	d := due[endpoint]
	return d.Count-d.Waiting <= calmCount && d.Waiting <= calmRetries
}
