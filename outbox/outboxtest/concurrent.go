package outboxtest

import (
	"context"
	"errors"
	"testing"

	"golang.org/x/sync/errgroup"

	"rowhook/outbox"
)

// closeStore: closing twice is fine, everything else says that the store is closed.
func closeStore(t *testing.T, h *harness) {
	h.commitNew(2)
	h.settle(delivered(1))
	h.must(h.Close())
	h.must(h.Close())
	for name, call := range map[string]func() error{
		"Resume":  func() error { _, err := h.Resume(h.Context()); return err },
		"Commit":  func() error { return h.Commit(h.Context(), &outbox.Batch{Checkpoint: []byte("p")}) },
		"Next":    func() error { _, err := h.Next(h.Context(), 0, 1); return err },
		"Settle":  func() error { return h.Settle([]outbox.Outcome{delivered(2)}) },
		"List":    func() error { _, err := h.List(h.Context(), outbox.Filter{}); return err },
		"Meta":    func() error { _, err := h.Meta(h.Context(), "k"); return err },
		"SetMeta": func() error { return h.SetMeta(h.Context(), "k", "v") },
	} {
		if err := call(); !errors.Is(err, outbox.ErrClosed) {
			t.Errorf("%s on a closed store: %v", name, err)
		}
	}
	h.reopen()
	wantSeqs(t, "what Close wrote", seqs(h.next(0, 10)), 2)
}

// closeWakesNext: closing ends the waiting.
func closeWakesNext(t *testing.T, h *harness) {
	done := make(chan error, 1)
	go func() {
		_, err := h.Next(h.Context(), 0, 1)
		done <- err
	}()
	h.must(h.Close())
	if err := <-done; !errors.Is(err, outbox.ErrClosed) {
		t.Errorf("got %v, want ErrClosed", err)
	}
}

// concurrent: while one commits, another sends and settles, and others list and read the position, nothing gets lost,
// comes twice or out of order.
func concurrent(t *testing.T, h *harness) {
	const batches, each = 200, 8
	ctx, stopReading := context.WithCancel(h.Context())
	defer stopReading()
	var readers, writers errgroup.Group
	writers.Go(func() error {
		for i := range batches {
			b := outbox.Batch{Checkpoint: []byte{byte(i)}, Open: []outbox.Record{{Key: "last", Data: []byte{byte(i)}}}}
			for j := range each {
				b.Deliveries = append(b.Deliveries, delivery(i*each+j))
			}
			if err := h.Commit(h.Context(), &b); err != nil {
				return err
			}
		}
		return nil
	})
	writers.Go(func() error {
		for after := int64(0); after < batches*each; {
			list, err := h.Next(h.Context(), after, 16)
			if err != nil {
				return err
			}
			for _, d := range list {
				if d.Seq != after+1 {
					t.Errorf("delivery %d follows %d", d.Seq, after)
				}
				after = d.Seq
				if err := h.Settle([]outbox.Outcome{outcomeFor(d.Seq)}); err != nil {
					return err
				}
			}
		}
		return nil
	})
	for range 2 {
		readers.Go(func() error { return readAlong(ctx, t, h) })
	}
	h.must(writers.Wait())
	stopReading()
	h.must(readers.Wait())
	for range 2 {
		h.wantNothingFresh(0)
		for _, d := range h.list(outbox.Filter{}) {
			if want := outcomeFor(d.Seq).State; d.State != want {
				t.Errorf("delivery %d is %v, want %v", d.Seq, d.State, want)
			}
		}
		h.reopen()
	}
}

// outcomeFor gives every fifth delivery trouble.
func outcomeFor(seq int64) outbox.Outcome {
	if seq%5 == 0 {
		return failed(seq, outbox.Waiting, 1, moment)
	}
	return delivered(seq)
}

// readAlong reads until ctx ends and checks that position and open event always fit together.
func readAlong(ctx context.Context, t *testing.T, h *harness) error {
	for ctx.Err() == nil {
		res, err := h.Resume(ctx)
		if err != nil {
			break
		}
		if len(res.Open) > 0 && string(res.Open[0].Data) != string(res.Checkpoint) {
			t.Errorf("position %v goes with event %v", res.Checkpoint, res.Open[0].Data)
		}
		if _, err := h.List(ctx, outbox.Filter{States: []outbox.State{outbox.Waiting}, Bodies: true}); err != nil {
			break
		}
	}
	if ctx.Err() == nil {
		return errors.New("reading failed while the store was written")
	}
	return nil
}

// concurrentOutcomes: outcomes from many goroutines are all there.
func concurrentOutcomes(t *testing.T, h *harness) {
	const workers, each = 8, 100
	h.commitNew(workers * each)
	var group errgroup.Group
	for w := range int64(workers) {
		group.Go(func() error {
			for i := range int64(each) {
				if err := h.Settle([]outbox.Outcome{outcomeFor(w + i*workers + 1)}); err != nil {
					return err
				}
			}
			return nil
		})
	}
	h.must(group.Wait())
	h.reopen()
	if got := len(h.list(outbox.Filter{States: []outbox.State{outbox.Waiting}})); got != workers*each/5 {
		t.Errorf("%d are waiting, want %d", got, workers*each/5)
	}
	h.wantNothingFresh(0)
}
