package events

import (
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"rowhook/cdc"
	"rowhook/cdc/rowcodec"
	"rowhook/cdc/schema"
	"rowhook/rules"
)

// world is an engine for one site, with tables cut down to the columns that decide, and a log of what closed.
type world struct {
	t       *testing.T
	engine  *Engine
	site    *rules.Site
	opts    Options
	set     *rules.Set
	tables  map[string]*cdc.Table
	start   time.Time
	txns    int
	hash    uint64    // of the transactions that follow
	made    time.Time // when the transactions that follow were, where they were made
	closed  []*rules.Event
	records map[string]Record     // what commits have stored
	crashes bool                  // behind every transaction
	done    map[*rules.Event]bool // in such a crash
}

var worldTables = map[string][]string{
	"reservation":        {"id", "id_employee", "status", "locked_until", "notes", "id_parent", "closure", "createdon"},
	"res_opt_assoc":      {"id", "id_reservation", "quantity"},
	"package_order":      {"id", "status", "log", "total_cost"},
	"package_order_item": {"id", "id_order", "used_app", "quantity"},
	"order_status":       {"id", "id_order", "status", "type", "createdon"},
	"service":            {"id", "name", "ordering"},
	"users":              {"id", "billing_name"},
	"employee":           {"id", "nickname"},
	"coupon":             {"id", "code"},
}

// newWorld makes a world in which every kind of event is wanted. Changes say the time in seconds since its start.
func newWorld(t *testing.T, o Options) *world {
	t.Helper()
	o.Log = slog.New(slog.DiscardHandler)
	if o.Precision == 0 {
		o.Precision = time.Microsecond
	}
	w := &world{
		t: t, site: &rules.Site{Name: "salon", Schema: "wp", Prefix: "wp_"}, opts: o, tables: map[string]*cdc.Table{},
		start: time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC), records: map[string]Record{}, set: wantAll(), done: map[*rules.Event]bool{},
	}
	for name, columns := range worldTables {
		w.tables[name] = schema.NewTable(w.site.Table(name), columns, []int{0})
	}
	w.engine = NewEngine([]*rules.Site{w.site}, w.set, o)
	return w
}

// wantAll is a rule for every action.
func wantAll() *rules.Set {
	set := &rules.Set{}
	for _, e := range rules.Entities() {
		for _, k := range []rules.Kind{rules.Save, rules.StatusChange, rules.Delete} {
			if a := (rules.Action{Entity: e, Kind: k}); k != rules.StatusChange || e.Status != nil {
				set.Rules = append(set.Rules, &rules.Rule{Name: a.String(), Action: a, Load: rules.Full})
			}
		}
	}
	set.Rules = append(set.Rules, &rules.Rule{Name: "restores", Action: rules.RestoredAction()})
	return set
}

func (w *world) at(seconds float64) time.Time {
	return w.start.Add(time.Duration(seconds * float64(time.Second)))
}

// row makes a row of a table: "id=1 status=C". What is not named is 0 for ids and numbers, empty for texts; NULL is NULL.
func (w *world) row(table, text string) cdc.Row {
	values := map[string]string{}
	for f := range strings.FieldsSeq(text) {
		name, value, _ := strings.Cut(f, "=")
		values[name] = value
	}
	var b rowcodec.RowBuilder
	for _, c := range w.tables[table].Columns {
		v, ok := values[c]
		delete(values, c)
		if v == "NULL" {
			b.AddText(cdc.Null, "")
			continue
		}
		switch c {
		case "createdon": // date_time
			b.AddText(cdc.Text, strings.ReplaceAll(v, "_", " "))
		case "status", "notes", "type", "name", "log", "billing_name", "nickname", "code":
			b.AddText(cdc.Text, v)
		default:
			if !ok {
				v = "0"
			}
			b.AddText(cdc.Int, v)
		}
	}
	if len(values) > 0 {
		w.t.Fatalf("table %s has no columns %v", table, slices.Collect(maps.Keys(values)))
	}
	return b.Row()
}

func (w *world) insert(table, row string) cdc.Change {
	return cdc.Change{Table: w.tables[table], Op: cdc.Insert, After: w.row(table, row)}
}

func (w *world) update(table, before, after string) cdc.Change {
	return cdc.Change{Table: w.tables[table], Op: cdc.Update, Before: w.row(table, before), After: w.row(table, after)}
}

func (w *world) remove(table, row string) cdc.Change {
	return cdc.Change{Table: w.tables[table], Op: cdc.Delete, Before: w.row(table, row)}
}

// tx commits changes as one transaction, read when it was committed.
func (w *world) tx(seconds float64, changes ...cdc.Change) {
	w.t.Helper()
	w.txRead(seconds, seconds, changes...)
}

// txRead commits changes as one transaction that is read at some time later.
func (w *world) txRead(seconds, read float64, changes ...cdc.Change) {
	w.t.Helper()
	for i := range changes {
		if err := w.engine.Change(&changes[i]); err != nil {
			w.t.Fatal(err)
		}
	}
	w.txns++
	c := &cdc.Commit{
		Txn:  cdc.Txn{GTID: fmt.Sprintf("0-1-%d", w.txns), Start: cdc.Coord{File: "log.1", Offset: uint64(w.txns) * 100}, Hash: w.hash},
		End:  cdc.Coord{File: "log.1", Offset: uint64(w.txns)*100 + 99},
		Time: w.at(seconds).Truncate(w.opts.Precision), Rows: len(changes), Original: w.made,
	}
	if err := w.engine.Commit(c, w.at(read)); err != nil {
		w.t.Fatal(err)
	}
	w.closed = append(w.closed, w.engine.Closed()...)
	for w.engine.Applying() {
		if err := w.engine.Step(); err != nil {
			w.t.Fatal(err)
		}
		w.closed = append(w.closed, w.engine.Closed()...)
	}
	w.again(read)
}

// again crashes when the world crashes behind every transaction.
func (w *world) again(seconds float64) {
	w.t.Helper()
	if !w.crashes {
		return
	}
	before := w.closed
	w.closed = slices.DeleteFunc(slices.Clone(before), func(ev *rules.Event) bool { return w.done[ev] })
	for _, ev := range w.closed {
		w.done[ev] = true
	}
	w.crash(seconds, true)
	w.closed = before
}

// quiet lets our clock run with the log read to its end.
func (w *world) quiet(seconds float64) {
	w.engine.Expire(w.at(seconds))
	w.closed = append(w.closed, w.engine.Closed()...)
}

// crash commits what the engine has to store, drops it, and restores another from the records at the given time.
// Events that closed before are done when delivered says so.
func (w *world) crash(seconds float64, delivered bool) {
	w.t.Helper()
	if delivered {
		for _, ev := range w.closed {
			w.engine.Done(ev)
		}
	}
	w.store()
	w.engine = NewEngine([]*rules.Site{w.site}, w.set, w.opts)
	var records []Record
	for _, k := range slices.Sorted(maps.Keys(w.records)) {
		records = append(records, w.records[k])
	}
	if err := w.engine.Restore(records, w.at(seconds)); err != nil {
		w.t.Fatal(err)
	}
	w.closed = append(w.closed, w.engine.Closed()...)
}

func (w *world) store() {
	w.t.Helper()
	records, err := w.engine.TakeRecords()
	if err != nil {
		w.t.Fatal(err)
	}
	for _, r := range records {
		if r.Data == nil {
			delete(w.records, r.Key)
		} else {
			w.records[r.Key] = r
		}
	}
}

// want compares what closed since the last want, one line an event.
func (w *world) want(lines ...string) {
	w.t.Helper()
	var got []string
	for _, ev := range w.closed {
		got = append(got, summary(ev))
	}
	w.closed = nil
	if !slices.Equal(got, lines) {
		w.t.Errorf("closed:\n  %s\nwant:\n  %s", strings.Join(got, "\n  "), strings.Join(lines, "\n  "))
	}
}

// summary says an event in a line: "appointment.save [1] insert status=C (txn 3)".
func summary(ev *rules.Event) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %v", ev.Action, ev.IDs)
	if ev.Insert {
		b.WriteString(" insert")
	}
	switch {
	case ev.Restored != nil:
		fmt.Fprintf(&b, " %v", ev.Restored.Tables)
	case ev.Action.Kind == rules.StatusChange:
		fmt.Fprintf(&b, " %s", ev.Status)
		if ev.Row.Len() == 0 {
			b.WriteString(" without a row")
		}
	case ev.Row.Len() == 0:
		b.WriteString(" without a row")
	case ev.Action.Kind == rules.Save && ev.Table.Index("status") >= 0:
		fmt.Fprintf(&b, " status=%s", ev.Row.Text(ev.Table.Index("status")))
	}
	return b.String()
}
