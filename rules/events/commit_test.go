package events

import (
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"rowhook/cdc"
	"rowhook/cdc/schema"
	"rowhook/rules"
	"rowhook/scratch"
)

// largeTxn are changes of several steps: orders with a status each, rows of a table without a key, deletes of two
// entities by turns.
func largeTxn(w *world) []cdc.Change {
	var changes []cdc.Change
	for id := 1; id <= 1700; id++ {
		changes = append(changes,
			w.insert("reservation", fmt.Sprintf("id=%d id_employee=1 status=C", id)),
			w.insert("order_status", fmt.Sprintf("id=%d id_order=%d status=C type=reservation", id, id)),
			w.insert("users", fmt.Sprintf("id=%d", id)),
			w.remove("service", fmt.Sprintf("id=%d", id)))
		if id <= 1300 {
			changes = append(changes, w.remove("coupon", fmt.Sprintf("id=%d", id)))
		}
	}
	return changes
}

// A crash behind any step of a large transaction, with a commit behind each: every event comes once, under the id that
// it has without a crash.
func TestCrashInALargeTransaction(t *testing.T) {
	t.Parallel()
	for _, coalesce := range []time.Duration{0, 500 * time.Millisecond} {
		opts := Options{Coalesce: coalesce, CoalesceMax: 10 * coalesce, Scratch: scratch.In(t.TempDir())}
		whole := eventsWithCrash(t, opts, -1)
		deletes := 0
		for _, line := range whole {
			if line[0] == 'd' {
				deletes++
			}
		}
		if len(whole) != 3*1700+4 || deletes != 4 {
			t.Fatalf("coalesce %s: %d events, %d of them deletes, without a crash", coalesce, len(whole), deletes)
		}
		for crash := range 8 {
			if got := eventsWithCrash(t, opts, crash); !slices.Equal(got, whole) {
				t.Errorf("coalesce %s, crash behind step %d: %d events, want %d, or other ones", coalesce, crash, len(got), len(whole))
			}
		}
	}
}

// eventsWithCrash applies the large transaction and crashes behind a step, if it is not negative. The events are sorted.
func eventsWithCrash(t *testing.T, opts Options, crash int) []string {
	t.Helper()
	w := newWorld(t, opts)
	w.tables["users"] = schema.NewTable(w.site.Table("users"), worldTables["users"], nil)
	var got []string
	take := func() {
		for _, ev := range w.engine.Closed() {
			got = append(got, fmt.Sprintf("%s %s %x", letter(ev.Action.Kind), ev.IDs, ev.DeliveryID("source", "rule")))
			w.engine.Done(ev)
		}
		w.store()
	}
	commit := &cdc.Commit{Txn: cdc.Txn{GTID: "0-1-1"}, Time: w.at(0)}
	apply := func(steps int) {
		for _, c := range largeTxn(w) {
			if err := w.engine.Change(&c); err != nil {
				t.Fatal(err)
			}
		}
		err := w.engine.Commit(commit, w.at(0))
		for take(); err == nil && w.engine.Applying() && steps != 0; steps-- {
			err = w.engine.Step()
			take()
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if apply(crash); crash >= 0 {
		if _, partly := w.records[progressKey]; partly != w.engine.Applying() {
			t.Fatalf("behind step %d the records say that it is applied in part: %t", crash, partly)
		}
		again := w.engine.Applying()
		w.engine = NewEngine([]*rules.Site{w.site}, w.set, w.opts)
		var records []Record
		for _, k := range slices.Sorted(maps.Keys(w.records)) {
			records = append(records, w.records[k])
		}
		if err := w.engine.Restore(records, w.at(1)); err != nil {
			t.Fatal(err)
		}
		take()
		if again {
			apply(-1)
		}
	}
	w.engine.Expire(w.at(60))
	take()
	if len(w.records) > 0 && slices.ContainsFunc(slices.Collect(maps.Keys(w.records)), func(k string) bool { return k[:1] != tablePrefix }) {
		t.Errorf("%d records are left", len(w.records))
	}
	slices.Sort(got)
	return got
}

func letter(k rules.Kind) string { return k.String()[:1] }

// More open events than memory allows: the oldest windows close early, in order, and the memory of what was open goes.
func TestOpenEventsAreBounded(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{Coalesce: time.Second, CoalesceMax: time.Minute, StatusWait: 2 * time.Second, Scratch: scratch.In(t.TempDir())})
	const rows = 20_000
	var changes []cdc.Change
	for id := range rows {
		changes = append(changes, w.update("reservation", fmt.Sprintf("id=%d status=P", id+1), fmt.Sprintf("id=%d status=C", id+1)))
	}
	w.tx(0, changes...)
	early := len(w.closed)
	if early == 0 || early == 2*rows {
		t.Fatalf("%d of %d events closed early", early, 2*rows)
	}
	if w.engine.windows.unsent.openBytes > maxOpen {
		t.Errorf("open events take %d bytes", w.engine.windows.unsent.openBytes)
	}
	if n := len(w.engine.windows.open.byLog) + len(w.engine.windows.open.byWall); n > 4*maxOpen/eventBytes {
		t.Errorf("%d deadlines are left of %d open events", n, len(w.engine.windows.unsent.live)-early)
	}
	last := map[rules.Kind]int64{}
	for _, ev := range w.closed {
		k := ev.Action.Kind
		if id, ok := ev.IDs[0].Number(); !ok || id != last[k]+1 || k == rules.StatusChange && id > last[rules.Save] {
			t.Fatalf("%s follows that of %d", summary(ev), last[k])
		}
		last[k]++
	}
	if last[rules.StatusChange] == 0 || last[rules.StatusChange] == rows {
		t.Fatalf("%d statuses of %d fired early", last[rules.StatusChange], rows)
	}
	// A status that fired early from its column is not told again by its history row; one that waits takes it in.
	w.tx(0.5, w.insert("order_status", "id=1 id_order=1 status=C type=reservation"),
		w.insert("order_status", fmt.Sprintf("id=2 id_order=%d status=C type=reservation", rows)))
	w.quiet(10)
	statuses := 0
	for _, ev := range w.closed {
		if ev.Action.Kind == rules.StatusChange {
			statuses++
			if ev.IDs[0] == rules.NumberKey(rows) && ev.Row.Len() == 0 {
				t.Errorf("after its history row came: %s", summary(ev))
			}
		}
	}
	if statuses != rows {
		t.Errorf("%d status changes of %d", statuses, rows)
	}
	w.engine.windows.closed = nil
	if w.engine.windows.unsent.openBytes+w.engine.windows.makings.bytes != 0 {
		t.Errorf("nothing is open, and it takes %d bytes", w.engine.windows.unsent.openBytes)
	}
}
