package web

import (
	"context"
	"errors"
	"time"

	"rowhook/api"
	"rowhook/outbox"
)

const (
	// pageRows is how many deliveries a page has.
	pageRows = 50
	// looksWithin is for how long a page looks for deliveries before it shows what it found, and how far it has looked.
	looksWithin = 80 * time.Millisecond
	// grace is what the last query may take beyond that, before it is broken off.
	grace = 40 * time.Millisecond
	// aside is how long what a page shows beside may take, countsWithin a count that a person asked for.
	aside, countsWithin = 40 * time.Millisecond, 1500 * time.Millisecond
	// leastStep and mostStep are over how many deliveries of the outbox one query looks.
	leastStep, mostStep = 1000, 64_000
	// quick is what one query should take: others who read wait for it.
	quick = 15 * time.Millisecond
)

// found is a part of what a filter selects, the newest first.
type found struct {
	list   []*outbox.Stored
	before int64     // where the next page begins; 0: these are all
	looked time.Time // when it had to stop before it had enough: what is older than this was not looked at
}

// finder finds deliveries that somebody may see, as far as that goes quickly. It knows no request.
type finder struct {
	log Log
	who session
}

// finder finds what somebody may see.
func (c *Console) finder(ctx context.Context, who session) (finder, error) {
	log, err := c.open(ctx)
	return finder{log, who}, err
}

// find looks for the newest deliveries that a filter selects: for as many as fit on a page, or as far back as it gets in time. The
// outbox has no index by what a person may look for, as each would cost every delivery; a page stays quick all the same.
func (by finder) find(ctx context.Context, f outbox.Filter, rows int) (res found, err error) {
	f = by.who.confine(f)
	f.Newest, f.Limit = true, rows+1
	steps, err := newSteps(ctx, by.log, f, looksWithin)
	if err != nil {
		return res, err
	}
	looking, stop := context.WithDeadline(ctx, steps.until.Add(grace))
	defer stop()
	for steps.next() {
		page, err := by.log.List(looking, steps.filter(f, rows+1-len(res.list)))
		if errors.Is(err, context.DeadlineExceeded) {
			steps.low = steps.high // that part was not looked at
			break
		}
		if err != nil {
			return res, err
		}
		if res.list = append(res.list, page...); len(res.list) > rows {
			res.list = res.list[:rows]
			res.before = res.list[rows-1].Seq
			return res, nil
		}
	}
	if steps.ended() {
		return res, nil
	}
	res.before = steps.low
	last, err := by.log.List(ctx, outbox.Filter{Before: steps.low, Newest: true, Limit: 1})
	if err == nil && len(last) > 0 {
		res.looked = last[0].Created
	}
	return res, err
}

// steps goes through the outbox from the newest delivery to the oldest, a part at a time.
type steps struct {
	until time.Time
	began time.Time // the last step
	size  int64
	low   int64 // the last step's begin: everything from there on was looked at
	high  int64 // and its end
	least int64 // the first delivery of all
}

// newSteps begins at the newest delivery that lies before f.Before.
func newSteps(ctx context.Context, log Log, f outbox.Filter, within time.Duration) (*steps, error) {
	s := &steps{until: time.Now().Add(within), size: leastStep}
	newest, err := log.List(ctx, outbox.Filter{Newest: true, Limit: 1, Before: f.Before})
	if err != nil || len(newest) == 0 {
		return s, err
	}
	oldest, err := log.List(ctx, outbox.Filter{Limit: 1, After: f.After})
	if err != nil || len(oldest) == 0 {
		return s, err
	}
	s.low, s.least = newest[0].Seq+1, oldest[0].Seq
	return s, nil
}

// ended says whether everything was looked at.
func (s *steps) ended() bool { return s.low <= s.least }

// next goes on to the next part; false: there is none, or no time for it.
func (s *steps) next() bool {
	now := time.Now()
	if !s.began.IsZero() {
		switch took := now.Sub(s.began); {
		case took < quick/2:
			s.size = min(2*s.size, mostStep)
		case took > quick:
			s.size = max(s.size/2, leastStep)
		}
	}
	if s.ended() || !s.began.IsZero() && !now.Before(s.until) {
		return false
	}
	s.began, s.high = now, s.low
	s.low = max(s.low-s.size, s.least)
	return true
}

// filter is f for this part.
func (s *steps) filter(f outbox.Filter, limit int) outbox.Filter {
	f.After, f.Before, f.Limit = s.low-1, s.high, limit
	return f
}

// counts is how many deliveries a filter selects.
type counts struct {
	n       int
	byState map[outbox.State]int
	all     bool  // false: there was no time to count all of them
	before  int64 // everything counted lies before this
}

// count counts what a filter selects, for no longer than within.
func (by finder) count(ctx context.Context, f outbox.Filter, within time.Duration) (res counts, err error) {
	res.byState = map[outbox.State]int{}
	f = by.who.confine(f)
	f.Newest = true
	steps, err := newSteps(ctx, by.log, f, within)
	if err != nil {
		return res, err
	}
	for res.before = steps.low; steps.next(); {
		part := steps.filter(f, leastStep)
		for {
			page, err := by.log.List(ctx, part)
			if err != nil {
				return res, err
			}
			for _, d := range page {
				res.byState[d.State]++
				res.n++
			}
			if len(page) < leastStep {
				break
			}
			if part.Before = page[len(page)-1].Seq; time.Now().After(steps.until) {
				return res, nil
			}
		}
	}
	res.all = steps.ended()
	return res, nil
}

// newest is the newest delivery that a filter selects, as far as one is found in time; nil: none. The steps tell how far back
// it looked.
func (by finder) newest(ctx context.Context, f outbox.Filter, within time.Duration) (*outbox.Stored, *steps, error) {
	f = by.who.confine(f)
	f.Newest, f.Limit = true, 1
	back, err := newSteps(ctx, by.log, f, within)
	if err != nil {
		return nil, nil, err
	}
	for back.next() {
		found, err := by.log.List(ctx, back.filter(f, 1))
		if err != nil {
			return nil, nil, err
		}
		if len(found) > 0 {
			return found[0], back, nil
		}
	}
	return nil, back, nil
}

// behind is the earlier delivery that one waits for; nil: none.
func (by finder) behind(ctx context.Context, d *outbox.Stored) (*outbox.Stored, error) {
	f, may := api.FilterBehind(d)
	if !may {
		return nil, nil
	}
	found, _, err := by.newest(ctx, f, aside)
	return found, err
}
