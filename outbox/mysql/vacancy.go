package mysql

import (
	"slices"
	"strings"
	"sync"
	"time"
)

// vacancy tells a member when the reader's lease is free and it is its turn to take it. Members come one after the other: first
// those that may follow the log, of these first those with the rules that the last holder had, so that nothing changes; then by
// name.
type vacancy struct {
	cfg  *Config
	name string

	mu     sync.Mutex
	who    Who
	last   holder
	since  time.Time     // when the lease was seen as it is for the first time
	rules  string        // of who held it last
	reader time.Time     // when somebody was last seen who may follow the log
	vacant chan struct{} // closed when it is our turn
	told   bool
}

func newVacancy(cfg *Config, name string) *vacancy {
	return &vacancy{cfg: cfg, name: name, who: cfg.Who, vacant: make(chan struct{})}
}

func (v *vacancy) channel() <-chan struct{} {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.vacant
}

// seen is the lease as it was last seen, and since when.
func (v *vacancy) seen() (holder, time.Time) {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.last, v.since
}

// inherit begins with what another one has seen, which this process was before.
func (v *vacancy) inherit(from *vacancy) {
	from.mu.Lock()
	defer from.mu.Unlock()
	v.last, v.since, v.rules, v.reader = from.last, from.since, from.rules, from.reader
}

func (v *vacancy) become(who Who) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.who = who
}

// look takes in who holds the lease, and who lives.
func (v *vacancy) look(h holder, living []citizen, now time.Time) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.since.IsZero() || h.beyond(v.last) {
		v.since = now
	}
	v.last = h
	for _, c := range living {
		if c.name == h.owner && c.who.Rules != "" { // or it is about to end
			v.rules = c.who.Rules
		}
		if c.who.Reads || v.reader.IsZero() {
			v.reader = now
		}
	}
	switch free := v.cfg.ended(h.owner) || now.Sub(v.since) >= v.cfg.silence(); {
	case !free && v.told:
		v.vacant, v.told = make(chan struct{}), false
	case free && !v.told && now.Sub(v.since) >= v.turn(h, living, now):
		v.told = true
		close(v.vacant)
	}
}

// turn is how long after the lease was last seen to move it is this one's turn; mu is held.
func (v *vacancy) turn(h holder, living []citizen, now time.Time) time.Duration {
	const never = time.Duration(1<<63 - 1)
	if !v.who.Reads && now.Sub(v.reader) < 2*v.cfg.lease() {
		return never
	}
	wait := v.cfg.silence()
	if v.cfg.ended(h.owner) {
		wait = 0
	}
	ahead := 0
	me := citizen{name: v.name, who: v.who}
	for _, c := range living {
		if c.name != h.owner && v.compare(c, me) < 0 {
			ahead++
		}
	}
	return wait + time.Duration(ahead)*v.cfg.lease()/10
}

// compare is negative when a comes before b.
func (v *vacancy) compare(a, b citizen) int {
	rank := func(c citizen) int {
		return slices.Index([]bool{true, false}, c.who.Reads)*2 + slices.Index([]bool{true, false}, v.rules == "" || c.who.Rules == v.rules)
	}
	if d := rank(a) - rank(b); d != 0 {
		return d
	}
	return strings.Compare(a.name, b.name)
}
