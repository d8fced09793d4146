package deliver

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
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
		answer := n.answer
		n.mu.Unlock() // a mutex that is held over a sleep would stop the bubble's clock
		return answer(id)
	})}
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
		"410":     func() (int, http.Header, error) { return 410, nil, nil },
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
	m, n := newMemory(), newNetwork()
	bad, behind := making("crm", 1, "a"), making("crm", 2, "a")
	n.set(func(id string) (int, http.Header, error) {
		if id == bad.ID.String() {
			time.Sleep(time.Millisecond) //nolint:forbidigo // the bubble's clock: others get through meanwhile
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
		m, n := newMemory(), newNetwork()
		n.set(func(string) (int, http.Header, error) { return 0, nil, errRefused })
		w, _ := running(t, m, oneEndpoint, n.options())
		list := make([]*outbox.Delivery, 100)
		for i := range list {
			list[i] = making("crm", i, fmt.Sprint(i%10))
		}
		commit(t, m, list...)
		time.Sleep(10 * time.Hour) //nolint:forbidigo // the bubble's clock
		n.mu.Lock()
		tries := len(n.order)
		n.mu.Unlock()
		if tries < 10*3600/36 || tries > 10*3600/24+30 {
			t.Errorf("%d tries in ten hours, want one each 30s", tries)
		}
		s := w.Status().Endpoints[0]
		if s.DownSince.IsZero() || s.LastError != errRefused.Error() || !s.Parked || s.InFlight != 0 {
			t.Errorf("status %+v", s)
		}
		if err := w.Wait(t.Context()); err != nil {
			t.Error(err)
		}
		n.set(func(string) (int, http.Header, error) { return 200, nil, nil })
		back := time.Now()
		for m.get(100).State != outbox.Delivered {
			time.Sleep(time.Second) //nolint:forbidigo // the bubble's clock
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
		if s := w.Status().Endpoints[0]; !s.DownSince.IsZero() || s.Parked || s.Pending != 0 || s.LastSuccess.IsZero() {
			t.Errorf("status %+v", s)
		}
	})
}

// TestRetryAfterOfEndpoint: a receiver that is busy says when to come again.
func TestRetryAfterOfEndpoint(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m, n := newMemory(), newNetwork()
		n.set(func(string) (int, http.Header, error) { return 429, http.Header{"Retry-After": {"600"}}, nil })
		running(t, m, oneEndpoint, n.options())
		d := making("crm", 1, "a")
		commit(t, m, d)
		time.Sleep(25 * time.Minute) //nolint:forbidigo // the bubble's clock
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
		m, n := newMemory(), newNetwork()
		poison := making("crm", 1, "a")
		n.set(func(id string) (int, http.Header, error) {
			if id == poison.ID.String() {
				return 500, nil, nil
			}
			return 200, nil, nil
		})
		running(t, m, oneEndpoint, n.options())
		commit(t, m, poison)
		time.Sleep(time.Hour) //nolint:forbidigo // the bubble's clock
		if got := m.get(1); got.State != outbox.Waiting || got.Attempts != 0 {
			t.Errorf("alone: %s after %d attempts", got.State, got.Attempts)
		}
		commit(t, m, making("crm", 2, "b"), making("crm", 3, "c"))
		time.Sleep(2 * time.Minute) //nolint:forbidigo // the bubble's clock
		if m.get(2).State != outbox.Delivered || m.get(3).State != outbox.Delivered {
			t.Errorf("others: %s, %s", m.get(2).State, m.get(3).State)
		}
		if got := m.get(1); got.Attempts == 0 {
			t.Error("its own failures are not counted")
		}
		time.Sleep(time.Hour) //nolint:forbidigo // the bubble's clock
		commit(t, m, making("crm", 4, "a"))
		time.Sleep(time.Hour) //nolint:forbidigo // the bubble's clock
		if m.get(4).State != outbox.Waiting {
			t.Errorf("behind it: %s", m.get(4).State)
		}
		time.Sleep(118*time.Hour + 10*time.Minute) //nolint:forbidigo // the bubble's clock
		if m.get(1).State != outbox.Dead || m.get(4).State != outbox.Delivered {
			t.Errorf("at last: %s, behind it: %s", m.get(1).State, m.get(4).State)
		}
	})
}

// TestMaxAge: what waits for an endpoint that never comes back is given up after MaxAge; what is younger is not.
func TestMaxAge(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m, n := newMemory(), newNetwork()
		n.set(func(string) (int, http.Header, error) { return 0, nil, errRefused })
		running(t, m, oneEndpoint, n.options())
		commit(t, m, making("crm", 1, "a"), making("crm", 2, "a"), making("crm", 3, "b"))
		time.Sleep(100 * time.Hour) //nolint:forbidigo // the bubble's clock
		commit(t, m, making("crm", 4, "a"))
		time.Sleep(19 * time.Hour) //nolint:forbidigo // the bubble's clock
		if got := states(t, m); got[outbox.Waiting] != 4 {
			t.Errorf("before: %v", got)
		}
		time.Sleep(2 * time.Hour) //nolint:forbidigo // the bubble's clock
		if got := states(t, m); got[outbox.Dead] != 3 || m.get(4).State != outbox.Waiting {
			t.Errorf("after: %v", got)
		}
	})
}

// TestFlapping: an endpoint that comes and goes all the time must not use up the attempts faster than the schedule.
func TestFlapping(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m, n := newMemory(), newNetwork()
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
		time.Sleep(24 * time.Hour) //nolint:forbidigo // the bubble's clock
		if got := states(t, m); got[outbox.Delivered] != len(list) {
			t.Errorf("after a day: %v", got)
		}
	})
}

// TestRestartKeepsSchedule: a new worker goes on where the last one stopped.
func TestRestartKeepsSchedule(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m, n := newMemory(), newNetwork()
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
			time.Sleep(20 * time.Second) //nolint:forbidigo // the bubble's clock
			stop()
		}
		got := n.of(bad)
		if len(got) != 3 || !near(got[1]-got[0], 5*time.Second) || got[2]-got[1] < 24*time.Second || got[2]-got[1] > 40*time.Second {
			t.Errorf("tried at %v", got)
		}
		if a, b, c := m.get(1), m.get(2), m.get(3); a.Attempts != 3 || b.State != outbox.Waiting || c.State != outbox.Delivered {
			t.Errorf("%d attempts, behind it: %s, other: %s", a.Attempts, b.State, c.State)
		}
	})
}

// TestShutdown: what is cut off at the end is no attempt, what gets through within the grace is recorded; nothing is left
// running, or the bubble would say so.
func TestShutdown(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := newMemory()
		slow, hangs := making("crm", 1, "a"), making("crm", 2, "b")
		o := Options{Grace: 3 * time.Second, Timeout: time.Minute, Transport: trip(func(q *http.Request) (int, http.Header, error) {
			if q.Header.Get("webhook-id") == slow.ID.String() {
				time.Sleep(2 * time.Second) //nolint:forbidigo // the bubble's clock
				return 200, nil, nil
			}
			<-q.Context().Done()
			return 0, nil, q.Context().Err()
		})}
		w, stop := running(t, m, oneEndpoint, o)
		commit(t, m, slow, hangs, making("crm", 3, "a"))
		synctest.Wait()
		if s := w.Status().Endpoints[0]; s.InFlight != 2 || s.Pending != 3 {
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

// TestSettleFails: while outcomes cannot be recorded nothing more is posted, and afterwards nothing is posted twice.
func TestSettleFails(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m, n := newMemory(), newNetwork()
		m.fails = errors.New("disk full")
		var log buffer
		o := n.options()
		o.Log = textLog(&log)
		running(t, m, oneEndpoint, o)
		commit(t, m, making("crm", 1, "a"), making("crm", 2, "a"), making("crm", 3, "a"))
		time.Sleep(time.Minute) //nolint:forbidigo // the bubble's clock
		n.mu.Lock()
		if len(n.order) != 1 {
			t.Errorf("%d requests meanwhile, want 1", len(n.order))
		}
		n.mu.Unlock()
		m.mu.Lock()
		m.fails = nil
		m.mu.Unlock()
		time.Sleep(time.Minute) //nolint:forbidigo // the bubble's clock
		if got := states(t, m); got[outbox.Delivered] != 3 || len(n.order) != 3 {
			t.Errorf("%v after %d requests", got, len(n.order))
		}
		if said := strings.Count(log.String(), "disk full"); said != 1 {
			t.Errorf("said %d times:\n%s", said, log.String())
		}
	})
}

// TestBrake: who makes deliveries is held back by those that are due, not by those that wait for a dead endpoint.
func TestBrake(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := newMemory()
		hold := make(chan struct{})
		o := Options{Timeout: time.Hour, Transport: trip(func(*http.Request) (int, http.Header, error) {
			<-hold
			return 200, nil, nil
		})}
		w, _ := running(t, m, oneEndpoint, o)
		for i := range brakeAt {
			commit(t, m, making("crm", i, fmt.Sprint(i)))
			if i == brakeAt-2 {
				synctest.Wait()
				if err := w.Wait(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
		}
		synctest.Wait()
		released := make(chan error)
		go func() { released <- w.Wait(t.Context()) }()
		synctest.Wait()
		select {
		case <-released:
			t.Error("not held back")
		default:
		}
		close(hold)
		if err := <-released; err != nil {
			t.Error(err)
		}
		synctest.Wait()
		if w.brake.n != 0 {
			t.Errorf("the brake counts %d at the end", w.brake.n)
		}
	})
}
