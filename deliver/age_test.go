package deliver

import (
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"rowhook/outbox"
)

// TestDowntimeIsNoAge: while nothing ran nothing could be tried. What an endpoint refused before that, and refuses after
// it, is not given up for that time; neither in the first minutes after a start.
func TestDowntimeIsNoAge(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m, n := newStore(), newNetwork()
		n.set(func(string) (int, http.Header, error) { return 0, nil, errRefused })
		_, stop := running(t, m, oneEndpoint, n.options())
		commit(t, m, making("crm", 1, "a"), making("crm", 2, "b"))
		pass(100 * time.Hour)
		stop()
		m = m.reopen()
		if err := m.Close(); err != nil {
			t.Fatal(err)
		}
		pass(30 * 24 * time.Hour)
		m = m.reopen()
		_, stop = running(t, m, oneEndpoint, n.options())
		pass(19 * time.Hour)
		if got := states(t, m); got[outbox.Dead] != 0 {
			t.Errorf("after 119 hours of trying: %v", got)
		}
		stop()
		pass(2 * time.Hour) // the outbox is open, nobody tries
		running(t, m, oneEndpoint, n.options())
		pass(youngFor - time.Minute)
		if got := states(t, m); got[outbox.Dead] != 0 {
			t.Errorf("in the first minutes after a start: %v", got)
		}
		pass(5 * time.Minute)
		if got := states(t, m); got[outbox.Dead] != 2 {
			t.Errorf("after more than five days of trying: %v", got)
		}
	})
}

// TestBacklogIsNoAge: what waited for days because its endpoint was slow, or stood behind another, had no chance: an outage
// that has just begun, or a first failure of its own, does not end it.
func TestBacklogIsNoAge(t *testing.T) {
	t.Parallel()
	for name, answer := range map[string]func() (int, http.Header, error){
		"outage":  func() (int, http.Header, error) { return 0, nil, errRefused },
		"failure": func() (int, http.Header, error) { return 422, nil, nil },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				m, n := newStore(), newNetwork()
				n.set(func(string) (int, http.Header, error) { pass(3 * 24 * time.Hour); return 200, nil, nil })
				o := n.options()
				o.Timeout = 1000 * time.Hour
				running(t, m, oneEndpoint, o)
				for i := range 4 {
					commit(t, m, making("crm", i, "a"))
				}
				pass(8 * 24 * time.Hour)
				n.set(func(string) (int, http.Header, error) { return answer() })
				pass(24*time.Hour + time.Hour)
				if got := states(t, m); got[outbox.Delivered] != 3 || got[outbox.Dead] != 0 || m.get(4).Last == nil {
					t.Errorf("in the beginning: %v", got)
				}
				pass(5 * 24 * time.Hour)
				if got := states(t, m); got[outbox.Dead] != 1 {
					t.Errorf("at last: %v", got)
				}
			})
		})
	}
}
