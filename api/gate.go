package api

import (
	"context"
	"slices"
	"time"

	"rowhook/deliver"
	"rowhook/outbox"
	"rowhook/words"
)

// Gate is one of the things that can hold a delivery, and whether it does.
type Gate struct {
	Name   GateName  `json:"name"`
	State  GateState `json:"state"`
	Text   string    `json:"text"`
	Behind string    `json:"behind,omitempty"` // of the order: the id of the delivery that goes first
}

// GateName is which gate it is.
type GateName string

// The gates, in the order in which they are shown.
const (
	OrderGate    GateName = "order"    // an earlier delivery about the same object
	BreakerGate  GateName = "breaker"  // the endpoint, or the URL, is down
	PauseGate    GateName = "pause"    // by a person, or by an answer of 410
	RateGate     GateName = "rate"     // it may be sent only so much
	ScheduleGate GateName = "schedule" // of its own attempts
)

// GateState is how a gate stands.
type GateState string

// The states of a gate.
const (
	GateFree    GateState = "free"
	GateHolds   GateState = "holds"
	GateUnknown GateState = "unknown" // no daemon says how the endpoint does
)

// UndeliveredStates are the states of what is to be delivered yet.
func UndeliveredStates() []outbox.State { return []outbox.State{outbox.Fresh, outbox.Waiting} }

// Gates are what can hold an undelivered delivery; none for others. Behind is the earlier one about the same object, nil: there is none.
func (s *Status) Gates(d, behind *outbox.Stored, now time.Time) []Gate {
	if !d.State.Undelivered() {
		return nil
	}
	order := Gate{Name: OrderGate, State: GateFree, Text: "No earlier delivery about the same object waits at this endpoint."}
	switch {
	case !d.Retried.IsZero():
		order.Text = "It was sent again by hand, and is outside of the order."
	case behind != nil:
		order = Gate{OrderGate, GateHolds, "It goes out when an earlier one about the same object is delivered or given up.", behind.ID.String()}
	}
	gates := append([]Gate{order}, s.endpointGates(d, now)...)
	schedule := Gate{Name: ScheduleGate, State: GateFree, Text: "It is due."}
	if left := d.Due.Sub(now); left > 0 {
		schedule = Gate{Name: ScheduleGate, State: GateHolds, Text: "The next attempt is " + words.In(left) + "; earlier when its endpoint comes back."}
	}
	return append(gates, schedule)
}

// endpointGates are those that hold others as well.
func (s *Status) endpointGates(d *outbox.Stored, now time.Time) []Gate {
	i := slices.IndexFunc(s.Endpoints, func(e deliver.EndpointStatus) bool { return e.Name == d.Endpoint })
	if i < 0 {
		const text = "The daemon does not say how the endpoint does."
		return []Gate{{BreakerGate, GateUnknown, text, ""}, {PauseGate, GateUnknown, text, ""}, {RateGate, GateUnknown, text, ""}}
	}
	e := &s.Endpoints[i]
	breaker := Gate{Name: BreakerGate, State: GateFree, Text: "The endpoint is up."}
	paused := Gate{Name: PauseGate, State: GateFree, Text: "Neither the endpoint nor the URL is paused."}
	down := func(what string, since, until time.Time) {
		breaker.State = GateHolds
		breaker.Text = what + " has been down for " + words.Span(now.Sub(since)) + ". Next probe " + words.In(until.Sub(now)) + "; when one gets through, all goes out."
	}
	hold := func(what string, p *deliver.Pause) {
		paused.State = GateHolds
		paused.Text = what + " has been paused for " + words.Span(now.Sub(p.Since)) + ": " + p.Reason + "."
	}
	if !e.DownSince.IsZero() {
		down(words.Endpoint(e.Name), e.DownSince, e.NextProbe)
	}
	if e.Paused != nil {
		hold("The endpoint", e.Paused)
	}
	for _, u := range e.URLs {
		if !slices.Contains(u.Rules, d.Rule) {
			continue
		}
		if u.Paused != nil { // until this URL is resumed as well
			hold("The URL", u.Paused)
		}
		if !u.DownSince.IsZero() {
			down("The URL", u.DownSince, u.Until)
		}
	}
	return []Gate{breaker, paused, rateGate(e, now)}
}

// rateGate is about how much an endpoint may be sent.
func rateGate(e *deliver.EndpointStatus, now time.Time) Gate {
	g := Gate{Name: RateGate, State: GateFree}
	every := "At most one request every " + words.Span(e.Pace.Every) + " goes to this endpoint"
	switch left := e.Pace.Next.Sub(now); {
	case e.Pace.Every > 0 && left > 0:
		g.State, g.Text = GateHolds, every+": the next one "+words.In(left)+"."
		if e.Undelivered > 1 {
			g.Text += " " + words.Number(e.Undelivered) + " wait there, which takes " + words.Span(time.Duration(e.Undelivered)*e.Pace.Every) + "."
		}
	case e.InFlight < 0:
		g.State, g.Text = GateUnknown, "How many requests are on the way there is not shown: it serves other sites, too."
	case e.Pace.Most > 0 && e.InFlight >= e.Pace.Most:
		g.State, g.Text = GateHolds, words.Count(e.InFlight, "request is", "requests are")+" on the way, the most that the endpoint gets at once: it is slow."
	case e.Pace.Every > 0:
		g.Text = every + ", and the next one may go at once."
	case e.Pace.Most > 0:
		g.Text = "There is no limit but " + words.Count(e.Pace.Most, "request", "requests") + " at once, and there is room."
	default:
		g.Text = "There is room."
	}
	return g
}

// Why is the gate that a person wants to know of first; nil: none holds it.
func Why(gates []Gate) *Gate {
	for _, name := range []GateName{PauseGate, BreakerGate, OrderGate, ScheduleGate, RateGate} {
		for i := range gates {
			if gates[i].Name == name && gates[i].State == GateHolds {
				return &gates[i]
			}
		}
	}
	return nil
}

// Lister lists deliveries; an outbox.Log.
type Lister interface {
	List(ctx context.Context, f outbox.Filter) ([]*outbox.Stored, error)
}

// FilterBehind selects the earlier deliveries that one may wait for; false: it waits for none.
func FilterBehind(d *outbox.Stored) (outbox.Filter, bool) {
	if len(d.Keys) == 0 || d.Endpoint == "" || !d.State.Undelivered() {
		return outbox.Filter{}, false
	}
	return outbox.Filter{Key: d.Keys[0], Endpoints: []string{d.Endpoint}, States: UndeliveredStates(), Before: d.Seq, Newest: true, Limit: 1}, true
}

// Behind is the earlier delivery that one waits for; nil: none.
func Behind(ctx context.Context, log Lister, d *outbox.Stored) (*outbox.Stored, error) {
	f, may := FilterBehind(d)
	if !may {
		return nil, nil
	}
	found, err := log.List(ctx, f)
	if err != nil || len(found) == 0 {
		return nil, err
	}
	return found[0], nil
}
