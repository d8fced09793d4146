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

// TestShutdown: what is cut off at the end is no attempt, what gets through within the grace is recorded; nothing is left
// running, or the bubble would say so.
func TestShutdown(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := newStore()
		slow, hangs := making("crm", 1, "a"), making("crm", 2, "b")
		o := Options{Grace: 3 * time.Second, Timeout: time.Minute, Transport: trip(func(q *http.Request) (int, http.Header, error) {
			if q.Header.Get("webhook-id") == slow.ID.String() {
				pass(2 * time.Second)
				return 200, nil, nil
			}
			<-q.Context().Done()
			return 0, nil, q.Context().Err()
		})}
		w, stop := running(t, m, oneEndpoint, o)
		commit(t, m, slow, hangs, making("crm", 3, "a"))
		synctest.Wait()
		if s := w.Status(t.Context()).Endpoints[0]; s.InFlight != 2 || s.Pending != 3 {
			t.Errorf("status %+v", s)
		}
		begin := time.Now()
		stop()
		if took := time.Since(begin); took != 3*time.Second {
			t.Errorf("it took %s", took)
		}
		if m.get(1).State != outbox.Delivered || m.get(2).State != outbox.Fresh || m.get(3).State != outbox.Fresh || len(m.log) != 1 {
			t.Errorf("recorded: %v", m.log)
		}
	})
}

// TestSettleWaits: while outcomes cannot be recorded hardly anything more is posted, and afterwards nothing is posted twice.
func TestSettleWaits(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m, n := newStore(), newNetwork()
		m.locked = make(chan struct{})
		running(t, m, oneEndpoint, n.options())
		const all = 500
		for i := range all {
			commit(t, m, making("crm", i, fmt.Sprint(i%50)))
		}
		pass(time.Minute)
		n.mu.Lock()
		if got := len(n.order); got == 0 || got > maxUnsettled+16 {
			t.Errorf("%d requests meanwhile, want not much more than %d", got, maxUnsettled)
		}
		n.mu.Unlock()
		m.mu.Lock()
		close(m.locked)
		m.locked = nil
		m.mu.Unlock()
		pass(time.Minute)
		if got := states(t, m); got[outbox.Delivered] != all || len(n.order) != all {
			t.Errorf("%v after %d requests", got, len(n.order))
		}
	})
}

// TestBacklog: what lies in the outbox at the start is sent from there; it is not written a second time to be parked.
func TestBacklog(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m, n := newStore(), newNetwork()
		n.set(func(string) (int, http.Header, error) {
			pass(time.Millisecond)
			return 200, nil, nil
		})
		const all = 10_000
		for i := range all {
			commit(t, m, making("crm", i, fmt.Sprint(i)))
		}
		w, _ := running(t, m, oneEndpoint, n.options())
		pass(100 * time.Millisecond)
		synctest.Wait()
		if s := w.Status(t.Context()).Endpoints[0]; s.Pending < 100 || s.Pending > maxLoaded+claimLimit || s.Undelivered < all/2 {
			t.Errorf("status %+v", s)
		}
		pass(time.Minute)
		synctest.Wait()
		m.mu.Lock()
		defer m.mu.Unlock()
		for seq := range int64(all) {
			if o := m.log[seq+1]; len(o) != 1 || o[0].State != outbox.Delivered || o[0].Attempt != nil {
				t.Fatalf("%d: outcomes %+v", seq+1, o)
			}
		}
	})
}

// TestOrderOverACrash: a crash may leave a delivery that was on its way without an outcome, and one that stood behind it
// parked. The next run sends them in their order, and each once.
func TestOrderOverACrash(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m, n := newStore(), newNetwork()
		n.set(func(string) (int, http.Header, error) {
			pass(time.Millisecond)
			return 200, nil, nil
		})
		const all = 1000
		route(t, m)
		var want, parked []string
		var outcomes []outbox.Outcome
		for i := range all {
			d := making("crm", i, "one aggregate")
			commit(t, m, d)
			want = append(want, d.ID.String())
			if i%3 != 0 {
				outcomes = append(outcomes, outbox.Outcome{Seq: d.Seq, State: outbox.Waiting})
				parked = append(parked, d.ID.String())
			}
		}
		if err := m.Settle(t.Context(), outcomes); err != nil {
			t.Fatal(err)
		}
		running(t, m, oneEndpoint, n.options())
		pass(time.Minute)
		synctest.Wait()
		n.mu.Lock()
		defer n.mu.Unlock()
		if !slices.Equal(n.order, want) {
			t.Errorf("%d requests for %d deliveries, of which %d were parked; the first: %v", len(n.order), all, len(parked), n.order[:min(4, len(n.order))])
		}
	})
}
