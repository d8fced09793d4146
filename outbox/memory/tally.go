package memory

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"time"

	"rowhook/outbox"
)

// counts are what was counted since the store was made.
type counts struct {
	events    map[outbox.EventCount]int64 // without N
	rules     map[string]*outbox.OutcomeCount
	endpoints map[string]*outbox.Tally
	hours     map[string]map[time.Time]*outbox.Tally // by endpoint
}

func newCounts() counts {
	return counts{events: map[outbox.EventCount]int64{}, rules: map[string]*outbox.OutcomeCount{}, endpoints: map[string]*outbox.Tally{}, hours: map[string]map[time.Time]*outbox.Tally{}}
}

// event counts events that became deliveries.
func (c *counts) event(e outbox.EventCount) {
	n := e.N
	e.N = 0
	c.events[e] += n
}

// rule is what is counted of a rule, from its first delivery on.
func (c *counts) rule(name string) *outbox.OutcomeCount {
	n := c.rules[name]
	if n == nil {
		n = new(outbox.OutcomeCount)
		c.rules[name] = n
	}
	return n
}

// outcome counts an outcome of a delivery, as it is before that.
func (c *counts) outcome(e *entry, o *outbox.Outcome) {
	buried := o.State == outbox.Dead && e.State != outbox.Dead && e.State != outbox.Delivered
	c.rule(e.Rule).Count(o, buried)
	if e.Endpoint == "" {
		return
	}
	if c.endpoints[e.Endpoint] == nil {
		c.endpoints[e.Endpoint], c.hours[e.Endpoint] = new(outbox.Tally), map[time.Time]*outbox.Tally{}
	}
	hours, hour := c.hours[e.Endpoint], time.Now().UTC().Truncate(time.Hour)
	if hours[hour] == nil {
		if len(hours) == outbox.HoursKept {
			delete(hours, slices.MinFunc(slices.Collect(maps.Keys(hours)), time.Time.Compare))
		}
		hours[hour] = new(outbox.Tally)
	}
	c.endpoints[e.Endpoint].Count(o, buried)
	hours[hour].Count(o, buried)
}

// Totals returns what was counted since the store was made.
func (s *Store) Totals(ctx context.Context) (t outbox.Totals, err error) {
	c, err := s.enter(ctx)
	if err != nil {
		return t, err
	}
	defer s.mu.Unlock()
	for e, n := range c.counts.events {
		e.N = n
		t.Events = append(t.Events, e)
	}
	for rule, n := range c.counts.rules {
		t.Rules = append(t.Rules, outbox.RuleCount{Rule: rule, OutcomeCount: *n})
	}
	for endpoint, tally := range c.counts.endpoints {
		t.Endpoints = append(t.Endpoints, outbox.EndpointCount{Endpoint: endpoint, Tally: *tally})
	}
	slices.SortFunc(t.Events, func(a, b outbox.EventCount) int {
		return cmp.Or(cmp.Compare(a.Site, b.Site), cmp.Compare(a.Kind, b.Kind))
	})
	slices.SortFunc(t.Rules, func(a, b outbox.RuleCount) int { return cmp.Compare(a.Rule, b.Rule) })
	slices.SortFunc(t.Endpoints, func(a, b outbox.EndpointCount) int { return cmp.Compare(a.Endpoint, b.Endpoint) })
	return t, nil
}

// Hours returns what was counted by the hour.
func (s *Store) Hours(ctx context.Context, endpoint string, since time.Time) (list []outbox.Hour, err error) {
	c, err := s.enter(ctx)
	if err != nil {
		return nil, err
	}
	defer s.mu.Unlock()
	for name, hours := range c.counts.hours {
		if endpoint != "" && endpoint != name {
			continue
		}
		for start, tally := range hours {
			if !start.Before(since) {
				list = append(list, outbox.Hour{Endpoint: name, Start: start, Tally: *tally})
			}
		}
	}
	slices.SortFunc(list, func(a, b outbox.Hour) int {
		return cmp.Or(cmp.Compare(a.Endpoint, b.Endpoint), a.Start.Compare(b.Start))
	})
	return list, nil
}
