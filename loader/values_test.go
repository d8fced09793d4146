package loader

import (
	"fmt"
	"strconv"
	"sync"
	"testing"

	"rowhook/cdc"
	"rowhook/cdc/rowcodec"
	"rowhook/cdc/schema"
	"rowhook/rules"
)

// TestValuesAreOneEvents: goroutines that shape events by turns, of sites, tables and rows that differ, use the same maps again;
// none sees a value of another's event, and not one of the event before it.
func TestValuesAreOneEvents(t *testing.T) {
	t.Parallel()
	l, one := shapedWorld(t, map[string]string{
		"columns": `template: {site: "= site", code: "= after.code", was: "= before?.code", type: "= event.type"}`,
		"all":     `template: {were: "= before == nil ? 0 : len(before)", are: "= len(after)"}`,
		"payload": `template: {code: "= payload.code", id: "= after.id"}`,
	})
	tables := []*cdc.Table{one.Table, schema.NewTable(one.Table.TableName, []string{"id", "code"}, []int{0})} // of another version of the plugin
	row := func(code string, columns int) cdc.Row {
		var b rowcodec.RowBuilder
		b.AddText(cdc.Int, "7")
		b.AddText(cdc.Text, code)
		for range columns - 2 {
			b.AddText(cdc.Decimal, "120.50")
		}
		return b.Row()
	}
	var all sync.WaitGroup
	for g := range 4 {
		all.Go(func() {
			for i := range 200 {
				ev, code := *one, strconv.Itoa(g*1000+i)
				ev.Site = &rules.Site{Name: "site" + code, Schema: "wp", Prefix: "wp_"}
				ev.Table = tables[i/2%2]
				columns := len(ev.Table.Columns)
				ev.Row, ev.Before, ev.Insert = row(code, columns), cdc.Row{}, i%2 == 0
				what, was, were := "insert", "null", 0
				if !ev.Insert {
					ev.Before, what, was, were = row("b"+code, columns), "update", `"b`+code+`"`, columns
				}
				want := map[string]string{
					"payload": fmt.Sprintf(`{"code":"%s","id":7}`, code),
					"columns": fmt.Sprintf(`{"site":"site%s","code":"%s","was":%s,"type":"%s"}`, code, code, was, what),
					"all":     fmt.Sprintf(`{"were":%d,"are":%d}`, were, columns),
				}
				payloads, ok := l.Immediate(&ev)
				if !ok || len(payloads) != 3 {
					t.Errorf("%t, %d payloads", ok, len(payloads))
					return
				}
				for _, p := range payloads {
					if string(p.Body) != want[p.Rule.Name] {
						t.Errorf("%s is %s, want %s", p.Rule.Name, p.Body, want[p.Rule.Name])
					}
				}
			}
		})
	}
	all.Wait()
}

// TestNothingIsMadeForNothing: where a rule's condition does not hold, what the rest of the rule names is not asked for, so it
// cannot be missing either.
func TestNothingIsMadeForNothing(t *testing.T) {
	t.Parallel()
	for when, want := range map[string]int{"event.type == 'insert'": 0, "event.type == 'update'": 1} {
		l, ev := shapedWorld(t, map[string]string{"r": fmt.Sprintf(`when: "%s", template: {m: "= after.maxperuser"}`, when)})
		payloads, ok := l.Immediate(ev)
		if !ok || len(payloads) != want || want == 1 && payloads[0].Object != Unshaped {
			t.Errorf("%s: %t, %v", when, ok, payloads)
		}
	}
}
