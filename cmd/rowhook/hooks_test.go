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
