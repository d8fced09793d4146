package deliver

import (
	"sync"
	"time"
)

// Outage is a time in which an endpoint's breaker was open: nothing but probes was sent.
type Outage struct {
	Since  time.Time `json:"since"`
	Until  time.Time `json:"until,omitzero"` // zero: it lasts
	Probes int       `json:"probes"`         // that failed
	Error  string    `json:"error"`          // of the failure that opened it
}

// mostOutages is how many of an endpoint are remembered.
const mostOutages = 20

// outages are the last ones of an endpoint in this run, the oldest first. They are safe for several: who asks an endpoint that was
// stopped how it does shares them with the one that took its place.
type outages struct {
	mu   sync.Mutex
	list []Outage
}

// begin notes that the breaker opened.
func (o *outages) begin(now time.Time, reason string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(o.list) == mostOutages {
		o.list = o.list[1:]
	}
	o.list = append(o.list, Outage{Since: now.Round(0).UTC(), Error: reason})
}

// end notes that it closed, after so many probes had failed.
func (o *outages) end(now time.Time, probes int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if last := len(o.list) - 1; last >= 0 && o.list[last].Until.IsZero() {
		o.list[last].Until, o.list[last].Probes = now.Round(0).UTC(), probes
	}
}

// newest are all, the newest first. Probes is how many failed in one that lasts.
func (o *outages) newest(probes int) []Outage {
	o.mu.Lock()
	defer o.mu.Unlock()
	list := make([]Outage, len(o.list))
	for i, out := range o.list {
		if out.Until.IsZero() {
			out.Probes = probes
		}
		list[len(list)-1-i] = out
	}
	return list
}
