package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"rowhook/dbtest"
	"rowhook/deliver/delivertest"
	"rowhook/freeport"
)

// TestMonitor: what a daemon shows of itself while it starts, delivers, and while its receiver and its database are away.
func TestMonitor(t *testing.T) {
	t.Parallel()
	server := dbtest.Start(t)
	site := dbtest.Salon(t, server, "wordpress", "wp_")
	rowhookUser(t, server)
	receiver := delivertest.NewReceiver(t)
	address := freeAddress(t)
	configFile := daemonFiles(t, server, "rules: [{name: crm, action: appointment.save, url: "+receiver.URL()+"}]", "coalesce: 0s\nmetrics: {listen: "+address+"}\n")
	if err := server.Stop(); err != nil {
		t.Fatal(err)
	}
	lost := &watched{awaited: "the connection to the database was lost", seen: make(chan struct{})}
	stop := startedWithout(t, configFile, lost)
	defer func() { stop() }()
	shows(t, address, "/readyz", http.StatusServiceUnavailable, "waits for its database")
	shows(t, address, "/healthz", http.StatusOK, "ok")
	shows(t, address, "/metrics", http.StatusOK, "rowhook_reader_connected 0\n")
	if err := server.Restart(t.Context()); err != nil {
		t.Fatal(err)
	}
	shows(t, address, "/readyz", http.StatusOK, "ok")
	if _, err := site.Book(t.Context(), dbtest.Booking{}); err != nil {
		t.Fatal(err)
	}
	receiver.WaitAccepted(patience(t), 1)
	shows(t, address, "/metrics", http.StatusOK, `rowhook_deliveries_total{outcome="delivered",rule="crm"} 1`+"\n")
	shows(t, address, "/metrics", http.StatusOK, `rowhook_events_total{action="appointment.save",site="salon"} 1`+"\n")
	shows(t, address, "/metrics", http.StatusOK, "rowhook_lag_seconds 0\n")
	select {
	case <-lost.seen:
		t.Errorf("who asks cuts the reader off:\n%s", lost.text)
	default:
	}
	shows(t, address, "/metrics", http.StatusOK, `rowhook_outbox_deliveries{rule="crm",state="delivered"} 1`+"\n")
	if err := server.Stop(); err != nil {
		t.Fatal(err)
	}
	shows(t, address, "/readyz", http.StatusServiceUnavailable, "does not send its log")
	shows(t, address, "/healthz", http.StatusOK, "ok")
	stop()
	stop = startedWithout(t, configFile, io.Discard)
	shows(t, address, "/metrics", http.StatusOK, `rowhook_deliveries_total{outcome="delivered",rule="crm"} 1`+"\n") // kept
	shows(t, address, "/metrics", http.StatusOK, `rowhook_events_total{action="appointment.save",site="salon"} 1`+"\n")
	shows(t, address, "/metrics", http.StatusOK, `rowhook_attempt_duration_seconds_count{endpoint="http://127.0.0.1:`)
}

// startedWithout runs the daemon until the test stops it, with a database that is away.
func startedWithout(t *testing.T, configFile string, log io.Writer) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- command(ctx, []string{"run", "--config", configFile}, io.Discard, log) }()
	return func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("the daemon ended with: %v", err)
		}
	}
}

// freeAddress is one that nobody listens at.
func freeAddress(t *testing.T) string {
	t.Helper()
	address, err := freeport.Address()
	if err != nil {
		t.Fatal(err)
	}
	return address
}

// shows waits until a path answers with a status and a text.
func shows(t *testing.T, address, path string, status int, text string) {
	t.Helper()
	eventually(t, fmt.Sprintf("%s answers with %d and %q", path, status, text), func() bool {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+address+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := new(http.Client).Do(req)
		if err != nil {
			return false
		}
		defer resp.Body.Close()
		body, err := io.ReadAll(resp.Body)
		return err == nil && resp.StatusCode == status && strings.Contains(string(body), text)
	})
}
