package outboxtest

import (
	"bytes"
	"context"
	"errors"
	"testing"

	"rowhook/outbox"
)

// nextOrder: in order of Seq, beyond after, no more than limit; the same from memory and after reopening.
func nextOrder(t *testing.T, h *harness) {
	h.commitNew(3)
	h.commitNew(2)
	for range 2 {
		wantSeqs(t, "all", seqs(h.next(0, 10)), 1, 2, 3, 4, 5)
		wantSeqs(t, "limit 2", seqs(h.next(0, 2)), 1, 2)
		wantSeqs(t, "over two batches", seqs(h.next(2, 2)), 3, 4)
		wantSeqs(t, "the last", seqs(h.next(4, 10)), 5)
		wantSeqs(t, "again", seqs(h.next(0, 1)), 1)
		h.wantNothingFresh(5)
		h.reopen()
	}
	added := h.commitNew(1)[0].Seq
	wantSeqs(t, "from the file and from memory", append(seqs(h.next(3, 2)), seqs(h.next(5, 2))...), 4, 5, added)
	if _, err := h.Next(h.Context(), 0, 0); err == nil {
		t.Error("a limit of 0 is no error")
	}
}

// nextWaits: several readers wait until there is something for them.
func nextWaits(t *testing.T, h *harness) {
	h.commitNew(1)
	type result struct {
		list []*outbox.Delivery
		err  error
	}
	const readers = 3
	results := make(chan result, readers)
	for range readers {
		go func() {
			list, err := h.Next(h.Context(), 1, 10)
			results <- result{list, err}
		}()
	}
	h.commit(outbox.Batch{Checkpoint: []byte("no delivery")})
	h.commitNew(2)
	for range readers {
		r := <-results
		h.must(r.err)
		wantSeqs(t, "woken reader", seqs(r.list), 2, 3)
	}
}

// nextCancel: the end of its context ends the waiting.
func nextCancel(t *testing.T, h *harness) {
	h.commitNew(3)
	ctx, cancel := context.WithCancel(h.Context())
	done := make(chan error, 1)
	go func() {
		_, err := h.Next(ctx, 3, 10)
		done <- err
	}()
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want context.Canceled", err)
	}
	if _, err := h.Next(ctx, 0, 10); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want context.Canceled", err)
	}
}

// nextSettled: whatever its outcome, a settled delivery does not come again, at once and after reopening.
func nextSettled(t *testing.T, h *harness) {
	h.commitNew(7)
	h.settle(delivered(1), failed(3, outbox.Waiting, 1, moment), failed(4, outbox.Dead, 10, moment), failed(6, outbox.Held, 0, moment))
	for range 2 {
		wantSeqs(t, "the rest", seqs(h.next(0, 10)), 2, 5, 7)
		wantSeqs(t, "the rest, limited", seqs(h.next(0, 2)), 2, 5)
		h.reopen()
	}
	h.settle(delivered(2), delivered(5), delivered(7), delivered(3))
	for range 2 {
		h.wantNothingFresh(0)
		h.reopen()
	}
	// Sent again by hand: that is not Next's.
	h.settle(outbox.Outcome{Seq: 1, State: outbox.Waiting})
	h.wantNothingFresh(0)
}

// nextLagsBehind: a reader far behind gets everything in order, whatever part of it is still in memory.
func nextLagsBehind(t *testing.T, h *harness) {
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
		want := int64(1)
		for want <= batches*each {
			for _, d := range h.next(want-1, 7) {
				if d.Seq != want || len(d.Body) != len(body) {
					t.Fatalf("got delivery %d with %d bytes, want %d", d.Seq, len(d.Body), want)
				}
				want++
			}
		}
		h.wantNothingFresh(want - 1)
		h.reopen()
	}
}

// nextLowWater: thousands of deliveries settle out of order, and exactly the rest comes after reopening.
func nextLowWater(t *testing.T, h *harness) {
	const n = 5000
	for range n / 250 {
		h.commitNew(250)
	}
	// Every seventh stays fresh, every eleventh waits; in two passes and in an odd order.
	fresh := func(seq int64) bool { return seq%7 == 0 }
	for pass := range int64(2) {
		var outcomes []outbox.Outcome
		for i := range int64(n) {
			seq := (i*1597)%n + 1
			switch {
			case fresh(seq) || seq%2 != pass:
			case seq%11 == 0:
				outcomes = append(outcomes, failed(seq, outbox.Waiting, 1, moment))
			default:
				outcomes = append(outcomes, delivered(seq))
			}
		}
		h.settle(outcomes...)
		h.reopen()
	}
	var want, waiting []int64
	for seq := int64(1); seq <= n; seq++ {
		switch {
		case fresh(seq):
			want = append(want, seq)
		case seq%11 == 0:
			waiting = append(waiting, seq)
		}
	}
	wantSeqs(t, "fresh", seqs(h.next(0, n)), want...)
	wantSeqs(t, "listed as fresh", storedSeqs(h.list(outbox.Filter{States: []outbox.State{outbox.Fresh}})), want...)
	wantSeqs(t, "listed as waiting", storedSeqs(h.list(outbox.Filter{States: []outbox.State{outbox.Waiting}})), waiting...)
	if got := len(h.list(outbox.Filter{States: []outbox.State{outbox.Delivered}})); got != n-len(want)-len(waiting) {
		t.Errorf("%d are listed as delivered, want %d", got, n-len(want)-len(waiting))
	}
	for _, seq := range want {
		h.settle(delivered(seq))
	}
	h.reopen()
	h.wantNothingFresh(0)
}
