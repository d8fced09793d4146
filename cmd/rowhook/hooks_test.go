package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"rowhook/dbtest"
	"rowhook/deliver/delivertest"
)

// TestHooks follows tables of the plugin that no documented action is about.
func TestHooks(t *testing.T) { onServers(t, testHooks) }

func testHooks(t *testing.T, server *dbtest.Server) {
	dbtest.Salon(t, server, "wordpress", "wp_")
	rowhookUser(t, server)
	receiver := delivertest.NewReceiver(t)
	var b strings.Builder
	b.WriteString("rules:\n")
	for i, rule := range []string{
		"action: onAfterSaveOption, load: full", "action: vikappointments_after_delete_option", "action: after_publish_option", "action: onCustomerSave, type: insert",
	} {
		fmt.Fprintf(&b, "  - {name: hook-%d, url: %q, %s}\n", i, receiver.URL(), rule)
	}
	files := daemonFiles(t, server, b.String(), "coalesce: 50ms\n")
	if out, err := rowhook(t, files, "rules", "validate"); err != nil || !strings.Contains(out, "hook-2: onAfterPublishOption, of each row of which nothing but published is changed in table wordpress.wp_vikappointments_option, from the binlog") {
		t.Errorf("%v\n%s", err, out)
	}
	p := start(t, build(t), "run", "--config", files)
	p.until(t, following)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	const option, users = "INTO wp_vikappointments_option (id, name, description, price) VALUES ", "INTO wp_vikappointments_users (id, billing_name, fields) VALUES "
	for _, step := range []struct {
		statement string
		want      []string // how they begin
	}{
		{"INSERT " + option + "(7, 'Tea', '', 2.50)", []string{`onAfterSaveOption {"arg1":{"id":7,"name":"Tea",`}},
		{"UPDATE wp_vikappointments_option SET published = 1 - published WHERE id = 7", []string{`onAfterPublishOption {"arg1":7,"arg2":`}},
		{"UPDATE wp_vikappointments_option SET name = 'Green tea' WHERE id = 7", []string{`onAfterSaveOption {"arg1":{"id":7,"name":"Green tea",`}},
		{"INSERT " + option + "(8, 'Milk', '', 0)", []string{`onAfterSaveOption {"arg1":{"id":8,`}},
		{"DELETE FROM wp_vikappointments_option WHERE id > 6", []string{`onAfterDeleteOption {"arg1":7}`, `onAfterDeleteOption {"arg1":8}`}},
		{"INSERT " + users + "(9, 'Ann', '')", []string{`onCustomerSave {"arg1":{"id":9,`}},
	} {
		before := len(receiver.Accepted())
		execAll(ctx, t, server, step.statement)
		var all []string
		for _, r := range receiver.WaitAccepted(ctx, before+len(step.want))[before:] {
			conforms(t, &r)
			if object := r.Header.Get("X-Rowhook-Object"); object != "" {
				t.Errorf("%s is shown as %s", r.Body, object)
			}
			all = append(all, r.Header.Get("X-VAP-WEBHOOK-ACTION")+" "+string(r.Body))
		}
		slices.Sort(all) // objects have no order among each other
		for i, got := range all {
			if i == len(step.want) {
				t.Fatalf("%s: more came: %s", step.statement, got)
			}
			isNew := strings.HasPrefix(step.statement, "INSERT")
			if !strings.HasPrefix(got, step.want[i]) || strings.Contains(step.want[i], "Save") && !strings.HasSuffix(got, fmt.Sprintf(`},"arg2":%t}`, isNew)) {
				t.Errorf("%s:\n%s\nwant %s", step.statement, got, step.want[i])
			}
		}
	}
	p.signal(t, syscall.SIGTERM)
	p.ends(t)
}

// TestHookBackfill posts rows that were there before as the hook would have told of them: those that are its objects.
func TestHookBackfill(t *testing.T) {
	t.Parallel()
	server := dbtest.Start(t)
	dbtest.Salon(t, server, "wordpress", "wp_")
	rowhookUser(t, server)
	execAll(t.Context(), t, server, "SET sql_mode = ''", "INSERT INTO wp_vikappointments_reservation (id, closure) VALUES (901, 1), (902, 0), (903, 1)",
		"INSERT INTO wp_vikappointments_order_status (id, id_order, type, status) VALUES (901, 1, 'reservation', 'C'), (902, 1, 'subscr_order', 'C')")
	receiver := delivertest.NewReceiver(t)
	files := daemonFiles(t, server, fmt.Sprintf("rules:\n  - {name: late, action: onAfterSaveReservationLate, url: %[1]q}\n"+
		"  - {name: subscriptions, action: onStatusChangeSubscrorder, load: full, url: %[1]q}\n", receiver.URL()), "")
	startDaemon(t, files)
	for _, rule := range []string{"late", "subscriptions"} {
		if _, err := rowhook(t, files, "backfill", "--rule", rule); err != nil {
			t.Fatal(err)
		}
	}
	for _, r := range receiver.WaitAccepted(patience(t), 2) {
		if !strings.HasPrefix(string(r.Body), `{"arg1":{"id":902,`) {
			t.Errorf("got %s", r.Body)
		}
	}
	if n := len(receiver.Accepted()); n != 2 {
		t.Errorf("%d deliveries", n)
	}
}
