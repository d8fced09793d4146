package console

import (
	"context"
	"runtime"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"rowhook/api"
	"rowhook/outbox"
)

// Metrics counts what happens, and asks the daemon for the rest when it is scraped. It is a deliver.Observer.
type Metrics struct {
	daemon *api.Daemon

	events     *prometheus.CounterVec
	deliveries *prometheus.CounterVec
	attempts   *prometheus.HistogramVec
	commits    prometheus.Histogram

	counted sync.Map // prometheus.Counter of events by their labels: looking them up each time costs more than counting
	tried   sync.Map // *outcomes of attempts, likewise
}

// labels are the two of a series.
type labels struct{ a, b string }

// outcomes are the series of the attempts of a rule at an endpoint.
type outcomes struct {
	delivered, failed prometheus.Counter
	took              prometheus.Observer
}

// NewMetrics registers the metrics of a daemon of some version.
func NewMetrics(reg prometheus.Registerer, daemon *api.Daemon, version string) (*Metrics, error) {
	m := &Metrics{
		daemon: daemon,
		events: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "rowhook_events_total", Help: "Events that became deliveries since the start.",
		}, []string{"site", "action"}),
		deliveries: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "rowhook_deliveries_total", Help: "Outcomes of deliveries since the start: delivered, failed (an attempt; another follows), dead (given up).",
		}, []string{"rule", "outcome"}),
		attempts: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "rowhook_attempt_duration_seconds", Help: "How long attempts took, until the answer or the failure.",
			Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30},
		}, []string{"endpoint"}),
		commits: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "rowhook_commit_duration_seconds", Help: "How long commits of the outbox took.",
			Buckets: []float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 5, 60},
		}),
	}
	build := prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "rowhook_build_info", Help: "Always 1; its labels say which rowhook this is.",
		ConstLabels: prometheus.Labels{"version": version, "goversion": runtime.Version()},
	})
	build.Set(1)
	for _, c := range []prometheus.Collector{m.events, m.deliveries, m.attempts, m.commits, build, asked{daemon}} {
		if err := reg.Register(c); err != nil {
			return nil, err
		}
	}
	return m, nil
}

// Event counts an event that becomes deliveries.
func (m *Metrics) Event(site, action string) {
	c, ok := m.counted.Load(labels{site, action})
	if !ok {
		c, _ = m.counted.LoadOrStore(labels{site, action}, m.events.WithLabelValues(site, action))
	}
	c.(prometheus.Counter).Inc() //nolint:forcetypeassert // nothing else is stored
}

// Attempted counts an attempt.
func (m *Metrics) Attempted(endpoint, rule string, accepted bool, took time.Duration) {
	o := m.outcomes(endpoint, rule)
	o.took.Observe(took.Seconds())
	if accepted {
		o.delivered.Inc()
	} else {
		o.failed.Inc()
	}
}

func (m *Metrics) outcomes(endpoint, rule string) *outcomes {
	key := labels{endpoint, rule}
	if o, ok := m.tried.Load(key); ok {
		return o.(*outcomes) //nolint:forcetypeassert // nothing else is stored
	}
	o, _ := m.tried.LoadOrStore(key, &outcomes{
		delivered: m.deliveries.WithLabelValues(rule, "delivered"), failed: m.deliveries.WithLabelValues(rule, "failed"),
		took: m.attempts.WithLabelValues(endpoint),
	})
	return o.(*outcomes) //nolint:forcetypeassert // likewise
}

// Buried counts a delivery that is given up.
func (m *Metrics) Buried(rule string) { m.deliveries.WithLabelValues(rule, "dead").Inc() }

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
	connected    = describe("reader_connected", "1 while the server sends its log, a heartbeat at least.")
	purge        = describe("purge_seconds", "How long the server keeps the log that is needed next; absent: for ever, or not known.")
	storing      = describe("commit_pending_seconds", "How long a commit of the outbox has been on its way; 0: none is.")
	siteStopped  = describe("site_stopped", "1 when a site is not read with the others: it is stopped, or catches up.", "site")
	siteWaiting  = describe("site_waiting_events", "Events of a site that wait to become deliveries.", "site")
	undelivered  = describe("undelivered", "Deliveries of an endpoint that are not delivered yet.", "endpoint")
	oldest       = describe("oldest_undelivered_seconds", "For how long the oldest undelivered delivery of an endpoint has been waiting; 0: there is none.", "endpoint")
	endpoint     = describe("endpoint_state", "1 for the state an endpoint is in: healthy, down (its breaker is open) or paused.", "endpoint", "state")
	outboxBytes  = describe("outbox_bytes", "What the outbox takes on disk.")
	outboxStates = describe("outbox_deliveries", "Deliveries in the outbox.", "rule", "state")
)

func (a asked) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{
		up, lag, connected, purge, storing, siteStopped, siteWaiting, undelivered, oldest, endpoint, outboxBytes, outboxStates,
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
	for _, e := range s.Endpoints {
		gauge(undelivered, float64(e.Undelivered), e.Name)
		gauge(oldest, e.Oldest.Seconds(), e.Name)
		for _, state := range []string{"healthy", "down", "paused"} {
			gauge(endpoint, truth(e.State() == state), e.Name, state)
		}
	}
}

func truth(is bool) float64 {
	if is {
		return 1
	}
	return 0
}
