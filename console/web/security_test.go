package web

import (
	"encoding/json"
	"io/fs"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"rowhook/api"
	"rowhook/deliver"
	"rowhook/outbox"
)

// TestRebinding: a request for a name that is not ours is refused before anything else, whatever it is for and whoever is logged in.
func TestRebinding(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	d := w.commit("crm-bookings", "salon", "appointment/12", "appointment.save", `{}`)
	b := w.login("")
	port := w.console.opts.Listen[strings.LastIndex(w.console.opts.Listen, ":"):]
	for _, host := range []string{"evil.example" + port, "evil.example", "127.0.0.1.evil.example" + port, "localhost.evil.example" + port, "127.0.0.1", "127.0.0.1:1", "localhost", "10.0.0.1" + port, "rowhook.example.com.evil.example", "[::2]" + port} {
		b.host = host
		for _, path := range append(pagesOf(d), "/login", "/static/style.css", "/news", "/robots.txt") {
			if got := b.get(path); got.status != http.StatusMisdirectedRequest || strings.Contains(got.body, "<") {
				t.Errorf("%s as %s: %d", path, host, got.status)
			}
		}
		if got := b.post("/endpoints", url.Values{"name": {crm}, "do": {"pause"}}); got.status != http.StatusMisdirectedRequest {
			t.Errorf("a change as %s: %d", host, got.status)
		}
	}
	for _, host := range []string{"localhost" + port, "127.0.0.1" + port, "[::1]" + port, "LOCALHOST" + port, "rowhook.example.com", "rowhook.example.com:443", "RowHook.Example.com"} {
		b.host = host
		if got := b.get("/"); got.status != http.StatusOK {
			t.Errorf("as %s: %d", host, got.status)
		}
	}
	if got := w.given(); len(got) > 0 {
		t.Errorf("it did %v", got)
	}
}

// TestCrossOrigin: only pages of ours change anything.
func TestCrossOrigin(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	d := w.commit("crm-bookings", "salon", "appointment/12", "appointment.save", `{}`)
	b := w.login("")
	changes := map[string]url.Values{
		"/endpoints": {"name": {crm}, "do": {"pause"}}, "/sites": {"name": {"spa"}, "do": {"resume"}}, "/rules": {"name": {"crm-bookings"}},
		"/deliveries": {"do": {"retry"}}, "/deliveries/" + d.ID.String(): {"do": {"retry"}}, "/login": {"link": {"x"}}, "/logout": {},
	}
	for path, form := range changes {
		for name, value := range map[string]string{"Sec-Fetch-Site": "cross-site", "sec-fetch-site": "same-site", "Origin": "https://evil.example"} {
			b.header = http.Header{http.CanonicalHeaderKey(name): {value}}
			if got := b.post(path, form); got.status != http.StatusForbidden || !strings.Contains(got.body, "another origin") {
				t.Errorf("%s with %s: %d %s", path, value, got.status, got.body)
			}
		}
		b.header = http.Header{}
		if got := b.get(path + "?" + form.Encode()); got.status >= 500 {
			t.Errorf("GET of %s: %d", path, got.status)
		}
	}
	if got := w.given(); len(got) > 0 {
		t.Errorf("it did %v", got)
	}
	b.header = http.Header{"Origin": {w.server.URL}, "Sec-Fetch-Site": {"same-origin"}}
	b.post("/endpoints", changes["/endpoints"])
	if got := w.given(); len(got) != 1 {
		t.Errorf("our own page did %v", got)
	}
}

// TestPolicy: whatever is asked for comes with a policy that lets nothing inline run, is kept nowhere, and has nothing inline.
func TestPolicy(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	d := w.troubled()
	inline := regexp.MustCompile(`(?i)\sstyle=|\son[a-z]+=|<style|<script(?:\s[^>]*)?>[^<]|javascript:`)
	for _, b := range []*browser{w.login(""), w.login("anna", "salon"), w.visitor()} {
		for _, path := range append(pagesOf(d), "/login", "/login?link=x", "/static/console.js", "/static/style.css") {
			got := b.get(path)
			for name, want := range map[string]string{"Content-Security-Policy": policy, "Cache-Control": "no-store", "X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer"} {
				if got.header.Get(name) != want {
					t.Errorf("%s: %s is %q", path, name, got.header.Get(name))
				}
			}
			if found := inline.FindString(got.body); found != "" && strings.HasPrefix(got.header.Get("Content-Type"), "text/html") {
				t.Errorf("%s has %q inline", path, found)
			}
		}
	}
	if strings.Contains(policy, "unsafe") || !strings.HasPrefix(policy, "default-src 'none'") {
		t.Errorf("the policy is %s", policy)
	}
}

// TestSession: nobody gets in without a link, a link works once and for a while, and so does a session.
func TestSession(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	d := w.commit("crm-bookings", "salon", "appointment/12", "appointment.save", `{"phone":"+49"}`)
	now := time.Now()
	w.console.doors.now = func() time.Time { return now }
	v := w.visitor()
	for _, path := range pagesOf(d) {
		if got := v.get(path); got.status != http.StatusSeeOther || got.header.Get("Location") != "/login" || got.body != "" && strings.Contains(got.text(), "Booking") {
			t.Errorf("%s without a session: %d", path, got.status)
		}
	}
	if got := v.get("/news"); got.status != http.StatusUnauthorized {
		t.Errorf("news without a session: %d", got.status)
	}
	v.cookie = &http.Cookie{Name: cookieName, Value: "guessed"}
	if got := v.post("/endpoints", url.Values{"name": {crm}, "do": {"pause"}}); got.status != http.StatusSeeOther || len(w.given()) > 0 {
		t.Errorf("a change without a session: %d, %v", got.status, w.given())
	}
	v.cookie = nil
	link := w.console.Link("", nil)
	secret := between(link+"\n", "link=", "\n")
	v.get("/login?link="+secret).shows(t, "The link works once.") // to look at it does not use it up
	got := v.post("/login", url.Values{"link": {secret}})
	if got.status != http.StatusSeeOther {
		t.Fatalf("%d", got.status)
	}
	set := got.header.Get("Set-Cookie")
	for _, want := range []string{"HttpOnly", "SameSite=Strict", "Path=/"} {
		if !strings.Contains(set, want) {
			t.Errorf("the cookie %s is not %s", set, want)
		}
	}
	if strings.Contains(set, "Secure") {
		t.Error("a browser would not send the cookie over plain HTTP")
	}
	if got := w.visitor().post("/login", url.Values{"link": {secret}}); got.status != http.StatusForbidden {
		t.Errorf("the link again: %d", got.status)
	}
	if got := v.get("/"); got.status != http.StatusOK {
		t.Errorf("logged in: %d", got.status)
	}
	proxied := w.visitor()
	proxied.header.Set("X-Forwarded-Proto", "https")
	second := between(w.console.Link("", nil)+"\n", "link=", "\n")
	if got := proxied.post("/login", url.Values{"link": {second}}); !strings.Contains(got.header.Get("Set-Cookie"), "Secure") {
		t.Error("behind a proxy with TLS the cookie is for TLS only")
	}
	late := between(w.console.Link("", nil)+"\n", "link=", "\n")
	now = now.Add(linkFor)
	if got := w.visitor().post("/login", url.Values{"link": {late}}); got.status != http.StatusForbidden {
		t.Errorf("a late link: %d", got.status)
	}
	was := *v.cookie
	v.post("/logout", url.Values{})
	v.cookie = &was
	if got := v.get("/"); got.status != http.StatusSeeOther {
		t.Errorf("after logging out: %d", got.status)
	}
	now = now.Add(sessionFor)
	if got := proxied.get("/"); got.status != http.StatusSeeOther {
		t.Errorf("after %v: %d", sessionFor, got.status)
	}
}

// TestBruteForce: an address that tries links is made to wait, and the rest of the world is not, nor who has a link behind the same proxy; what is remembered is bounded.
func TestBruteForce(t *testing.T) {
	t.Parallel()
	d := newDoors()
	now := time.Now()
	d.now = func() time.Time { return now }
	good := d.link("", nil)
	for i := range maxTries {
		if _, _, err := d.enter("guess", "192.0.2.1"); err != errLink { //nolint:errorlint // it is this one
			t.Errorf("try %d: %v", i, err)
		}
	}
	if _, _, err := d.enter("guess", "192.0.2.1"); err != errTries { //nolint:errorlint // it is this one
		t.Errorf("one too many: %v", err)
	}
	if _, _, err := d.enter(d.link("", nil), "192.0.2.1"); err != nil {
		t.Errorf("somebody with a link behind the same proxy: %v", err)
	}
	now = now.Add(59 * time.Second)
	if _, _, err := d.enter("guess", "192.0.2.1"); err != errTries { //nolint:errorlint // it is this one
		t.Errorf("too soon: %v", err)
	}
	if _, _, err := d.enter(good, "192.0.2.2"); err != nil {
		t.Errorf("somebody else: %v", err)
	}
	now = now.Add(2 * time.Second)
	if _, _, err := d.enter("guess", "192.0.2.1"); err != errLink { //nolint:errorlint // it is this one
		t.Errorf("a minute later: %v", err)
	}
	for range 10 * maxSessions {
		if _, _, err := d.enter(d.link("", nil), "192.0.2.3"); err != nil {
			t.Fatal(err)
		}
		d.link("", nil)
	}
	if len(d.sessions) > maxSessions || len(d.links) > maxLinks {
		t.Errorf("%d sessions, %d links", len(d.sessions), len(d.links))
	}
	w := newWorld(t)
	b := w.visitor()
	for range maxTries {
		b.post("/login", url.Values{"link": {"guess"}})
	}
	if got := b.post("/login", url.Values{"link": {"guess"}}); got.status != http.StatusTooManyRequests || got.header.Get("Retry-After") == "" {
		t.Errorf("%d", got.status)
	}
}

// TestHostile: whatever comes from outside is text on each page: payloads, answers, names of sites, rules and keys, words of servers.
func TestHostile(t *testing.T) {
	t.Parallel()
	const attack = `"><script>alert(1)</script><img src=x onerror=alert(2)>'` + "\u202e\x00\x1b[2J"
	w := newWorld(t)
	d := w.commit(attack, attack, "appointment/"+attack, "appointment."+attack, attack)
	w.settle(d, outbox.Dead, 3, &outbox.Attempt{At: time.Now(), Status: 500, Error: attack, Response: attack + strings.Repeat("<b>", 10_000)})
	large := w.commit("crm-bookings", "salon", "appointment/1", "appointment.save", `"`+strings.Repeat("<script>", 1<<17)+`"`)
	w.rules = append(w.rules, Rule{Name: attack, Action: attack, URL: "javascript:alert(1)", Endpoint: attack, Place: attack, If: attack})
	w.sites = append(w.sites, Site{attack, attack, attack})
	w.recount()
	s := w.status
	s.Sites[0].Name, s.Sites[0].State, s.Sites[0].Reason, s.Sites[0].Fix, s.Sites[0].Ways = attack, "stopped", attack, "GRANT "+attack, []string{attack}
	s.Endpoints[0].Name, s.Endpoints[0].LastError, s.Endpoints[0].DownSince = attack, attack, time.Now()
	s.Reader.Position = attack
	s.Lacks = []api.Lack{{Rule: attack, Text: attack, Fix: []string{attack}}}
	s.Endpoints[1].Outages = []deliver.Outage{{Since: time.Now(), Error: attack}}
	w.console.live.tell(s, nil)
	b := w.login("")
	q := url.QueryEscape(attack)
	pages := append(pagesOf(d), "/deliveries?rule="+q, "/deliveries?endpoint="+q, "/deliveries?key="+q, "/deliveries?since="+q, "/endpoints?open="+q, "/sites?open="+q, "/search?q="+q, "/login?link="+q, "/deliveries?done=retry&n="+q)
	for _, path := range pages {
		unharmed(t, path, b.get(path))
	}
	unharmed(t, "the payload", b.post("/deliveries/"+d.ID.String(), url.Values{"do": {"payload"}}))
	unharmed(t, "a change", b.post("/deliveries", url.Values{"do": {"retry"}, "rule": {attack}}))
	unharmed(t, "a sample", b.post("/rules", url.Values{"name": {attack}}))
	if got := b.post("/deliveries/"+large.ID.String(), url.Values{"do": {"payload"}}); len(got.body) > 3*maxShown {
		t.Errorf("the page of a large payload has %d bytes", len(got.body))
	} else {
		unharmed(t, "a large payload", got)
	}
	var line struct{ Site string }
	if got := b.post("/deliveries", url.Values{"do": {"export"}}); json.Unmarshal([]byte(strings.SplitN(got.body, "\n", 2)[0]), &line) != nil || got.header.Get("Content-Type") != "application/x-ndjson" {
		t.Errorf("the export is %s, %.100s", got.header.Get("Content-Type"), got.body)
	}
	if got := b.post("/deliveries", url.Values{"do": {strings.Repeat("x", 2*maxForm)}}); got.status != http.StatusBadRequest {
		t.Errorf("a large form: %d", got.status)
	}
}

// unharmed fails when a page has an element that none of ours is.
func unharmed(t *testing.T, name string, r reply) {
	t.Helper()
	for _, bad := range []string{"<script>", "<img", "<b>", "href=\"javascript:", "\x00", "\x1b"} {
		if strings.Contains(r.body, bad) {
			t.Errorf("%s has %q", name, bad)
		}
	}
	if r.status >= 500 {
		t.Errorf("%s: %d %s", name, r.status, r.text())
	}
}

// TestUsers: who may see some sites sees and changes nothing of others, on any page and in whatever way it is asked for.
func TestUsers(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	own := w.commit("status-board", "salon", "appointment/12", "appointment.status_change", `{"own":1}`)
	w.settle(own, outbox.Dead, 1, nil)
	other := w.commit("status-board", "spa", "appointment/12", "appointment.status_change", `{"secret":1}`)
	w.settle(other, outbox.Dead, 1, &outbox.Attempt{Error: "said of spa"})
	w.recount()
	w.status.Sites[1].Reason, w.status.Sites[1].State = "spa's own trouble", "stopped"
	w.status.Lacks = []api.Lack{{Rule: "status-board", Site: "salon", Text: "It is not on salon."}, {Rule: "status-board", Site: "spa", Text: "It is not of spa.", Fix: []string{"> /var/www/wp_spa"}}}
	w.console.live.tell(w.status, nil)
	b := w.login("anna", "salon")
	for _, path := range []string{"/", "/deliveries", "/deliveries?site=spa", "/deliveries?state=dead", "/deliveries?key=12&entity=appointment", "/deliveries?key=spa/appointment/12", "/deliveries?rule=status-board", "/deliveries?endpoint=" + board,
		"/endpoints?open=" + board, "/endpoints?open=" + zaps, "/rules", "/sites", "/sites?open=spa", "/deliveries/" + own.ID.String(), "/deliveries/" + other.ID.String(), "/search?q=spa", "/search?q=own-crm"} {
		b.get(path).hides(t, "of spa", "spa's own", "wp_spa", "own-crm", "zap-new-bookings", "zaps.example.com", "open=spa", "0-1-884213")
	}
	b.get("/").shows(t, "1 delivery was given up", "It is not on salon.")
	b.get("/deliveries").shows(t, "1 delivery.", "Booking 12 of salon")
	b.get("/sites").shows(t, "1 site: 1 is well.")
	b.get("/endpoints?open="+board).hides(t, "On their way") // these are for others, too
	w.login("bea", "spa").get("/endpoints?open="+zaps).shows(t, "On their way 0 requests")
	b.get("/rules").shows(t, "2 rules")
	if got := b.get("/deliveries/" + other.ID.String()); got.status != http.StatusNotFound {
		t.Errorf("another site's delivery: %d", got.status)
	}
	for _, do := range []string{"payload", "retry", "drop"} {
		b.post("/deliveries/"+other.ID.String(), url.Values{"do": {do}, "sure": {"1"}}).hides(t, "secret")
	}
	b.post("/deliveries/"+other.ID.String()+"?at=2", url.Values{"do": {"payload"}}).hides(t, "secret")
	b.post("/deliveries", url.Values{"do": {"export"}, "site": {"spa"}}).hides(t, "secret")
	if got := b.post("/deliveries", url.Values{"do": {"export"}}); !strings.Contains(got.body, `"own":1`) || strings.Contains(got.body, "secret") {
		t.Errorf("the export is %s", got.body)
	}
	for _, name := range []string{board, zaps, crm, "none"} {
		if got := b.post("/endpoints", url.Values{"name": {name}, "do": {"pause"}}); got.status != http.StatusForbidden {
			t.Errorf("pausing %s, which serves others: %d", name, got.status)
		}
	}
	for _, name := range []string{"status-board", "own-crm", "crm-bookings"} {
		if got := b.post("/rules", url.Values{"name": {name}}); got.status != http.StatusForbidden {
			t.Errorf("a sample of %s, which serves others: %d", name, got.status)
		}
	}
	if got := b.post("/sites", url.Values{"name": {"spa"}, "do": {"resume"}}); got.status != http.StatusForbidden {
		t.Errorf("resuming spa: %d", got.status)
	}
	if got := w.given(); len(got) > 0 {
		t.Errorf("it did %v", got)
	}
	counted := b.post("/deliveries", url.Values{"do": {"retry"}})
	counted.shows(t, "Retry 1 delivery")
	b.post("/deliveries", url.Values{"do": {"retry"}, "sure": {"1"}, "upto": {between(counted.body, `name="upto" value="`, `"`)}})
	b.post("/sites", url.Values{"name": {"salon"}, "do": {"resume"}})
	spa := w.login("bea", "spa")
	spa.post("/endpoints", url.Values{"name": {zaps}, "do": {"pause"}}) // it serves rules of spa only
	spa.post("/rules", url.Values{"name": {"own-crm"}})
	if got := strings.Join(w.given(), ", "); got != "retry [1], resume site salon false, pause "+zaps+" by bea in the console, sample own-crm" {
		t.Errorf("it did %s", got)
	}
	a, s := &http.Request{}, &http.Request{}
	a, s = a.WithContext(t.Context()), s.WithContext(t.Context())
	before := w.console.digest(a, session{user: "anna", sites: []string{"salon"}})
	w.settle(w.commit("own-crm", "spa", "customer/7", "customer.delete", `{}`), outbox.Dead, 1, nil)
	w.recount()
	w.console.live.tell(w.status, nil)
	if w.console.digest(s, session{user: "anna", sites: []string{"salon"}}) != before {
		t.Error("the stream of news tells of other sites")
	}
	away := w.status
	away.Reader, away.Hindrance = nil, &api.Hindrance{Since: time.Now(), Reason: "access denied for reader@10.0.0.7", Fix: "GRANT SELECT ON *.* TO reader"}
	w.console.live.tell(away, nil)
	page := b.get("/")
	page.shows(t, "The database cannot be followed")
	page.hides(t, "reader")
}

// TestStatic: there is nothing in the program that a page does without, and no page names anything of elsewhere.
func TestStatic(t *testing.T) {
	t.Parallel()
	elsewhere := regexp.MustCompile(`(?:src|href)="(?:https?:)?//`)
	err := fs.WalkDir(files, ".", func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		text, err := files.ReadFile(path)
		if elsewhere.Match(text) {
			t.Errorf("%s names something of elsewhere", path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}
