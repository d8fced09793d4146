package events

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"rowhook/cdc"
	"rowhook/cdc/rowcodec"
	"rowhook/cdc/schema"
	"rowhook/rules"
)

// newLines is a world with a table whose key is two columns of text, and rules for it.
func newLines(t *testing.T, o Options, on ...cdc.Op) *world {
	t.Helper()
	w := newWorld(t, o)
	w.tables["lines"] = schema.NewTable(w.site.WordPressTable("lines"), []string{"name", "code", "id", "id_parent", "status"}, []int{0, 1})
	w.tables["loose"] = schema.NewTable(w.site.WordPressTable("loose"), []string{"name", "id"}, nil)
	for _, table := range []string{"lines", "loose", rules.PluginPrefix + "coupon"} {
		w.set.Rules = append(w.set.Rules, &rules.Rule{Name: table, Action: rules.Action{Entity: customEntity(table), Kind: rules.Rows}, Load: rules.Full, On: on})
	}
	w.engine.SetRules(w.set)
	return w
}

var everyOp = []cdc.Op{cdc.Insert, cdc.Update, cdc.Delete}

// Rows of any table are events, also over a crash behind each transaction.
func TestCustomRows(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		opts Options
		on   []cdc.Op
		do   func(w *world)
		want []string
	}{
		"coalesced": {opts: Options{Coalesce: time.Second, CoalesceMax: 5 * time.Second}, on: everyOp, do: func(w *world) {
			w.tx(0, w.insert("lines", "name=a,b code=c"))
			w.tx(0.5, w.update("lines", "name=a,b code=c", "name=a,b code=c id=2"))
			w.tx(10, w.update("lines", "name=a,b code=c id=2", "name=a,b code=c id=3"))
			w.tx(10.5, w.update("lines", "name=a,b code=c id=3", "name=a,b code=c id=4"))
		}, want: []string{`custom.lines.save [a\,b,c] insert status=`, `custom.lines.save [a\,b,c] status= 2->4`}},
		"a key that moves": {on: everyOp, do: func(w *world) {
			w.tx(0, w.update("lines", "name=a code=c", "name=a code=d"))
		}, want: []string{"custom.lines.delete [a,c]", "custom.lines.save [a,d] insert status="}},
		"not what looks like the plugin's": {on: everyOp, do: func(w *world) {
			w.tx(0, w.insert("lines", "name=a code=c id=5 id_parent=-1 status=P"))
			w.tx(1, w.update("lines", "name=a code=c id=5 id_parent=-1 status=P", "name=a code=c id=5 id_parent=5 status=P"))
		}, want: []string{"custom.lines.save [a,c] insert status=P", "custom.lines.save [a,c] status=P 5->5"}},
		"without a key": {on: everyOp, do: func(w *world) {
			w.tx(0, w.insert("loose", "name=a"), w.insert("loose", "name=a"))
			w.tx(1, w.remove("loose", "name=a"), w.remove("loose", "name=a"))
		}, want: []string{"custom.loose.save [#0-1-1:1] insert", "custom.loose.save [#0-1-1:2] insert", "custom.loose.delete [#0-1-2:1]", "custom.loose.delete [#0-1-2:2]"}},
		"updates only": {on: []cdc.Op{cdc.Update}, do: func(w *world) {
			w.tx(0, w.insert("lines", "name=a code=c"))
			w.tx(1, w.update("lines", "name=a code=c", "name=a code=c id=1"))
			w.tx(2, w.remove("lines", "name=a code=c"))
		}, want: []string{"custom.lines.save [a,c] status= 0->1"}},
		"under fidelity plugin": {opts: Options{Plugin: true}, on: everyOp, do: func(w *world) {
			w.tx(0, w.insert("lines", "name=a code=c"))
			w.tx(1, w.remove("lines", "name=a code=c"))
		}, want: []string{"custom.lines.save [a,c] insert status=", "custom.lines.delete [a,c]"}},
		"one of the plugin's tables": {on: everyOp, do: func(w *world) {
			w.tx(0, w.insert("coupon", "id=7 code=X"))
			w.tx(1, w.remove("coupon", "id=7 code=X"))
		}, want: []string{"coupon.save [7] insert", "custom.vikappointments_coupon.save [7] insert", "coupon.delete [7]", "custom.vikappointments_coupon.delete [7]"}},
		"a new table": {on: everyOp, do: func(w *world) {
			c := &cdc.Commit{Txn: cdc.Txn{GTID: "0-1-99"}, Time: w.at(0), Created: []cdc.TableName{w.tables["lines"].TableName}, Statement: true}
			if err := w.engine.Commit(c, w.at(0)); err != nil {
				w.t.Fatal(err)
			}
			w.tx(1, w.insert("lines", "name=a code=c"))
		}, want: []string{"custom.lines.save [a,c] insert status="}},
	} {
		for _, crashes := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, crashes %t", name, crashes), func(t *testing.T) {
				t.Parallel()
				w := newLines(t, test.opts, test.on...)
				w.crashes = crashes
				test.do(w)
				w.quiet(100)
				var got []string
				for _, ev := range w.closed {
					line := summary(ev)
					if id := 2; ev.Before.Len() > id {
						line += fmt.Sprintf(" %s->%s", ev.Before.Text(id), ev.Row.Text(id))
					}
					if ev.Action.Kind == rules.Delete || ev.Action.Entity.Custom || ev.Action.Kind == rules.Save {
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

// A rule's own key tells its objects apart, whatever the table's primary key is; also over a crash behind each transaction.
func TestNamedKeys(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		key  []string
		do   func(w *world)
		want []string
	}{
		"rows of one key are one object": {key: []string{"name"}, do: func(w *world) {
			w.tx(0, w.insert("lines", "name=a code=c"), w.insert("lines", "name=a code=d"))
			w.tx(1, w.update("lines", "name=a code=c", "name=a code=c id=2"))
			w.tx(2, w.remove("lines", "name=a code=c"))
		}, want: []string{"[a] save insert", "[a] save", "[a] delete"}},
		"as the server takes it": {key: []string{"NAME", "Id"}, do: func(w *world) {
			w.tx(0, w.insert("lines", "name=a id=3"))
		}, want: []string{"[a,3] save insert"}},
		"of a table without a primary key": {key: []string{"name"}, do: func(w *world) {
			w.tx(0, w.insert("loose", "name=a"))
			w.tx(1, w.update("loose", "name=a id=0", "name=a id=1"))
			w.tx(2, w.remove("loose", "name=a id=1"))
		}, want: []string{"[a] save insert", "[a] save", "[a] delete"}},
		"a key that moves": {key: []string{"id"}, do: func(w *world) {
			w.tx(0, w.update("lines", "name=a code=c id=1", "name=a code=c id=2"), w.update("lines", "name=b code=c id=5 status=A", "name=b code=c id=5 status=B"))
		}, want: []string{"[1] delete", "[2] save insert", "[5] save"}},
		"NULL in a key": {key: []string{"id"}, do: func(w *world) {
			w.tx(0, w.insert("lines", "name=a id=NULL"), w.insert("lines", "name=b id=NULL"))
			w.tx(1, w.update("lines", "name=a id=NULL", "name=a id=NULL status=C"))
			w.tx(2, w.update("lines", "name=a id=NULL", "name=a id=7"))
			w.tx(3, w.insert("lines", "name=c id=5"), w.insert("lines", "name=d id=6"))
			w.tx(4, w.remove("lines", "name=c id=5"), w.remove("lines", "name=b id=NULL"), w.remove("lines", "name=d id=6"), w.update("lines", "name=a id=7", "name=a id=NULL"))
		}, want: []string{
			"[#0-1-1:1] save insert", "[#0-1-1:2] save insert", "[#0-1-2:1] save", "[#0-1-3:2] delete", "[7] save insert", "[5] save insert", "[6] save insert",
			"[5] delete", "[#0-1-5:3] delete", "[6 7] delete", "[#0-1-5:1] save insert",
		}},
		"NULL and an empty text in a key": {key: []string{"status", "code"}, do: func(w *world) {
			w.tx(0, w.insert("lines", "name=a code=x"), w.insert("lines", "name=b code=x status=NULL"))
			w.tx(1, w.update("lines", "name=a code=x", "name=a code=x status=NULL"))
			w.tx(2, w.update("lines", "name=b code=x status=NULL", "name=b code=x"))
		}, want: []string{
			"[,x] save insert", "[#0-1-1:2] save insert", "[,x] delete", "[#0-1-2:1] save insert", "[#0-1-3:2] delete", "[,x] save insert",
		}},
		"keys that are swapped": {key: []string{"id"}, do: func(w *world) {
			w.tx(0, w.update("lines", "name=a id=1", "name=a id=2"), w.update("lines", "name=b id=2", "name=b id=1"))
		}, want: []string{"[2] save insert", "[1] save insert"}},
	} {
		for _, crashes := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, crashes %t", name, crashes), func(t *testing.T) {
				t.Parallel()
				w := newLines(t, Options{}, everyOp...)
				w.set.Rules = nil
				for _, table := range []string{"lines", "loose"} {
					w.set.Rules = append(w.set.Rules, &rules.Rule{Name: table, Action: rules.Action{Entity: customEntity(table, test.key...), Kind: rules.Rows}, Load: rules.Full, On: everyOp})
				}
				w.engine.SetRules(w.set)
				w.crashes = crashes
				test.do(w)
				w.quiet(100)
				var got []string
				for _, ev := range w.closed {
					line := fmt.Sprintf("%v %s", ev.IDs, ev.Action.Kind)
					if ev.Insert {
						line += " insert"
					}
					got = append(got, line)
				}
				if !slices.Equal(got, test.want) {
					t.Errorf("closed\n%q\nwant\n%q", got, test.want)
				}
			})
		}
	}
}

// A rule whose key names a column that is not there, or that the log does not show, is told of.
func TestKeysThatAreNotThere(t *testing.T) {
	t.Parallel()
	w := newLines(t, Options{}, everyOp...)
	for _, test := range []struct {
		key, want string
		c         cdc.Change
	}{
		{"cod", "no column cod, which a rule names in key:; did you mean code?", w.insert("lines", "name=a code=c")},
		{"nothing_like_it", "no column nothing_like_it, which a rule names in key:", w.insert("lines", "name=a code=c")},
		{"id", "the log does not show its column id", cdc.Change{Table: w.tables["lines"], Op: cdc.Delete, Before: keyOnly("a", "c")}},
	} {
		w.set.Rules = []*rules.Rule{{Name: "r", Action: rules.Action{Entity: customEntity("lines", test.key), Kind: rules.Rows}, On: everyOp}}
		w.engine.SetRules(w.set)
		err := w.engine.Change(&test.c)
		m, ok := errors.AsType[*MisfitError](err)
		if !ok || !strings.Contains(m.Error(), test.want) || m.Fix() == "" {
			t.Errorf("key %s: %v", test.key, err)
		}
	}
}

// keyOnly is a row of the table lines of which only its primary key was logged.
func keyOnly(name, code string) cdc.Row {
	var r rowcodec.RowBuilder
	r.AddText(cdc.Text, name)
	r.AddText(cdc.Text, code)
	for range 3 {
		r.AddText(cdc.Absent, "")
	}
	return r.Row()
}

// Keys of several columns are told apart, whatever they hold, and can be taken apart again.
func TestKeys(t *testing.T) {
	t.Parallel()
	row := func(a, b string) cdc.Row {
		var r rowcodec.RowBuilder
		r.AddText(cdc.Text, a)
		r.AddText(cdc.Text, b)
		return r.Row()
	}
	texts := []string{"", ",", `\`, `\,`, "a", "a,", `a\`, "ü/,"}
	seen := map[rules.Key]bool{}
	for _, a := range texts {
		for _, b := range texts {
			key := rules.KeyAt(row(a, b), []int{0, 1})
			if seen[key] {
				t.Errorf("%q is the key of two", key)
			}
			seen[key] = true
			if parts := key.Split(2); !slices.Equal(parts, []string{a, b}) {
				t.Errorf("%q is taken apart as %q, want %q and %q", key, parts, a, b)
			}
		}
	}
	var r rowcodec.RowBuilder
	r.AddText(cdc.Binary, "\x00,\xff")
	if key := rules.KeyAt(r.Row(), []int{0}); key != "0x002cff" {
		t.Errorf("a binary key is %q", key)
	}
}

// The rules for a table come and go while the engine runs; what is open then closes without them.
func TestCustomRulesComeAndGo(t *testing.T) {
	t.Parallel()
	w := newLines(t, Options{Coalesce: time.Second, CoalesceMax: 5 * time.Second}, everyOp...)
	all := w.set
	none := wantAll()
	w.engine.SetRules(none)
	w.tx(0, w.insert("lines", "name=a code=c"))
	w.quiet(10)
	w.want()
	w.engine.SetRules(all)
	w.tx(20, w.insert("lines", "name=b code=c"))
	w.quiet(30)
	w.want("custom.lines.save [b,c] insert status=")
	w.tx(40, w.insert("lines", "name=d code=c"))
	w.engine.SetRules(none)
	w.quiet(50)
	w.want()
	if n := len(w.engine.windows.unsent.live); n != 1 { // b, whose deliveries are not made
		t.Errorf("%d events are left", n)
	}
}

// customEntity is a table that a rule names, with a key or without.
func customEntity(table string, key ...string) *rules.Entity {
	name := "custom." + table
	if len(key) > 0 {
		name += "." + strings.Join(key, ",")
	}
	return rules.EntityOf(name)
}

// TestDeletesAsked: rules that ask for the row as it was get an event of each row that a transaction deletes, in the order of the
// log and under ids of their own; the others get one of all rows.
func TestDeletesAsked(t *testing.T) {
	t.Parallel()
	asks := func(name, keys string) *rules.Rule {
		parsed, err := rules.Parse("test.yaml", fmt.Appendf(nil, "rules: [{name: %s, url: 'http://127.0.0.1/', %s}]", name, keys), nil)
		if err != nil {
			t.Fatal(err)
		}
		return parsed[0]
	}
	w := newLines(t, Options{}, everyOp...)
	w.set.Rules = append(w.set.Rules, asks("lines-asked", "action: custom, table: lines, when: \"before?.status == 'C'\""),
		asks("saves-asked", "action: custom, table: loose, on: [insert, update], when: \"before?.name == 'C'\""),
		asks("coupon-asked", "action: coupon.delete, template: {was: '= before.code'}"))
	w.engine.SetRules(w.set)
	w.tx(0, w.remove("lines", "name=a code=1 status=C"), w.remove("coupon", "id=1 code=X"), w.remove("lines", "name=a code=2 status=P"), w.remove("coupon", "id=2 code=Y"))
	w.tx(1, w.remove("lines", "name=a code=3 status=C"))
	large := strings.Repeat("x", maxDeleteBytes)
	w.tx(2, w.remove("lines", "name=b code=1 status="+large), w.remove("lines", "name=b code=2"), w.remove("lines", "name=b code=3"))
	var got []string
	ids := map[[16]byte]bool{}
	for _, ev := range w.closed {
		names := make([]string, 0, len(ev.Rules))
		for _, r := range ev.Rules {
			names = append(names, r.Name)
			if id := ev.DeliveryID("s", r.Name); ids[id] {
				t.Errorf("%v: two deliveries of %s have one id", ev, r.Name)
			} else {
				ids[id] = true
			}
		}
		slices.Sort(names)
		if len(ev.IDs) == 1 && rules.KeyAt(ev.Row, ev.Key()) != ev.IDs[0] {
			t.Errorf("%v shows another row", ev)
		}
		got = append(got, fmt.Sprintf("%s %v %v", ev.Action, ev.IDs, names))
	}
	slices.Sort(got)
	want := []string{
		"coupon.delete [1 2] [coupon.delete]", "coupon.delete [1] [coupon-asked]", "coupon.delete [2] [coupon-asked]",
		"custom.lines.delete [a,1 a,2] [lines]", "custom.lines.delete [a,1] [lines-asked]", "custom.lines.delete [a,2] [lines-asked]",
		"custom.lines.delete [a,3] [lines lines-asked]",
		"custom.lines.delete [b,1] [lines lines-asked]",
		"custom.lines.delete [b,2 b,3] [lines]", "custom.lines.delete [b,2] [lines-asked]", "custom.lines.delete [b,3] [lines-asked]",
		"custom.vikappointments_coupon.delete [1 2] [vikappointments_coupon]",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}
