package deliver

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"rowhook/outbox"
)

// hooks are rules of one endpoint, each with a URL of its own.
func hooks(names ...string) map[string]Endpoint {
	m := make(map[string]Endpoint, len(names))
	for _, name := range names {
		m[name] = Endpoint{URL: "http://hooks.test/" + name + "?token=s3cret"}
	}
	return m
}

const hooksName = "http://hooks.test:80"

// TestGoneURL: one deleted hook of a host that serves many pauses itself, for good and visibly, and stops no other, also
// where both have deliveries of one aggregate. Resumed, it gets what waited, in order.
func TestGoneURL(t *testing.T) {
	t.Parallel()
	for _, resume := range []string{hooksName, "http://hooks.test/a?token=s3cret", "HTTP://hooks.test:80/a?token=s3cret"} {
		t.Run(resume, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) { goneURL(t, resume) })
		})
	}
}

func goneURL(t *testing.T, resume string) {
	m, n := newStore(), newNetwork()
	var log buffer
	o := n.options()
	o.Log = textLog(&log)
	n.path("/a", http.StatusGone, nil, nil)
	_, stop := running(t, m, hooks("a", "b"), o)
	var list []*outbox.Delivery
	for i := range 3000 { // more than the window takes
		list = append(list, making([]string{"a", "a", "b"}[i%3], i, fmt.Sprint(i%7)))
	}
	commit(t, m, list...)
	pass(time.Second)
	if got := states(t, m); got[outbox.Delivered] != 1000 {
		t.Errorf("beside the URL that is gone: %v", got)
	}
	stop()
	w, _ := running(t, m, hooks("a", "b"), n.options())
	commit(t, m, making("b", 3000, "0"))
	pass(20 * 24 * time.Hour)
	if got := states(t, m); got[outbox.Delivered] != 1001 || got[outbox.Dead] != 0 {
		t.Errorf("beside the URL that is gone, after a restart: %v", got)
	}
	s := w.Status(t.Context()).Endpoints[0]
	if len(s.URLs) != 1 || s.URLs[0].Paused == nil || s.URLs[0].Paused.Reason != "the receiver answered 410 Gone" ||
		!slices.Equal(s.URLs[0].Rules, []string{"a"}) || s.Paused != nil || s.Undelivered != 2000 || s.Pending != 0 {
		t.Errorf("status %+v", s)
	}
	listed, err := Pauses(t.Context(), m, hooks("a", "b"))
	if err != nil || len(listed) != 1 || listed[0].URL != "http://hooks.test/a?token=…" || listed[0].Endpoint != hooksName {
		t.Errorf("listed %+v, %v", listed, err)
	}
	if text := log.String() + fmt.Sprint(s, listed); strings.Contains(text, "s3cret") {
		t.Errorf("a secret is shown:\n%s", text)
	}
	n.path("/a", http.StatusOK, nil, nil)
	if err := w.Resume(t.Context(), resume); err != nil {
		t.Fatal(err)
	}
	pass(time.Second)
	if got := states(t, m); got[outbox.Delivered] != 3001 || len(w.Status(t.Context()).Endpoints[0].URLs) != 0 {
		t.Errorf("after it was resumed: %v, %+v", got, w.Status(t.Context()))
	}
	inOrder(t, n, slices.DeleteFunc(list, func(d *outbox.Delivery) bool { return d.Rule == "b" }))
}

// inOrder fails the test when the last tries of deliveries are not in their order for each key.
func inOrder(t *testing.T, n *network, list []*outbox.Delivery) {
	t.Helper()
	n.mu.Lock()
	defer n.mu.Unlock()
	place := make(map[string]int, len(n.order))
	for i, id := range n.order {
		place[id] = i
	}
	last := make(map[string]int)
	for i, d := range list {
		at, ok := place[d.ID.String()]
		if !ok || at < last[d.Keys[0]] {
			t.Fatalf("delivery %d was posted: %t, at %d, an earlier one at %d", i, ok, at, last[d.Keys[0]])
		}
		last[d.Keys[0]] = at
	}
}

// TestGoneAmongFailures: a 410 of a host that has other trouble, too, is the host's: nothing is paused.
func TestGoneAmongFailures(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m, n := newStore(), newNetwork()
		n.path("/a", http.StatusGone, nil, nil)
		n.path("/b", 0, nil, errRefused)
		w, _ := running(t, m, hooks("a", "b"), n.options())
		commit(t, m, making("b", 1, "1"))
		pass(100 * time.Millisecond)
		commit(t, m, making("a", 2, "2"))
		pass(time.Hour)
		s := w.Status(t.Context()).Endpoints[0]
		if s.DownSince.IsZero() || s.Paused != nil || len(s.URLs) != 0 {
			t.Errorf("status %+v", s)
		}
		n.path("/a", http.StatusOK, nil, nil)
		n.path("/b", http.StatusOK, nil, nil)
		pass(time.Minute)
		if got := states(t, m); got[outbox.Delivered] != 2 || m.get(1).Attempts != 1 || m.get(2).Attempts != 1 {
			t.Errorf("%v, %+v, %+v", got, m.get(1), m.get(2))
		}
	})
}

// TestPauseURL: a person can pause a URL, too.
func TestPauseURL(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m, n := newStore(), newNetwork()
		w, _ := running(t, m, hooks("a", "b"), n.options())
		synctest.Wait()
		if err := w.Pause(t.Context(), "http://hooks.test/a?token=s3cret", "by hand"); err != nil {
			t.Fatal(err)
		}
		if err := w.Pause(t.Context(), "http://none.test/a", "by hand"); !errors.Is(err, ErrNoEndpoint) {
			t.Errorf("an unknown one: %v", err)
		}
		a, b := making("a", 1, "1"), making("b", 2, "1")
		commit(t, m, a, b)
		pass(time.Hour)
		if len(n.of(a)) != 0 || len(n.of(b)) != 1 {
			t.Errorf("tried %v and %v", n.of(a), n.of(b))
		}
		if err := w.Resume(t.Context(), "http://hooks.test"); err != nil { // the endpoint, whatever its URLs
			t.Fatal(err)
		}
		pass(time.Second)
		if len(n.of(a)) != 1 {
			t.Errorf("tried %v", n.of(a))
		}
	})
}

// TestRetryAfterOfURL: who is asked too often says for which URL. The others go on at once, but not past it where they are
// about the same aggregate, and no attempt is used up.
func TestRetryAfterOfURL(t *testing.T) {
	t.Parallel()
	for _, status := range []int{http.StatusTooManyRequests, http.StatusServiceUnavailable} {
		t.Run(fmt.Sprint(status), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) { retryAfterOfURL(t, status) })
		})
	}
}

func retryAfterOfURL(t *testing.T, status int) {
	m, n := newStore(), newNetwork()
	n.path("/a", status, http.Header{"Retry-After": {"600"}}, nil)
	w, _ := running(t, m, hooks("a", "b"), n.options())
	busy, second, behind := making("a", 1, "1"), making("a", 2, "2"), making("b", 3, "1")
	commit(t, m, busy, second, behind)
	for i := range 25 * 60 {
		b := making("b", 1000+i, fmt.Sprint(1000+i))
		commit(t, m, b)
		pass(time.Second)
		if got := n.of(b); len(got) != 1 {
			t.Fatalf("after %ds the other URL was tried %v", i, got)
		}
	}
	got := n.of(busy)
	if len(got)+len(n.of(second)) > 4+16 || len(n.of(behind)) != 0 || got[1]-got[0] != 10*time.Minute {
		t.Errorf("tried at %v and %v, behind it %v", got, n.of(second), n.of(behind))
	}
	if s := w.Status(t.Context()).Endpoints[0]; !s.DownSince.IsZero() || len(s.URLs) != 1 || s.URLs[0].Until.IsZero() || s.URLs[0].Paused != nil {
		t.Errorf("status %+v", s)
	}
	n.path("/a", http.StatusOK, nil, nil)
	pass(10 * time.Minute)
	if a := m.get(1); a.State != outbox.Delivered || a.Attempts != 1 || m.get(2).Attempts != 1 || len(n.of(behind)) != 1 {
		t.Errorf("at last: %+v, behind it tried %v", a, n.of(behind))
	}
}

// TestRetryAfterOfAll: when another URL of the endpoint fails as well, what one says counts for the endpoint.
func TestRetryAfterOfAll(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m, n := newStore(), newNetwork()
		n.path("/a", 503, http.Header{"Retry-After": {"600"}}, nil)
		n.path("/b", 503, http.Header{"Retry-After": {"600"}}, nil)
		w, _ := running(t, m, hooks("a", "b", "c"), n.options())
		c := making("c", 3, "3")
		commit(t, m, making("a", 1, "1"))
		pass(time.Second)
		commit(t, m, making("b", 2, "2"))
		pass(time.Second)
		commit(t, m, c)
		pass(5 * time.Minute)
		if s := w.Status(t.Context()).Endpoints[0]; s.DownSince.IsZero() || len(n.of(c)) != 0 || len(n.order) != 2 {
			t.Errorf("status %+v, %d tries", s, len(n.order))
		}
	})
}

// TestUnwelcome: an endpoint that answers 401, 403 or 404 to everything is in trouble as a whole (a rotated credential, a
// wrong deploy): probes ask, and no attempt is used up.
func TestUnwelcome(t *testing.T) {
	t.Parallel()
	for _, status := range []int{http.StatusUnauthorized, http.StatusForbidden, http.StatusNotFound} {
		for _, rules := range [][]string{{"a"}, {"a", "b", "c"}} {
			t.Run(fmt.Sprint(status, len(rules)), func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) { isUnwelcome(t, status, rules) })
			})
		}
	}
}

func isUnwelcome(t *testing.T, status int, rules []string) {
	m, n := newStore(), newNetwork()
	n.set(func(string) (int, http.Header, error) { return status, nil, nil })
	w, _ := running(t, m, hooks(rules...), n.options())
	var list []*outbox.Delivery
	for i := range 300 {
		list = append(list, making(rules[i%len(rules)], i, fmt.Sprint(i%10)))
	}
	commit(t, m, list...)
	pass(10 * time.Hour)
	s := w.Status(t.Context()).Endpoints[0]
	if s.DownSince.IsZero() || s.Pending > 0 || s.Undelivered != 300 {
		t.Errorf("status %+v", s)
	}
	n.set(func(string) (int, http.Header, error) { return 200, nil, nil })
	pass(time.Minute)
	for i := range list {
		if got := m.get(int64(i + 1)); got.State != outbox.Delivered || got.Attempts != 1 {
			t.Fatalf("%d: %s after %d attempts", i+1, got.State, got.Attempts)
		}
	}
	inOrder(t, n, list)
}

// TestTroubleOfOneURL: while one URL fails, and nothing is known of the endpoint's others, these do not wait for its probes.
// Their success makes the failures the delivery's own: they are counted.
func TestTroubleOfOneURL(t *testing.T) {
	t.Parallel()
	for _, status := range []int{404, 500, 0} {
		t.Run(fmt.Sprint(status), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				m, n := newStore(), newNetwork()
				var err error
				if status == 0 {
					err = errRefused
				}
				n.path("/a", status, nil, err)
				w, _ := running(t, m, hooks("a", "b"), n.options())
				for i := range 100 {
					commit(t, m, making("a", i, fmt.Sprint(i)))
				}
				pass(time.Hour)
				if s := w.Status(t.Context()).Endpoints[0]; !s.DownSince.IsZero() || len(s.URLs) != 1 || s.URLs[0].DownSince.IsZero() || m.get(1).Attempts != 0 {
					t.Errorf("status %+v, the first delivery %+v", s, m.get(1))
				}
				b := making("b", 1000, "0") // of the first one's aggregate: it waits
				c := making("b", 1001, "x")
				commit(t, m, b, c)
				pass(time.Millisecond)
				if len(n.of(b)) != 0 || len(n.of(c)) != 1 {
					t.Errorf("the other URL was tried %v and %v", n.of(b), n.of(c))
				}
				for i := range 3600 {
					commit(t, m, making("b", 2000+i, fmt.Sprint(2000+i)))
					pass(time.Second)
				}
				if got := m.get(1); got.Attempts < 3 || got.State != outbox.Waiting {
					t.Errorf("while others get through: %+v", got)
				}
				n.path("/a", 200, nil, nil)
				pass(24 * time.Hour)
				if got := states(t, m); got[outbox.Delivered] != 3702 {
					t.Errorf("at last: %v", got)
				}
			})
		})
	}
}

// TestURLChanges: what waits because its URL is in trouble goes to the new one when the rule gets another.
func TestURLChanges(t *testing.T) {
	t.Parallel()
	for name, header := range map[string]http.Header{"trouble": nil, "Retry-After": {"Retry-After": {"3600"}}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				m, n := newStore(), newNetwork()
				n.path("/a", 503, header, nil)
				w, _ := running(t, m, hooks("a", "b"), n.options())
				for i := range 100 {
					commit(t, m, making("a", i, fmt.Sprint(i%50)))
				}
				pass(10 * time.Second)
				changed := hooks("a", "b")
				changed["a"] = Endpoint{URL: "http://hooks.test/new"}
				w.SetEndpoints(changed)
				pass(time.Minute)
				if got := states(t, m); got[outbox.Delivered] != 100 || m.get(1).Attempts != 1 {
					t.Errorf("got %v, %+v", got, m.get(1))
				}
			})
		})
	}
}

// TestResumedBehind: a URL is resumed while a later delivery of the same aggregate is on its way to another URL, and fails.
// That one goes back behind what was paused, and what is behind it stays there.
func TestResumedBehind(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m, n := newStore(), newNetwork()
		first, second, third := making("a", 0, "12"), making("b", 1, "12"), making("b", 2, "12")
		var gone, slow atomic.Bool
		n.set(func(id string) (int, http.Header, error) {
			switch {
			case id == first.ID.String() && !gone.Swap(true):
				return http.StatusGone, nil, nil
			case id == second.ID.String() && !slow.Swap(true):
				pass(3 * time.Second)
				return http.StatusBadRequest, nil, nil
			}
			return http.StatusOK, nil, nil
		})
		w, _ := running(t, m, hooks("a", "b"), n.options())
		commit(t, m, first, second, third)
		pass(time.Second)
		if err := w.Resume(t.Context(), hooksName); err != nil {
			t.Fatal(err)
		}
		pass(time.Minute)
		was := []string{first.ID.String(), second.ID.String()}
		n.mu.Lock()
		defer n.mu.Unlock()
		if want := append(slices.Concat(was, was), third.ID.String()); !slices.Equal(n.order, want) {
			t.Errorf("posted %v, want %v", n.order, want)
		}
		if got := states(t, m); got[outbox.Delivered] != 3 {
			t.Errorf("delivered: %v", got)
		}
	})
}
