package deliver

import (
	"context"
	"errors"
	"fmt"
	"maps"
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

const crmName = "http://crm.test:80"

// TestStatusAtTheStart: what is paused is known from the first moment, also before Run has read it.
func TestStatusAtTheStart(t *testing.T) {
	t.Parallel()
	m := newStore()
	if err := newPauses(m, m).pause(t.Context(), crmName, Pause{Since: time.Now(), Reason: "by hand"}); err != nil {
		t.Fatal(err)
	}
	w, err := New(m, oneEndpoint, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if s := w.Status(t.Context()).Endpoints; len(s) != 1 || s[0].Paused == nil {
		t.Errorf("got %+v", s)
	}
}

// TestGone: 410 pauses the endpoint for good, over a restart too, and visibly. Nothing is lost or used up; resumed, all of
// it is sent.
func TestGone(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m, n := newStore(), newNetwork()
		n.set(func(string) (int, http.Header, error) { pass(time.Millisecond); return 410, nil, nil })
		var log buffer
		o := n.options()
		o.Log = textLog(&log)
		w, stop := running(t, m, oneEndpoint, o)
		var list []*outbox.Delivery
		for i := range 100 {
			list = append(list, making("crm", i, fmt.Sprint(i%50)))
		}
		commit(t, m, list...)
		pass(24 * time.Hour)
		n.mu.Lock()
		tries := len(n.order)
		n.mu.Unlock()
		if tries != w.opts.Concurrency {
			t.Errorf("%d requests, want %d: those on their way", tries, w.opts.Concurrency)
		}
		check := func(w *Worker) {
			t.Helper()
			s := w.Status(t.Context()).Endpoints[0]
			if s.Paused == nil || s.Paused.Reason != "the receiver answered 410 Gone" || !s.DownSince.IsZero() || s.InFlight != 0 {
				t.Errorf("status %+v", s)
			}
		}
		check(w)
		if !strings.Contains(log.String(), "rowhook endpoints resume "+crmName) {
			t.Errorf("the log does not say what to do:\n%s", log.String())
		}
		stop()

		n.set(func(string) (int, http.Header, error) { return 200, nil, nil })
		w, _ = running(t, m, oneEndpoint, n.options())
		commit(t, m, making("crm", 1000, "x"))
		pass(30 * 24 * time.Hour)
		check(w)
		if got := states(t, m); got[outbox.Delivered]+got[outbox.Dead] > 0 {
			t.Errorf("while it is paused: %v", got)
		}
		if err := w.Resume(t.Context(), crmName); err != nil {
			t.Fatal(err)
		}
		pass(time.Second)
		if got := states(t, m); got[outbox.Delivered] != 101 {
			t.Errorf("after it was resumed: %v", got)
		}
		if s := w.Status(t.Context()).Endpoints[0]; s.Paused != nil {
			t.Errorf("status %+v", s)
		}
		if got := m.get(1); got.Attempts != 1 {
			t.Errorf("the first one: %+v", got)
		}
	})
}

// TestPauseByHand: a pause stops one endpoint while others go on. What waits grows old from its end on only: one failure
// after it is not the last.
func TestPauseByHand(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m, n := newStore(), newNetwork()
		both := map[string]Endpoint{"crm": oneEndpoint["crm"], "erp": {URL: "http://erp.test/"}}
		w, stop := running(t, m, both, n.options())
		synctest.Wait()
		for range 2 { // twice is once
			if err := w.Pause(t.Context(), crmName, "by hand"); err != nil {
				t.Fatal(err)
			}
		}
		if err := w.Pause(t.Context(), "http://none.test:80", "by hand"); !errors.Is(err, ErrNoEndpoint) {
			t.Errorf("an unknown one: %v", err)
		}
		crm, erp := making("crm", 1, "a"), making("erp", 2, "a")
		commit(t, m, crm, erp)
		pass(20 * 24 * time.Hour)
		if len(n.of(crm)) != 0 || len(n.of(erp)) != 1 {
			t.Errorf("tried %v and %v", n.of(crm), n.of(erp))
		}
		n.set(func(string) (int, http.Header, error) { return 400, nil, nil })
		if err := w.Resume(t.Context(), crmName); err != nil {
			t.Fatal(err)
		}
		pass(time.Second)
		if got := m.get(1); len(n.of(crm)) != 1 || got.State != outbox.Waiting || got.Attempts != 1 {
			t.Errorf("after %d tries: %+v", len(n.of(crm)), got)
		}
		stop()
		w, _ = running(t, m, both, n.options())
		pass(time.Minute)
		if got := m.get(1); got.State != outbox.Waiting || got.Attempts != 3 || w.Status(t.Context()).Endpoints[0].Paused != nil {
			t.Errorf("after a restart: %+v", got)
		}
		pass(6 * 24 * time.Hour)
		if got := m.get(1); got.State != outbox.Dead {
			t.Errorf("days later: %+v", got)
		}
	})
}

// TestPauseWhileDown: a pause during an outage ends the probes, and the end of the pause finds out anew.
func TestPauseWhileDown(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m, n := newStore(), newNetwork()
		n.set(func(string) (int, http.Header, error) { return 0, nil, errRefused })
		w, _ := running(t, m, oneEndpoint, n.options())
		d := making("crm", 1, "a")
		commit(t, m, d, making("crm", 2, "a"))
		pass(time.Minute)
		if err := w.Pause(t.Context(), crmName, "by hand"); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		before := len(n.of(d))
		pass(24 * time.Hour)
		if after := len(n.of(d)); before == 0 || after != before {
			t.Errorf("%d tries before, %d after", before, after)
		}
		if err := w.Resume(t.Context(), crmName); err != nil {
			t.Fatal(err)
		}
		pass(time.Minute)
		if s := w.Status(t.Context()).Endpoints[0]; s.DownSince.IsZero() || len(n.of(d)) == before {
			t.Errorf("status %+v", s)
		}
		n.set(func(string) (int, http.Header, error) { return 200, nil, nil })
		pass(time.Minute)
		if got := states(t, m); got[outbox.Delivered] != 2 {
			t.Errorf("got %v", got)
		}
	})
}

// TestPauseIdle: without a Run a pause is stored for the next one.
func TestPauseIdle(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m, n := newStore(), newNetwork()
		idle, err := New(m, oneEndpoint, n.options())
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(idle.Resume(t.Context(), crmName), idle.Pause(t.Context(), crmName, "by hand")); err != nil {
			t.Fatal(err)
		}
		w, _ := running(t, m, oneEndpoint, n.options())
		d := making("crm", 1, "a")
		commit(t, m, d)
		pass(time.Hour)
		if s := w.Status(t.Context()).Endpoints[0]; len(n.of(d)) != 0 || s.Paused == nil || s.Paused.Reason != "by hand" {
			t.Errorf("tried at %v, status %+v", n.of(d), s)
		}
	})
}

// resumer is a store beside which a person resumes every pause in the moment in which it is stored.
type resumer struct {
	*store
	resume func() error
}

func (s *resumer) CompareAndSet(ctx context.Context, key, old, value string) error {
	if strings.HasPrefix(key, pauseSetting) && !strings.Contains(value, "resumed") {
		go func() { _ = s.resume() }()
	}
	return s.store.CompareAndSet(ctx, key, old, value)
}

// TestResumedAtOnce: what stands behind a delivery that was answered with 410 does not overtake it, also when the pause is
// over before the lane has looked at it.
func TestResumedAtOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, n := &resumer{store: newStore()}, newNetwork()
		first, second := making("crm", 1, "a"), making("crm", 2, "a")
		n.set(func(string) (int, http.Header, error) {
			if len(n.of(first)) == 1 {
				return 410, nil, nil
			}
			return 200, nil, nil
		})
		w, err := New(s, oneEndpoint, n.options())
		if err != nil {
			t.Fatal(err)
		}
		s.resume = func() error { return w.Resume(t.Context(), crmName) }
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- w.Run(ctx) }()
		commit(t, s, first, second)
		pass(time.Minute)
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
		if want := []string{first.ID.String(), first.ID.String(), second.ID.String()}; !slices.Equal(n.order, want) {
			t.Errorf("posted %v, want %v", n.order, want)
		}
	})
}

// TestOldPauses: the pauses that an earlier version stored go on, once.
func TestOldPauses(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m, n := newStore(), newNetwork()
		const old = `{"http://crm.test:80":{"since":"2026-03-01T12:00:00Z","reason":"by hand"},` +
			`"http://erp.test:80":{"since":"2026-03-01T12:00:00Z","reason":"410","resumed":"2026-03-02T12:00:00Z"}}`
		if err := m.CompareAndSet(t.Context(), oldPauses, "", old); err != nil {
			t.Fatal(err)
		}
		both := map[string]Endpoint{"crm": oneEndpoint["crm"], "erp": {URL: "http://erp.test/"}}
		list := func() {
			t.Helper()
			if got, err := Pauses(t.Context(), m, both); err != nil || len(got) != 1 || got[0].Endpoint != crmName || got[0].Reason != "by hand" {
				t.Errorf("listed %+v, %v", got, err)
			}
		}
		list()
		w, stop := running(t, m, both, n.options())
		crm, erp := making("crm", 1, "a"), making("erp", 2, "a")
		commit(t, m, crm, erp)
		pass(time.Hour)
		if s := w.Status(t.Context()).Endpoints; len(n.of(crm)) != 0 || len(n.of(erp)) != 1 || s[0].Paused == nil || s[1].Paused != nil {
			t.Errorf("tried %v and %v, status %+v", n.of(crm), n.of(erp), s)
		}
		list()
		if err := w.Resume(t.Context(), crmName); err != nil {
			t.Fatal(err)
		}
		stop()
		running(t, m, both, n.options())
		pass(time.Second)
		if text, err := m.Get(t.Context(), oldPauses); err != nil || text != "" || len(n.of(crm)) != 1 {
			t.Errorf("the old setting is %q, %v; tried %v", text, err, n.of(crm))
		}
	})
}

// TestPausesOfMany: processes that pause and resume endpoints at the same time lose none of it.
func TestPausesOfMany(t *testing.T) {
	t.Parallel()
	m := newStore()
	endpoints := make(map[string]Endpoint)
	for i := range 20 {
		endpoints[fmt.Sprint(i)] = Endpoint{URL: fmt.Sprintf("http://%d.test/", i)}
	}
	var all sync.WaitGroup
	for range 8 {
		w, err := New(m, endpoints, Options{})
		if err != nil {
			t.Fatal(err)
		}
		all.Go(func() {
			for i := range 20 {
				name := fmt.Sprintf("http://%d.test:80", i)
				err := w.Pause(t.Context(), name, "by hand")
				if i%2 == 0 {
					err = errors.Join(err, w.Resume(t.Context(), name), w.Pause(t.Context(), name, "again"))
				}
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	if got, err := Pauses(t.Context(), m, endpoints); err != nil || len(got) != 20 {
		t.Errorf("%d are paused, %v", len(got), err)
	}
}

// asked is a store that lets something happen while a setting is read.
type asked struct {
	*store
	during func()
	inside atomic.Bool // what happens may read settings itself
}

func (a *asked) happens() {
	if a.inside.CompareAndSwap(false, true) {
		a.during()
		a.inside.Store(false)
	}
}

func (a *asked) Get(ctx context.Context, key string) (string, error) {
	a.happens()
	return a.store.Get(ctx, key)
}

func (a *asked) Route(ctx context.Context, rules map[string]string) (outbox.Moved, error) {
	a.happens()
	return a.store.Route(ctx, rules)
}

// TestKnownWhileStarting: a person may name an endpoint at any time, also while Run reads what is paused of it.
func TestKnownWhileStarting(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m, n := &asked{store: newStore()}, newNetwork()
		var w *Worker
		looks := 0
		m.during = func() {
			looks++
			if names, _ := w.find(crmName); !slices.Equal(names, []string{crmName}) {
				t.Errorf("found %q", names)
			}
		}
		var err error
		if w, err = New(m, oneEndpoint, n.options()); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- w.Run(ctx) }()
		pass(time.Minute)
		cancel()
		if err := <-done; err != nil || looks == 0 {
			t.Errorf("%v, looked %d times", err, looks)
		}
	})
}

// TestNamedInTheStatus: the status has each endpoint that a rule names, also before Run has started it and while it is between
// its old rules and its new ones. Who watches the status (trouble.Teller) would else take it for one that is gone.
func TestNamedInTheStatus(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m, n := &asked{store: newStore()}, newNetwork()
		w, err := New(m, oneEndpoint, n.options())
		if err != nil {
			t.Fatal(err)
		}
		var between atomic.Int32 // nothing ran
		m.during = func() {
			if len(w.all()) == 0 {
				between.Add(1)
			}
			if s := w.Status(t.Context()).Endpoints; len(s) != 1 || s[0].Name != crmName || s[0].State() != "healthy" {
				t.Errorf("got %+v, want %s", s, crmName)
			}
		}
		m.during()
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- w.Run(ctx) }()
		pass(time.Minute)
		before := between.Load()
		w.SetEndpoints(map[string]Endpoint{"crm": oneEndpoint["crm"], "another": oneEndpoint["crm"]})
		pass(time.Minute)
		if s := w.Status(t.Context()).Endpoints; before < 2 || between.Load() == before || !slices.Equal(s[0].Rules, []string{"another", "crm"}) {
			t.Errorf("looked %d times before it ran and %d times while its rules changed, which are %q", before, between.Load()-before, s[0].Rules)
		}
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

// TestOneURLOfTwoEndpoints: rules with one URL may be of several endpoints. Its name means all of them.
func TestOneURLOfTwoEndpoints(t *testing.T) {
	t.Parallel()
	const url = "http://hooks.test/a"
	alone := map[string]Endpoint{"crm": {URL: url}, "erp": {URL: url, OrderGroup: "books"}, "pos": {URL: url, OrderGroup: "shop"}}
	withOthers := maps.Clone(alone)
	withOthers["mail"] = Endpoint{URL: "http://hooks.test/b", OrderGroup: "books"}
	withOthers["sms"] = Endpoint{URL: "http://hooks.test/c"}
	for name, endpoints := range map[string]map[string]Endpoint{"its only URL": alone, "one of several": withOthers} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				m, n := newStore(), newNetwork()
				w, _ := running(t, m, endpoints, n.options())
				pass(time.Second)
				if err := w.Pause(t.Context(), url, "by hand"); err != nil {
					t.Fatal(err)
				}
				for i, rule := range slices.Sorted(maps.Keys(endpoints)) {
					commit(t, m, making(rule, i, "k"))
				}
				pass(time.Hour)
				if got := states(t, m); got[outbox.Delivered] != len(endpoints)-len(alone) {
					t.Errorf("while the URL is paused: %v", got)
				}
				var rules []string
				listed, err := Pauses(t.Context(), m, endpoints)
				for _, p := range listed {
					rules = append(rules, p.Rules...)
				}
				if slices.Sort(rules); err != nil || !slices.Equal(rules, []string{"crm", "erp", "pos"}) || len(listed) != 3 {
					t.Errorf("listed %+v, %v", listed, err)
				}
				if err := w.Resume(t.Context(), url); err != nil {
					t.Fatal(err)
				}
				pass(time.Hour)
				if got := states(t, m); got[outbox.Delivered] != len(endpoints) {
					t.Errorf("after it was resumed: %v", got)
				}
			})
		})
	}
}
