package deliver

import (
	"fmt"
	"net/http"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"rowhook/outbox"
)

// TestRetryDead: the running worker sends old ones again, with a new schedule. They hold nothing back.
func TestRetryDead(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m, n := newStore(), newNetwork()
		n.set(func(string) (int, http.Header, error) { return 422, nil, nil })
		o := n.options()
		o.Schedule = []time.Duration{time.Minute}
		w, _ := running(t, m, oneEndpoint, o)
		var list []*outbox.Delivery
		for i := range 300 {
			list = append(list, making("crm", i, "one aggregate"))
		}
		commit(t, m, list...)
		pass(24 * time.Hour)
		if got := states(t, m); got[outbox.Dead] != len(list) {
			t.Fatalf("got %v", got)
		}

		stubborn := list[0].ID.String()
		n.set(func(id string) (int, http.Header, error) {
			if id == stubborn {
				return 422, nil, nil
			}
			return 200, nil, nil
		})
		done, err := w.Retry(t.Context(), outbox.Filter{States: []outbox.State{outbox.Dead}, Limit: 200})
		if err != nil || done != (Retried{Again: 200}) {
			t.Errorf("retried %+v, %v", done, err)
		}
		fresh := making("crm", 1000, "one aggregate")
		commit(t, m, fresh)
		pass(time.Second)
		if got := states(t, m); got[outbox.Delivered] != 200 || got[outbox.Waiting] != 1 || got[outbox.Dead] != 100 {
			t.Errorf("a second later: %v", got)
		}
		if m.get(301).State != outbox.Delivered || !m.get(301).Retried.IsZero() || m.get(2).Retried.IsZero() {
			t.Errorf("the fresh one %+v, one that was retried %+v", m.get(301), m.get(2))
		}
		pass(time.Hour)
		if got := m.get(1); got.State != outbox.Dead || got.Attempts != 2 || len(n.of(list[0])) != 4 {
			t.Errorf("after %d tries %+v", len(n.of(list[0])), got)
		}
	})
}

// TestRetryWaiting: what waits for its schedule goes at once, in its order, and its attempts count on. What stands behind it
// was not tried, and follows.
func TestRetryWaiting(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m, n := newStore(), newNetwork()
		n.set(func(string) (int, http.Header, error) { return 422, nil, nil })
		o := n.options()
		o.Schedule = slices.Repeat([]time.Duration{24 * time.Hour}, 3)
		w, _ := running(t, m, oneEndpoint, o)
		var list []*outbox.Delivery
		for i := range 100 {
			list = append(list, making("crm", i, fmt.Sprint(i%50)))
		}
		commit(t, m, list...)
		pass(time.Hour)
		n.set(func(string) (int, http.Header, error) { return 200, nil, nil })
		done, err := w.Retry(t.Context(), outbox.Filter{})
		if err != nil || done != (Retried{Sooner: 50, Left: 50}) {
			t.Errorf("retried %+v, %v", done, err)
		}
		pass(time.Second)
		if got := states(t, m); got[outbox.Delivered] != 100 {
			t.Errorf("got %v", got)
		}
		if got := m.get(1); got.Attempts != 2 || !got.Retried.IsZero() {
			t.Errorf("the first one: %+v", got)
		}
		for i := range 50 {
			if first, second := n.of(list[i]), n.of(list[i+50]); len(first) != 2 || len(second) != 1 || second[0] < first[1] {
				t.Fatalf("%d was tried at %v, the one behind it at %v", i, first, second)
			}
		}
	})
}

// TestRetryDelivered: what was accepted is sent once more, and only that; what is held stays.
func TestRetryDelivered(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m, n := newStore(), newNetwork()
		w, stop := running(t, m, oneEndpoint, n.options())
		a, b, c := making("crm", 1, "a"), making("crm", 2, "a"), making("gone", 3, "a")
		commit(t, m, a, b, c)
		pass(time.Second)
		for _, want := range []Retried{{Again: 1}, {Left: 1}} {
			f := outbox.Filter{States: []outbox.State{outbox.Held}}
			if want.Again > 0 {
				f = outbox.Filter{Limit: 1}
			}
			if done, err := w.Retry(t.Context(), f); err != nil || done != want {
				t.Errorf("retried %+v, %v, want %+v", done, err, want)
			}
		}
		if err := m.Settle(t.Context(), []outbox.Outcome{{Seq: 3, State: outbox.Dead}}); err != nil {
			t.Fatal(err)
		}
		if done, err := w.Retry(t.Context(), outbox.Filter{States: []outbox.State{outbox.Dead}}); err != nil || done != (Retried{Left: 1}) {
			t.Errorf("of a rule that is gone: %+v, %v", done, err)
		}
		pass(time.Second)
		stop()
		// Nothing runs: the next run does it.
		if done, err := w.Retry(t.Context(), outbox.Filter{After: 1, Limit: 1}); err != nil || done.Again != 1 {
			t.Errorf("retried %+v, %v", done, err)
		}
		running(t, m, oneEndpoint, n.options())
		pass(time.Second)
		if len(n.of(a)) != 2 || len(n.of(b)) != 2 || len(n.of(c)) != 0 || m.get(3).State != outbox.Dead {
			t.Errorf("tried %v, %v, %v", n.of(a), n.of(b), n.of(c))
		}
		if got := states(t, m); got[outbox.Delivered] != 2 {
			t.Errorf("got %v", got)
		}
	})
}

// TestRetryWhileDown: what is sent again waits for a dead endpoint as all else does.
func TestRetryWhileDown(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m, n := newStore(), newNetwork()
		w, _ := running(t, m, oneEndpoint, n.options())
		old := making("crm", 1, "a")
		commit(t, m, old)
		pass(time.Second)
		n.set(func(string) (int, http.Header, error) { return 0, nil, errRefused })
		commit(t, m, making("crm", 2, "a"))
		pass(time.Minute)
		if _, err := w.Retry(t.Context(), outbox.Filter{Limit: 1}); err != nil {
			t.Fatal(err)
		}
		pass(time.Hour)
		n.set(func(string) (int, http.Header, error) { return 200, nil, nil })
		pass(time.Minute)
		if got := states(t, m); got[outbox.Delivered] != 2 || m.get(1).Attempts != 1 {
			t.Errorf("got %v, %+v", got, m.get(1))
		}
	})
}
