package deliver

import (
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"rowhook/deliver/delivertest"
	"rowhook/outbox"
)

// checkOrder fails the test when first successful receipts of an aggregate are not in the order of list, or one is missing.
func checkOrder(t *testing.T, got []delivertest.Request, list []*outbox.Delivery) {
	t.Helper()
	place := make(map[string]int, len(got))
	for i, q := range got {
		if _, ok := place[q.ID()]; !ok && q.Status/100 == 2 {
			place[q.ID()] = i
		}
	}
	last := make(map[string]int)
	for i, d := range list {
		at, ok := place[d.ID.String()]
		if !ok {
			t.Errorf("delivery %d never arrived", i)
			continue
		}
		for _, key := range d.Keys {
			if before, ok := last[key]; ok && before > at {
				t.Errorf("delivery %d of %s overtook an earlier one", i, key)
			}
			last[key] = at
		}
	}
}

// TestOrder: over rules and keys, deletes of several aggregates included, with random failures and slow answers.
func TestOrder(t *testing.T) {
	t.Parallel()
	r := delivertest.NewReceiver(t)
	var calls atomic.Int64
	r.Decide(func(delivertest.Request) delivertest.Answer {
		switch n := calls.Add(1); {
		case n%17 == 0:
			return delivertest.Answer{Status: 500}
		case n%29 == 0:
			return delivertest.Answer{Status: 400}
		case n%5 == 0:
			return delivertest.Answer{Delay: 3 * time.Millisecond}
		}
		return delivertest.Answer{}
	})
	s := newStore()
	endpoints := map[string]Endpoint{"save": {URL: r.URL()}, "status": {URL: r.URL() + "/status"}, "delete": {URL: r.URL() + "?delete=1"}}
	o := quick()
	o.Schedule = slices.Repeat([]time.Duration{10 * time.Millisecond}, 50)
	w, _ := running(t, s, endpoints, o)
	var list []*outbox.Delivery
	for i := range 600 {
		rule, keys := []string{"save", "status"}[i%2], []string{fmt.Sprint(i * 7 % 20)}
		if i%40 == 39 {
			rule, keys = "delete", []string{fmt.Sprint(i % 20), fmt.Sprint(i % 13), fmt.Sprint(i % 7), fmt.Sprint(i % 20)}
		}
		list = append(list, making(rule, i, keys...))
	}
	commit(t, s, list...)
	got := r.WaitAccepted(patience(t), len(list))
	checkOrder(t, got, list)
	if n := len(r.Accepted()); n != len(list) {
		t.Errorf("%d deliveries were accepted %d times", len(list), n)
	}
	if s := w.Status(t.Context()); len(s.Endpoints) != 1 {
		t.Errorf("status %+v, want one endpoint", s)
	}
}

// TestFailingAggregate: it holds back its own followers, and nobody else.
func TestFailingAggregate(t *testing.T) {
	t.Parallel()
	r := delivertest.NewReceiver(t)
	s := newStore()
	bad := making("crm", 0, "bad")
	var cured atomic.Bool
	r.Decide(func(q delivertest.Request) delivertest.Answer {
		if q.ID() == bad.ID.String() && !cured.Load() {
			return delivertest.Answer{Status: 422}
		}
		return delivertest.Answer{}
	})
	o := quick()
	o.Schedule = slices.Repeat([]time.Duration{20 * time.Millisecond}, 10_000)
	running(t, s, map[string]Endpoint{"crm": {URL: r.URL()}}, o)
	list := []*outbox.Delivery{bad}
	for i := 1; i <= 900; i++ {
		key := fmt.Sprint(i % 100)
		if i%3 == 0 {
			key = "bad"
		}
		list = append(list, making("crm", i, key))
	}
	commit(t, s, list...)
	r.WaitAccepted(patience(t), 600)
	for _, q := range r.Accepted() {
		if slices.ContainsFunc(list, func(d *outbox.Delivery) bool { return d.ID.String() == q.ID() && d.Keys[0] == "bad" }) {
			t.Fatalf("%s overtook the failing one", q.Body)
		}
	}
	cured.Store(true)
	checkOrder(t, r.WaitAccepted(patience(t), len(list)), list)
}

// TestOutageOfOne: one of two endpoints is down while thousands are made for it. The other one does not notice; when it is
// back, everything goes out in order.
func TestOutageOfOne(t *testing.T) {
	t.Parallel()
	down, up := delivertest.NewReceiver(t), delivertest.NewReceiver(t)
	down.Close()
	s := newStore()
	w, _ := running(t, s, map[string]Endpoint{"down": {URL: down.URL()}, "up": {URL: up.URL()}}, quick())
	var toDown, toUp, list []*outbox.Delivery
	for i := range 5000 {
		toDown = append(toDown, making("down", i, fmt.Sprint(i%50)))
		list = append(list, toDown[i])
		if i%5 == 0 {
			toUp = append(toUp, making("up", i, fmt.Sprint(i%50)))
			list = append(list, toUp[len(toUp)-1])
		}
	}
	commit(t, s, list...)
	checkOrder(t, up.WaitAccepted(patience(t), len(toUp)), toUp)
	until(t, "the outage", func() bool {
		e := w.Status(t.Context()).Endpoints
		i := slices.IndexFunc(e, func(e EndpointStatus) bool { return e.Rules[0] == "down" })
		return !e[i].DownSince.IsZero() && e[i].Undelivered == len(toDown) && e[i].Pending <= 1 && e[1-i].DownSince.IsZero()
	})
	down.Open()
	checkOrder(t, down.WaitAccepted(patience(t), len(toDown)), toDown)
	until(t, "the outcomes", func() bool { return states(t, s)[outbox.Delivered] == len(list) })
}

// TestRestart: workers come and go in the middle of it, on a store that is opened again each time.
func TestRestart(t *testing.T) {
	t.Parallel()
	r := delivertest.NewReceiver(t)
	r.Answer(delivertest.Answer{Delay: time.Millisecond})
	s := newStore()
	var list []*outbox.Delivery
	for i := range 1500 {
		list = append(list, making("crm", i, fmt.Sprint(i%40)))
	}
	for round := range 5 {
		_, stop := running(t, s, map[string]Endpoint{"crm": {URL: r.URL()}}, quick())
		commit(t, s, list[round*300:(round+1)*300]...)
		if round%2 == 1 {
			r.Close()
			until(t, "the outage", func() bool { return states(t, s)[outbox.Waiting] > 0 })
		} else {
			r.Open()
			r.WaitAccepted(patience(t), round*300+50)
		}
		stop()
		s = s.reopen()
	}
	running(t, s, map[string]Endpoint{"crm": {URL: r.URL()}}, quick())
	checkOrder(t, r.WaitAccepted(patience(t), len(list)), list)
	until(t, "the outcomes", func() bool { return states(t, s)[outbox.Delivered] == len(list) })
	// A receiver that goes away may take the answer to what it accepted with it: twice, each time of what was on its way.
	most := len(list) + 2*Options{}.withDefaults().Concurrency
	if n := len(r.Accepted()); n > most {
		t.Errorf("%d deliveries were accepted %d times", len(list), n)
	}
}

// TestRuleGoesAndComes: deliveries of a rule that is gone are held, over a restart too, and sent when it is back.
func TestRuleGoesAndComes(t *testing.T) {
	t.Parallel()
	r, other := delivertest.NewReceiver(t), delivertest.NewReceiver(t)
	r.Close()
	s := newStore()
	both := map[string]Endpoint{"crm": {URL: r.URL()}, "erp": {URL: other.URL()}, "old": {URL: r.URL()}}
	one := map[string]Endpoint{"erp": {URL: other.URL()}}
	w, stop := running(t, s, both, quick())
	var list []*outbox.Delivery
	for i := range 20 {
		list = append(list, making([]string{"crm", "old"}[i%2], i, fmt.Sprint(i%3)))
	}
	commit(t, s, list[:10]...)
	until(t, "the outage", func() bool { return states(t, s)[outbox.Waiting] > 0 })
	w.SetEndpoints(one)
	commit(t, s, list[10:]...)
	until(t, "all to be held", func() bool { return states(t, s)[outbox.Held] == len(list) })
	stop()
	r.Open()

	s = s.reopen()
	w, stop = running(t, s, one, quick())
	commit(t, s, making("erp", 1, "x"))
	other.WaitAccepted(patience(t), 1)
	if got := states(t, s); got[outbox.Held] != len(list) {
		t.Errorf("after a restart: %v", got)
	}
	w.SetEndpoints(both)
	checkOrder(t, r.WaitAccepted(patience(t), len(list)), list)
	until(t, "the outcomes", func() bool { return states(t, s)[outbox.Delivered] == len(list)+1 })
	stop()

	// A rule that goes while nothing runs.
	r.Close()
	w, stop = running(t, s, both, quick())
	commit(t, s, making("crm", 100, "x"))
	until(t, "the outage", func() bool { return states(t, s)[outbox.Waiting] == 1 })
	stop()
	_, stop = running(t, s, one, quick())
	until(t, "it to be held", func() bool { return states(t, s)[outbox.Held] == 1 })
	stop()
	_ = w
}

// TestReloadInFlight: while deliveries are on their way, addresses and the endpoints of rules change; nothing is lost.
func TestReloadInFlight(t *testing.T) {
	t.Parallel()
	a, b := delivertest.NewReceiver(t), delivertest.NewReceiver(t)
	a.Answer(delivertest.Answer{Delay: time.Millisecond})
	s := newStore()
	w, _ := running(t, s, map[string]Endpoint{"crm": {URL: a.URL()}, "erp": {URL: a.URL()}}, quick())
	var list []*outbox.Delivery
	for i := range 1000 {
		list = append(list, making([]string{"crm", "erp"}[i%2], i, fmt.Sprint(i%30)))
	}
	commit(t, s, list...)
	a.WaitAccepted(patience(t), 50)
	w.SetEndpoints(map[string]Endpoint{"crm": {URL: a.URL() + "/new", Secret: "x"}, "erp": {URL: a.URL()}}) // the same endpoint
	a.WaitAccepted(patience(t), 200)
	w.SetEndpoints(map[string]Endpoint{"crm": {URL: b.URL(), OrderGroup: "g"}, "erp": {URL: b.URL(), OrderGroup: "g"}})
	until(t, "all outcomes", func() bool { return states(t, s)[outbox.Delivered] == len(list) })
	checkOrder(t, append(a.Requests(), b.Requests()...), list)
	if len(b.Requests()) == 0 || !slices.ContainsFunc(a.Requests(), func(q delivertest.Request) bool { return q.Header.Get("X-VAP-WEBHOOK-SECURE") != "" }) {
		t.Error("the changes were not followed")
	}
}

// TestBodyBound: large payloads are not all held in memory; what goes beyond lies in the outbox and still delivered in order.
func TestBodyBound(t *testing.T) {
	t.Parallel()
	r, other := delivertest.NewReceiver(t), delivertest.NewReceiver(t)
	var open atomic.Bool
	r.Decide(func(delivertest.Request) delivertest.Answer {
		if !open.Load() {
			return delivertest.Answer{Delay: 20 * time.Millisecond}
		}
		return delivertest.Answer{}
	})
	s := newStore()
	w, _ := running(t, s, map[string]Endpoint{"crm": {URL: r.URL()}, "erp": {URL: other.URL()}}, quick())
	var list []*outbox.Delivery
	for i := range 400 {
		d := making("crm", i, fmt.Sprint(i%16))
		d.Body = []byte(`"` + strings.Repeat("x", 100<<10) + `"`)
		list = append(list, d)
	}
	commit(t, s, list...)
	commit(t, s, making("erp", 1, "k"))
	other.WaitAccepted(patience(t), 1) // a slow endpoint does not hold up another
	r.WaitRequests(patience(t), 1)
	all := w.Status(t.Context()).Endpoints
	got := all[slices.IndexFunc(all, func(e EndpointStatus) bool { return e.Rules[0] == "crm" })]
	if !got.Parked || got.Pending > maxLoadedBytes/(100<<10)+claimLimit/4 {
		t.Errorf("too much is in memory: %+v", got)
	}
	open.Store(true)
	checkOrder(t, r.WaitAccepted(patience(t), len(list)), list)
}
