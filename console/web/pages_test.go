package web

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"rowhook/api"
	"rowhook/deliver"
	"rowhook/outbox"
	"rowhook/pipeline"
)

// pagesOf are all pages of a console, with those of a delivery.
func pagesOf(d *outbox.Delivery) []string {
	return []string{"/", "/deliveries", "/deliveries?state=dead", "/deliveries?key=12&entity=appointment", "/deliveries/" + d.ID.String(), "/endpoints", "/endpoints?open=" + crm,
		"/rules", "/sites", "/sites?open=salon", "/search?q=nothing", "/none"}
}

// TestWell: what somebody sees when nothing needs them.
func TestWell(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.login("")
	b.get("/").shows(t, "Nothing yet:", "Needs you Nothing.", "What to do next")
	w.settle(w.commit("crm-bookings", "salon", "appointment/12", "appointment.save", `{}`), outbox.Delivered, 1, nil)
	w.recount()
	w.console.live.tell(w.status, nil)
	b.get("/").shows(t, "All is well: all is read that was committed.", "Needs you Nothing.", "Log kept for 7 days", "Behind the log 0 s")
	pruned := w.status
	pruned.Outbox.Deliveries = nil
	w.console.live.tell(pruned, nil)
	b.get("/").shows(t, "All is well: all is read that was committed.")
	b.get("/endpoints").shows(t, "3 endpoints: 3 up.")
	b.get("/rules").shows(t, "4 rules: 4 are at work.",
		"When a booking is new or changed in salon or nails, and its status is C (confirmed) or P (paid), posts the whole row to https://crm.example.com/hooks/vik",
		"When a booking is new in spa, posts it with all that belongs to it to", "When customers are deleted in spa, posts their numbers to")
	b.get("/sites").shows(t, "3 sites: 3 are well.", "schema wp_nails, prefix shop_", "0-1-884213")
}

// TestTroubles: each trouble says what it is, what waits, what to type, and whether it needs somebody.
func TestTroubles(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	d := w.commit("crm-bookings", "salon", "appointment/48", "appointment.save", `{}`)
	w.settle(d, outbox.Dead, 10, &outbox.Attempt{At: time.Now(), Status: 422, Error: "the receiver answered 422 Unprocessable Content"})
	w.commit("zap-new-bookings", "spa", "appointment/61", "appointment.save", `{}`)
	w.commit("status-board", "salon", "appointment/61", "appointment.status_change", `{}`)
	w.recount()
	s := w.status
	s.Sites[1] = pipeline.SiteStatus{Name: "spa", State: pipeline.SiteStopped, Since: time.Now().Add(-time.Hour), Reason: "SELECT command denied", Fix: "GRANT SELECT ON `wp_spa`.* TO 'rowhook'@'localhost';", Events: 7, Stop: &pipeline.Stop{Site: "spa"}}
	for i := range s.Endpoints {
		switch e := &s.Endpoints[i]; e.Name {
		case board:
			e.DownSince, e.NextProbe, e.LastError = time.Now().Add(-12*time.Minute), time.Now().Add(18*time.Second), "connection refused"
		case zaps:
			gone := &deliver.Pause{Since: time.Now().Add(-5 * time.Hour), Reason: "the receiver answered 410 Gone"}
			e.URLs = []deliver.URLStatus{{URL: "https://zaps.example.com/hooks/…", Rules: []string{"zap-new-bookings"}, Paused: gone}}
		}
	}
	s.Lacks = []api.Lack{{Rule: "own-crm", Text: "The relay is not on spa.", Fix: []string{"rowhook relay"}}}
	w.mu.Lock()
	w.status = s
	w.mu.Unlock()
	w.console.live.tell(s, nil)
	b := w.login("")
	page := b.get("/")
	page.shows(t, "Four things need you, first of all: site spa is stopped. All is read that was committed; 1 receiver is down, and what waits for it goes out by itself.",
		"stopped Site spa, since", "GRANT SELECT ON `wp_spa`.* TO 'rowhook'@'localhost';", "7 events wait; nothing is lost.",
		"paused One URL of zaps.example.com", "1 delivery waits; none is lost. Give rule zap-new-bookings its new URL, or resume it.",
		"dead letters 1 delivery was given up", "set-up Rule own-crm", "It can wait until morning.",
		"down hooks.example.com, for 12 min Connection refused. 1 delivery waits; none is lost. Next probe in 1")
	needs, itself, _ := strings.Cut(page.text(), "Goes on by itself")
	if strings.Contains(needs, "hooks.example.com") || !strings.Contains(itself, "hooks.example.com") {
		t.Error("a receiver that is down does not need a person")
	}
	b.get("/endpoints").shows(t, "3 endpoints: 1 paused, 1 down, 1 up.")
	b.get("/rules").shows(t, "4 rules: 1 needs you, 1 posts to a paused URL, 1 posts to a receiver that is down, 1 is at work.", "The relay is not on spa.")
	b.get("/sites").shows(t, "3 sites: spa is stopped, 2 are well.", "SELECT command denied", "Go on from where it stopped")
	b.get("/deliveries?state=waiting").shows(t, "2 deliveries match.", "The URL has been paused for 5 h 0 min", "hooks.example.com has been down for 12 min")
	b.get("/deliveries?state=dead").shows(t, "1 dead letter.", "422 Unprocessable Content, given up")
}

// TestReaderTroubles: what the page says of the reader, and of a daemon that does not answer.
func TestReaderTroubles(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change func(*world)
		want   []string
	}{
		"it does not follow yet": {func(w *world) { w.status.Reader = nil }, []string{"Stopped: nothing is read.", "is starting"}},
		"it waits for the database": {func(w *world) {
			w.status.Reader, w.status.Hindrance = nil, &api.Hindrance{Since: time.Now().Add(-time.Hour), Reason: "dial tcp: connection refused", Fix: "see that it runs"}
		}, []string{"Stopped: nothing is read.", "The database cannot be followed", "connection refused", "see that it runs", "rowhook check"}},
		"it stands by": {func(w *world) { w.status = api.Status{StandsBy: true} }, []string{"Standing by: the server with the outbox does not answer", "Needs you Nothing."}},
		"machines share it": {func(w *world) {
			w.status.Machines = []api.Machine{{Name: "web2", SameRules: true, Endpoints: []string{"a", "b"}}, {Name: "web1", Holds: true, Reads: true, SameRules: true, Here: true}}
		}, []string{"Machines They share the outbox", "web1 follows the log (this one) 0 endpoints web2 delivers only 2 endpoints"}},
		"a machine has other rules": {func(w *world) {
			w.status.Machines = []api.Machine{{Name: "web1", Holds: true, Reads: true, SameRules: true}, {Name: "web2", Reads: true}}
		}, []string{"One thing needs you: machine web2 has other rules", "web2 has other rules, delivers nothing"}},
		"the database is away": {func(w *world) { w.status.Reader.Connected = false }, []string{"Stopped: nothing is read.", "does not send its log"}},
		"a full disk":          {func(w *world) { w.status.Reader.Storing = 61 }, []string{"Stopped:", "its disk is full", "df -h"}},
		"purged soon, and behind": {func(w *world) {
			*w.status.Reader.Purge, w.status.Reader.CaughtUp, w.status.Reader.Longer = 3600, false, "SET GLOBAL binlog_expire_logs_seconds = 1209600;"
		}, []string{"One thing needs you: the log is kept for 60 min more", "The log is kept for 60 min more", "SET GLOBAL binlog_expire_logs_seconds"}},
		"behind": {func(w *world) { w.status.Reader.Lag, w.status.Reader.CaughtUp = 38, false }, []string{"38 s behind the log", "behind Reading the log"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.settle(w.commit("crm-bookings", "salon", "appointment/12", "appointment.save", `{}`), outbox.Delivered, 1, nil)
			w.recount()
			c.change(w)
			w.login("").get("/").shows(t, c.want...)
		})
	}
}

// TestDeliveries: filters are in the URL, pages go by cursor, and the search box leads to what was asked for.
func TestDeliveries(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	var all []*outbox.Delivery
	for i := range 120 {
		site := []string{"salon", "nails"}[i%2]
		all = append(all, w.commit("crm-bookings", site, "appointment/"+strconv.Itoa(i/4), "appointment.save", `{}`))
		w.settle(all[i], outbox.Delivered, 1, nil)
	}
	w.commit("own-crm", "spa", "customer/7", "customer.delete", `{}`)
	w.recount()
	b := w.login("")
	first := b.get("/deliveries")
	first.shows(t, "121 deliveries.", "The newest, 50 of 121", "Older", "Customer 7 of spa, deleted")
	older := between(first.body, `<a href="/deliveries?before=`, `"`)
	second := b.get("/deliveries?before=" + older)
	second.shows(t, "Older ones, 50", "Older")
	if last := "/deliveries/" + all[len(all)-1].ID.String(); !strings.Contains(first.body, last) || strings.Contains(second.body, last) {
		t.Error("the second page has what the first has")
	}
	b.get("/deliveries?entity=appointment&key=12").shows(t, "4 deliveries match.", "Booking 12 of salon, saved", "Booking 12 of nails, saved")
	b.get("/deliveries?entity=appointment&key=12&site=nails").shows(t, "2 deliveries match.")
	b.get("/deliveries?site=spa").shows(t, "1 delivery matches.")
	b.get("/deliveries?state=held").shows(t, "No deliveries.")
	b.get("/deliveries?since=tomorrow").shows(t, "That filter cannot be read.", `"tomorrow" is no time`)
	b.get("/deliveries?state=lost").shows(t, `There is no state "lost".`)
	for search, want := range map[string]string{
		"12": "/deliveries?entity=appointment&key=12", "Booking 12": "/deliveries?entity=appointment&key=12", "booking #12": "/deliveries?entity=appointment&key=12", " customer 7 ": "/deliveries?entity=customer&key=7",
		"package order 3": "/deliveries?entity=package_order&key=3", all[3].ID.String(): "/deliveries/" + all[3].ID.String(), strings.ToUpper(all[3].ID.String()): "/deliveries/" + all[3].ID.String(),
		"crm.example.com": "/deliveries?endpoint=" + url.QueryEscape(crm), "own-crm": "/deliveries?rule=own-crm", "nails": "/deliveries?site=nails", "salon/appointment/9": "/deliveries?entity=appointment&key=9&site=salon",
	} {
		if got := b.get("/search?q=" + url.QueryEscape(search)); got.status != http.StatusSeeOther || got.header.Get("Location") != want {
			t.Errorf("searching %q leads to %q, want %q", search, got.header.Get("Location"), want)
		}
	}
	b.get("/search?q=whatever").shows(t, "Nothing has that name")
}

// TestDelivery: what holds a delivery, what was tried, its payload only when asked for, and the whole booking in order.
func TestDelivery(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	const phone = "+4912345"
	w.settle(w.commit("crm-bookings", "salon", "appointment/12", "appointment.save", `{}`), outbox.Delivered, 1, nil)
	first := w.commit("status-board", "salon", "appointment/12", "appointment.status_change", `{"phone":"`+phone+`"}`)
	second := w.commit("status-board", "salon", "appointment/12", "appointment.status_change", `{}`)
	w.settle(first, outbox.Waiting, 1, &outbox.Attempt{At: time.Now(), Status: 502, Error: "the receiver answered 502 Bad Gateway", Response: "<h1>busy</h1>", Latency: 212 * time.Millisecond})
	w.recount()
	for i := range w.status.Endpoints {
		if e := &w.status.Endpoints[i]; e.Name == board {
			e.DownSince, e.NextProbe = time.Now().Add(-time.Minute), time.Now().Add(18*time.Second)
		}
	}
	b := w.login("")
	page := b.get("/deliveries/" + first.ID.String())
	page.shows(t, "Booking 12 of salon, status changed", "waiting for", "Breaker holds it hooks.example.com has been down for 60 s", "Order free", "Pause free", "Schedule holds it The next attempt is in 9 min",
		"The receiver answered 502 Bad Gateway. After 212 ms.", "<h1>busy</h1>", "Hidden, for it may hold names", "All of booking 12 of salon, in the order of its changes.", "2 at its endpoint"[1:])
	page.hides(t, phone)
	saved, changed := strings.Index(page.text(), "Booking 12 of salon, saved"), strings.LastIndex(page.text(), "status changed")
	if saved < 0 || changed < saved {
		t.Error("the booking is not in its order")
	}
	b.get("/deliveries/"+second.ID.String()).shows(t, "Order holds it It goes out when an earlier one about the same object is delivered or given up.")
	if strings.Contains(w.log.String(), "looked at a payload") {
		t.Error("a look is logged that nobody took")
	}
	b.post("/deliveries/"+first.ID.String(), url.Values{"do": {"payload"}}).shows(t, phone, "That you looked is logged.")
	if !strings.Contains(w.log.String(), "somebody looked at a payload in the console\" user=operator id="+first.ID.String()) {
		t.Errorf("the look is not logged:\n%s", w.log.String())
	}
	b.get("/deliveries/"+strings.Repeat("0", 32)).shows(t, "There is no such delivery")
	b.get("/deliveries/x").shows(t, "That is no id of a delivery")
}

// TestChanges: a change of many counts first, its button repeats the number, and it goes the way of the commands.
func TestChanges(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	var dead []*outbox.Delivery
	for i := range 3 {
		dead = append(dead, w.commit("crm-bookings", "salon", "appointment/"+strconv.Itoa(i), "appointment.save", `{}`))
		w.settle(dead[i], outbox.Dead, 10, nil)
	}
	waiting := w.commit("crm-bookings", "salon", "appointment/9", "appointment.save", `{"x":1}`)
	w.settle(waiting, outbox.Waiting, 1, nil)
	w.settle(w.commit("crm-bookings", "salon", "appointment/9", "appointment.save", `{}`), outbox.Delivered, 1, nil)
	w.recount()
	b := w.login("")
	counted := b.post("/deliveries", url.Values{"rule": {"crm-bookings"}, "do": {"retry"}})
	counted.shows(t, "Counted, nothing is changed yet. Retry would take 4 deliveries:", "1 waiting ones become due at once", "3 dead letters are sent again.", "Retry 4 deliveries")
	upto := between(counted.body, `name="upto" value="`, `"`)
	if got := w.given(); len(got) != 0 {
		t.Fatalf("counting did something: %v", got)
	}
	b.post("/deliveries", url.Values{"rule": {"crm-bookings"}, "do": {"retry"}, "sure": {"9"}, "upto": {upto}}).shows(t, "nothing is changed yet")
	done := b.post("/deliveries", url.Values{"rule": {"crm-bookings"}, "do": {"retry"}, "sure": {"4"}, "upto": {upto}})
	if want := []string{"retry [1 2 3 4]"}; !slices.Equal(w.given(), want) || done.status != http.StatusSeeOther {
		t.Errorf("%d, got %v, want %v", done.status, w.given(), want)
	}
	b.get(done.header.Get("Location")).shows(t, "4 deliveries are due at once.")
	b.post("/deliveries", url.Values{"do": {"drop"}}).shows(t, "Drop would take 3 deliveries:", "Drop 3 deliveries")
	b.post("/deliveries", url.Values{"do": {"all"}}).shows(t, "That cannot be done")
	if got := b.post("/deliveries", url.Values{"do": {"export"}, "state": {"waiting"}}); strings.Count(got.body, "\n") != 1 || !strings.Contains(got.body, `"payload":{"x":1}`) {
		t.Errorf("the export is %s", got.body)
	}
	one := "/deliveries/" + dead[0].ID.String()
	b.post(one, url.Values{"do": {"retry"}})
	b.post(one, url.Values{"do": {"drop"}}).shows(t, "Drop “Booking 0 of salon, saved”?", "It was given up.", "Drop 1 delivery")
	b.post(one, url.Values{"do": {"drop"}, "sure": {"1"}})
	for _, do := range []string{"pause", "resume", "retry"} {
		b.post("/endpoints", url.Values{"name": {crm}, "do": {do}})
	}
	b.post("/rules", url.Values{"name": {"crm-bookings"}}).shows(t, "The sample of crm-bookings: accepted with 200")
	b.post("/rules", url.Values{"name": {"zap-new-bookings"}}).shows(t, "the sample of zap-new-bookings failed the receiver answered 410 Gone")
	b.post("/sites", url.Values{"name": {"spa"}, "do": {"resume"}})
	b.post("/sites", url.Values{"name": {"spa"}, "do": {"now"}, "sure": {"1"}})
	want := []string{"retry [1 2 3 4]", "retry [1]", "drop [1]", "pause " + crm + " by operator in the console", "resume " + crm, "retry [4]", "sample crm-bookings", "sample zap-new-bookings", "resume site spa false", "resume site spa true"}
	if got := w.given(); !slices.Equal(got, want) {
		t.Errorf("got  %v\nwant %v", got, want)
	}
}

// TestMany: with a thousand sites, rules and endpoints pages stay short, and what is in trouble comes first.
func TestMany(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for i := range 1000 {
		n := strconv.Itoa(i)
		w.sites = append(w.sites, Site{"site" + n, "wp_" + n, "wp_"})
		w.rules = append(w.rules, Rule{Name: "rule" + n, Action: "appointment.save", Entity: "appointment", Kind: "save", Load: "full", URL: "https://r" + n + ".example.com/", Endpoint: "https://r" + n + ".example.com:443"})
	}
	s := w.healthy()
	s.Sites[900].State, s.Sites[900].Reason = "stopped", "of site 897"
	for i := range s.Endpoints {
		if i%10 == 9 {
			s.Endpoints[i].DownSince = time.Now()
		}
	}
	s.Endpoints[800].Paused = &deliver.Pause{Since: time.Now(), Reason: "they move"}
	w.mu.Lock()
	w.status = s
	w.mu.Unlock()
	w.console.live.tell(s, nil)
	b := w.login("")
	for path, texts := range map[string][]string{
		"/": {"Two things need you, first of all: site site897 is stopped.", "100 receivers are down", "75 more"}, "/sites": {"1,003 sites: site897 is stopped, 1,002 are well.", "703 more"},
		"/endpoints": {"1,003 endpoints: 1 paused, 100 down, 902 up.", "703 more"}, "/rules": {"1,004 rules:", "704 more"}, "/deliveries": {"No deliveries yet."},
	} {
		page := b.get(path)
		page.shows(t, texts...)
		if len(page.body) > 1<<20 {
			t.Errorf("%s has %d bytes", path, len(page.body))
		}
	}
	for _, path := range []string{"/endpoints", "/sites"} {
		rows := strings.SplitN(b.get(path).text(), "Those that need a person first", 2)
		if first := strings.Index(rows[len(rows)-1], " up "); first >= 0 && first < strings.Index(rows[len(rows)-1], "paused") {
			t.Errorf("%s does not have what needs a person first", path)
		}
	}
	b.get("/sites?all=1").shows(t, "site999")
}

// between is what stands between two texts.
func between(text, after, before string) string {
	_, text, _ = strings.Cut(text, after)
	text, _, _ = strings.Cut(text, before)
	return text
}

// TestRuleInWords: what a rule asks for besides, and what it makes of its payload, is in its sentence.
func TestRuleInWords(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.rules = append(w.rules, Rule{
		Name: "moved", Action: "appointment.save", Entity: "appointment", Kind: "save", Type: "update", Load: "full", URL: "https://a.example.com/",
		If: "before.checkin_ts != after.checkin_ts", Shaped: []string{"filter", "previous"},
	}, Rule{Name: "chat", Action: "coupon.save", Entity: "coupon", Kind: "save", URL: "https://b.example.com/", Shaped: []string{"template"}})
	w.login("").get("/rules").shows(t, "When a booking is changed in every site, and before.checkin_ts != after.checkin_ts holds, posts some fields of it to",
		"When a coupon is new or changed in every site, posts a body of its own to")
}

// TestMachines: the page says which machine delivers to an endpoint, and of which nothing is known; who sees some sites only sees no machine.
func TestMachines(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.status.Machines = []api.Machine{{Name: "web1", Holds: true, Reads: true, SameRules: true}, {Name: "web2", SameRules: true}}
	e := &w.status.Endpoints[0]
	e.Machine = "web2"
	w.login("").get("/endpoints?open="+e.Name).shows(t, "Delivered by web2")
	away := newWorld(t)
	for i := range away.status.Endpoints {
		away.status.Endpoints[i].Elsewhere, away.status.Endpoints[i].Machine = true, "web3"
	}
	away.login("").get("/endpoints").shows(t, "not known", "held by web3, which does not answer")
	for _, page := range []string{"/", "/endpoints?open=" + e.Name} {
		if text := w.login("anna", "salon").get(page).text(); strings.Contains(text, "web1") || strings.Contains(text, "web2") {
			t.Errorf("%s shows machines: %s", page, text)
		}
	}
}
