package rules

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// WhyNot says why the rule does not want an event, as far as the event's row tells; empty when it does, or when that depends on
// what is loaded. With the plugin's fidelity other rows tell.
func (r *Rule) WhyNot(e *Event, plugin bool) string {
	switch {
	case r.Disabled:
		return "it is disabled"
	case !r.Action.Entity.Is(e.Action.Entity), r.Action.Kind != Rows && r.Action.Kind != e.Action.Kind:
		return "it is for " + r.Action.String()
	case !r.For(e.Site):
		return "it is for the sites " + strings.Join(slices.Sorted(maps.Keys(r.Sites)), ", ")
	case r.Wants(e, plugin):
		return ""
	case r.Action.Kind == Rows:
		return fmt.Sprintf("it is for %v only", r.On)
	case e.Action.Kind == Save && (r.Type == InsertOnly && !e.Insert || r.Type == UpdateOnly && e.Insert):
		return "its type is " + r.Type.String()
	}
	return "its statuses are " + strings.Join(slices.Sorted(maps.Keys(r.Statuses)), ", ")
}
