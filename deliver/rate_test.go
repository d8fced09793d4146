package deliver

import (
	"fmt"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"rowhook/outbox"
)

// TestRate: requests are spread evenly, failed ones included, and another endpoint goes at its own pace.
func TestRate(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m, n := newStore(), newNetwork()
		refused := 0
		n.set(func(string) (int, http.Header, error) {
			if refused++; refused%7 == 0 {
				return 400, nil, nil
			}
			return 200, nil, nil
		})
		o := n.options()
		o.Burst = 3
		o.Limits = map[string]Limit{crmName: {Every: 100 * time.Millisecond}}
		other := newNetwork()
		both := map[string]Endpoint{"crm": oneEndpoint["crm"], "erp": {URL: "http://erp.test/"}}
		o.Transport = trip(func(q *http.Request) (int, http.Header, error) {
			id := q.Header.Get("webhook-id")
			if q.URL.Host == "erp.test" {
				other.mu.Lock()
				defer other.mu.Unlock()
				other.tries[id] = append(other.tries[id], time.Since(other.start))
				return 200, nil, nil
			}
			n.mu.Lock()
			defer n.mu.Unlock()
			n.tries[id] = append(n.tries[id], time.Since(n.start))
			n.order = append(n.order, id)
			return n.answer(id)
		})
		running(t, m, both, o)
		var fast *outbox.Delivery
		for i := range 3000 { // more than the endpoint holds
			commit(t, m, making("crm", i, fmt.Sprint(i)))
		}
		fast = making("erp", 1, "a")
		commit(t, m, fast)
		pass(time.Second)
		if got := other.of(fast); len(got) != 1 || got[0] > time.Second {
			t.Errorf("the other endpoint got it at %v", got)
		}
		pass(9 * time.Second)
		n.mu.Lock()
		if got := len(n.order); got < 99 || got > 102 {
			t.Errorf("%d requests in ten seconds, want 100", got)
		}
		n.mu.Unlock()
		pass(3 * time.Hour)
		if got := states(t, m); got[outbox.Delivered] != 3001 {
			t.Errorf("got %v", got)
		}
	})
}

// TestRateOfProbes: a dead endpoint is not asked more often than it may be.
func TestRateOfProbes(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m, n := newStore(), newNetwork()
		n.set(func(string) (int, http.Header, error) { return 500, nil, nil })
		o := n.options()
		o.Limits = map[string]Limit{crmName: {Every: 10 * time.Minute}}
		running(t, m, oneEndpoint, o)
		commit(t, m, making("crm", 1, "a"), making("crm", 2, "b"))
		pass(59 * time.Minute)
		n.mu.Lock()
		defer n.mu.Unlock()
		if len(n.order) != 6 {
			t.Errorf("%d requests in an hour, want 6", len(n.order))
		}
	})
}

// TestConcurrencyOfOne: an endpoint may take fewer requests at once than the others.
func TestConcurrencyOfOne(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m, n := newStore(), newNetwork()
		n.set(func(string) (int, http.Header, error) { pass(time.Minute); return 200, nil, nil })
		o := n.options()
		o.Timeout = time.Hour
		o.Limits = map[string]Limit{crmName: {Concurrency: 2}}
		w, _ := running(t, m, map[string]Endpoint{"crm": oneEndpoint["crm"], "erp": {URL: "http://erp.test/"}}, o)
		for i := range 40 {
			commit(t, m, making([]string{"crm", "erp"}[i%2], i, fmt.Sprint(i)))
		}
		pass(time.Second)
		if s := w.Status(t.Context()).Endpoints; s[0].InFlight != 2 || s[1].InFlight != 16 {
			t.Errorf("status %+v", s)
		}
		pass(time.Hour)
	})
}
