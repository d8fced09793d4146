package events

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"rowhook/cdc"
	"rowhook/rules/netting"
	"rowhook/scratch"
)

// What several statements do to a row is the same event, and its basic payload names the same columns, whether each has a
// transaction of its own or all have one, which may be so large that it lies in files.
func TestStatementsOfOneTransaction(t *testing.T) {
	t.Parallel()
	const (
		made  = "id=1 id_employee=3 id_parent=-1 status=W locked_until=5"
		own   = "id=1 id_employee=3 id_parent=1 status=W locked_until=5"
		noted = "id=1 id_employee=3 id_parent=1 status=W locked_until=6 notes=b"
		gone  = "id=1 id_employee=3 id_parent=1 status=X locked_until=6 notes=b"
	)
	insert := func(w *world) []cdc.Change { return by(insertBooking, w.insert("reservation", made)) }
	parent := func(w *world) []cdc.Change { return by(ownParent, w.update("reservation", made, own)) }
	notes := func(w *world) []cdc.Change { return by(saveNotes, w.update("reservation", own, noted)) }
	status := func(w *world) []cdc.Change { return by(helperStatus, w.update("reservation", noted, gone)) }
	remove := func(row string) func(w *world) []cdc.Change {
		return func(w *world) []cdc.Change { return by(deleteBooking, w.remove("reservation", row)) }
	}
	tests := map[string][]func(w *world) []cdc.Change{
		"a booking":                       {insert, parent},
		"a booking that is saved again":   {insert, parent, notes},
		"a save, then the helper":         {notes, status},
		"a save, then a delete":           {notes, remove(noted)},
		"a booking that is deleted again": {insert, parent, remove(own)},
	}
	for name, statements := range tests {
		for _, plugin := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, plugin %t", name, plugin), func(t *testing.T) {
				t.Parallel()
				want := appointments(t, plugin, false, statements, func(w *world, changes [][]cdc.Change) {
					for _, c := range changes {
						w.tx(0, c...)
					}
				})
				if strings.HasSuffix(name, "then a delete") { // the save is gone with its row
					want = want[1:]
				} else if strings.HasSuffix(name, "deleted again") {
					want = nil
				}
				for _, large := range []bool{false, true} {
					got := appointments(t, plugin, large, statements, func(w *world, changes [][]cdc.Change) {
						all := slices.Concat(changes...)
						if large {
							all = append(all, w.insert("coupon", "id=9 code="+strings.Repeat("x", netting.MaxGathered)))
						}
						w.tx(0, all...)
					})
					if !slices.Equal(got, want) {
						t.Errorf("in one transaction, large %t:\n  %s\none by one:\n  %s", large, strings.Join(got, "\n  "), strings.Join(want, "\n  "))
					}
				}
			})
		}
	}
}

// appointments are the events of appointments that statements make, with the columns that they name.
func appointments(t *testing.T, plugin, large bool, statements []func(*world) []cdc.Change, write func(*world, [][]cdc.Change)) []string {
	t.Helper()
	opts := half
	opts.Plugin = plugin
	if large {
		opts.Scratch = scratch.In(t.TempDir())
	}
	w := newWorld(t, opts)
	var changes [][]cdc.Change
	for _, s := range statements {
		changes = append(changes, s(w))
	}
	write(w, changes)
	w.quiet(10)
	var lines []string
	for _, ev := range w.closed {
		if ev.Action.Entity.Name != "appointment" {
			continue
		}
		line := fmt.Sprintf("%s %v insert=%t", ev.Action, ev.IDs, ev.Insert)
		for i, is := range ev.Named {
			if is {
				line += " " + ev.Table.Columns[i]
			}
		}
		lines = append(lines, line)
	}
	return lines
}
