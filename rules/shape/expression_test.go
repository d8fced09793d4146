package shape

import (
	"reflect"
	"strings"
	"testing"
)

func orders() *Names {
	return &Names{Row: Columns{"id": Int, "status": Text, "total_cost": Float, "checkin_ts": Int, "purchaser_mail": Text, "payment": Any}}
}

func bookings() *Values {
	return &Values{
		Before:  map[string]any{"status": "P", "checkin_ts": 100, "total_cost": 80.0},
		After:   map[string]any{"id": 7, "status": "C", "checkin_ts": 100, "total_cost": 120.5, "purchaser_mail": "a@b.example", "payment": nil, "newer": 1},
		Event:   map[string]any{"action": "appointment.save", "type": "update", "status": "", "key": "7", "time": "2026-03-01T10:00:00Z", "seconds": 1772359200, "changed": []string{"status", "total_cost"}},
		Site:    "salon",
		Payload: map[string]any{"id": "7", "options": []any{map[string]any{"id_option": "3"}}},
	}
}

func TestCondition(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]bool{
		"after.total_cost > 100":                                                       true,
		"after.total_cost > 100 && before?.status != after.status":                     true,
		"before?.checkin_ts != after.checkin_ts":                                       false,
		`site in ["salon", "spa"]`:                                                     true,
		`event.type == "update" && "status" in event.changed`:                          true,
		`after.purchaser_mail endsWith "@b.example"`:                                   true,
		`any(payload.options, .id_option == "3")`:                                      true,
		"after.payment == nil":                                                         true,
		"(after.payment ?? 0) > 0":                                                     false,
		`after.purchaser_mail matches "^[a-z]@"`:                                       true,
		`get(after, "newer") == 1`:                                                     true, // what this version does not know
		`event.key == string(after.id)`:                                                true,
		`int(date(event.time).Weekday()) == 0 && int(date(event.time).Month()) in [3]`: true,
		`!date(event.time).IsZero() && date(event.time).IsDST() == false`:              true,
		`after["status"] == "C" and not (event.action == "customer.delete")`:           true,
	} {
		e, err := Condition(text, orders(), nil)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if got, err := e.Holds(bookings()); err != nil || got != want {
			t.Errorf("%s: %t, %v", text, got, err)
		}
	}
	created := bookings()
	created.Before = nil
	e, err := Condition("before == nil || before.status != after.status", orders(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := e.Holds(created); err != nil || !got {
		t.Errorf("of what was created: %t, %v", got, err)
	}
}

// TestNull: a column of whatever type may be NULL, which is equal to nothing but NULL; what asks for more than that says so.
func TestNull(t *testing.T) {
	t.Parallel()
	null := func() *Values {
		return &Values{
			Before: map[string]any{"id": 7, "status": "P", "total_cost": nil, "purchaser_mail": nil, "payment": nil, "checkin_ts": nil},
			After:  map[string]any{"id": nil, "status": nil, "total_cost": nil, "purchaser_mail": nil, "payment": 1, "checkin_ts": 100},
		}
	}
	for text, want := range map[string]bool{
		`after.status == "C"`:                               false,
		`after.status != "C"`:                               true,
		"before.status != after.status":                     true,
		"before?.purchaser_mail == after.purchaser_mail":    true,
		"before.id == after.id":                             false,
		"after.id == 7 || before.id == 7":                   true,
		"before.total_cost == after.total_cost":             true,
		"before.checkin_ts != after.checkin_ts":             true,
		"after.status == nil && after.total_cost == nil":    true,
		`after.status in ["C", "P"]`:                        false,
		`(after.status ?? "none") == "none"`:                true,
		"(after.total_cost ?? 0) > 100":                     false,
		"after.checkin_ts > 10 && before.checkin_ts == nil": true,
	} {
		e, err := Condition(text, orders(), nil)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if got, err := e.Holds(null()); err != nil || got != want {
			t.Errorf("%s: %t, %v", text, got, err)
		}
	}
	for _, text := range []string{"after.total_cost > 100", "after.id + 1 == 8"} {
		e, err := Condition(text, orders(), nil)
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		if got, err := e.Holds(null()); err == nil {
			t.Errorf("%s: %t", text, got)
		}
	}
}

// TestFaults: what is wrong with an expression is said when it is read, with its place.
func TestFaults(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"":                        "is empty",
		"after.statuss == 'C'":    "unknown field statuss\n    after.statuss == 'C'\n          ^",
		`after["statuss"] == 1`:   "unknown field statuss",
		"after.status > 100":      "> compares two numbers or two texts, and these are a text and a number",
		"after.total_cost":        "a condition is true or false, and this is a number",
		"afterr.status == 'C'":    "unknown name afterr",
		"after.status = 'C'":      "= is no comparison; write ==",
		"after.status == 'C' &&":  "it ends too early",
		"1 in 1..900000":          "ranges are not allowed",
		"all(1..9, true)":         "ranges are not allowed",
		"len(repeat('a', 9)) > 1": "repeat is not allowed: it may make texts of any size\n    len(repeat('a', 9)) > 1\n        ^",
		"reduce(event.changed, #acc + #, '') == ''": "reduce is not allowed",
		"now().Unix() > 1":                          "now is not allowed",
		"date(site).Weekday() == 0":                 "these are a day of the week and a number; write int(...) around a day of the week: Sunday is 0\n",
		"3 == date(site).Month()":                   "these are a number and a month; write int(...) around a month: January is 1\n",
		"date(site).Month() in [3]":                 "these are a month and a list of which each is a number; write int(...) around a month: January is 1\n",
		"duration('1h') > 3":                        `these are a duration and a number; compare it with another one, such as duration("36h"), or write .Hours() behind it`,
		"date(event.time) > event.time":             "these are a time and a text; write date(...) around a text, or .Unix() behind a time",
		"event.statuss == ''":                       "unknown field statuss",
		strings.Repeat("true && ", 20) + "after.no || " + strings.Repeat("false || ", 50) + "false": "unknown field no\n    ...& true && true && true && true && true && true && true && true && true && after.no || false || false || false || false |...\n" + strings.Repeat(" ", 87) + "^",
		"$env.after.id == 7":                                               "$env is not allowed",
		"after.status matches before.status":                               "the pattern of matches must be written out",
		`after.status matches "(((x{100}){10}x{900}){1}y{1000}){2}z{999}"`: "the pattern",
		`after.status matches "("`:                                         "missing closing",
		"after.status ==\n  after.nothing":                                 "unknown field nothing\n      after.nothing\n            ^",
		strings.Repeat("!", 400) + "(id == 1)":                             "unknown name id",
		strings.Repeat("true && ", 600):                                    "is longer than",
		strings.Repeat("1+", 1500) + "1 == 1":                              "exceeds maximum allowed nodes",
	} {
		_, err := Condition(text, orders(), nil)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.60s: %v\nwant %s", text, err, want)
		}
	}
}

// TestValuesThatDoNotFit: what cannot be said of an event is an error, never a panic.
func TestValuesThatDoNotFit(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"after.payment > 100", "before.status == 'C'", "payload.a.b.c == 1", "int(after.status) == 1", "payload.x[3] == 1", "event.changed[5] == ''"} {
		e, err := Condition(text, orders(), nil)
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		v := bookings()
		v.Before, v.Payload = nil, "text"
		if holds, err := e.Holds(v); err == nil || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %t, %v", text, holds, err)
		}
	}
}

func TestUses(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]Uses{
		"after.id == 1 && after.status != before?.status": {Before: []string{"status"}, After: []string{"id", "status"}},
		"before == nil":                            {Whole: true},
		"len(after) > 3 && after.id == 1":          {Whole: true, After: []string{"id"}},
		"any(['status'], after[#] != before?.[#])": {Whole: true},
		"payload.id == '1'":                        {Payload: true, Fields: []string{"id"}},
		`payload["b"] == payload.a.c`:              {Payload: true, Fields: []string{"a", "b"}},
		"any(payload?.options, .id == '3')":        {Payload: true, Fields: []string{"options"}},
		"'a' in payload && payload.id == '1'":      {Payload: true, Fields: []string{"id"}, AllFields: true},
		"let p = payload; p.id == '1'":             {Payload: true, AllFields: true},
		"site == 'payload.after.id'":               {},
	} {
		e, err := Condition(text, nil, nil)
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		if !reflect.DeepEqual(e.Uses, want) {
			t.Errorf("%s uses %+v", text, e.Uses)
		}
	}
}

func FuzzCondition(f *testing.F) {
	for _, text := range []string{"after.total_cost > 100 && before?.status != after.status", "any(payload.options, .id_option == '3')", "let a = after.id; a == 1", "1..2", "{'a': after}"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		e, err := Condition(text, orders(), nil)
		if err != nil {
			_ = err.Error()
			return
		}
		_, _ = e.Holds(bookings())
	})
}

func BenchmarkCondition(b *testing.B) {
	e, err := Condition("after.total_cost > 100 && before?.status != after.status && after.purchaser_mail endsWith '@b.example'", orders(), nil)
	if err != nil {
		b.Fatal(err)
	}
	v := bookings()
	b.ReportAllocs()
	for b.Loop() {
		if ok, err := e.Holds(v); !ok || err != nil {
			b.Fatal(ok, err)
		}
	}
}

// TestBoundedFunctions: what is made of the product of two sizes is bounded; else the functions are what they were.
func TestBoundedFunctions(t *testing.T) {
	t.Parallel()
	v := bookings()
	v.After["purchaser_mail"] = strings.Repeat("x", 64<<10)
	for text, want := range map[string]any{
		`replace("a-b-c", "-", "+")`:                                  "a+b+c",
		`replace("a-b-c", "-", "", 1)`:                                "ab-c",
		`join(["a", after.status], ", ")`:                             "a, C",
		`join(split("a b", " "))`:                                     "ab",
		`event.changed | join("+")`:                                   "status+total_cost",
		`join(map(payload.options, .id_option), ",")`:                 "3",
		`replace(after.purchaser_mail, "", after.purchaser_mail)`:     nil,
		`join(split(after.purchaser_mail, ""), after.purchaser_mail)`: nil,
		`replace(after.payment, "a", "b")`:                            nil,
		`join(payload.options, ",")`:                                  nil,
	} {
		e, err := Value(text, orders(), nil)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if got, err := valueOf(e, v); (err != nil) != (want == nil) || got != want {
			t.Errorf("%s: %.50v, %v", text, got, err)
		}
	}
	for name, text := range map[string]string{"keys": "keys(payload)", "values": "values(after) | len()", "toPairs": "any(toPairs(before), true)"} {
		if _, err := Value(text, orders(), nil); err == nil || !strings.Contains(err.Error(), name+" is not allowed: what it lists is in another order each time") {
			t.Errorf("%s: %v", text, err)
		}
	}
}

// valueOf is an expression's value, within a budget of its own.
func valueOf(e *Expression, v *Values) (any, error) {
	v.budget.begin()
	return e.of(v)
}
