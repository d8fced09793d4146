package events

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"rowhook/cdc"
	"rowhook/rules"
)

// backfill is a chunk of appointments for a rule, whose window is open.
type backfill struct {
	*world
	rule *rules.Rule
}

func newBackfill(t *testing.T, o Options, rule rules.Rule) *backfill {
	t.Helper()
	w := newWorld(t, o)
	rule.Name, rule.Load = "backfilled", rules.Full
	if rule.Action.Entity == nil {
		rule.Action = rules.Action{Entity: w.engine.catalog.byName("appointment"), Kind: rules.Save}
	}
	w.set = &rules.Set{Rules: append(w.set.Rules, &rule)}
	w.engine.SetRules(w.set)
	b := &backfill{w, &rule}
	return b
}

func (b *backfill) open() { b.engine.WatchChunk(b.site, b.rule) }

// fill pours rows out, each as row takes it.
func (b *backfill) fill(seconds float64, rows ...string) Filled {
	list := make([]cdc.Row, len(rows))
	for i, text := range rows {
		list[i] = b.row("reservation", text)
	}
	done := b.engine.Fill(Fill{
		Site: b.site, Rule: b.rule, Run: "run", Table: b.tables["reservation"], Rows: list, Last: cdc.Coord{File: "log.1", Offset: 1}, Now: b.at(seconds),
	})
	b.closed = append(b.closed, b.engine.Closed()...)
	return done
}

func (b *backfill) update(seconds float64, id int, from, to string) {
	b.tx(seconds, b.world.update("reservation", fmt.Sprintf("id=%d id_parent=%[1]d %s", id, from), fmt.Sprintf("id=%d id_parent=%[1]d %s", id, to)))
}

// got are the deliveries of the rule: what its saves show as notes, and the deletes, in order.
func (b *backfill) got() string {
	var all []string
	for _, ev := range b.closed {
		switch {
		case ev.Action.Kind == rules.Delete:
			all = append(all, fmt.Sprint("-", ev.IDs[0]))
		case slices.Contains(ev.Rules, b.rule):
			all = append(all, fmt.Sprintf("%s%s", ev.IDs[0], ev.Row.Text(ev.Table.Index("notes"))))
		}
	}
	return strings.Join(all, " ")
}

func TestBackfillKeepsOrder(t *testing.T) {
	t.Parallel()
	coalesced := Options{Coalesce: time.Second, CoalesceMax: 5 * time.Second, StatusWait: 2 * time.Second}
	tests := map[string]struct {
		rule  rules.Rule
		opts  Options
		do    func(b *backfill) Filled
		want  Filled
		order string
	}{
		"rows that nobody touches": {
			do:   func(b *backfill) Filled { b.open(); return b.fill(1, "id=1 notes=a", "id=2 notes=b") },
			want: Filled{Made: 2}, order: "1a 2b",
		},
		"a touched row is left to its live save": {
			do: func(b *backfill) Filled {
				b.open()
				b.update(1, 1, "notes=a", "notes=b")
				return b.fill(2, "id=1 notes=a", "id=2 notes=x")
			},
			want: Filled{Made: 1, Live: 1}, order: "1b 2x",
		},
		"also when that is open, and from before": {
			opts: coalesced,
			do: func(b *backfill) Filled {
				b.update(1, 1, "notes=a", "notes=b")
				b.open()
				done := b.fill(1.1, "id=1 notes=b")
				b.quiet(9)
				return done
			},
			want: Filled{Live: 1}, order: "1b",
		},
		"a touch that the rule is not told of is read again": {
			rule: rules.Rule{Type: rules.InsertOnly},
			do: func(b *backfill) Filled {
				b.open()
				b.update(1, 1, "notes=a", "notes=b")
				done := b.fill(2, "id=1 notes=a", "id=2 notes=x")
				b.open()
				b.fill(3, "id=1 notes=b")
				return done
			},
			want: Filled{Made: 1, Again: []rules.Key{"1"}}, order: "2x 1b",
		},
		"housekeeping is a touch too": {
			do: func(b *backfill) Filled {
				b.open()
				b.update(1, 1, "locked_until=1", "locked_until=2")
				return b.fill(2, "id=1")
			},
			want: Filled{Again: []rules.Key{"1"}},
		},
		"an option that another rule is told of": {
			rule: rules.Rule{Type: rules.InsertOnly},
			do: func(b *backfill) Filled {
				b.open()
				b.tx(1, b.insert("res_opt_assoc", "id=5 id_reservation=1"))
				return b.fill(2, "id=1 notes=a")
			},
			want: Filled{Again: []rules.Key{"1"}},
		},
		"a deleted row": {
			rule: rules.Rule{Type: rules.InsertOnly},
			do: func(b *backfill) Filled {
				b.open()
				b.tx(1, b.remove("reservation", "id=1 notes=a"))
				return b.fill(2, "id=1 notes=a")
			},
			want: Filled{Again: []rules.Key{"1"}}, order: "-1",
		},
		"it stands behind an open save of another rule, and before what comes": {
			rule: rules.Rule{Type: rules.InsertOnly}, opts: coalesced,
			do: func(b *backfill) Filled {
				b.update(1, 1, "notes=a", "notes=b")
				b.open()
				done := b.fill(1.1, "id=1 id_parent=1 notes=b")
				b.update(1.2, 1, "notes=b", "notes=c")
				b.tx(1.3, b.remove("reservation", "id=1 id_parent=1 notes=c"))
				b.quiet(9)
				return done
			},
			want: Filled{Made: 1}, order: "1b -1",
		},
		"and behind a status that waits": {
			rule: rules.Rule{Type: rules.InsertOnly},
			opts: Options{StatusWait: 2 * time.Second},
			do: func(b *backfill) Filled {
				b.update(1, 1, "status=W", "status=C")
				b.open()
				done := b.fill(1.1, "id=1 id_parent=1 status=C notes=b")
				if got := b.got(); got != "" {
					b.t.Errorf("%q overtook the status", got)
				}
				b.quiet(9)
				return done
			},
			want: Filled{Made: 1}, order: "1b",
		},
		"a statement that logs no rows makes all of it doubtful": {
			do: func(b *backfill) Filled {
				b.open()
				if err := b.engine.Commit(&cdc.Commit{Txn: cdc.Txn{GTID: "0-1-99"}, Time: b.at(1), Statement: true}, b.at(1)); err != nil {
					b.t.Fatal(err)
				}
				return b.fill(2, "id=1", "id=2")
			},
			want: Filled{Again: []rules.Key{"1", "2"}},
		},
		"the rule's statuses count, and parents are none": {
			rule: rules.Rule{Statuses: map[string]bool{"C": true}},
			do: func(b *backfill) Filled {
				b.open()
				return b.fill(1, "id=1 status=C notes=a", "id=2 status=W", "id=3 id_parent=-1 status=C", "id=4 id_parent=-1 id_employee=7 status=C notes=d")
			},
			want: Filled{Made: 2, Left: 2}, order: "1a 4d",
		},
		"its type does not": {
			rule: rules.Rule{Type: rules.UpdateOnly},
			do:   func(b *backfill) Filled { b.open(); return b.fill(1, "id=1 notes=a") },
			want: Filled{Made: 1}, order: "1a",
		},
		"without a window nothing is known": {
			do:   func(b *backfill) Filled { return b.fill(1, "id=1") },
			want: Filled{Again: []rules.Key{"1"}},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBackfill(t, test.opts, test.rule)
			if done := test.do(b); !reflect.DeepEqual(done, test.want) {
				t.Errorf("became %+v, want %+v", done, test.want)
			}
			if got := b.got(); got != test.order {
				t.Errorf("the rule gets %q, want %q", got, test.order)
			}
		})
	}
}

// TestBackfillSurvivesACrash: a save that waits in its queue, or for its load, is for its rule alone afterwards too,
// and keeps its id.
func TestBackfillSurvivesACrash(t *testing.T) {
	t.Parallel()
	b := newBackfill(t, Options{Coalesce: time.Second, CoalesceMax: 5 * time.Second}, rules.Rule{Type: rules.InsertOnly})
	b.update(1, 1, "notes=a", "notes=b")
	b.open()
	b.fill(1.1, "id=1 id_parent=1 notes=b", "id=2 notes=x")
	if b.engine.Filling() != 2 {
		t.Errorf("%d are not done", b.engine.Filling())
	}
	ids := map[rules.Key][16]byte{}
	for _, ev := range b.closed {
		ids[ev.IDs[0]] = ev.DeliveryID("source", b.rule.Name)
	}
	b.closed = nil
	b.crash(2, false)
	b.quiet(9)
	if got := b.got(); got != "2x 1b" {
		t.Errorf("the rule gets %q", got)
	}
	for _, ev := range b.closed {
		if ev.Backfill == "" {
			continue
		}
		if len(ev.Rules) != 1 || ev.IDs[0] == "2" && ev.DeliveryID("source", b.rule.Name) != ids["2"] {
			t.Errorf("%s is for %d rules, or its id changed", ev, len(ev.Rules))
		}
		b.engine.Done(ev)
	}
	if b.engine.Filling() != 0 {
		t.Errorf("%d are not done in the end", b.engine.Filling())
	}
	b.set.Rules = b.set.Rules[:len(b.set.Rules)-1]
	ev := event{Event: *b.closed[0]}
	if ev.match(b.set, false); len(ev.Rules) != 0 {
		t.Errorf("without its rule it is for %d others", len(ev.Rules))
	}
}
