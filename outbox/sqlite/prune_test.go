package sqlite

import (
	"context"
	"errors"
	"testing"
	"time"

	"rowhook/outbox"
)

// TestPrune: whole commits go when all in them was delivered long enough ago; nothing else does.
func TestPrune(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := open(t, dir)
	for range 5 {
		commit(t, s, 2) // 1-2 delivered, 3-4 one waits, 5-6 delivered after a failure, 7-8 one fresh, 9-10 delivered
	}
	failure := &outbox.Attempt{Status: 500}
	ok := func(seq int64) outbox.Outcome { return outbox.Outcome{Seq: seq, State: outbox.Delivered, Attempts: 1} }
	settle(t, s, ok(1), ok(2), ok(3), outbox.Outcome{Seq: 4, State: outbox.Waiting, Attempt: failure},
		outbox.Outcome{Seq: 5, State: outbox.Waiting, Attempts: 1, Attempt: failure}, outbox.Outcome{Seq: 5, State: outbox.Delivered, Attempts: 2},
		ok(6), ok(7), ok(9), ok(10))
	if err := s.flush(); err != nil {
		t.Fatal(err)
	}
	prune(t, s, time.Now().Add(-time.Hour), 0)
	later := time.Now().Add(time.Hour)
	prune(t, s, later, 4)
	prune(t, s, later, 0)
	wantStates(t, s, "delivered crm", "waiting crm", "delivered crm", "fresh crm", "delivered crm", "delivered crm")
	for table, want := range map[string]int64{"batch": 3, "delivery": 6, "attempt": 1, "failed": 1} {
		if n, err := number(s.w.conn, `SELECT count(*) FROM `+table); err != nil || n != want {
			t.Errorf("%d rows of %s are left, want %d (%v)", n, table, want, err)
		}
	}
	settle(t, s, outbox.Outcome{Seq: 1, State: outbox.Waiting, Attempt: failure}) // gone: nothing to retry
	settle(t, s, ok(4), ok(8))
	if err := s.flush(); err != nil {
		t.Fatal(err)
	}
	prune(t, s, later, 6)
	for _, table := range []string{"batch", "delivery", "attempt", "failed", "done"} {
		if n, err := number(s.w.conn, `SELECT count(*) FROM `+table); err != nil || n != 0 {
			t.Errorf("%d rows of %s are left (%v)", n, table, err)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if seq := commit(t, open(t, dir), 1); seq != 11 {
		t.Errorf("the next delivery is number %d, want 11", seq)
	}
}

func prune(t *testing.T, s *Store, olderThan time.Time, want int) {
	t.Helper()
	if n, err := s.Prune(t.Context(), Keep{Since: olderThan}); err != nil || n != want {
		t.Errorf("pruned %d, %v, want %d", n, err, want)
	}
}

// TestPruneSize: the oldest go until the rest is within the limit, however young they are; what is not delivered stays.
func TestPruneSize(t *testing.T) {
	t.Parallel()
	s := open(t, t.TempDir())
	const n, limit = 600, 2 << 20
	body := make([]byte, 10_000)
	for seq := int64(1); seq <= n; seq++ {
		b := outbox.Batch{Deliveries: []*outbox.Delivery{{ID: outbox.ID{byte(seq)}, Rule: "crm", Body: body}}}
		if err := s.Commit(t.Context(), &b); err != nil {
			t.Fatal(err)
		}
		state := outbox.Delivered
		if seq == 1 || seq == 5 {
			state = outbox.Dead
		}
		settle(t, s, outbox.Outcome{Seq: seq, State: state, Attempts: 1})
	}
	if err := s.flush(); err != nil { // afterwards nobody else uses the connection
		t.Fatal(err)
	}
	deleted, err := s.Prune(t.Context(), Keep{Bytes: limit})
	if err != nil {
		t.Fatal(err)
	}
	used, err := number(s.w.conn, `SELECT (page_count - freelist_count) * page_size FROM pragma_page_count, pragma_freelist_count, pragma_page_size`)
	if err != nil || used > limit || used < limit/2 {
		t.Errorf("%d bytes are in use after %d of %d went, want less than %d and not much less (%v)", used, deleted, n, limit, err)
	}
	list, err := s.List(t.Context(), outbox.Filter{})
	if err != nil || len(list) != n-deleted || list[0].Seq != 1 || list[1].Seq != 5 || list[2].Seq != int64(deleted+3) {
		t.Errorf("%d are left of %d, %d deleted (%v)", len(list), n, deleted, err)
	}
	if again, err := s.Prune(t.Context(), Keep{Bytes: limit}); err != nil || again != 0 {
		t.Errorf("a second time it deletes %d, %v", again, err)
	}
}

// TestPruneYields: commits go on between the steps of a long pruning.
func TestPruneYields(t *testing.T) {
	t.Parallel()
	s := open(t, t.TempDir())
	body := make([]byte, 100_000)
	for range 100 {
		b := outbox.Batch{}
		var outcomes []outbox.Outcome
		for range 10 {
			b.Deliveries = append(b.Deliveries, &outbox.Delivery{Rule: "crm", Body: body})
		}
		if err := s.Commit(t.Context(), &b); err != nil {
			t.Fatal(err)
		}
		for _, d := range b.Deliveries {
			outcomes = append(outcomes, outbox.Outcome{Seq: d.Seq, State: outbox.Delivered, Attempts: 1})
		}
		settle(t, s, outcomes...)
	}
	if err := s.flush(); err != nil {
		t.Fatal(err)
	}
	later, pruned := time.Now().Add(time.Hour), make(chan error, 1)
	go func() {
		_, err := s.Prune(t.Context(), Keep{Since: later})
		pruned <- err
	}()
	for commits := 0; ; commits++ {
		select {
		case err := <-pruned:
			if err != nil || commits < 3 { // 100 MB take 50 steps
				t.Errorf("%d commits meanwhile, %v", commits, err)
			}
			return
		default:
			if err := s.Commit(t.Context(), &outbox.Batch{Checkpoint: []byte("p")}); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// TestPruneSteps: many commits go in several transactions, also past those that stay.
func TestPruneSteps(t *testing.T) {
	t.Parallel()
	s := open(t, t.TempDir())
	const n = 3*pruneStep + 7
	for seq := int64(1); seq <= n; seq++ {
		commit(t, s, 1)
		state := outbox.Delivered
		if seq <= pruneStep+1 {
			state = outbox.Dead
		}
		settle(t, s, outbox.Outcome{Seq: seq, State: state, Attempts: 1})
	}
	if err := s.flush(); err != nil {
		t.Fatal(err)
	}
	later := time.Now().Add(time.Hour)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if n, err := s.Prune(ctx, Keep{Since: later}); n != 0 || !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: pruned %d, %v", n, err)
	}
	prune(t, s, later, n-pruneStep-1)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Prune(t.Context(), Keep{Since: later}); !errors.Is(err, outbox.ErrClosed) {
		t.Errorf("closed: %v", err)
	}
}
