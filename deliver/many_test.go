package deliver

import (
	"fmt"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"rowhook/deliver/delivertest"
	"rowhook/outbox"
)

// TestHourOfOutage: when an endpoint comes back after an hour, the last of 10,000 deliveries leaves within seconds of the
// first, whatever their own schedules say, and in order.
func TestHourOfOutage(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m, n := newStore(), newNetwork()
		n.set(func(string) (int, http.Header, error) { return 422, nil, nil })
		running(t, m, oneEndpoint, n.options())
		const all, early = 10_000, 200
		var list []*outbox.Delivery
		for i := range all {
			list = append(list, making("crm", i, fmt.Sprint(i%1000)))
		}
		commit(t, m, list[:early]...)
		pass(45 * time.Minute) // the first ones are far up their schedules
		n.set(func(string) (int, http.Header, error) { return 0, nil, errRefused })
		commit(t, m, list[early:]...)
		pass(time.Hour)
		n.set(func(string) (int, http.Header, error) { pass(5 * time.Millisecond); return 200, nil, nil })
		n.mu.Lock()
		before := len(n.order)
		n.mu.Unlock()
		pass(time.Minute)
		if got := states(t, m); got[outbox.Delivered] != all {
			t.Fatalf("a minute later: %v", got)
		}
		n.mu.Lock()
		defer n.mu.Unlock()
		first := n.tries[n.order[before]]
		place := make(map[string]int, all)
		for i, id := range n.order[before:] {
			place[id] = i
		}
		took := time.Duration(0)
		for i, d := range list {
			tries := n.tries[d.ID.String()]
			took = max(took, tries[len(tries)-1]-first[len(first)-1])
			if i >= 1000 && place[d.ID.String()] < place[list[i-1000].ID.String()] {
				t.Fatalf("delivery %d overtook an earlier one", i)
			}
		}
		if took > 5*time.Second {
			t.Errorf("from the first to the last it took %s", took)
		}
	})
}

// TestDeadAmongMany: one dead endpoint of 50 costs the others nothing: they get all of theirs while the first requests to
// the dead one still hang.
func TestDeadAmongMany(t *testing.T) {
	t.Parallel()
	const endpoints, each, keys = 50, 40, 5
	serve := func(t *testing.T, dead bool) time.Duration {
		t.Helper()
		s := newStore()
		rules := make(map[string]Endpoint, endpoints)
		receivers := make([]*delivertest.Receiver, endpoints)
		for i := range receivers {
			receivers[i] = delivertest.NewReceiver(t)
			rules[fmt.Sprint(i)] = Endpoint{URL: receivers[i].URL()}
		}
		if dead {
			receivers[0].Answer(delivertest.Answer{Never: true})
		}
		var list []*outbox.Delivery
		for n := range each {
			for i := range receivers {
				list = append(list, making(fmt.Sprint(i), n, fmt.Sprint(n%keys)))
			}
		}
		_, stop := running(t, s, rules, Options{Timeout: time.Hour, Grace: time.Millisecond})
		begin := time.Now()
		commit(t, s, list...)
		for _, r := range receivers[1:] {
			r.WaitAccepted(patience(t), each)
		}
		took := time.Since(begin)
		if dead {
			receivers[0].WaitRequests(patience(t), keys)
			if n := len(receivers[0].Requests()); n != keys {
				t.Errorf("the dead endpoint got %d requests, want %d that hang", n, keys)
			}
		}
		stop()
		return took
	}
	healthy, sick := serve(t, false), serve(t, true)
	t.Logf("49 endpoints got their %d deliveries in %s, and in %s with a dead one beside them", 49*each, healthy, sick)
}
