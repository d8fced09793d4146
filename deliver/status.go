package deliver

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"time"

	"rowhook/outbox"
	"rowhook/weburl"
)

// Status is what the endpoints are doing, by name.
type Status struct {
	Endpoints []EndpointStatus `json:"endpoints"`
}

// EndpointStatus is what one endpoint is doing. It names no secret.
type EndpointStatus struct {
	Name        string        `json:"name"`                  // scheme, host and port, or the order group
	Rules       []string      `json:"rules"`                 // whose deliveries go there
	Undelivered int           `json:"undelivered"`           // deliveries in the outbox and in memory
	Bytes       int64         `json:"undelivered_bytes"`     // of their payloads
	Oldest      time.Duration `json:"oldest_ns"`             // for how long the oldest of them lies there
	Pending     int           `json:"pending"`               // those in memory, with those in flight
	InFlight    int           `json:"in_flight"`             // requests on their way; less than 0: that is not known here
	Parked      bool          `json:"parked"`                // more lie in the outbox
	Paused      *Pause        `json:"paused,omitempty"`      // nil: it is not, nor are all its URLs
	DownSince   time.Time     `json:"down_since,omitzero"`   // zero: healthy
	NextProbe   time.Time     `json:"next_probe,omitzero"`   // while it is down: when it is asked again
	LastSuccess time.Time     `json:"last_success,omitzero"` // zero: none yet
	LastError   string        `json:"last_error,omitempty"`  // of the last failure; empty: none yet
	Outages     []Outage      `json:"outages,omitempty"`     // the last ones of this run, the newest first
	Pace        Pace          `json:"pace"`                  // how fast it may be sent to
	URLs        []URLStatus   `json:"urls,omitempty"`        // those of its URLs that are paused or in trouble
	// Elsewhere is true where several processes share the outbox and this is another one's, or nobody's yet: what that one alone
	// knows is missing. Machine is whose it is, as far as who shows this knows.
	Elsewhere bool   `json:"elsewhere,omitempty"`
	Machine   string `json:"machine,omitempty"`
}

// State is how the endpoint stands, in a word: healthy, down or paused.
func (s *EndpointStatus) State() string {
	switch {
	case s.Paused != nil:
		return "paused"
	case !s.DownSince.IsZero():
		return "down"
	}
	return "healthy"
}

// Pace is how fast an endpoint may be sent to.
type Pace struct {
	Most  int           `json:"most"`              // requests at once
	Every time.Duration `json:"every_ns,omitzero"` // a request no more often than this; 0: any
	Next  time.Time     `json:"next,omitzero"`     // when that lets the next one go; zero: at once
}

// URLStatus is what befell one URL of an endpoint that has several, or that is paused.
type URLStatus struct {
	URL       string    `json:"url"` // without what may be secret
	Rules     []string  `json:"rules"`
	Paused    *Pause    `json:"paused,omitempty"`    // nil: it is not
	DownSince time.Time `json:"down_since,omitzero"` // zero: it is not
	Until     time.Time `json:"until,omitzero"`      // when it is asked again; zero: when a person resumes it
}

// Status tells what the endpoints are doing.
func (w *Worker) Status(ctx context.Context) Status {
	due, err := w.store.Due(ctx)
	if err != nil {
		due = nil // the outbox is closed: nothing is known of it any more
	}
	var s Status
	runs := make(map[string]bool)
	for _, e := range w.all() {
		runs[e.name] = true
		s.Endpoints = append(s.Endpoints, e.status(due[e.name]))
	}
	for name, rules := range w.named() {
		if !runs[name] {
			s.Endpoints = append(s.Endpoints, w.resting(ctx, name, rules, due[name]))
		}
	}
	slices.SortFunc(s.Endpoints, func(a, b EndpointStatus) int { return cmp.Compare(a.Name, b.Name) })
	return s
}

// resting is an endpoint that does not run: Run is about to start it, or waits until its old rules' requests have ended. Who
// sees it missing would take it for one that no rule names any more.
func (w *Worker) resting(ctx context.Context, name string, rules []string, due outbox.Due) EndpointStatus {
	w.mu.Lock()
	ours := w.share.ours(name)
	w.mu.Unlock()
	s := EndpointStatus{
		Name: name, Rules: rules, Undelivered: due.Count, Bytes: due.Bytes, Oldest: due.Oldest, Parked: due.Count > 0,
		Paused: w.pauses.stored(ctx, name).pause(), Elsewhere: !ours,
	}
	if s.Elsewhere {
		s.InFlight = -1
	}
	return s
}

func (e *endpoint) status(due outbox.Due) EndpointStatus {
	e.mu.Lock()
	defer e.mu.Unlock()
	s := EndpointStatus{
		Name: e.name, Rules: e.rules, Undelivered: due.Count, Bytes: due.Bytes, Oldest: due.Oldest,
		Pending: len(e.win.items), InFlight: e.inFlight, Parked: due.Count > len(e.win.items),
		Paused: e.pauses.of(e.name).pause(), DownSince: e.health.breaker.since, NextProbe: e.health.breaker.until, LastSuccess: e.health.success, LastError: e.health.lastErr,
		Outages: e.health.outages.newest(e.health.breaker.probes), Pace: Pace{Most: e.pool.most, Every: e.pacer.every(), Next: e.pacer.next()},
	}
	byURL := make(map[string][]string)
	for _, rule := range e.rules {
		if t := e.targets(rule); t != nil {
			byURL[t.url] = append(byURL[t.url], rule)
		}
	}
	going := false
	for _, url := range slices.Sorted(maps.Keys(byURL)) {
		// What is stored counts: run may not have looked at it yet.
		us := URLStatus{URL: weburl.Short(url), Rules: byURL[url], Paused: e.pauses.of(pauseName(url)).pause()}
		going = going || us.Paused == nil
		if u := e.health.urls.all[url]; u != nil {
			us.DownSince, us.Until = u.breaker.since, u.breaker.until
			if us.Paused == nil && !u.breaker.open() {
				continue
			}
		} else if us.Paused == nil {
			continue
		}
		s.URLs = append(s.URLs, us)
	}
	if s.Paused == nil && !going && len(s.URLs) > 0 {
		s.Paused = s.URLs[0].Paused
	}
	return s
}
