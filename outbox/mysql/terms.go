package mysql

import (
	"maps"
	"sync"

	"rowhook/outbox"
)

// terms are what a process is told of its endpoints: which are its, each with its term. They remember which of them it was told of,
// for those it must let go of before another process may have them.
type terms struct {
	mu      sync.Mutex
	now     map[string]outbox.Term
	changed chan struct{}   // closed, and made anew, when now changes
	told    map[string]bool // by endpoint: it may be delivered to, until leave
	asked   bool            // somebody asks at all
}

func newTerms() *terms {
	return &terms{changed: make(chan struct{}), told: make(map[string]bool)}
}

// hand tells the terms.
func (t *terms) hand() (map[string]outbox.Term, <-chan struct{}) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.asked = true
	for name := range t.now {
		t.told[name] = true
	}
	return maps.Clone(t.now), t.changed
}

// set makes them others.
func (t *terms) set(now map[string]outbox.Term) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if maps.Equal(now, t.now) {
		return
	}
	t.now = now
	close(t.changed)
	t.changed = make(chan struct{})
}

// leave is for an endpoint that is not delivered to any more.
func (t *terms) leave(name string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.told, name)
}

// left tells whether an endpoint that is not among the terms is let go of.
func (t *terms) left(name string) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return !t.told[name]
}

// used tells whether anybody asks for the terms.
func (t *terms) used() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.asked
}
