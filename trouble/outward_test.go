package trouble

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"rowhook/api"
	"rowhook/deliver"
	"rowhook/outbox"
	"rowhook/outbox/memory"
	"rowhook/pipeline"
)

// fullDisk is an outbox that takes nothing for now.
type fullDisk struct{ *memory.Store }

// Commit waits, as a store does that cannot be written.
func (fullDisk) Commit(ctx context.Context, _ *outbox.Batch) error {
	<-ctx.Done()
	return ctx.Err()
}

// TestFullDisk: while nothing can be stored, what befalls rowhook is posted from memory, that first of all: once, and again until it
// is accepted. What nobody accepted by the time there is room goes the usual way, and ends are told as ever.
func TestFullDisk(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.pass(time.Minute)
	store := w.store
	w.teller.outward.store = fullDisk{store}
	posted := func(want ...string) {
		t.Helper()
		slices.Sort(w.posted)
		slices.Sort(want)
		if !slices.Equal(w.posted, want) {
			t.Fatalf("posted are %q, want %q", w.posted, want)
		}
		w.posted = nil
	}
	w.Reader.Storing = 20
	w.pass(time.Minute)
	posted("pager reader_stopped")
	w.Sites[1] = pipeline.SiteStatus{Name: "spa", State: pipeline.SiteStopped, Reason: "SELECT is denied"}
	w.pass(time.Minute)
	posted("pager site_stopped", "spa site_stopped")
	w.refused = true
	w.Endpoints[0].DownSince = w.now
	w.pass(time.Minute)
	posted()
	w.told()
	w.teller.outward.store = store
	w.Reader.Storing = 0
	w.pass(time.Minute)
	posted()
	w.told("pager endpoint_down", "pager reader_resumed")
	w.restart() // it is written down by now
	w.pass(time.Minute)
	w.told()
	w.Sites[1] = pipeline.SiteStatus{Name: "spa", State: pipeline.SiteReading}
	w.pass(time.Minute)
	w.told("pager site_resumed")
}

// choosy is where rules post that takes not everything; rules whose names begin alike post to the same.
type choosy struct {
	refuses func(d *outbox.Delivery) error

	mu    sync.Mutex
	tried []string
}

// Post notes what is posted.
func (c *choosy) Post(_ context.Context, d *outbox.Delivery) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.tried = append(c.tried, d.Rule+" "+d.Kind)
	return c.refuses(d)
}

// Receiver is the beginning of the rule's name.
func (*choosy) Receiver(rule string) string {
	name, _, _ := strings.Cut(rule, "-")
	return name
}

// TestLanes: from memory each receiver gets one after the other, the end behind the beginning; who accepts nothing is asked ever less
// often, as it wants it, and holds up no other.
func TestLanes(t *testing.T) {
	t.Parallel()
	var text bytes.Buffer
	refused := error(&deliver.RefusedError{Reason: "the receiver answered 429 Too Many Requests"})
	c := &choosy{refuses: func(d *outbox.Delivery) error {
		if strings.HasPrefix(d.Rule, "chat") {
			return refused
		}
		return nil
	}}
	o := &outward{poster: c, log: slog.New(slog.NewTextHandler(&text, nil))}
	add := func(rule, kind string, object string) {
		o.add([]*outbox.Delivery{{Rule: rule, Kind: kind, Object: object}}, outbox.EventCount{Kind: kind, N: 1})
	}
	now := time.Date(2026, 11, 30, 3, 0, 0, 0, time.UTC)
	look := func(want ...string) {
		t.Helper()
		o.post(t.Context(), now)
		slices.SortStableFunc(c.tried, func(a, b string) int { return strings.Compare(a[:4], b[:4]) })
		if !slices.Equal(c.tried, want) {
			t.Fatalf("tried are %q, want %q", c.tried, want)
		}
		c.tried = nil
		now = now.Add(lookEvery)
	}
	add("chat", "down", "")
	add("pager", "down", "")
	add("chat-shaped", "nothing", outbox.Unshaped)
	look("chat down", "pager down")
	add("chat-up", "up", "")
	add("pager", "up", "")
	look("chat down", "pager up")
	look()
	look("chat down")
	refused = nil
	for range 3 {
		look()
	}
	look("chat down", "chat-up up")
	if n := strings.Count(text.String(), "cannot be told from memory"); n != 1 || !strings.Contains(text.String(), "429 Too Many Requests") {
		t.Errorf("%d lines:\n%s", n, &text)
	}
	if len(o.batch.Deliveries) != 1 {
		t.Errorf("%d are left to the outbox", len(o.batch.Deliveries))
	}
	refused = &deliver.RefusedError{Reason: "the receiver answered 429", RetryAfter: 10 * time.Minute}
	for range mostUnsaved / 2 {
		add("chat", "down", "")
	}
	look("chat down")
	for range 10*time.Minute/lookEvery - 1 {
		look()
	}
	refused = errors.New("connection refused")
	look("chat down")
	for range 6 * time.Hour / lookEvery {
		o.post(t.Context(), now)
		now = now.Add(lookEvery)
	}
	if n := len(c.tried); n < 350 || n > 370 {
		t.Errorf("within six hours it was asked %d times", n)
	}
}

// TestSlowOutbox: an outbox that does not take what is told within some seconds holds up nobody.
func TestSlowOutbox(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.teller.outward.store = fullDisk{w.store}
		w.Endpoints[0].DownSince = w.now
		begin := time.Now()
		w.pass(time.Minute)
		if took := time.Since(begin); took > 2*storesWithin {
			t.Errorf("looking takes %v", took)
		}
		if want := []string{"pager endpoint_down"}; !slices.Equal(w.posted, want) {
			t.Errorf("posted are %q, want %q", w.posted, want)
		}
	})
}

// TestBounded: what cannot be told is not kept without end.
func TestBounded(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.refused, w.Reader.Storing = true, 20
	for i := range 3 * mostUnsaved {
		w.Endpoints = append(w.Endpoints, deliver.EndpointStatus{Name: fmt.Sprintf("http://r%d.example", i), Rules: []string{"none"}, DownSince: w.now})
	}
	w.pass(time.Minute)
	if n := len(w.teller.outward.batch.Deliveries); n != mostUnsaved {
		t.Errorf("%d deliveries lie in memory", n)
	}
}

// TestUnknown: what is told of sites and receivers is neither over nor forgotten while a daemon that was started again knows nothing
// of them, as its database is away.
func TestUnknown(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	stopped := pipeline.SiteStatus{Name: "spa", State: pipeline.SiteStopped, Reason: "SELECT is denied"}
	w.Sites[1] = stopped
	w.Endpoints[0].DownSince = w.now
	w.pass(time.Minute)
	w.told("pager site_stopped", "spa site_stopped", "pager endpoint_down")
	reader, sites, endpoints := w.Reader, w.Sites, w.Endpoints
	w.restart()
	w.Reader, w.Sites, w.Endpoints, w.Hindrance = nil, nil, nil, &api.Hindrance{Since: w.now, Reason: "refused"}
	w.pass(time.Minute)
	w.told("pager reader_stopped")
	w.Reader, w.Sites, w.Endpoints, w.Hindrance = reader, sites, endpoints, nil
	w.pass(time.Minute)
	w.told("pager reader_resumed")
	w.Sites[1] = pipeline.SiteStatus{Name: "spa", State: pipeline.SiteReading}
	w.Endpoints[0].DownSince, w.Endpoints[0].LastSuccess = time.Time{}, w.now
	w.pass(time.Minute)
	w.told("pager site_resumed", "pager endpoint_up", "chat-up endpoint_up")
}
