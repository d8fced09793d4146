package console

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"rowhook/api"
	"rowhook/cdc"
	"rowhook/deliver"
	"rowhook/outbox"
	"rowhook/pipeline"
)

// parts are the parts of a daemon, as a test wants them.
type parts struct {
	stored   error // of reading the outbox
	counts   []outbox.Count
	totals   outbox.Totals
	line     pipeline.Status
	lineErr  error
	sites    []pipeline.SiteStatus
	standing cdc.Standing
	workers  []deliver.EndpointStatus
}

func (p *parts) Counts(context.Context) ([]outbox.Count, error) {
	return p.counts, p.stored
}
func (p *parts) Totals(context.Context) (outbox.Totals, error) {
	return p.totals, p.stored
}
func (p *parts) Size(context.Context) (int64, error) { return 4096, p.stored }

func (p *parts) Status(context.Context, time.Duration) (pipeline.Status, error) {
	return p.line, p.lineErr
}
func (p *parts) Sites(context.Context) ([]pipeline.SiteStatus, error) { return p.sites, nil }
func (p *parts) Standing(context.Context, cdc.Position) (cdc.Standing, error) {
	return p.standing, nil
}

type workers struct{ *parts }

func (w workers) Status(context.Context) deliver.Status { return deliver.Status{Endpoints: w.workers} }

// serveParts answers for a daemon that follows.
func serveParts(t *testing.T, p *parts) (*Metrics, *prometheus.Registry, *httptest.Server) {
	t.Helper()
	return serveDaemon(t, following(p))
}

// following is a daemon that follows.
func following(p *parts) *api.Daemon {
	d := api.New()
	d.Holds(p, nil)
	d.Delivers(workers{p})
	d.Follows(p, p)
	return d
}

func serveDaemon(t *testing.T, d *api.Daemon) (*Metrics, *prometheus.Registry, *httptest.Server) {
	t.Helper()
	registry := prometheus.NewPedanticRegistry()
	m, err := NewMetrics(registry, d, "1.2.3")
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(Handler(d, registry))
	t.Cleanup(server.Close)
	return m, registry, server
}

func get(t *testing.T, url string) (status int, body string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := new(http.Client).Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(text)
}

// well is a daemon that does well.
func well() *parts {
	now := time.Now()
	crm := outbox.EndpointCount{Endpoint: "https://crm.example"}
	crm.Count(&outbox.Outcome{State: outbox.Delivered, Took: 3 * time.Millisecond}, false)
	crm.Count(&outbox.Outcome{State: outbox.Dead, Attempt: &outbox.Attempt{Latency: time.Minute}}, true)
	return &parts{
		counts: []outbox.Count{{Rule: "crm", State: outbox.Dead, N: 3}},
		totals: outbox.Totals{
			Events:    []outbox.EventCount{{Site: "salon", Kind: "appointment.save", N: 2}},
			Rules:     []outbox.RuleCount{{Rule: "crm", OutcomeCount: crm.OutcomeCount}},
			Endpoints: []outbox.EndpointCount{crm},
		},
		line:     pipeline.Status{Committed: now.Add(-time.Minute), Heard: now, CaughtUp: true},
		sites:    []pipeline.SiteStatus{{Name: "salon", State: pipeline.SiteReading}, {Name: "spa", State: pipeline.SiteStopped, Events: 4}},
		standing: cdc.Standing{Until: now.Add(time.Hour)},
		workers: []deliver.EndpointStatus{
			{Name: "https://crm.example", Undelivered: 7, Oldest: 90 * time.Second, DownSince: now},
			{Name: "https://erp.example"}, {Name: "https://old.example", Paused: &deliver.Pause{}},
		},
	}
}

// TestUnanswered: a server that sends heartbeats but takes no further connection does not make rowhook behind; one whose link is gone does.
func TestUnanswered(t *testing.T) {
	t.Parallel()
	for silence, lag := range map[time.Duration]string{time.Second: "rowhook_lag_seconds 0\n", time.Minute: "rowhook_lag_seconds 108"} {
		p := well()
		p.line.Committed, p.line.Heard, p.line.Unanswered = time.Now().Add(-3*time.Hour), time.Now().Add(-silence), errors.New("too many connections")
		_, _, server := serveParts(t, p)
		if _, text := get(t, server.URL+"/metrics"); !strings.Contains(text, lag) {
			t.Errorf("heard %v ago, it does not say %q", silence, lag)
		}
	}
}

func TestMetrics(t *testing.T) {
	t.Parallel()
	_, registry, server := serveParts(t, well())
	problems, err := testutil.GatherAndLint(registry)
	if err != nil || len(problems) > 0 {
		t.Errorf("%v, %v", problems, err)
	}
	status, text := get(t, server.URL+"/metrics")
	if status != http.StatusOK {
		t.Fatalf("%d: %s", status, text)
	}
	for _, want := range []string{
		`rowhook_up 1`, `rowhook_standby 0`, `rowhook_lag_seconds 0`, `rowhook_reader_connected 1`, `rowhook_commit_pending_seconds 0`,
		`rowhook_site_stopped{site="salon"} 0`, `rowhook_site_stopped{site="spa"} 1`, `rowhook_site_waiting_events{site="spa"} 4`,
		`rowhook_undelivered{endpoint="https://crm.example"} 7`, `rowhook_oldest_undelivered_seconds{endpoint="https://crm.example"} 90`,
		`rowhook_endpoint_state{endpoint="https://crm.example",state="down"} 1`, `rowhook_endpoint_state{endpoint="https://crm.example",state="healthy"} 0`,
		`rowhook_endpoint_state{endpoint="https://erp.example",state="healthy"} 1`, `rowhook_endpoint_state{endpoint="https://old.example",state="paused"} 1`,
		`rowhook_outbox_bytes 4096`, `rowhook_outbox_deliveries{rule="crm",state="dead"} 3`,
		`rowhook_events_total{action="appointment.save",site="salon"} 2`,
		`rowhook_deliveries_total{outcome="delivered",rule="crm"} 1`, `rowhook_deliveries_total{outcome="failed",rule="crm"} 1`, `rowhook_deliveries_total{outcome="dead",rule="crm"} 1`,
		`rowhook_attempt_duration_seconds_count{endpoint="https://crm.example"} 2`, `rowhook_attempt_duration_seconds_sum{endpoint="https://crm.example"} 60.003`,
		`rowhook_attempt_duration_seconds_bucket{endpoint="https://crm.example",le="0.0025"} 0`, `rowhook_attempt_duration_seconds_bucket{endpoint="https://crm.example",le="0.005"} 1`,
		`rowhook_attempt_duration_seconds_bucket{endpoint="https://crm.example",le="30"} 1`, `rowhook_attempt_duration_seconds_bucket{endpoint="https://crm.example",le="+Inf"} 2`,
		`version="1.2.3"`, "rowhook_purge_seconds 3",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("there is no %s in\n%s", want, text)
		}
	}
}

// TestMetricsOfStandby: who stands by says so, and nothing that would wake somebody.
func TestMetricsOfStandby(t *testing.T) {
	t.Parallel()
	d := following(well())
	d.StandsBy()
	_, _, server := serveDaemon(t, d)
	_, text := get(t, server.URL+"/metrics")
	for _, want := range []string{"rowhook_up 1\n", "rowhook_standby 1\n"} {
		if !strings.Contains(text, want) {
			t.Errorf("there is no %s in\n%s", want, text)
		}
	}
	for _, name := range []string{"rowhook_reader_connected", "rowhook_events_total", "rowhook_outbox_bytes"} {
		if strings.Contains(text, name+" ") || strings.Contains(text, name+"{") {
			t.Errorf("%s is said of an outbox that this one has not", name)
		}
	}
}

// peers are two machines that share an outbox.
type peers struct{}

func (peers) Machines(context.Context) ([]api.Machine, error) {
	return []api.Machine{{Name: "a", Holds: true, Reads: true, SameRules: true, Endpoints: []string{"crm"}}, {Name: "b", Here: true, Endpoints: []string{"erp", "pos"}}}, nil
}

// alike are the same with the same rules.
type alike struct{ peers }

func (p alike) Machines(ctx context.Context) ([]api.Machine, error) {
	list, err := p.peers.Machines(ctx)
	list[1].SameRules = true
	return list, err
}

// deliverers are the same where both have deliver: only.
type deliverers struct{ peers }

func (p deliverers) Machines(ctx context.Context) ([]api.Machine, error) {
	list, err := p.peers.Machines(ctx)
	list[0].Reads = false
	return list, err
}

func (peers) Endpoints(context.Context, string) (deliver.Status, error) {
	return deliver.Status{}, errors.New("it is off")
}
func (peers) Holder(context.Context) (api.Status, error) {
	return api.Status{}, errors.New("it is off")
}

// TestMetricsOfMember: where machines share an outbox, each tells of its own endpoints and who holds the outbox, and one of them of the
// outbox: a sum over all counts nothing twice.
func TestMetricsOfMember(t *testing.T) {
	t.Parallel()
	for name, member := range map[string]bool{"member": true, "holder": false} {
		d, p := api.New(), well()
		p.workers = []deliver.EndpointStatus{{Name: "own"}, {Name: "others", Elsewhere: true}}
		if d.Holds(p, peers{}); member {
			d.Joins(p, peers{})
		}
		d.Delivers(workers{p})
		_, _, server := serveDaemon(t, d)
		_, text := get(t, server.URL+"/metrics")
		for line, wanted := range map[string]bool{
			"rowhook_up 1\n": true, "rowhook_standby 0\n": true, `rowhook_machine_holds{machine="a"} 1`: true, `rowhook_machine_holds{machine="b"} 0`: true,
			`rowhook_machine_endpoints{machine="b"} 2`: true, `rowhook_machine_same_rules{machine="b"} 0`: true,
			`rowhook_undelivered{endpoint="own"}`: true, `rowhook_undelivered{endpoint="others"}`: false, `rowhook_endpoint_state{endpoint="others"`: false,
			"rowhook_outbox_bytes ": !member, "rowhook_events_total{": !member, "rowhook_deliveries_total{": !member, "rowhook_reader_connected ": !member,
		} {
			if strings.Contains(text, line) != wanted {
				t.Errorf("%s: %s: %v in\n%s", name, line, !wanted, text)
			}
		}
	}
}

// TestNobodyReads: of machines that all have deliver: only none is said to follow the log, which is what the alert looks at.
func TestNobodyReads(t *testing.T) {
	t.Parallel()
	d, p := api.New(), well()
	d.Holds(p, deliverers{})
	d.FollowsNot()
	d.Delivers(workers{p})
	_, _, server := serveDaemon(t, d)
	_, text := get(t, server.URL+"/metrics")
	for _, name := range []string{"a", "b"} {
		if !strings.Contains(text, `rowhook_machine_holds{machine="`+name+`"} 0`) {
			t.Errorf("%s: %s", name, text)
		}
	}
}

// TestMetricsOfTrouble: what can be asked is shown when the rest cannot.
func TestMetricsOfTrouble(t *testing.T) {
	t.Parallel()
	stuck := well()
	stuck.lineErr = errors.New("stuck")
	_, _, server := serveParts(t, stuck)
	if _, text := get(t, server.URL+"/metrics"); !strings.Contains(text, "rowhook_up 0") || !strings.Contains(text, "rowhook_outbox_bytes 4096") || strings.Contains(text, "rowhook_lag_seconds ") {
		t.Errorf("got %s", text)
	}
}

func TestHealth(t *testing.T) {
	t.Parallel()
	with := func(change func(*parts)) *parts { p := well(); change(p); return p }
	for name, c := range map[string]struct {
		parts          *parts // nil: it does not follow yet
		healthy, ready int
		says           string
	}{
		"well":         {well(), 200, 200, "ok"},
		"starting":     {nil, 200, 503, "it is starting"},
		"hindered":     {nil, 200, 503, "waits for its database\n"},
		"standing by":  {nil, 200, 503, "standby: the server with the outbox does not answer"},
		"member":       {well(), 200, 200, "ok"},
		"other rules":  {well(), 200, 503, "nothing is delivered from here: its rules are not those of a, which holds the outbox"},
		"resting":      {well(), 200, 200, "ok"},
		"server away":  {with(func(p *parts) { p.stored = errors.New("connection refused") }), 200, 503, "the server with the outbox does not answer: connection refused"},
		"silent":       {with(func(p *parts) { p.line.Heard = time.Now().Add(-time.Minute) }), 200, 503, "does not send its log"},
		"behind":       {with(func(p *parts) { p.line.CaughtUp = false }), 200, 200, "ok"},
		"disk full":    {with(func(p *parts) { p.line.Storing = time.Now().Add(-time.Minute) }), 200, 503, "a commit of the outbox"},
		"storing":      {with(func(p *parts) { p.line.Storing = time.Now() }), 200, 200, "ok"},
		"stuck":        {with(func(p *parts) { p.lineErr = context.DeadlineExceeded }), 503, 503, "how far the log is read"},
		"broken store": {with(func(p *parts) { p.stored = errors.New("disk I/O error") }), 503, 503, "disk I/O error"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := api.New()
			switch {
			case name == "member", name == "server away":
				d.Joins(c.parts, alike{})
			case name == "other rules":
				d.Joins(c.parts, peers{})
			case name == "resting":
				d.Holds(c.parts, peers{})
				d.FollowsNot()
			case c.parts != nil:
				d = following(c.parts)
			case name == "standing by":
				d.StandsBy()
			case name == "hindered":
				d.Holds(well(), nil)
				d.Hindered(&api.Hindrance{Reason: "connection refused"})
			}
			_, _, server := serveDaemon(t, d)
			if status, text := get(t, server.URL+"/healthz"); status != c.healthy {
				t.Errorf("healthz: %d %s", status, text)
			}
			if status, text := get(t, server.URL+"/readyz"); status != c.ready || !strings.Contains(text, c.says) {
				t.Errorf("readyz: %d %s", status, text)
			}
		})
	}
}

// TestUnused: a daemon never made a delivery when none was counted, and not when all are pruned.
func TestUnused(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change func(*parts)
		unused bool
	}{
		"well":   {func(*parts) {}, false},
		"new":    {func(p *parts) { p.counts, p.totals = nil, outbox.Totals{} }, true},
		"pruned": {func(p *parts) { p.counts = nil }, false},
	} {
		p := well()
		c.change(p)
		if s, err := following(p).Status(t.Context()); err != nil || s.Outbox.Unused != c.unused {
			t.Errorf("%s: %v, unused: %t", name, err, s.Outbox.Unused)
		}
	}
}

// TestRests: a daemon that begins anew, with other sites, is no stuck one meanwhile.
func TestRests(t *testing.T) {
	t.Parallel()
	ended := well()
	ended.lineErr = context.DeadlineExceeded
	d := following(ended)
	d.Rests()
	_, _, server := serveDaemon(t, d)
	if status, text := get(t, server.URL+"/healthz"); status != http.StatusOK {
		t.Errorf("healthz: %d %s", status, text)
	}
	if status, text := get(t, server.URL+"/readyz"); status != http.StatusServiceUnavailable || !strings.Contains(text, "does not follow") {
		t.Errorf("readyz: %d %s", status, text)
	}
}

func TestServe(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	taken := httptest.NewServer(http.NotFoundHandler())
	defer taken.Close()
	if err := Serve(ctx, taken.Listener.Addr().String(), http.NotFoundHandler()); err == nil || !strings.Contains(err.Error(), "address already in use") {
		t.Errorf("an address that is taken: %v", err)
	}
	cancel()
	if err := Serve(ctx, "127.0.0.1:0", http.NotFoundHandler()); err != nil && !errors.Is(err, context.Canceled) {
		t.Errorf("when told to end: %v", err)
	}
}
