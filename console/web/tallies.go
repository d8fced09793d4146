package web

import (
	"context"
	"strings"
	"sync"
	"time"

	"rowhook/outbox"
)

// tallies are how many deliveries of single sites are in a state. The outbox keeps such numbers by rule only, so for users of some
// sites they are counted now and then, beside the pages.
type tallies struct {
	mu  sync.Mutex
	all map[string]*tally // by the sites, with commas
}

// tally is one user's.
type tally struct {
	sites   []string
	counts  counts
	counted time.Time // zero: never
	watched time.Time
}

const (
	// talliesEvery is how often they are counted while such a user looks, tallyWithin how long that may take.
	talliesEvery, tallyWithin = 30 * time.Second, time.Second
	// maxTallies bounds how many are kept.
	maxTallies = 100
)

// of is what was last counted for sites; false: nothing was yet.
func (t *tallies) of(sites []string) (counts, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	name, now := strings.Join(sites, ","), time.Now()
	is := t.all[name]
	if is == nil {
		if len(t.all) >= maxTallies {
			t.all = nil
		}
		if t.all == nil {
			t.all = map[string]*tally{}
		}
		is = &tally{sites: sites}
		t.all[name] = is
	}
	is.watched = now
	return is.counts, !is.counted.IsZero()
}

// due are those that somebody looks at and that are old.
func (t *tallies) due() (list []*tally) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, is := range t.all {
		if time.Since(is.watched) < watchedFor && time.Since(is.counted) >= talliesEvery {
			list = append(list, is)
		}
	}
	return list
}

func (t *tallies) keep(is *tally, n counts) {
	t.mu.Lock()
	defer t.mu.Unlock()
	is.counts, is.counted = n, time.Now()
}

// tally is what was counted for a user of some sites. At the first page there is only a moment for it. Sure says that it is all.
func (c *Console) tally(ctx context.Context, who session) (n counts, sure bool) {
	n, known := c.tallies.of(who.sites)
	if known {
		return n, n.all
	}
	ctx, stop := context.WithTimeout(ctx, besideWithin)
	defer stop()
	find, err := c.finder(ctx, who)
	if err == nil {
		n, err = find.count(ctx, outbox.Filter{States: []outbox.State{outbox.Waiting, outbox.Dead, outbox.Held}}, aside)
	}
	return n, err == nil && n.all
}

// countTallies counts what is due.
func (c *Console) countTallies(ctx context.Context) {
	for _, is := range c.tallies.due() {
		find, err := c.finder(ctx, session{sites: is.sites})
		if err != nil {
			return // the pages say so
		}
		n, err := find.count(ctx, outbox.Filter{States: []outbox.State{outbox.Waiting, outbox.Dead, outbox.Held}}, tallyWithin)
		if err != nil {
			continue
		}
		fresh, err := find.count(ctx, outbox.Filter{States: []outbox.State{outbox.Fresh}}, tallyWithin/4)
		if err != nil {
			continue
		}
		n.byState[outbox.Fresh] = fresh.n
		n.all = n.all && fresh.all
		c.tallies.keep(is, n)
	}
}
