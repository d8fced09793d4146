package main

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"rowhook/dbtest"
	"rowhook/deliver/delivertest"
)

// TestSlowSite makes orders with pauses between their statements: every event is told once, and shows all that belongs
// to its order.
func TestSlowSite(t *testing.T) { onServers(t, testSlowSite) }

func testSlowSite(t *testing.T, server *dbtest.Server) {
	t.Helper()
	site := dbtest.Salon(t, server, "wordpress", "wp_")
	rowhookUser(t, server)
	receiver := delivertest.NewReceiver(t)
	rules := "rules:\n"
	for _, action := range []string{"appointment.save", "appointment.status_change", "package_order.save", "package_order.status_change"} {
		rules += fmt.Sprintf("  - {name: %s, action: %[1]s, load: extended, url: %q}\n", action, receiver.URL())
	}
	startDaemon(t, daemonFiles(t, server, rules, ""))

	ctx := patience(t)
	options := []int64{1, 2}
	var want []string
	slowly := func(pauses ...time.Duration) *dbtest.Site {
		n := 0
		return site.Slow(func() time.Duration { n++; return pauses[n%len(pauses)] })
	}
	g, ctx := errgroup.WithContext(ctx)
	single := make([]int64, 3)
	for i, pause := range []time.Duration{300 * time.Millisecond, time.Second, 3 * time.Second} {
		g.Go(func() (err error) {
			single[i], err = slowly(pause).Book(ctx, dbtest.Booking{Options: options})
			return err
		})
	}
	var parent, order int64
	var children []int64
	g.Go(func() (err error) {
		b := dbtest.Booking{Options: options}
		parent, children, err = slowly(time.Second, 400*time.Millisecond, 1500*time.Millisecond).BookSeveral(ctx, b, b, b)
		return err
	})
	g.Go(func() (err error) {
		order, err = slowly(3*time.Second, 700*time.Millisecond).OrderPackage(ctx, 1, "C", 1, 1)
		return err
	})
	if err := g.Wait(); err != nil {
		t.Fatal(err)
	}
	told := func(what string, id int64, shows string) {
		want = append(want, fmt.Sprintf("%s %d: %s", what, id, shows))
	}
	for _, id := range slices.Concat(single, children) {
		told("onAfterSaveReservation", id, "options 2, statuses 1")
		told("onStatusChangeReservation", id, "options 2, statuses 1")
	}
	told("onStatusChangeReservation", parent, "options 2 2 2, statuses 1")
	told("onAfterSavePackorder", order, "packages 2, statuses 1")
	told("onStatusChangePackageorder", order, "packages 2, statuses 1")

	var got []string
	for _, r := range receiver.WaitAccepted(patience(t), len(want)) {
		got = append(got, r.Header.Get("X-VAP-WEBHOOK-ACTION")+" "+orderShown(t, r.Body))
	}
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("heard\n  %s\nwant\n  %s", strings.Join(got, "\n  "), strings.Join(want, "\n  "))
	}
}

// orderShown says how much of an order an extended payload shows: "12: options 2, statuses 1".
func orderShown(t *testing.T, body []byte) string {
	t.Helper()
	var order struct {
		ID           json.Number `json:"id"`
		IDParent     string      `json:"id_parent"`
		Appointments []struct {
			Options []any `json:"options"`
		} `json:"appointments"`
		Packages []any `json:"packages"`
		History  []any `json:"history"`
	}
	if err := json.Unmarshal(body, &order); err != nil {
		t.Fatalf("%s: %v", body, err)
	}
	parts := fmt.Sprintf("packages %d", len(order.Packages))
	if order.IDParent != "" {
		parts = "options"
		for _, a := range order.Appointments {
			parts += fmt.Sprintf(" %d", len(a.Options))
		}
	}
	return fmt.Sprintf("%s: %s, statuses %d", order.ID, parts, len(order.History))
}
