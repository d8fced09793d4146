package main

import (
	"fmt"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"rowhook/dbtest"
	"rowhook/deliver/delivertest"
)

// recipes are the rules of the cookbook by their names, each a rule file with another url.
func recipes(t *testing.T) map[string]string {
	t.Helper()
	found := map[string]string{}
	text := string(documents(t)["../../docs/cookbook.md"])
	for _, block := range regexp.MustCompile("(?s)```yaml\nrules:\n(.*?)```").FindAllStringSubmatch(text, -1) {
		for _, rule := range regexp.MustCompile(`(?m)^  - `).Split(block[1], -1)[1:] {
			name, _, _ := strings.Cut(strings.TrimPrefix(rule, "name: "), "\n")
			found[name] = "  - " + rule
		}
	}
	return found
}

// TestDocumentedRecipes: the rules of the cookbook that look closely do what the cookbook says, of bookings that are made, moved,
// edited, refused payment, paid too late, cancelled by a customer and by the staff, and imported from another calendar.
func TestDocumentedRecipes(t *testing.T) { onServers(t, testDocumentedRecipes) }

func testDocumentedRecipes(t *testing.T, server *dbtest.Server) {
	site := dbtest.Salon(t, server, "wordpress", "wp_")
	rowhookUser(t, server)
	all := recipes(t)
	ruleFile, receivers := "rules:\n", map[string]*delivertest.Receiver{}
	for _, name := range []string{"rescheduled", "cancelled", "cancelled-by-customer", "unpaid", "expired", "payment-refused", "calendar"} {
		if all[name] == "" {
			t.Fatalf("the cookbook has no rule %s", name)
		}
		receivers[name] = delivertest.NewReceiver(t)
		ruleFile += regexp.MustCompile(`url: .*`).ReplaceAllString(all[name], "url: "+receivers[name].URL())
	}
	file := daemonFiles(t, server, ruleFile, "coalesce: 50ms\n")
	p := start(t, build(t), "run", "--config", file)
	p.until(t, following)
	ctx := patience(t)
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	mine, err := site.Book(ctx, dbtest.Booking{Name: "Ann", CheckIn: dbtest.At(3, 10)})
	must(err)
	receivers["calendar"].WaitAccepted(ctx, 1)
	must(site.SaveBooking(ctx, mine, "notes", "window seat")) // no other time
	receivers["calendar"].WaitAccepted(ctx, 2)
	must(site.Reschedule(ctx, mine, dbtest.At(4, 11)))
	receivers["calendar"].WaitAccepted(ctx, 3)
	must(site.Cancel(ctx, mine)) // by the staff
	theirs, err := site.Book(ctx, dbtest.Booking{Name: "Bob", CheckIn: dbtest.At(5, 10)})
	must(err)
	_, err = site.Insert(ctx, "order_status", "id_order", theirs, "status", "X", "comment", "VAP_STATUS_ORDER_CANCELLED", "client", 0, "ip", "127.0.0.1",
		"createdby", 0, "createdon", dbtest.At(0, 1).Format("2006-01-02 15:04:05"), "type", "reservation")
	must(err)
	receivers["calendar"].Wait(ctx, "the second booking", func(requests []delivertest.Request) bool { // what follows is no part of its making
		return len(requests) > 0 && strings.Contains(string(requests[len(requests)-1].Body), `"purchaser_nominative":"Bob"`)
	})
	for n := range 2 { // as the plugin does when a payment method refuses
		server.Exec(t, fmt.Sprintf("UPDATE wordpress.wp_vikappointments_reservation SET payment_attempt = payment_attempt + 1, log = 'refused' WHERE id = %d", theirs))
		receivers["payment-refused"].WaitAccepted(ctx, n+1) // the second is another event
	}
	must(site.AddStatus(ctx, "reservation", theirs, "W", ""))
	must(site.AddStatus(ctx, "reservation", theirs, "E", ""))
	must(site.SaveBooking(ctx, theirs, "payment_attempt", 1)) // another try begins: not refused
	must(site.SaveBooking(ctx, theirs, "icaluid", "7@calendar.example", "notes", "from the other calendar"))
	_, err = site.Book(ctx, dbtest.Booking{Name: "Eve", CheckIn: dbtest.At(6, 10)}) // by when all else is decided
	must(err)
	receivers["calendar"].Wait(ctx, "the last booking", func(requests []delivertest.Request) bool {
		return len(requests) > 0 && strings.Contains(string(requests[len(requests)-1].Body), `"purchaser_nominative":"Eve"`)
	})
	for name, want := range map[string][]string{
		"rescheduled":           {`"previous":{"checkin_ts":"` + dbtest.At(3, 10).Format("2006-01-02 15:04:05")},
		"cancelled":             {"", ""},
		"cancelled-by-customer": {`"client":0`},
		"unpaid":                {"", "", "", ""}, // each is pending when it is made
		"expired":               {""},
		"payment-refused":       {`"payment_attempt":2`, `"payment_attempt":3`},
	} {
		receivers[name].WaitAccepted(ctx, len(want))
		got := receivers[name].Accepted()
		if len(got) != len(want) {
			t.Errorf("%s was told of %d events, not %d", name, len(got), len(want))
		}
		for i, w := range want {
			if !strings.Contains(string(got[i].Body), w) {
				t.Errorf("%s got %s without %s", name, got[i].Body, w)
			}
		}
	}
	for _, q := range receivers["calendar"].Accepted() {
		if strings.Contains(string(q.Body), "from the other calendar") {
			t.Errorf("what came from the calendar went back to it: %s", q.Body)
		}
	}
	p.signal(t, syscall.SIGTERM)
	p.ends(t)
}
