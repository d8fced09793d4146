package deliver

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"math"
	"slices"
	"time"

	"rowhook/outbox"
)

const (
	// probeSample is how many of the oldest deliveries a probe chooses from.
	probeSample = 256
	// bodyLimit is how many deliveries are read to find bodies.
	bodyLimit = 64
)

// readBack reads from the outbox what there is room for: bodies that are needed, a page of what is parked, or, while the
// endpoint is down, a delivery to probe it with.
func (l *lane) readBack(ctx context.Context, start func()) error {
	if time.Now().Before(l.rest) {
		return nil
	}
	var err error
	switch now := time.Now(); {
	case l.paused:
	case !l.breaker.closed():
		if l.mayProbe() && !now.Before(l.breaker.next(now)) && l.allows(now) {
			err = l.probe(ctx, start)
		}
	case len(l.bare) > 0 && l.inFlight < l.atOnce:
		err = l.loadBodies(ctx)
	case l.mayRefill():
		err = l.refill(ctx)
	}
	if err == nil || ctx.Err() != nil || errors.Is(err, outbox.ErrClosed) {
		return err
	}
	l.log.Error("deliveries cannot be read back, trying again", slog.String("endpoint", l.name), slog.Any("error", err))
	l.rest = time.Now().Add(readAgain)
	return nil
}

// backlog reads the oldest of what the outbox has for this lane beyond a Seq, whatever nobody settled included: after a
// crash a delivery that was on its way is Fresh, and one that stood behind it may be Waiting. Whole tells that nothing is
// left behind the list.
func (l *lane) backlog(ctx context.Context, after int64, limit int, bodies bool) (list []*outbox.Stored, whole bool, err error) {
	// The fresh ones first: what is parked between the two questions is then found twice, not never.
	fresh, err := l.store.List(ctx, outbox.Filter{
		States: []outbox.State{outbox.Fresh}, Rules: l.rules, After: after, Limit: limit, Bodies: bodies,
	})
	if err != nil {
		return nil, false, err
	}
	waiting, err := l.waiting(ctx, after, limit, bodies)
	if err != nil {
		return nil, false, err
	}
	end := int64(math.MaxInt64) // beyond it one of the two is not known
	for _, part := range [][]*outbox.Stored{fresh, waiting} {
		if len(part) == limit {
			end = min(end, part[limit-1].Seq)
		}
	}
	bySeq := func(a, b *outbox.Stored) int { return cmp.Compare(a.Seq, b.Seq) }
	list = slices.Concat(waiting, fresh)
	slices.SortStableFunc(list, bySeq)
	list = slices.CompactFunc(list, func(a, b *outbox.Stored) bool { return a.Seq == b.Seq })
	known := slices.IndexFunc(list, func(s *outbox.Stored) bool { return s.Seq > end })
	if known >= 0 {
		list = list[:known]
	}
	return list, end == math.MaxInt64, nil
}

// waiting reads what the outbox has as Waiting for this lane, beyond a Seq.
func (l *lane) waiting(ctx context.Context, after int64, limit int, bodies bool) ([]*outbox.Stored, error) {
	return l.store.List(ctx, outbox.Filter{
		States: []outbox.State{outbox.Waiting}, Rules: l.rules, After: after, Limit: limit, Bodies: bodies,
	})
}

// mayRefill tells whether something may be parked and there is room for it.
func (l *lane) mayRefill() bool {
	if l.stopped() || l.hot.n >= maxHot/2 || l.hot.bytes >= maxHotBytes/2 || len(l.items) >= maxItems {
		return false
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.parking && len(l.inbox) == 0 // what lies there comes first
}

// refill reads a page of what is parked. The page after the last one ends the parking, if nothing was parked meanwhile.
func (l *lane) refill(ctx context.Context) error {
	l.mu.Lock()
	seen := l.lastSeen
	l.mu.Unlock()
	list, whole, err := l.backlog(ctx, l.cursor, pageLimit, true)
	if err != nil {
		return err
	}
	if len(list) > 0 {
		l.mu.Lock()
		l.readTo = max(l.readTo, list[len(list)-1].Seq)
		l.mu.Unlock()
	}
	for _, s := range list {
		l.cursor = s.Seq
		if it := l.items[s.Seq]; it != nil { // in flight, or there is a second look
			l.hasten(it, s.Due)
			continue
		}
		it := l.restore(s)
		it.loaded = true
		l.hot.add(it.d)
		l.add(it)
	}
	if !whole {
		return nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.lastSeen == seen {
		l.parking, l.parked, l.forgive = false, 0, false
	}
	return nil
}

// restore makes an item of what was read back.
func (l *lane) restore(s *outbox.Stored) *item {
	now := time.Now()
	back := setBack(s, now)
	it := &item{
		d: &s.Delivery, stored: s.State == outbox.Waiting, loose: !s.Retried.IsZero(), attempts: s.Attempts,
	}
	at := func(recorded time.Time) time.Time { return now.Add(recorded.Sub(now) - back) } // goes on though the clock is set
	if !s.Due.IsZero() {
		it.due = at(s.Due)
	}
	it.since = it.due
	if it.since.IsZero() {
		it.since = now
	}
	if s.Last != nil {
		it.tried = at(s.Last.At)
	}
	for _, wait := range l.opts.Schedule[:min(s.Attempts, len(l.opts.Schedule))] {
		it.since = it.since.Add(-wait) // Due is the first attempt and the waits after each
	}
	if it.since.Before(l.resumed) {
		it.since = l.resumed
	}
	return it
}

// setBack is by how much the clock was set back since a delivery was recorded: else it would wait until the clock is there
// again. Neither its last attempt nor a person's wish lies ahead; and what was never tried was due when it was parked, as
// pauses and Retry-After are the endpoint's and stand elsewhere.
func setBack(s *outbox.Stored, now time.Time) time.Duration {
	recorded := s.Retried
	switch {
	case s.Last != nil && s.Last.At.After(recorded):
		recorded = s.Last.At
	case s.Last == nil && recorded.IsZero():
		recorded = s.Due
	}
	return max(recorded.Sub(now), 0)
}

// loadBodies reads the bodies of items that are ready but for them. One that is not found is not Waiting any more:
// somebody else settled it.
func (l *lane) loadBodies(ctx context.Context) error {
	slices.SortFunc(l.bare, func(a, b *item) int { return cmp.Compare(a.d.Seq, b.d.Seq) })
	list, err := l.waiting(ctx, l.bare[0].d.Seq-1, bodyLimit, true)
	if err != nil {
		return err
	}
	found := make(map[int64]*outbox.Stored, len(list))
	last := l.bare[len(l.bare)-1].d.Seq
	for _, s := range list {
		found[s.Seq] = s
	}
	if len(list) == bodyLimit {
		last = list[len(list)-1].Seq
	}
	bare := l.bare
	l.bare = nil
	for i, it := range bare {
		if it.d.Seq > last {
			l.bare = append(l.bare, bare[i:]...)
			break
		}
		s := found[it.d.Seq]
		if s == nil {
			l.remove(it)
			continue
		}
		it.d, it.loaded = &s.Delivery, true
		l.hot.add(it.d)
		l.ready = append(l.ready, it)
	}
	return nil
}

// mayProbe tells whether the next probe only waits for its time.
func (l *lane) mayProbe() bool { return !l.breaker.closed() && l.inFlight == 0 }

// probe posts one delivery to an endpoint that is down: in turn the oldest, and another one, as the oldest may be what
// the receiver cannot take.
func (l *lane) probe(ctx context.Context, start func()) error {
	list, _, err := l.backlog(ctx, 0, probeSample, false)
	if err != nil {
		return err
	}
	free := l.probeable(list)
	if len(free) == 0 {
		if len(list) == 0 {
			l.revive() // nothing waits: the next delivery will tell
		}
		return nil
	}
	chosen := free[0]
	if n := l.breaker.probes; n%2 == 1 && len(free) > 1 {
		chosen = free[1+n/2%(len(free)-1)]
	}
	bodies, _, err := l.backlog(ctx, chosen.d.Seq-1, 1, true)
	if err != nil || len(bodies) == 0 || bodies[0].Seq != chosen.d.Seq {
		return err
	}
	it := l.restore(bodies[0])
	it.loaded, it.probe = true, true
	l.hot.add(it.d)
	l.items[it.d.Seq] = it
	l.order.add(it)
	l.send(it, start)
	return nil
}

// probeable are those of the oldest deliveries that nothing is before. After a failed probe those that are too old are
// given up.
func (l *lane) probeable(list []*outbox.Stored) []*item {
	now := time.Now()
	order := newOrder()
	var free []*item
	expired := 0
	for _, s := range list {
		it := l.restore(s)
		order.add(it)
		if it.waits > 0 {
			continue
		}
		if l.breaker.probes > 0 && now.Sub(it.since) > l.opts.MaxAge {
			order.remove(it, func(*item) {})
			l.outcomes = append(l.outcomes, outbox.Outcome{Seq: s.Seq, State: outbox.Dead, Attempts: s.Attempts})
			expired++
			continue
		}
		free = append(free, it)
	}
	if expired > 0 {
		l.log.Warn("deliveries are given up, their endpoint is down for too long", slog.String("endpoint", l.name), slog.Int("deliveries", expired))
	}
	return free
}
