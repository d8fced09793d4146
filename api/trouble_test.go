package api

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"rowhook/deliver"
	"rowhook/lasting"
	"rowhook/outbox"
	"rowhook/pipeline"
)

var noon = time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC)

// wellStatus is a daemon with two sites and two endpoints, that does well.
func wellStatus() *Status {
	return &Status{
		Reader:    &Reader{Connected: true, CaughtUp: true},
		Sites:     []pipeline.SiteStatus{{Name: "salon", State: pipeline.SiteReading}, {Name: "spa", State: pipeline.SiteReading}},
		Endpoints: []deliver.EndpointStatus{{Name: "https://crm.example:443", Rules: []string{"crm"}}, {Name: "https://zaps.example:443", Rules: []string{"a", "b"}}},
	}
}

// TestTroubles: what each trouble says, whether it needs a person, what is to be typed, and what the verdict is then.
func TestTroubles(t *testing.T) {
	t.Parallel()
	hour := 3600.0
	for name, c := range map[string]struct {
		change  func(s *Status)
		says    []string // of each: whether it needs somebody, its headline, text and fix, in parts
		verdict string
	}{
		"well":    {func(*Status) {}, nil, "All is well: all is read that was committed."},
		"standby": {func(s *Status) { *s = Status{StandsBy: true} }, nil, "Standing by: the server with the outbox does not answer"},
		"other rules": {func(s *Status) {
			s.Machines = []Machine{{Name: "a", Holds: true, SameRules: true}, {Name: "b", SameRules: true}, {Name: "c"}}
		}, []string{"needs Machine c has other rules|Its rules are not those of a|systemctl reload rowhook"}, "One thing needs you: machine c has other rules."},
		"the holder is silent": {func(s *Status) {
			s.Reader, s.Member, s.Machines = nil, true, []Machine{{Name: "a", Holds: true, SameRules: true, Silent: true}, {Name: "b", SameRules: true, Here: true}}
		}, []string{"needs Reading the log is stopped|Machine a, which holds the outbox, does not answer"}, "Stopped: nothing is read. Machine a"},
		"the holder is busy": {func(s *Status) {
			s.Reader, s.Member, s.Machines = nil, true, []Machine{{Name: "a", Holds: true, SameRules: true}, {Name: "b", SameRules: true, Here: true}}
		}, nil, "All is well: the machine that holds the outbox is at work, and did not say in time how far it has read."},
		"nobody holds it": {func(s *Status) {
			s.Reader, s.Member, s.Machines = nil, true, []Machine{{Name: "b", SameRules: true, Here: true}}
		}, []string{"needs Reading the log is stopped|No machine holds the outbox at this moment"}, "Stopped: nothing is read. No machine"},
		"nobody may read": {func(s *Status) {
			s.Reader, s.Resting, s.Machines = nil, true, []Machine{{Name: "b", Holds: true, SameRules: true, Here: true}}
		}, []string{"needs Reading the log is stopped|have deliver: only|systemctl start rowhook"}, "Stopped: nothing is read. No machine follows the log"},
		"starting": {func(s *Status) { s.Reader = nil }, []string{"needs Reading the log is stopped|rowhook is starting"}, "Stopped: nothing is read. rowhook is starting"},
		"away": {func(s *Status) {
			s.Reader, s.Hindrance = nil, &Hindrance{Since: noon, Reason: "refused", Fix: "GRANT X"}
		}, []string{"needs Reading the log is stopped|cannot be followed|refused|GRANT X"}, "Stopped: nothing is read. The database cannot be followed"},
		"full disk": {func(s *Status) { s.Reader.Storing = 61 }, []string{"needs Reading the log is stopped|its disk is full|df -h"}, "Stopped: nothing is read. The outbox cannot be written"},
		"silent":    {func(s *Status) { s.Reader.Connected = false }, []string{"needs Reading the log is stopped|does not send its log|rowhook check"}, "Stopped: nothing is read. The database does not send"},
		"behind":    {func(s *Status) { s.Reader.CaughtUp, s.Reader.Lag = false, 38 }, []string{"passes Reading the log is behind|committed 38 s ago"}, "All is well: 38 s behind the log."},
		"purged soon, and behind": {func(s *Status) {
			s.Reader.CaughtUp, s.Reader.Lag, s.Reader.Purge, s.Reader.Longer = false, 38, &hour, "CALL mysql.rds_set_configuration('x', 168);"
		},
			[]string{"needs The log is kept for 60 min more|changes are lost. Have it kept for longer:|CALL mysql.rds_set_configuration('x', 168);", "passes Reading the log is behind|"}, "One thing needs you: the log is kept for 60 min more. 38 s behind the log."},
		"purged soon at a hosting that keeps no more": {func(s *Status) { s.Reader.CaughtUp, s.Reader.Purge = false, &hour },
			[]string{"needs The log is kept for 60 min more|The hosting keeps none for longer: what keeps rowhook from reading has to end before that.|"}, "One thing needs you: the log is kept for 60 min more. "},
		"kept for an hour, and all is read": {func(s *Status) { s.Reader.Purge = &hour }, nil, "All is well: all is read that was committed."},
		"site stopped": {func(s *Status) {
			s.Sites[1] = pipeline.SiteStatus{Name: "spa", State: pipeline.SiteStopped, Reason: "denied", Fix: "GRANT SELECT", Events: 7, Stop: &pipeline.Stop{Kept: pipeline.LogKept{Until: noon.Add(time.Hour)}}}
		}, []string{"needs Site spa is stopped|the other sites go on|7 events wait; nothing is lost|denied|GRANT SELECT", "needs The log that site spa needs is kept for 60 min more|rowhook sites list"}, "Two things need you, first of all: site spa is stopped. All is read that was committed."},
		"its log is gone": {func(s *Status) {
			s.Sites[1] = pipeline.SiteStatus{Name: "spa", State: pipeline.SiteStopped, Ways: []string{"rowhook sites resume spa --from-now"}, Stop: &pipeline.Stop{Kept: pipeline.LogKept{Missing: true}}}
		}, []string{"needs Site spa is stopped|rowhook sites list", "needs The log that site spa needs is purged|is lost to rowhook"}, "Two things need you"},
		"site waits":      {func(s *Status) { s.Sites[0].State = pipeline.SiteWaiting }, []string{"needs Site salon waits|cannot be loaded"}, "One thing needs you: site salon waits."},
		"site catches up": {func(s *Status) { s.Sites[0].State = pipeline.SiteCatching }, []string{"passes Site salon catches up|goes on from where"}, "All is well: all is read"},
		"site unfit":      {func(s *Status) { s.Sites[0].Reason = "a table is missing" }, []string{"needs Site salon is not as it must be|a table is missing"}, "One thing"},
		"down": {func(s *Status) {
			e := &s.Endpoints[0]
			e.DownSince, e.NextProbe, e.LastError, e.Undelivered = noon, noon.Add(18*time.Second), "refused", 12
		}, []string{"passes Endpoint crm.example is down|12 deliveries wait; none is lost.|Next probe in 18 s|refused"}, "All is well: all is read that was committed; 1 receiver is down, and what waits for it goes out by itself."},
		"paused": {func(s *Status) { s.Endpoints[0].Paused = &deliver.Pause{Since: noon, Reason: "they move"} },
			[]string{"needs Endpoint crm.example is paused|until a person says so|they move|rowhook endpoints resume https://crm.example:443"}, "One thing needs you: endpoint crm.example is paused."},
		"one URL paused, one down": {func(s *Status) {
			s.Endpoints[1].URLs = []deliver.URLStatus{{URL: "https://zaps.example/1", Rules: []string{"a"}, Paused: &deliver.Pause{Since: noon, Reason: "410 Gone"}},
				{URL: "https://zaps.example/2", Rules: []string{"b"}, DownSince: noon, Until: noon.Add(time.Minute)}}
		}, []string{"needs One URL of zaps.example is paused|Give rule a its new URL|410 Gone", "passes One URL of zaps.example is down|asked again in 60 s"}, "One thing needs you"},
		"dead and held": {func(s *Status) {
			s.Outbox.Deliveries = []Kept{{"crm", "dead", 2}, {"a", "dead", 1}, {"old", "held", 1}, {"crm", "delivered", 9}}
		}, []string{"needs 3 deliveries were given up|can wait until morning|--state dead", "needs 1 delivery has no rule any more|--state held"}, "Two things need you, first of all: 3 deliveries were given up."},
		"a rule lacks": {func(s *Status) {
			s.Lacks = []Lack{{"a", "spa", "The relay is not on spa.", []string{"rowhook relay"}}, {"a", "salon", "Nor on salon.", nil}}
		},
			[]string{"needs Rule a is not as it must be|It can wait until morning. The relay is not on spa.|rowhook relay"}, "One thing needs you"},
		"what lasts": {func(s *Status) {
			s.Wrong = []lasting.Wrong{{About: "reload", Text: "the old rules stay", Found: "rules.yaml:4: no action", Fix: "rowhook rules validate", NeedsYou: true}, {About: "sync_binlog", Text: "check warns"},
				{About: "site spa", Text: "it cannot be seen", Fix: "ask the administrator", NeedsYou: true}}
		}, []string{"needs Reload: the old rules stay|rules.yaml:4: no action|rowhook rules validate", "needs Site spa: it cannot be seen|To fix it: ask the administrator."}, "Two things need you, first of all: reload: the old rules stay. All is read"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := wellStatus()
			s.Outbox.Deliveries = []Kept{{"crm", "delivered", 9}}
			c.change(s)
			r := NewReport(s, noon)
			if !strings.HasPrefix(r.Verdict, c.verdict) || r.NeedsYou() != strings.Contains(strings.Join(c.says, " "), "needs") {
				t.Errorf("the verdict is %q", r.Verdict)
			}
			if len(r.Troubles) != len(c.says) {
				t.Fatalf("got %d troubles: %+v", len(r.Troubles), r.Troubles)
			}
			for i, want := range c.says {
				is := &r.Troubles[i]
				text := fmt.Sprintf("%s %s|%s|%s|%s", map[bool]string{true: "needs", false: "passes"}[is.NeedsYou], is.Headline(), is.Text, is.Reason, strings.Join(is.Fix, "|"))
				for part := range strings.SplitSeq(want, "|") {
					if !strings.Contains(text, part) {
						t.Errorf("%q does not say %q", text, part)
					}
				}
			}
		})
	}
}

// TestStatusLasts: of all troubles those are repeated that nobody else repeats, under names that stay while their texts move.
func TestStatusLasts(t *testing.T) {
	t.Parallel()
	s := wellStatus()
	hour := 3600.0
	s.Reader.CaughtUp, s.Reader.Lag, s.Reader.Purge = false, 38, &hour
	s.Sites[1] = pipeline.SiteStatus{Name: "spa", State: pipeline.SiteStopped, Reason: "denied", Stop: &pipeline.Stop{Kept: pipeline.LogKept{Until: noon.Add(time.Hour)}}}
	s.Endpoints[0].DownSince, s.Endpoints[0].NextProbe = noon, noon.Add(18*time.Second)
	s.Endpoints[1].URLs = []deliver.URLStatus{{URL: "https://zaps.example/1", Rules: []string{"a"}, Paused: &deliver.Pause{Since: noon, Reason: "410 Gone"}}}
	s.Endpoints = append(s.Endpoints, deliver.EndpointStatus{Name: "https://far.example:443", Rules: []string{"c"}, DownSince: noon, Elsewhere: true})
	s.Outbox.Deliveries = []Kept{{"crm", "dead", 2}, {"old", "held", 1}}
	s.Lacks = []Lack{{"a", "spa", "The relay is not on spa.", nil}}
	s.Wrong = []lasting.Wrong{{About: "reload", NeedsYou: true}}
	names := func() (all []string) {
		for _, w := range s.Lasting(noon) {
			all = append(all, fmt.Sprintf("%s %t", w.About, w.Told))
			if w.Text == "" || w.Found == "" || w.NeedsYou {
				t.Errorf("%+v", w)
			}
		}
		return all
	}
	const want = "[the log false Endpoint crm.example true https://zaps.example/1 true dead letters true held deliveries false Rule a false]"
	if got := fmt.Sprint(names()); got != want {
		t.Errorf("got %s", got)
	}
	hour, s.Endpoints[0].NextProbe, s.Outbox.Deliveries[0].Count, s.Outbox.Deliveries[1].Count = 1800, noon, 3, 2
	if got := fmt.Sprint(names()); got != want {
		t.Errorf("got %s later", got)
	}
}

// TestGates: each gate that can hold a delivery, and which of several a person wants to know of first.
func TestGates(t *testing.T) {
	t.Parallel()
	earlier := &outbox.Stored{Delivery: outbox.Delivery{ID: outbox.ID{1}}}
	for name, c := range map[string]struct {
		change func(e *deliver.EndpointStatus, d *outbox.Stored)
		behind *outbox.Stored
		why    GateName // "": none holds it
		says   string
	}{
		"free":     {func(*deliver.EndpointStatus, *outbox.Stored) {}, nil, "", ""},
		"order":    {func(*deliver.EndpointStatus, *outbox.Stored) {}, earlier, OrderGate, "an earlier one about the same object"},
		"by hand":  {func(_ *deliver.EndpointStatus, d *outbox.Stored) { d.Retried = noon }, earlier, "", ""},
		"schedule": {func(_ *deliver.EndpointStatus, d *outbox.Stored) { d.Due = noon.Add(9 * time.Minute) }, nil, ScheduleGate, "in 9 min; earlier when"},
		"breaker": {func(e *deliver.EndpointStatus, d *outbox.Stored) {
			e.DownSince, e.NextProbe, d.Due = noon.Add(-time.Hour), noon.Add(18*time.Second), noon.Add(time.Hour)
		}, earlier, BreakerGate, "crm.example has been down for 60 min. Next probe in 18 s"},
		"pause": {func(e *deliver.EndpointStatus, _ *outbox.Stored) {
			e.Paused, e.DownSince = &deliver.Pause{Since: noon.Add(-time.Hour), Reason: "they move"}, noon
		}, earlier, PauseGate, "The endpoint has been paused for 60 min: they move."},
		"paused while another rule's URL is": {func(e *deliver.EndpointStatus, _ *outbox.Stored) {
			e.Paused = &deliver.Pause{Since: noon.Add(-time.Hour), Reason: "they move"}
			e.URLs = []deliver.URLStatus{{Rules: []string{"other"}, Paused: &deliver.Pause{Since: noon, Reason: "410"}}}
		}, nil, PauseGate, "The endpoint has been paused for 60 min: they move."},
		"paused as its URL is": {func(e *deliver.EndpointStatus, _ *outbox.Stored) {
			e.Paused = &deliver.Pause{Since: noon.Add(-time.Hour), Reason: "they move"}
			e.URLs = []deliver.URLStatus{{Rules: []string{"crm"}, Paused: &deliver.Pause{Since: noon.Add(-2 * time.Hour), Reason: "410"}}}
		}, nil, PauseGate, "The URL has been paused for 2 h 0 min: 410."},
		"another rule's URL is paused": {func(e *deliver.EndpointStatus, _ *outbox.Stored) {
			e.URLs = []deliver.URLStatus{{Rules: []string{"other"}, Paused: &deliver.Pause{}}}
		}, nil, "", ""},
		"its URL is down": {func(e *deliver.EndpointStatus, _ *outbox.Stored) {
			e.URLs = []deliver.URLStatus{{Rules: []string{"crm"}, DownSince: noon.Add(-time.Hour), Until: noon}}
		}, nil, BreakerGate, "The URL has been down for 60 min. Next probe at once"},
		"rate": {func(e *deliver.EndpointStatus, _ *outbox.Stored) {
			e.Pace, e.Undelivered = deliver.Pace{Most: 16, Every: time.Second, Next: noon.Add(400 * time.Millisecond)}, 120
		}, nil, RateGate, "At most one request every 1 s goes to this endpoint: the next one in 400 ms. 120 wait there, which takes 2 min."},
		"slow": {func(e *deliver.EndpointStatus, _ *outbox.Stored) { e.Pace, e.InFlight = deliver.Pace{Most: 16}, 16 }, nil, RateGate, "16 requests are on the way"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := wellStatus()
			d := &outbox.Stored{Delivery: outbox.Delivery{Rule: "crm", Endpoint: "https://crm.example:443", Keys: []string{"a"}, Seq: 7}, State: outbox.Waiting}
			c.change(&s.Endpoints[0], d)
			gates := s.Gates(d, c.behind, noon)
			if len(gates) != 5 {
				t.Fatalf("got %+v", gates)
			}
			why := Why(gates)
			if c.why == "" {
				if why != nil {
					t.Errorf("it waits for %+v", why)
				}
				return
			}
			if why == nil || why.Name != c.why || !strings.Contains(why.Text, c.says) {
				t.Errorf("it waits for %+v", why)
			}
		})
	}
	s := wellStatus()
	if got := s.Gates(&outbox.Stored{State: outbox.Delivered}, nil, noon); got != nil {
		t.Errorf("what is delivered waits for %+v", got)
	}
	s.Endpoints[0].Pace, s.Endpoints[0].InFlight = deliver.Pace{Most: 16}, -1
	crm := &outbox.Stored{Delivery: outbox.Delivery{Rule: "crm", Endpoint: "https://crm.example:443"}}
	if got := s.Gates(crm, nil, noon); got[3].State != GateUnknown || Why(got) != nil {
		t.Errorf("of an endpoint whose requests are not shown: %+v", got)
	}
	if got := s.Gates(&outbox.Stored{}, nil, noon); got[1].State != GateUnknown || Why(got) != nil {
		t.Errorf("of an endpoint that nobody knows: %+v", got)
	}
}
