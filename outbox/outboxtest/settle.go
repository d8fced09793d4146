package outboxtest

import (
	"errors"
	"strings"
	"testing"
	"time"

	"rowhook/outbox"
)

// settleOutcomes: List tells what became of a delivery, at once and after reopening.
func settleOutcomes(t *testing.T, h *harness) {
	list := h.commitNew(5)
	due := moment.Add(time.Hour)
	h.settle(delivered(list[0]), failed(list[1], outbox.Waiting, 1, due), failed(list[2], outbox.Dead, 10, time.Time{}),
		failed(list[3], outbox.Waiting, 1, due))
	last := delivered(list[3])
	last.Attempts = 2
	h.settle(last)
	for range 2 {
		for i, want := range []outbox.Stored{
			{State: outbox.Delivered, Attempts: 1},
			{State: outbox.Waiting, Attempts: 1, Due: due, Last: failed(list[1], outbox.Waiting, 1, due).Attempt},
			{State: outbox.Dead, Attempts: 10, Last: failed(list[2], outbox.Dead, 10, due).Attempt},
			{State: outbox.Delivered, Attempts: 2, Last: last.Attempt},
			{State: outbox.Fresh},
		} {
			got := h.stored(list[i])
			if got.State != want.State || got.Attempts != want.Attempts || !got.Due.Equal(want.Due) {
				t.Errorf("delivery %d: got %v, %d attempts, due %v; want %v, %d, %v",
					i, got.State, got.Attempts, got.Due, want.State, want.Attempts, want.Due)
			}
			wantAttempt(t, i, got.Last, want.Last)
		}
		h.reopen()
	}
}

func wantAttempt(t *testing.T, i int, got, want *outbox.Attempt) {
	t.Helper()
	switch {
	case want == nil && got == nil:
	case want == nil || got == nil || *got != *want:
		t.Errorf("delivery %d: last attempt is %+v, want %+v", i, got, want)
	}
}

// settlePrecedence: the last outcome counts, but nothing takes back that a delivery was accepted, save a retry.
func settlePrecedence(t *testing.T, h *harness) {
	const (
		waiting = outbox.Waiting
		ok      = outbox.Delivered
		dead    = outbox.Dead
	)
	cases := []struct {
		outcomes []outbox.State
		want     outbox.State
	}{
		{[]outbox.State{waiting, ok}, ok},
		{[]outbox.State{waiting, dead}, dead},
		{[]outbox.State{dead, waiting}, waiting},
		{[]outbox.State{dead, waiting, ok}, ok},
		{[]outbox.State{waiting, dead, ok}, ok},
		{[]outbox.State{ok, dead}, ok},
		{[]outbox.State{ok, ok, dead}, ok},
		{[]outbox.State{waiting, ok, dead}, ok},
		{[]outbox.State{ok, waiting}, ok},
		{[]outbox.State{ok, waiting, dead}, ok},
		{[]outbox.State{ok, waiting, ok, dead}, ok},
	}
	// Once with all outcomes buffered together, once each written by itself.
	list := h.commitNew(2 * len(cases))
	for i, c := range cases {
		for n, state := range c.outcomes {
			h.settle(failed(list[2*i], state, n+1, moment))
		}
	}
	for i, c := range cases {
		for n, state := range c.outcomes {
			h.settle(failed(list[2*i+1], state, n+1, moment))
			h.commit(outbox.Batch{Checkpoint: []byte{byte(n)}})
		}
	}
	for range 2 {
		for i, c := range cases {
			for _, d := range list[2*i : 2*i+2] {
				if got := h.stored(d).State; got != c.want {
					t.Errorf("after %v delivery %d is %v, want %v", c.outcomes, d.Seq, got, c.want)
				}
			}
		}
		wantSame(t, "pending", h.pending("a"), list[4], list[5])
		h.reopen()
	}
}

// settleRetried: a person may have anything sent again; that is kept for ever, and the delivery lies where it was.
func settleRetried(t *testing.T, h *harness) {
	list := h.commitNew(5)
	when := moment.Add(time.Hour)
	h.settle(delivered(list[0]), failed(list[1], outbox.Dead, 11, moment), failed(list[2], outbox.Dead, 11, moment), delivered(list[3]))
	h.settle(again(list[0], when), again(list[1], when))
	wantSame(t, "to be sent", h.pending("a"), list[0], list[1], list[4])
	got, err := h.Read(t.Context(), "a", []int64{1})
	h.must(err)
	wantSame(t, "read", got, list[0])
	h.commit(outbox.Batch{Checkpoint: []byte("p")})
	h.settle(again(list[2], when), delivered(list[1]), failed(list[2], outbox.Dead, 1, moment))
	for range 2 {
		for i, want := range []outbox.Stored{
			{State: outbox.Waiting, Due: when, Retried: when}, {State: outbox.Delivered, Attempts: 1, Retried: when},
			{State: outbox.Dead, Attempts: 1, Retried: when}, {State: outbox.Delivered, Attempts: 1},
		} {
			got := h.stored(list[i])
			if got.State != want.State || got.Attempts != want.Attempts || !got.Retried.Equal(want.Retried) ||
				got.State == outbox.Waiting && !got.Due.Equal(want.Due) || got.Number != int64(i+1) {
				t.Errorf("delivery %d is %v, %d attempts, retried %v; want %+v", i, got.State, got.Attempts, got.Retried, want)
			}
		}
		wantSame(t, "still to be sent", h.pending("a"), list[0], list[4])
		h.reopen()
	}
	h.settle(delivered(list[0]), delivered(list[4]))
	for range 2 {
		wantSame(t, "in the end", h.pending("a"))
		h.reopen()
	}
}

// settleRetriedMoved: one that is sent again goes where its rule goes now, or is held when that goes nowhere.
func settleRetriedMoved(t *testing.T, h *harness) {
	list := h.commitFor("crm", "slack", "crm", "chat", "gone")
	h.settle(delivered(list[0]), failed(list[1], outbox.Dead, 1, moment), delivered(list[2]))
	h.route("crm", "b", "chat", "b")
	h.settle(again(list[0], moment), again(list[1], moment), again(list[4], moment))
	for range 2 {
		wantSame(t, "where it went", h.pending("a"))
		wantSame(t, "where it goes", h.pending("b"), list[3], list[0])
		h.wantState(list[1], outbox.Held)
		h.wantState(list[4], outbox.Held)
		h.reopen()
	}
	h.route("crm", "b", "chat", "b", "slack", "b", "gone", "c")
	for range 2 {
		wantSame(t, "released", h.pending("b"), list[3], list[0], list[1])
		wantSame(t, "routed at last", h.pending("c"), list[4])
		h.reopen()
	}
}

// settleRefused: an outcome that makes no sense is an error, and takes those beside it along.
func settleRefused(t *testing.T, h *harness) {
	list := h.commitNew(1)
	next := *list[0]
	next.Seq += 1000
	for name, c := range map[string]struct {
		bad  outbox.Outcome
		want error // nil: any
	}{
		"not given yet":   {delivered(&next), outbox.ErrNotFound},
		"not given, sent": {again(&next, moment), outbox.ErrNotFound},
		"zero":            {outbox.Outcome{State: outbox.Delivered}, outbox.ErrNotFound},
		"negative":        {outbox.Outcome{Seq: -1, State: outbox.Delivered}, outbox.ErrNotFound},
		"fresh":           {outbox.Outcome{Seq: list[0].Seq, State: outbox.Fresh}, nil},
		"held":            {outbox.Outcome{Seq: list[0].Seq, State: outbox.Held}, nil},
		"unknown state":   {outbox.Outcome{Seq: list[0].Seq, State: outbox.Held + 1}, nil},
		"again, but dead": {outbox.Outcome{Seq: list[0].Seq, State: outbox.Dead, Retried: moment}, nil},
	} {
		err := h.Settle(t.Context(), []outbox.Outcome{delivered(list[0]), c.bad})
		if err == nil || c.want != nil && !errors.Is(err, c.want) {
			t.Errorf("%s: got %v", name, err)
		}
	}
	h.settle()
	wantSame(t, "still fresh", h.pending("a"), list[0])
	added := h.commitNew(1)
	wantSame(t, "the next one is not taken for settled", h.pending("a"), list[0], added[0])
}

// settleLongAnswers: what a receiver answers is cut, not refused.
func settleLongAnswers(t *testing.T, h *harness) {
	list := h.commitNew(1)
	o := failed(list[0], outbox.Waiting, 1, moment)
	o.Attempt.Response = strings.Repeat("long ", 1<<20)
	h.settle(o)
	h.reopen()
	got := h.stored(list[0]).Last
	if got == nil || len(got.Response) != outbox.MaxText || !strings.HasPrefix(o.Attempt.Response, got.Response) {
		t.Errorf("the answer did not come back cut: %v", got != nil)
	}
}
