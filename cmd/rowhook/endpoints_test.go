package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"rowhook/dbtest"
	"rowhook/deliver"
	"rowhook/deliver/delivertest"
)

// endpointsOfLog is `endpoints list --json`.
func endpointsOfLog(t *testing.T, configFile string) (list endpointList) {
	t.Helper()
	out, err := rowhook(t, configFile, "endpoints", "list", "--json")
	if err != nil || json.Unmarshal([]byte(out), &list) != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return list
}

// TestEndpoints: pause and resume, through the running daemon and without one.
func TestEndpoints(t *testing.T) {
	t.Parallel()
	receiver := delivertest.NewReceiver(t)
	configFile := logFiles(t, receiver.URL())
	name := deliver.EndpointName(receiver.URL())
	list := endpointsOfLog(t, configFile)
	if len(list.Endpoints) != 2 || list.Daemon || list.Held["gone"] != 1 {
		t.Fatalf("got %+v", list)
	}
	if e := list.Endpoints[0]; e.Name != "books" || strings.Join(e.Rules, " ") != "erp" || e.Waiting != 1 || e.Dead != 0 || e.Oldest.IsZero() {
		t.Errorf("got %+v", e)
	}
	if e := list.Endpoints[1]; e.Name != name || e.Waiting != 1 || e.Dead != 1 || e.Paused != nil {
		t.Errorf("got %+v", e)
	}
	do := func(want string, args ...string) {
		t.Helper()
		if out, err := rowhook(t, configFile, append([]string{"endpoints"}, args...)...); err != nil || !strings.Contains(out, want) {
			t.Errorf("%q: %v\n%s", args, err, out)
		}
	}
	do(`"endpoint": "books",
  "paused": true`, "pause", "books", "--json")
	do(`"paused": false`, "resume", "--json", "books")
	do("books is paused", "pause", "books", "--reason", "they move")
	do("no daemon runs", "list")
	stop := beside(t, configFile)
	if list := endpointsOfLog(t, configFile); !list.Daemon || list.Endpoints[0].Paused == nil || list.Endpoints[0].Paused.Reason != "they move" {
		t.Errorf("got %+v", list)
	}
	do(": they move", "list")
	do("held, for rule gone is gone: 1", "list")
	do(name+" is paused", "pause", receiver.URL()+"/some/path")
	if _, err := rowhook(t, configFile, "endpoints", "pause", "crm"); err == nil || !strings.Contains(err.Error(), "there is no such endpoint: crm; rowhook endpoints list shows all") {
		t.Errorf("an unknown one: %v", err)
	}
	if _, err := rowhook(t, configFile, "deliveries", "retry", "--dead"); err != nil {
		t.Error(err)
	}
	if n := len(receiver.Requests()); n != 0 {
		t.Errorf("%d requests while all are paused", n)
	}
	do("books goes on", "resume", "books")
	do("goes on", "resume", receiver.URL())
	ctx := patience(t)
	receiver.WaitAccepted(ctx, 3)
	eventually(t, "the log", func() bool { return listIDs(t, configFile, "--state", "delivered") == "5 3 2 1" })
	stop()
}

// TestDisabledRule: what is stored for a rule that is disabled is held, and goes out once it is enabled.
func TestDisabledRule(t *testing.T) {
	t.Parallel()
	receiver := delivertest.NewReceiver(t)
	configFile := logFiles(t, receiver.URL())
	enable := func(enabled bool) {
		t.Helper()
		text := fmt.Sprintf("rules:\n  - {name: crm, action: appointment.save, url: %q, enabled: %t}\n", receiver.URL(), enabled)
		if err := os.WriteFile(filepath.Join(filepath.Dir(configFile), "rules.d", "a.yaml"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	enable(true)
	beside(t, configFile)() // it knows the rule
	enable(false)
	stop := beside(t, configFile)
	eventually(t, "the hold", func() bool { return listIDs(t, configFile, "--state", "held", "--rule", "crm") == "3" })
	out, err := rowhook(t, configFile, "endpoints", "list")
	if err != nil || !strings.Contains(out, "held, for rule crm is disabled: 2") || !strings.Contains(out, "held, for rule gone is gone: 1") {
		t.Errorf("%v\n%s", err, out) // a dead one too
	}
	stop()
	if n := len(receiver.Requests()); n != 0 {
		t.Errorf("%d requests for a disabled rule", n)
	}
	enable(true)
	stop = beside(t, configFile)
	ctx := patience(t)
	if _, err := rowhook(t, configFile, "deliveries", "retry", "--rule", "crm"); err != nil {
		t.Error(err)
	}
	receiver.WaitAccepted(ctx, 1)
	stop()
}

// TestGoneReceiver: a whole daemon, whose receiver says that it is no more, and comes back after a person said so.
func TestGoneReceiver(t *testing.T) {
	t.Parallel()
	server := dbtest.Start(t)
	site := dbtest.Salon(t, server, "wordpress", "wp_")
	rowhookUser(t, server)
	receiver := delivertest.NewReceiver(t)
	receiver.Answer(delivertest.Answer{Status: 410})
	rules := fmt.Sprintf("rules:\n  - {name: crm, action: appointment.save, url: %q}\n", receiver.URL())
	configFile := daemonFiles(t, server, rules, "coalesce: 0\n")
	stop := startDaemon(t, configFile)
	for range 3 {
		if _, err := site.Book(t.Context(), dbtest.Booking{}); err != nil {
			t.Fatal(err)
		}
	}
	paused := func() bool { return endpointsOfLog(t, configFile).Endpoints[0].Paused != nil }
	eventually(t, "the pause", paused)
	stop()
	if !paused() {
		t.Error("without a daemon it is not paused")
	}
	receiver.Answer(delivertest.Answer{})
	stop = startDaemon(t, configFile)
	if !paused() || len(receiver.Accepted()) != 0 {
		t.Errorf("after a restart it is not paused, %d were accepted", len(receiver.Accepted()))
	}
	if out, err := rowhook(t, configFile, "endpoints", "resume", receiver.URL()); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
	ctx := patience(t)
	receiver.WaitAccepted(ctx, 3)
	stop()
}
