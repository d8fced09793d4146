package api

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"time"

	"rowhook/deliver"
	"rowhook/outbox"
)

// Endpoint is where deliveries go, and how that goes. Of what a daemon knows of its own run there is nothing while none runs.
type Endpoint struct {
	Name        string              `json:"name"`
	Rules       []string            `json:"rules"`
	Paused      *deliver.Pause      `json:"paused,omitempty"`
	DownSince   time.Time           `json:"down_since,omitzero"`
	LastSuccess time.Time           `json:"last_success,omitzero"` // of this run
	LastError   string              `json:"last_error,omitempty"`  // of this run
	URLs        []deliver.URLStatus `json:"urls,omitempty"`        // those that are paused or in trouble by themselves
	Waiting     int                 `json:"waiting"`               // deliveries that are not delivered yet
	Oldest      time.Time           `json:"oldest,omitzero"`       // of those that wait
	Dead        int                 `json:"dead"`                  // deliveries
	Machine     string              `json:"machine,omitempty"`     // whose it is, of those that share an outbox
	Silent      bool                `json:"silent,omitempty"`      // that one does not answer, or it is nobody's: what is known of a run is missing
}

// EndpointList is all of them.
type EndpointList struct {
	Daemon    bool           `json:"daemon"`           // it runs; otherwise what is known of this run is missing
	Holder    string         `json:"holder,omitempty"` // where machines share an outbox: the process elsewhere that works on it
	Endpoints []*Endpoint    `json:"endpoints"`
	Held      map[string]int `json:"held,omitempty"` // deliveries of rules that are gone or disabled, by rule
}

// EndpointChange is what a person changed.
type EndpointChange struct {
	Endpoint string `json:"endpoint"` // or the URL
	Paused   bool   `json:"paused"`
}

// EndpointLog is what of an outbox tells of endpoints.
type EndpointLog interface {
	outbox.Settings
	Counts(ctx context.Context) ([]outbox.Count, error)
	List(ctx context.Context, f outbox.Filter) ([]*outbox.Stored, error)
}

// ReadEndpoints puts together what rules, an outbox and a daemon know of endpoints, sorted by name: where each rule posts, the
// rules in their order, and live, which is nil while no daemon runs.
func ReadEndpoints(ctx context.Context, log EndpointLog, order []string, byRule map[string]deliver.Endpoint, live []deliver.EndpointStatus) (EndpointList, error) {
	list := EndpointList{Held: map[string]int{}}
	byName, ofRule := map[string]*Endpoint{}, map[string]*Endpoint{}
	for _, rule := range order {
		at, ok := byRule[rule]
		if !ok {
			continue // it is disabled; an endpoint that only such rules name is none
		}
		name := cmp.Or(at.OrderGroup, deliver.EndpointName(at.URL))
		if byName[name] == nil {
			byName[name] = &Endpoint{Name: name}
		}
		byName[name].Rules = append(byName[name].Rules, rule)
		ofRule[rule] = byName[name]
	}
	pauses, err := deliver.Pauses(ctx, log, byRule)
	if err != nil {
		return list, err
	}
	for _, p := range pauses {
		if e := byName[p.Endpoint]; e != nil {
			e.pause(&p)
		}
	}
	counts, err := log.Counts(ctx)
	if err != nil {
		return list, err
	}
	for _, n := range counts {
		list.add(n, ofRule[n.Rule])
	}
	for _, s := range live {
		if e := byName[s.Name]; e != nil {
			e.live(&s)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(byName)) {
		e := byName[name]
		e.pausedByURLs()
		if err := e.findOldest(ctx, log); err != nil {
			return list, err
		}
		list.Endpoints = append(list.Endpoints, e)
	}
	return list, nil
}

// live takes over what the daemon knows that delivers there.
func (e *Endpoint) live(s *deliver.EndpointStatus) {
	e.DownSince, e.LastSuccess, e.LastError = s.DownSince, s.LastSuccess, s.LastError
	if e.Machine, e.Silent = s.Machine, s.Elsewhere; s.Machine == "" && !s.Elsewhere {
		e.Paused, e.URLs = s.Paused, s.URLs
		return
	}
	for _, u := range s.URLs { // what is paused was stored, of which another machine may hear a moment later
		if u.Paused == nil {
			e.URLs = append(e.URLs, u)
		}
	}
}

func (e *Endpoint) pause(p *deliver.Paused) {
	if p.URL == "" {
		e.Paused = &p.Pause
		return
	}
	e.URLs = append(e.URLs, deliver.URLStatus{URL: p.URL, Rules: p.Rules, Paused: &p.Pause})
}

// findOldest looks up since when something waits.
func (e *Endpoint) findOldest(ctx context.Context, log EndpointLog) error {
	if e.Waiting == 0 {
		return nil
	}
	oldest, err := log.List(ctx, outbox.Filter{Rules: e.Rules, States: []outbox.State{outbox.Fresh, outbox.Waiting}, Limit: 1})
	if err == nil && len(oldest) > 0 {
		e.Oldest = oldest[0].Created
	}
	return err
}

// pausedByURLs makes a pause of all URLs one of the endpoint, as the daemon shows it.
func (e *Endpoint) pausedByURLs() {
	paused := 0
	for _, u := range e.URLs {
		if u.Paused != nil {
			paused += len(u.Rules)
		}
	}
	if e.Paused == nil && len(e.URLs) > 0 && paused == len(e.Rules) {
		e.Paused = e.URLs[0].Paused
	}
}

// add adds deliveries to their endpoint (nil: none), or to those that are held.
func (l *EndpointList) add(n outbox.Count, e *Endpoint) {
	switch {
	case n.State == outbox.Delivered:
	case e == nil || n.State == outbox.Held:
		l.Held[n.Rule] += n.N
	case n.State == outbox.Dead:
		e.Dead += n.N
	default:
		e.Waiting += n.N
	}
}
