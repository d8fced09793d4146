package events

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"rowhook/cdc"
)

// TestSplitAndJoin: a site's events are the same, with the same ids, whether its rows are read with the others' or later, by
// an engine of its own, which takes over what was open and gives it back.
func TestSplitAndJoin(t *testing.T) {
	t.Parallel()
	type step struct {
		at      float64
		changes func(w *world) []cdc.Change
	}
	one := func(at float64, f func(w *world) cdc.Change) step {
		return step{at, func(w *world) []cdc.Change { return []cdc.Change{f(w)} }}
	}
	steps := []step{
		one(0, func(w *world) cdc.Change {
			return w.insert("reservation", "id=1 id_employee=3 locked_until=5 status=W")
		}),
		one(0.2, func(w *world) cdc.Change { return w.insert("res_opt_assoc", "id=1 id_reservation=1") }),
		one(0.4, func(w *world) cdc.Change {
			return w.insert("order_status", "id=1 id_order=1 status=W type=reservation")
		}),
		one(0.5, func(w *world) cdc.Change { return w.insert("users", "id=2 billing_name=a") }),
		one(0.7, func(w *world) cdc.Change {
			return w.update("users", "id=2 billing_name=a", "id=2 billing_name=b")
		}),
		one(60, func(w *world) cdc.Change {
			return w.update("reservation", "id=1 id_employee=3 locked_until=5 status=W", "id=1 id_employee=3 locked_until=5 status=C")
		}),
		one(120, func(w *world) cdc.Change { return w.remove("users", "id=2 billing_name=b") }),
	}
	const late = 1e6
	play := func(stopAt, joinAt int) (*world, []string) {
		w := newWorld(t, Options{Coalesce: time.Second, CoalesceMax: time.Minute, StatusWait: time.Second})
		all := w.engine
		var alone *Engine
		for i, s := range steps {
			if i == stopAt {
				for _, c := range s.changes(w) { // before it turned out that the rest cannot be read
					if err := all.Change(&c); err != nil {
						t.Fatal(err)
					}
				}
				alone = all.Split(w.site)
			}
			w.tx(s.at, s.changes(w)...)
			if i == joinAt {
				w.engine, w.txns = alone, stopAt
				for _, s := range steps[stopAt : joinAt+1] {
					w.tx(s.at, s.changes(w)...)
				}
				w.engine = all
				all.Join(alone)
			}
		}
		w.quiet(late)
		var ids []string
		for _, ev := range w.closed {
			ids = append(ids, fmt.Sprintf("%s %x", ev, ev.DeliveryID("source", "rule")))
			w.engine.Done(ev)
		}
		return w, ids
	}
	_, want := play(len(steps), len(steps))
	if len(want) < 5 {
		t.Fatalf("only %v", want)
	}
	for stopAt := range steps {
		for joinAt := stopAt; joinAt < len(steps); joinAt++ {
			w, got := play(stopAt, joinAt)
			if !slices.Equal(got, want) {
				t.Errorf("stopped at %d, back at %d:\n%v\nwant\n%v", stopAt, joinAt, got, want)
			}
			if n, size := w.engine.Waiting(); n != 0 || size != 0 || w.engine.windows.unsent.openBytes+w.engine.windows.makings.bytes != 0 || len(w.engine.windows.unsent.live) != 0 {
				t.Errorf("stopped at %d, back at %d: %d events of %d bytes are left, %d bytes open", stopAt, joinAt, n, size, w.engine.windows.unsent.openBytes)
			}
		}
	}
}

// TestSplitEngineSurvivesACrash: what a site's own engine holds, a transaction that was applied in part included, is there
// again after a restart, in an engine of its own.
func TestSplitEngineSurvivesACrash(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{Coalesce: time.Minute, CoalesceMax: time.Hour})
	w.tx(0, w.insert("users", "id=1"))
	alone := w.engine.Split(w.site)
	const many = 2*stepChanges + 10
	for i := range many {
		c := w.insert("users", fmt.Sprintf("id=%d", i+2))
		if err := alone.Change(&c); err != nil {
			t.Fatal(err)
		}
	}
	w.txns++
	commit := &cdc.Commit{Txn: cdc.Txn{GTID: "0-1-2"}, Time: w.at(1), Rows: many}
	if err := alone.Commit(commit, w.at(1)); err != nil || !alone.Applying() {
		t.Fatal(err)
	}
	for _, e := range []*Engine{w.engine, alone} {
		records, err := e.TakeRecords()
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range records {
			w.records[r.Key] = r
		}
	}
	w.crash(2, false)
	again := w.engine.Split(w.site)
	for i := range many {
		c := w.insert("users", fmt.Sprintf("id=%d", i+2))
		if err := again.Change(&c); err != nil {
			t.Fatal(err)
		}
	}
	if err := again.Commit(commit, w.at(2)); err != nil {
		t.Fatal(err)
	}
	for again.Applying() {
		if err := again.Step(); err != nil {
			t.Fatal(err)
		}
	}
	again.Expire(w.at(1e6))
	if n := len(again.Closed()); n != many+1 {
		t.Errorf("%d events, want %d", n, many+1)
	}
}
