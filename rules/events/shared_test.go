package events

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"rowhook/cdc"
	"rowhook/rules"
)

// newShared is a world in which a rule names the plugin's table of customers too, with a key: the part of the site that has its rows.
func newShared(t *testing.T, key ...string) (w *world, part *rules.Site) {
	t.Helper()
	w = newWorld(t, Options{})
	w.set.Rules = append(w.set.Rules, &rules.Rule{
		Name: "rows", Action: rules.Action{Entity: customEntity(rules.PluginPrefix+"users", key...), Kind: rules.Rows}, Load: rules.Full, On: everyOp,
	})
	parts := rules.CutSites([]*rules.Site{w.site}, w.set, nil)
	if len(parts) != 2 || !parts[1].Shares() || parts[0].Shares() {
		t.Fatalf("got %v", parts)
	}
	w.site = parts[0]
	w.engine = NewEngine(parts, w.set, w.opts)
	return w, parts[1]
}

// change hands in a change, and says which parts it does not fit.
func (w *world) change(c cdc.Change) (misfits []string) {
	w.t.Helper()
	err := w.engine.Change(&c)
	all, _ := errors.AsType[MisfitErrors](err)
	for _, m := range all {
		misfits = append(misfits, m.Site.ID())
	}
	if err != nil && all == nil {
		w.t.Fatal(err)
	}
	return misfits
}

// TestRowThatFitsOneOfTwoParts: a row of a table that two parts of a site share, and that fits one of them, is an event of that one,
// whether the other is split off then or only leaves it out.
func TestRowThatFitsOneOfTwoParts(t *testing.T) {
	t.Parallel()
	for _, splits := range []bool{true, false} {
		for name, test := range map[string]struct {
			key     []string
			row     string
			misfits []string
			want    []string
		}{
			"both":       {nil, "id=1 billing_name=a", nil, []string{"customer.save [1] insert", "custom.vikappointments_users.save [1] insert"}},
			"the plugin": {[]string{"nosuch"}, "id=1 billing_name=a", []string{"salon+vikappointments_users"}, []string{"customer.save [1] insert"}},
			"the rule":   {[]string{"billing_name"}, "id=NULL billing_name=a", []string{"salon"}, []string{"custom.vikappointments_users.billing_name.save [a] insert"}},
			"neither":    {[]string{"nosuch"}, "id=NULL billing_name=a", []string{"salon", "salon+vikappointments_users"}, nil},
		} {
			t.Run(fmt.Sprintf("%s, splits %t", name, splits), func(t *testing.T) {
				t.Parallel()
				w, part := newShared(t, test.key...)
				parts := map[string]*rules.Site{w.site.ID(): w.site, part.ID(): part}
				got := w.change(w.insert("users", test.row))
				if !slices.Equal(got, test.misfits) {
					t.Errorf("it does not fit %q, want %q", got, test.misfits)
				}
				for _, id := range got {
					if splits {
						w.engine.Split(parts[id])
					}
				}
				w.tx(0)
				w.quiet(10)
				var closed []string
				for _, ev := range w.closed {
					closed = append(closed, fmt.Sprintf("%s.%s %v insert", ev.Action.Entity.Name, ev.Action.Kind, ev.IDs))
				}
				if !slices.Equal(closed, test.want) {
					t.Errorf("closed are %q, want %q", closed, test.want)
				}
				if w.closed = nil; splits && len(test.misfits) > 0 {
					return
				}
				w.tx(20, w.update("coupon", "id=1 code=a", "id=1 code=b")) // what did not fit is forgotten with its transaction
				w.quiet(30)
				w.want("coupon.save [1]")
			})
		}
	}
}

// TestRestoreOfATableOfTwoParts: two parts that share a table are at different places of the log, so each has its own word for
// whether the table is being restored, also behind a crash; the restore is told of once.
func TestRestoreOfATableOfTwoParts(t *testing.T) {
	t.Parallel()
	w, part := newShared(t)
	emptied := &cdc.Commit{Emptied: []cdc.Emptied{{Table: w.site.Table("users"), Statement: "TRUNCATE TABLE"}}}
	rows := func(from int) (all []cdc.Change) {
		for id := from; id < from+2; id++ {
			all = append(all, w.insert("users", fmt.Sprintf("id=%d billing_name=a", id)))
		}
		return all
	}
	own := w.engine
	alone := own.Split(part)
	w.statement(10, emptied)
	w.tx(11, rows(1)...)
	w.store()

	w.engine = alone // which is not there yet
	w.tx(1, rows(8)...)
	w.quiet(2)
	if len(w.closed) != 2 {
		t.Errorf("%d rows from before it was emptied are events, want 2", len(w.closed))
	}
	w.closed = nil
	w.statement(10, emptied)
	w.tx(11, rows(1)...)
	w.store()
	w.engine = own
	own.Join(alone)
	w.quiet(100)
	w.want("rowhook.restored [0] map[users:2]")

	for _, shared := range []bool{false, true} {
		again := newRestores()
		for key, r := range w.records {
			if key[:1] == restorePrefix {
				if err := again.restore(r); err != nil {
					t.Fatal(err)
				}
			}
		}
		if is := again.tables[partTable{w.site.Table("users"), shared}]; is == nil || !is.Filled || !is.Last.Equal(w.at(11).Truncate(time.Microsecond)) {
			t.Errorf("shared %t: stored is %+v", shared, is)
		}
	}
}
