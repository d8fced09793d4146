package mysql

import (
	"context"
	"maps"
)

// takeBack takes endpoints back from members, and gives them to nobody until release is called: what they have is to be moved.
// It waits for as long as members have patience; what they handed over is recorded by then.
func (st *steward) takeBack(ctx context.Context, ids []int64) (release func(), err error) {
	if len(ids) == 0 {
		return func() {}, nil
	}
	first := st.withhold(ids, 1) + 1 // the first round that knows
	release = func() {
		st.withhold(ids, -1)
		st.kick()
	}
	st.kick()
	for {
		ready, round := st.taken(ids, first)
		if ready {
			return release, nil
		}
		select {
		case <-round:
		case <-ctx.Done():
		case <-st.writer.closing:
		case <-st.writer.lease.lost:
		}
		if err := st.writer.usable(ctx); err != nil {
			release()
			return nil, err
		}
	}
}

// withhold counts those who want endpoints withheld. It tells how many rounds have begun.
func (st *steward) withhold(ids []int64, by int) int64 {
	st.mu.Lock()
	defer st.mu.Unlock()
	for _, id := range ids {
		if st.withheld[id] += by; st.withheld[id] == 0 {
			delete(st.withheld, id)
		}
	}
	return st.begun
}

// taken tells whether no member has any of these endpoints, as of a round. The channel is closed with the next one.
func (st *steward) taken(ids []int64, round int64) (bool, <-chan struct{}) {
	st.mu.Lock()
	defer st.mu.Unlock()
	for _, id := range ids {
		stays := st.own(id) && !st.giving[id]
		if !stays && !st.settled[id] || st.ended < round {
			return false, st.round
		}
	}
	return true, st.round
}

// concerned are the endpoints of rules that go elsewhere than before.
func (w *writer) concerned(to map[string]string) []int64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	c, ids := w.content, make(map[int64]bool)
	for rule, name := range to {
		if is, was := c.byName[name], c.routes[rule]; is != was || is == 0 {
			ids[is], ids[was] = true, true
		}
	}
	for rule, id := range c.routes {
		if _, still := to[rule]; !still {
			ids[id] = true
		}
	}
	delete(ids, 0)
	return sortedKeys(maps.Clone(ids))
}
