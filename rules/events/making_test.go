package events

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"rowhook/cdc"
)

// step is a statement of a page request that makes an order.
type step struct {
	order  string // whose events must show it: appointment 1
	change func(w *world) []cdc.Change
}

// The statements in the plugin's form, cut short.
const (
	childSQL   = "INSERT INTO `wp_vikappointments_reservation` (`id_employee`, `status`, `locked_until`, `id_parent`) VALUES ('3', 'W', '5', '1')"
	optionSQL  = "INSERT INTO `wp_vikappointments_res_opt_assoc` (`id_reservation`) VALUES ('1')"
	packageSQL = "INSERT INTO `wp_vikappointments_package_order` (`status`) VALUES ('W')"
	itemSQL    = "INSERT INTO `wp_vikappointments_package_order_item` (`id_order`) VALUES ('1')"
	closureSQL = "INSERT INTO `wp_vikappointments_reservation` (`id_employee`, `locked_until`, `closure`) VALUES ('3', '5', '1')"
)

func one(text, table, row string) func(w *world) []cdc.Change {
	return func(w *world) []cdc.Change { return by(text, w.insert(table, row)) }
}

func statusRow(n, order int, kind string) func(w *world) []cdc.Change {
	return one(history, "order_status", fmt.Sprintf("id=%d id_order=%d status=W type=%s", n, order, kind))
}

// singleBooking is an appointment with two options.
func singleBooking() []step {
	const row = "id=1 id_employee=3 status=W locked_until=5 id_parent="
	return []step{
		{"1", one(insertBooking, "reservation", row+"-1")},
		{"1", func(w *world) []cdc.Change { return by(ownParent, w.update("reservation", row+"-1", row+"1")) }},
		{"1", one(optionSQL, "res_opt_assoc", "id=1 id_reservation=1")},
		{"1", one(optionSQL, "res_opt_assoc", "id=2 id_reservation=1")},
		{"1", statusRow(1, 1, "reservation")},
	}
}

// multiBooking is a multi-order with so many appointments, of which the odd ones have an option.
func multiBooking(children int) []step {
	steps := []step{
		{"1", one(insertParent, "reservation", "id=1 status=W locked_until=5 id_parent=-1")},
		{"1", statusRow(1, 1, "reservation")},
	}
	for id := 2; id < 2+children; id++ {
		child := fmt.Sprint(id)
		steps = append(steps, step{child, one(childSQL, "reservation", fmt.Sprintf("id=%d id_employee=3 status=W locked_until=5 id_parent=1", id))})
		if id%2 == 1 {
			steps = append(steps, step{child, one(optionSQL, "res_opt_assoc", fmt.Sprintf("id=%d id_reservation=%[1]d", id))})
		}
		steps = append(steps, step{child, statusRow(id, id, "reservation")})
	}
	return steps
}

func packageOrder() []step {
	return []step{
		{"1", one(packageSQL, "package_order", "id=1 status=W")},
		{"1", one(itemSQL, "package_order_item", "id=1 id_order=1")},
		{"1", one(itemSQL, "package_order_item", "id=2 id_order=1")},
		{"1", statusRow(1, 1, "package_order")},
	}
}

// TestSlowSite makes orders with seconds between their statements: every event is told once, and not before all that
// belongs to its order is there.
func TestSlowSite(t *testing.T) {
	t.Parallel()
	want := map[string][]string{
		"single":  {"appointment.save [1] insert", "appointment.status_change [1] W"},
		"package": {"package_order.save [1] insert", "package_order.status_change [1] W"},
		"multi":   {"appointment.status_change [1] W"},
	}
	for id := 2; id <= 11; id++ {
		want["multi"] = append(want["multi"], fmt.Sprintf("appointment.save [%d] insert", id), fmt.Sprintf("appointment.status_change [%d] W", id))
	}
	slices.Sort(want["multi"])
	orders := map[string][]step{"single": singleBooking(), "multi": multiBooking(10), "package": packageOrder()}
	random := rand.New(rand.NewPCG(1, 2))
	pauses := map[string]func(behind cdc.Change) float64{
		"0.01 s": func(cdc.Change) float64 { return 0.01 }, "1 s": func(cdc.Change) float64 { return 1 }, "3 s": func(cdc.Change) float64 { return 3 },
		"any": func(cdc.Change) float64 { return 0.3 + 2.7*random.Float64() },
		"a hook that is slow at every save": func(c cdc.Change) float64 {
			if c.Op == cdc.Insert && c.Table.Index("locked_until") >= 0 {
				return 0.9
			}
			return 0.01
		},
	}
	for name, steps := range orders {
		for pause, next := range pauses {
			for _, plugin := range []bool{false, true} {
				for _, texts := range []bool{plugin, true} {
					for _, precision := range []time.Duration{time.Microsecond, time.Second} {
						for _, backlog := range []bool{false, true} {
							for _, crashes := range []bool{false, true} {
								o := half
								o.Plugin, o.Precision = plugin, precision
								what := fmt.Sprintf("%s, pause %s, plugin %t, texts %t, precision %s, backlog %t, crashes %t", name, pause, plugin, texts, precision, backlog, crashes)
								m := maker{w: newWorld(t, o), texts: texts, backlog: backlog, crashes: crashes, pause: next}
								m.run(what, steps, want[name])
							}
						}
					}
				}
			}
		}
	}
}

// maker makes an order slowly.
type maker struct {
	w                       *world
	texts, backlog, crashes bool
	pause                   func(behind cdc.Change) float64
}

func (m *maker) run(what string, steps []step, want []string) {
	w, at := m.w, 0.0
	last := map[string]int{} // the step that is the last of an order
	for i, s := range steps {
		last[s.order] = i
	}
	last["1"] = max(last["1"], len(steps)-1) // a multi-order shows its children
	var got []string
	take := func(step int) {
		for _, ev := range w.closed {
			line, _, _ := strings.Cut(summary(ev), " status=")
			got = append(got, line)
			if id := fmt.Sprint(ev.IDs[0]); step < last[id] {
				w.t.Errorf("%s: %s is told behind step %d of %d", what, line, step, last[id])
			}
			w.engine.Done(ev)
		}
		w.closed = nil
	}
	var changes []cdc.Change
	for i, s := range steps {
		if i > 0 {
			at = m.wait(at, at+m.pause(changes[0]), func() { take(i - 1) })
		}
		changes = s.change(w)
		if !m.texts {
			by("", changes...)
		}
		if m.backlog {
			w.txRead(at, 1000, changes...)
		} else {
			w.tx(at, changes...)
		}
		take(i)
		if m.crashes {
			if m.backlog {
				w.crash(1000, false)
			} else {
				w.crash(at, false)
			}
		}
	}
	w.quiet(at + 1010)
	take(len(steps))
	slices.Sort(got)
	if !slices.Equal(got, want) {
		w.t.Errorf("%s: told\n  %s\nwant\n  %s", what, strings.Join(got, "\n  "), strings.Join(want, "\n  "))
	}
	for key := range w.storedNow() {
		if key[:1] != tablePrefix {
			w.t.Errorf("%s: record %s is left", what, key)
		}
	}
}

// wait lets a pause pass, during which others write and the clock runs.
func (m *maker) wait(at, end float64, take func()) float64 {
	const tick = 0.45
	for ; at+tick < end; at += tick {
		if m.backlog {
			m.w.txRead(at, 1000)
		} else {
			m.w.quiet(at)
			m.w.tx(at)
		}
		take()
	}
	return end
}

// storedNow stores and returns what is stored.
func (w *world) storedNow() map[string]Record {
	w.store()
	return w.records
}

// TestFollowUpsThatDoNotCome closes orders at the right time: at once when it can be told that nothing follows, soon
// when all has come, and after coalesce_max when not.
func TestFollowUpsThatDoNotCome(t *testing.T) {
	t.Parallel()
	const booking = "id=1 id_employee=3 status=W locked_until=5 id_parent=-1"
	tests := map[string]struct {
		do   func(w *world)
		open float64 // it is open until then
	}{
		"a page request that died":              {func(w *world) { w.tx(0, by(insertBooking, w.insert("reservation", booking))...) }, 5},
		"without a text, as the plugin":         {func(w *world) { w.tx(0, w.insert("reservation", booking)) }, 5},
		"without a text, and no lock was taken": {func(w *world) { w.tx(0, w.insert("reservation", "id=1 id_employee=3 id_parent=-1")) }, 0.5},
		"a closure":                             {func(w *world) { w.tx(0, by(closureSQL, w.insert("reservation", booking+" closure=1"))...) }, 0.5},
		"a closure without a text":              {func(w *world) { w.tx(0, w.insert("reservation", booking+" closure=1")) }, 0.5},
		"typed SQL": {func(w *world) {
			w.tx(0, by("insert into wp_vikappointments_reservation (status) values ('W')", w.insert("reservation", booking))...)
		}, 0.5},
		"several rows of one INSERT":              {func(w *world) { w.tx(0, by(insertBooking+", ('3', 'W', '5')", w.insert("reservation", booking))...) }, 0.5},
		"LOAD DATA, a trigger, what is not known": {func(w *world) { w.tx(0, by("LOAD DATA INFILE 'x' INTO TABLE y", w.insert("reservation", booking))...) }, 0.5},
		"a copy, with its own id as parent":       {func(w *world) { w.tx(0, w.insert("reservation", "id=1 id_employee=3 locked_until=5 id_parent=1")) }, 0.5},
		"all of it in one transaction": {func(w *world) {
			w.tx(0, w.insert("reservation", booking), w.insert("res_opt_assoc", "id=7 id_reservation=1"), w.insert("order_status", "id=1 id_order=1 status=W type=reservation"))
		}, 0.5},
		"all of it": {func(w *world) {
			for i, s := range singleBooking() {
				w.tx(float64(i), s.change(w)...)
			}
		}, 4.5},
		"updates that never end": {func(w *world) {
			w.tx(0, by(insertBooking, w.insert("reservation", booking))...)
			for at := 4.0; at < 400; at += 4 {
				w.tx(at, w.update("reservation", booking+" notes=a", booking+" notes=b"))
			}
		}, 300},
		"another entity": {func(w *world) { w.tx(0, w.insert("coupon", "id=1")) }, 0.5},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, half)
			test.do(w)
			if n := len(w.closed); n > 0 && test.open < 100 {
				t.Fatalf("%d events closed at once", n)
			}
			w.quiet(test.open - 0.05)
			if n := len(w.closed); n > 0 && test.open < 100 {
				t.Errorf("%d events closed too early", n)
			}
			w.quiet(test.open + 0.05)
			if len(w.closed) == 0 {
				t.Error("it is still open")
			}
		})
	}
}

// TestLateFollowUps lets them come when the window is over: they are updates, and nothing is lost.
func TestLateFollowUps(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{Coalesce: 500 * time.Millisecond, CoalesceMax: time.Second, StatusWait: 2 * time.Second})
	for i, s := range singleBooking() {
		w.quiet(float64(2*i) - 0.1)
		w.tx(float64(2*i), s.change(w)...)
	}
	w.quiet(60)
	w.want("appointment.save [1] insert status=W", "appointment.save [1] without a row", "appointment.save [1] without a row", "appointment.status_change [1] W")
}

// TestDeleteOfAnOrderInTheMaking ends its making: what comes under its id is another order.
func TestDeleteOfAnOrderInTheMaking(t *testing.T) {
	t.Parallel()
	w := newWorld(t, half)
	for _, s := range multiBooking(1)[:2] {
		w.tx(0, s.change(w)...)
	}
	w.tx(0, w.remove("reservation", "id=1"))
	w.want("appointment.status_change [1] W", "appointment.delete [1]")
	w.tx(1, w.update("reservation", "id=1 notes=a", "id=1 notes=b"))
	w.quiet(1.6)
	w.want("appointment.save [1] status=")
	if len(w.engine.windows.open.queues) != 0 || w.engine.windows.unsent.openBytes+w.engine.windows.makings.bytes != 0 {
		t.Errorf("%d queues are left, of %d bytes", len(w.engine.windows.open.queues), w.engine.windows.unsent.openBytes)
	}
}
