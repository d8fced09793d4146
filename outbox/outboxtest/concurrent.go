package outboxtest

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"golang.org/x/sync/errgroup"

	"rowhook/outbox"
)

// closeStore: closing twice is fine, everything else says that the store is closed.
func closeStore(t *testing.T, h *harness) {
	list := h.commitNew(2)
	h.settle(delivered(list[0]))
	h.must(h.Close())
	h.must(h.Close())
	ctx := t.Context()
	for name, call := range map[string]func() error{
		"Resume":        func() error { _, err := h.Resume(ctx); return err },
		"Commit":        func() error { return h.Commit(ctx, &outbox.Batch{Checkpoint: []byte("p")}) },
		"Route":         func() error { _, err := h.Route(ctx, nil); return err },
		"Claim":         func() error { _, err := h.Claim(ctx, "a", 0, 1); return err },
		"Read":          func() error { _, err := h.Read(ctx, "a", []int64{2}); return err },
		"Settle":        func() error { return h.Settle(ctx, []outbox.Outcome{delivered(list[1])}) },
		"Due":           func() error { _, err := h.Due(ctx); return err },
		"List":          func() error { _, err := h.List(ctx, outbox.Filter{}); return err },
		"Attempts":      func() error { _, err := h.Attempts(ctx, 1); return err },
		"Counts":        func() error { _, err := h.Counts(ctx); return err },
		"Drop":          func() error { _, err := h.Drop(ctx, outbox.Filter{}); return err },
		"Erase":         func() error { _, err := h.Erase(ctx, outbox.Filter{}); return err },
		"Prune":         func() error { _, err := h.Prune(ctx, outbox.Keep{}); return err },
		"Get":           func() error { _, err := h.Get(ctx, "k"); return err },
		"CompareAndSet": func() error { return h.CompareAndSet(ctx, "k", "", "v") },
	} {
		if err := call(); !errors.Is(err, outbox.ErrClosed) {
			t.Errorf("%s on a closed store: %v", name, err)
		}
	}
	h.reopen()
	wantSame(t, "what Close wrote", h.claim("a", 0, 10), list[1])
}

// concurrent: while one commits, another sends and settles, and others list and read the position, nothing gets lost,
// comes twice or out of order.
func concurrent(t *testing.T, h *harness) {
	const batches, each = 200, 8
	ctx, stopReading := context.WithCancel(t.Context())
	defer stopReading()
	var readers, writers errgroup.Group
	writers.Go(func() error { return commitAll(ctx, h, batches, each) })
	writers.Go(func() error { return sendAll(ctx, h, "a", batches*each) })
	for range 2 {
		readers.Go(func() error { return readAlong(ctx, t, h) })
	}
	h.must(writers.Wait())
	stopReading()
	h.must(readers.Wait())
	for range 2 {
		wantSame(t, "to send", h.pending("a"))
		for _, d := range h.list(outbox.Filter{}) {
			if want := outcomeFor(int(d.Number), &d.Delivery).State; d.State != want {
				t.Errorf("delivery %d is %v, want %v", d.Number, d.State, want)
			}
		}
		h.reopen()
	}
}

// commitAll commits batches with a position and a record that go together.
func commitAll(ctx context.Context, h *harness, batches, each int) error {
	for i := range batches {
		b := outbox.Batch{Checkpoint: []byte{byte(i)}, Open: []outbox.Record{{Owner: "o", Key: "last", Data: []byte{byte(i)}}}}
		for j := range each {
			b.Deliveries = append(b.Deliveries, delivery(i*each+j))
		}
		if err := h.Commit(ctx, &b); err != nil {
			return err
		}
	}
	return nil
}

// sendAll is an endpoint in small: it claims, woken when there is something, and settles, until it has had n deliveries.
func sendAll(ctx context.Context, h *harness, endpoint string, n int) error {
	for after := int64(0); after < int64(n); {
		list, err := h.Claim(ctx, endpoint, after, 16)
		if err != nil {
			return err
		}
		if len(list) == 0 {
			select {
			case <-h.Wake(endpoint):
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		for _, d := range list {
			if d.Number != after+1 {
				return fmt.Errorf("number %d follows %d", d.Number, after)
			}
			after = d.Number
			if err := h.Settle(ctx, []outbox.Outcome{outcomeFor(int(d.Number), &d.Delivery)}); err != nil {
				return err
			}
		}
	}
	return nil
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
		if _, err := h.List(ctx, outbox.Filter{States: []outbox.State{outbox.Dead}, Bodies: true}); err != nil {
			break
		}
		if _, err := h.Counts(ctx); err != nil {
			break
		}
		if _, err := h.Due(ctx); err != nil {
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
	list := h.commitNew(workers * each)
	var group errgroup.Group
	for w := range workers {
		group.Go(func() error {
			for i := range each {
				n := w + i*workers
				if err := h.Settle(t.Context(), []outbox.Outcome{outcomeFor(n, list[n])}); err != nil {
					return err
				}
			}
			return nil
		})
	}
	h.must(group.Wait())
	h.reopen()
	if got := len(h.list(outbox.Filter{States: []outbox.State{outbox.Dead}})); got != workers*each/5 {
		t.Errorf("%d are dead, want %d", got, workers*each/5)
	}
	wantSame(t, "to send", h.pending("a"))
}

// manyQueues: many endpoints at once each get their own, in order.
func manyQueues(t *testing.T, h *harness) {
	const endpoints, each = 30, 40
	routes := make(map[string]string)
	for e := range endpoints {
		routes[fmt.Sprint("rule", e)] = fmt.Sprint("endpoint", e)
	}
	_, err := h.Route(t.Context(), routes)
	h.must(err)
	var group errgroup.Group
	for e := range endpoints {
		group.Go(func() error { return sendAll(t.Context(), h, fmt.Sprint("endpoint", e), each) })
	}
	for i := range each {
		var b outbox.Batch
		for e := range endpoints {
			d := delivery(i*endpoints + e)
			d.Rule = fmt.Sprint("rule", e)
			b.Deliveries = append(b.Deliveries, d)
		}
		h.commit(b)
	}
	h.must(group.Wait())
	for range 2 {
		h.reopen()
		if got, err := h.Due(t.Context()); err != nil || len(got) != 0 {
			t.Errorf("due are %v, %v", got, err)
		}
	}
}

// concurrentCommits: the pipeline and who tells of trouble commit at the same time; each commit is whole, and numbers have no gap.
func concurrentCommits(t *testing.T, h *harness) {
	const each, writers = 40, 4
	var g errgroup.Group
	for w := range writers {
		g.Go(func() error {
			for i := range each {
				d := delivery(w*each + i)
				record := outbox.Record{Owner: "trouble", Key: fmt.Sprintf("%d/%d", w, i), Data: []byte("told")}
				b := &outbox.Batch{Deliveries: []*outbox.Delivery{d}, Open: []outbox.Record{record}, Events: []outbox.EventCount{{Site: "salon", Kind: d.Kind, N: 1}}}
				if w == 0 {
					b.Checkpoint = fmt.Appendf(nil, "position %d", i)
				}
				if err := h.Commit(t.Context(), b); err != nil {
					return err
				}
			}
			return nil
		})
	}
	h.must(g.Wait())
	for range 2 {
		for i, d := range h.pending("a") {
			if d.Number != int64(i+1) {
				t.Fatalf("delivery %d has the number %d", i+1, d.Number)
			}
		}
		res := h.resume()
		if string(res.Checkpoint) != fmt.Sprintf("position %d", each-1) || len(res.Open) != writers*each || h.totals().Events[0].N != writers*each {
			t.Errorf("got %q, %d records, %+v", res.Checkpoint, len(res.Open), h.totals().Events)
		}
		h.reopen()
	}
}
