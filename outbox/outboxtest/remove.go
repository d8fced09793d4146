package outboxtest

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"rowhook/outbox"
)

// drop: what a person drops is gone, delivered ones excepted, and the rest goes on.
func drop(t *testing.T, h *harness) {
	list := h.commitFor("crm", "crm", "crm", "chat", "lost", "crm", "crm")
	h.settle(delivered(list[0]), failed(list[1], outbox.Dead, 3, moment), failed(list[2], outbox.Waiting, 1, moment))
	for _, step := range []struct {
		filter outbox.Filter
		want   int
		left   []*outbox.Delivery
	}{
		{outbox.Filter{Rules: []string{"none"}}, 0, list},
		{outbox.Filter{States: []outbox.State{outbox.Delivered}}, 0, list},
		{outbox.Filter{States: []outbox.State{outbox.Dead}}, 1, []*outbox.Delivery{list[0], list[2], list[3], list[4], list[5], list[6]}},
		{outbox.Filter{Rules: []string{"crm"}, Newest: true, Limit: 1}, 1, []*outbox.Delivery{list[0], list[2], list[3], list[4], list[5]}},
		{outbox.Filter{Endpoints: []string{"a"}}, 2, []*outbox.Delivery{list[0], list[3], list[4]}},
		{outbox.Filter{}, 2, list[:1]},
	} {
		n, err := h.Drop(t.Context(), step.filter)
		if err != nil || n != step.want {
			t.Errorf("dropped %d, want %d (%v)", n, step.want, err)
		}
		wantSame(t, "left", h.list(outbox.Filter{}), step.left...)
		h.reopen()
		wantSame(t, "left after reopening", h.list(outbox.Filter{}), step.left...)
	}
	wantSame(t, "to send", append(h.pending("a"), h.pending("b")...))
	if got, err := h.Due(t.Context()); err != nil || len(got) != 0 {
		t.Errorf("due are %v, %v", got, err)
	}
	if got, err := h.Attempts(t.Context(), list[1].Seq); err != nil || len(got) != 0 {
		t.Errorf("attempts of one that is gone: %v, %v", got, err)
	}
	if added := h.commitNew(1); added[0].Seq <= list[6].Seq || added[0].Number != 6 {
		t.Errorf("the next one is %d, number %d", added[0].Seq, added[0].Number)
	}
}

// dropLate: the outcome of a request that was on its way comes to nothing, and takes nothing along; to send it again is
// an error.
func dropLate(t *testing.T, h *harness) {
	list := h.commitNew(2)
	h.claim("a", 0, 10)
	_, err := h.Drop(t.Context(), outbox.Filter{ID: &list[0].ID})
	h.must(err)
	for range 2 {
		h.settle(failed(list[0], outbox.Waiting, 1, moment), delivered(list[1]))
		if err := h.Settle(t.Context(), []outbox.Outcome{again(list[0], moment)}); !errors.Is(err, outbox.ErrNotFound) {
			t.Errorf("to be sent again: %v", err)
		}
		wantSame(t, "listed", h.list(outbox.Filter{}), list[1])
		wantSame(t, "to send", h.pending("a"))
		h.reopen()
	}
	h.wantState(list[1], outbox.Delivered)
}

// erase: payloads and answers are gone, the rows stay; what is to be sent is left alone.
func erase(t *testing.T, h *harness) {
	list := h.commitFor("crm", "crm", "crm", "crm", "lost", "chat")
	h.settle(failed(list[0], outbox.Waiting, 1, moment), delivered(list[0]), failed(list[1], outbox.Dead, 3, moment),
		failed(list[2], outbox.Waiting, 1, moment))
	n, err := h.Erase(t.Context(), outbox.Filter{Rules: []string{"crm", "lost"}})
	if err != nil || n != 3 {
		t.Errorf("erased %d, %v", n, err)
	}
	erased := map[int]bool{0: true, 1: true, 4: true}
	for range 2 {
		for i, d := range h.list(outbox.Filter{Bodies: true}) {
			if d.Erased != erased[i] || (len(d.Body) == 0) != erased[i] || d.ID != list[i].ID || len(d.Keys) != 1 {
				t.Errorf("delivery %d: erased %v, %d bytes, %+v", i, d.Erased, len(d.Body), d.Delivery)
			}
			all, err := h.Attempts(t.Context(), d.Seq)
			h.must(err)
			for _, a := range all {
				if (a.Response == "") != erased[i] {
					t.Errorf("delivery %d: the answer is %q", i, a.Response)
				}
			}
			if d.Last != nil && (d.Last.Response == "") != erased[i] {
				t.Errorf("delivery %d: the last answer is %q", i, d.Last.Response)
			}
		}
		if err := h.Settle(t.Context(), []outbox.Outcome{again(list[1], moment)}); !errors.Is(err, outbox.ErrErased) {
			t.Errorf("to be sent again: %v", err)
		}
		wantSame(t, "to send", append(h.pending("a"), h.pending("b")...), list[2], list[3], list[5])
		h.reopen()
	}
	if n, err := h.Erase(t.Context(), outbox.Filter{Rules: []string{"crm", "lost"}}); err != nil || n != 0 {
		t.Errorf("erased again %d, %v", n, err)
	}
	if moved := h.route("crm", "a", "chat", "b", "lost", "a"); moved != (outbox.Moved{}) {
		t.Errorf("one without a payload is released: %+v", moved)
	}
}

// eraseKept: those beside an erased one keep their payloads.
func eraseKept(t *testing.T, h *harness) {
	const n = 40
	list := make([]*outbox.Delivery, n)
	for i := range list {
		list[i] = delivery(i)
		list[i].Body = bytes.Repeat([]byte{byte('A' + i)}, 1000+i)
	}
	h.commit(outbox.Batch{Deliveries: list})
	for i, d := range list {
		h.settle(delivered(d))
		if i%3 == 0 {
			if n, err := h.Erase(t.Context(), outbox.Filter{Key: d.Keys[0]}); err != nil || n != 1 {
				t.Errorf("erased %d, %v", n, err)
			}
		}
	}
	for range 2 {
		got := h.list(outbox.Filter{Bodies: true})
		if len(got) != n {
			t.Fatalf("%d are left", len(got))
		}
		for i, d := range got {
			want := list[i].Body
			if i%3 == 0 {
				want = nil
			}
			if !bytes.Equal(d.Body, want) || d.Erased != (i%3 == 0) {
				t.Errorf("delivery %d has %d bytes, erased %v", i, len(d.Body), d.Erased)
			}
		}
		h.reopen()
	}
}

// pruneAge: what was delivered goes by one age, dead and held ones by another, and what is undelivered never.
func pruneAge(t *testing.T, h *harness) {
	var list []*outbox.Delivery
	for range 3 {
		some := h.commitFor("crm", "crm", "crm", "crm", "lost", "crm")
		h.settle(delivered(some[0]), failed(some[1], outbox.Waiting, 1, moment), failed(some[2], outbox.Dead, 3, moment), delivered(some[3]))
		list = append(list, some...)
	}
	past, future := time.Now().Add(-time.Hour), time.Now().Add(time.Hour)
	left := func(of ...int) (some []*outbox.Delivery) {
		for i := range 3 {
			for _, n := range of {
				some = append(some, list[6*i+n])
			}
		}
		return some
	}
	for _, step := range []struct {
		name string
		keep outbox.Keep
		want int
		left []*outbox.Delivery
	}{
		{"nothing to do", outbox.Keep{}, 0, list},
		{"all is young", outbox.Keep{Since: past, Dead: past}, 0, list},
		{"delivered", outbox.Keep{Since: future, Dead: past}, 6, left(1, 2, 4, 5)},
		{"dead and held", outbox.Keep{Dead: future}, 6, left(1, 5)},
		{"nothing is left to do", outbox.Keep{Since: future, Dead: future, Bytes: 1}, 0, left(1, 5)},
	} {
		p, err := h.Prune(t.Context(), step.keep)
		if err != nil || p.Deliveries != step.want || p.Bytes == 0 {
			t.Errorf("%s: pruned %+v, want %d (%v)", step.name, p, step.want, err)
		}
		for range 2 {
			got := h.list(outbox.Filter{Bodies: true})
			wantSame(t, step.name, got, step.left...)
			for _, d := range got {
				if len(d.Body) == 0 {
					t.Errorf("%s: delivery %d has no payload", step.name, d.Seq)
				}
			}
			h.reopen()
		}
	}
	wantSame(t, "to send", h.pending("a"), left(1, 5)...)
	if added := h.commitNew(1); added[0].Seq <= list[17].Seq || added[0].Number != 16 {
		t.Errorf("the next one is %d, number %d", added[0].Seq, added[0].Number)
	}
}

// pruneUndelivered: whatever order commits are settled and pruned in, what is undelivered stays, with its payload.
func pruneUndelivered(t *testing.T, h *harness) {
	random := rand.New(rand.NewPCG(1, 1))
	var want []*outbox.Delivery // undelivered
	made := 0
	for round := range 40 {
		list := make([]*outbox.Delivery, random.IntN(5))
		for i := range list {
			list[i] = delivery(made)
			made++
		}
		h.commit(outbox.Batch{Deliveries: list})
		want = slices.DeleteFunc(append(want, list...), func(d *outbox.Delivery) bool {
			switch random.IntN(8) {
			case 0, 1:
				h.settle(delivered(d))
				return true
			case 2:
				h.settle(failed(d, outbox.Dead, 1, moment))
				return true
			case 3:
				h.settle(failed(d, outbox.Waiting, 1, moment))
			}
			return false
		})
		future := time.Now().Add(time.Hour)
		_, err := h.Prune(t.Context(), outbox.Keep{Since: future, Dead: future})
		h.must(err)
		if round%7 == 0 {
			h.reopen()
		}
		got := h.pending("a")
		wantSame(t, fmt.Sprintf("round %d", round), got, want...)
		for i, d := range got {
			if i < len(want) && !bytes.Equal(d.Body, want[i].Body) {
				t.Errorf("round %d: delivery %d has the payload %q, want %q", round, d.Seq, d.Body, want[i].Body)
			}
		}
		if t.Failed() {
			return
		}
	}
}

// pruneBytes: the oldest delivered ones go until the rest fits; what must stay pins nothing else.
func pruneBytes(t *testing.T, h *harness) {
	const n, each, limit = 60, 10, 3 << 20
	var kept []*outbox.Delivery
	for i := range n {
		list := make([]*outbox.Delivery, each)
		for j := range list {
			list[j] = delivery(each*i + j)
			list[j].Body = bytes.Repeat([]byte{byte(i)}, 20_000) // 12 MB in all
		}
		h.commit(outbox.Batch{Deliveries: list})
		for j, d := range list {
			if j != 4 {
				h.settle(delivered(d))
				continue
			}
			kept = append(kept, d) // one of ten
			if i%2 == 0 {
				h.settle(failed(d, outbox.Dead, 1, moment))
			}
		}
	}
	p, err := h.Prune(t.Context(), outbox.Keep{Bytes: limit})
	h.must(err)
	if p.Bytes > limit || p.Deliveries < n*each/2 || p.Deliveries > n*(each-1) {
		t.Errorf("pruned %+v, with a limit of %d", p, limit)
	}
	for range 2 {
		left := h.list(outbox.Filter{States: []outbox.State{outbox.Dead, outbox.Fresh}, Bodies: true})
		wantSame(t, "what may not go", left, kept...)
		for i, d := range left {
			if !bytes.Equal(d.Body, bytes.Repeat([]byte{byte(i)}, 20_000)) {
				t.Errorf("delivery %d has another payload, of %d bytes", d.Seq, len(d.Body))
			}
		}
		h.reopen()
	}
	delivered := h.list(outbox.Filter{States: []outbox.State{outbox.Delivered}})
	if len(delivered) != n*(each-1)-p.Deliveries || len(delivered) == 0 || delivered[0].Seq < kept[n/4].Seq {
		t.Errorf("%d are left of those delivered", len(delivered))
	}
	p, err = h.Prune(t.Context(), outbox.Keep{Bytes: limit / 3}) // less than what must stay
	h.must(err)
	if p.Bytes <= limit/3 || p.Deliveries != len(delivered) {
		t.Errorf("pruned %+v, though it does not fit", p)
	}
}
