package main

import (
	"encoding/json"
	"time"

	"rowhook/outbox"
)

// delivery is a delivery as commands write it for programs.
type delivery struct {
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
	Last     *attempt        `json:"last,omitempty"`
	Log      []attempt       `json:"log,omitempty"`
	Payload  json.RawMessage `json:"payload,omitempty"`
}

// attempt is one try of delivering.
type attempt struct {
	At        time.Time `json:"at"`
	LatencyMS float64   `json:"latency_ms"`
	Status    int       `json:"status,omitempty"`
	Error     string    `json:"error,omitempty"`
	Response  string    `json:"response,omitempty"`
}

// newDelivery is a delivery without its payload.
func newDelivery(s *outbox.Stored) delivery {
	d := delivery{
		Seq: s.Seq, Endpoint: s.Endpoint, Number: s.Number, ID: s.ID.String(), Rule: s.Rule, Site: s.Site, Event: s.Kind, Action: s.Action, Keys: s.Keys, Gone: s.Object == "gone", Object: s.Object, Omitted: s.Omitted, Erased: s.Erased,
		AsOf: s.AsOf, Created: s.Created, State: s.State.String(), Attempts: s.Attempts, Due: s.Due, Retried: s.Retried,
	}
	if s.Last != nil {
		last := newAttempt(*s.Last)
		d.Last = &last
	}
	return d
}

// withPayload is a delivery with its payload, if that was read.
func withPayload(s *outbox.Stored) delivery {
	d := newDelivery(s)
	if s.Body == nil {
		return d
	}
	if d.Payload = s.Body; !json.Valid(s.Body) {
		d.Payload, _ = json.Marshal(string(s.Body)) // a string can always be written
	}
	return d
}

func newAttempt(a outbox.Attempt) attempt {
	return attempt{
		At: a.At, LatencyMS: float64(a.Latency.Microseconds()) / 1000, Status: a.Status, Error: a.Error, Response: a.Response,
	}
}
