package deliver

import (
	"errors"
	"net/http"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"rowhook/outbox"
)

// TestTurn: where another process changed what an endpoint has, or paused it, it looks once more. Requests on their way go on, and what
// it knows of its receiver it still does.
func TestTurn(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m, tab := newStore(), newTable()
		rules := map[string]Endpoint{"slow": {URL: "http://slow.test"}, "down": {URL: "http://down.test"}, "crm": oneEndpoint["crm"]}
		var posted, cut atomic.Int32
		o := Options{Leases: leases{tab, 0}, Timeout: time.Hour, Transport: trip(func(q *http.Request) (int, http.Header, error) {
			switch q.URL.Host {
			case "slow.test":
				select {
				case <-time.After(time.Minute):
				case <-q.Context().Done():
					cut.Add(1)
				}
				return 200, nil, q.Context().Err()
			case "down.test":
				return 503, nil, nil
			}
			posted.Add(1)
			return 200, nil, nil
		})}
		w, _ := running(t, m, rules, o)
		far := newPauses(m, m) // of another process
		pass(time.Second)
		for _, e := range rules {
			tab.give(EndpointName(e.URL), 0)
		}
		commit(t, m, making("slow", 1, "1"), making("down", 2, "1"), making("crm", 3, "1"))
		pass(10 * time.Second)
		if err := far.pause(t.Context(), crmName, Pause{Since: time.Now(), Reason: "by hand"}); err != nil {
			t.Fatal(err)
		}
		for range 3 {
			for _, e := range rules {
				tab.give(EndpointName(e.URL), 0)
			}
			pass(time.Second)
		}
		commit(t, m, making("crm", 4, "1"))
		pass(time.Second)
		for _, s := range w.Status(t.Context()).Endpoints {
			switch s.Name {
			case crmName:
				if s.Paused == nil || posted.Load() != 1 || s.LastSuccess.IsZero() {
					t.Errorf("%d were posted, %+v", posted.Load(), s)
				}
			case "http://down.test:80":
				if s.DownSince.IsZero() || len(s.Outages) != 1 || time.Since(s.DownSince) < 10*time.Second {
					t.Errorf("it is forgotten that it is down: %+v", s)
				}
			default:
				if s.InFlight != 1 {
					t.Errorf("the request is gone: %+v", s)
				}
			}
		}
		if _, err := far.resume(t.Context(), crmName); err != nil {
			t.Fatal(err)
		}
		tab.give(crmName, 0)
		pass(time.Minute)
		if cut.Load() > 0 || posted.Load() != 2 || m.get(1).State != outbox.Delivered || m.get(4).State != outbox.Delivered {
			t.Errorf("%d were cut, %d posted; %v", cut.Load(), posted.Load(), states(t, m))
		}
	})
}

// TestEndsForOthers: where others wait for what a process has, its end takes no longer than giving away does; and none when they
// need not wait any more.
func TestEndsForOthers(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		share bool
		held  bool
		want  time.Duration
	}{
		"alone": {false, true, 10 * time.Second}, "shared": {true, true, 3 * time.Second}, "lost": {true, false, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				m, tab := newStore(), newTable()
				tab.give(crmName, 0)
				var held atomic.Bool
				held.Store(true)
				o := Options{Handover: 3 * time.Second, Timeout: time.Hour, Transport: trip(func(q *http.Request) (int, http.Header, error) {
					<-q.Context().Done()
					return 0, nil, q.Context().Err()
				})}
				if c.share {
					o.Leases, o.MayPost = leases{tab, 0}, held.Load
				}
				_, stop := running(t, m, oneEndpoint, o)
				pass(time.Second)
				commit(t, m, making("crm", 1, "1"))
				pass(time.Second)
				held.Store(c.held)
				began := time.Now()
				stop()
				if took := time.Since(began); took != c.want {
					t.Errorf("it took %v, not %v", took, c.want)
				}
			})
		})
	}
}

// TestRulesWhileAway: rules that come while the server of a shared outbox is away are taken over when it is back, also the first ones.
// Who has the outbox alone hears at once that it is of no use.
func TestRulesWhileAway(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m, n, tab := newStore(), newNetwork(), newTable()
		o := n.options()
		o.Leases = leases{tab, 0}
		tab.give(crmName, 0)
		tab.give("http://more.test:80", 0)
		var calls, broken atomic.Int32
		broken.Store(100)
		f := failing{m, func() error {
			if broken.Load() > 0 && calls.Add(1)%3 != 0 { // also what comes behind the first
				broken.Add(-1)
				return errRefused
			}
			return nil
		}}
		w, _ := running(t, f, oneEndpoint, o)
		pass(10 * time.Minute)
		commit(t, m, making("crm", 1, "1"))
		pass(time.Second)
		broken.Store(100)
		w.SetEndpoints(map[string]Endpoint{"crm": oneEndpoint["crm"], "more": {URL: "http://more.test/"}})
		pass(10 * time.Minute)
		commit(t, m, making("more", 2, "1"))
		pass(time.Second)
		if m.get(1).State != outbox.Delivered || m.get(2).State != outbox.Delivered || broken.Load() > 0 {
			t.Errorf("%v, %+v", states(t, m), w.Status(t.Context()))
		}
		alone, err := New(failing{m, func() error { return errRefused }}, oneEndpoint, n.options())
		if err != nil {
			t.Fatal(err)
		}
		if err := alone.Run(t.Context()); !errors.Is(err, errRefused) {
			t.Errorf("alone: %v", err)
		}
	})
}
