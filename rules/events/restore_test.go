package events

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"rowhook/cdc"
	"rowhook/rules"
)

// The statements that restores are made of.
const (
	dumpSQL      = "INSERT INTO `wp_vikappointments_reservation` VALUES (1,3,'W'),(2,3,'C')"
	backupSQL    = "INSERT INTO `wp_vikappointments_users` (`id`, `billing_name`) VALUES ('1', 'Zoe')"
	importSQL    = "INSERT INTO wp_vikappointments_users (billing_name) VALUES ('a'), ('b')"
	typedSQL     = "INSERT INTO wp_vikappointments_users (billing_name) VALUES ('a')"
	saveCustomer = "INSERT INTO `wp_vikappointments_users` (`billing_name`) VALUES ('Zoe')"
)

// drop commits what a dump begins with: DROP TABLE, CREATE TABLE.
func (w *world) drop(seconds float64, tables ...string) {
	for _, t := range tables {
		w.statement(seconds, &cdc.Commit{Emptied: []cdc.Emptied{{Table: w.site.Table(t), Statement: "DROP TABLE"}}})
		w.statement(seconds, &cdc.Commit{Created: []cdc.TableName{w.site.Table(t)}})
	}
}

// stamp is a time as the plugin stores it.
func (w *world) stamp(seconds float64) string {
	return "createdon=" + w.at(seconds).Format("2006-01-02_15:04:05")
}

func TestRestores(t *testing.T) {
	t.Parallel()
	const windowed = "a booking meanwhile, when no text is known" // its option is known by the open order
	const copied = "id_employee=3 locked_until=5 status=C id_parent="
	rows := func(w *world, at float64, text string) {
		w.tx(at, by(text, w.insert("reservation", "id=1 "+copied+"1"), w.insert("reservation", "id=2 "+copied+"2"))...)
	}
	tests := map[string]struct {
		do   func(w *world)
		want []string
	}{
		"a dump, its history, and its parts": {
			func(w *world) {
				w.drop(0, "order_status", "res_opt_assoc", "reservation")
				w.tx(0.1, by("INSERT INTO `wp_vikappointments_order_status` VALUES (1)", w.insert("order_status", "id=1 id_order=1 status=C type=reservation "+w.stamp(-1)))...)
				w.tx(0.2, w.insert("res_opt_assoc", "id=1 id_reservation=1"), w.insert("res_opt_assoc", "id=2 id_reservation=1"))
				rows(w, 0.3, dumpSQL)
			},
			[]string{"rowhook.restored [0] map[order_status:1 res_opt_assoc:2 reservation:2]"},
		},
		"one that takes long is one": {
			func(w *world) {
				w.drop(0, "reservation", "users")
				for i := range 20 {
					at := float64(i) * 9
					w.quiet(at)
					w.tx(at, by(dumpSQL, w.insert("reservation", fmt.Sprintf("id=%d %s%[1]d", i+1, copied)))...)
				}
			},
			[]string{"rowhook.restored [0] map[reservation:20]"},
		},
		"a row by a row, of which no text is known": {
			func(w *world) {
				w.drop(0, "users", "reservation")
				for i := range 3 {
					w.tx(float64(i), w.insert("users", fmt.Sprintf("id=%d", i+1)))
					w.tx(float64(i), w.insert("reservation", fmt.Sprintf("id=%d %s%[1]d %s", i+1, copied, w.stamp(-30))))
				}
			},
			[]string{"rowhook.restored [0] map[reservation:3 users:3]"},
		},
		"the plugin's backup of a table with one row": {
			func(w *world) { w.drop(0, "users"); w.tx(0.1, by(backupSQL, w.insert("users", "id=1"))...) },
			[]string{"rowhook.restored [0] map[users:1]"},
		},
		"an import without ids into an emptied table": {
			func(w *world) {
				w.emptied("users")
				w.tx(1.1, by(importSQL, w.insert("users", "id=1"), w.insert("users", "id=2"))...)
			},
			[]string{"rowhook.restored [0] map[users:2]"},
		},
		"a copy of a table while it is made": {
			func(w *world) {
				c := w.insert("users", "id=1")
				if err := w.engine.Change(&c); err != nil {
					w.t.Fatal(err)
				}
				w.statement(0, &cdc.Commit{Created: []cdc.TableName{w.site.Table("users")}, Rows: 1})
			},
			[]string{"rowhook.restored [0] map[users:1]"},
		},
		"another table is news": {
			func(w *world) { w.drop(0, "reservation"); w.tx(0.1, by(importSQL, w.insert("users", "id=1"))...) },
			[]string{"customer.save [1] insert"},
		},
		"a customer who comes meanwhile": {
			func(w *world) {
				w.drop(0, "users")
				w.tx(0.1, by(backupSQL, w.insert("users", "id=1"))...)
				w.tx(0.2, by(saveCustomer, w.insert("users", "id=2"))...)
				w.tx(0.3, by(typedSQL, w.insert("users", "id=3"))...)
				w.tx(0.4, by(backupSQL, w.insert("users", "id=4"))...)
			},
			[]string{"customer.save [2] insert", "customer.save [3] insert", "rowhook.restored [0] map[users:2]"},
		},
		"the first customer, when no text is known": {
			func(w *world) { w.drop(0, "users"); w.tx(5.5, w.insert("users", "id=1")) },
			[]string{"customer.save [1] insert"},
		},
		windowed: {
			func(w *world) {
				w.drop(0, "order_status", "res_opt_assoc", "reservation")
				rows(w, 0.1, "")
				w.tx(0.2, w.insert("reservation", "id=3 "+copied+"-1 "+w.stamp(0)))
				w.tx(0.3, w.insert("res_opt_assoc", "id=1 id_reservation=3"))
				w.tx(0.4, w.insert("order_status", "id=1 id_order=3 status=C type=reservation "+w.stamp(0)))
			},
			[]string{"appointment.save [3] insert status=C", "appointment.status_change [3] C", "rowhook.restored [0] map[reservation:2]"},
		},
		"the last status before it comes back alone": {
			func(w *world) {
				w.tx(0, w.insert("reservation", "id=1 "+copied+"-1 "+w.stamp(0)))
				w.tx(0.1, w.insert("order_status", "id=1 id_order=1 status=C type=reservation "+w.stamp(0)))
				w.drop(0.2, "order_status", "reservation")
				w.tx(0.3, w.insert("order_status", "id=1 id_order=1 status=C type=reservation "+w.stamp(0)))
				w.tx(0.4, w.insert("reservation", "id=1 "+copied+"1 "+w.stamp(0)))
				w.tx(1, w.insert("order_status", "id=2 id_order=1 status=P type=reservation "+w.stamp(1)))
			},
			[]string{
				"appointment.save [1] insert status=C", "appointment.status_change [1] C", "appointment.status_change [1] P",
				"rowhook.restored [0] map[order_status:1 reservation:1]",
			},
		},
		"in one transaction, too": {
			func(w *world) {
				w.drop(0, "order_status", "res_opt_assoc", "reservation")
				w.tx(0.2, w.insert("reservation", "id=3 "+copied+"3 "+w.stamp(0)),
					w.insert("order_status", "id=1 id_order=3 status=C type=reservation "+w.stamp(0)))
				w.tx(0.3, w.insert("reservation", "id=4 "+copied+"-1 "+w.stamp(0)),
					w.insert("order_status", "id=2 id_order=4 status=C type=reservation "+w.stamp(0)))
			},
			[]string{"appointment.save [4] insert status=C", "appointment.status_change [4] C", "rowhook.restored [0] map[order_status:1 reservation:1]"},
		},
		"a restore that comes too late is an import": {
			func(w *world) { w.drop(0, "reservation"); rows(w, 601, dumpSQL) },
			[]string{"appointment.save [1] insert status=C", "appointment.save [2] insert status=C"},
		},
		"an import after a restore": {
			func(w *world) {
				w.drop(0, "users")
				w.tx(0.1, by(backupSQL, w.insert("users", "id=1"))...)
				w.tx(65, by(importSQL, w.insert("users", "id=2"), w.insert("users", "id=3"))...)
			},
			[]string{"rowhook.restored [0] map[users:1]", "customer.save [2] insert", "customer.save [3] insert"},
		},
		"updates and deletes are news": {
			func(w *world) {
				w.drop(0, "users")
				w.tx(0.1, by(backupSQL, w.insert("users", "id=1"), w.insert("users", "id=2"))...)
				w.tx(0.2, w.update("users", "id=1 billing_name=a", "id=1 billing_name=b"))
				w.tx(0.3, w.remove("users", "id=2"))
			},
			[]string{"customer.delete [2]", "customer.save [1]", "rowhook.restored [0] map[users:2]"},
		},
		"nothing came back": {func(w *world) { w.drop(0, "users", "reservation") }, nil},
		"partitions that went": {
			func(w *world) {
				w.statement(0, &cdc.Commit{Emptied: []cdc.Emptied{{Table: w.site.Table("users"), Statement: "ALTER TABLE ... DROP PARTITION"}}})
				w.tx(0.1, by(importSQL, w.insert("users", "id=1"), w.insert("users", "id=2"))...)
			},
			[]string{"customer.save [1] insert", "customer.save [2] insert"},
		},
	}
	for name, test := range tests {
		for _, coalesce := range []time.Duration{half.Coalesce, 0} {
			if coalesce == 0 && name == windowed {
				continue
			}
			for _, crashes := range []bool{false, true} {
				t.Run(fmt.Sprintf("%s, coalesce %s, crashes %t", name, coalesce, crashes), func(t *testing.T) {
					t.Parallel()
					o := half
					o.Coalesce = coalesce
					w := newWorld(t, o)
					w.crashes = crashes
					test.do(w)
					w.quiet(700)
					w.wantSet(test.want)
				})
			}
		}
	}
}

// wantSet compares what closed, in any order.
func (w *world) wantSet(lines []string) {
	w.t.Helper()
	var got []string
	for _, ev := range w.closed {
		got = append(got, summary(ev))
	}
	slices.Sort(got)
	lines = slices.Sorted(slices.Values(lines))
	if !slices.Equal(got, lines) {
		w.t.Errorf("closed %q, want %q", got, lines)
	}
}

// TestReportedRestores has each row of a restore, old history too.
func TestReportedRestores(t *testing.T) {
	t.Parallel()
	o := half
	o.ReportAll = true
	w := newWorld(t, o)
	w.drop(0, "users", "order_status")
	w.tx(0.1, by(backupSQL, w.insert("users", "id=1"), w.insert("users", "id=2"))...)
	w.tx(0.1, w.insert("order_status", "id=1 id_order=1 status=C type=reservation "+w.stamp(-90000)))
	w.quiet(60)
	w.want("customer.save [1] insert", "customer.save [2] insert", "appointment.status_change [1] C")
}

// TestRestoresUnderPlugin has nothing of a restore, and all that the plugin's models write.
func TestRestoresUnderPlugin(t *testing.T) {
	t.Parallel()
	o := half
	o.Plugin = true
	for _, o.ReportAll = range []bool{false, true} {
		w := newWorld(t, o)
		w.engine.SetRules(&rules.Set{Rules: w.set.Rules[:len(w.set.Rules)-1]}) // but restores themselves
		w.drop(0, "users", "reservation", "order_status")
		w.tx(0.1, by(dumpSQL, w.insert("reservation", "id=1 id_employee=3 id_parent=1"), w.insert("reservation", "id=2 id_employee=3 id_parent=2"))...)
		w.tx(0.1, by("INSERT INTO `wp_vikappointments_order_status` VALUES (1)", w.insert("order_status", "id=1 id_order=1 status=C type=reservation"))...)
		w.tx(0.2, by(saveCustomer, w.insert("users", "id=1"))...)
		w.quiet(60)
		w.want("customer.save [1] insert")
	}
}

func TestOldHistory(t *testing.T) {
	t.Parallel()
	w := newWorld(t, half)
	for i, made := range []string{w.stamp(-86500), w.stamp(-86000), w.stamp(90000), "createdon=0000-00-00_00:00:00", "createdon=never", ""} {
		w.tx(0, w.insert("order_status", fmt.Sprintf("id=%d id_order=%[1]d status=C type=reservation %s", i, made)))
	}
	w.quiet(60)
	w.want("appointment.status_change [1] C", "appointment.status_change [2] C", "appointment.status_change [3] C",
		"appointment.status_change [4] C", "appointment.status_change [5] C")
}
