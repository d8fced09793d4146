package api

import (
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
}

// EndpointList is all of them.
type EndpointList struct {
	Daemon    bool           `json:"daemon"` // it runs; otherwise what is known of this run is missing
	Endpoints []*Endpoint    `json:"endpoints"`
	Held      map[string]int `json:"held,omitempty"` // deliveries of rules that are gone or disabled, by rule
}

// EndpointChange is what a person changed.
type EndpointChange struct {
	Endpoint string `json:"endpoint"` // or the URL
	Paused   bool   `json:"paused"`
}

// PausedByURLs makes a pause of all URLs one of the endpoint, as the daemon shows it.
func (e *Endpoint) PausedByURLs() {
	paused := 0
	for _, u := range e.URLs {
		paused += len(u.Rules)
	}
	if e.Paused == nil && len(e.URLs) > 0 && paused == len(e.Rules) {
		e.Paused = e.URLs[0].Paused
	}
}

// Take takes over what the daemon knows of it.
func (e *Endpoint) Take(s *deliver.EndpointStatus) {
	e.Paused, e.DownSince, e.LastSuccess, e.LastError, e.URLs = s.Paused, s.DownSince, s.LastSuccess, s.LastError, s.URLs
}

// Add adds deliveries to their endpoint (nil: none), or to those that are held.
func (l *EndpointList) Add(n outbox.Count, e *Endpoint) {
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
