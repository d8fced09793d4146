package events

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"rowhook/cdc/schema"
	"rowhook/rules"
)

// newHooks is a world with rules for hooks, named by their hooks.
func newHooks(t *testing.T, o Options, hooks ...string) *world {
	t.Helper()
	w := newWorld(t, o)
	w.tables["option"] = schema.NewTable(w.site.WordPressTable(rules.PluginPrefix+"option"), []string{"id", "name", "published"}, []int{0})
	for _, hook := range hooks {
		a, err := rules.ParseAction(hook)
		if err != nil {
			t.Fatal(err)
		}
		w.set.Rules = append(w.set.Rules, &rules.Rule{Name: hook, Action: a, Load: rules.Basic})
	}
	w.engine.SetRules(w.set)
	return w
}

// TestHooks: the rows behind hooks are events of their own, beside those of the documented actions, also over a crash behind
// each transaction.
func TestHooks(t *testing.T) {
	t.Parallel()
	options := []string{"onAfterSaveOption", "onAfterDeleteOption", "onAfterPublishOption"}
	for name, test := range map[string]struct {
		opts  Options
		hooks []string
		do    func(w *world)
		want  []string
	}{
		"each delete by itself": {hooks: options, do: func(w *world) {
			w.tx(0, w.remove("option", "id=1 name=a published=1"), w.remove("option", "id=2 name=b published=1"))
		}, want: []string{"onAfterDeleteOption [1]", "onAfterDeleteOption [2]"}},
		"published, and more than that": {hooks: options, do: func(w *world) {
			w.tx(0, w.insert("option", "id=1 name=a published=0"))
			w.tx(1, w.update("option", "id=1 name=a published=0", "id=1 name=a published=1"))
			w.tx(2, w.update("option", "id=1 name=a published=1", "id=1 name=b published=0"))
		}, want: []string{"onAfterSaveOption [1] insert", "onAfterPublishOption [1]", "onAfterSaveOption [1]"}},
		"in the order of the log": {opts: Options{Coalesce: 5 * time.Second, CoalesceMax: time.Minute}, hooks: options, do: func(w *world) {
			w.tx(0, w.insert("option", "id=1 name=a published=0"))
			w.tx(1, w.update("option", "id=1 name=a published=0", "id=1 name=a published=1"))
			w.tx(2, w.update("option", "id=1 name=a published=1", "id=1 name=a published=0"))
			w.tx(3, w.update("option", "id=1 name=a published=0", "id=1 name=b published=0"))
		}, want: []string{"onAfterSaveOption [1] insert", "onAfterPublishOption [1]", "onAfterPublishOption [1]", "onAfterSaveOption [1]"}},
		"who does not ask": {hooks: []string{"onAfterPublishOption"}, do: func(w *world) {
			w.tx(0, w.insert("option", "id=1 name=a published=0"))
			w.tx(1, w.update("option", "id=1 name=a published=0", "id=1 name=b published=0"))
			w.tx(2, w.remove("option", "id=1 name=b published=0"))
		}},
		"a closure is not saved late": {hooks: []string{"onAfterSaveReservationLate"}, do: func(w *world) {
			w.tx(0, w.insert("reservation", "id=1 closure=1"))
			w.tx(1, w.insert("reservation", "id=2 closure=0"))
		}, want: []string{"onAfterSaveReservationLate [2] insert"}},
		"subscriptions' statuses only": {hooks: []string{"onStatusChangeSubscrorder"}, do: func(w *world) {
			w.tx(0, w.insert("order_status", "id=1 id_order=7 type=reservation status=C"))
			w.tx(1, w.insert("order_status", "id=2 id_order=7 type=subscr_order status=C"))
			w.tx(2, w.update("order_status", "id=2 id_order=7 type=subscr_order status=C", "id=2 id_order=7 type=subscr_order status=P"))
		}, want: []string{"onStatusChangeSubscrorder [2] insert"}},
	} {
		for _, crashes := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, crashes %t", name, crashes), func(t *testing.T) {
				t.Parallel()
				w := newHooks(t, test.opts, test.hooks...)
				w.crashes = crashes
				test.do(w)
				w.quiet(100)
				var got []string
				for _, ev := range w.closed {
					if ev.Action.Entity.Hooks {
						line, _, _ := strings.Cut(summary(ev), " status=")
						got = append(got, line)
					}
				}
				if !slices.Equal(got, test.want) {
					t.Errorf("closed\n%q\nwant\n%q", got, test.want)
				}
			})
		}
	}
}
