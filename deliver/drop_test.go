package deliver

import (
	"fmt"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"rowhook/outbox"
)

// TestDrop: a person removes what is in the way. What waited behind it goes at once; what is on its way is recorded by
// nobody, and harms nobody.
func TestDrop(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m, n := newStore(), newNetwork()
		bad, slow := making("crm", 1, "a"), making("crm", 2, "b")
		n.set(func(id string) (int, http.Header, error) {
			switch id {
			case bad.ID.String():
				return 422, nil, nil
			case slow.ID.String():
				pass(5 * time.Second)
			}
			return 200, nil, nil
		})
		w, stop := running(t, m, oneEndpoint, n.options())
		behind, after := making("crm", 3, "a"), making("crm", 4, "b")
		commit(t, m, bad, slow, behind, after)
		pass(time.Second)
		if dropped, err := w.Drop(t.Context(), outbox.Filter{States: []outbox.State{outbox.Waiting}}); err != nil || dropped != 1 {
			t.Errorf("dropped %d, %v", dropped, err)
		}
		pass(time.Second)
		if len(n.of(bad)) != 1 || len(n.of(behind)) != 1 || len(n.of(after)) != 0 {
			t.Errorf("tried %v, behind it %v, behind the slow one %v", n.of(bad), n.of(behind), n.of(after))
		}
		if dropped, err := w.Drop(t.Context(), outbox.Filter{}); err != nil || dropped != 2 {
			t.Errorf("dropped %d, %v", dropped, err)
		}
		last := making("crm", 5, "b")
		commit(t, m, last)
		pass(time.Minute)
		if got := states(t, m); len(n.of(after)) != 0 || len(n.of(last)) != 1 || got[outbox.Delivered] != 2 || len(got) != 1 {
			t.Errorf("dropped ones were tried %v, the last %v: %v", n.of(after), n.of(last), got)
		}
		stop()
	})
}

// TestErase: a payload that was erased cannot be sent again; what is undelivered keeps its own.
func TestErase(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m, n := newStore(), newNetwork()
		done, waits := making("crm", 1, "a"), making("crm", 2, "b")
		n.set(func(id string) (int, http.Header, error) {
			if id == waits.ID.String() && len(n.of(waits)) == 1 {
				return 422, nil, nil
			}
			return 200, nil, nil
		})
		w, _ := running(t, m, oneEndpoint, n.options())
		commit(t, m, done, waits)
		pass(time.Second)
		if erased, err := w.Erase(t.Context(), outbox.Filter{}); err != nil || erased != 1 {
			t.Errorf("erased %d, %v", erased, err)
		}
		if again, err := w.Retry(t.Context(), outbox.Filter{}); err != nil || again != (Retried{Sooner: 1, Left: 1}) {
			t.Errorf("retried %+v, %v", again, err)
		}
		pass(time.Minute)
		if len(n.of(done)) != 1 || len(n.of(waits)) != 2 || m.get(2).State != outbox.Delivered {
			t.Errorf("tried %v and %v", n.of(done), n.of(waits))
		}
	})
}

// TestRetryOfErased: what is erased between being read and being sent again is left, and the others are sent.
func TestRetryOfErased(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m, n := newStore(), newNetwork()
		w, _ := running(t, m, oneEndpoint, n.options())
		for i := range 10 {
			commit(t, m, making("crm", i, fmt.Sprint(i)))
		}
		pass(time.Second)
		list, err := m.List(t.Context(), outbox.Filter{})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := m.Erase(t.Context(), outbox.Filter{Limit: 3}); err != nil {
			t.Fatal(err)
		}
		var again Retried
		if err := w.retry(t.Context(), list, &again); err != nil || again != (Retried{Again: 7, Left: 3}) {
			t.Errorf("retried %+v, %v", again, err)
		}
	})
}
