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

// shapedWorld is a saved coupon that some rules want, each given by its keys besides name, action and url.
func shapedWorld(tb testing.TB, shapes map[string]string) (*Loader, *rules.Event) {
	tb.Helper()
	names := []string{"id", "code", "value", "mincost", "dstart", "notes"}
	coupons := schema.NewTable(cdc.TableName{Schema: "wp", Name: "wp_vikappointments_coupon"}, names, []int{0})
	row := func(value string) cdc.Row {
		var b rowcodec.RowBuilder
		b.AddText(cdc.Int, "7")
		b.AddText(cdc.Text, `a "quoted" code`)
		b.AddText(cdc.Decimal, value)
		b.AddText(cdc.Decimal, "0.00")
		b.AddText(cdc.Null, "")
		b.AddText(cdc.Text, strings.Repeat("notes of a coupon ", 20))
		return b.Row()
	}
	ev := &rules.Event{
		Site: &rules.Site{Name: "salon", Schema: "wp", Prefix: "wp_"}, Action: entity(tb, "coupon.save"), IDs: []rules.Key{rules.NumberKey(7)},
		Table: coupons, Before: row("50.00"), Row: row("120.50"), Changed: []bool{false, true, true, false, false, false},
	}
	for name, shape := range shapes {
		if shape != "" {
			shape = ", " + shape
		}
		parsed, err := rules.Parse("test.yaml", fmt.Appendf(nil, "rules: [{name: %s, action: coupon.save, url: 'http://127.0.0.1/'%s}]", name, shape), nil)
		if err != nil {
			tb.Fatal(err)
		}
		ev.Rules = append(ev.Rules, parsed...)
	}
	return New(nil, mariaDB{}, Options{}, slog.New(slog.DiscardHandler)), ev
}

// TestShapesOfOneEvent: several rules shape one event, one of them always in vain; none changes what another gets.
func TestShapesOfOneEvent(t *testing.T) {
	t.Parallel()
	for range 20 { // rules come in any order
		l, ev := shapedWorld(t, map[string]string{
			"plain": "", "kept": "fields: [id]", "hidden": "redact: [code]", "old": "previous: true", "other": `template: {c: "= after.code"}`,
			"never": "when: after.value < 100", "broken": `template: {c: "= after.dstart + 'x'"}`, "worse": "when: int(after.code) > 1",
		})
		payloads, ok := l.Immediate(ev)
		if !ok || len(payloads) != 7 {
			t.Fatalf("%t, %d payloads", ok, len(payloads))
		}
		for _, p := range payloads {
			var body map[string]any
			isJSON := json.Unmarshal(p.Body, &body) == nil
			var right bool
			switch p.Rule.Name {
			case "plain":
				right = isJSON && body["code"] == `a "quoted" code` && body["previous"] == nil
			case "kept":
				right = isJSON && len(body) == 1
			case "hidden":
				right = isJSON && body["code"] == "[redacted]" && body["value"] == 120.5
			case "old":
				previous, _ := body["previous"].(map[string]any)
				right = len(previous) == 2 && previous["value"] == 50.0
			case "other":
				right = string(p.Body) == `{"c":"a \"quoted\" code"}`
			case "broken", "worse":
				right = p.Object == Unshaped
			}
			if !right || p.Object == Unshaped != (p.Rule.Name == "broken" || p.Rule.Name == "worse") {
				t.Errorf("%s gets %s (%s)", p.Rule.Name, p.Body, p.Object)
			}
		}
	}
}

func BenchmarkShaped(b *testing.B) {
	for _, c := range []struct{ name, shape string }{
		{"without", ""}, {"when", `when: "after.value > 100 && before?.value != after.value"`}, {"fields", "fields: [id, code, value]"}, {"template", `template: {text: "= 'Coupon ' + after.code", id: "= after.id"}`},
	} {
		b.Run(c.name, func(b *testing.B) {
			l, ev := shapedWorld(b, map[string]string{"r": c.shape})
			b.ReportAllocs()
			for b.Loop() {
				if payloads, ok := l.Immediate(ev); !ok || len(payloads) != 1 {
					b.Fatal(payloads)
				}
			}
		})
	}
}
