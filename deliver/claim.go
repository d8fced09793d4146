package deliver

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"time"

	"rowhook/outbox"
)

const (
	// claimLimit is how many deliveries are claimed at a time, claimBelow below how many that are ready.
	claimLimit = 256
	claimBelow = 128
	// probeSample is how many of the oldest deliveries a probe chooses from.
	probeSample = 256
	// shelfWait is how long deliveries lie on the shelf before they are claimed again, if that is no work.
	shelfWait = time.Minute
	// claimAgain is when claiming is tried again after it failed.
	claimAgain = time.Second
)

// scan is how far an endpoint has claimed.
type scan struct {
	after int64         // what has a higher Number was not claimed yet
	high  int64         // the highest Number that was ever claimed
	more  bool          // there may be something
	size  int           // of a payload, as of late
	began time.Time     // when it did
	spent time.Duration // how long it took to get to the end, the last time
	turn  int           // counts rewinds: what was asked for before one is of no use
	rest  time.Time     // no asking before: it failed
	said  string        // how
	early bool          // what is claimed need not wait for its own next attempt: the endpoint is back
}

// rewind makes the scan begin again behind a Number.
func (s *scan) rewind(after int64) {
	s.after, s.more, s.began = after, true, time.Now()
	s.turn++
}

// again is when what is on the shelf is claimed again, zero when nothing is.
func (s *scan) again(shelf *shelf) time.Time {
	if shelf.empty() || s.after < s.high {
		return time.Time{} // it is not even through for the first time
	}
	return shelf.since.Add(shelfWait + 10*s.spent)
}

// unshelve makes the scan go back for what is on the shelf, when it has lain there for long enough; mu is held.
func (e *endpoint) unshelve(now time.Time) {
	if again := e.scan.again(&e.win.shelf); !again.IsZero() && !now.Before(again) {
		e.claimShelved()
	}
}

// claimShelved empties the shelf and makes the scan go back for what lay there; mu is held.
func (e *endpoint) claimShelved() {
	first := e.win.shelf.first
	e.win.shelf = shelf{}
	e.scan.rewind(min(first-1, e.scan.after)) // it may be on its way there
}

// mayClaim tells whether there may be something to claim, and room for it; mu is held.
func (e *endpoint) mayClaim() bool {
	return e.scan.more && len(e.win.ready) < claimBelow && e.win.roomy()
}

// fetch asks the outbox for deliveries of the endpoint, and puts right what it does not know yet. It returns none, and
// false, when they are of no use: the scan began anew meanwhile, or the outbox failed.
func (e *endpoint) fetch(ctx context.Context, ask func(after int64) ([]*outbox.Stored, error)) (list []*outbox.Stored, ok bool, err error) {
	e.mu.Lock()
	turn, after := e.scan.turn, e.scan.after
	if after < e.scan.high { // only what is claimed once more can have outcomes
		e.settler.watch()
	}
	e.mu.Unlock()
	list, err = ask(after)
	e.mu.Lock()
	defer e.mu.Unlock()
	news := e.settler.unwatch()
	switch {
	case err == nil:
		e.scan.said = ""
	case ctx.Err() != nil, errors.Is(err, outbox.ErrClosed), errors.Is(err, outbox.ErrFenced):
		return nil, false, err
	default:
		e.rest(err)
		return nil, false, nil
	}
	if turn != e.scan.turn {
		return nil, false, nil
	}
	return slices.DeleteFunc(list, func(s *outbox.Stored) bool {
		o, ok := news[s.Seq]
		if ok {
			s.State, s.Attempts, s.Due = o.State, o.Attempts, o.Due
			if o.Attempt != nil {
				s.Last = o.Attempt
			}
		}
		return s.State != outbox.Fresh && s.State != outbox.Waiting
	}), true, nil
}

// rest has the outbox asked again a moment later; mu is held.
func (e *endpoint) rest(err error) {
	if e.scan.said != err.Error() {
		e.scan.said = err.Error()
		e.log.Error("deliveries cannot be claimed, trying again", slog.Any("error", err))
	}
	e.scan.rest = time.Now().Add(claimAgain)
}

// claim takes a page of what is undelivered into the window.
func (e *endpoint) claim(ctx context.Context) error {
	e.mu.Lock()
	limit := claimLimit
	if e.scan.size > 0 {
		limit = min(limit, 1+max(maxLoadedBytes-e.win.bytes, 0)/e.scan.size)
	}
	e.mu.Unlock()
	var end int64 // of the page
	list, ok, err := e.fetch(ctx, func(after int64) ([]*outbox.Stored, error) {
		list, err := e.queue.Claim(ctx, e.name, after, limit)
		if len(list) > 0 {
			end = list[len(list)-1].Number
		}
		return list, err
	})
	if err != nil || !ok {
		return err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if end == 0 {
		e.scan.more, e.scan.early, e.scan.spent = false, false, time.Since(e.scan.began)
		e.scan.after = e.scan.high // what lay between was finished meanwhile
		return nil
	}
	now := time.Now()
	e.scan.size = 0
	for _, s := range list {
		e.scan.size += len(s.Body) / len(list)
		if e.win.items[s.Number] != nil {
			continue
		}
		if it := e.admit(s, now); it != nil {
			it.early = e.scan.early
			e.win.add(it, now)
		}
	}
	e.scan.after = end
	e.scan.high = max(e.scan.high, end)
	return nil
}

// reload reads the payloads of items that are ready but for them. One that is not found is not undelivered any more:
// somebody else settled or dropped it.
func (e *endpoint) reload(ctx context.Context) error {
	e.mu.Lock()
	bare := e.win.bare[:min(len(e.win.bare), claimLimit)]
	e.win.bare = e.win.bare[len(bare):]
	numbers := make([]int64, len(bare))
	for i, it := range bare {
		numbers[i] = it.Number
	}
	e.mu.Unlock()
	slices.Sort(numbers)
	list, ok, err := e.fetch(ctx, func(int64) ([]*outbox.Stored, error) { return e.queue.Read(ctx, e.name, numbers) })
	e.mu.Lock()
	defer e.mu.Unlock()
	found := make(map[int64]*outbox.Stored, len(list))
	for _, s := range list {
		found[s.Number] = s
	}
	now := time.Now()
	for _, it := range bare {
		s := found[it.Number]
		switch {
		case e.win.items[it.Number] != it: // forgotten meanwhile
		case s != nil:
			it.Body = s.Body
			e.win.load(it)
			e.win.ready = append(e.win.ready, it)
		case !ok, len(list) > 0 && it.Number > list[len(list)-1].Number:
			e.win.bare = append(e.win.bare, it) // it was not asked for, or its turn has not come
		default:
			if it.probe {
				it.url.probing = false
			}
			e.win.remove(it, now)
		}
	}
	return err
}

// probe posts one delivery to an endpoint that is down. After a failed probe those that are too old are given up.
func (e *endpoint) probe(ctx context.Context) error {
	var free []*item
	for after := int64(0); ; {
		list, ok, err := e.fetch(ctx, func(int64) ([]*outbox.Stored, error) {
			return e.queue.Claim(ctx, e.name, after, probeSample)
		})
		if err != nil || !ok {
			return err
		}
		e.mu.Lock()
		free = e.probeable(list, time.Now())
		e.mu.Unlock()
		if len(free) > 0 || len(list) == 0 {
			break
		}
		after = list[len(list)-1].Number
	}
	if err := e.settler.flush(ctx); err != nil {
		return err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	switch {
	case !e.breaker.open() || e.inFlight > 0:
	case len(free) == 0:
		e.revive(time.Now()) // nothing waits: the next delivery will tell
	default:
		it := free[e.breaker.choose(len(free))]
		it.probe, it.early, it.next, it.waits = true, true, nil, 0
		now := time.Now()
		e.win.add(it, now)
		e.rouse(now)
	}
	return nil
}

// probeable are those of the oldest deliveries that nothing is before; mu is held.
func (e *endpoint) probeable(list []*outbox.Stored, now time.Time) (free []*item) {
	keys := newKeyQueue()
	expired := 0
	for _, s := range list {
		it := e.admit(s, now)
		if it == nil {
			continue
		}
		keys.add(it)
		switch {
		case it.waits > 0:
		case e.breaker.probes > 0 && e.schedule.expired(it, &e.breaker, now):
			keys.remove(it, func(*item) {})
			e.settler.add(outbox.Outcome{Seq: s.Seq, State: outbox.Dead, Attempts: s.Attempts})
			expired++
		default:
			free = append(free, it)
		}
	}
	if expired > 0 {
		e.log.Warn("deliveries are given up, their endpoint is down for too long", slog.Int("deliveries", expired))
	}
	return free
}

// admit makes an item of what was claimed, unless its URL is paused; mu is held.
func (e *endpoint) admit(s *outbox.Stored, now time.Time) *item {
	u := e.urlOf(s.Rule)
	if u != nil && u.paused {
		return nil
	}
	it := &item{Stored: s, url: u, lying: now.Add(-s.Age), due: e.schedule.due(s, now)}
	if s.Last != nil {
		it.tried = s.Last.At
		it.failing = now.Add(-s.Failing)
	}
	return it
}

// urlOf is the URL that a rule posts to, nil when the rule is gone; mu is held.
func (e *endpoint) urlOf(rule string) *urlState {
	if t := e.targets(rule); t != nil {
		return e.urls.of(t.url)
	}
	return nil
}
