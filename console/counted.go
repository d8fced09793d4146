package console

import (
	"context"

	"github.com/prometheus/client_golang/prometheus"

	"rowhook/api"
	"rowhook/outbox"
)

// counted are the metrics that the outbox has counted: they go on where they were before a restart.
type counted struct{ daemon *api.Daemon }

var (
	events     = describe("events_total", "Events that became deliveries.", "site", "action")
	deliveries = describe("deliveries_total", "Outcomes of deliveries: delivered and failed (attempts), dead (given up).", "rule", "outcome")
	attempts   = describe("attempt_duration_seconds", "How long attempts took, until the answer or the failure.", "endpoint")
)

func (c counted) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{events, deliveries, attempts} {
		ch <- d
	}
}

// Collect leaves them out when the outbox cannot be read: rowhook_up says so.
func (c counted) Collect(ch chan<- prometheus.Metric) {
	ctx, stop := context.WithTimeout(context.Background(), scrapeWithin)
	defer stop()
	t, err := c.daemon.Totals(ctx)
	if err != nil {
		return
	}
	count := func(d *prometheus.Desc, n int64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, float64(n), labels...)
	}
	for _, e := range t.Events {
		count(events, e.N, e.Site, e.Kind)
	}
	for _, r := range t.Rules {
		count(deliveries, r.Delivered, r.Rule, "delivered")
		count(deliveries, r.Failed, r.Rule, "failed")
		count(deliveries, r.Dead, r.Rule, "dead")
	}
	for _, e := range t.Endpoints {
		ch <- histogram(&e)
	}
}

// histogram is how long the attempts at an endpoint took.
func histogram(e *outbox.EndpointCount) prometheus.Metric {
	all, upTo := int64(0), make(map[float64]uint64)
	for i, bound := range outbox.Latencies() {
		all += e.Times[i]
		upTo[bound.Seconds()] = uint64(all)
	}
	all += e.Times[len(e.Times)-1]
	return prometheus.MustNewConstHistogram(attempts, uint64(all), e.Took.Seconds(), upTo, e.Endpoint)
}
