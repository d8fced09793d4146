package events

import (
	"testing"

	"rowhook/rules"
)

// TestDisabledRules: a disabled rule wants nothing, and what only it would want is not even gathered.
func TestDisabledRules(t *testing.T) {
	t.Parallel()
	w := newWorld(t, half)
	parse := func(enabled string) *rules.Set {
		t.Helper()
		list, err := rules.Parse("rules.yaml", []byte("rules:\n"+
			"- {name: crm, action: appointment.save, url: 'http://a', enabled: "+enabled+"}\n"+
			"- {name: erp, action: customer.delete, url: 'http://a'}\n"), nil)
		if err != nil {
			t.Fatal(err)
		}
		return &rules.Set{Rules: list}
	}
	w.engine.SetRules(parse("false"))
	w.tx(0, w.update("reservation", "id=1 notes=a", "id=1 notes=b"))
	w.quiet(1)
	w.want()
	w.engine.SetRules(parse("true"))
	w.tx(2, w.update("reservation", "id=1 notes=b", "id=1 notes=c"))
	w.quiet(2.1)
	w.engine.SetRules(parse("false")) // while it is open
	w.quiet(3)
	for _, ev := range w.closed {
		if len(ev.Rules) > 0 {
			t.Errorf("rule %s wants %s", ev.Rules[0].Name, ev)
		}
	}
	w.closed = nil
	w.engine.SetRules(parse("true"))
	w.tx(4, w.update("reservation", "id=1 notes=c", "id=1 notes=d"))
	w.quiet(5)
	w.want("appointment.save [1] status=")
}
