package deliver

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"rowhook/outbox"
)

// table is who has which endpoint, for processes that share an outbox.
type table struct {
	mu      sync.Mutex
	of      map[string]*tenure
	changed map[int]chan struct{}          // of each process
	view    map[int]map[string]outbox.Term // what each process was told last
	left    int                            // how often one was given away
	fenced  int                            // and how often somebody was refused
}

// tenure is whose an endpoint is.
type tenure struct {
	process int // -1: nobody's
	term    outbox.Term
	next    int // whose it is to be when it was left; -1: it is to stay
}

func newTable() *table {
	return &table{of: make(map[string]*tenure), changed: make(map[int]chan struct{}), view: make(map[int]map[string]outbox.Term)}
}

// tell says that what is a process's changed; mu is held.
func (t *table) tell(process int) {
	t.view[process] = make(map[string]outbox.Term)
	for name, at := range t.of {
		if at.process == process && at.next < 0 {
			t.view[process][name] = at.term
		}
	}
	if c := t.changed[process]; c != nil {
		close(c)
		delete(t.changed, process)
	}
}

// give gives an endpoint to a process: at once when it is nobody's, and otherwise when it was left. Who has it looks at it anew.
func (t *table) give(endpoint string, process int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	at := t.of[endpoint]
	switch {
	case at == nil: // it is new
		t.of[endpoint] = &tenure{process: process, term: outbox.Term{Epoch: 1}, next: -1}
		t.tell(process)
	case at.next >= 0:
	case at.process == process:
		at.term.Turn++
		t.tell(process)
	default:
		at.next = process
		t.tell(at.process)
	}
}

// takeAway gives an endpoint to a process without asking whose it is: that one is not told.
func (t *table) takeAway(endpoint string, process int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	at := t.of[endpoint]
	at.process, at.next = process, -1
	at.term.Epoch++
	t.tell(process)
}

// leases are a process's.
type leases struct {
	*table
	process int
}

func (l leases) Terms() (map[string]outbox.Term, <-chan struct{}) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.changed[l.process] == nil {
		l.changed[l.process] = make(chan struct{})
	}
	return maps.Clone(l.view[l.process]), l.changed[l.process]
}

func (l leases) Leave(_ context.Context, endpoint string) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	at := l.of[endpoint]
	if at == nil || at.process != l.process || at.next < 0 {
		return nil
	}
	at.process, at.next = at.next, -1
	at.term.Epoch++
	l.left++
	l.tell(l.process)
	l.tell(at.process)
	return nil
}

// has tells whether an endpoint is a process's, that may be leaving it.
func (l leases) has(endpoint string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	ours := l.of[endpoint].process == l.process
	if !ours {
		l.fenced++
	}
	return ours
}

// sharedStore is what one process sees of an outbox: it may not do anything to an endpoint that is another's.
type sharedStore struct {
	*store
	leases leases
	t      *testing.T
	strict bool // it never even tries to
}

func (s sharedStore) fenced(endpoint string) error {
	if s.leases.has(endpoint) {
		return nil
	}
	if s.strict {
		s.t.Errorf("process %d did something to %s, which is another's", s.leases.process, endpoint)
	}
	return fmt.Errorf("%s: %w", endpoint, outbox.ErrFenced)
}

func (s sharedStore) Claim(ctx context.Context, endpoint string, after int64, limit int) ([]*outbox.Stored, error) {
	if err := s.fenced(endpoint); err != nil {
		return nil, err
	}
	return s.store.Claim(ctx, endpoint, after, limit)
}

func (s sharedStore) Settle(ctx context.Context, outcomes []outbox.Outcome) error {
	for _, o := range outcomes {
		if err := s.fenced(s.get(o.Seq).Endpoint); err != nil { //nolint:contextcheck // it is in memory
			return err
		}
	}
	return s.store.Settle(ctx, outcomes)
}

// crowd are receivers that notice what is posted by two at once, and in which order.
type crowd struct {
	t      *testing.T
	strict bool // nothing is posted twice at once

	mu       sync.Mutex
	flying   map[string]bool
	accepted map[string][]int64 // the sequences that a host accepted
}

func (c *crowd) trip(rng func(n int64) int64) trip {
	return func(q *http.Request) (int, http.Header, error) {
		id, host := q.Header.Get("webhook-id"), q.URL.Host
		c.mu.Lock()
		if c.flying[id] && c.strict {
			c.t.Errorf("%s is posted twice at once", id)
		}
		c.flying[id] = true
		c.mu.Unlock()
		pass(time.Duration(rng(int64(20*time.Millisecond))) + time.Millisecond)
		var n int64
		_, _ = fmt.Sscan(q.Header.Get("X-Rowhook-Sequence"), &n)
		c.mu.Lock()
		defer c.mu.Unlock()
		delete(c.flying, id)
		if q.Context().Err() != nil {
			return 0, nil, q.Context().Err()
		}
		c.accepted[host] = append(c.accepted[host], n)
		return 200, nil, nil
	}
}

// shared starts processes that share an outbox with many endpoints.
func shared(t *testing.T, endpoints, processes int, strict bool) (*store, *table, *crowd, []*Worker, []string) {
	t.Helper()
	m, tab := newStore(), newTable()
	m.log = nil // it is not asked for
	c := &crowd{t: t, strict: strict, flying: make(map[string]bool), accepted: make(map[string][]int64)}
	rules, names := make(map[string]Endpoint), make([]string, endpoints)
	for i := range endpoints {
		rules[fmt.Sprint(i)] = Endpoint{URL: fmt.Sprintf("http://host%d.test/hook", i)}
		names[i] = EndpointName(rules[fmt.Sprint(i)].URL)
	}
	var mu sync.Mutex
	rng := rand.New(rand.NewPCG(1, 2))
	workers := make([]*Worker, processes)
	for i := range workers {
		l := leases{tab, i}
		o := Options{Leases: l, Transport: c.trip(func(n int64) int64 { mu.Lock(); defer mu.Unlock(); return rng.Int64N(n) })}
		workers[i], _ = running(t, sharedStore{m, l, t, strict}, rules, o)
	}
	return m, tab, c, workers, names
}

// TestSharedEndpoints: endpoints that many processes hand to each other under load get everything once and in order, from one
// process at a time.
func TestSharedEndpoints(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const endpoints, processes, rounds, each = 30, 3, 60, 4
		m, tab, c, workers, names := shared(t, endpoints, processes, true)
		rng := rand.New(rand.NewPCG(3, 4))
		for round := range rounds {
			var list []*outbox.Delivery
			for i := range endpoints {
				for n := range each {
					list = append(list, making(fmt.Sprint(i), round*each+n, "one aggregate"))
				}
			}
			commit(t, m, list...)
			for _, name := range names {
				if rng.IntN(3) == 0 {
					tab.give(name, rng.IntN(processes))
				}
			}
			pass(time.Duration(rng.IntN(100)) * time.Millisecond)
		}
		for _, name := range names {
			tab.give(name, 0)
		}
		pass(time.Minute)
		synctest.Wait()
		for _, host := range sortedKeys(c.accepted) {
			if got := c.accepted[host]; len(got) != rounds*each || !slices.IsSorted(got) {
				t.Errorf("%s accepted %d deliveries: %v", host, len(got), got)
			}
		}
		if len(c.accepted) != endpoints || tab.left < endpoints*processes {
			t.Errorf("%d endpoints, %d times one was given away", len(c.accepted), tab.left)
		}
		for i, w := range workers {
			for _, e := range w.Status(t.Context()).Endpoints {
				if e.Elsewhere != !(leases{tab, i}).has(e.Name) || e.Undelivered > 0 || e.InFlight > 0 {
					t.Errorf("process %d says %+v", i, e)
				}
			}
		}
	})
}

// TestTakenAway: an endpoint that is taken from a process ends there, and only that one: the process goes on with the others, and
// with that one when it is its own again. Nothing is lost.
func TestTakenAway(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const endpoints, rounds = 10, 50
		m, tab, c, _, names := shared(t, endpoints, 2, false)
		for _, name := range names {
			tab.give(name, 0)
		}
		for round := range rounds {
			for i := range endpoints {
				commit(t, m, making(fmt.Sprint(i), round, fmt.Sprint(round%3)))
			}
			if round%5 == 4 {
				for _, name := range names[:endpoints/2] {
					tab.takeAway(name, 1-round/5%2)
				}
			}
			pass(30 * time.Millisecond)
		}
		tab.mu.Lock()
		if fenced := tab.fenced; fenced < endpoints/2 || fenced > endpoints/2*rounds/5*3 {
			t.Errorf("%d times a process did something to an endpoint that was another's", fenced)
		}
		tab.tell(0)
		tab.tell(1)
		tab.mu.Unlock()
		pass(time.Minute)
		synctest.Wait()
		if got := states(t, m); got[outbox.Delivered] != endpoints*rounds {
			t.Errorf("got %v", got)
		}
		for _, name := range names {
			host := strings.TrimSuffix(strings.TrimPrefix(name, "http://"), ":80")
			got := slices.Sorted(slices.Values(c.accepted[host]))
			once := slices.Compact(slices.Clone(got))
			moved := slices.Index(names, name) < endpoints/2
			if len(once) != rounds || !moved && len(got) != rounds {
				t.Errorf("%s accepted %d deliveries, %d of them twice", host, len(once), len(got)-len(once))
			}
		}
	})
}

// TestHandoverTakesNotLong: an endpoint whose receiver does not answer is given away all the same, and the others at once.
func TestHandoverTakesNotLong(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m, tab := newStore(), newTable()
		l := leases{tab, 0}
		rules := map[string]Endpoint{"slow": {URL: "http://slow.test"}, "quick": {URL: "http://quick.test"}, "none": {URL: "http://none.test"}}
		o := Options{Leases: l, Handover: 3 * time.Second, Transport: trip(func(q *http.Request) (int, http.Header, error) {
			if q.URL.Host == "slow.test" {
				<-q.Context().Done()
				return 0, nil, q.Context().Err()
			}
			return 200, nil, nil
		})}
		running(t, sharedStore{m, l, t, true}, rules, o)
		for _, e := range rules {
			tab.give(EndpointName(e.URL), 0)
		}
		pass(time.Millisecond)
		commit(t, m, making("slow", 1, "1"), making("quick", 2, "1"))
		pass(time.Millisecond)
		given := make(map[string]time.Duration)
		began := time.Now()
		for _, e := range rules {
			tab.give(EndpointName(e.URL), 1)
		}
		tab.give("http://nobody.test:80", 0) // no rule posts there
		pass(time.Millisecond)
		tab.give("http://nobody.test:80", 1)
		for len(given) < 4 {
			pass(time.Millisecond)
			tab.mu.Lock()
			for name, at := range tab.of {
				if _, known := given[name]; !known && at.process == 1 {
					given[name] = time.Since(began).Truncate(time.Second)
				}
			}
			tab.mu.Unlock()
		}
		want := map[string]time.Duration{"http://slow.test:80": 3 * time.Second, "http://quick.test:80": 0, "http://none.test:80": 0, "http://nobody.test:80": 0}
		if !maps.Equal(given, want) {
			t.Errorf("given away after %v, want %v", given, want)
		}
		if m.get(1).State != outbox.Fresh || m.get(2).State != outbox.Delivered {
			t.Errorf("recorded: %v", m.log)
		}
	})
}

// failing is an outbox that now and then does not answer.
type failing struct {
	*store
	fails func() error
}

func (f failing) Claim(ctx context.Context, endpoint string, after int64, limit int) ([]*outbox.Stored, error) {
	if err := f.fails(); err != nil {
		return nil, err
	}
	return f.store.Claim(ctx, endpoint, after, limit)
}

func (f failing) Get(ctx context.Context, key string) (string, error) {
	if err := f.fails(); err != nil {
		return "", err
	}
	return f.store.Get(ctx, key)
}

func (f failing) Route(ctx context.Context, routes map[string]string) (outbox.Moved, error) {
	if err := f.fails(); err != nil {
		return outbox.Moved{}, err
	}
	return f.store.Route(ctx, routes)
}

// TestClaimsAgain: who could not claim, or not find out what is paused, tries again by itself a moment later.
func TestClaimsAgain(t *testing.T) {
	t.Parallel()
	for name, share := range map[string]bool{"alone": false, "shared": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				m, n, tab := newStore(), newNetwork(), newTable()
				o := n.options()
				if share {
					o.Leases = leases{tab, 0}
				}
				var mu sync.Mutex
				var broken error
				set := func(err error) { mu.Lock(); defer mu.Unlock(); broken = err }
				w, _ := running(t, failing{m, func() error { mu.Lock(); defer mu.Unlock(); return broken }}, oneEndpoint, o)
				pass(time.Second)
				set(errRefused)
				commit(t, m, making("crm", 1, "1"))
				tab.give(crmName, 0)
				pass(10 * time.Second)
				synctest.Wait()
				if len(n.order) > 0 {
					t.Error("it was posted although nothing could be claimed")
				}
				set(nil)
				pass(2 * claimAgain)
				if m.get(1).State != outbox.Delivered {
					t.Errorf("it was not claimed again: %+v", w.Status(t.Context()))
				}
			})
		})
	}
}

// TestPausedElsewhere: a pause that another process stored counts for who takes the endpoint over.
func TestPausedElsewhere(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m, n, tab := newStore(), newNetwork(), newTable()
		var workers []*Worker
		for i := range 2 {
			o := n.options()
			o.Leases = leases{tab, i}
			w, _ := running(t, m, oneEndpoint, o)
			workers = append(workers, w)
		}
		tab.give(crmName, 0)
		pass(time.Second)
		if err := workers[0].Pause(t.Context(), crmName, "by hand"); err != nil {
			t.Fatal(err)
		}
		tab.give(crmName, 1)
		pass(time.Second)
		commit(t, m, making("crm", 1, "1"))
		pass(time.Minute)
		synctest.Wait()
		if s := workers[1].Status(t.Context()).Endpoints[0]; len(n.order) > 0 || s.Paused == nil || s.Elsewhere {
			t.Errorf("%d requests, %+v", len(n.order), s)
		}
		if err := workers[0].Resume(t.Context(), crmName); err != nil { // whose it is not; then it is begun anew
			t.Fatal(err)
		}
		tab.give(crmName, 1)
		pass(time.Second)
		if m.get(1).State != outbox.Delivered {
			t.Error("it was not resumed")
		}
	})
}
