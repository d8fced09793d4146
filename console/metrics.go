package console

import (
	"context"
	"runtime"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"rowhook/api"
	"rowhook/outbox"
)

// Metrics asks the daemon, and what its outbox has counted, when somebody scrapes: nothing is counted for it. Only commits are
// timed here.
type Metrics struct{ commits prometheus.Histogram }

// NewMetrics registers the metrics of a daemon of some version.
func NewMetrics(reg prometheus.Registerer, daemon *api.Daemon, version string) (*Metrics, error) {
	m := &Metrics{prometheus.NewHistogram(prometheus.HistogramOpts{
		Name: "rowhook_commit_duration_seconds", Help: "How long commits of the outbox took, since the start.",
		Buckets: []float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 5, 60},
	})}
	build := prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "rowhook_build_info", Help: "Always 1; its labels say which rowhook this is.",
		ConstLabels: prometheus.Labels{"version": version, "goversion": runtime.Version()},
	})
	build.Set(1)
	for _, c := range []prometheus.Collector{m.commits, build, counted{daemon}, asked{daemon}} {
		if err := reg.Register(c); err != nil {
			return nil, err
		}
	}
	return m, nil
}

// Timed is a store whose commits are timed.
func (m *Metrics) Timed(store outbox.Store) outbox.Store { return timed{store, m.commits} }

type timed struct {
	outbox.Store
	commits prometheus.Histogram
}

func (t timed) Commit(ctx context.Context, b *outbox.Batch) error {
	began := time.Now()
	err := t.Store.Commit(ctx, b)
	t.commits.Observe(time.Since(began).Seconds())
	return err
}

// asked are the metrics that the daemon is asked for when somebody scrapes.
type asked struct{ daemon *api.Daemon }

func describe(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc("rowhook_"+name, help, labels, nil)
}

var (
	up           = describe("up", "1 when all parts of the daemon answered; 0: what could not be asked is missing here.")
	lag          = describe("lag_seconds", "How long ago was committed what was read last; 0 when everything is read.")
	standby      = describe("standby", "1 while the process has no part in the outbox that machines share, as its server does not answer: what else is asked is missing then.")
	holds        = describe("machine_holds", "1 for the process that holds the outbox that machines share and follows the log; each machine tells of all.", "machine")
	shares       = describe("machine_endpoints", "How many endpoints a process delivers to; each machine tells of all.", "machine")
	sameRules    = describe("machine_same_rules", "1 while a process has the rules of the one that holds the outbox; 0: it delivers nothing.", "machine")
	connected    = describe("reader_connected", "1 while the server sends its log, a heartbeat at least.")
	purge        = describe("purge_seconds", "How long the server keeps the log that is needed next; absent: for ever, or not known.")
	storing      = describe("commit_pending_seconds", "How long a commit of the outbox has been on its way; 0: none is.")
	siteStopped  = describe("site_stopped", "1 when a site is not read with the others: it is stopped, or catches up.", "site")
	siteWaiting  = describe("site_waiting_events", "Events of a site that wait to become deliveries.", "site")
	undelivered  = describe("undelivered", "Deliveries of an endpoint that are not delivered yet.", "endpoint")
	oldest       = describe("oldest_undelivered_seconds", "For how long the oldest undelivered delivery of an endpoint has been waiting; 0: there is none.", "endpoint")
	endpoint     = describe("endpoint_state", "1 for the state an endpoint is in: healthy, down (its breaker is open) or paused.", "endpoint", "state")
	wrong        = describe("wrong", "How many things are wrong that the log repeats each hour: those that need a person, and those that rowhook check warns of.", "needs_you")
	outboxBytes  = describe("outbox_bytes", "What the outbox takes on disk.")
	outboxStates = describe("outbox_deliveries", "Deliveries in the outbox.", "rule", "state")
)

func (a asked) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{
		up, standby, holds, shares, sameRules, lag, connected, purge, storing, siteStopped, siteWaiting, undelivered, oldest, endpoint, wrong, outboxBytes, outboxStates,
	} {
		ch <- d
	}
}

// scrapeWithin is how long all questions of a scrape may take: Prometheus gives up after ten seconds.
const scrapeWithin = 5 * time.Second

func (a asked) Collect(ch chan<- prometheus.Metric) {
	ctx, stop := context.WithTimeout(context.Background(), scrapeWithin)
	defer stop()
	gauge := func(d *prometheus.Desc, v float64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	s, err := a.daemon.Status(ctx)
	gauge(up, truth(err == nil))
	gauge(standby, truth(s.StandsBy))
	needs := 0
	for _, w := range s.Wrong {
		if w.NeedsYou {
			needs++
		}
	}
	gauge(wrong, float64(needs), "true")
	gauge(wrong, float64(len(s.Wrong)-needs), "false")
	for _, m := range s.Machines {
		gauge(holds, truth(m.Holds && m.Reads), m.Name)
		gauge(shares, float64(len(m.Endpoints)), m.Name)
		gauge(sameRules, truth(m.SameRules), m.Name)
	}
	for _, e := range s.Endpoints {
		if e.Elsewhere {
			continue // who delivers there tells
		}
		gauge(undelivered, float64(e.Undelivered), e.Name)
		gauge(oldest, e.Oldest.Seconds(), e.Name)
		for _, state := range []string{"healthy", "down", "paused"} {
			gauge(endpoint, truth(e.State() == state), e.Name, state)
		}
	}
	if s.StandsBy || s.Member {
		return // who holds the outbox tells
	}
	gauge(outboxBytes, float64(s.Outbox.Bytes))
	for _, k := range s.Outbox.Deliveries {
		gauge(outboxStates, float64(k.Count), k.Rule, k.State)
	}
	gauge(connected, truth(s.Reader != nil && s.Reader.Connected))
	if r := s.Reader; r != nil {
		gauge(lag, r.Lag)
		gauge(storing, r.Storing)
		if r.Purge != nil {
			gauge(purge, *r.Purge)
		}
	}
	for _, site := range s.Sites {
		gauge(siteStopped, truth(site.Apart()), site.Name)
		gauge(siteWaiting, float64(site.Events), site.Name)
	}
}

func truth(is bool) float64 {
	if is {
		return 1
	}
	return 0
}
