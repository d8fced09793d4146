package mysql

import (
	"cmp"
	"log/slog"
	"maps"
	"slices"
	"time"
)

// patience is for how many leases a living member may take to let go of an endpoint: requests are on their way.
const patience = 2

// decide says what is to become of each endpoint. What it only tells this process, it does.
func (st *steward) decide(s *sight, now time.Time) *orders {
	st.mu.Lock()
	defer st.mu.Unlock()
	st.see(s.shares)
	o := &orders{fence: make(map[int64]share), leave: make(map[int64]share), epochs: make(map[int64]int64)}
	living := st.census.living(now)
	st.bury(o, now)
	p := st.plan(s, o, now)
	var take []int64
	o.give, take = spread(st.processes(living), len(st.routed), p.has, p.free)
	for _, id := range take {
		switch {
		case st.own(id) && st.withheld[id] > 0: // what it has is being moved: nobody else may have it meanwhile
		case st.own(id):
			st.giving[id] = true
		default:
			o.leave[id] = st.shares[id]
		}
	}
	for id := range o.give {
		o.epochs[id] = st.shares[id].epoch
	}
	st.tell()
	return o
}

// see takes in the shares as they are now. What this process has written is newer than what another node of a cluster may show.
func (st *steward) see(now map[int64]share) {
	for id, is := range now {
		if was, some := st.shares[id]; !some || is.epoch >= was.epoch {
			st.shares[id] = is
		}
	}
}

// bury forgets members that are dead.
func (st *steward) bury(o *orders, now time.Time) {
	for _, dead := range st.census.dead(now) {
		if dead.name != st.writer.lease.owner {
			o.bury = append(o.bury, dead)
			st.log.Warn("a machine that delivered is silent; what was its goes to the others", slog.String("machine", dead.name))
		}
	}
}

// plan is what there is to be shared out.
type plan struct {
	has  map[int64]string // who has what can stay
	free []int64          // can be given away
}

// plan sorts the endpoints, and orders what does not depend on who else there is.
func (st *steward) plan(s *sight, o *orders, now time.Time) plan {
	p := plan{has: make(map[int64]string)}
	for _, id := range sortedKeys(st.routed) {
		if !st.own(id) {
			continue
		}
		if st.withheld[id] > 0 {
			delete(st.giving, id) // it stays
		}
		switch {
		case !st.giving[id]:
			p.has[id] = st.writer.lease.owner
		case st.terms.left(st.routed[id]):
			p.free = append(p.free, id)
		}
	}
	for _, id := range sortedKeys(st.shares) {
		is := st.shares[id]
		_, routed := st.routed[id]
		kept := routed && st.withheld[id] == 0
		switch {
		case is.member == st.writer.lease.owner:
		case is.member == "":
			if kept && s.abandoned(id, is) {
				p.free = append(p.free, id)
			}
		case !st.census.alive(is.member, now), !st.asked[id].IsZero() && now.Sub(st.asked[id]) > patience*st.cfg.lease():
			o.fence[id] = is
		case is.leaving:
			if st.asked[id].IsZero() {
				st.asked[id] = now // by the holder before
			}
		case !kept:
			o.leave[id] = is
		default:
			p.has[id] = is.member
		}
	}
	return p
}

// processes are those that endpoints may go to: none until this one asks for its own, for nobody knows then what it will take. Who is
// about to end is not among them, this one neither: what it has goes to those with the rules that it had.
func (st *steward) processes(living []citizen) (names []string) {
	if !st.terms.used() {
		return nil
	}
	if !st.apart && (st.who.Rules != "" || st.rules == "") {
		names = append(names, st.writer.lease.owner)
	}
	for _, c := range living {
		if c.name == st.writer.lease.owner {
			continue
		}
		if c.who.Reads && !st.who.Reads {
			st.want()
		}
		if c.who.Rules != "" && c.who.Rules == st.rules {
			names = append(names, c.name)
		}
	}
	slices.Sort(names)
	return names
}

// want tells that somebody better may hold the lease; mu is held.
func (st *steward) want() {
	select {
	case <-st.wanted:
	default:
		close(st.wanted)
	}
}

func sortedKeys[K cmp.Ordered, V any](m map[K]V) []K { return slices.Sorted(maps.Keys(m)) }
