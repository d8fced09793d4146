package trouble

import (
	"context"
	"fmt"
	"slices"
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
