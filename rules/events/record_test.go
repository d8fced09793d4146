package events

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"log/slog"
	"slices"
	"strconv"
	"testing"
	"time"

	"rowhook/cdc"
	"rowhook/cdc/rowcodec"
	"rowhook/cdc/schema"
	"rowhook/rules"
	"rowhook/scratch"
)

// A record whose row is in its JSON, as older versions wrote it, and one whose row stands behind it are the same.
func TestRecordsOfBothForms(t *testing.T) {
	t.Parallel()
	var b rowcodec.RowBuilder
	b.AddText(cdc.Int, "12")
	b.AddText(cdc.Text, "two\nlines")
	row, err := b.Row().AppendBinary(nil)
	if err != nil {
		t.Fatal(err)
	}
	behind := marshal(t, eventRecord{Site: "salon", IDs: []int64{12}, Row: row})
	inside := []byte(`{"site":"salon","entity":"","kind":0,"ids":[12],"row":"` + base64.StdEncoding.EncodeToString(row) + `"}`)
	for name, data := range map[string][]byte{"behind": behind, "inside": inside} {
		r, err := parseEventRecord(Record{Data: data})
		if err != nil || r.Site != "salon" || !slices.Equal(r.Keys, []rules.Key{"12"}) || !bytes.Equal(r.Row, row) {
			t.Errorf("%s: %+v, %v", name, r, err)
		}
	}
	for name, data := range map[string][]byte{"nothing": nil, "no JSON": []byte("\n" + string(row)), "cut JSON": behind[:10]} {
		if r, err := parseEventRecord(Record{Data: data}); err == nil {
			t.Errorf("%s is read as %+v", name, r)
		}
	}
}

func marshal(tb testing.TB, r eventRecord) []byte {
	tb.Helper()
	return r.record("").Data
}

// Events that were stored with texts of many megabytes, as they were until max_payload, go on without them: the loader asks
// the table. So they do when another history begins.
func TestLargeRecordsOfOlderVersions(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{})
	c := w.insert("reservation", "id=7 id_employee=1 status=C notes=x")
	notes := c.Table.Index("notes")
	w.tx(0, c)
	w.want("appointment.save [7] insert status=C")
	w.store()
	text := bytes.Repeat([]byte("long"), 1<<20)
	for key, r := range w.records {
		if !r.IsEvent() {
			continue
		}
		head, row, _ := bytes.Cut(r.Data, []byte("\n"))
		head = fmt.Appendf(bytes.TrimSuffix(bytes.Clone(head), []byte("}")), `,"row_size":%d,"large":[{"column":%d,"size":%d}]}`, len(row), notes, len(text))
		w.records[key] = Record{Key: key, Data: slices.Concat(head, []byte("\n"), row, text)}
	}
	for _, restart := range []string{"crash", "another history"} {
		if restart != "crash" {
			var records []Record
			for _, r := range w.records {
				records = append(records, r)
			}
			changed, err := Detach(records)
			if err != nil {
				t.Fatal(err)
			}
			for _, r := range changed {
				if len(r.Data) > 1000 {
					t.Errorf("%d bytes of the record %s are in memory", len(r.Data), r.Key)
				}
				w.records[r.Key] = r
			}
		}
		w.crash(1, false)
		if len(w.closed) != 1 || !w.closed[0].Row.Omitted(notes) || w.closed[0].Row.Text(0) != "7" {
			t.Errorf("%s: %d events are closed, or their row is another one", restart, len(w.closed))
		}
		w.want("appointment.save [7] insert status=C")
	}
}

// FuzzRestore begins with an event record and a table record from a file that somebody changed.
func FuzzRestore(f *testing.F) {
	site := &rules.Site{Name: "salon", Schema: "wp", Prefix: "wp_"}
	opts := Options{Coalesce: time.Second, CoalesceMax: 5 * time.Second, StatusWait: time.Second, Precision: time.Second, Log: slog.New(slog.DiscardHandler)}
	tables := newTableRecords()
	table := tables.key(schema.NewTable(site.Table("reservation"), worldTables["reservation"], []int{0}))
	var b rowcodec.RowBuilder
	for range worldTables["reservation"] {
		b.AddText(cdc.Int, "1")
	}
	row, err := b.Row().AppendBinary(nil)
	if err != nil {
		f.Fatal(err)
	}
	for _, r := range []eventRecord{
		{Site: "salon", Entity: "appointment", Kind: rules.Save, IDs: []int64{1}, Table: table, Row: row, Changed: []bool{false, true}},
		{Site: "salon", Entity: "appointment", Kind: rules.StatusChange, IDs: []int64{1}, Status: "C", Table: table, Row: row, Closing: 7, Waits: true},
		{Site: "salon", Entity: "coupon", Kind: rules.Delete, IDs: []int64{1, 2, 3}, Closing: 3, Sealed: true},
		{Site: "salon", Entity: "appointment", Kind: rules.Save, IDs: []int64{1}}, // by a part of it
		{Site: "elsewhere", Entity: "coupon", Kind: rules.Save, IDs: []int64{1}},
	} {
		f.Add(marshal(f, r), tables.fresh[0].Data)
	}
	f.Add([]byte(`{"site":"salon","entity":"coupon","kind":1,"ids":[1],"row":"AQ=="}`), tables.fresh[0].Data)
	f.Add([]byte(`{"site":"salon","entity":"appointment","kind":1,"ids":[1],"table":"`+table+`","row_size":`+strconv.Itoa(len(row))+`,"large":[{"column":2,"size":3}]}`+
		"\n"+string(row)+"abc"), tables.fresh[0].Data)
	opts.Scratch = scratch.In(f.TempDir())
	f.Fuzz(func(t *testing.T, event, layout []byte) {
		now := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
		e := NewEngine([]*rules.Site{site}, wantAll(), opts)
		records := []Record{{Key: table, Data: layout}, {Key: eventKey(1), Data: event}}
		if err := e.Restore(records, now); err != nil {
			return
		}
		e.Expire(now.Add(time.Hour))
		if _, err := e.TakeRecords(); err != nil {
			t.Fatal(err)
		}
		for _, ev := range e.Closed() {
			_ = ev.Keys()
			e.Done(ev)
		}
		if events, size := e.Waiting(); events != 0 || size != 0 {
			t.Fatalf("%d events of %d bytes wait, and all were done", events, size)
		}
	})
}
