package deliver

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"rowhook/outbox"
)

// TestSlowButWell: an endpoint that answers 200 after five seconds, and gets 40 deliveries a second for minutes, is
// nobody else's matter: the others get theirs as fast as without it, and what it does not take lies in the outbox.
func TestSlowButWell(t *testing.T) {
	t.Parallel()
	const minutes = 3
	latency := func(slow bool) (p99 time.Duration, pending int) {
		synctest.Test(t, func(t *testing.T) {
			m := newStore()
			var mu sync.Mutex
			arrived := make(map[string]time.Time)
			o := Options{Transport: trip(func(q *http.Request) (int, http.Header, error) {
				if q.URL.Host == "slow.test" {
					pass(5 * time.Second)
					return 200, nil, nil
				}
				mu.Lock()
				arrived[q.Header.Get("webhook-id")] = time.Now()
				mu.Unlock()
				pass(time.Millisecond)
				return 200, nil, nil
			})}
			w, _ := running(t, m, map[string]Endpoint{"slow": {URL: "http://slow.test/"}, "well": {URL: "http://well.test/"}}, o)
			made := make(map[string]time.Time)
			for i := range 40 * 60 * minutes {
				well := making("well", i, fmt.Sprint(i))
				made[well.ID.String()] = time.Now()
				commit(t, m, well)
				if slow {
					commit(t, m, making("slow", i, fmt.Sprint(i)))
				}
				pass(25 * time.Millisecond)
			}
			for _, e := range w.Status(t.Context()).Endpoints {
				pending = max(pending, e.Pending)
			}
			mu.Lock()
			defer mu.Unlock()
			var all []time.Duration
			for id, at := range made {
				if arrived[id].IsZero() {
					t.Errorf("%s did not arrive", id)
				}
				all = append(all, arrived[id].Sub(at))
			}
			slices.Sort(all)
			p99 = all[len(all)*99/100]
		})
		return p99, pending
	}
	before, _ := latency(false)
	during, pending := latency(true)
	if during > before*6/5 {
		t.Errorf("the other's p99 is %s, and %s beside a slow one", before, during)
	}
	if pending > 2*claimLimit {
		t.Errorf("%d deliveries to the slow endpoint are in memory", pending)
	}
}

// TestManyFailing: more deliveries of one rule fail by themselves than an endpoint holds in memory. Those of another rule
// that goes there do not wait for them; each aggregate keeps its order, though those that are too many are left to the outbox.
func TestManyFailing(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m, n := newStore(), newNetwork()
		n.path("/a", 422, nil, nil)
		o := n.options()
		o.Schedule = slices.Repeat([]time.Duration{time.Hour}, 100)
		const most, all, keys = 2000, 3000, 1500
		o.maxItems = most
		w, _ := running(t, m, hooks("a", "b"), o)
		list := make([]*outbox.Delivery, all)
		for i := range list {
			list[i] = making("a", i, strconv.Itoa(i%keys))
		}
		commit(t, m, list...)
		pass(time.Minute)
		blocked, free := making("b", all, "77"), making("b", all+1, "none of theirs")
		commit(t, m, blocked, free)
		pass(10 * time.Second)
		if s := w.Status(t.Context()).Endpoints[0]; len(n.of(free)) != 1 || len(n.of(blocked)) != 0 || s.Pending > most+o.withDefaults().Concurrency {
			t.Errorf("the free one was tried %v, the blocked one %v; %d in memory", n.of(free), n.of(blocked), s.Pending)
		}
		if got := m.get(1); got.Attempts != 1 {
			t.Errorf("the first one: %+v", got)
		}
		n.path("/a", 200, nil, nil)
		pass(3 * time.Hour)
		if got := states(t, m); got[outbox.Delivered] != all+2 {
			t.Errorf("at last: %v", got)
		}
		inOrder(t, n, slices.Concat(list, []*outbox.Delivery{blocked}))
	})
}

// TestManyEndpoints: a thousand endpoints that have nothing to do hold no connections and no senders.
func TestManyEndpoints(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m, n := newStore(), newNetwork()
		endpoints := make(map[string]Endpoint)
		var list []*outbox.Delivery
		for i := range 1000 {
			endpoints[strconv.Itoa(i)] = Endpoint{URL: fmt.Sprintf("http://%d.test/", i)}
			for k := range 3 {
				list = append(list, making(strconv.Itoa(i), k, strconv.Itoa(k)))
			}
		}
		w, _ := running(t, m, endpoints, n.options())
		commit(t, m, list...)
		pass(2 * idleTime)
		if got := states(t, m); got[outbox.Delivered] != len(list) {
			t.Errorf("got %v", got)
		}
		for _, e := range w.all() {
			e.mu.Lock()
			if e.pool.started != 0 || len(e.pool.idle) != 0 || len(e.win.items) != 0 {
				t.Errorf("%s has %d senders and %d deliveries", e.name, e.pool.started, len(e.win.items))
			}
			e.mu.Unlock()
		}
		again := making("7", 100, "1")
		commit(t, m, again)
		pass(time.Millisecond)
		if len(n.of(again)) != 1 {
			t.Error("a delivery after that is not sent")
		}
	})
}

// TestSequence: a receiver can see in which order its deliveries were made, and whether one is missing.
func TestSequence(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := newStore()
		var mu sync.Mutex
		got := make(map[string][]int)
		o := Options{Transport: trip(func(q *http.Request) (int, http.Header, error) {
			mu.Lock()
			defer mu.Unlock()
			n, err := strconv.Atoi(q.Header.Get("X-Rowhook-Sequence"))
			if err != nil {
				t.Error(err)
			}
			got[q.URL.Host] = append(got[q.URL.Host], n)
			return []int{200, 400}[n%2], nil, nil
		})}
		running(t, m, map[string]Endpoint{"crm": {URL: "http://crm.test/"}, "too": {URL: "http://crm.test/too"}, "erp": {URL: "http://erp.test/"}}, o)
		for i := range 30 {
			commit(t, m, making([]string{"crm", "too", "erp"}[i%3], i, "one"+strconv.Itoa(i)))
		}
		pass(10 * time.Second)
		mu.Lock()
		defer mu.Unlock()
		for host, want := range map[string]int{"crm.test": 20, "erp.test": 10} {
			slices.Sort(got[host])
			if len(got[host]) <= want {
				t.Errorf("%s: no delivery was sent again: %v", host, got[host])
			}
			if seen := slices.Compact(got[host]); len(seen) != want || seen[0] != 1 || seen[want-1] != want {
				t.Errorf("%s: %v", host, seen)
			}
		}
	})
}
