package deliver

import (
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"rowhook/outbox"
)

// TestUnshaped: what its rule can make no payload of is never posted: it is dead at once, for itself and again when it is
// retried; who waits behind it goes on, and it says nothing of its endpoint, be that up or down.
func TestUnshaped(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m, n := newStore(), newNetwork()
		n.set(func(string) (int, http.Header, error) { return 503, nil, nil })
		w, _ := running(t, m, oneEndpoint, n.options())
		bad, next := making("crm", 1, "one aggregate"), making("crm", 2, "one aggregate")
		bad.Object, bad.Body = outbox.Unshaped, []byte("template: it is no text")
		commit(t, m, making("crm", 0, "another aggregate"))
		pass(time.Minute) // the endpoint is down
		commit(t, m, bad, next)
		n.set(func(string) (int, http.Header, error) { return 200, nil, nil })
		pass(24 * time.Hour)
		if got := states(t, m); got[outbox.Delivered] != 2 || got[outbox.Dead] != 1 {
			t.Errorf("got %v", got)
		}
		if got := m.get(2); got.State != outbox.Dead || got.Attempts != 1 || len(n.of(bad)) != 0 {
			t.Errorf("it was tried %d times: %+v", len(n.of(bad)), got)
		}
		if done, err := w.Retry(t.Context(), outbox.Filter{States: []outbox.State{outbox.Dead}}); err != nil || done != (Retried{Again: 1}) {
			t.Errorf("retried %+v, %v", done, err)
		}
		pass(time.Minute)
		if got := m.get(2); got.State != outbox.Dead || len(n.of(bad)) != 0 {
			t.Errorf("when it is retried: %+v", got)
		}
	})
}
