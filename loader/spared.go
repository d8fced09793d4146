package loader

import (
	"slices"

	"rowhook/rules"
)

// A condition that names nothing but what the log showed is asked before anything is loaded: what no rule wants is not.

// spared are events without the rules whose conditions do not hold already. The events themselves stay as they are.
func (m *maker) spared(events []*rules.Event) []*rules.Event {
	left := events
	for i, ev := range events {
		if m.needs(ev) == (needs{}) || !slices.ContainsFunc(ev.Rules, spares) {
			continue
		}
		if &left[0] == &events[0] {
			left = slices.Clone(events)
		}
		one := *ev
		one.Rules = slices.DeleteFunc(slices.Clone(ev.Rules), func(r *rules.Rule) bool { return spares(r) && m.fails(ev, r) })
		left[i] = &one
	}
	return left
}

// spares says whether a rule has a condition that may be asked before its payload is there.
func spares(r *rules.Rule) bool {
	return r.Shape != nil && r.Shape.When != nil && !r.Shape.When.Payload
}

// fails says whether a rule's condition is known not to hold. What the log does not show is loaded, and what cannot be said of
// these values is said with the payload.
func (m *maker) fails(ev *rules.Event, r *rules.Rule) bool {
	if ev.Action.Kind == rules.Save && ev.Row.Len() == 0 || r.Shape.When.Whole && partial(ev) {
		return false
	}
	v := m.takeValues(ev, object{})
	defer m.giveValues(v)
	holds, err := v.holds(r.Shape.When, nil)
	return err == nil && !holds
}
