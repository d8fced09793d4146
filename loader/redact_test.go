package loader

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"rowhook/cdc"
	"rowhook/cdc/rowcodec"
	"rowhook/cdc/schema"
	"rowhook/rules"
)

// secretText is in every column that a rule hides; what is posted must not have it.
const secretText = "ann@example.com"

// peopleEvent is an event of a table of people, of which a rule wants every row, without the value of some column.
func peopleEvent(tb testing.TB, keyed string, shape string) *rules.Event {
	tb.Helper()
	parsed, err := rules.Parse("test.yaml", fmt.Appendf(nil, "rules: [{name: r, action: custom, table: people, load: full, url: 'http://127.0.0.1/', %s}]", shape), nil)
	if err != nil {
		tb.Fatal(err)
	}
	people := schema.NewTable(cdc.TableName{Schema: "wp", Name: "wp_people"}, []string{"id", "mail", "sum"}, nil)
	switch keyed {
	case "id":
		people.Key = []int{0}
	case "mail":
		people.Key = []int{1}
	}
	row := func(mail string) cdc.Row {
		var b rowcodec.RowBuilder
		b.AddText(cdc.Int, "7")
		b.AddText(cdc.Text, mail)
		b.AddText(cdc.Decimal, "1.50")
		return b.Row()
	}
	action := parsed[0].Action
	action.Kind = rules.Save
	ev := &rules.Event{
		Site: &rules.Site{Name: "salon", Schema: "wp", Prefix: "wp_"}, Action: action, Rules: parsed,
		Table: people, Before: row(secretText), Row: row(secretText + ".org"), Changed: []bool{false, true, false},
	}
	ev.IDs = []rules.Key{"7"}
	if key := ev.Key(); len(key) > 0 {
		ev.IDs[0] = rules.KeyAt(ev.Row, key)
	}
	return ev
}

// TestRedactedEverywhere: what a rule hides is in no part of what is posted, whatever part shows the same column.
func TestRedactedEverywhere(t *testing.T) {
	t.Parallel()
	for _, keyed := range []string{"id", "mail", ""} {
		for _, kind := range []string{"insert", "update", "delete"} {
			for _, shape := range []string{"redact: [data.mail]", "redact: [data, nothing]", "fields: [type, data, old, key, keys], redact: [data.mail]"} {
				ev := peopleEvent(t, keyed, shape)
				switch ev.Insert = kind == "insert"; kind {
				case "insert":
					ev.Before, ev.Changed = cdc.Row{}, nil
				case "delete":
					ev.Action.Kind, ev.Changed = rules.Delete, nil
				}
				l := New(nil, mariaDB{}, Options{}, slog.New(slog.DiscardHandler))
				payloads, ok := l.Immediate(ev)
				if !ok || len(payloads) != 1 || strings.Contains(string(payloads[0].Body), secretText) || payloads[0].Object == Unshaped {
					t.Errorf("%s of a table with the key %q, %s: %t, %+v", kind, keyed, shape, ok, payloads)
				}
			}
		}
	}
	for _, shape := range []string{"previous: true, redact: [code]", "previous: true, redact: [code], fields: [id, code, previous]"} {
		l, ev := shapedWorld(t, map[string]string{"r": shape})
		payloads, _ := l.Immediate(ev)
		if body := string(payloads[0].Body); strings.Contains(body, "quoted") || strings.Count(body, "[redacted]") != 2 || !strings.Contains(body, `"previous":{"code":`) {
			t.Errorf("%s gives %s", shape, body)
		}
	}
}

// TestShownIsShaped: where an order cannot be loaded, a rule makes of what the log showed what it makes of a whole one: it fires
// when its condition holds, hides what it hides, and what cannot be made is not posted.
func TestShownIsShaped(t *testing.T) {
	t.Parallel()
	columns := []string{"id", "status", "purchaser_mail", "custom_f", "total_cost"}
	row := func(status string) cdc.Row {
		var b rowcodec.RowBuilder
		b.AddText(cdc.Int, "7")
		b.AddText(cdc.Text, status)
		b.AddText(cdc.Text, secretText)
		b.AddText(cdc.Text, `{"Mail": "`+secretText+`"}`)
		b.AddText(cdc.Decimal, "99.00")
		return b.Row()
	}
	for shape, want := range map[string]string{
		"":                               "",
		"when: after.status == 'X'":      "not posted",
		"when: payload.status == 'X'":    "not posted",
		"when: payload.totals.gross > 1": "payload.totals: what belongs to this event could not be loaded",
		"redact: [purchaser_mail, custom_f.Mail], fields: [id, purchaser_mail, custom_f]":             `{"id":"7","purchaser_mail":"[redacted]","custom_f":"{\"Mail\":\"[redacted]\"}"}`,
		"redact: [purchaser_mail, displayFields.Mail, totals]":                                        `{"id":"7","status":"C","purchaser_mail":"[redacted]","custom_f":"[redacted]","total_cost":"[redacted]"}`,
		"redact: [purchaser_mail, fields], previous: true":                                            `"previous":{"status":"P","custom_f":"[redacted]"}}`,
		"redact: [purchaser_mail, custom_f], previous: true, when: before.status != after.status":     `"previous":{"status":"P","custom_f":"[redacted]"}}`,
		"template: {text: \"= 'status ' + payload.status + ' of ' + string(after.id)\"}":              `{"text":"status C of 7"}`,
		"template: {text: \"= payload.appointments[0].service.name\"}":                                "payload.appointments: what belongs to this event could not be loaded",
		"when: after.status == 'C', template: {text: \"= payload.status\", b: \"= payload.billing\"}": "payload.billing: what belongs",
	} {
		keys := shape
		if keys != "" {
			keys = ", " + keys
		}
		parsed, err := rules.Parse("test.yaml", fmt.Appendf(nil, "rules: [{name: r, action: appointment.save, load: extended, url: 'http://127.0.0.1/'%s}]", keys), nil)
		if err != nil {
			t.Fatal(err)
		}
		ev := &rules.Event{
			Site: &rules.Site{Name: "salon", Schema: "wp", Prefix: "wp_"}, Action: parsed[0].Action, IDs: []rules.Key{"7"}, Rules: parsed,
			Table:  schema.NewTable(cdc.TableName{Schema: "wp", Name: "wp_vikappointments_reservation"}, columns, []int{0}),
			Before: row("P"), Row: row("C"), Changed: []bool{false, true, false, true, false},
		}
		l := New(nil, mariaDB{}, Options{}, slog.New(slog.DiscardHandler))
		payloads := l.Shown(ev)
		if want == "not posted" {
			if len(payloads) != 0 {
				t.Errorf("%s posts %s", shape, payloads[0].Body)
			}
			continue
		}
		body, hides := string(payloads[0].Body), strings.Contains(shape, "redact")
		if !strings.Contains(body, want) || hides && strings.Contains(body, secretText) || (payloads[0].Object == Unshaped) != strings.Contains(want, "what belongs") {
			t.Errorf("%s posts %s (%s)\nwant %s", shape, body, payloads[0].Object, want)
		}
	}
}

// TestNullInAKey: the key of a row that has NULL in it is shown as it is, whatever happened to the row.
func TestNullInAKey(t *testing.T) {
	t.Parallel()
	for _, kind := range []rules.Kind{rules.Save, rules.Delete} {
		ev := peopleEvent(t, "id", "key: [mail, sum]")
		var b rowcodec.RowBuilder
		b.AddText(cdc.Int, "7")
		b.AddText(cdc.Null, "")
		b.AddText(cdc.Decimal, "1.50")
		ev.Row, ev.Action.Kind, ev.IDs = b.Row(), kind, []rules.Key{"#0-1-1:1"}
		l := New(nil, mariaDB{}, Options{}, slog.New(slog.DiscardHandler))
		payloads, _ := l.Immediate(ev)
		if body := string(payloads[0].Body); !json.Valid(payloads[0].Body) || !strings.Contains(body, `{"mail":null,"sum":1.5}`) {
			t.Errorf("%s posts %s", kind, body)
		}
	}
}
