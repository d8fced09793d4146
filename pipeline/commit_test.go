package pipeline

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"

	"rowhook/outbox"
)

// sparing is an outbox that takes two deliveries in one commit, and is full after some commits.
type sparing struct{ full }

func (s *sparing) Limits() outbox.Limits {
	l := s.Store.Limits()
	l.Deliveries = 2
	return l
}

func (s *sparing) Commit(ctx context.Context, b *outbox.Batch) error {
	if err := s.Limits().Check(b); err != nil {
		return err
	}
	return s.full.Commit(ctx, b)
}

// TestCommitTakesWhatTheOutboxTakes: events that one commit has no room for are stored as events, and are deliveries of the
// next commits, over a crash, too.
func TestCommitTakesWhatTheOutboxTakes(t *testing.T) {
	t.Parallel()
	b := newBench(t, 0)
	whole := b.store
	b.store = &sparing{full{Store: whole, left: 2}}
	end := b.run()
	var changes txn
	var want []string
	for id := range 9 {
		changes = append(changes, b.coupon(0, id+1, "a"))
		want = append(want, fmt.Sprintf("coupons salon/coupon/%d", id+1))
	}
	b.src.write(changes)
	<-b.ended // by itself
	if err := end(); !errors.Is(err, errFull) {
		t.Fatalf("ended with %v", err)
	}
	if got := b.next(0, 4); !slices.Equal(got, want[:4]) {
		t.Errorf("got %v, want %v", got, want[:4])
	}
	b.store = &sparing{full{Store: whole, left: 9}}
	b.run()
	if got := b.next(0, 9); !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

// TestCommitTakesAWholeEvent: the deliveries of one event are of one commit, as its record goes with it.
func TestCommitTakesAWholeEvent(t *testing.T) {
	t.Parallel()
	deliveries := func(n int) []*outbox.Delivery {
		list := make([]*outbox.Delivery, n)
		for i := range list {
			list[i] = &outbox.Delivery{Body: make([]byte, 100)}
		}
		return list
	}
	for name, c := range map[string]struct {
		most outbox.Limits
		want []int // deliveries of each commit
	}{
		"all":           {outbox.Limits{Deliveries: 10, Bytes: 1 << 20}, []int{8}},
		"some":          {outbox.Limits{Deliveries: 5, Bytes: 1 << 20}, []int{5, 3}},
		"one is larger": {outbox.Limits{Deliveries: 2, Bytes: 1 << 20}, []int{1, 3, 1, 2, 1}},
		"bytes":         {outbox.Limits{Deliveries: 10, Bytes: 6 * (100 + deliveryBytes)}, []int{1, 3, 3, 1}},
	} {
		var b batch
		for _, n := range []int{1, 3, 1, 2, 1} {
			b.add(nil, deliveries(n))
		}
		var got []int
		for b.count > 0 {
			n := 0
			for _, m := range b.take(c.most) {
				n += len(m.deliveries)
			}
			got = append(got, n)
		}
		if !slices.Equal(got, c.want) || b.bytes != 0 {
			t.Errorf("%s: %v, want %v; %d bytes are left", name, got, c.want, b.bytes)
		}
	}
}
