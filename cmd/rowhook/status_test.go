package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"rowhook/api"
	"rowhook/dbtest"
	"rowhook/deliver"
	"rowhook/deliver/delivertest"
)

// statusSays waits until `rowhook status` says all of these, and fails or not.
func statusSays(t *testing.T, configFile string, fails bool, texts ...string) {
	t.Helper()
	for _, text := range texts {
		eventually(t, "rowhook status says "+text, func() bool {
			out, err := rowhook(t, configFile, "status")
			return strings.Contains(out, text) && errors.Is(err, errReported) == fails
		})
	}
}

// readerTold is a rule that tells a pager of the reader.
func readerTold(what string, pager *delivertest.Receiver) string {
	return fmt.Sprintf("  - {name: pager-%s, action: rowhook.reader_%[1]s, url: '%s', signing_secret: whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=}\n", what, pager.URL())
}

// TestWithoutDatabase: a daemon that starts while the database is away delivers what it has, takes commands, lets people in to the
// console, and tells them: there, by the command, and by a rule.
func TestWithoutDatabase(t *testing.T) {
	t.Parallel()
	server := dbtest.Start(t)
	site := dbtest.Salon(t, server, "wordpress", "wp_")
	rowhookUser(t, server)
	receiver := delivertest.NewReceiver(t)
	web, monitored := freeAddress(t), freeAddress(t)
	pager := delivertest.NewReceiver(t)
	configFile := daemonFiles(t, server, "rules:\n  - {name: crm, action: appointment.save, url: "+receiver.URL()+"}\n"+
		readerTold("stopped", pager)+readerTold("resumed", pager),
		"coalesce: 0s\nconsole: {listen: '"+web+"'}\nmetrics: {listen: '"+monitored+"'}\n")
	name := deliver.EndpointName(receiver.URL())
	stop := startDaemon(t, configFile)
	statusSays(t, configFile, false, "Nothing yet: the log is read")
	if _, err := rowhook(t, configFile, "endpoints", "pause", name); err != nil {
		t.Fatal(err)
	}
	if _, err := site.Book(t.Context(), dbtest.Booking{}); err != nil {
		t.Fatal(err)
	}
	var waits []api.Delivery
	eventually(t, "a delivery that waits", func() bool {
		out, err := rowhook(t, configFile, "deliveries", "list", "--json", "--state", "fresh,waiting")
		return err == nil && json.Unmarshal([]byte(out), &waits) == nil && len(waits) == 1
	})
	if out, err := rowhook(t, configFile, "deliveries", "show", waits[0].ID); err != nil || !strings.Contains(out, "waits     The endpoint has been paused for") {
		t.Errorf("%v\n%s", err, out)
	}
	statusSays(t, configFile, true, "One thing needs you: endpoint "+name+" is paused.", "by hand", "1 delivery waits; none is lost.", "rowhook endpoints resume "+name)
	stop()
	if err := server.Stop(); err != nil {
		t.Fatal(err)
	}

	stop = startUntil(t, configFile, "the database does not answer as it should")
	defer func() { stop() }()
	statusSays(t, configFile, true, "Stopped: nothing is read. The database cannot be followed", "Reading the log is stopped, since", "rowhook check")
	shows(t, monitored, "/readyz", http.StatusServiceUnavailable, "waits for its database\n")
	b := consoleLogin(t, configFile)
	b.shows(t, "/", "Stopped:", "The database cannot be followed", "What is stored goes out meanwhile")
	b.shows(t, "/endpoints", "1 paused")
	if out, err := rowhook(t, configFile, "sites", "list"); err != nil || !strings.Contains(out, "not followed yet") || !strings.Contains(out, "\nnot followed since") {
		t.Errorf("sites list: %v\n%s", err, out)
	}
	var list api.SiteList
	if out, err := rowhook(t, configFile, "sites", "list", "--json"); err != nil || json.Unmarshal([]byte(out), &list) != nil || !list.Daemon || !list.Waits || list.Hindrance == nil || list.Hindrance.Reason == "" {
		t.Errorf("sites list --json: %v\n%s", err, out)
	}
	if _, err := rowhook(t, configFile, "sites", "resume", "salon"); err == nil || !strings.Contains(err.Error(), "does not follow the database yet") {
		t.Errorf("sites resume: %v", err)
	}
	if out, err := rowhook(t, configFile, "endpoints", "resume", name); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	receiver.WaitAccepted(patience(t), 1)
	if stopped := paged(t, pager, "reader_stopped"); !strings.Contains(stopped.Text, "The database cannot be followed") || time.Since(stopped.Since) > time.Minute*10 {
		t.Errorf("told is %+v", stopped)
	}
	if err := server.Restart(t.Context()); err != nil {
		t.Fatal(err)
	}
	paged(t, pager, "reader_stopped", "reader_resumed")
	b.shows(t, "/", "All is well:")
	statusSays(t, configFile, false, "All is well: all is read that was committed.")
	out, err := rowhook(t, configFile, "status", "--json")
	var report api.Report
	if err != nil || json.Unmarshal([]byte(out), &report) != nil || report.Status.Reader == nil || report.Troubles == nil || len(report.Status.Sites) != 1 {
		t.Errorf("%v\n%s", err, out)
	}
	stop()
	if _, err := rowhook(t, configFile, "status"); err == nil || !strings.Contains(err.Error(), "no daemon answers") {
		t.Errorf("without a daemon: %v", err)
	}
}

// TestMember: a machine that delivers while another one follows the log is healthy and ready, tells the same as that one, and goes on
// when that one stops.
func TestMember(t *testing.T) {
	t.Parallel()
	server := dbtest.Start(t)
	dbtest.Salon(t, server, "wordpress", "wp_")
	rowhookUser(t, server)
	receiver := delivertest.NewReceiver(t)
	more := "coalesce: 0s\n" + shareOutbox(t, server, time.Minute)
	addresses := []string{freeAddress(t), freeAddress(t)}
	var files []string
	for _, address := range addresses {
		files = append(files, daemonFiles(t, server, everyAction(receiver.URL()), more+"metrics: {listen: '"+address+"'}\n"))
	}
	stop := startDaemon(t, files[0])
	shows(t, addresses[0], "/readyz", http.StatusOK, "ok")
	startUntil(t, files[1], joined)
	shows(t, addresses[1], "/healthz", http.StatusOK, "ok")
	shows(t, addresses[1], "/readyz", http.StatusOK, "ok")
	for _, address := range addresses {
		shows(t, address, "/metrics", http.StatusOK, "rowhook_standby 0\n")
		shows(t, address, "/metrics", http.StatusOK, "rowhook_machine_same_rules{machine=")
	}
	shows(t, addresses[0], "/metrics", http.StatusOK, "rowhook_reader_connected 1\n")
	for _, file := range files {
		report := statusOfAll(t, file)
		if report.Status.Reader == nil || !strings.Contains(report.Verdict, ":") || len(report.Status.Machines) != 2 {
			t.Errorf("status: %+v", report)
		}
		out, _ := rowhook(t, file, "status")
		for _, text := range []string{"\nMachines:\n", "follows the log", "delivers", "(this one)", "1 endpoint", "0 endpoints"} {
			if !strings.Contains(out, text) {
				t.Errorf("status does not say %q:\n%s", text, out)
			}
		}
	}
	stop()
	shows(t, addresses[1], "/readyz", http.StatusOK, "ok")
	shows(t, addresses[1], "/metrics", http.StatusOK, "rowhook_reader_connected 1\n")
}

// statusOfAll is what `rowhook status` says.
func statusOfAll(t *testing.T, file string) (report api.Report) {
	t.Helper()
	out, err := rowhook(t, file, "status", "--json")
	if errors.Is(err, errReported) {
		err = nil
	}
	if err = errors.Join(err, json.Unmarshal([]byte(out), &report)); err != nil {
		t.Fatalf("status: %v\n%s", err, out)
	}
	return report
}
