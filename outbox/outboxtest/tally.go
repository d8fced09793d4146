package outboxtest

import (
	"reflect"
	"testing"
	"time"

	"rowhook/outbox"
)

// totals: what was counted lasts, whatever becomes of the deliveries.
func totals(t *testing.T, h *harness) {
	want := func(what string, want outbox.Totals) {
		t.Helper()
		for range 2 {
			if got := h.totals(); !reflect.DeepEqual(got, want) {
				t.Errorf("%s: got\n%+v, want\n%+v", what, got, want)
			}
			h.reopen()
		}
	}
	want("a new store", outbox.Totals{})
	list := make([]*outbox.Delivery, 6)
	for i, rule := range []string{"crm", "slack", "crm", "crm", "chat", "lost"} {
		list[i] = delivery(i)
		list[i].Rule = rule
	}
	h.commit(outbox.Batch{Deliveries: list[:5], Events: []outbox.EventCount{{Site: "salon", Kind: "appointment.save", N: 4}, {Site: "salon", Kind: "coupon.save", N: 1}}})
	h.commit(outbox.Batch{Deliveries: list[5:], Events: []outbox.EventCount{{Site: "salon", Kind: "appointment.save", N: 1}, {Site: "spa", Kind: "appointment.save", N: 7}}})
	h.settle(
		outbox.Outcome{Seq: list[0].Seq, State: outbox.Delivered, Attempts: 1, Took: 4 * time.Millisecond}, // all that is told of it
		delivered(list[1]), failed(list[2], outbox.Waiting, 1, moment), failed(list[2], outbox.Dead, 2, moment),
		outbox.Outcome{Seq: list[3].Seq, State: outbox.Dead, Attempts: 0}, // nobody tried
		failed(list[4], outbox.Waiting, 1, moment))
	ofA := outbox.Tally{OutcomeCount: outbox.OutcomeCount{Delivered: 2, Failed: 2, Dead: 2}, Took: 8 * time.Millisecond}
	ofA.Times[0], ofA.Times[1], ofA.Times[2] = 1, 2, 1
	ofB := outbox.Tally{OutcomeCount: outbox.OutcomeCount{Failed: 1}, Took: 1500 * time.Microsecond}
	ofB.Times[1] = 1
	all := outbox.Totals{
		Events: []outbox.EventCount{{Site: "salon", Kind: "appointment.save", N: 5}, {Site: "salon", Kind: "coupon.save", N: 1}, {Site: "spa", Kind: "appointment.save", N: 7}},
		Rules: []outbox.RuleCount{
			{Rule: "chat", OutcomeCount: outbox.OutcomeCount{Failed: 1}}, {Rule: "crm", OutcomeCount: outbox.OutcomeCount{Delivered: 1, Failed: 2, Dead: 2}},
			{Rule: "lost"}, {Rule: "slack", OutcomeCount: outbox.OutcomeCount{Delivered: 1}},
		},
		Endpoints: []outbox.EndpointCount{{Endpoint: "a", Tally: ofA}, {Endpoint: "b", Tally: ofB}},
	}
	want("settled", all)
	h.settle(again(list[0], moment))
	h.route("chat", "a")
	want("sent again, and others held", all)
	if _, err := h.Drop(t.Context(), outbox.Filter{}); err != nil {
		t.Fatal(err)
	}
	if _, err := h.Prune(t.Context(), outbox.Keep{Since: time.Now().Add(time.Hour)}); err != nil {
		t.Fatal(err)
	}
	h.settle(delivered(list[4])) // it is gone
	want("dropped and pruned", all)
}

// totalsPrecedence: each attempt counts, but a delivery dies once.
func totalsPrecedence(t *testing.T, h *harness) {
	list := h.commitNew(3)
	h.settle(failed(list[0], outbox.Dead, 1, moment), failed(list[0], outbox.Dead, 2, moment), delivered(list[1]), failed(list[1], outbox.Dead, 2, moment))
	h.settle(delivered(list[0]))
	h.settle(failed(list[2], outbox.Dead, 1, moment))
	h.settle(again(list[2], moment))
	h.settle(failed(list[2], outbox.Dead, 1, moment))
	want := outbox.OutcomeCount{Delivered: 2, Failed: 5, Dead: 3}
	if got := h.totals(); len(got.Rules) != 1 || got.Rules[0].OutcomeCount != want || len(got.Endpoints) != 1 || got.Endpoints[0].OutcomeCount != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

// hours: what was counted by the hour is in the hour when it happened, and lasts.
func hours(t *testing.T, h *harness) {
	began := time.Now().UTC().Truncate(time.Hour)
	list := h.commitNew(20)
	for _, d := range list {
		h.settle(delivered(d))
		h.reopen()
	}
	chat := h.commitFor("chat")
	h.settle(failed(chat[0], outbox.Dead, 1, moment))
	for range 2 {
		sum := map[string]outbox.Tally{}
		all := h.hours("", began)
		for _, hour := range all { // two, should a new one begin during the test
			sum[hour.Endpoint] = sum[hour.Endpoint].Plus(hour.Tally)
			if hour.Start.Before(began) || hour.Start.After(time.Now()) || !hour.Start.Equal(hour.Start.Truncate(time.Hour)) {
				t.Errorf("an hour began at %v", hour.Start)
			}
		}
		if a, b := sum["a"], sum["b"]; a.Delivered != 20 || a.Attempts() != 20 || a.Quantile(0.95) > time.Millisecond || b.Failed != 1 || b.Dead != 1 {
			t.Errorf("got %+v", sum)
		}
		if own := h.hours("b", began); len(own) == 0 || own[0].Endpoint != "b" || len(own) == len(all) {
			t.Errorf("of b are %+v", own)
		}
		if late := h.hours("", time.Now().Add(time.Hour)); len(late) != 0 {
			t.Errorf("later there are %+v", late)
		}
		h.reopen()
	}
}

func (h *harness) totals() outbox.Totals {
	h.Helper()
	got, err := h.Totals(h.Context())
	h.must(err)
	return got
}

func (h *harness) hours(endpoint string, since time.Time) []outbox.Hour {
	h.Helper()
	list, err := h.Hours(h.Context(), endpoint, since)
	h.must(err)
	return list
}
