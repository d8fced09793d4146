package outboxtest

import (
	"strings"
	"testing"
	"time"

	"rowhook/outbox"
)

// settleOutcomes: List tells what became of a delivery, at once and after reopening.
func settleOutcomes(t *testing.T, h *harness) {
	h.commitNew(6)
	due := moment.Add(time.Hour)
	h.settle(delivered(1), failed(2, outbox.Waiting, 1, due), failed(3, outbox.Dead, 10, time.Time{}),
		outbox.Outcome{Seq: 4, State: outbox.Held}, failed(5, outbox.Waiting, 1, due))
	last := delivered(5)
	last.Attempts = 2
	h.settle(last)
	for range 2 {
		for seq, want := range map[int64]outbox.Stored{
			1: {State: outbox.Delivered, Attempts: 1},
			2: {State: outbox.Waiting, Attempts: 1, Due: due, Last: failed(2, outbox.Waiting, 1, due).Attempt},
			3: {State: outbox.Dead, Attempts: 10, Last: failed(3, outbox.Dead, 10, due).Attempt},
			4: {State: outbox.Held},
			5: {State: outbox.Delivered, Attempts: 2, Last: last.Attempt},
			6: {State: outbox.Fresh},
		} {
			got := h.stored(seq)
			if got.State != want.State || got.Attempts != want.Attempts || !got.Due.Equal(want.Due) {
				t.Errorf("delivery %d: got %v, %d attempts, due %v; want %v, %d, %v",
					seq, got.State, got.Attempts, got.Due, want.State, want.Attempts, want.Due)
			}
			wantAttempt(t, seq, got.Last, want.Last)
		}
		h.reopen()
	}
}

func wantAttempt(t *testing.T, seq int64, got, want *outbox.Attempt) {
	t.Helper()
	switch {
	case want == nil && got == nil:
	case want == nil || got == nil:
		t.Errorf("delivery %d: last attempt is %+v, want %+v", seq, got, want)
	case !got.At.Equal(want.At) || got.Latency != want.Latency || got.Status != want.Status || got.Error != want.Error || got.Response != want.Response:
		t.Errorf("delivery %d: last attempt is %+v, want %+v", seq, got, want)
	}
}

// settlePrecedence: the last outcome counts, but nothing takes back that a delivery was accepted, save a retry.
func settlePrecedence(t *testing.T, h *harness) {
	const (
		waiting = outbox.Waiting
		ok      = outbox.Delivered
		dead    = outbox.Dead
		held    = outbox.Held
	)
	cases := []struct {
		outcomes []outbox.State
		want     outbox.State
	}{
		{[]outbox.State{waiting, ok}, ok},
		{[]outbox.State{waiting, dead}, dead},
		{[]outbox.State{dead, waiting}, waiting},
		{[]outbox.State{dead, waiting, ok}, ok},
		{[]outbox.State{held, waiting, dead, ok}, ok},
		{[]outbox.State{waiting, held}, held},
		{[]outbox.State{ok, dead}, ok},
		{[]outbox.State{ok, held}, ok},
		{[]outbox.State{ok, ok, dead}, ok},
		{[]outbox.State{waiting, ok, dead}, ok},
		{[]outbox.State{ok, waiting}, ok},
		{[]outbox.State{ok, waiting, dead}, ok},
		{[]outbox.State{ok, waiting, ok, held}, ok},
	}
	// Once with all outcomes buffered together, once each written by itself.
	h.commitNew(2 * len(cases))
	for i, c := range cases {
		for n, state := range c.outcomes {
			h.settle(failed(int64(2*i+1), state, n+1, moment))
		}
	}
	for i, c := range cases {
		for n, state := range c.outcomes {
			h.settle(failed(int64(2*i+2), state, n+1, moment))
			h.commit(outbox.Batch{Checkpoint: []byte{byte(n)}})
		}
	}
	for range 2 {
		for i, c := range cases {
			for _, seq := range []int64{int64(2*i + 1), int64(2*i + 2)} {
				if got := h.stored(seq).State; got != c.want {
					t.Errorf("after %v delivery %d is %v, want %v", c.outcomes, seq, got, c.want)
				}
			}
		}
		h.wantNothingFresh(0)
		h.reopen()
	}
}

// settleRetried: a person may have anything sent again; that is kept for ever, and the delivery is not fresh for it.
func settleRetried(t *testing.T, h *harness) {
	h.commitNew(4)
	when := moment.Add(time.Hour)
	again := func(seq int64) outbox.Outcome {
		return outbox.Outcome{Seq: seq, State: outbox.Waiting, Due: when, Retried: when}
	}
	h.settle(delivered(1), failed(2, outbox.Dead, 11, moment), failed(3, outbox.Dead, 11, moment), delivered(4))
	h.settle(again(1), again(2))
	h.commit(outbox.Batch{Checkpoint: []byte("p")})
	h.settle(again(3), delivered(2), failed(3, outbox.Dead, 1, moment))
	for range 2 {
		for seq, want := range map[int64]outbox.Stored{
			1: {State: outbox.Waiting, Due: when, Retried: when}, 2: {State: outbox.Delivered, Attempts: 1, Retried: when},
			3: {State: outbox.Dead, Attempts: 1, Retried: when}, 4: {State: outbox.Delivered, Attempts: 1},
		} {
			got := h.stored(seq)
			if got.State != want.State || got.Attempts != want.Attempts || !got.Retried.Equal(want.Retried) ||
				got.State == outbox.Waiting && !got.Due.Equal(want.Due) {
				t.Errorf("delivery %d is %v, %d attempts, retried %v; want %+v", seq, got.State, got.Attempts, got.Retried, want)
			}
		}
		h.wantNothingFresh(0)
		h.reopen()
	}
}

// settleRefused: an outcome that makes no sense is an error, and takes those beside it along.
func settleRefused(t *testing.T, h *harness) {
	h.commitNew(1)
	for name, bad := range map[string]outbox.Outcome{
		"not given yet": delivered(2),
		"zero":          delivered(0),
		"negative":      delivered(-1),
		"fresh":         {Seq: 1, State: outbox.Fresh},
		"unknown state": {Seq: 1, State: outbox.Held + 1},
	} {
		if err := h.Settle([]outbox.Outcome{delivered(1), bad}); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	h.must(h.Settle(nil))
	wantSeqs(t, "still fresh", seqs(h.next(0, 10)), 1)
	h.commitNew(1)
	wantSeqs(t, "the next one is not taken for settled", seqs(h.next(0, 10)), 1, 2)
}

// settleLongAnswers: what a receiver answers is cut, not refused.
func settleLongAnswers(t *testing.T, h *harness) {
	h.commitNew(1)
	o := failed(1, outbox.Waiting, 1, moment)
	o.Attempt.Response = strings.Repeat("long ", 1<<20)
	h.settle(o)
	h.reopen()
	got := h.stored(1).Last
	if got == nil || len(got.Response) < 1<<10 || len(got.Response) > 64<<10 || !strings.HasPrefix(o.Attempt.Response, got.Response) {
		t.Errorf("the answer did not come back cut: %v", got != nil)
	}
}

// listFilters: each filter alone, and together.
func listFilters(t *testing.T, h *harness) {
	list := make([]*outbox.Delivery, 6)
	for i := range list {
		list[i] = delivery(i)
	}
	list[1].Rule, list[3].Rule = "chat", "slack"
	list[1].Kind, list[5].Kind = "appointment.delete", "customer.save"
	list[2].Keys = []string{"salon/reservation/7", "salon/reservation/8"}
	list[4].Keys = []string{"salon/reservation/78"}
	h.commit(outbox.Batch{Deliveries: list[:3]})
	h.commit(outbox.Batch{Deliveries: list[3:]})
	h.settle(delivered(1), failed(2, outbox.Waiting, 1, moment), failed(3, outbox.Dead, 10, moment),
		failed(4, outbox.Held, 1, moment), failed(5, outbox.Waiting, 2, moment.Add(time.Hour)), outbox.Outcome{Seq: 6, State: outbox.Waiting})
	for range 2 {
		for _, c := range filterCases(list) {
			wantSeqs(t, c.name, storedSeqs(h.list(c.filter)), c.want...)
			c.filter.Bodies = true
			for _, d := range h.list(c.filter) {
				wantDelivery(t, &d.Delivery, list[d.Seq-1])
			}
		}
		h.reopen()
	}
}

// filterCase is a filter, and what it selects.
type filterCase struct {
	name   string
	filter outbox.Filter
	want   []int64
}

// filterCases are for the deliveries of listFilters.
func filterCases(list []*outbox.Delivery) []filterCase {
	wrong := outbox.ID{9}
	states := func(s ...outbox.State) []outbox.State { return s }
	return []filterCase{
		{"none", outbox.Filter{}, []int64{1, 2, 3, 4, 5, 6}},
		{"after", outbox.Filter{After: 4}, []int64{5, 6}},
		{"limit", outbox.Filter{Limit: 2}, []int64{1, 2}},
		{"after and limit", outbox.Filter{After: 1, Limit: 2}, []int64{2, 3}},
		{"before", outbox.Filter{Before: 3}, []int64{1, 2}},
		{"the newest before", outbox.Filter{Before: 5, Newest: true, Limit: 2}, []int64{4, 3}},
		{"waiting, before", outbox.Filter{States: states(outbox.Waiting), Before: 6}, []int64{2, 5}},
		{"due, before", outbox.Filter{DueBy: moment.Add(1000 * time.Hour), Before: 5}, []int64{2}},
		{"beyond", outbox.Filter{After: 99}, nil},
		{"delivered", outbox.Filter{States: states(outbox.Delivered)}, []int64{1}},
		{"waiting", outbox.Filter{States: states(outbox.Waiting)}, []int64{2, 5, 6}},
		{"waiting, limit", outbox.Filter{States: states(outbox.Waiting), After: 2, Limit: 1}, []int64{5}},
		{"fresh", outbox.Filter{States: states(outbox.Fresh)}, nil},
		{"dead or held", outbox.Filter{States: states(outbox.Dead, outbox.Held)}, []int64{3, 4}},
		{"delivered or dead", outbox.Filter{States: states(outbox.Delivered, outbox.Dead)}, []int64{1, 3}},
		{"rule", outbox.Filter{Rules: []string{"crm"}}, []int64{1, 3, 5, 6}},
		{"rules", outbox.Filter{Rules: []string{"chat", "slack", "none"}}, []int64{2, 4}},
		{"unknown rule", outbox.Filter{Rules: []string{"none"}}, nil},
		{"key", outbox.Filter{Key: "salon/reservation/7"}, []int64{3}},
		{"second key", outbox.Filter{Key: "salon/reservation/8"}, []int64{3}},
		{"part of a key", outbox.Filter{Key: "salon/reservation"}, nil},
		{"id", outbox.Filter{ID: &list[3].ID}, []int64{4}},
		{"entity", outbox.Filter{Entity: "appointment"}, []int64{1, 2, 3, 4, 5}},
		{"entity and rule", outbox.Filter{Entity: "customer", Rules: []string{"crm"}}, []int64{6}},
		{"part of an entity", outbox.Filter{Entity: "appoint"}, nil},
		{"since", outbox.Filter{Since: list[4].Created}, []int64{5, 6}},
		{"until", outbox.Filter{Until: list[2].Created}, []int64{1, 2}},
		{"a while", outbox.Filter{Since: list[1].Created, Until: list[4].Created, Limit: 2}, []int64{2, 3}},
		{"newest", outbox.Filter{Newest: true, Limit: 2}, []int64{6, 5}},
		{"newest waiting", outbox.Filter{Newest: true, States: states(outbox.Waiting)}, []int64{6, 5, 2}},
		{"unknown id", outbox.Filter{ID: &wrong}, nil},
		{"due", outbox.Filter{DueBy: moment}, []int64{2, 6}},
		{"due later", outbox.Filter{DueBy: moment.Add(time.Hour), Rules: []string{"crm"}}, []int64{5, 6}},
		{"all together", outbox.Filter{States: states(outbox.Dead), Rules: []string{"crm"}, Key: "salon/reservation/7", ID: &list[2].ID, After: 2, Limit: 5}, []int64{3}},
		{"all but one", outbox.Filter{States: states(outbox.Held), Rules: []string{"crm"}, Key: "salon/reservation/7"}, nil},
	}
}
