//go:build bench

package web

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"testing"
	"time"

	"rowhook/api"
	"rowhook/outbox"
	"rowhook/outbox/sqlite"
)

const (
	million = 1_000_000
	// answersIn is what a page may take.
	answersIn = 200 * time.Millisecond
)

// TestMillion measures each page over an outbox of a million deliveries, as the median and the slowest of ten; and what a commit takes
// while pages are looked at and while they are not.
func TestMillion(t *testing.T) {
	dir := t.TempDir()
	store, err := sqlite.Open(t.Context(), dir, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	w := newWorld(t)
	fill(t, w, store)
	log, err := sqlite.OpenLog(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	w.console.outbox = log
	counts, err := store.Counts(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	w.status.Outbox.Deliveries = nil
	for _, c := range counts {
		w.status.Outbox.Deliveries = append(w.status.Outbox.Deliveries, api.Kept{Rule: c.Rule, State: c.State.String(), Count: c.N})
	}
	first, err := log.List(t.Context(), outbox.Filter{Limit: 1, Sites: []string{"nails"}})
	if err != nil || len(first) != 1 {
		t.Fatal(err)
	}
	waiting, err := log.List(t.Context(), outbox.Filter{Newest: true, Limit: 1, Sites: []string{"nails"}, States: []outbox.State{outbox.Waiting}}) // what is before it is looked for
	if err != nil || len(waiting) != 1 {
		t.Fatal(err)
	}
	b, anna := w.login(""), w.login("anna", "nails")
	alone := commits(t, w, store)
	pages := []string{"/", "/deliveries", "/deliveries?before=500000", "/deliveries?state=dead", "/deliveries?state=waiting", "/deliveries?state=delivered&rule=own-crm", "/deliveries?site=nails", "/deliveries?site=none",
		"/deliveries?entity=appointment&key=12", "/deliveries?entity=appointment&key=249990", "/deliveries?since=2h", rowLink(first[0]), rowLink(waiting[0]), "/endpoints", "/endpoints?open=" + board, "/rules", "/sites"}
	for _, who := range []*browser{b, anna} { // anna sees a third of it
		for _, path := range pages {
			timed(t, who, path)
		}
	}
	looking, stop := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		for i := 0; looking.Err() == nil; i++ {
			b.get(pages[i%len(pages)]) //nolint:contextcheck // it ends by itself
		}
	}()
	beside := commits(t, w, store)
	stop()
	<-done
	t.Logf("a commit of 100 takes %v at the median when nobody looks, and %v while pages are asked for without a pause", alone, beside)
	if beside > 2*alone+5*time.Millisecond {
		t.Errorf("commits take %v instead of %v while somebody looks", beside, alone)
	}
}

// timed asks for a page ten times.
func timed(t *testing.T, b *browser, path string) {
	t.Helper()
	var took []time.Duration
	for range 10 {
		began := time.Now()
		if got := b.get(path); got.status != http.StatusOK {
			t.Errorf("%s: %d %s", path, got.status, got.text())
		}
		took = append(took, time.Since(began))
	}
	slices.Sort(took)
	t.Logf("%-50s median %7.1f ms, slowest %7.1f ms", path, took[5].Seconds()*1000, took[9].Seconds()*1000)
	if took[5] > answersIn {
		t.Errorf("%s takes %v", path, took[5])
	}
}

// batch are deliveries of all rules and sites.
func batch(n int, from int, begin time.Time) *outbox.Batch {
	rules := []string{"crm-bookings", "zap-new-bookings", "status-board", "own-crm"}
	b := &outbox.Batch{}
	for i := from; i < from+n; i++ {
		site := []string{"salon", "spa", "nails"}[i%3]
		d := &outbox.Delivery{Rule: rules[i%4], Site: site, Action: "onAfterSaveReservation", Kind: "appointment.save", Keys: []string{fmt.Sprintf("%s/appointment/%d", site, i/4)},
			Created: begin.Add(time.Duration(i) * 600 * time.Millisecond), Body: fmt.Appendf(nil, `{"id":"%d","purchaser_nominative":"Ada Example"}`, i/4)}
		d.ID = outbox.ID{byte(i >> 24), byte(i >> 16), byte(i >> 8), byte(i), 7}
		b.Deliveries = append(b.Deliveries, d)
	}
	return b
}

// fill stores a million: one in a hundred is dead, one in fifty waits, all others are delivered.
func fill(t *testing.T, w *world, store outbox.Store) {
	t.Helper()
	routes := map[string]string{}
	for _, r := range w.rules {
		routes[r.Name] = r.Endpoint
	}
	if _, err := store.Route(t.Context(), routes); err != nil {
		t.Fatal(err)
	}
	begin := time.Now().Add(-million * 600 * time.Millisecond)
	for from := 0; from < million; from += 4000 {
		b := batch(4000, from, begin)
		if err := store.Commit(t.Context(), b); err != nil {
			t.Fatal(err)
		}
		outcomes := make([]outbox.Outcome, len(b.Deliveries))
		for i, d := range b.Deliveries {
			o := outbox.Outcome{Seq: d.Seq, State: outbox.Delivered, Attempts: 1}
			switch {
			case i%100 == 7:
				o.State, o.Attempts, o.Attempt = outbox.Dead, 10, &outbox.Attempt{At: d.Created, Status: 422, Error: "the receiver answered 422"}
			case i%50 == 9:
				o.State, o.Due, o.Attempt = outbox.Waiting, time.Now().Add(time.Hour), &outbox.Attempt{At: d.Created, Status: 503, Error: "the receiver answered 503"}
			}
			outcomes[i] = o
		}
		if err := store.Settle(t.Context(), outcomes); err != nil {
			t.Fatal(err)
		}
	}
}

// commits is how long one of a hundred deliveries takes, at the median.
func commits(t *testing.T, w *world, store outbox.Store) time.Duration {
	t.Helper()
	var took []time.Duration
	for range 60 {
		w.made += 100
		b := batch(100, million+int(w.made), time.Now().Add(-time.Hour))
		began := time.Now()
		if err := store.Commit(t.Context(), b); err != nil {
			t.Fatal(err)
		}
		took = append(took, time.Since(began))
	}
	slices.Sort(took)
	return took[len(took)/2]
}
