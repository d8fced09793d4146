// Package outboxtest is the suite every outbox.Store passes: what the pipeline and the workers rely on, whatever the
// store is made of.
package outboxtest

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"slices"
	"testing"
	"time"

	"rowhook/outbox"
)

// Open opens the store that lies in dir, or makes it. The suite closes it. Opening dir again after Close finds
// everything that was there.
type Open func(t testing.TB, dir string) outbox.Store

// Run runs the suite.
func Run(t *testing.T, open func(t testing.TB, dir string) outbox.Store) {
	for name, test := range map[string]func(t *testing.T, h *harness){
		"Commit/Batch":        commitBatch,
		"Commit/Empty":        commitEmpty,
		"Commit/Cancelled":    commitCancelled,
		"Commit/Fields":       commitFields,
		"Commit/Large":        commitLarge,
		"Large/Payloads":      largePayloads,
		"Large/Records":       largeRecords,
		"Open/PutDropOrder":   openRecords,
		"Meta":                meta,
		"Next/OrderAndLimit":  nextOrder,
		"Next/Waits":          nextWaits,
		"Next/Cancel":         nextCancel,
		"Next/Settled":        nextSettled,
		"Next/LagsBehind":     nextLagsBehind,
		"Next/LowWater":       nextLowWater,
		"Settle/Outcomes":     settleOutcomes,
		"Settle/Precedence":   settlePrecedence,
		"Settle/Retried":      settleRetried,
		"Settle/Refused":      settleRefused,
		"Settle/LongAnswers":  settleLongAnswers,
		"List/Filters":        listFilters,
		"Close":               closeStore,
		"Close/WakesNext":     closeWakesNext,
		"Concurrent":          concurrent,
		"Concurrent/Outcomes": concurrentOutcomes,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := &harness{T: t, open: open, dir: t.TempDir()}
			h.reopen()
			t.Cleanup(func() {
				if err := h.Close(); err != nil {
					t.Errorf("close: %v", err)
				}
			})
			test(t, h)
		})
	}
}

// harness is a store under test.
type harness struct {
	outbox.Store
	*testing.T
	open Open
	dir  string
}

// reopen closes the store and opens it again.
func (h *harness) reopen() {
	h.Helper()
	if h.Store != nil {
		h.must(h.Close())
	}
	h.Store = h.open(h.T, h.dir)
}

func (h *harness) must(err error) {
	h.Helper()
	if err != nil {
		h.Fatal(err)
	}
}

func (h *harness) commit(b outbox.Batch) {
	h.Helper()
	h.must(h.Commit(h.Context(), &b))
}

// commitNew commits that many deliveries in one batch and returns them.
func (h *harness) commitNew(n int) []*outbox.Delivery {
	h.Helper()
	list := make([]*outbox.Delivery, n)
	for i := range list {
		list[i] = delivery(i)
	}
	h.commit(outbox.Batch{Deliveries: list})
	return list
}

// patience is how long a store may let the suite wait for a delivery that is there.
const patience = time.Minute

func (h *harness) next(after int64, limit int) []*outbox.Delivery {
	h.Helper()
	ctx, cancel := context.WithTimeout(h.Context(), patience)
	defer cancel()
	list, err := h.Next(ctx, after, limit)
	h.must(err)
	return list
}

// wantNothingFresh checks that nothing beyond after is fresh: a delivery that is committed now is the next one. It leaves
// that one settled.
func (h *harness) wantNothingFresh(after int64) {
	h.Helper()
	marker := h.commitNew(1)[0].Seq
	wantSeqs(h.T, "nothing but a new one", seqs(h.next(after, 10)), marker)
	h.settle(outcomeFor(marker))
}

func (h *harness) settle(outcomes ...outbox.Outcome) {
	h.Helper()
	h.must(h.Settle(outcomes))
}

func (h *harness) list(f outbox.Filter) []*outbox.Stored {
	h.Helper()
	list, err := h.List(h.Context(), f)
	h.must(err)
	return list
}

// stored is one delivery as List has it.
func (h *harness) stored(seq int64) *outbox.Stored {
	h.Helper()
	list := h.list(outbox.Filter{After: seq - 1, Limit: 1})
	if len(list) != 1 || list[0].Seq != seq {
		h.Fatalf("delivery %d is not listed", seq)
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
func delivered(seq int64) outbox.Outcome {
	return outbox.Outcome{Seq: seq, State: outbox.Delivered, Attempts: 1,
		Attempt: &outbox.Attempt{At: moment, Latency: time.Millisecond, Status: 200, Response: "ok"}}
}

// failed is the outcome of an attempt that failed.
func failed(seq int64, state outbox.State, attempts int, due time.Time) outbox.Outcome {
	return outbox.Outcome{Seq: seq, State: state, Attempts: attempts, Due: due,
		Attempt: &outbox.Attempt{At: moment.Add(time.Duration(attempts) * time.Minute), Latency: 1500 * time.Microsecond,
			Status: 503, Error: fmt.Sprintf("attempt %d: 503 Service Unavailable", attempts), Response: "down\x00\xff"}}
}

func seqs(list []*outbox.Delivery) []int64 {
	var out []int64
	for _, d := range list {
		out = append(out, d.Seq)
	}
	return out
}

func storedSeqs(list []*outbox.Stored) []int64 {
	var out []int64
	for _, d := range list {
		out = append(out, d.Seq)
	}
	return out
}

func wantSeqs(t testing.TB, what string, got []int64, want ...int64) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s: got deliveries %v, want %v", what, got, want)
	}
}

func wantDelivery(t testing.TB, got, want *outbox.Delivery) {
	t.Helper()
	if got.Seq != want.Seq || got.ID != want.ID || got.Rule != want.Rule || got.Site != want.Site || got.Action != want.Action ||
		got.Kind != want.Kind || !slices.Equal(got.Keys, want.Keys) || got.Object != want.Object {
		t.Errorf("got %+v\nwant %+v", got, want)
	}
	if !got.AsOf.Equal(want.AsOf) || !got.Created.Equal(want.Created) {
		t.Errorf("delivery %d: got times %v, %v, want %v, %v", got.Seq, got.AsOf, got.Created, want.AsOf, want.Created)
	}
	if body := payload(t, got); !bytes.Equal(body, payload(t, want)) {
		t.Errorf("delivery %d: got a body of %d bytes, want %d, or they differ", got.Seq, len(body), want.Size())
	}
}

// payload is the whole payload of a delivery, in memory or not.
func payload(t testing.TB, d *outbox.Delivery) []byte {
	t.Helper()
	body, err := io.ReadAll(d.Open())
	if err != nil || int64(len(body)) != d.Size() {
		t.Fatalf("the payload of delivery %d: %d bytes, want %d: %v", d.Seq, len(body), d.Size(), err)
	}
	return body
}
