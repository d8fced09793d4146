package api

import (
	"time"

	"rowhook/outbox"
)

// Hour is what became of the attempts at an endpoint in an hour.
type Hour struct {
	Endpoint  string    `json:"endpoint"`
	Start     time.Time `json:"start"`
	Delivered int64     `json:"delivered"` // attempts that were accepted
	Failed    int64     `json:"failed"`    // attempts that were not
	Dead      int64     `json:"dead"`      // deliveries given up
	P50       float64   `json:"p50_ms"`    // milliseconds within which half of the attempts ended, about
	P95       float64   `json:"p95_ms"`    // and 95 of 100
}

// NewHour is an hour as the outbox has counted it.
func NewHour(h *outbox.Hour) Hour {
	return Hour{
		Endpoint: h.Endpoint, Start: h.Start, Delivered: h.Delivered, Failed: h.Failed, Dead: h.Dead,
		P50: milliseconds(h.Quantile(0.5)), P95: milliseconds(h.Quantile(0.95)),
	}
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
