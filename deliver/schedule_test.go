package deliver

import (
	"fmt"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"rowhook/outbox"
)

// network is an endpoint for a bubble: it answers as told, and remembers when each delivery was tried.
type network struct {
	mu     sync.Mutex
	start  time.Time
	answer func(id string) (status int, header http.Header, err error)
	tries  map[string][]time.Duration // since start, by id
	order  []string
	paths  map[string]func() (status int, header http.Header, err error) // in place of answer, by the URL's path
}

func newNetwork() *network {
	n := &network{start: time.Now(), tries: make(map[string][]time.Duration)}
	n.set(func(string) (int, http.Header, error) { return 200, nil, nil })
	return n
}

func (n *network) set(answer func(id string) (int, http.Header, error)) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.answer = answer
}

func (n *network) options() Options {
	return Options{Burst: 1, Transport: trip(func(q *http.Request) (int, http.Header, error) {
		id := q.Header.Get("webhook-id")
		n.mu.Lock()
		n.tries[id] = append(n.tries[id], time.Since(n.start))
		n.order = append(n.order, id)
		answer, ofPath := n.answer, n.paths[q.URL.Path]
		n.mu.Unlock() // a mutex that is held over a sleep would stop the bubble's clock
		if ofPath != nil {
			return ofPath()
		}
		return answer(id)
	})}
}

// path sets what a path answers, as always.
func (n *network) path(path string, status int, header http.Header, err error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.paths == nil {
		n.paths = make(map[string]func() (int, http.Header, error))
	}
	n.paths[path] = func() (int, http.Header, error) { return status, header, err }
}

func (n *network) of(d *outbox.Delivery) []time.Duration {
	n.mu.Lock()
	defer n.mu.Unlock()
	return slices.Clone(n.tries[d.ID.String()])
}

// near tells whether a wait is what the schedule says, give or take its jitter.
func near(got, want time.Duration) bool { return got >= want*4/5 && got <= want*6/5+time.Millisecond }

var oneEndpoint = map[string]Endpoint{"crm": {URL: "http://crm.test/hook"}}

// TestScheduleUntilDead: a delivery that alone fails is tried on its schedule and then dead; what waits behind it goes on.
func TestScheduleUntilDead(t *testing.T) {
	t.Parallel()
	for name, answer := range map[string]func() (int, http.Header, error){
		"400":     func() (int, http.Header, error) { return 400, nil, nil },
		"302":     func() (int, http.Header, error) { return 302, nil, nil },
		"500":     func() (int, http.Header, error) { return 500, nil, nil },
		"refused": func() (int, http.Header, error) { return 0, nil, errRefused },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) { scheduleUntilDead(t, answer) })
		})
	}
}

func scheduleUntilDead(t *testing.T, answer func() (int, http.Header, error)) {
	m, n := newStore(), newNetwork()
	bad, behind := making("crm", 1, "a"), making("crm", 2, "a")
	n.set(func(id string) (int, http.Header, error) {
		if id == bad.ID.String() {
			pass(time.Millisecond)
			return answer()
		}
		return 200, nil, nil
	})
	running(t, m, oneEndpoint, n.options())
	commit(t, m, bad, behind)
	alive := time.NewTicker(time.Second)
	defer alive.Stop()
	for i := 10; m.get(1).State != outbox.Dead; i++ {
		if n.start.Add(120 * time.Hour).Before(time.Now()) {
			t.Fatalf("not dead: %+v", m.get(1))
		}
		// Others get through, often at first and then each hour.
		commit(t, m, making("crm", i, fmt.Sprint(i)))
		<-alive.C
		if i == 1000 {
			alive.Reset(time.Hour)
		}
	}
	synctest.Wait()
	tries := n.of(bad)
	schedule := Options{}.withDefaults().Schedule
	// An endpoint's trouble is suspected at first, and that try costs nothing.
	if got := m.get(1); got.Attempts != len(schedule)+1 || len(tries)-got.Attempts > 2 || got.Last == nil || got.Last.Error == "" {
		t.Errorf("%d tries, %+v", len(tries), got)
	}
	tries = tries[len(tries)-len(schedule)-1:]
	for i, want := range schedule {
		if wait := tries[i+1] - tries[i]; !near(wait, want) {
			t.Errorf("wait %d is %s, want about %s", i+1, wait, want)
		}
	}
	if got := n.of(behind); len(got) != 1 || got[0] < tries[len(tries)-1] || m.get(2).State != outbox.Delivered {
		t.Errorf("the one behind it was tried at %v, dead was the first at %s", got, tries[len(tries)-1])
	}
}

// TestOutage: while nothing gets through, single probes ask, no attempt is used up, and the first success makes all due.
func TestOutage(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m, n := newStore(), newNetwork()
		n.set(func(string) (int, http.Header, error) { return 0, nil, errRefused })
		w, _ := running(t, m, oneEndpoint, n.options())
		list := make([]*outbox.Delivery, 100)
		for i := range list {
			list[i] = making("crm", i, fmt.Sprint(i%10))
		}
		commit(t, m, list...)
		pass(10 * time.Hour)
		n.mu.Lock()
		tries := len(n.order)
		n.mu.Unlock()
		if tries < 10*3600/36 || tries > 10*3600/24+30 {
			t.Errorf("%d tries in ten hours, want one each 30s", tries)
		}
		s := w.Status(t.Context()).Endpoints[0]
		if s.DownSince.IsZero() || s.LastError != errRefused.Error() || !s.Parked || s.InFlight != 0 {
			t.Errorf("status %+v", s)
		}
		n.set(func(string) (int, http.Header, error) { return 200, nil, nil })
		back := time.Now()
		for m.get(100).State != outbox.Delivered {
			pass(time.Second)
		}
		synctest.Wait()
		if took := time.Since(back); took > 37*time.Second {
			t.Errorf("the last was delivered %s after the endpoint came back", took)
		}
		for i := range list {
			if got := m.get(int64(i + 1)); got.State != outbox.Delivered || got.Attempts != 1 {
				t.Errorf("%d: %s after %d attempts", i+1, got.State, got.Attempts)
			}
		}
		if s := w.Status(t.Context()).Endpoints[0]; !s.DownSince.IsZero() || s.Parked || s.Pending != 0 || s.LastSuccess.IsZero() {
			t.Errorf("status %+v", s)
		}
	})
}

// TestRetryAfterOfEndpoint: a receiver that is busy says when to come again.
func TestRetryAfterOfEndpoint(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m, n := newStore(), newNetwork()
		n.set(func(string) (int, http.Header, error) { return 429, http.Header{"Retry-After": {"600"}}, nil })
		running(t, m, oneEndpoint, n.options())
		d := making("crm", 1, "a")
		commit(t, m, d)
		pass(25 * time.Minute)
		if got := n.of(d); len(got) != 3 || got[1]-got[0] != 10*time.Minute || got[2]-got[1] != 10*time.Minute {
			t.Errorf("tried at %v", got)
		}
	})
}

// TestPoison: the receiver cannot take the oldest delivery, and nothing else is there at first. The endpoint looks dead,
// until a probe with another delivery gets through; then the failures are the delivery's own.
func TestPoison(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m, n := newStore(), newNetwork()
		poison := making("crm", 1, "a")
		n.set(func(id string) (int, http.Header, error) {
			if id == poison.ID.String() {
				return 500, nil, nil
			}
			return 200, nil, nil
		})
		running(t, m, oneEndpoint, n.options())
		commit(t, m, poison)
		pass(time.Hour)
		if got := m.get(1); got.State != outbox.Waiting || got.Attempts != 0 {
			t.Errorf("alone: %s after %d attempts", got.State, got.Attempts)
		}
		commit(t, m, making("crm", 2, "b"), making("crm", 3, "c"))
		pass(2 * time.Minute)
		if m.get(2).State != outbox.Delivered || m.get(3).State != outbox.Delivered {
			t.Errorf("others: %s, %s", m.get(2).State, m.get(3).State)
		}
		if got := m.get(1); got.Attempts == 0 {
			t.Error("its own failures are not counted")
		}
		pass(time.Hour)
		commit(t, m, making("crm", 4, "a"))
		pass(time.Hour)
		if m.get(4).State != outbox.Fresh {
			t.Errorf("behind it: %s", m.get(4).State)
		}
		pass(118*time.Hour + 10*time.Minute)
		if m.get(1).State != outbox.Dead || m.get(4).State != outbox.Delivered {
			t.Errorf("at last: %s, behind it: %s", m.get(1).State, m.get(4).State)
		}
	})
}

// TestMaxAge: what waits for an endpoint that never comes back is given up after MaxAge; what is younger is not.
func TestMaxAge(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m, n := newStore(), newNetwork()
		n.set(func(string) (int, http.Header, error) { return 0, nil, errRefused })
		running(t, m, oneEndpoint, n.options())
		commit(t, m, making("crm", 1, "a"), making("crm", 2, "a"), making("crm", 3, "b"))
		pass(100 * time.Hour)
		commit(t, m, making("crm", 4, "a"))
		pass(19 * time.Hour)
		if got := states(t, m); got[outbox.Waiting]+got[outbox.Fresh] != 4 {
			t.Errorf("before: %v", got)
		}
		pass(2 * time.Hour)
		if got := states(t, m); got[outbox.Dead] != 3 || got[outbox.Waiting]+got[outbox.Fresh] != 1 {
			t.Errorf("after: %v", got)
		}
	})
}

// TestFlapping: an endpoint that comes and goes all the time must not use up the attempts faster than the schedule.
func TestFlapping(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m, n := newStore(), newNetwork()
		o := n.options()
		o.Concurrency = 4
		var calls atomic.Int64
		n.set(func(string) (int, http.Header, error) {
			if calls.Add(1)%8 < 6 { // two of eight get through
				return 503, nil, nil
			}
			return 200, nil, nil
		})
		running(t, m, oneEndpoint, o)
		list := make([]*outbox.Delivery, 200)
		for i := range list {
			list[i] = making("crm", i, fmt.Sprint(i))
		}
		commit(t, m, list...)
		pass(24 * time.Hour)
		if got := states(t, m); got[outbox.Delivered] != len(list) {
			t.Errorf("after a day: %v", got)
		}
	})
}

// TestLateFailure: a request that fails when its endpoint is down already is the endpoint's failure too, and the delivery
// is not sent twice at once because of it.
func TestLateFailure(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m, n := newStore(), newNetwork()
		ok, late, fails := making("crm", 1, "a"), making("crm", 2, "b"), making("crm", 3, "c")
		flying := make(map[string]int)
		down := true
		n.set(func(id string) (int, http.Header, error) {
			n.mu.Lock()
			if flying[id]++; flying[id] > 1 {
				t.Errorf("%s is sent twice at once", id)
			}
			wait := map[string]time.Duration{ok.ID.String(): time.Second, late.ID.String(): 5 * time.Second}[id]
			n.mu.Unlock()
			pass(wait + time.Second)
			n.mu.Lock()
			defer n.mu.Unlock()
			flying[id]--
			if down && id != ok.ID.String() {
				return 500, nil, nil
			}
			return 200, nil, nil
		})
		o := n.options()
		o.Concurrency = 2 // the third begins when the first was accepted
		running(t, m, oneEndpoint, o)
		commit(t, m, ok, late, fails)
		pass(10 * time.Minute)
		if a, b := m.get(2), m.get(3); a.Attempts != 0 || b.Attempts != 0 {
			t.Errorf("attempts are used up: %d and %d", a.Attempts, b.Attempts)
		}
		n.mu.Lock()
		down = false
		n.mu.Unlock()
		pass(time.Minute)
		if got := states(t, m); got[outbox.Delivered] != 3 {
			t.Errorf("at last: %v", got)
		}
	})
}

// TestRestartKeepsSchedule: a new worker goes on where the last one stopped.
func TestRestartKeepsSchedule(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m, n := newStore(), newNetwork()
		bad := making("crm", 1, "a")
		n.set(func(id string) (int, http.Header, error) {
			if id == bad.ID.String() {
				return 400, nil, nil
			}
			return 200, nil, nil
		})
		commit(t, m, bad, making("crm", 2, "a"), making("crm", 3, "b"))
		for range 4 {
			_, stop := running(t, m, oneEndpoint, n.options())
			pass(20 * time.Second)
			stop()
		}
		got := n.of(bad)
		if len(got) != 3 || !near(got[1]-got[0], 5*time.Second) || got[2]-got[1] < 24*time.Second || got[2]-got[1] > 40*time.Second {
			t.Errorf("tried at %v", got)
		}
		if a, b, c := m.get(1), m.get(2), m.get(3); a.Attempts != 3 || b.State != outbox.Fresh || c.State != outbox.Delivered {
			t.Errorf("%d attempts, behind it: %s, other: %s", a.Attempts, b.State, c.State)
		}
	})
}

// TestClockSetBack: what was recorded an hour ahead of our clock is tried as soon as it would have been, in its order.
func TestClockSetBack(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m, n := newStore(), newNetwork()
		failed, parked, behind, wanted := making("crm", 1, "a"), making("crm", 2, "b"), making("crm", 3, "a"), making("crm", 4, "c")
		route(t, m)
		commit(t, m, failed, parked, behind, wanted)
		ahead := time.Now().Add(time.Hour)
		err := m.Settle(t.Context(), []outbox.Outcome{
			{Seq: 1, State: outbox.Waiting, Attempts: 1, Due: ahead.Add(5 * time.Second), Attempt: &outbox.Attempt{At: ahead, Status: 404}},
			{Seq: 2, State: outbox.Waiting, Due: ahead},
			{Seq: 3, State: outbox.Waiting, Due: ahead},
			{Seq: 4, State: outbox.Waiting, Due: ahead, Retried: ahead, Attempt: &outbox.Attempt{At: time.Now(), Status: 500}},
		})
		if err != nil {
			t.Fatal(err)
		}
		running(t, m, oneEndpoint, n.options())
		pass(time.Minute)
		for d, want := range map[*outbox.Delivery]time.Duration{failed: 5 * time.Second, parked: 0, behind: 5 * time.Second, wanted: 0} {
			if got := n.of(d); len(got) != 1 || !near(got[0], want) {
				t.Errorf("%s was tried at %v, want %v", d.Body, got, want)
			}
		}
	})
}

// TestBehindAnother: a delivery that waits for its next attempt, and behind an earlier one of its aggregate, is posted when
// both are over, whichever is the first.
func TestBehindAnother(t *testing.T) {
	t.Parallel()
	for name, due := range map[string]time.Duration{"the earlier one": 2 * time.Second, "its attempt": 20 * time.Second} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				m, n := newStore(), newNetwork()
				route(t, m)
				first, second := making("crm", 0, "12"), making("crm", 1, "12")
				commit(t, m, first, second)
				now := time.Now()
				if err := m.Settle(t.Context(), []outbox.Outcome{{
					Seq: second.Seq, State: outbox.Waiting, Attempts: 2, Due: now.Add(due), Attempt: &outbox.Attempt{At: now, Status: 500},
				}}); err != nil {
					t.Fatal(err)
				}
				n.set(func(id string) (int, http.Header, error) {
					if id == first.ID.String() {
						pass(5 * time.Second)
					}
					return http.StatusOK, nil, nil
				})
				running(t, m, oneEndpoint, n.options())
				pass(time.Minute)
				if got, want := n.of(second), max(due, 5*time.Second); len(got) != 1 || got[0].Round(time.Second) != want {
					t.Errorf("posted at %v, want %v", got, want)
				}
			})
		})
	}
}
