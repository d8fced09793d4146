package trouble

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"rowhook/api"
	"rowhook/deliver"
	"rowhook/outbox"
	"rowhook/outbox/memory"
	"rowhook/pipeline"
	"rowhook/rules"
)

// world is a daemon as a test wants it, and an outbox with where rules post.
type world struct {
	*testing.T
	api.Status
	counts []outbox.RuleCount
	store  *memory.Store
	teller *Teller
	set    *rules.Set
	now    time.Time
	read   int64 // the last delivery that was looked at

	posting sync.Mutex
	posted  []string // from memory: a rule and the event of each
	refused bool     // by the receivers of those
}

// Post notes what is posted from memory.
func (w *world) Post(_ context.Context, d *outbox.Delivery) error {
	var event Trouble
	if err := json.Unmarshal(d.Body, &event); err != nil {
		return err
	}
	if w.refused {
		return errors.New("refused")
	}
	w.posting.Lock()
	defer w.posting.Unlock()
	w.posted = append(w.posted, d.Rule+" "+event.Event)
	return nil
}

// Receiver is where a rule posts to.
func (w *world) Receiver(rule string) string {
	for _, r := range w.set.Rules {
		if r.Name == rule {
			return r.Endpoint.URL
		}
	}
	return rule
}

type daemon struct{ *world }

func (d daemon) Status(context.Context) (api.Status, error) { return d.world.Status, nil }
func (d daemon) Totals(context.Context) (outbox.Totals, error) {
	return outbox.Totals{Rules: d.counts}, nil
}

// newWorld is one where all is well. Pager wants all, chat what is about endpoints; crm is a rule of the plugin's, and chat posts to
// where it does.
func newWorld(t *testing.T) *world {
	t.Helper()
	list, err := rules.Parse("rules.yaml", []byte(`rules:
- {name: pager, action: 'rowhook.*', url: 'http://pager.example/'}
- {name: chat, action: rowhook.endpoint_down, url: 'http://crm.example/chat'}
- {name: chat-up, action: rowhook.endpoint_up, url: 'http://crm.example/chat'}
- {name: spa, action: rowhook.site_stopped, sites: [spa], url: 'http://spa.example/'}
- {name: crm, action: appointment.save, url: 'http://crm.example/hook'}
`), nil)
	if err != nil {
		t.Fatal(err)
	}
	w := &world{T: t, store: memory.New(), set: &rules.Set{Rules: list}, now: time.Date(2026, 11, 30, 3, 0, 0, 0, time.UTC)}
	w.Reader = &api.Reader{Connected: true, CaughtUp: true}
	w.Sites = []pipeline.SiteStatus{{Name: "salon", State: pipeline.SiteReading}, {Name: "spa", State: pipeline.SiteReading}}
	w.Endpoints = []deliver.EndpointStatus{
		{Name: "http://crm.example", Rules: []string{"chat", "chat-up", "crm"}}, {Name: "http://pager.example", Rules: []string{"pager"}}, {Name: "http://spa.example", Rules: []string{"spa"}},
	}
	routes := map[string]string{}
	for _, e := range w.Endpoints {
		for _, rule := range e.Rules {
			routes[rule] = e.Name
		}
	}
	if _, err := w.store.Route(t.Context(), routes); err != nil {
		t.Fatal(err)
	}
	w.teller = New(daemon{w}, w.store, w, "source", w.set, slog.New(slog.DiscardHandler))
	return w
}

// restart makes what the next process does.
func (w *world) restart() {
	w.Helper()
	w.store = w.store.Reopen()
	w.teller = New(daemon{w}, w.store, w, "source", w.set, slog.New(slog.DiscardHandler))
	for i := range w.Endpoints {
		e := &w.Endpoints[i]
		e.DownSince, e.LastSuccess, e.LastError = time.Time{}, time.Time{}, ""
	}
}

// pass lets some time go by, with looks.
func (w *world) pass(d time.Duration) {
	w.Helper()
	for end := w.now.Add(d); w.now.Before(end); w.now = w.now.Add(lookEvery) {
		if err := w.teller.look(w.Context(), w.now); err != nil {
			w.Fatal(err)
		}
	}
}

// told checks what was told since the last time: a rule and the event of each.
func (w *world) told(want ...string) (events []Trouble) {
	w.Helper()
	list, err := w.store.List(w.Context(), outbox.Filter{After: w.read, Bodies: true})
	if err != nil {
		w.Fatal(err)
	}
	var got []string
	for _, d := range list {
		w.read = d.Seq
		var event Trouble
		if err := json.Unmarshal(d.Body, &event); err != nil {
			w.Fatal(err)
		}
		if d.Action != "rowhook."+event.Event || d.Kind != d.Action || event.Text == "" || event.Since.IsZero() || len(d.Keys) != 1 {
			w.Errorf("got %+v", d)
		}
		got, events = append(got, d.Rule+" "+event.Event), append(events, event)
	}
	slices.Sort(got) // several at once have no order
	slices.Sort(want)
	if !slices.Equal(got, want) {
		w.Fatalf("told are %q, want %q", got, want)
	}
	return events
}

// TestEndpoint: down and up again, once each, over restarts, and not through the endpoint itself.
func TestEndpoint(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.pass(time.Minute)
	w.told()
	crm := &w.Endpoints[0]
	crm.DownSince, crm.LastError, crm.Undelivered = w.now, "dial tcp: connection\x1b refused", 7
	w.pass(settledAfter)
	w.told() // it may be a restart
	w.pass(time.Minute)
	down := w.told("pager endpoint_down")[0]
	if down.Endpoint != crm.Name || !down.Since.Equal(crm.DownSince) || !strings.Contains(down.Text, "is down: dial tcp") || !strings.Contains(down.Text, "7 deliveries wait; none is lost.") || strings.Contains(down.Text, "\x1b") {
		t.Errorf("got %+v", down)
	}
	w.restart()
	w.pass(time.Minute) // nothing is known of it yet
	w.told()
	crm.DownSince = w.now
	w.pass(time.Minute)
	w.told()
	crm.DownSince, crm.LastSuccess = time.Time{}, w.now
	w.pass(time.Minute)
	up := w.told("pager endpoint_up", "chat-up endpoint_up")[0]
	if up.Ended.IsZero() || !up.Since.Equal(down.Since) || !strings.Contains(up.Text, "accepts deliveries again, after ") {
		t.Errorf("got %+v", up)
	}
	w.restart()
	w.pass(time.Minute)
	w.told()
	crm.DownSince = w.now
	w.pass(time.Minute)
	w.told("pager endpoint_down")
	w.Endpoints = w.Endpoints[1:] // its rules post elsewhere
	w.pass(time.Minute)
	gone := w.told("pager endpoint_up", "chat-up endpoint_up")[0]
	if gone.Endpoint != "http://crm.example" || gone.Ended.IsZero() || !strings.HasPrefix(gone.Text, "rowhook: http://crm.example is no receiver of any rule any more, after ") {
		t.Errorf("got %+v", gone)
	}
	w.restart()
	w.pass(time.Minute)
	w.told()
}

// TestRemoved: what was told of a site ends when the site is not followed any more, also when only tables of it were stopped.
func TestRemoved(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"spa", "spa+posts"} {
		w := newWorld(t)
		w.Sites = append(w.Sites[:1], pipeline.SiteStatus{Name: name, State: pipeline.SiteStopped, Since: w.now, Reason: "r", Stop: &pipeline.Stop{Kept: pipeline.LogKept{Until: w.now.Add(time.Hour)}}})
		w.pass(time.Minute)
		w.told("pager site_stopped", "spa site_stopped", "pager purge_soon")
		w.Reader = nil // it begins anew without the site
		w.Sites = nil
		w.pass(time.Minute)
		w.told()
		w.Reader, w.Sites = &api.Reader{Connected: true, CaughtUp: true}, []pipeline.SiteStatus{{Name: "salon", State: pipeline.SiteReading}}
		w.pass(time.Minute)
		for _, end := range w.told("pager site_resumed", "pager purge_averted") {
			if end.Site != name || !strings.HasPrefix(end.Text, "rowhook: site "+name+" is not followed any more, after ") {
				t.Errorf("got %+v", end)
			}
		}
	}
}

// TestFlapping: what is over at once wakes nobody.
func TestFlapping(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for range 20 {
		w.Endpoints[0].DownSince = w.now
		w.pass(settledAfter)
		w.Endpoints[0].DownSince, w.Endpoints[0].LastSuccess = time.Time{}, w.now
		w.pass(lookEvery)
	}
	w.told()
}

// TestOthers: each kind of trouble, its beginning and its end.
func TestOthers(t *testing.T) {
	t.Parallel()
	hour := 3600.0
	for name, c := range map[string]struct {
		begin, end func(w *world)
		want       []string // at the beginning
		over       []string
		says       string
	}{
		"site stopped": {
			func(w *world) {
				w.Sites[1] = pipeline.SiteStatus{Name: "spa", State: pipeline.SiteStopped, Since: w.now, Reason: "SELECT is denied", Fix: "GRANT SELECT"}
			},
			func(w *world) { w.Sites[1] = pipeline.SiteStatus{Name: "spa", State: pipeline.SiteReading} },
			[]string{"pager site_stopped", "spa site_stopped"}, []string{"pager site_resumed"}, "rowhook: Site spa is stopped: SELECT is denied. Its changes are not read; the other sites go on. To do: GRANT SELECT",
		},
		"site waits": {
			func(w *world) {
				w.Sites[0] = pipeline.SiteStatus{Name: "salon", State: pipeline.SiteWaiting, Reason: "r"}
			},
			func(w *world) { w.Sites[0].State = pipeline.SiteReading },
			[]string{"pager site_stopped"}, []string{"pager site_resumed"}, "Site salon waits: r. It is read, but its events cannot be loaded.",
		},
		"site's log is purged soon": {
			func(w *world) {
				w.Sites[0] = pipeline.SiteStatus{Name: "salon", State: pipeline.SiteStopped, Stop: &pipeline.Stop{Kept: pipeline.LogKept{Until: w.now.Add(time.Hour)}}}
			},
			func(w *world) { w.Sites[0] = pipeline.SiteStatus{Name: "salon", State: pipeline.SiteReading} },
			[]string{"pager site_stopped", "pager purge_soon"}, []string{"pager purge_averted", "pager site_resumed"}, "Site salon is stopped",
		},
		"disconnected": {
			func(w *world) { w.Reader.Connected = false }, func(w *world) { w.Reader.Connected = true },
			[]string{"pager reader_stopped"}, []string{"pager reader_resumed"}, "Reading the log is stopped. The database does not send its log.",
		},
		"away when rowhook starts": {
			func(w *world) {
				w.Reader, w.Sites = nil, nil
				w.Hindrance = &api.Hindrance{Since: w.now.Add(-time.Minute), Reason: "dial tcp: connection refused", Fix: "systemctl start mariadb"}
			},
			func(w *world) {
				w.Reader, w.Hindrance = &api.Reader{Connected: true, CaughtUp: true}, nil
				w.Sites = []pipeline.SiteStatus{{Name: "salon", State: pipeline.SiteReading}}
			},
			[]string{"pager reader_stopped"}, []string{"pager reader_resumed"}, "Reading the log is stopped: dial tcp: connection refused. The database cannot be followed",
		},
		"behind": {
			func(w *world) { w.Reader.Lag, w.Reader.CaughtUp = hour, false }, func(w *world) { w.Reader.Lag, w.Reader.CaughtUp = 0, true },
			[]string{"pager reader_behind"}, []string{"pager reader_caught_up"}, "was committed 60 min ago",
		},
		"purged soon": {
			func(w *world) { w.Reader.Connected, w.Reader.CaughtUp, w.Reader.Purge = false, false, &hour }, func(w *world) { w.Reader.Connected, w.Reader.Purge = true, nil },
			[]string{"pager reader_stopped", "pager purge_soon"}, []string{"pager purge_averted", "pager reader_resumed"}, "Reading the log is stopped",
		},
		"paused": {
			func(w *world) { w.Endpoints[0].Paused = &deliver.Pause{Since: w.now, Reason: "410 Gone"} },
			func(w *world) { w.Endpoints[0].Paused, w.Endpoints[0].LastSuccess = nil, w.now },
			[]string{"pager endpoint_down"}, []string{"pager endpoint_up", "chat-up endpoint_up"}, "Endpoint http://crm.example is paused: 410 Gone. Nothing is posted there until a person says so. To do: rowhook endpoints resume http://crm.example",
		},
		"one URL": {
			func(w *world) {
				w.Endpoints[0].URLs = []deliver.URLStatus{{URL: "http://crm.example/hook", Rules: []string{"crm"}, DownSince: w.now}}
			},
			func(w *world) { w.Endpoints[0].URLs, w.Endpoints[0].LastSuccess = nil, w.now },
			[]string{"pager endpoint_down", "chat endpoint_down"}, []string{"pager endpoint_up", "chat-up endpoint_up"}, "One URL of http://crm.example is down. http://crm.example/hook fails while others of the endpoint get through.",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			c.begin(w)
			w.pass(time.Minute)
			if first := w.told(c.want...)[0]; !strings.Contains(first.Text, c.says) {
				t.Errorf("got %q, want %q in it", first.Text, c.says)
			}
			w.store = w.store.Reopen()
			w.teller = New(daemon{w}, w.store, w, "source", w.set, slog.New(slog.DiscardHandler))
			w.pass(time.Minute)
			w.told()
			c.end(w)
			w.pass(time.Minute)
			w.told(c.over...)
			w.pass(time.Minute)
			w.told()
		})
	}
}

// TestDead: dead deliveries are told of with their number, not each; those that tell something are not.
func TestDead(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	dead := func(rule string, n int64) {
		w.counts = slices.DeleteFunc(w.counts, func(r outbox.RuleCount) bool { return r.Rule == rule })
		w.counts = append(w.counts, outbox.RuleCount{Rule: rule, OutcomeCount: outbox.OutcomeCount{Dead: n}})
	}
	dead("crm", 5)
	w.pass(time.Minute) // long ago
	w.told()
	dead("crm", 6)
	w.pass(lookEvery)
	if got := w.told("pager delivery_dead")[0]; got.Count != 1 || got.Rule != "crm" || got.Text != "rowhook: 1 delivery of rule crm was given up. To do: rowhook deliveries list --state dead --rule crm" {
		t.Errorf("got %+v", got)
	}
	dead("crm", 500)
	w.restart()
	w.pass(deadAgain - time.Minute)
	w.told()
	dead("crm", 1000)
	w.pass(2 * time.Minute)
	if got := w.told("pager delivery_dead")[0]; got.Count != 994 {
		t.Errorf("got %+v", got)
	}
	dead("new", 1)
	dead("pager", 10)
	w.pass(time.Hour)
	w.told("pager delivery_dead")
	all := w.set
	w.set = &rules.Set{Rules: all.Rules[1:]} // nobody wants to know
	w.teller.SetRules(w.set)
	dead("crm", 2000)
	w.pass(time.Hour)
	w.teller.SetRules(all)
	w.pass(time.Hour)
	w.told()
}

// TestResting: where nobody follows the log, as all machines have deliver: only, that is told, and what befalls endpoints.
func TestResting(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.Reader, w.Sites, w.Resting = nil, nil, true
	w.pass(time.Minute)
	w.told("pager reader_stopped")
	w.Endpoints[2].DownSince = w.now
	w.pass(time.Minute)
	w.told("chat endpoint_down", "pager endpoint_down")
}

// TestStopped: the end of a daemon is told before it ends, and not again by the next one that ends so.
func TestStopped(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for range 2 {
		done := make(chan struct{})
		ctx, end := context.WithCancel(t.Context())
		var running sync.WaitGroup
		running.Go(func() { w.teller.Run(ctx) })
		go func() {
			defer close(done)
			w.teller.Stopped(t.Context(), errors.New("the log is another server's"))
		}()
		for waits := true; waits; {
			select {
			case <-done:
				waits = false
			default:
				list, err := w.store.Claim(t.Context(), "http://pager.example", 0, 10)
				if err != nil {
					t.Fatal(err)
				}
				for _, d := range list {
					if err := w.store.Settle(t.Context(), []outbox.Outcome{{Seq: d.Seq, State: outbox.Delivered, Attempts: 1}}); err != nil {
						t.Fatal(err)
					}
				}
			}
		}
		end()
		running.Wait()
		w.teller.Stopped(t.Context(), errors.New("too late")) // does not wait
		w.restart()
	}
	if got := w.told("pager reader_stopped")[0]; !strings.Contains(got.Text, "rowhook: Reading the log has stopped: the log is another server's. To do") {
		t.Errorf("got %+v", got)
	}
	w.pass(time.Minute)
	w.told("pager reader_resumed")
}

// TestIDs: the same event has the same id at another time, and no two have one.
func TestIDs(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	seen := map[outbox.ID]string{}
	for _, e := range []*Trouble{
		{Event: "endpoint_down", Endpoint: "a", Since: w.now}, {Event: "endpoint_down", Endpoint: "b", Since: w.now},
		{Event: "endpoint_down", Endpoint: "a", Since: w.now.Add(time.Second)}, {Event: "endpoint_up", Endpoint: "a", Since: w.now, Ended: w.now},
	} {
		for _, r := range w.set.Rules[:2] {
			d := w.teller.delivery(e, r)
			if other := seen[d.ID]; other != "" || d.ID != w.teller.delivery(e, r).ID {
				t.Errorf("%s has the id of %s", d.Body, other)
			}
			seen[d.ID] = fmt.Sprint(string(d.Body), r.Name)
		}
	}
}
