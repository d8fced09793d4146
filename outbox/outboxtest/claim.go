package outboxtest

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"rowhook/outbox"
)

// claimOrder: in order, beyond after, no more than limit; the same from memory and after reopening.
func claimOrder(t *testing.T, h *harness) {
	list := slices.Concat(h.commitNew(3), h.commitNew(2))
	for range 2 {
		wantSame(t, "all", h.claim("a", 0, 10), list...)
		wantSame(t, "limit 2", h.claim("a", 0, 2), list[:2]...)
		wantSame(t, "over two batches", h.claim("a", 2, 2), list[2:4]...)
		wantSame(t, "the last", h.claim("a", 4, 10), list[4])
		wantSame(t, "none", h.claim("a", 5, 10))
		wantSame(t, "again", h.claim("a", 0, 1), list[0])
		wantSame(t, "another endpoint's", h.claim("b", 0, 10))
		wantSame(t, "an unknown endpoint's", h.claim("nowhere", 0, 10))
		h.reopen()
	}
	added := h.commitNew(1)
	wantSame(t, "old and new", slices.Concat(h.claim("a", 3, 2), h.claim("a", 5, 2)), list[3], list[4], added[0])
}

// claimSettled: what is settled does not come again, what waits does, in its place; at once and after reopening.
func claimSettled(t *testing.T, h *harness) {
	list := h.commitNew(7)
	h.settle(delivered(list[0]), failed(list[2], outbox.Waiting, 3, moment), failed(list[3], outbox.Dead, 10, moment))
	for range 2 {
		got := h.claim("a", 0, 10)
		wantSame(t, "the rest", got, list[1], list[2], list[4], list[5], list[6])
		if w := got[1]; w.State != outbox.Waiting || w.Attempts != 3 || !w.Due.Equal(moment) || w.Last == nil || w.Last.Status != 503 ||
			got[0].State != outbox.Fresh || got[0].Attempts != 0 {
			t.Errorf("one waits as %+v, one is %+v", w, got[0])
		}
		wantSame(t, "the rest, limited", h.claim("a", 1, 2), list[1], list[2])
		h.reopen()
	}
	h.settle(delivered(list[1]), delivered(list[4]), delivered(list[5]), delivered(list[6]), delivered(list[2]))
	for range 2 {
		wantSame(t, "nothing", h.claim("a", 0, 10))
		h.reopen()
	}
	added := h.commitNew(1)
	wantSame(t, "a new one", h.claim("a", 0, 10), added[0])
	if added[0].Number != 8 {
		t.Errorf("it is number %d", added[0].Number)
	}
}

// claimOthers: an endpoint gets its own and all of them, however much others have that is not sent.
func claimOthers(t *testing.T, h *harness) {
	const batches = 40
	body := bytes.Repeat([]byte("x"), 50<<10) // 14 MB for b
	var want []*outbox.Delivery
	for i := range batches {
		var b outbox.Batch
		for j := range 8 {
			d := delivery(8*i + j)
			if d.Rule = "chat"; j == 3 {
				d.Rule = "crm"
				want = append(want, d)
			} else {
				d.Body = body
			}
			b.Deliveries = append(b.Deliveries, d)
		}
		h.commit(b)
		if i%10 == 5 { // one that keeps up, at times
			got := h.claim("a", want[0].Number-1, 100)
			wantSame(t, "on the way", got, want...)
			for _, d := range got {
				h.settle(delivered(&d.Delivery))
			}
			want = nil
		}
	}
	for range 2 {
		wantSame(t, "what is left", h.pending("a"), want...)
		if got := len(h.pending("b")); got != 7*batches {
			t.Errorf("the other has %d", got)
		}
		h.reopen()
	}
}

// claimLagsBehind: an endpoint far behind gets everything in order, whatever part of it is still in memory, and never too
// much at once.
func claimLagsBehind(t *testing.T, h *harness) {
	const batches, each = 20, 8
	body := bytes.Repeat([]byte("x"), 100<<10) // 16 MB in all
	for range batches {
		list := make([]*outbox.Delivery, each)
		for i := range list {
			list[i] = delivery(i)
			list[i].Body = body
		}
		h.commit(outbox.Batch{Deliveries: list})
	}
	for range 2 {
		if n := len(h.claim("a", 0, batches*each)); n < 1 || n == batches*each {
			t.Errorf("%d came at once", n)
		}
		want := int64(1)
		for want <= batches*each {
			list := h.claim("a", want-1, 7)
			if len(list) == 0 {
				t.Fatalf("nothing beyond %d", want-1)
			}
			for _, d := range list {
				if d.Number != want || len(d.Body) != len(body) {
					t.Fatalf("got number %d with %d bytes, want %d", d.Number, len(d.Body), want)
				}
				want++
			}
		}
		h.reopen()
	}
}

// claimLowWater: thousands of deliveries settle out of order, and exactly the rest comes after reopening.
func claimLowWater(t *testing.T, h *harness) {
	const n = 5000
	var list []*outbox.Delivery
	for range n / 250 {
		list = append(list, h.commitNew(250)...)
	}
	// Every seventh stays fresh, every eleventh waits; in two passes and in an odd order.
	fresh := func(i int) bool { return i%7 == 0 }
	for pass := range 2 {
		var outcomes []outbox.Outcome
		for k := range n {
			i := (k * 1597) % n
			switch {
			case fresh(i) || i%2 != pass:
			case i%11 == 0:
				outcomes = append(outcomes, failed(list[i], outbox.Waiting, 1, moment))
			default:
				outcomes = append(outcomes, delivered(list[i]))
			}
		}
		h.settle(outcomes...)
		h.reopen()
	}
	var want, waiting []*outbox.Delivery
	for i, d := range list {
		if !fresh(i) && i%11 == 0 {
			waiting = append(waiting, d)
		}
		if fresh(i) || i%11 == 0 {
			want = append(want, d)
		}
	}
	wantSame(t, "undelivered", h.pending("a"), want...)
	wantSame(t, "listed as waiting", h.list(outbox.Filter{States: []outbox.State{outbox.Waiting}}), waiting...)
	if got := len(h.list(outbox.Filter{States: []outbox.State{outbox.Delivered}})); got != n-len(want) {
		t.Errorf("%d are listed as delivered, want %d", got, n-len(want))
	}
	for _, d := range want {
		h.settle(delivered(d))
	}
	for range 2 {
		wantSame(t, "nothing", h.claim("a", 0, 10))
		h.reopen()
	}
}

// claimRefused: no limit is a mistake, and who has gone away gets nothing.
func claimRefused(t *testing.T, h *harness) {
	h.commitNew(1)
	if _, err := h.Claim(t.Context(), "a", 0, 0); err == nil {
		t.Error("a limit of 0 is no error")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := h.Claim(ctx, "a", 0, 1); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want context.Canceled", err)
	}
}

// readNumbers: those that are asked for and undelivered, in order.
func readNumbers(t *testing.T, h *harness) {
	list := h.commitFor("crm", "crm", "chat", "crm", "crm", "crm")
	h.settle(delivered(list[1]), failed(list[3], outbox.Waiting, 2, moment), failed(list[4], outbox.Dead, 2, moment))
	for range 2 {
		got, err := h.Read(t.Context(), "a", []int64{5, 1, 3, 2, 4, 99, 3})
		h.must(err)
		wantSame(t, "read", got, list[0], list[3], list[5])
		if len(got) == 3 && (!bytes.Equal(got[1].Body, list[3].Body) || got[1].State != outbox.Waiting || got[1].Attempts != 2) {
			t.Errorf("it is %+v", got[1])
		}
		got, err = h.Read(t.Context(), "a", nil)
		h.must(err)
		wantSame(t, "nothing", got)
		h.reopen()
	}
	large := make([]*outbox.Delivery, 12)
	var all []int64
	for i := range large {
		large[i] = delivery(i)
		large[i].Body = make([]byte, 1<<20)
	}
	h.commit(outbox.Batch{Deliveries: large})
	for _, d := range large {
		all = append(all, d.Number)
	}
	for range 2 {
		got, err := h.Read(t.Context(), "a", all)
		h.must(err)
		if len(got) < 1 || len(got) == len(large) || got[0].Seq != large[0].Seq || len(got[0].Body) != 1<<20 {
			t.Errorf("%d of %d large ones come at once", len(got), len(large))
		}
		h.reopen()
	}
}

// wake: an endpoint is woken by what is new for it, and by nothing else.
func wake(t *testing.T, h *harness) {
	a, b := h.Wake("a"), h.Wake("b")
	if h.Wake("a") != a {
		t.Error("its channel is another one each time")
	}
	woken := func(what string, c <-chan struct{}, want bool) {
		t.Helper()
		select {
		case <-c:
			if !want {
				t.Errorf("%s: woken", what)
			}
		default:
			if want {
				t.Errorf("%s: not woken", what)
			}
		}
	}
	woken("at first", a, false)
	list := h.commitNew(3)
	woken("by a commit", a, true)
	woken("by another's", b, false)
	woken("once", a, false)
	h.commit(outbox.Batch{Checkpoint: []byte("p")})
	woken("by no delivery", a, false)
	h.settle(delivered(list[0]), failed(list[1], outbox.Dead, 1, moment))
	woken("by an outcome", a, false)
	h.settle(again(list[0], moment))
	woken("by one to send again", a, true)
	h.route("crm", "b")
	woken("by what moved there", b, true)
	woken("by what moved away", a, false)
}

// due: what lies undelivered, by endpoint.
func due(t *testing.T, h *harness) {
	want := func(what string, counts map[string]int, bytes map[string]int64) {
		t.Helper()
		h.commit(outbox.Batch{Checkpoint: []byte("p")}) // outcomes are durable then
		got, err := h.Due(t.Context())
		h.must(err)
		for endpoint, d := range got {
			if d.Count != counts[endpoint] || d.Bytes != bytes[endpoint] || d.Count == 0 {
				t.Errorf("%s: %s has %d, %d bytes, want %d, %d", what, endpoint, d.Count, d.Bytes, counts[endpoint], bytes[endpoint])
			}
		}
		if len(got) != len(counts) {
			t.Errorf("%s: %v", what, got)
		}
	}
	want("a new store", nil, nil)
	list := h.commitFor("crm", "chat", "slack", "crm", "none")
	size := int64(len(list[0].Body))
	h.settle(failed(list[2], outbox.Waiting, 1, moment), failed(list[3], outbox.Dead, 1, moment))
	for range 2 {
		want("all but a dead one", map[string]int{"a": 2, "b": 1}, map[string]int64{"a": 2 * size, "b": size})
		h.reopen()
	}
	h.settle(again(list[3], moment), delivered(list[1]), delivered(list[1]))
	want("one is sent again", map[string]int{"a": 3}, map[string]int64{"a": 3 * size})
	h.route("crm", "b", "none", "b")
	for range 2 {
		want("moved", map[string]int{"b": 3}, map[string]int64{"b": 3 * size})
		h.reopen()
	}
	h.settle(delivered(list[0]), delivered(list[3]), delivered(list[4]))
	for range 2 {
		want("in the end", nil, nil)
		h.reopen()
	}
}

// age: it counts from the commit on, and from the first failure; only while a store is open.
func age(t *testing.T, h *harness) {
	began := time.Now()
	list := h.commitNew(2)
	h.settle(failed(list[1], outbox.Waiting, 1, moment))
	var before time.Duration
	for i := range 3 {
		got := h.claim("a", 0, 2)
		if len(got) != 2 {
			t.Fatalf("%d are claimed", len(got))
		}
		most := time.Since(began)
		if got[0].Failing != 0 || got[1].Failing > got[1].Age || got[1].Age > most || got[0].Age < before-2*time.Second {
			t.Errorf("after %v they are %v and %v old, and fail for %v and %v", most, got[0].Age, got[1].Age, got[0].Failing, got[1].Failing)
		}
		before = got[0].Age
		d, err := h.Due(t.Context())
		h.must(err)
		if d["a"].Oldest > time.Since(began) || d["a"].Oldest < before-2*time.Second {
			t.Errorf("the oldest is %v old", d["a"].Oldest)
		}
		uptime := h.Uptime()
		if uptime < before || i > 0 && uptime > time.Since(began)+time.Second {
			t.Errorf("the store was open for %v", uptime)
		}
		h.reopen()
		if h.Uptime() < uptime-time.Second {
			t.Errorf("reopened it says %v, before it was %v", h.Uptime(), uptime)
		}
	}
	h.settle(failed(list[0], outbox.Dead, 1, moment), again(list[0], moment))
	if got := h.claim("a", 0, 1); len(got) != 1 || got[0].Failing != 0 || got[0].Attempts != 0 || got[0].Retried.IsZero() {
		t.Errorf("one that is sent again is %+v", got)
	}
}
