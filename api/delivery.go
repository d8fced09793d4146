package api

import (
	"encoding/json"
	"time"

	"rowhook/outbox"
)

// Delivery is a delivery as commands write it for programs. Times are in UTC or carry their zone.
type Delivery struct {
	Seq      int64           `json:"seq"`
	Endpoint string          `json:"endpoint,omitempty"` // where it goes; none while no rule sends it anywhere
	Number   int64           `json:"number,omitempty"`   // its number there, X-Rowhook-Sequence
	ID       string          `json:"id"`
	Rule     string          `json:"rule"`
	Site     string          `json:"site"`
	Event    string          `json:"event"`
	Action   string          `json:"action"`
	Keys     []string        `json:"keys"`
	Gone     bool            `json:"gone,omitempty"` // the object is
	Object   string          `json:"object,omitempty"`
	Omitted  []string        `json:"omitted,omitempty"` // columns that were left out, as the payload would have been too large
	AsOf     time.Time       `json:"as_of,omitzero"`
	Created  time.Time       `json:"created"`
	State    string          `json:"state"`
	Attempts int             `json:"attempts"`
	Due      time.Time       `json:"due,omitzero"`
	Retried  time.Time       `json:"retried,omitzero"` // sent again by hand: outside of the order
	Erased   bool            `json:"erased,omitempty"` // its payload and the answers were erased by hand
	Last     *Attempt        `json:"last,omitempty"`
	Log      []Attempt       `json:"log,omitempty"`
	Gates    []Gate          `json:"gates,omitempty"` // what can hold it, and what does
	Payload  json.RawMessage `json:"payload,omitempty"`
}

// Attempt is one try of delivering.
type Attempt struct {
	At        time.Time `json:"at"`
	LatencyMS float64   `json:"latency_ms"` // milliseconds
	Status    int       `json:"status,omitempty"`
	Error     string    `json:"error,omitempty"`
	Response  string    `json:"response,omitempty"`
}

// NewDelivery is a delivery without its payload.
func NewDelivery(s *outbox.Stored) Delivery {
	d := Delivery{
		Seq: s.Seq, Endpoint: s.Endpoint, Number: s.Number, ID: s.ID.String(), Rule: s.Rule, Site: s.Site, Event: s.Kind, Action: s.Action, Keys: s.Keys, Gone: s.Object == "gone", Object: s.Object, Omitted: s.Omitted, Erased: s.Erased,
		AsOf: s.AsOf, Created: s.Created, State: s.State.String(), Attempts: s.Attempts, Due: s.Due, Retried: s.Retried,
	}
	if s.Last != nil {
		last := NewAttempt(*s.Last)
		d.Last = &last
	}
	return d
}

// WithPayload is a delivery with its payload, if that was read.
func WithPayload(s *outbox.Stored) Delivery {
	d := NewDelivery(s)
	if s.Body == nil {
		return d
	}
	if d.Payload = s.Body; !json.Valid(s.Body) {
		d.Payload, _ = json.Marshal(string(s.Body)) // a string can always be written
	}
	return d
}

// NewAttempt is an attempt as the outbox keeps it.
func NewAttempt(a outbox.Attempt) Attempt {
	return Attempt{
		At: a.At, LatencyMS: milliseconds(a.Latency), Status: a.Status, Error: a.Error, Response: a.Response,
	}
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
