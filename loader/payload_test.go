package loader

import (
	"encoding/json"
	"log/slog"
	"testing"
	"time"

	"rowhook/cdc"
	"rowhook/cdc/rowcodec"
	"rowhook/cdc/schema"
	"rowhook/rules"
)

// The payloads here are what the plugin was observed to post for the same rows, cut to the columns that tell.

var orderTable = schema.NewTable(cdc.TableName{Schema: "wp", Name: "wp_vikappointments_reservation"},
	[]string{"id", "duration", "total_cost", "discount", "custom_f", "status", "locked_until", "notes"}, []int{0})

var historyTable = schema.NewTable(cdc.TableName{Schema: "wp", Name: "wp_vikappointments_order_status"},
	[]string{"id", "id_order", "status", "comment", "client", "ip", "createdby", "createdon", "type"}, []int{0})

type value struct {
	kind cdc.Kind
	text string
}

func row(values ...value) cdc.Row {
	var b rowcodec.RowBuilder
	for _, v := range values {
		b.AddText(v.kind, v.text)
	}
	return b.Row()
}

func orderRow() cdc.Row {
	return row(value{cdc.Int, "12"}, value{cdc.Int, "30"}, value{cdc.Decimal, "25.50"}, value{cdc.Decimal, "0.00"},
		value{cdc.Text, `{"CUSTOMF_NAME":"Zoë"}`}, value{cdc.Text, "C"}, value{cdc.Int, "1795424249"}, value{cdc.Null, ""})
}

func historyRow() cdc.Row {
	return row(value{cdc.Int, "9"}, value{cdc.Int, "12"}, value{cdc.Text, "C"}, value{cdc.Text, "by phone"}, value{cdc.Int, "1"},
		value{cdc.Text, "127.0.0.1"}, value{cdc.Int, "1"}, value{cdc.Text, "2026-11-23 08:42:35"}, value{cdc.Text, "reservation"})
}

// entity finds an entity through a rule, as everybody outside of rules does.
func entity(t testing.TB, action string) rules.Action {
	t.Helper()
	parsed, err := rules.Parse("test.yaml", []byte("rules: [{name: r, action: "+action+", url: 'http://127.0.0.1/'}]"), func(string) bool { return true })
	if err != nil {
		t.Fatal(err)
	}
	return parsed[0].Action
}

func TestPayloads(t *testing.T) {
	t.Parallel()
	full, basic := &rules.Rule{Name: "full", Load: rules.Full}, &rules.Rule{Name: "basic", Load: rules.Basic}
	coupons := schema.NewTable(cdc.TableName{Schema: "wp", Name: "wp_vikappointments_coupon"}, []string{"id", "code", "value", "mincost", "dstart"}, []int{0})
	coupon := row(value{cdc.Int, "3"}, value{cdc.Text, `A"B`}, value{cdc.Decimal, "10.00"}, value{cdc.Decimal, "7.25"}, value{cdc.Null, ""})
	commit := time.Date(2026, 11, 23, 8, 0, 0, 0, time.UTC)
	tests := map[string]struct {
		event  rules.Event
		object object
		want   map[string]string
	}{
		"an appointment is inserted": {
			event: rules.Event{Action: entity(t, "appointment.save"), IDs: []rules.Key{"12"}, Insert: true, Table: orderTable, Row: orderRow()},
			want: map[string]string{
				"full":  `{"id":"12","duration":30,"total_cost":25.5,"discount":"0.00","custom_f":"{\"CUSTOMF_NAME\":\"Zoë\"}","status":"C","locked_until":1795424249,"notes":null}`,
				"basic": `{"id":12,"duration":30,"total_cost":25.5,"discount":0,"custom_f":"{\"CUSTOMF_NAME\":\"Zoë\"}","status":"C","locked_until":1795424249}`,
			},
		},
		"an appointment is updated": {
			event: rules.Event{
				Action: entity(t, "appointment.save"), IDs: []rules.Key{"12"}, Table: orderTable, Row: orderRow(),
				Changed: []bool{false, false, false, false, false, true, true, true},
			},
			want: map[string]string{"basic": `{"id":12,"status":"C","locked_until":1795424249}`},
		},
		"a coupon shows what is null": {
			event: rules.Event{Action: entity(t, "coupon.save"), IDs: []rules.Key{"3"}, Insert: true, Table: coupons, Row: coupon},
			want: map[string]string{
				"full":  `{"id":"3","code":"A\"B","value":10,"mincost":7.25,"dstart":null}`,
				"basic": `{"id":3,"code":"A\"B","value":10,"mincost":7.25,"dstart":null}`,
			},
		},
		"a status changes": {
			event:  rules.Event{Action: entity(t, "appointment.status_change"), IDs: []rules.Key{"12"}, Status: "C", Table: historyTable, Row: historyRow()},
			object: object{record: record{orderTable, orderRow()}},
			want: map[string]string{
				"basic": `{"id":9,"id_order":12,"status":"C","comment":"by phone","client":1,"ip":"127.0.0.1","createdby":1,"createdon":"2026-11-23 08:42:35","type":"reservation"}`,
				"full":  `{"id":"12","duration":30,"total_cost":25.5,"discount":"0.00","custom_f":"{\"CUSTOMF_NAME\":\"Zoë\"}","status":"C","locked_until":1795424249,"notes":null}`,
			},
		},
		"a status changes without a history row": {
			event: rules.Event{Action: entity(t, "package_order.status_change"), IDs: []rules.Key{"12"}, Status: "X", Time: commit},
			want: map[string]string{
				"basic": `{"id":null,"id_order":12,"status":"X","comment":"","client":0,"ip":"","createdby":0,"createdon":"2026-11-23 08:00:00","type":"package_order"}`,
			},
		},
		"one is deleted": {
			event: rules.Event{Action: entity(t, "appointment.delete"), IDs: []rules.Key{"10"}},
			want:  map[string]string{"basic": `{"id":10}`},
		},
		"several are deleted": {
			event: rules.Event{Action: entity(t, "appointment.delete"), IDs: []rules.Key{"10", "11", "12"}},
			want:  map[string]string{"basic": `{"id":[10,11,12]}`},
		},
		"an option changed": {
			event:  rules.Event{Action: entity(t, "appointment.save"), IDs: []rules.Key{"12"}, Table: historyTable},
			object: object{record: record{orderTable, orderRow()}},
			want:   map[string]string{"basic": `{"id":12}`},
		},
		"an option went with its order": {
			event:  rules.Event{Action: entity(t, "appointment.save"), IDs: []rules.Key{"12"}, Table: historyTable},
			object: object{},
			want:   map[string]string{},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ev := test.event
			ev.Rules = []*rules.Rule{basic, full}
			got := map[string]string{}
			for _, p := range composed(t, &ev, test.object) {
				if !json.Valid(p.Body) {
					t.Errorf("%s is no JSON: %s", p.Rule.Name, p.Body)
				}
				got[p.Rule.Name] = string(p.Body)
			}
			if len(test.want) == 0 && len(got) > 0 {
				t.Errorf("got %v, want nothing", got)
			}
			for rule, want := range test.want {
				if got[rule] != want {
					t.Errorf("%s\n got %s\nwant %s", rule, got[rule], want)
				}
			}
		})
	}
}

func TestStatusOfAGoneOrder(t *testing.T) {
	t.Parallel()
	ev := rules.Event{
		Action: entity(t, "appointment.status_change"), IDs: []rules.Key{"12"}, Status: "C", Table: historyTable, Row: historyRow(),
		Rules: []*rules.Rule{{Name: "full", Load: rules.Full}},
	}
	p := composed(t, &ev, object{asOf: time.Unix(1, 0)})[0]
	if p.Object != Gone || p.AsOf.IsZero() || string(p.Body) != string(statusBody(&ev, record{ev.Table, ev.Row})) {
		t.Errorf("got %+v %s, want the history row, marked as gone", p, p.Body)
	}
}

// A status of a booking that was deleted meanwhile comes with the last row that the log showed of it.
func TestStatusOfAnOrderWhoseRowIsKnown(t *testing.T) {
	t.Parallel()
	ev := rules.Event{
		Action: entity(t, "appointment.status_change"), IDs: []rules.Key{"12"}, Status: "C", Table: historyTable, Row: historyRow(),
		OrderTable: orderTable, Order: orderRow(),
	}
	for _, load := range []rules.Load{rules.Full, rules.Extended} {
		ev.Rules = []*rules.Rule{{Name: "r", Load: load}}
		p := composed(t, &ev, object{asOf: time.Unix(1, 0)})[0]
		if want := fullBody(ev.Action.Entity, record{orderTable, orderRow()}, quirks{}); p.Object != Gone || string(p.Body) != string(want) {
			t.Errorf("%s: got %q %s, want the order's last row, marked as gone", load, p.Object, p.Body)
		}
	}
}

func FuzzAppendString(f *testing.F) {
	for _, s := range []string{"", "a\"b\\c\n\r\t\x00\x7f", "Zoë \u2028 \xff\xfe", "\xed\xa0\x80", "😀"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		var back string
		got := appendString(nil, s)
		if err := json.Unmarshal(got, &back); err != nil {
			t.Fatalf("%q became %q: %v", s, got, err)
		}
		var want string
		std, _ := json.Marshal(s)
		if err := json.Unmarshal(std, &want); err != nil || back != want {
			t.Errorf("%q reads back as %q, want %q", s, back, want)
		}
	})
}

func FuzzNumbers(f *testing.F) {
	for _, s := range []string{"0", "-0.00", "25.50", "100.00", "1e20", "1.5e-10", ".5", "1.", "", "nan", "00", "-", "1e", "0x1"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if got := appendFloat(nil, s); !json.Valid(got) {
			t.Errorf("%q became %s", s, got)
		}
	})
}

func composed(t *testing.T, ev *rules.Event, o object) []Payload {
	t.Helper()
	l := &Loader{maker: newMaker(Options{MaxPayload: DefaultMaxPayload}, slog.New(slog.DiscardHandler))}
	payloads, err := l.compose(ev, o, l.whole(ev, o))
	if err != nil {
		t.Fatal(err)
	}
	return payloads
}
