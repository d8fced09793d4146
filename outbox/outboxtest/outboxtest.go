// Package outboxtest is the suite every outbox.Store passes: what the pipeline, the endpoints and the commands rely on,
// whatever the store is made of. It assumes no directory, and of the numbers only what package outbox promises.
package outboxtest

import (
	"bytes"
	"fmt"
	"slices"
	"testing"
	"time"

	"rowhook/outbox"
)

// Open makes a new place for a store and returns what opens the store there, as a new process would: again and again, each
// time after the one before was closed. The suite closes what it opens.
type Open func(t testing.TB) (open func() outbox.Store)

// Run runs the suite, without what is no promise of this store.
func Run(t *testing.T, open Open, without ...string) {
	tests := suite()
	for _, name := range without {
		delete(tests, name)
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := &harness{T: t, open: open(t)}
			h.reopen()
			h.route("crm", "a", "slack", "a", "chat", "b")
			t.Cleanup(func() {
				if err := h.Close(); err != nil {
					t.Errorf("close: %v", err)
				}
			})
			test(t, h)
		})
	}
}

// suite is what a store must pass.
func suite() map[string]func(t *testing.T, h *harness) {
	return map[string]func(t *testing.T, h *harness){
		"Commit/Batch":          commitBatch,
		"Commit/Empty":          commitEmpty,
		"Commit/Cancelled":      commitCancelled,
		"Commit/Fields":         commitFields,
		"Commit/Large":          commitLarge,
		"Commit/Limits":         commitLimits,
		"Commit/Records":        commitRecords,
		"Route/Numbers":         routeNumbers,
		"Route/Hold":            routeHold,
		"Route/Move":            routeMove,
		"Route/OutcomeLater":    routeOutcomeLater,
		"Claim/Order":           claimOrder,
		"Claim/Settled":         claimSettled,
		"Claim/Others":          claimOthers,
		"Claim/LagsBehind":      claimLagsBehind,
		"Claim/LowWater":        claimLowWater,
		"Claim/Refused":         claimRefused,
		"Read":                  readNumbers,
		"Wake":                  wake,
		"Due":                   due,
		"Age":                   age,
		"Settle/Outcomes":       settleOutcomes,
		"Settle/Precedence":     settlePrecedence,
		"Settle/Retried":        settleRetried,
		"Settle/RetriedMoved":   settleRetriedMoved,
		"Settle/Refused":        settleRefused,
		"Settle/LongAnswers":    settleLongAnswers,
		"List/Filters":          listFilters,
		"List/Large":            listLarge,
		"Attempts":              attempts,
		"Counts":                counts,
		"Totals":                totals,
		"Totals/Precedence":     totalsPrecedence,
		"Hours":                 hours,
		"Drop":                  drop,
		"Drop/Late":             dropLate,
		"Erase":                 erase,
		"Erase/Kept":            eraseKept,
		"Prune/Age":             pruneAge,
		"Prune/Bytes":           pruneBytes,
		"Prune/Undelivered":     pruneUndelivered,
		"Settings":              settings,
		"Settings/Race":         settingsRace,
		"Close":                 closeStore,
		"Concurrent":            concurrent,
		"Concurrent/Outcomes":   concurrentOutcomes,
		"Concurrent/Commits":    concurrentCommits,
		"Concurrent/ManyQueues": manyQueues,
	}
}

// harness is a store under test. Its rules crm and slack go to the endpoint "a", chat to "b", others nowhere.
type harness struct {
	outbox.Store
	*testing.T
	open func() outbox.Store
}

// reopen closes the store and opens it again.
func (h *harness) reopen() {
	h.Helper()
	if h.Store != nil {
		h.must(h.Close())
	}
	h.Store = h.open()
}

func (h *harness) must(err error) {
	h.Helper()
	if err != nil {
		h.Fatal(err)
	}
}

// route takes pairs of a rule and its endpoint.
func (h *harness) route(pairs ...string) outbox.Moved {
	h.Helper()
	routes := make(map[string]string)
	for pair := range slices.Chunk(pairs, 2) {
		routes[pair[0]] = pair[1]
	}
	moved, err := h.Route(h.Context(), routes)
	h.must(err)
	return moved
}

func (h *harness) commit(b outbox.Batch) {
	h.Helper()
	h.must(h.Commit(h.Context(), &b))
}

// commitNew commits that many deliveries of crm in one batch and returns them.
func (h *harness) commitNew(n int) []*outbox.Delivery {
	h.Helper()
	list := make([]*outbox.Delivery, n)
	for i := range list {
		list[i] = delivery(i)
	}
	h.commit(outbox.Batch{Deliveries: list})
	return list
}

// commitFor commits a delivery of each rule in one batch and returns them.
func (h *harness) commitFor(rules ...string) []*outbox.Delivery {
	h.Helper()
	list := make([]*outbox.Delivery, len(rules))
	for i, rule := range rules {
		list[i] = delivery(i)
		list[i].Rule = rule
	}
	h.commit(outbox.Batch{Deliveries: list})
	return list
}

func (h *harness) claim(endpoint string, after int64, limit int) []*outbox.Stored {
	h.Helper()
	list, err := h.Claim(h.Context(), endpoint, after, limit)
	h.must(err)
	return list
}

// pending is everything that an endpoint has undelivered, claimed bit by bit.
func (h *harness) pending(endpoint string) (all []*outbox.Stored) {
	h.Helper()
	for after := int64(0); ; after = all[len(all)-1].Number {
		list := h.claim(endpoint, after, 100)
		if len(list) == 0 {
			return all
		}
		all = append(all, list...)
	}
}

func (h *harness) settle(outcomes ...outbox.Outcome) {
	h.Helper()
	h.must(h.Settle(h.Context(), outcomes))
}

func (h *harness) list(f outbox.Filter) []*outbox.Stored {
	h.Helper()
	list, err := h.List(h.Context(), f)
	h.must(err)
	return list
}

// stored is a delivery as List has it.
func (h *harness) stored(d *outbox.Delivery) *outbox.Stored {
	h.Helper()
	list := h.list(outbox.Filter{After: d.Seq - 1, Limit: 1})
	if len(list) != 1 || list[0].Seq != d.Seq {
		h.Fatalf("delivery %d is not listed", d.Seq)
	}
	return list[0]
}

func (h *harness) resume() outbox.Resume {
	h.Helper()
	res, err := h.Resume(h.Context())
	h.must(err)
	return res
}

// moment is a time as a store keeps it.
var moment = time.Date(2026, 3, 4, 5, 6, 7, 123456000, time.UTC)

// delivery makes the i-th delivery of a test.
func delivery(i int) *outbox.Delivery {
	return &outbox.Delivery{
		ID: outbox.ID{0xab, byte(i), byte(i >> 8), byte(i >> 16)}, Rule: "crm", Site: "salon",
		Action: "onAfterSaveReservation", Kind: "appointment.save", Keys: []string{fmt.Sprintf("salon/reservation/%d", i)},
		Created: moment.Add(time.Duration(i) * time.Second), Body: fmt.Appendf(nil, `{"id": %d}`, i),
	}
}

// delivered is the outcome of a delivery accepted at its first attempt.
func delivered(d *outbox.Delivery) outbox.Outcome {
	return outbox.Outcome{Seq: d.Seq, State: outbox.Delivered, Attempts: 1,
		Attempt: &outbox.Attempt{At: moment, Latency: time.Millisecond, Status: 200, Response: "ok"}}
}

// failed is the outcome of an attempt that failed.
func failed(d *outbox.Delivery, state outbox.State, attempts int, due time.Time) outbox.Outcome {
	return outbox.Outcome{Seq: d.Seq, State: state, Attempts: attempts, Due: due,
		Attempt: &outbox.Attempt{At: moment.Add(time.Duration(attempts) * time.Minute), Latency: 1500 * time.Microsecond,
			Status: 503, Error: fmt.Sprintf("attempt %d: 503 Service Unavailable", attempts), Response: "down\x00\xff"}}
}

// outcomeFor gives every fifth delivery trouble.
func outcomeFor(i int, d *outbox.Delivery) outbox.Outcome {
	if i%5 == 0 {
		return failed(d, outbox.Dead, 1, time.Time{})
	}
	return delivered(d)
}

// again is the outcome with which a person has a delivery sent once more.
func again(d *outbox.Delivery, when time.Time) outbox.Outcome {
	return outbox.Outcome{Seq: d.Seq, State: outbox.Waiting, Due: when, Retried: when}
}

// seqs are the deliveries' places in the order of the store.
func seqs[D *outbox.Delivery | *outbox.Stored](list []D) (out []int64) {
	for _, d := range list {
		switch d := any(d).(type) {
		case *outbox.Delivery:
			out = append(out, d.Seq)
		case *outbox.Stored:
			out = append(out, d.Seq)
		}
	}
	return out
}

// numbers are the deliveries' numbers at their endpoint.
func numbers(list []*outbox.Stored) (out []int64) {
	for _, d := range list {
		out = append(out, d.Number)
	}
	return out
}

// wantSame checks that a list has these deliveries, in this order.
func wantSame(t testing.TB, what string, got []*outbox.Stored, want ...*outbox.Delivery) {
	t.Helper()
	if g, w := seqs(got), seqs(want); !slices.Equal(g, w) {
		t.Errorf("%s: got deliveries %v, want %v", what, g, w)
	}
}

func wantDelivery(t testing.TB, got, want *outbox.Delivery) {
	t.Helper()
	g, w := *got, *want
	if !slices.Equal(g.Keys, w.Keys) || !slices.Equal(g.Omitted, w.Omitted) {
		t.Errorf("delivery %d: got keys %q and omitted %q, want %q and %q", g.Seq, g.Keys, g.Omitted, w.Keys, w.Omitted)
	}
	if !g.AsOf.Equal(w.AsOf) || !g.Created.Equal(w.Created) {
		t.Errorf("delivery %d: got times %v, %v, want %v, %v", g.Seq, g.AsOf, g.Created, w.AsOf, w.Created)
	}
	if !bytes.Equal(g.Body, w.Body) {
		t.Errorf("delivery %d: got a body of %d bytes, want %d, or they differ", g.Seq, len(g.Body), len(w.Body))
	}
	if g.Seq != w.Seq || g.Endpoint != w.Endpoint || g.Number != w.Number || g.ID != w.ID || g.Rule != w.Rule || g.Site != w.Site ||
		g.Action != w.Action || g.Kind != w.Kind || g.Object != w.Object {
		t.Errorf("got %+v\nwant %+v", got, want)
	}
}
