package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"rowhook/deliver"
	"rowhook/deliver/delivertest"
	"rowhook/trouble"
)

// withPager adds a rule to a configuration that tells a pager what befalls rowhook.
func withPager(t *testing.T, configFile string) *delivertest.Receiver {
	t.Helper()
	pager := delivertest.NewReceiver(t)
	file, err := os.OpenFile(filepath.Join(filepath.Dir(configFile), "rules.yaml"), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	_, err = file.WriteString("  - {name: pager, action: 'rowhook.*', url: '" + pager.URL() + "', signing_secret: whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=}\n")
	if err != nil {
		t.Fatal(err)
	}
	return pager
}

// paged waits until the pager has heard of these events and no other, and returns the last.
func paged(t *testing.T, pager *delivertest.Receiver, want ...string) (last trouble.Trouble) {
	t.Helper()
	var got, ids []string
	for _, q := range pager.WaitAccepted(patience(t), len(want)) {
		last = trouble.Trouble{}
		if err := json.Unmarshal(q.Body, &last); err != nil {
			t.Fatal(err)
		}
		got, ids = append(got, last.Event), append(ids, q.ID())
		if q.Header.Get("webhook-signature") == "" || q.Header.Get("X-VAP-WEBHOOK-ACTION") != "rowhook."+last.Event {
			t.Errorf("%s comes with %v", last.Event, q.Header)
		}
	}
	slices.Sort(ids)
	if !slices.Equal(got, want) || len(slices.Compact(ids)) != len(want) {
		t.Fatalf("the pager heard %q with the ids %q, want %q", got, ids, want)
	}
	return last
}

// TestTold: a receiver that is down and up again, and a site that is stopped and goes on, are told once each, whoever restarts
// rowhook meanwhile.
func TestTold(t *testing.T) {
	t.Parallel()
	w := newTwoSites(t, "")
	pager := withPager(t, w.config)
	stop := startDaemon(t, w.config)
	restart := func() { stop(); stop = startDaemon(t, w.config) }
	defer func() { stop() }()
	w.heard.Close()
	w.book(1)
	if down := paged(t, pager, "endpoint_down"); down.Endpoint != deliver.EndpointName(w.heard.URL()) || down.Reason == "" {
		t.Errorf("got %+v", down)
	}
	restart()
	w.heard.Open()
	w.heard.WaitAccepted(patience(t), 1)
	if up := paged(t, pager, "endpoint_down", "endpoint_up"); up.Ended.IsZero() {
		t.Errorf("got %+v", up)
	}
	w.server.Exec(t, "REVOKE SELECT ON spa.* FROM 'rowhook'@'%'")
	w.bookSpa(1)
	if stopped := paged(t, pager, "endpoint_down", "endpoint_up", "site_stopped"); stopped.Site != "spa" || stopped.Reason == "" {
		t.Errorf("got %+v", stopped)
	}
	restart()
	w.server.Exec(t, "GRANT SELECT ON spa.* TO 'rowhook'@'%'")
	w.other.WaitAccepted(patience(t), 2)
	if resumed := paged(t, pager, "endpoint_down", "endpoint_up", "site_stopped", "site_resumed"); resumed.Site != "spa" {
		t.Errorf("got %+v", resumed)
	}
	restart()
	w.book(1)
	w.heard.WaitAccepted(patience(t), 2)
	paged(t, pager, "endpoint_down", "endpoint_up", "site_stopped", "site_resumed")
}
