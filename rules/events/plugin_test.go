package events

import (
	"slices"
	"strings"
	"testing"

	"rowhook/cdc"
	"rowhook/rules"
)

// by says which statement wrote changes.
func by(text string, changes ...cdc.Change) []cdc.Change {
	for i := range changes {
		changes[i].Statement = text
	}
	return changes
}

// The statements are those of the recorded cases, cut short.
const (
	insertBooking = "INSERT INTO `wp_vikappointments_reservation` (`id_employee`, `status`, `locked_until`) VALUES ('3', 'W', '5')"
	insertParent  = "INSERT INTO `wp_vikappointments_reservation` (`status`, `locked_until`, `id_parent`) VALUES ('W', '5', '-1')"
	insertZero    = "INSERT INTO `wp_vikappointments_reservation` (`status`, `locked_until`, `id_parent`) VALUES ('W', '5', '0')"
	ownParent     = "UPDATE `wp_vikappointments_reservation` SET `id_parent` = '1' WHERE `id` = '1'"
	saveNotes     = "UPDATE `wp_vikappointments_reservation` SET `notes` = 'b', `locked_until` = '6' WHERE `id` = '1'"
	helperStatus  = "UPDATE `wp_vikappointments_reservation`\nSET `status` = 'X'\nWHERE `id` = '1'"
	typedStatus   = "update wp_vikappointments_reservation set status='C', locked_until=1 where id=1"
	history       = "INSERT INTO `wp_vikappointments_order_status` (`id_order`, `status`, `type`) VALUES ('1', 'W', 'reservation')"
	saveService   = "UPDATE `wp_vikappointments_service` SET `name` = 'b' WHERE `id` = '1'"
	publish       = "UPDATE wp_vikappointments_service\nSET `published` = 1\nWHERE `id` = '1'"
	deleteBooking = "DELETE \nFROM `wp_vikappointments_reservation`\nWHERE `id` IN (3,1,2)"
)

func TestPluginFidelity(t *testing.T) {
	t.Parallel()
	tests := map[string]struct { // named for the rule in FINDINGS
		do   func(w *world)
		want []string
	}{
		"8: a booking is one insert and one status": {
			func(w *world) {
				w.tx(0, by(insertBooking, w.insert("reservation", "id=1 id_employee=3 id_parent=-1 status=W"))...)
				w.tx(0, by(ownParent, w.update("reservation", "id=1 id_employee=3 id_parent=-1 status=W", "id=1 id_employee=3 id_parent=1 status=W"))...)
				w.tx(0, by(history, w.insert("order_status", "id=1 id_order=1 status=W type=reservation"))...)
			},
			[]string{"appointment.save [1] insert status=W", "appointment.status_change [1] W"},
		},
		"5: a parent fires its status only": {
			func(w *world) {
				w.tx(0, by(insertParent, w.insert("reservation", "id=1 id_parent=-1 status=W"))...)
				w.tx(0, by(history, w.insert("order_status", "id=1 id_order=1 status=W type=reservation"))...)
			},
			[]string{"appointment.status_change [1] W"},
		},
		"5: 0 is no parent": {
			func(w *world) { w.tx(0, by(insertZero, w.insert("reservation", "id=1 id_parent=0 status=W"))...) },
			[]string{"appointment.save [1] insert status=W"},
		},
		"8: a save sets locked_until": {
			func(w *world) { w.tx(0, by(saveNotes, w.update("reservation", "id=1 notes=a", "id=1 notes=b"))...) },
			[]string{"appointment.save [1] status="},
		},
		"6: the helper changes the status only": {
			func(w *world) {
				w.tx(0, by(helperStatus, w.update("reservation", "id=1 status=W", "id=1 status=X"))...)
				w.tx(0, by(history, w.insert("order_status", "id=1 id_order=1 status=X type=reservation"))...)
			},
			[]string{"appointment.status_change [1] X"},
		},
		"6: an untracked helper fires nothing": {
			func(w *world) {
				w.tx(0, by(helperStatus, w.update("reservation", "id=1 status=W", "id=1 status=X"))...)
			}, nil,
		},
		"8: raw SQL fires nothing": {
			func(w *world) {
				w.tx(0, by(typedStatus, w.update("reservation", "id=1 status=W", "id=1 status=C"))...)
				w.tx(0, by("", w.insert("users", "id=1"))...)
				w.tx(0, by("delete from wp_vikappointments_users where id in (1)", w.remove("users", "id=1"))...)
			}, nil,
		},
		"8: publishing is no save": {
			func(w *world) { w.tx(0, by(publish, w.update("service", "id=1 name=a", "id=1 name=b"))...) }, nil,
		},
		"8: a model's save": {
			func(w *world) { w.tx(0, by(saveService, w.update("service", "id=1 name=a", "id=1 name=b"))...) },
			[]string{"service.save [1]"},
		},
		"8: options and items are their own": {
			func(w *world) {
				w.tx(0, by("INSERT INTO `wp_vikappointments_res_opt_assoc` (`id_reservation`) VALUES ('1')", w.insert("res_opt_assoc", "id=7 id_reservation=1"))...)
			}, nil,
		},
		"7: deletes are in the order of the list": {
			func(w *world) {
				w.tx(0, by(deleteBooking, w.remove("reservation", "id=1"), w.remove("reservation", "id=2"), w.remove("reservation", "id=3"))...)
			},
			[]string{"appointment.delete [3 1 2]"},
		},
		"a trigger's rows are not the statement's": {
			func(w *world) { w.tx(0, by(saveService, w.insert("users", "id=1"))...) }, nil,
		},
	}
	o := half
	o.Plugin = true
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, o)
			test.do(w)
			w.quiet(9)
			w.want(test.want...)
		})
	}
}

func TestStatementsUnderTheDocumentation(t *testing.T) {
	t.Parallel()
	w := newWorld(t, half)
	w.tx(0, by("insert into wp_vikappointments_reservation (status) values ('W')", w.insert("reservation", "id=1 id_parent=-1 status=W"))...)
	w.tx(0, by(insertParent, w.insert("reservation", "id=2 id_employee=3 id_parent=-1 status=W"))...)
	w.tx(0, by(insertParent, w.remove("coupon", "id=1"), w.remove("coupon", "id=2"))...) // another table's text: the log's order
	w.quiet(1)
	w.want("coupon.delete [1 2]", "appointment.save [1] insert status=W") // without id_parent in the text it is no parent
}

func TestNamedColumns(t *testing.T) {
	t.Parallel()
	columns := worldTables["reservation"]
	named := func(ev *rules.Event) []string {
		var all []string
		for i, is := range ev.Named {
			if is {
				all = append(all, columns[i])
			}
		}
		return all
	}
	w := newWorld(t, half)
	w.tx(0, by(saveNotes, w.update("reservation", "id=1 notes=a", "id=1 notes=b"))...)
	w.tx(0.1, by(helperStatus, w.update("reservation", "id=1 notes=b", "id=1 notes=b status=X"))...)
	w.crash(0.2, true)
	w.tx(0.3, by(saveNotes, w.update("reservation", "id=1 notes=b status=X", "id=1 notes=c status=X"))...)
	w.tx(0.3, by(saveNotes, w.update("reservation", "id=2 notes=a", "id=2 notes=b"))...)
	w.tx(0.3, w.update("reservation", "id=2 notes=b", "id=2 notes=c"))
	w.quiet(5)
	var saves []*rules.Event
	for _, ev := range w.closed {
		if ev.Action.Kind == rules.Save {
			saves = append(saves, ev)
		}
	}
	if got := named(saves[0]); !slices.Equal(got, []string{"status", "locked_until", "notes"}) {
		t.Errorf("merged saves name %v", got)
	}
	if saves[1].Named != nil {
		t.Errorf("a save whose text is not known still names %v", named(saves[1]))
	}
}

// Of two saves in one page request the plugin takes the columns together of orders, which drop what is null; of other
// objects the later save's nulls replace what the first was given (FINDINGS 4).
func TestNamedByLaterSaves(t *testing.T) {
	t.Parallel()
	const (
		nameService  = "UPDATE `wp_vikappointments_service` SET `name` = 'b' WHERE `id` = '1'"
		orderService = "UPDATE `wp_vikappointments_service` SET `ordering` = '127' WHERE `id` = '1'"
		makeService  = "INSERT INTO `wp_vikappointments_service` (`name`, `ordering`) VALUES ('b', '300')"
		savePack     = "UPDATE `wp_vikappointments_package_order` SET `status` = 'C' WHERE `id` = '1'"
		costPack     = "UPDATE `wp_vikappointments_package_order` SET `total_cost` = '5' WHERE `id` = '1'"
	)
	for name, test := range map[string]struct {
		do             func(w *world)
		plugin, others string
	}{
		"update, update": {
			func(w *world) {
				w.tx(0, by(nameService, w.update("service", "id=1 name=a ordering=1", "id=1 name=b ordering=1"))...)
				w.tx(0, by(orderService, w.update("service", "id=1 name=b ordering=1", "id=1 name=b ordering=127"))...)
			},
			"ordering", "name",
		},
		"in one transaction": {
			func(w *world) {
				w.tx(0, append(by(nameService, w.update("service", "id=1 name=a ordering=1", "id=1 name=b ordering=1")),
					by(orderService, w.update("service", "id=1 name=b ordering=1", "id=1 name=b ordering=127"))...)...)
			},
			"ordering", "name",
		},
		"insert, update": {
			func(w *world) {
				w.tx(0, by(makeService, w.insert("service", "id=1 name=b ordering=127"))...)
				w.tx(0, by(nameService, w.update("service", "id=1 name=b ordering=127", "id=1 name=b ordering=127"))...)
			},
			"insert name", "insert name ordering",
		},
		"an order": {
			func(w *world) {
				w.tx(0, by(savePack, w.update("package_order", "id=1 status=W", "id=1 status=C"))...)
				w.tx(0, by(costPack, w.update("package_order", "id=1 status=C total_cost=1", "id=1 status=C total_cost=5"))...)
			},
			"status total_cost", "status total_cost",
		},
	} {
		for _, plugin := range []bool{false, true} {
			o := half
			o.Plugin = plugin
			w := newWorld(t, o)
			test.do(w)
			w.quiet(5)
			ev, want := w.closed[0], test.others
			if plugin {
				want = test.plugin
			}
			var got []string
			if ev.Insert {
				got = append(got, "insert")
			}
			for i, is := range ev.Named {
				if is {
					got = append(got, ev.Table.Columns[i])
				}
			}
			if strings.Join(got, " ") != want || len(ev.Passed) > 0 {
				t.Errorf("%s, plugin %t: %v, passed %v, want %s", name, plugin, got, ev.Passed, want)
			}
		}
	}
}

func TestPluginStatuses(t *testing.T) { // FINDINGS 2: basic looks at what was saved, the others at the object
	t.Parallel()
	o := half
	o.Plugin = true
	w := newWorld(t, o)
	statuses := map[string]bool{"C": true}
	save := rules.Action{Entity: w.engine.catalog.byName("appointment"), Kind: rules.Save}
	w.engine.SetRules(&rules.Set{Rules: []*rules.Rule{
		{Name: "basic", Action: save, Load: rules.Basic, Statuses: statuses}, {Name: "full", Action: save, Load: rules.Full, Statuses: statuses},
	}})
	w.tx(0, by(saveNotes, w.update("reservation", "id=1 status=C notes=a", "id=1 status=C notes=b"))...)
	w.tx(0, by("UPDATE `wp_vikappointments_reservation` SET `status` = 'C', `locked_until` = '6' WHERE `id` = '2'",
		w.update("reservation", "id=2 status=W", "id=2 status=C"))...)
	w.quiet(1)
	var got []string
	for _, ev := range w.closed {
		for _, r := range ev.Rules {
			got = append(got, r.Name+string(ev.IDs[0]))
		}
	}
	if want := []string{"full1", "basic2", "full2"}; !slices.Equal(got, want) {
		t.Errorf("wanted by %v, want %v", got, want)
	}
}
