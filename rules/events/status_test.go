package events

import (
	"fmt"
	"testing"
	"time"
)

func TestStatuses(t *testing.T) {
	t.Parallel()
	change := func(w *world, at float64, from, to string) {
		w.tx(at, w.update("reservation", "id=1 id_parent=1 status="+from, "id=1 id_parent=1 status="+to))
	}
	history := func(w *world, at float64, id int, status string) {
		w.tx(at, w.insert("order_status", fmt.Sprintf("id=%d id_order=1 status=%s type=reservation", id, status)))
	}
	tests := map[string]struct {
		do   func(w *world)
		want []string
	}{
		"the row takes the column's place": {
			func(w *world) { change(w, 0, "W", "C"); history(w, 0.1, 1, "C"); w.quiet(9) },
			[]string{"appointment.save [1] status=C", "appointment.status_change [1] C"},
		},
		"no row comes": {
			func(w *world) { change(w, 0, "W", "C"); w.quiet(1.9); w.quiet(2.1) },
			[]string{"appointment.save [1] status=C", "appointment.status_change [1] C without a row"},
		},
		"a row that comes too late stays silent": {
			func(w *world) { change(w, 0, "W", "C"); w.quiet(3); history(w, 4, 1, "C"); w.quiet(9) },
			[]string{"appointment.save [1] status=C", "appointment.status_change [1] C without a row"},
		},
		"and only once": {
			func(w *world) {
				change(w, 0, "W", "C")
				w.quiet(3)
				history(w, 4, 1, "C")
				history(w, 5, 2, "C")
				w.quiet(9)
			},
			[]string{"appointment.save [1] status=C", "appointment.status_change [1] C without a row", "appointment.status_change [1] C"},
		},
		"the memory fades in an hour": {
			func(w *world) { change(w, 0, "W", "C"); w.quiet(3); history(w, 3700, 1, "C"); w.quiet(3800) },
			[]string{"appointment.save [1] status=C", "appointment.status_change [1] C without a row", "appointment.status_change [1] C"},
		},
		"later events wait behind a waiting status": {
			func(w *world) {
				change(w, 0, "W", "C")
				w.quiet(0.6)
				w.tx(1, w.update("reservation", "id=1 status=C notes=a", "id=1 status=C notes=b"))
				w.quiet(1.9)
				w.quiet(2.1)
			},
			[]string{"appointment.save [1] status=C", "appointment.status_change [1] C without a row", "appointment.save [1] status=C"},
		},
		"what waits behind it is merged no longer than in time": {
			func(w *world) {
				change(w, 0, "W", "C")
				w.tx(1, w.update("reservation", "id=1 status=C notes=a", "id=1 status=C notes=b"))
				w.tx(1.3, w.update("reservation", "id=1 status=C notes=b", "id=1 status=C notes=c"))
				w.tx(1.9, w.update("reservation", "id=1 status=C notes=c", "id=1 status=C notes=d"))
				w.quiet(9)
			},
			[]string{
				"appointment.save [1] status=C", "appointment.status_change [1] C without a row",
				"appointment.save [1] status=C", "appointment.save [1] status=C",
			},
		},
		"rows are never merged": {
			func(w *world) { history(w, 0, 1, "C"); history(w, 0.1, 2, "C"); w.quiet(9) },
			[]string{"appointment.status_change [1] C", "appointment.status_change [1] C"},
		},
		"a row before its column": {
			func(w *world) { history(w, 0, 1, "C"); change(w, 0.1, "W", "C"); w.quiet(9) },
			[]string{"appointment.status_change [1] C", "appointment.save [1] status=C"},
		},
		"a delete ends the waiting": {
			func(w *world) { change(w, 0, "W", "C"); w.tx(0.2, w.remove("reservation", "id=1")); w.quiet(9) },
			[]string{"appointment.save [1] status=C", "appointment.status_change [1] C without a row", "appointment.delete [1]"},
		},
		"subscriptions have no rule": {
			func(w *world) {
				w.tx(0, w.insert("order_status", "id=1 id_order=1 status=C type=subscr_order"))
				w.quiet(9)
			}, nil,
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, half)
			test.do(w)
			w.want(test.want...)
		})
	}
}

func TestStatusWaitsWithoutCoalescing(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{StatusWait: 2 * time.Second})
	w.tx(0, w.update("package_order", "id=1 status=W", "id=1 status=C"))
	w.want("package_order.save [1] status=C")
	w.tx(0.1, w.update("package_order", "id=1 status=C total_cost=1", "id=1 status=C total_cost=2"))
	w.tx(0.2, w.update("package_order", "id=1 status=C total_cost=2", "id=1 status=C total_cost=3"))
	w.want()
	w.tx(0.3, w.insert("order_status", "id=5 id_order=1 status=C type=package_order"))
	w.want("package_order.status_change [1] C", "package_order.save [1] status=C", "package_order.save [1] status=C")
}
