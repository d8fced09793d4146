package deliver

import (
	"context"
	"time"

	"rowhook/outbox"
)

// This file is the side of a lane that others see: what the router hands over, what the brake counts, the status.

// offer takes fresh deliveries, in order, or parks them. The router calls it.
func (l *lane) offer(ctx context.Context, list []*outbox.Delivery) error {
	defer signal(l.wake)
	l.mu.Lock()
	defer l.mu.Unlock()
	var parked []outbox.Outcome
	now := time.Now()
	for _, d := range list {
		if d.Seq <= l.readTo {
			continue // it was read from the outbox already
		}
		if l.down || l.parking || l.full() {
			l.parking = true
			parked = append(parked, outbox.Outcome{Seq: d.Seq, State: outbox.Waiting, Due: now})
			l.lastSeen = d.Seq
			continue
		}
		l.inbox = append(l.inbox, d)
		l.arrived.add(d)
	}
	l.count()
	if len(parked) == 0 {
		return nil
	}
	l.parked += len(parked)
	return l.settle(ctx, parked) // under mu: who sees lastSeen finds them in the outbox
}

// hungry tells whether fresh deliveries are wanted.
func (l *lane) hungry() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.starved = !l.wants()
	return !l.starved
}

// wants is hungry; mu is held. There must be room for all that is fetched at a time: a part would be parked.
func (l *lane) wants() bool {
	if l.down {
		return l.parked < sampleWhileDown
	}
	return !l.parking && !l.many && l.arrived.n+l.held.n <= maxHot-fetchLimit && l.arrived.bytes+l.held.bytes < maxHotBytes/2
}

// full tells whether the lane holds as much as it may; mu is held.
func (l *lane) full() bool {
	return l.many || l.arrived.n+l.held.n >= maxHot || l.arrived.bytes+l.held.bytes >= maxHotBytes
}

// count tells the brake what is due and undelivered; mu is held. A lane that reads back what was parked does not count:
// its endpoint was down, or is slower than what is made for it, and the others shall not wait for that. Neither does one
// with a rate.
func (l *lane) count() {
	n := 0
	if !l.down && !l.parking && l.limit == nil {
		n = l.arrived.n + l.held.n
	}
	if n != l.counted {
		l.brake.add(n - l.counted)
		l.counted = n
	}
}

// snapshot is the lane's status.
func (l *lane) snapshot() EndpointStatus {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := l.status
	s.Pending += len(l.inbox)
	s.Paused = l.holds.of(l.name).pause()
	return s
}

// rescan makes the lane look through what the outbox has for it once more: a person wants some of it sent again.
func (l *lane) rescan() {
	l.mu.Lock()
	l.again = true
	l.mu.Unlock()
	signal(l.wake)
}

// publish shows what others may see.
func (l *lane) publish() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.held, l.many = l.hot, len(l.items) >= maxItems
	l.count()
	l.status = EndpointStatus{
		Name: l.name, Rules: l.rules, Pending: len(l.items), InFlight: l.inFlight, Parked: l.parking,
		DownSince: l.breaker.since, LastSuccess: l.success, LastError: l.lastErr,
	}
	if l.starved && l.wants() {
		l.starved = false
		signal(l.roomy)
	}
}
