package trial

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"reflect"
	"slices"
	"strings"

	"rowhook/loader"
	"rowhook/rules"
)

// Verdict is what a rule makes of an event.
type Verdict struct {
	Rule   string
	Fires  bool
	Loaded bool   // it fires if its condition holds of what is loaded, which nobody knows here
	Why    string // it does not, or what is wrong with what it posts
	Broken bool   // it would fire, and cannot make its payload
	Body   []byte // what it posts; nil: nothing, or that depends on what is loaded
}

// Outcome is what came of a case.
type Outcome struct {
	Verdicts []Verdict // of each rule, in their order
	Faults   []string  // what is not as expected; none: all is
}

// Trial tries cases.
type Trial struct {
	rules  *rules.Set
	loader *loader.Loader
	plugin bool
}

// New makes one for the rules of a set.
func New(set *rules.Set, opts loader.Options) *Trial {
	return &Trial{rules: set, plugin: opts.Plugin, loader: loader.New(nil, noServer{}, opts, slog.New(slog.DiscardHandler))}
}

// noServer is asked nothing: what must be loaded is not.
type noServer struct{}

func (noServer) MariaDB() bool { return true }

// Verdict is what a rule makes of an event of the log.
func (t *Trial) Verdict(ev *rules.Event, r *rules.Rule) Verdict { return t.try(&Case{Event: ev}, r) }

// Body is what would be posted of an event for a rule if that had no shape.
func (t *Trial) Body(ev *rules.Event, r *rules.Rule) ([]byte, error) {
	plain, of := *r, *ev
	plain.Shape, of.Rules = nil, []*rules.Rule{&plain}
	payloads, made := t.loader.Immediate(&of)
	if !made || len(payloads) == 0 {
		return nil, fmt.Errorf("rule %s: what it would post of %s has to be loaded", r.Name, ev.Action)
	}
	return payloads[0].Body, nil
}

// Run tries a case.
func (t *Trial) Run(c *Case) Outcome {
	var o Outcome
	var fired []string
	for _, r := range t.rules.Rules {
		v := t.try(c, r)
		if strings.HasSuffix(v.Why, "has no such column") {
			v.Why += " in this case; write it down there"
		}
		o.Verdicts = append(o.Verdicts, v)
		if v.Fires {
			fired = append(fired, r.Name)
		}
		want, ok := c.Posts[r.Name]
		switch {
		case ok && v.Fires && !same(r, v.Body, want):
			o.Faults = append(o.Faults, fmt.Sprintf("rule %s posts %s\n      and not %s", r.Name, orUnknown(v), want))
		case ok && !v.Fires && !slices.Contains(c.Want, r.Name): // else that is said below
			o.Faults = append(o.Faults, fmt.Sprintf("rule %s posts nothing, and not %s: %s", r.Name, want, v.Why))
		}
	}
	slices.Sort(fired)
	if !slices.Equal(fired, c.Want) {
		o.Faults = append([]string{fmt.Sprintf("%s fires, and it should be %s", list(fired), list(c.Want))}, o.Faults...)
		for _, v := range o.Verdicts {
			switch wanted := slices.Contains(c.Want, v.Rule); {
			case wanted && !v.Fires:
				o.Faults = append(o.Faults, "rule "+v.Rule+" does not fire: "+v.Why)
			case !wanted && v.Fires:
				o.Faults = append(o.Faults, "rule "+v.Rule+" fires: nothing in it is against this event")
			}
		}
	}
	return o
}

// try asks one rule. What it says may be shown, and is kept in a log of tests, so it has no secrets.
func (t *Trial) try(c *Case, r *rules.Rule) Verdict {
	v := Verdict{Rule: r.Name}
	shown := *r
	shown.Shape = r.Shape.Masked()
	r = &shown
	ev := *c.Event
	for _, other := range c.Others {
		if other.Action.Entity.Is(r.Action.Entity) {
			ev = *other
		}
	}
	if v.Why = r.WhyNot(&ev, t.plugin); v.Why != "" {
		return v
	}
	ev.Rules = []*rules.Rule{r}
	payloads, made := t.loader.Immediate(&ev)
	switch {
	case made && c.Payload == nil:
	case c.Payload == nil && r.Shape != nil && r.Shape.When != nil && r.Shape.When.Payload:
		v.Fires, v.Loaded = true, true
		return v
	case r.Shape == nil:
		payloads = []loader.Payload{{Rule: r, Body: c.Payload}}
	default:
		body := c.Payload
		if body == nil {
			body = []byte("{}")
		}
		p, holds := t.loader.Shape(&ev, loader.Payload{Rule: r, Body: body})
		if payloads = nil; holds {
			payloads = append(payloads, p)
		}
		if c.Payload == nil && p.Object != loader.Unshaped {
			p.Body = nil
		}
	}
	if len(payloads) == 0 {
		v.Why = "its when does not hold, with " + t.loader.Named(&ev, r)
		return v
	}
	v.Fires, v.Body = true, payloads[0].Body
	if payloads[0].Object == loader.Unshaped {
		v.Fires, v.Broken, v.Why, v.Body = false, true, string(payloads[0].Body), nil
	}
	return v
}

func list(names []string) string {
	if len(names) == 0 {
		return "no rule"
	}
	return strings.Join(names, ", ")
}

func orUnknown(v Verdict) string {
	if v.Body == nil {
		return "what is loaded, which the case does not say (payload:)"
	}
	return string(v.Body)
}

// same says whether a rule posts what is expected: the same value, or of a template_file the same text.
func same(r *rules.Rule, body, want []byte) bool {
	if r.Shape != nil && r.Shape.Document != nil {
		var text string
		return json.Unmarshal(want, &text) == nil && text == string(body)
	}
	var x, y any
	return json.Unmarshal(body, &x) == nil && json.Unmarshal(want, &y) == nil && reflect.DeepEqual(x, y)
}
