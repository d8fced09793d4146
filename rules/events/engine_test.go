package events

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"
	"time"

	"rowhook/cdc"
	"rowhook/cdc/schema"
	"rowhook/rules"
)

var half = Options{Coalesce: 500 * time.Millisecond, CoalesceMax: 5 * time.Second, StatusWait: 2 * time.Second}

func TestBookingIsOneInsert(t *testing.T) { // FINDINGS 8: INSERT, then id_parent, then the status row
	t.Parallel()
	w := newWorld(t, half)
	w.tx(0, w.insert("reservation", "id=1 id_employee=3 id_parent=-1 status=W"))
	w.tx(0.01, w.update("reservation", "id=1 id_employee=3 id_parent=-1 status=W", "id=1 id_employee=3 id_parent=1 status=W"))
	w.tx(0.02, w.insert("res_opt_assoc", "id=7 id_reservation=1 quantity=2"))
	w.tx(0.03, w.insert("order_status", "id=9 id_order=1 status=W type=reservation"))
	w.quiet(0.4)
	w.want()
	w.quiet(0.6)
	w.want("appointment.save [1] insert status=W", "appointment.status_change [1] W")
}

func TestWithoutCoalescing(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{StatusWait: 2 * time.Second})
	w.tx(0, w.insert("reservation", "id=1 id_employee=3 id_parent=-1 status=W"))
	w.want("appointment.save [1] insert status=W")
	w.tx(0.01, w.update("reservation", "id=1 id_employee=3 id_parent=-1 status=W", "id=1 id_employee=3 id_parent=1 status=W"))
	w.want() // the window was cut between the INSERT and its id_parent
	w.tx(0.02, w.update("reservation", "id=1 notes=a", "id=1 notes=b"), w.update("reservation", "id=1 notes=b", "id=1 notes=c"))
	w.tx(0.02, w.update("reservation", "id=1 notes=c", "id=1 notes=d"))
	w.want("appointment.save [1] status=", "appointment.save [1] status=") // one a transaction
}

func TestUpdatesMerge(t *testing.T) {
	t.Parallel()
	w := newWorld(t, half)
	for i := range 4 {
		w.tx(float64(i)*0.4, w.update("reservation", "id=1 notes=a", "id=1 notes=b"))
	}
	w.want()
	w.tx(2.5, w.update("reservation", "id=2 notes=a", "id=2 notes=b")) // the log's clock alone closes the first
	w.want("appointment.save [1] status=")
	w.quiet(3.1)
	w.want("appointment.save [2] status=")
}

func TestCoalesceMaxEndsAWindow(t *testing.T) {
	t.Parallel()
	w := newWorld(t, half)
	for i := range 14 {
		w.tx(float64(i)*0.4, w.update("reservation", "id=1 notes=a", "id=1 notes=b"))
	}
	w.want("appointment.save [1] status=") // 5.0 s after the first change
	w.quiet(6)
	w.want("appointment.save [1] status=")
}

func TestWholeSecondsAreRoundedUp(t *testing.T) { // MariaDB: 12:00:00 may be 12:00:00.999
	t.Parallel()
	o := half
	o.Precision = time.Second
	w := newWorld(t, o)
	w.tx(0.9, w.update("reservation", "id=1 notes=a", "id=1 notes=b"))
	w.tx(1.1, w.update("reservation", "id=2 notes=a", "id=2 notes=b"))
	w.want()
	w.tx(2.0, w.update("reservation", "id=3 notes=a", "id=3 notes=b"))
	w.want("appointment.save [1] status=")
}

func TestHousekeepingIsNoSave(t *testing.T) {
	t.Parallel()
	w := newWorld(t, half)
	w.tx(0, w.update("reservation", "id=1 locked_until=1", "id=1 locked_until=2"))
	w.tx(0, w.update("package_order", "id=1 log=a", "id=1 log=b"))
	w.tx(0, w.update("service", "id=1 ordering=1", "id=1 ordering=2"))
	w.tx(0, w.update("package_order_item", "id=4 id_order=1 used_app=1", "id=4 id_order=1 used_app=2"))
	w.tx(0, w.update("users", "id=1 billing_name=a", "id=1 billing_name=a"))
	w.quiet(9)
	w.want()
}

// The period of a system-versioned row changes with whatever else does, and by that alone nothing was saved.
func TestPeriodIsNoSave(t *testing.T) {
	t.Parallel()
	w := newWorld(t, half)
	table := schema.NewTable(w.site.Table("reservation"), append(slices.Clone(worldTables["reservation"]), "row_start"), []int{0})
	table.Period = []int{table.Index("row_start")}
	w.tables["reservation"] = table
	w.tx(0, w.update("reservation", "id=1 locked_until=1 row_start=1", "id=1 locked_until=2 row_start=2"))
	w.quiet(1)
	w.want()
	w.tx(2, w.update("reservation", "id=1 notes=a row_start=2", "id=1 notes=b row_start=3"))
	w.quiet(3)
	if want := []bool{false, false, false, false, true, false, false, false, false}; !slices.Equal(w.closed[0].Changed, want) {
		t.Errorf("changed %v, want %v", w.closed[0].Changed, want)
	}
}

func TestHousekeepingShowsInAnOpenSave(t *testing.T) {
	t.Parallel()
	w := newWorld(t, half)
	w.tx(0, w.update("reservation", "id=1 notes=a", "id=1 notes=b"))
	w.tx(0.1, w.update("reservation", "id=1 notes=b", "id=1 notes=b locked_until=5"))
	w.quiet(1)
	if got := w.closed[0].Row.Text(3); got != "5" {
		t.Errorf("locked_until is %q, want 5: values are delivered as committed", got)
	}
	if want := []bool{false, false, false, true, true, false, false, false}; !slices.Equal(w.closed[0].Changed, want) {
		t.Errorf("changed %v, want %v", w.closed[0].Changed, want)
	}
}

func TestMultiOrder(t *testing.T) { // FINDINGS 5
	t.Parallel()
	w := newWorld(t, half)
	w.tx(0, w.insert("reservation", "id=10 id_parent=-1 status=W"))
	w.tx(0, w.insert("order_status", "id=1 id_order=10 status=W type=reservation"))
	w.tx(0.1, w.insert("reservation", "id=11 id_employee=1 id_parent=10 status=W"))
	w.tx(0.1, w.insert("order_status", "id=2 id_order=11 status=W type=reservation"))
	w.tx(0.4, w.insert("reservation", "id=12 id_employee=1 id_parent=10 status=W"))
	w.quiet(0.55) // the second child prolongs the parent, not its sister
	w.want()
	w.quiet(0.65)
	w.want("appointment.save [11] insert status=W", "appointment.status_change [11] W")
	w.quiet(1)
	w.want("appointment.status_change [10] W", "appointment.save [12] insert status=W")
	w.tx(2, w.update("reservation", "id=10 id_parent=-1 notes=a", "id=10 id_parent=-1 notes=b"))
	w.quiet(3)
	w.want("appointment.save [10] status=")
}

func TestOptionsAndItemsSaveTheirOrder(t *testing.T) {
	t.Parallel()
	w := newWorld(t, half)
	w.tx(0, w.update("res_opt_assoc", "id=7 id_reservation=1 quantity=1", "id=7 id_reservation=1 quantity=2"))
	w.tx(0, w.remove("package_order_item", "id=4 id_order=5"))
	w.quiet(1)
	w.want("appointment.save [1] without a row", "package_order.save [5] without a row")
}

func TestDeletes(t *testing.T) {
	t.Parallel()
	w := newWorld(t, half)
	w.tx(0, w.update("reservation", "id=11 notes=a", "id=11 notes=b"))
	w.tx(0.1, w.remove("reservation", "id=10"), w.remove("reservation", "id=11"), w.remove("reservation", "id=12"), w.remove("users", "id=1"))
	w.want("appointment.save [11] status=", "appointment.delete [10 11 12]", "customer.delete [1]")
	w.tx(0.2, w.remove("order_status", "id=9 id_order=10 status=W type=reservation"))
	w.quiet(9)
	w.want()
}

func TestManyDeletesAreCut(t *testing.T) {
	t.Parallel()
	w := newWorld(t, half)
	var all []cdc.Change
	for i := range 2500 {
		all = append(all, w.remove("coupon", fmt.Sprintf("id=%d", i+1)))
	}
	w.tx(0, all...)
	var sizes []int
	ids := map[[16]byte]bool{}
	for _, ev := range w.closed {
		sizes = append(sizes, len(ev.IDs))
		ids[ev.DeliveryID("source", "rule")] = true
	}
	if !slices.Equal(sizes, []int{1000, 1000, 500}) || len(ids) != 3 {
		t.Errorf("cut into %v with %d ids, want 1000, 1000 and 500 with 3", sizes, len(ids))
	}
}

func TestNetEffect(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		changes func(w *world) []cdc.Change
		want    []string
	}{
		"REPLACE as delete and insert": {
			func(w *world) []cdc.Change {
				return []cdc.Change{w.remove("users", "id=1 billing_name=a"), w.insert("users", "id=1 billing_name=b")}
			},
			[]string{"customer.save [1]"},
		},
		"REPLACE that changes nothing": {
			func(w *world) []cdc.Change {
				return []cdc.Change{w.remove("users", "id=1 billing_name=a"), w.insert("users", "id=1 billing_name=a")}
			}, nil,
		},
		"an update that moves the key": {
			func(w *world) []cdc.Change { return []cdc.Change{w.update("users", "id=1", "id=2")} },
			[]string{"customer.delete [1]", "customer.save [2] insert"},
		},
		"insert and update": {
			func(w *world) []cdc.Change {
				return []cdc.Change{w.insert("users", "id=1"), w.update("users", "id=1", "id=1 billing_name=b")}
			},
			[]string{"customer.save [1] insert"},
		},
		"came and went": {
			func(w *world) []cdc.Change { return []cdc.Change{w.insert("users", "id=1"), w.remove("users", "id=1")} }, nil,
		},
		"changed and went": {
			func(w *world) []cdc.Change {
				return []cdc.Change{w.update("users", "id=1", "id=1 billing_name=b"), w.remove("users", "id=1 billing_name=b")}
			},
			[]string{"customer.delete [1]"},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, Options{})
			w.tx(0, test.changes(w)...)
			w.want(test.want...)
		})
	}
}

func TestDiscard(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{})
	for _, id := range []string{"id=1", "id=2", "id=3"} {
		c := w.insert("users", id)
		w.engine.Change(&c)
	}
	w.engine.Discard(1) // ROLLBACK TO a savepoint behind the first
	w.tx(0)
	w.want("customer.save [1] insert")
}

func TestRulesDecideAtClosing(t *testing.T) {
	t.Parallel()
	w := newWorld(t, half)
	appointments := w.engine.catalog.byName("appointment")
	w.engine.SetRules(&rules.Set{Rules: []*rules.Rule{
		{Name: "inserts", Action: rules.Action{Entity: appointments, Kind: rules.Save}, Type: rules.InsertOnly},
		{Name: "updates", Action: rules.Action{Entity: appointments, Kind: rules.Save}, Type: rules.UpdateOnly, Statuses: map[string]bool{"C": true}},
		{Name: "elsewhere", Action: rules.Action{Entity: appointments, Kind: rules.Save}, Sites: map[string]bool{"other": true}},
	}})
	names := func() []string {
		var all []string
		for _, ev := range w.closed {
			for _, r := range ev.Rules {
				all = append(all, r.Name)
			}
		}
		w.closed = nil
		return all
	}
	w.tx(0, w.insert("reservation", "id=1 id_employee=1 status=C"))
	w.quiet(1)
	if got := names(); !slices.Equal(got, []string{"inserts"}) {
		t.Errorf("an insert is wanted by %v", got)
	}
	w.tx(2, w.update("reservation", "id=1 status=C notes=a", "id=1 status=C notes=b"))
	w.tx(2, w.update("reservation", "id=2 status=W notes=a", "id=2 status=W notes=b"))
	w.quiet(3)
	if got := names(); !slices.Equal(got, []string{"updates"}) {
		t.Errorf("updates are wanted by %v", got)
	}
	if n, _ := w.engine.Waiting(); n != 1+1 {
		t.Errorf("%d events wait to be loaded, want 2: nobody wants the third", n)
	}
}

func TestCrashes(t *testing.T) {
	t.Parallel()
	id := func(ev *rules.Event) [16]byte { return ev.DeliveryID("source", "rule") }

	t.Run("an open event goes on absorbing", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t, half)
		w.tx(0, w.insert("reservation", "id=1 id_employee=3 status=W"))
		w.tx(0.1, w.update("reservation", "id=1 id_employee=3 status=W", "id=1 id_employee=3 status=W notes=x"))
		w.crash(0.2, true)
		w.tx(0.3, w.update("reservation", "id=1 id_employee=3 status=W notes=x", "id=1 id_employee=3 status=W notes=y"))
		w.quiet(0.9)
		ev := w.closed[0]
		w.want("appointment.save [1] insert status=W")
		if ev.Row.Text(4) != "y" || ev.First.Txn != "0-1-1" || ev.First.Key != "1" || ev.GTID != "0-1-3" {
			t.Errorf("restored as %+v", ev)
		}
	})
	t.Run("a closed event is handed out again under its id", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t, half)
		w.tx(0, w.insert("reservation", "id=1 id_employee=3 status=W"))
		w.quiet(1)
		before := id(w.closed[0])
		w.want("appointment.save [1] insert status=W")
		w.crash(2, false)
		if len(w.closed) != 1 || id(w.closed[0]) != before {
			t.Fatal("the closed event did not come back as it was")
		}
		w.engine.Done(w.closed[0])
		w.store()
		for key := range w.records {
			if key[0] == eventPrefix[0] {
				t.Errorf("record %s is left behind", key)
			}
		}
	})
	t.Run("a waiting status waits on, and a fired one is remembered", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t, half)
		w.tx(0, w.update("reservation", "id=1 id_parent=1 status=W", "id=1 id_parent=1 status=C"))
		w.crash(1, true)
		w.quiet(1.6)
		w.want("appointment.save [1] status=C")
		w.quiet(3.1) // status_wait from the restart
		w.want("appointment.status_change [1] C without a row")
		w.crash(3.2, false)
		w.closed = nil
		w.tx(4, w.insert("order_status", "id=1 id_order=1 status=C type=reservation"))
		w.quiet(9)
		w.want()
	})
	t.Run("order survives", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t, half)
		w.tx(0, w.insert("users", "id=1"), w.insert("users", "id=2"))
		w.quiet(1)
		w.tx(2, w.insert("users", "id=3"))
		w.want("customer.save [1] insert", "customer.save [2] insert")
		w.crash(2.1, false)
		w.quiet(3)
		w.want("customer.save [1] insert", "customer.save [2] insert", "customer.save [3] insert")
	})
}

func TestDeliveryIDs(t *testing.T) {
	t.Parallel()
	w := newWorld(t, half)
	w.tx(0, w.insert("users", "id=1"), w.insert("coupon", "id=1"))
	w.quiet(1)
	a, b := w.closed[0], w.closed[1]
	ids := [][16]byte{
		a.DeliveryID("s", "r"), b.DeliveryID("s", "r"), a.DeliveryID("t", "r"), a.DeliveryID("s", "q"),
	}
	for i := range ids {
		if slices.Contains(ids[:i], ids[i]) {
			t.Errorf("id %d is not its own", i)
		}
	}
	if a.DeliveryID("s", "r") != ids[0] {
		t.Error("an id changed")
	}
}

// A server that was set back to a snapshot gives the same GTIDs again, to other transactions: their times tell them apart.
// Events that were stored before ids took a time in, and those of a backfill, keep the id they had.
func TestDeliveryIDsTellHistoriesApart(t *testing.T) {
	t.Parallel()
	event := func(made time.Time, hash uint64) [16]byte {
		w := newWorld(t, half)
		w.made, w.hash = made, hash
		w.tx(0, w.insert("users", "id=1"))
		w.store()
		w.crash(0.1, false)
		w.quiet(1)
		return w.closed[0].DeliveryID("source", "rule")
	}
	then := time.Unix(1_700_000_000, 123_456_000)
	first := event(then, 1)
	if event(then.Add(time.Microsecond), 1) == first {
		t.Error("two transactions with one GTID give one id")
	}
	if event(then, 2) != first { // a replica logs its rows otherwise, or leaves some out
		t.Error("one transaction gives two ids")
	}
	for stored, want := range map[string]string{
		`"Key":"12"`:                             "317627633749ff9822bd51ff08988a43", // of commit 9ec8472
		`"Key":"12","Hash":18364758544493064720`: "f691fa913598858ea226b6248e2256c9",
	} {
		ev := rules.Event{Action: rules.Action{Kind: rules.Save, Entity: &rules.Entity{Name: "customer"}}}
		if err := json.Unmarshal([]byte(`{"Txn":"0-1-7","Table":{"Schema":"wp","Name":"wp_vikappointments_users"},`+stored+"}"), &ev.First); err != nil {
			t.Fatal(err)
		}
		if got := fmt.Sprintf("%x", ev.DeliveryID("source", "rule")); got != want {
			t.Errorf("an event stored with %s has the id %s, had %s", stored, got, want)
		}
	}
}
