package main

import (
	"bytes"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"rowhook/dbtest"
	"rowhook/deliver/delivertest"
)

// elsewhere are the documented commands that other tests run, as each needs something else around it.
var elsewhere = map[string]string{
	"run":              "most tests",
	"init":             "TestInitToFirstWebhook",
	"rules test":       "TestDocumentedSnippets, with the case that is shown",
	"rules explain":    "TestShaped: the ids that are shown are examples",
	"position set":     "TestPositionSet: the daemon must be stopped",
	"outbox copy":      "TestOutboxCopy: the daemon must be stopped",
	"sites resume":     "TestStatementStopsOneSite: a site must be stopped",
	"endpoints resume": "TestEndpoints: one must be paused",
	"deliveries retry": "TestDeliveriesRetry: one must have failed",
	"completion":       "TestCompletion",
}

// mentioned are commands whose names stand in a text, without what they must be given.
var mentioned = []string{"backfill", "deliveries show"}

// TestDocumentedCommandsRun types each command of the documentation, where an installation with the cookbook's rules runs and has
// delivered. All of them must do what they are for.
func TestDocumentedCommandsRun(t *testing.T) {
	t.Parallel()
	server := dbtest.Start(t)
	site := dbtest.Salon(t, server, "wordpress", "wp_")
	rowhookUser(t, server)
	server.Exec(t, "INSERT INTO wordpress.wp_vikappointments_webhook (name, hook, url, secret, published, params, logkey) VALUES ('crm', 'onAfterSaveReservation', 'http://127.0.0.1:1/', 'x', 1, '[]', '')")
	receiver := delivertest.NewReceiver(t)
	ruleFile := "rules:\n  - {name: crm-customers, action: customer.save, load: full, url: '" + receiver.URL() + "', order_group: crm}\n" +
		"  - {name: crm-bookings, action: appointment.save, load: extended, url: '" + receiver.URL() + "', order_group: crm}\n"
	ruleFile += "  - {name: cart, action: onAddItemCart, url: '" + receiver.URL() + "'}\n"
	for _, name := range []string{"slack-booked", "rescheduled"} {
		ruleFile += regexp.MustCompile(`url: .*`).ReplaceAllString(recipes(t)[name], "url: "+receiver.URL())
	}
	file := daemonFiles(t, server, ruleFile, "console: {listen: '"+freeAddress(t)+"', users: [{name: anna, sites: [salon]}]}\n")
	startDaemon(t, file)
	if _, err := site.Book(t.Context(), dbtest.Booking{}); err != nil {
		t.Fatal(err)
	}
	receiver.WaitAccepted(patience(t), 2)
	id := receiver.Accepted()[0].ID()
	placeholders := strings.NewReplacer(" ID", " "+id, " URL", " "+receiver.URL(), "--rule NAME", "--rule crm-customers", "sample NAME", "sample crm-bookings", "--site NAME", "--site salon")
	ran := 0
	for _, line := range documented(t) {
		if slices.Contains(mentioned, line) || slices.ContainsFunc(slices.Collect(maps.Keys(elsewhere)), func(c string) bool { return strings.HasPrefix(line+" ", c+" ") }) {
			continue
		}
		ran++
		var out, errs bytes.Buffer
		args := strings.Fields(placeholders.Replace(line))
		if err := command(t.Context(), append(args, "--config", file), &out, &errs); err != nil {
			t.Errorf("rowhook %s: %v\n%s%s", strings.Join(args, " "), err, &out, &errs)
		}
	}
	if ran < 30 {
		t.Errorf("only %d commands were run", ran)
	}
}

// documented are the commands of all pages, each once.
func documented(t *testing.T) []string {
	t.Helper()
	found := map[string]bool{}
	for _, text := range documents(t) {
		for _, match := range append(documentedLine.FindAllSubmatch(text, -1), documentedText.FindAllSubmatch(text, -1)...) {
			line := string(match[1])
			for _, behind := range []string{"#", " > ", " | "} {
				line, _, _ = strings.Cut(line, behind)
			}
			found[strings.Join(strings.Fields(line)[1:], " ")] = true
		}
	}
	return slices.Sorted(maps.Keys(found))
}
