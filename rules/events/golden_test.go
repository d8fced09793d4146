package events

import (
	"encoding/hex"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"rowhook/cdc"
	"rowhook/rules"
)

var update = flag.Bool("update", false, "write the golden files anew")

// The files in testdata/golden were written by the version before entities could be added. Receivers remember delivery
// ids, and outboxes hold records, so neither may ever change; -update rewrites them only where that is missing.

// goldenWorld tells a story that has every kind of event of every entity.
func goldenWorld(t *testing.T, o Options) *world {
	w := newWorld(t, o)
	w.made = time.Unix(1_700_000_000, 123_456_000)
	w.tx(1, w.insert("reservation", "id=1 id_parent=-1 id_employee=3 status=P locked_until=9"))
	w.tx(1.1, w.update("reservation", "id=1 id_parent=-1 id_employee=3 status=P locked_until=9", "id=1 id_parent=1 id_employee=3 status=P locked_until=9"))
	w.tx(1.2, w.insert("res_opt_assoc", "id=7 id_reservation=1 quantity=2"))
	w.tx(1.3, w.insert("order_status", "id=1 id_order=1 status=P type=reservation"))
	w.made = time.Time{}
	w.tx(20, w.update("reservation", "id=1 id_parent=1 id_employee=3 status=P", "id=1 id_parent=1 id_employee=3 status=C"))
	w.tx(40, w.insert("package_order", "id=18446744073709 status=C total_cost=5"), w.insert("package_order_item", "id=2 id_order=18446744073709 quantity=1"))
	w.tx(41, w.insert("order_status", "id=2 id_order=18446744073709 status=C type=package_order"))
	w.tx(60, w.insert("users", "id=-4 billing_name=Ann"), w.insert("employee", "id=5 nickname=Bob"), w.insert("service", "id=6 name=Cut"), w.insert("coupon", "id=7 code=X"))
	w.tx(80, w.update("users", "id=-4 billing_name=Ann", "id=-4 billing_name=Eve"), w.update("coupon", "id=7 code=X", "id=8 code=X"))
	w.tx(100, w.remove("service", "id=6 name=Cut"), w.insert("service", "id=9 name=Dye"), w.insert("service", "id=10 name=Set"))
	w.tx(120, w.remove("service", "id=9 name=Dye"), w.remove("service", "id=10 name=Set"), w.remove("users", "id=-4"), w.remove("employee", "id=5"), w.remove("coupon", "id=8"))
	w.tx(140, w.remove("reservation", "id=1"), w.remove("res_opt_assoc", "id=7 id_reservation=1"), w.remove("package_order", "id=18446744073709"))
	return w
}

// goldenLines are a line of each delivery: what it is, and its id.
func goldenLines(events []*rules.Event) string {
	var b strings.Builder
	for _, ev := range events {
		for _, r := range ev.Rules {
			id := ev.DeliveryID("source", r.Name)
			fmt.Fprintf(&b, "%s %s %s %s\n", hex.EncodeToString(id[:]), ev.Action, strings.Join(ev.Keys(), ","), r.Name)
		}
	}
	return b.String()
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", "golden", name)
	want, err := os.ReadFile(path)
	if os.IsNotExist(err) && *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s is not what the version before makes it:\n%s\nit was:\n%s", name, got, want)
	}
}

// The ids of deliveries never change.
func TestGoldenDeliveryIDs(t *testing.T) {
	t.Parallel()
	for name, o := range map[string]Options{
		"ids.txt":        {Coalesce: 500 * time.Millisecond, CoalesceMax: 5 * time.Second, StatusWait: 2 * time.Second},
		"ids-single.txt": {},
	} {
		w := goldenWorld(t, o)
		w.quiet(1000)
		b := backfill{w, w.set.Rules[0]}
		b.open()
		b.fill(1001, "id=20 id_parent=20 id_employee=1 status=C")
		golden(t, name, goldenLines(w.closed))
	}
}

// goldenRecord is a record as the file has it.
type goldenRecord struct {
	Key  string `json:"key"`
	Data []byte `json:"data"`
}

// What the version before has stored opens, and goes on to the same deliveries. The file has open and closed events, a
// status that fired, orders in the making, and a table that is being restored.
func TestGoldenRecords(t *testing.T) {
	t.Parallel()
	o := Options{Coalesce: 500 * time.Millisecond, CoalesceMax: 5 * time.Second, StatusWait: 2 * time.Second}
	path := filepath.Join("testdata", "golden", "records.json")
	if _, err := os.Stat(path); os.IsNotExist(err) && *update {
		writeGoldenRecords(t, path, o)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var stored []goldenRecord
	if err := json.Unmarshal(data, &stored); err != nil {
		t.Fatal(err)
	}
	w := newWorld(t, o)
	records := make([]Record, len(stored))
	for i, r := range stored {
		records[i] = Record(r)
	}
	if err := w.engine.Restore(records, w.at(200)); err != nil {
		t.Fatal(err)
	}
	if len(w.engine.windows.fired.by) == 0 || len(w.engine.translator.restores.tables) == 0 || !slices.ContainsFunc(records, func(r Record) bool { return r.Key[0] == makingPrefix[0] }) {
		t.Errorf("fired %v, restores %v: the file lacks what it should show", w.engine.windows.fired.by, w.engine.translator.restores.tables)
	}
	w.closed = append(w.closed, w.engine.Closed()...)
	w.txns = 100
	w.tx(150.2, w.insert("order_status", "id=9 id_order=31 status=C type=reservation")) // its status fired already
	w.tx(150.3, w.insert("res_opt_assoc", "id=90 id_reservation=30 quantity=1"))        // absorbed
	w.quiet(1000)
	golden(t, "restored.txt", goldenLines(w.closed))
}

func writeGoldenRecords(t *testing.T, path string, o Options) {
	w := goldenWorld(t, o)
	w.tx(145, w.update("reservation", "id=31 id_parent=31 id_employee=3 status=P", "id=31 id_parent=31 id_employee=3 status=C"))
	w.quiet(149) // nobody told: fired
	w.tx(150, w.insert("reservation", "id=30 id_parent=-1 id_employee=3 status=P locked_until=9"), w.insert("coupon", "id=40 code=Y"), w.remove("employee", "id=50"), w.remove("employee", "id=51"))
	c := &cdc.Commit{Txn: cdc.Txn{GTID: "0-1-99"}, Time: w.at(150.1), Created: []cdc.TableName{w.site.Table("service")}, Statement: true}
	if err := w.engine.Commit(c, w.at(150.1)); err != nil {
		t.Fatal(err)
	}
	w.store()
	var stored []goldenRecord
	for _, r := range w.records {
		stored = append(stored, goldenRecord(r))
	}
	slices.SortFunc(stored, func(a, b goldenRecord) int { return strings.Compare(a.Key, b.Key) })
	data, err := json.MarshalIndent(stored, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, append(data, '\n'), 0o644); err != nil {
		t.Fatal(err)
	}
}

// Records say which version they are of; what a later version wrote is left alone, and nothing else suffers.
func TestRecordsOfALaterVersion(t *testing.T) {
	t.Parallel()
	w := goldenWorld(t, Options{Coalesce: 500 * time.Millisecond, CoalesceMax: 5 * time.Second, StatusWait: 2 * time.Second})
	w.tx(150, w.insert("reservation", "id=30 id_parent=-1 id_employee=3 status=P locked_until=9"), w.insert("coupon", "id=40 code=Y"))
	w.closed = nil
	w.store()
	later := 0
	for key, r := range w.records {
		data, ok := strings.CutPrefix(string(r.Data), fmt.Sprintf(`{"v":%d`, recordVersion))
		if !ok {
			t.Fatalf("%s says no version: %.80s", key, r.Data)
		}
		if strings.Contains(data, `"entity":"coupon"`) && strings.Contains(data, `["40"]`) {
			later++
			w.records[key] = Record{Key: key, Data: []byte(`{"v":2` + data)}
		}
	}
	if later != 1 {
		t.Fatalf("%d records are changed", later)
	}
	w.crash(151, false)
	w.closed = slices.DeleteFunc(w.closed, func(ev *rules.Event) bool { return ev.Closing > 0 })
	w.quiet(1000)
	w.want("appointment.save [30] insert status=P")
}
