package web

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
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
)

// world is a console over salons, whose parts do what a test says.
type world struct {
	t       *testing.T
	console *Console
	server  *httptest.Server
	store   *memory.Store
	opens   func(context.Context) (Log, error) // the outbox for the console; nil: at once
	log     strings.Builder
	made    uint64

	mu     sync.Mutex
	status api.Status
	failed error
	rules  []Rule
	sites  []Site
	orders []string // that were given
}

const (
	crm   = "https://crm.example.com:443"
	zaps  = "https://zaps.example.com:443"
	board = "https://hooks.example.com:443"
)

// newWorld is three sites and four rules, and nothing was delivered yet.
func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{t: t, store: memory.New()}
	w.sites = []Site{{"salon", "wp_salon", "wp_"}, {"spa", "wp_spa", "wp_"}, {"nails", "wp_nails", "shop_"}}
	w.rules = []Rule{
		{Name: "crm-bookings", Action: "appointment.save", Entity: "appointment", Kind: "save", Type: "both", Statuses: []string{"C", "P"}, Load: "full", Sites: []string{"salon", "nails"}, URL: "https://crm.example.com/hooks/vik", Endpoint: crm, Place: "crm.yaml:3", Signed: true},
		{Name: "zap-new-bookings", Action: "appointment.save", Entity: "appointment", Kind: "save", Type: "insert", Load: "extended", Sites: []string{"spa"}, URL: "https://zaps.example.com/hooks/…", Endpoint: zaps, Place: "zaps.yaml:2"},
		{Name: "status-board", Action: "appointment.status_change", Entity: "appointment", Kind: "status_change", Load: "basic", URL: "https://hooks.example.com/board", Endpoint: board, Place: "board.yaml:2"},
		{Name: "own-crm", Action: "customer.delete", Entity: "customer", Kind: "delete", Sites: []string{"spa"}, URL: "https://zaps.example.com/customers", Endpoint: zaps, Place: "zaps.yaml:9"},
	}
	w.status = w.healthy()
	w.status.Outbox.Unused = true
	routes := map[string]string{}
	for _, r := range w.rules {
		routes[r.Name] = r.Endpoint
	}
	if _, err := w.store.Route(t.Context(), routes); err != nil {
		t.Fatal(err)
	}
	w.serve()
	return w
}

// serve starts a console over the world.
func (w *world) serve() {
	w.t.Helper()
	w.server = httptest.NewUnstartedServer(nil)
	c, err := New(Options{
		Listen: w.server.Listener.Addr().String(), Hosts: []string{"rowhook.example.com"}, Version: "0.9.0", Server: "db1.example.test:3306",
		Status: func(context.Context) (api.Status, error) {
			w.mu.Lock()
			defer w.mu.Unlock()
			return w.status, w.failed
		},
		Log: func(ctx context.Context) (Log, error) {
			if w.opens != nil {
				return w.opens(ctx)
			}
			return w.store, nil
		},
		Rules: func() []Rule { return w.rules }, Sites: func() []Site { return w.sites }, Orders: w,
		Logger: slog.New(slog.NewTextHandler(&lockedWriter{mu: &w.mu, to: &w.log}, nil)),
	})
	if err != nil {
		w.t.Fatal(err)
	}
	w.console = c
	w.server.Config.Handler = c.Handler()
	w.server.Start()
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); c.Run(ctx) }()
	w.t.Cleanup(func() {
		stop()
		<-done
		w.server.CloseClientConnections()
		w.server.Close()
	})
}

type lockedWriter struct {
	mu *sync.Mutex
	to *strings.Builder
}

func (l *lockedWriter) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.to.Write(b)
}

// healthy is a daemon that is well.
func (w *world) healthy() api.Status {
	kept := 168 * 3600.0
	s := api.Status{Reader: &api.Reader{Position: "0-1-884213", Connected: true, CaughtUp: true, Purge: &kept}}
	for _, site := range w.sites {
		s.Sites = append(s.Sites, pipeline.SiteStatus{Name: site.Name, State: pipeline.SiteReading})
	}
	byName := map[string]int{}
	for _, r := range w.rules {
		i, ok := byName[r.Endpoint]
		if !ok {
			i = len(s.Endpoints)
			byName[r.Endpoint] = i
			s.Endpoints = append(s.Endpoints, deliver.EndpointStatus{Name: r.Endpoint, LastSuccess: time.Now().Add(-time.Minute)})
		}
		s.Endpoints[i].Rules = append(s.Endpoints[i].Rules, r.Name)
	}
	return s
}

// commit stores a delivery of a rule about an object.
func (w *world) commit(rule, site, object, kind string, body string) *outbox.Delivery {
	w.t.Helper()
	w.made++
	d := &outbox.Delivery{Rule: rule, Site: site, Action: "onAfter", Kind: kind, Keys: []string{site + "/" + object}, Created: time.Now().Add(-time.Hour).Add(time.Duration(w.made) * time.Second), Body: []byte(body)}
	binary.BigEndian.PutUint64(d.ID[:], w.made*0x9e3779b97f4a7c15)
	if err := w.store.Commit(w.t.Context(), &outbox.Batch{Deliveries: []*outbox.Delivery{d}}); err != nil {
		w.t.Fatal(err)
	}
	return d
}

// settle says what became of a delivery.
func (w *world) settle(d *outbox.Delivery, state outbox.State, attempts int, a *outbox.Attempt) {
	w.t.Helper()
	o := outbox.Outcome{Seq: d.Seq, State: state, Attempts: attempts, Attempt: a}
	if state == outbox.Waiting {
		o.Due = time.Now().Add(10 * time.Minute)
	}
	if err := w.store.Settle(w.t.Context(), []outbox.Outcome{o}); err != nil {
		w.t.Fatal(err)
	}
}

// recount has the daemon's status say how many deliveries there are.
func (w *world) recount() {
	w.t.Helper()
	counts, err := w.store.Counts(w.t.Context())
	if err != nil {
		w.t.Fatal(err)
	}
	due, err := w.store.Due(w.t.Context())
	if err != nil {
		w.t.Fatal(err)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.status.Outbox = api.Outboxed{}
	for _, c := range counts {
		w.status.Outbox.Deliveries = append(w.status.Outbox.Deliveries, api.Kept{Rule: c.Rule, State: c.State.String(), Count: c.N})
	}
	for i := range w.status.Endpoints {
		e := &w.status.Endpoints[i]
		if e.Undelivered, e.Bytes = due[e.Name].Count, due[e.Name].Bytes; e.Undelivered > 0 {
			e.Oldest = time.Hour
		}
	}
}

// order is what the console had done.
func (w *world) order(format string, args ...any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.orders = append(w.orders, fmt.Sprintf(format, args...))
}

func (w *world) given() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.orders)
}

func (w *world) matching(ctx context.Context, f outbox.Filter) (ids []int64, err error) {
	list, err := w.store.List(ctx, f)
	for _, d := range list {
		ids = append(ids, d.Seq)
	}
	return ids, err
}

// Retry notes what was to be retried.
func (w *world) Retry(ctx context.Context, f outbox.Filter) (int, error) {
	seqs, err := w.matching(ctx, f)
	w.order("retry %v", seqs)
	return len(seqs), err
}

// Drop notes what was to be dropped.
func (w *world) Drop(ctx context.Context, f outbox.Filter) (int, error) {
	seqs, err := w.matching(ctx, f)
	w.order("drop %v", seqs)
	return len(seqs), err
}

// Pause notes it.
func (w *world) Pause(_ context.Context, endpoint, reason string) error {
	w.order("pause %s %s", endpoint, reason)
	return nil
}

// Resume notes it.
func (w *world) Resume(_ context.Context, endpoint string) error {
	w.order("resume %s", endpoint)
	return nil
}

// ResumeSite notes it.
func (w *world) ResumeSite(_ context.Context, site string, fromNow bool) error {
	w.order("resume site %s %v", site, fromNow)
	return nil
}

// Sample notes it.
func (w *world) Sample(_ context.Context, rule string) (string, error) {
	w.order("sample %s", rule)
	if rule == "zap-new-bookings" {
		return "", errors.New("the receiver answered 410 Gone")
	}
	return "accepted with 200 after 12ms", nil
}

// browser is who looks; it keeps its cookie and follows no redirect.
type browser struct {
	w      *world
	cookie *http.Cookie
	host   string      // that it asks for; "": the server's own
	header http.Header // what it sends beside
}

// visitor is a browser that is not logged in.
func (w *world) visitor() *browser { return &browser{w: w, header: http.Header{}} }

// login is a browser of an operator, or of a user of some sites.
func (w *world) login(user string, sites ...string) *browser {
	w.t.Helper()
	b := w.visitor()
	link := w.console.Link(user, sites)
	r := b.post("/login", url.Values{"link": {link[strings.Index(link, "link=")+5:]}})
	if r.status != http.StatusSeeOther || b.cookie == nil {
		w.t.Fatalf("logging in: %d", r.status)
	}
	return b
}

type reply struct {
	status int
	header http.Header
	body   string
}

func (b *browser) get(path string) reply { return b.do(http.MethodGet, path, nil) }

func (b *browser) post(path string, form url.Values) reply { return b.do(http.MethodPost, path, form) }

func (b *browser) do(method, path string, form url.Values) reply {
	b.w.t.Helper()
	q, err := http.NewRequestWithContext(b.w.t.Context(), method, b.w.server.URL+path, strings.NewReader(form.Encode()))
	if err != nil {
		b.w.t.Fatal(err)
	}
	if form != nil {
		q.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	maps.Copy(q.Header, b.header)
	if b.host != "" {
		q.Host = b.host
	}
	if b.cookie != nil {
		q.AddCookie(b.cookie)
	}
	resp, err := new(http.Transport).RoundTrip(q)
	if err != nil {
		b.w.t.Fatal(err)
	}
	defer resp.Body.Close()
	var text strings.Builder
	buf := make([]byte, 64<<10)
	for {
		n, err := resp.Body.Read(buf)
		text.Write(buf[:n])
		if err != nil {
			break
		}
	}
	for _, c := range resp.Cookies() {
		if c.Name == cookieName {
			b.cookie = c
		}
	}
	return reply{resp.StatusCode, resp.Header, text.String()}
}

var tags = regexp.MustCompile(`<[^>]*>`)

// text is what a page says, without its tags and in one line.
func (r reply) text() string {
	return strings.ReplaceAll(strings.Join(strings.Fields(strings.NewReplacer("&#39;", "'", "&#34;", `"`, "&amp;", "&", "&#43;", "+", "&lt;", "<", "&gt;", ">", "\u00a0", " ").Replace(tags.ReplaceAllString(r.body, " "))), " "), " ,", ",")
}

// shows fails when a page does not say something.
func (r reply) shows(t *testing.T, texts ...string) {
	t.Helper()
	for _, text := range texts {
		if !strings.Contains(r.text(), text) {
			t.Errorf("the page (%d) does not say %q:\n%s", r.status, text, r.text())
		}
	}
}

// hides fails when a page says something.
func (r reply) hides(t *testing.T, texts ...string) {
	t.Helper()
	for _, text := range texts {
		if strings.Contains(r.body, text) {
			t.Errorf("the page (%d) says %q:\n%s", r.status, text, r.text())
		}
	}
}
