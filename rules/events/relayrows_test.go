package events

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"rowhook/cdc"
	"rowhook/cdc/schema"
	"rowhook/rules"
)

// newRelay is a world with the relay's table, with a key or without, and rules for hooks.
func newRelay(t *testing.T, o Options, key []int, hooks ...string) *world {
	t.Helper()
	w := newHooks(t, o, hooks...)
	w.tables["relay"] = schema.NewTable(w.site.WordPressTable(rules.RelayTable), []string{"id", "hook", "kind", "args", "omitted"}, key)
	return w
}

// TestRelayRows: each row of the relay is an event of its hook, at once, in the order of the log, also over a crash behind each
// transaction, and where the table has no key; nothing else is.
func TestRelayRows(t *testing.T) {
	t.Parallel()
	for _, key := range [][]int{{0}, nil} {
		for _, crashes := range []bool{false, true} {
			t.Run(fmt.Sprintf("key %v, crashes %t", key, crashes), func(t *testing.T) {
				t.Parallel()
				w := newRelay(t, Options{Coalesce: time.Second, CoalesceMax: time.Minute}, key, "onAddItemCart", "vikappointments_empty_cart")
				w.crashes = crashes
				w.tx(0, w.insert("relay", "id=a hook=add_item_cart"), w.insert("relay", "id=a2 hook=add_item_cart"), w.insert("relay", "id=b hook=empty_cart"))
				w.tx(1, w.insert("relay", "id=c hook=redirect_order"), w.insert("relay", "id=d hook=ADD_ITEM_CART"))
				w.tx(2, w.remove("relay", "id=a hook=add_item_cart")) // pruned
				w.tx(3, w.update("relay", "id=b hook=empty_cart", "id=b hook=add_item_cart"))
				var got []string
				ids := map[string]bool{}
				for _, ev := range w.closed {
					got = append(got, ev.Action.String())
					ids[fmt.Sprint(ev.DeliveryID("source", "rule"))] = true
				}
				if want := []string{"onAddItemCart", "onAddItemCart", "onEmptyCart"}; !slices.Equal(got, want) || len(ids) != len(want) {
					t.Errorf("closed %q with %d ids, want %q", got, len(ids), want)
				}
			})
		}
	}
}

// TestRelayRestore: the first rows behind the making of the table are news, and those of a backup are not.
func TestRelayRestore(t *testing.T) {
	t.Parallel()
	w := newRelay(t, Options{}, []int{0}, "onAddItemCart")
	id := func(at time.Time) string { return fmt.Sprintf("id=%08x0000 hook=add_item_cart", at.Unix()) }
	now := w.at(1)
	e := w.engine
	if err := e.Commit(&cdc.Commit{Created: []cdc.TableName{w.tables["relay"].TableName}, Time: now}, now); err != nil {
		t.Fatal(err)
	}
	w.tx(1, w.insert("relay", id(now)), w.insert("relay", id(now.Add(-time.Minute))), w.insert("relay", id(now.Add(-2*time.Hour))))
	n := 0
	for _, ev := range w.closed {
		if strings.HasPrefix(ev.Action.Entity.Name, "relay.") {
			n++
		}
	}
	if n != 2 {
		t.Errorf("%d events, want the two that are new", n)
	}
}
