package events

import (
	"strings"
	"testing"
	"time"

	"rowhook/cdc"
	"rowhook/cdc/rowcodec"
	"rowhook/rules"
)

// part makes a row of which only the named columns were logged.
func (w *world) part(table, text string) cdc.Row {
	row := w.row(table, text)
	var b rowcodec.RowBuilder
	for i, c := range w.tables[table].Columns {
		if strings.Contains(" "+text, " "+c+"=") {
			b.AddText(row.Kind(i), row.Text(i))
		} else {
			b.AddText(cdc.Absent, "")
		}
	}
	return b.Row()
}

// minimal is an update of which the key and what the statement named were logged.
func (w *world) minimal(table, key, after string) cdc.Change {
	return cdc.Change{Table: w.tables[table], Op: cdc.Update, Before: w.part(table, key), After: w.part(table, key+" "+after)}
}

func TestPartialImages(t *testing.T) {
	t.Parallel()
	inserted := func(w *world, table, row string) cdc.Change {
		return cdc.Change{Table: w.tables[table], Op: cdc.Insert, After: w.part(table, row)}
	}
	tests := map[string]struct {
		do   func(w *world)
		want []string
	}{
		"housekeeping only": {func(w *world) { w.tx(0, w.minimal("reservation", "id=1", "locked_until=5")) }, nil},
		"its own id as parent": {
			func(w *world) {
				w.tx(0, inserted(w, "reservation", "id=1 id_employee=2"), w.minimal("reservation", "id=1", "id_parent=1"))
				w.tx(9, w.minimal("reservation", "id=1", "id_parent=1"))
			},
			[]string{"appointment.save [1] insert status="},
		},
		"a parent has no employee": {func(w *world) { w.tx(0, inserted(w, "reservation", "id=1 id_parent=-1 status=C")) }, nil},
		"a status that is logged may have changed": {
			func(w *world) { w.tx(0, w.minimal("reservation", "id=1", "status=C")) },
			[]string{"appointment.save [1] status=C", "appointment.status_change [1] C without a row"},
		},
		"one that is not has not": {
			func(w *world) { w.tx(0, w.minimal("reservation", "id=1", "notes=x")) }, []string{"appointment.save [1] status="},
		},
		"what was logged before it is kept": {
			func(w *world) {
				w.tx(0, w.minimal("reservation", "id=1", "status=C"))
				w.tx(0.1, w.minimal("reservation", "id=1", "notes=x"))
				w.tx(0.2, w.minimal("reservation", "id=1", "locked_until=7"))
			},
			[]string{"appointment.save [1] status=C", "appointment.status_change [1] C without a row"},
		},
		"of what is computed only the image before tells": {
			func(w *world) {
				c := w.update("service", "id=1 name=x ordering=1", "id=1 name=x ordering=2")
				c.After = w.part("service", "id=1 ordering=2")
				w.tx(0, c)
			},
			nil,
		},
		"a part whose order is asked for": {
			func(w *world) { w.tx(0, w.minimal("res_opt_assoc", "id=70", "quantity=2")) }, []string{"appointment.save [7] without a row"},
		},
		"a part that is gone": {
			func(w *world) {
				w.tx(0, w.minimal("res_opt_assoc", "id=5", "quantity=2"), cdc.Change{Table: w.tables["res_opt_assoc"], Op: cdc.Delete, Before: w.part("res_opt_assoc", "id=70")})
			},
			nil,
		},
		"a delete": {
			func(w *world) {
				w.tx(0, cdc.Change{Table: w.tables["reservation"], Op: cdc.Delete, Before: w.part("reservation", "id=8")})
			},
			[]string{"appointment.delete [8]"},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, Options{Coalesce: 500 * time.Millisecond, CoalesceMax: 5 * time.Second, StatusWait: time.Second})
			w.engine.AskOwners(func(q Question) (rules.Key, bool) {
				part, ok := q.Part.Number()
				return rules.NumberKey(part / 10), ok && q.Column == "id_reservation" && part >= 10
			})
			test.do(w)
			w.quiet(100)
			w.want(test.want...)
		})
	}
}

// TestStatusFilterOnPartialImages leaves a rule in that filters by a status that the log does not show.
func TestStatusFilterOnPartialImages(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{})
	for _, c := range []struct {
		after string
		want  bool
	}{{"notes=x", true}, {"status=C", true}, {"status=W", false}} {
		w.set.Rules = []*rules.Rule{{Action: rules.Action{Entity: w.engine.catalog.byName("appointment"), Kind: rules.Save}, Statuses: map[string]bool{"C": true}, Load: rules.Full}}
		w.engine.SetRules(w.set)
		w.tx(0, w.minimal("reservation", "id=1", c.after))
		if got := len(w.closed) > 0; got != c.want {
			t.Errorf("%s: wanted: %t, want %t", c.after, got, c.want)
		}
		w.closed = nil
	}
}
