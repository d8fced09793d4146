package trial

import (
	"bytes"
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

// Run tries a case.
func (t *Trial) Run(c *Case) Outcome {
	var o Outcome
	var fired []string
	for _, r := range t.rules.Rules {
		v := t.try(c, r)
		o.Verdicts = append(o.Verdicts, v)
		if v.Fires {
			fired = append(fired, r.Name)
		}
		if want, ok := c.Posts[r.Name]; ok && v.Fires && !sameJSON(v.Body, want) {
			o.Faults = append(o.Faults, fmt.Sprintf("rule %s posts %s\n      and not %s", r.Name, orUnknown(v), want))
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

// try asks one rule.
func (t *Trial) try(c *Case, r *rules.Rule) Verdict {
	v := Verdict{Rule: r.Name}
	if v.Why = r.WhyNot(c.Event, t.plugin); v.Why != "" {
		return v
	}
	ev := *c.Event
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

// sameJSON says whether two texts are the same value.
func sameJSON(a, b []byte) bool {
	var x, y any
	return json.Unmarshal(a, &x) == nil && json.Unmarshal(b, &y) == nil && reflect.DeepEqual(x, y) || bytes.Equal(a, b)
}
