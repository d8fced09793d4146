package deliver

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"time"

	"rowhook/outbox"
	"rowhook/retry"
)

const (
	// claimLimit is how many deliveries are claimed at a time, claimBelow below how many that are ready.
	claimLimit = 256
	claimBelow = 128
	// shelfWait is how long deliveries lie on the shelf before they are claimed again, if that is no work.
	shelfWait = time.Minute
	// claimAgain is when claiming is tried again after it failed.
	claimAgain = time.Second
)

// claimer fills an endpoint's window from the outbox: in order, a page at a time, as far as there is room. Where it goes back, for
// what lay on the shelf or because everything is to be looked at once more, it passes over what is in the window.
//
// The endpoint's mu guards it, and is not held while the outbox is asked: claim, reload and oldest, which run alone calls, take it
// themselves; who calls anything else holds it.
type claimer struct {
	name    string // of the endpoint
	queue   outbox.Queue
	settler *settler
	log     *slog.Logger
	admit   func(*outbox.Stored, time.Time) *item // makes an item of what was claimed, nil: it is to stay in the outbox

	mu      *sync.Mutex // the endpoint's
	win     *window
	after   int64         // what has a higher Number was not claimed yet
	high    int64         // the highest Number that was ever claimed
	more    bool          // there may be something
	size    int           // of a payload, as of late
	began   time.Time     // when it began at the beginning
	spent   time.Duration // how long it took to get to the end, the last time
	turn    int           // counts rewinds: what was asked for before one is of no use
	rest    time.Time     // no asking before: it failed
	trouble retry.Trouble // of asking
	early   bool          // what is claimed need not wait for its own next attempt: the endpoint is back
}

// rewind makes it begin again behind a Number.
func (c *claimer) rewind(after int64) {
	c.after, c.more, c.began = after, true, time.Now()
	c.turn++
}

// hurry makes it begin again from the beginning, with everything due at once.
func (c *claimer) hurry() {
	c.early = true
	c.rewind(0)
}

// again is when what is on the shelf is claimed again, zero when nothing is.
func (c *claimer) again() time.Time {
	if c.win.shelf.empty() || c.after < c.high {
		return time.Time{} // it is not even through for the first time
	}
	return c.win.shelf.since.Add(shelfWait + 10*c.spent)
}

// unshelve makes it go back for what is on the shelf, when that has lain there for long enough.
func (c *claimer) unshelve(now time.Time) {
	if again := c.again(); !again.IsZero() && !now.Before(again) {
		c.clearShelf()
	}
}

// clearShelf makes it go back for what is on the shelf.
func (c *claimer) clearShelf() {
	first := c.win.shelf.first
	c.win.shelf = shelf{}
	c.rewind(min(first-1, c.after)) // it may be on its way there
}

// leave leaves an item and what waits for it to the outbox when there is no room for what waits, or the window was forgotten.
func (c *claimer) leave(it *item, now time.Time) bool {
	switch {
	case c.reclaim(it, now):
	case c.win.crowded():
		c.win.shelve(it, now)
	default:
		return false
	}
	return true
}

// reclaim leaves an item and what waits for it to the outbox when the window was forgotten while it was on its way: they are
// claimed anew, behind all earlier ones.
func (c *claimer) reclaim(it *item, now time.Time) bool {
	if it.left {
		c.win.shelve(it, now)
		c.clearShelf()
	}
	return it.left
}

// ready tells whether there may be something to claim, and room for it.
func (c *claimer) ready() bool {
	return c.more && len(c.win.ready) < claimBelow && c.win.roomy()
}

// claim takes a page of what is undelivered into the window.
func (c *claimer) claim(ctx context.Context) error {
	c.mu.Lock()
	limit := claimLimit
	if c.size > 0 {
		limit = min(limit, 1+max(maxLoadedBytes-c.win.bytes, 0)/c.size)
	}
	c.mu.Unlock()
	var end int64 // of the page
	list, ok, err := c.fetch(ctx, func(after int64) ([]*outbox.Stored, error) {
		list, err := c.queue.Claim(ctx, c.name, after, limit)
		if len(list) > 0 {
			end = list[len(list)-1].Number
		}
		return list, err
	})
	if err != nil || !ok {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if end == 0 {
		c.more, c.early, c.spent = false, false, time.Since(c.began)
		c.after = c.high // what lay between was finished meanwhile
		return nil
	}
	now := time.Now()
	c.size = 0
	for _, s := range list {
		c.size += len(s.Body) / len(list)
		if c.win.items[s.Number] != nil {
			continue
		}
		if it := c.admit(s, now); it != nil {
			it.early = c.early
			c.win.add(it, now)
		}
	}
	c.after = end
	c.high = max(c.high, end)
	return nil
}

// reload reads the payloads of items that are ready but for them. One that is not found is not undelivered any more:
// somebody else settled or dropped it.
func (c *claimer) reload(ctx context.Context) error {
	c.mu.Lock()
	bare := c.win.takeBare(claimLimit)
	numbers := make([]int64, len(bare))
	for i, it := range bare {
		numbers[i] = it.Number
	}
	c.mu.Unlock()
	slices.Sort(numbers)
	list, ok, err := c.fetch(ctx, func(int64) ([]*outbox.Stored, error) { return c.queue.Read(ctx, c.name, numbers) })
	c.mu.Lock()
	defer c.mu.Unlock()
	found := make(map[int64]*outbox.Stored, len(list))
	for _, s := range list {
		found[s.Number] = s
	}
	now := time.Now()
	for _, it := range bare {
		s := found[it.Number]
		switch {
		case c.win.items[it.Number] != it: // forgotten meanwhile
		case s != nil:
			c.win.fill(it, s.Body)
		case !ok, len(list) > 0 && it.Number > list[len(list)-1].Number:
			c.win.bare = append(c.win.bare, it) // it was not asked for, or its turn has not come
		default:
			if it.probe {
				it.url.probing = false
			}
			c.win.remove(it, now)
		}
	}
	return err
}

// oldest are some of the oldest deliveries behind a Number. It returns false when they are of no use.
func (c *claimer) oldest(ctx context.Context, after int64, limit int) ([]*outbox.Stored, bool, error) {
	return c.fetch(ctx, func(int64) ([]*outbox.Stored, error) { return c.queue.Claim(ctx, c.name, after, limit) })
}

// fetch asks the outbox for deliveries of the endpoint, and puts right what it does not know yet. It returns none, and
// false, when they are of no use: the claimer began anew meanwhile, or the outbox failed.
func (c *claimer) fetch(ctx context.Context, ask func(after int64) ([]*outbox.Stored, error)) (list []*outbox.Stored, ok bool, err error) {
	c.mu.Lock()
	turn, after := c.turn, c.after
	if after < c.high { // only what is claimed once more can have outcomes
		c.settler.watch()
	}
	c.mu.Unlock()
	list, err = ask(after)
	c.mu.Lock()
	defer c.mu.Unlock()
	news := c.settler.unwatch()
	if err != nil {
		return nil, false, c.fails(ctx, err)
	}
	c.trouble.Over()
	if turn != c.turn {
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

// fails takes in that the outbox could not be asked: it is asked again a moment later. It returns the error if that is of no use.
func (c *claimer) fails(ctx context.Context, err error) error {
	if ctx.Err() != nil || errors.Is(err, outbox.ErrClosed) || errors.Is(err, outbox.ErrFenced) {
		return err
	}
	if c.trouble.Worth(err) {
		c.log.Error("deliveries cannot be claimed, trying again", slog.Any("error", err))
	}
	c.rest = time.Now().Add(claimAgain)
	return nil
}
