package pipeline

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"rowhook/cdc"
	"rowhook/cdc/schema"
	"rowhook/outbox"
	"rowhook/rules/events"
	"rowhook/scratch"
)

// A large transaction, and an outbox that fails at one commit after the other: each start goes on in the middle, every
// row is told once, in order, under the id that it has without a failure.
func TestFailureInTheMiddleOfALargeTransaction(t *testing.T) {
	t.Parallel()
	const rows, size = 2_000, 16 << 10 // enough for a commit for each run, and one for each that fails, of dispatchBytes
	for _, coalesce := range []time.Duration{0, 50 * time.Millisecond} {
		var lists [2][]string
		for i, failures := range []int{0, 3} {
			b := newBench(t, coalesce)
			b.opts.Scratch = scratch.In(t.TempDir())
			b.run()()
			var large txn
			table := schema.NewTable(b.sites[0].Table("coupon"), []string{"id", "used_quantity"}, []int{0})
			for id := 1; id <= rows; id++ {
				large = append(large, cdc.Change{Table: table, Op: cdc.Update, Before: row(id, ""), After: row(id, strings.Repeat("x", size))})
			}
			b.src.write(txn{b.coupon(0, rows+1, "before")})
			b.src.write(large)
			b.src.write(txn{b.coupon(0, rows+2, "after")})
			whole, middle := b.store, 0
			for range failures {
				b.store = &full{Store: whole, left: 1}
				end := b.run()
				select {
				case <-b.ended:
				case <-patience(t).Done():
					t.Fatal("no commit failed")
				}
				if err := end(); !errors.Is(err, errFull) {
					t.Fatalf("ended with %v", err)
				}
				b.store = whole
				state, err := whole.Resume(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				if strings.Contains(string(state.Checkpoint), `"begun"`) {
					middle++
				}
			}
			if failures > 0 && middle == 0 {
				t.Error("none of the failures was in the middle of the transaction")
			}
			end := b.run()
			b.next(0, rows+2)
			if err := end(); err != nil {
				t.Fatal(err)
			}
			list, err := whole.List(t.Context(), outbox.Filter{})
			if err != nil {
				t.Fatal(err)
			}
			for _, d := range list {
				lists[i] = append(lists[i], fmt.Sprint(d.Keys, d.ID))
			}
		}
		if len(lists[0]) != rows+2 || !slices.Equal(lists[0], lists[1]) {
			t.Errorf("coalesce %s: %d deliveries without a failure, %d with, of %d, or not the same", coalesce, len(lists[0]), len(lists[1]), rows+2)
		}
	}
}

// counting is a store that tells when n records of events were stored, and when they were deleted.
type counting struct {
	outbox.Store
	n              int
	stored, erased chan struct{}
}

func (c *counting) Commit(ctx context.Context, b *outbox.Batch) error {
	err := c.Store.Commit(ctx, b)
	open, gone := 0, 0
	for _, r := range b.Open {
		if r.Data == nil {
			gone++
		} else if (events.Record{Key: r.Key, Data: r.Data}).IsEvent() {
			open++
		}
	}
	if err == nil && open >= c.n {
		close(c.stored)
	}
	if err == nil && gone >= c.n {
		close(c.erased)
	}
	return err
}

// Events that no rule wants in the end leave nothing to deliver, and as many records to delete as hold back the reader.
func TestWindowsCloseWithoutDeliveries(t *testing.T) {
	t.Parallel()
	b := newBench(t, 3*time.Second)
	store := &counting{Store: b.store, n: batchRecords, stored: make(chan struct{}), erased: make(chan struct{})}
	b.store = store
	b.rules = `rules: [{name: new, action: coupon.save, type: insert, load: full, url: "http://127.0.0.1/"}]`
	b.run()
	var many txn
	for id := range batchRecords {
		many = append(many, b.coupon(0, id+1, "x"))
	}
	b.src.write(many)
	for name, done := range map[string]chan struct{}{"stored": store.stored, "erased": store.erased} {
		select {
		case <-done:
		case <-patience(t).Done():
			t.Fatalf("the records are not %s", name)
		}
	}
}
