package loader

import (
	"log/slog"
	"testing"
	"time"

	"rowhook/cdc"
	"rowhook/cdc/rowcodec"
	"rowhook/cdc/schema"
	"rowhook/rules"
)

// columns makes a record of alternating names and values; nil is null.
func columns(pairs ...any) record {
	var names []string
	var b rowcodec.RowBuilder
	for i := 0; i < len(pairs); i += 2 {
		names = append(names, pairs[i].(string))
		switch v := pairs[i+1].(type) {
		case nil:
			b.AddText(cdc.Null, "")
		case value:
			b.AddText(v.kind, v.text)
		case string:
			b.AddText(cdc.Text, v)
		}
	}
	return record{schema.NewTable(cdc.TableName{Schema: "wp", Name: "t"}, names, []int{0}), b.Row()}
}

func number(text string) value  { return value{cdc.Int, text} }
func decimal(text string) value { return value{cdc.Decimal, text} }

// What the plugin makes of a row that it loads, under its own fidelity, and what stays as committed otherwise
// (FINDINGS 3).
func TestFullQuirks(t *testing.T) {
	t.Parallel()
	now := time.Unix(1_795_424_000, 0)
	tests := map[string]struct {
		action            string
		row               record
		credit            bool
		plugin, committed string
	}{
		"an appointment": {
			action: "appointment.save",
			row:    columns("id", number("7"), "duration", number("0"), "total_cost", decimal("-5.00"), "locked_until", number("1795424255"), "notes", nil),
			plugin: `{"id":"7","duration":1,"total_cost":0,"locked_until":1795424900,"notes":null}`, committed: `{"id":"7","duration":0,"total_cost":-5,"locked_until":1795424255,"notes":null}`,
		},
		"a package order": {
			action: "package_order.save", row: columns("total_cost", decimal("100.00"), "tot_paid", decimal("0.00")),
			plugin: `{"total_cost":100,"tot_paid":"0.00"}`, committed: `{"total_cost":100,"tot_paid":"0.00"}`,
		},
		"a service for one": {
			action: "service.save",
			row:    columns("max_capacity", number("1"), "min_per_res", number("2"), "max_per_res", number("1"), "app_per_slot", number("3"), "display_seats", number("1")),
			plugin: `{"max_capacity":"1","min_per_res":"1","max_per_res":"1","app_per_slot":1,"display_seats":0}`, committed: `{"max_capacity":"1","min_per_res":"2","max_per_res":"1","app_per_slot":3,"display_seats":1}`,
		},
		"a service for many": {
			action: "service.save", row: columns("max_capacity", number("4"), "max_per_res", number("9"), "app_per_slot", number("0"), "display_seats", number("1")),
			plugin: `{"max_capacity":"4","max_per_res":"4","app_per_slot":"0","display_seats":"1"}`, committed: `{"max_capacity":"4","max_per_res":"9","app_per_slot":"0","display_seats":"1"}`,
		},
		"an employee": {
			action: "employee.save", row: columns("active_to", number("-1"), "active_to_date", nil),
			plugin: `{"active_to":"-1","active_to_date":"0000-00-00 00:00:00"}`, committed: `{"active_to":"-1","active_to_date":null}`,
		},
		"an employee until a day": {
			action: "employee.save", row: columns("active_to", number("1"), "active_to_date", "2027-01-01 00:00:00"),
			plugin: `{"active_to":"1","active_to_date":"2027-01-01 00:00:00"}`, committed: `{"active_to":"1","active_to_date":"2027-01-01 00:00:00"}`,
		},
		"a coupon": {
			action: "coupon.save", row: columns("value", decimal("-10.50"), "mincost", decimal("0.00")),
			plugin: `{"value":10.5,"mincost":0}`, committed: `{"value":-10.5,"mincost":0}`,
		},
		"a customer": {
			action: "customer.save", row: columns("credit", decimal("20.00")),
			plugin: `{"credit":"0.00"}`, committed: `{"credit":"20.00"}`,
		},
		"a customer with credit": {
			action: "customer.save", row: columns("credit", decimal("20.00")), credit: true,
			plugin: `{"credit":20}`, committed: `{"credit":20}`,
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			set := &lookupSet{lock: 15 * time.Minute, credit: test.credit}
			e := entity(t, test.action).Entity
			if got := string(fullBody(e, test.row, quirks{on: true, set: set, now: now})); got != test.plugin {
				t.Errorf("plugin:\n got %s\nwant %s", got, test.plugin)
			}
			if got := string(fullBody(e, test.row, quirks{set: set, now: now})); got != test.committed {
				t.Errorf("documented:\n got %s\nwant %s", got, test.committed)
			}
		})
	}
}

// Of an order basic shows the saved columns that are not null, of the others every column (FINDINGS 3).
func TestBasicOfNamedColumns(t *testing.T) {
	t.Parallel()
	r := columns("id", number("3"), "name", "Ann", "notes", nil, "credit", decimal("5.00"), "status", "C")
	tests := map[string]struct {
		action         string
		insert         bool
		named, changed []bool
		want           string
	}{
		"an order is saved":                    {action: "appointment.save", named: []bool{false, true, true, false, false}, want: `{"id":3,"name":"Ann"}`},
		"an order is made":                     {action: "appointment.save", insert: true, named: []bool{false, true}, want: `{"id":3,"name":"Ann"}`},
		"an order, its statement is not known": {action: "package_order.save", changed: []bool{false, false, true, true, false}, want: `{"id":3,"credit":5}`},
		"a customer is saved": {
			action: "customer.save", named: []bool{false, true, true, false, false}, want: `{"id":3,"name":"Ann","notes":null,"credit":null,"status":null}`,
		},
		"a customer is made": {
			action: "customer.save", insert: true, named: []bool{false, true, false, true, false}, want: `{"id":3,"name":"Ann","notes":null,"credit":5,"status":null}`,
		},
		"a customer, its statement is not known": {action: "customer.save", changed: []bool{false, false, true, true, false}, want: `{"id":3,"notes":null,"credit":5}`},
		"a customer is made by nobody knows whom": {
			action: "customer.save", insert: true, want: `{"id":3,"name":"Ann","notes":null,"credit":5,"status":"C"}`,
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ev := &rules.Event{Action: entity(t, test.action), Insert: test.insert, Named: test.named, Changed: test.changed}
			if got := string(basicBody(ev, r)); got != test.want {
				t.Errorf("\n got %s\nwant %s", got, test.want)
			}
		})
	}
}

// Under the plugin's fidelity the statuses of full and extended are those of the object as loaded.
func TestStatusesOfTheLoaded(t *testing.T) {
	t.Parallel()
	rule := func(load rules.Load) *rules.Rule {
		return &rules.Rule{Load: load, Statuses: map[string]bool{"P": true}}
	}
	loaded := func(status, closure string) object {
		return object{record: columns("id", number("1"), "status", status, "closure", closure)}
	}
	ev := &rules.Event{Action: entity(t, "appointment.save"), IDs: []rules.Key{"1"}, Table: orderTable, Row: orderRow()} // C
	optionOnly := &rules.Event{Action: ev.Action, IDs: []rules.Key{"1"}, Table: historyTable}
	tests := map[string]struct {
		plugin bool
		ev     *rules.Event
		object object
		load   rules.Load
		want   bool
	}{
		"documented: the log's status was asked": {false, ev, loaded("W", "0"), rules.Full, true},
		"plugin: basic was asked":                {true, ev, loaded("W", "0"), rules.Basic, true},
		"plugin: full, as loaded":                {true, ev, loaded("P", "0"), rules.Full, true},
		"plugin: full, not as loaded":            {true, ev, loaded("W", "0"), rules.Full, false},
		"plugin: full, gone":                     {true, ev, object{}, rules.Full, false},
		"plugin: extended, not as loaded":        {true, ev, loaded("W", "0"), rules.Extended, false},
		"plugin: extended, an exception":         {true, ev, loaded("W", "1"), rules.Extended, true},
		"an option, as loaded":                   {false, optionOnly, loaded("P", "0"), rules.Full, true},
		"an option, not as loaded":               {false, optionOnly, loaded("W", "0"), rules.Full, false},
		"an option that went with its order":     {false, optionOnly, object{}, rules.Full, false},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := &Loader{maker: newMaker(Options{Plugin: test.plugin}, slog.New(slog.DiscardHandler))}
			if got := l.wanted(test.ev, test.object, rule(test.load)); got != test.want {
				t.Errorf("got %v", got)
			}
		})
	}
}

// What its column rounds, limits or cuts off is shown as it was passed.
func TestBasicOfPassedValues(t *testing.T) {
	t.Parallel()
	r := columns("id", number("3"), "total_cost", decimal("12345.68"), "total_tax", decimal("0.01"), "discount", nil,
		"people", number("127"), "name", "Ann")
	ev := &rules.Event{
		Action: entity(t, "appointment.save"), Insert: true, Named: []bool{false, true, true, true, true, true},
		Passed: map[int]string{1: "12345.678", 2: ".0050", 4: "300", 5: `Anna "M"`},
	}
	if got, want := string(basicBody(ev, r)), `{"id":3,"total_cost":12345.678,"total_tax":0.005,"people":300,"name":"Anna \"M\""}`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	r.row = r.row.Omit(func(i int) bool { return i == 5 })
	if got, want := string(basicBody(ev, r)), `{"id":3,"total_cost":12345.678,"total_tax":0.005,"people":300,"name":null}`; got != want {
		t.Errorf("without the name: got %s, want %s", got, want)
	}
	history := columns("id", number("3"), "comment", "by pho", "createdby", number("0"))
	ev = &rules.Event{Action: entity(t, "appointment.status_change"), Passed: map[int]string{1: "by phone", 2: "-1"}}
	if got, want := string(statusBody(ev, history)), `{"id":3,"comment":"by phone","createdby":-1}`; got != want {
		t.Errorf("history: got %s, want %s", got, want)
	}
}
