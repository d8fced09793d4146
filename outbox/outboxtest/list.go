package outboxtest

import (
	"slices"
	"testing"
	"time"

	"rowhook/outbox"
)

// listFilters: each filter alone, and together.
func listFilters(t *testing.T, h *harness) {
	list := make([]*outbox.Delivery, 6)
	for i := range list {
		list[i] = delivery(i)
	}
	list[1].Rule, list[3].Rule = "chat", "lost"
	list[1].Kind, list[5].Kind = "appointment.delete", "customer.save"
	list[1].Site, list[4].Site = "spa", "nails"
	list[2].Keys = []string{"salon/reservation/7", "salon/reservation/8"}
	list[4].Keys = []string{"salon/reservation/78"}
	h.commit(outbox.Batch{Deliveries: list[:3]})
	h.commit(outbox.Batch{Deliveries: list[3:]})
	h.settle(delivered(list[0]), failed(list[1], outbox.Waiting, 1, moment), failed(list[2], outbox.Dead, 10, moment),
		failed(list[4], outbox.Waiting, 2, moment.Add(time.Hour)), outbox.Outcome{Seq: list[5].Seq, State: outbox.Waiting})
	for range 2 {
		for _, c := range filterCases(list) {
			var want []*outbox.Delivery
			for _, i := range c.want {
				want = append(want, list[i-1])
			}
			wantSame(t, c.name, h.list(c.filter), want...)
			c.filter.Bodies = true
			got := h.list(c.filter)
			wantSame(t, c.name+", with payloads", got, want...)
			for i := range min(len(got), len(want)) {
				wantDelivery(t, &got[i].Delivery, want[i])
			}
		}
		h.reopen()
	}
}

// filterCase is a filter, and which it selects of the deliveries of listFilters: 1 is the first.
type filterCase struct {
	name   string
	filter outbox.Filter
	want   []int
}

func filterCases(list []*outbox.Delivery) []filterCase {
	wrong := outbox.ID{9}
	states := func(s ...outbox.State) []outbox.State { return s }
	seq := func(i int) int64 { return list[i-1].Seq }
	return []filterCase{
		{"none", outbox.Filter{}, []int{1, 2, 3, 4, 5, 6}},
		{"after", outbox.Filter{After: seq(4)}, []int{5, 6}},
		{"limit", outbox.Filter{Limit: 2}, []int{1, 2}},
		{"after and limit", outbox.Filter{After: seq(1), Limit: 2}, []int{2, 3}},
		{"before", outbox.Filter{Before: seq(3)}, []int{1, 2}},
		{"the newest before", outbox.Filter{Before: seq(5), Newest: true, Limit: 2}, []int{4, 3}},
		{"waiting, before", outbox.Filter{States: states(outbox.Waiting), Before: seq(6)}, []int{2, 5}},
		{"due, before", outbox.Filter{DueBy: moment.Add(1000 * time.Hour), Before: seq(5)}, []int{2}},
		{"beyond", outbox.Filter{After: seq(6) + 99}, nil},
		{"delivered", outbox.Filter{States: states(outbox.Delivered)}, []int{1}},
		{"waiting", outbox.Filter{States: states(outbox.Waiting)}, []int{2, 5, 6}},
		{"waiting, limit", outbox.Filter{States: states(outbox.Waiting), After: seq(2), Limit: 1}, []int{5}},
		{"fresh", outbox.Filter{States: states(outbox.Fresh)}, nil},
		{"fresh or waiting", outbox.Filter{States: states(outbox.Fresh, outbox.Waiting)}, []int{2, 5, 6}},
		{"dead or held", outbox.Filter{States: states(outbox.Dead, outbox.Held)}, []int{3, 4}},
		{"delivered or dead", outbox.Filter{States: states(outbox.Delivered, outbox.Dead)}, []int{1, 3}},
		{"rule", outbox.Filter{Rules: []string{"crm"}}, []int{1, 3, 5, 6}},
		{"rules", outbox.Filter{Rules: []string{"chat", "lost", "none"}}, []int{2, 4}},
		{"unknown rule", outbox.Filter{Rules: []string{"none"}}, nil},
		{"site", outbox.Filter{Sites: []string{"spa"}}, []int{2}},
		{"sites", outbox.Filter{Sites: []string{"spa", "nails", "none"}}, []int{2, 5}},
		{"site and rule", outbox.Filter{Sites: []string{"salon"}, Rules: []string{"crm"}}, []int{1, 3, 6}},
		{"unknown site", outbox.Filter{Sites: []string{"none"}}, nil},
		{"endpoint", outbox.Filter{Endpoints: []string{"b"}}, []int{2}},
		{"endpoints", outbox.Filter{Endpoints: []string{"a", "b", "c"}, After: seq(1)}, []int{2, 3, 5, 6}},
		{"unknown endpoint", outbox.Filter{Endpoints: []string{"c"}}, nil},
		{"key", outbox.Filter{Key: "salon/reservation/7"}, []int{3}},
		{"second key", outbox.Filter{Key: "salon/reservation/8"}, []int{3}},
		{"part of a key", outbox.Filter{Key: "salon/reservation"}, nil},
		{"object of any site", outbox.Filter{Object: "reservation/7"}, []int{3}},
		{"part of an object", outbox.Filter{Object: "reservation"}, nil},
		{"id", outbox.Filter{ID: &list[3].ID}, []int{4}},
		{"entity", outbox.Filter{Entity: "appointment"}, []int{1, 2, 3, 4, 5}},
		{"entity and rule", outbox.Filter{Entity: "customer", Rules: []string{"crm"}}, []int{6}},
		{"part of an entity", outbox.Filter{Entity: "appoint"}, nil},
		{"since", outbox.Filter{Since: list[4].Created}, []int{5, 6}},
		{"until", outbox.Filter{Until: list[2].Created}, []int{1, 2}},
		{"a while", outbox.Filter{Since: list[1].Created, Until: list[4].Created, Limit: 2}, []int{2, 3}},
		{"newest", outbox.Filter{Newest: true, Limit: 2}, []int{6, 5}},
		{"newest waiting", outbox.Filter{Newest: true, States: states(outbox.Waiting)}, []int{6, 5, 2}},
		{"unknown id", outbox.Filter{ID: &wrong}, nil},
		{"due", outbox.Filter{DueBy: moment}, []int{2, 6}},
		{"due later", outbox.Filter{DueBy: moment.Add(time.Hour), Rules: []string{"crm"}}, []int{5, 6}},
		{"all together", outbox.Filter{States: states(outbox.Dead), Rules: []string{"crm"}, Endpoints: []string{"a"},
			Key: "salon/reservation/7", ID: &list[2].ID, After: seq(2), Limit: 5}, []int{3}},
		{"all but one", outbox.Filter{States: states(outbox.Held), Rules: []string{"crm"}, Key: "salon/reservation/7"}, nil},
	}
}

// listLarge: payloads come in bounded portions; only an empty list is the end.
func listLarge(t *testing.T, h *harness) {
	var want []int64
	for range 20 {
		d := delivery(0)
		d.Body = make([]byte, 1<<20)
		h.commit(outbox.Batch{Deliveries: []*outbox.Delivery{d}})
		want = append(want, d.Seq)
	}
	for range 2 {
		var got []int64
		for after := int64(0); ; after = got[len(got)-1] {
			list := h.list(outbox.Filter{Bodies: true, After: after})
			if len(list) == 0 {
				break
			}
			if len(list) > 10 {
				t.Errorf("%d MB come at once", len(list))
			}
			got = append(got, seqs(list)...)
		}
		if !slices.Equal(got, want) {
			t.Errorf("got %v, want %v", got, want)
		}
		if n := len(h.list(outbox.Filter{})); n != len(want) {
			t.Errorf("without payloads %d come", n)
		}
		h.reopen()
	}
}

// attempts: each is on record, the oldest first, up to a number; none of what was accepted at once.
func attempts(t *testing.T, h *harness) {
	list := h.commitNew(3)
	var want []outbox.Attempt
	for n := range outbox.MaxAttempts + 20 {
		o := failed(list[0], outbox.Waiting, n+1, moment)
		h.settle(o)
		want = append(want, *o.Attempt)
	}
	want = want[20:]
	h.settle(delivered(list[1]))
	for range 2 {
		for i, want := range [][]outbox.Attempt{want, nil, nil} {
			if got, err := h.Attempts(t.Context(), list[i].Seq); err != nil || !slices.Equal(got, want) {
				t.Errorf("of delivery %d: got %d attempts, want %d (%v)", i, len(got), len(want), err)
			}
		}
		h.reopen()
	}
	if got, err := h.Attempts(t.Context(), list[2].Seq+1000); err != nil || len(got) != 0 {
		t.Errorf("of one that is not there: %v, %v", got, err)
	}
}

// counts: by rule and state, whatever happened to the deliveries.
func counts(t *testing.T, h *harness) {
	want := func(what string, want ...outbox.Count) {
		t.Helper()
		for range 2 {
			got, err := h.Counts(t.Context())
			h.must(err)
			if !slices.Equal(got, want) {
				t.Errorf("%s: got %v, want %v", what, got, want)
			}
			h.reopen()
		}
	}
	want("a new store")
	list := h.commitFor("crm", "crm", "crm", "chat", "lost", "crm")
	if size, err := h.Size(t.Context()); err != nil || size <= 0 {
		t.Errorf("it takes %d bytes, %v", size, err)
	}
	want("committed", outbox.Count{Rule: "chat", N: 1}, outbox.Count{Rule: "crm", N: 4}, outbox.Count{Rule: "lost", State: outbox.Held, N: 1})
	h.settle(delivered(list[0]), delivered(list[0]), failed(list[1], outbox.Waiting, 1, moment), failed(list[2], outbox.Dead, 1, moment),
		failed(list[3], outbox.Waiting, 1, moment), delivered(list[3]))
	want("settled", outbox.Count{Rule: "chat", State: outbox.Delivered, N: 1}, outbox.Count{Rule: "crm", N: 1},
		outbox.Count{Rule: "crm", State: outbox.Waiting, N: 1}, outbox.Count{Rule: "crm", State: outbox.Delivered, N: 1},
		outbox.Count{Rule: "crm", State: outbox.Dead, N: 1}, outbox.Count{Rule: "lost", State: outbox.Held, N: 1})
	h.settle(again(list[0], moment))
	h.route("chat", "b", "lost", "b")
	want("held", outbox.Count{Rule: "chat", State: outbox.Delivered, N: 1},
		outbox.Count{Rule: "crm", State: outbox.Dead, N: 1}, outbox.Count{Rule: "crm", State: outbox.Held, N: 3}, outbox.Count{Rule: "lost", N: 1})
	_, err := h.Drop(t.Context(), outbox.Filter{Rules: []string{"crm", "lost"}})
	h.must(err)
	want("dropped", outbox.Count{Rule: "chat", State: outbox.Delivered, N: 1})
	_, err = h.Prune(t.Context(), outbox.Keep{Since: time.Now().Add(time.Hour)})
	h.must(err)
	want("pruned")
}
