package mysql

import (
	"maps"
	"slices"
	"sync"
	"time"
)

// citizen is what the table member says of a process.
type citizen struct {
	name    string
	beat    int64
	who     Who
	version int
}

// readCitizens reads all of them.
const readCitizens = `SELECT id, beat, rules, reading, version FROM member`

func scanCitizen(scan func(dest ...any) error) (c citizen, err error) {
	err = scan(&c.name, &c.beat, &c.who.Rules, &c.who.Reads, &c.version)
	return c, err
}

// census tells who lives. It compares no clocks: it watches with its own how long a beat has stood still.
type census struct {
	silence time.Duration // after which one is dead

	mu    sync.Mutex
	known map[string]lived
}

type lived struct {
	citizen
	since time.Time // when its beat was seen for the first time
}

func newCensus(cfg *Config) *census {
	return &census{silence: cfg.silence(), known: make(map[string]lived)}
}

// look takes in what there is now.
func (c *census) look(list []citizen, now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	known := make(map[string]lived, len(list))
	for _, is := range list {
		l := lived{is, now}
		if was, ok := c.known[is.name]; ok && is.beat <= was.beat { // less, from a server that lacks the last commits
			l.since = was.since
		}
		known[is.name] = l
	}
	c.known = known
}

// inherit begins with what another one has seen: who has stood still for that one has done so for this one.
func (c *census) inherit(from *census) {
	from.mu.Lock()
	known := maps.Clone(from.known)
	from.mu.Unlock()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.known = known
}

// alive tells whether one lives, as of the last look.
func (c *census) alive(name string, now time.Time) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.moves(name, now)
}

// moves is alive for those who hold mu.
func (c *census) moves(name string, now time.Time) bool {
	l, ok := c.known[name]
	return ok && now.Sub(l.since) < c.silence
}

// living are those who do, in order.
func (c *census) living(now time.Time) (list []citizen) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, name := range slices.Sorted(maps.Keys(c.known)) {
		if c.moves(name, now) {
			list = append(list, c.known[name].citizen)
		}
	}
	return list
}

// dead are those who do not any more, in order.
func (c *census) dead(now time.Time) (list []citizen) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, name := range slices.Sorted(maps.Keys(c.known)) {
		if !c.moves(name, now) {
			list = append(list, c.known[name].citizen)
		}
	}
	return list
}
