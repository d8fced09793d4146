//go:build matrix

package main

import (
	"fmt"
	"net/http"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"rowhook/dbtest"
	"rowhook/deliver/delivertest"
)

// sideBySide is a real WordPress with webhooks that are sent as the plugin sends its own, and receivers for these and for
// rowhook's.
type sideBySide struct {
	server *dbtest.Server
	page   *dbtest.WordPress
	url    string
	shown  string // docs/comparison.md
}

// TestComparison measures each figure that docs/comparison.md shows.
func TestComparison(t *testing.T) {
	t.Parallel()
	shown, err := os.ReadFile("../../docs/comparison.md")
	if err != nil {
		t.Fatal(err)
	}
	once, err := os.ReadFile("testdata/once.php")
	if err != nil {
		t.Fatal(err)
	}
	server := dbtest.Start(t)
	dbtest.Salon(t, server, "wordpress", "wp_")
	c := &sideBySide{server: server, page: dbtest.InstallWordPress(t, server, "wordpress"), shown: string(shown)}
	rowhookUser(t, server)
	c.page.Write(t, "wp-content/mu-plugins/once.php", string(once))
	c.url = c.page.Serve(t)
	c.arrivals(t, "refuses connections, for ten bookings", 10, func(r *delivertest.Receiver) { r.Close() })
	c.arrivals(t, "refuses connections, for three", 3, func(r *delivertest.Receiver) { r.Close() })
	c.arrivals(t, "answers 503, for ten", 10, func(r *delivertest.Receiver) { r.Answer(delivertest.Answer{Status: http.StatusServiceUnavailable}) })
	c.arrivals(t, "takes 7 s to answer, for ten", 10, func(r *delivertest.Receiver) { r.Answer(delivertest.Answer{Delay: 7 * time.Second}) })
	c.others(t)
	c.waits(t)
}

// both is a receiver of the page's own webhooks, and one of rowhook's.
type both struct{ pages, ours *delivertest.Receiver }

// receive gives the page webhooks to a receiver, and starts a rowhook with a rule for each of the same for another.
func (c *sideBySide) receive(t *testing.T) both {
	t.Helper()
	b := both{delivertest.NewReceiver(t), delivertest.NewReceiver(t)}
	c.webhooks(t, b.pages)
	startDaemon(t, daemonFiles(t, c.server, fmt.Sprintf("rules:\n  - {name: booked, action: appointment.save, type: insert, url: %q}\n"+
		"  - {name: deleted, action: appointment.delete, url: %[1]q}\n", b.ours.URL()), ""))
	return b
}

// webhooks are those that the page sends from now on, one to each receiver.
func (c *sideBySide) webhooks(t *testing.T, to ...*delivertest.Receiver) {
	t.Helper()
	c.server.Exec(t, "DELETE FROM wordpress.wp_vikappointments_webhook")
	for _, r := range to {
		for _, hook := range []string{"onAfterSaveReservation", "onAfterDeleteReservation"} {
			c.server.Exec(t, "INSERT INTO wordpress.wp_vikappointments_webhook (name, hook, url, published, params, logkey) VALUES ('x', ?, ?, 1, '[]', '')", hook, r.URL())
		}
	}
}

// book books on the page, and says how long that took.
func (c *sideBySide) book(t *testing.T) (id string, took time.Duration) {
	t.Helper()
	began := time.Now()
	status, body := c.page.Get(t, c.url+"/?book=1")
	if _, err := strconv.Atoi(body); err != nil || status != http.StatusOK {
		t.Fatalf("booking: status %d, %q", status, body)
	}
	return body, time.Since(began)
}

// accepted is how many bookings a receiver heard of and took.
func accepted(r *delivertest.Receiver) int {
	ids := map[string]bool{}
	for _, q := range r.Accepted() {
		ids[q.ID()+q.Header.Get("X-VAP-WEBHOOK-ACTION")+string(q.Body)] = true
	}
	return len(ids)
}

// line fails the test unless the page shows a row.
func (c *sideBySide) line(t *testing.T, format string, args ...any) {
	t.Helper()
	row := fmt.Sprintf(format, args...)
	t.Log(row)
	if !strings.Contains(c.shown, row+"\n") {
		t.Errorf("docs/comparison.md does not show what was measured:\n%s", row)
	}
}

// arrivals books three times, then while a receiver is in trouble, then ten times more, and counts what arrives.
func (c *sideBySide) arrivals(t *testing.T, what string, during int, trouble func(*delivertest.Receiver)) {
	t.Run(what, func(t *testing.T) {
		const before, after = 3, 10
		b := c.receive(t)
		all := before + during + after
		for n := range all {
			switch n {
			case before:
				b.ours.WaitAccepted(patience(t), before)
				trouble(b.pages)
				trouble(b.ours)
			case before + during:
				for _, r := range []*delivertest.Receiver{b.pages, b.ours} {
					r.Answer(delivertest.Answer{})
					r.Open()
				}
			}
			c.book(t)
		}
		over := time.Now()
		b.ours.WaitAccepted(patience(t), all)
		t.Logf("rowhook's have all arrived %s after the last booking", time.Since(over).Round(time.Second))
		c.line(t, "| %s | %d of %d | %d of %[3]d |", what, accepted(b.pages), all, accepted(b.ours))
	})
}

// others is what else is committed, or goes wrong.
func (c *sideBySide) others(t *testing.T) {
	b := c.receive(t)
	count := func(what string, do func()) {
		theirs, ours := accepted(b.pages), accepted(b.ours)
		do()
		b.ours.WaitAccepted(patience(t), ours+1)
		c.line(t, "| %s | %d of 1 | %d of 1 |", what, accepted(b.pages)-theirs, accepted(b.ours)-ours)
	}
	var id string
	count("a booking on the page", func() { id, _ = c.book(t) })
	count("one that is deleted there, on PHP 8", func() { c.page.Get(t, c.url+"/?delete="+id) })
	count("one that SQL writes", func() {
		c.server.Exec(t, "INSERT INTO wordpress.wp_vikappointments_reservation (id, id_parent, id_employee, id_service, checkin_ts, duration, total_cost, status)"+
			" VALUES (90001, 90001, 1, 1, '2027-03-01 10:00:00', 45, 38, 'C')")
	})
}

// waits is how much longer a page takes with webhooks than without.
func (c *sideBySide) waits(t *testing.T) {
	quick, slow, silent := delivertest.NewReceiver(t), delivertest.NewReceiver(t), delivertest.NewReceiver(t)
	slow.Answer(delivertest.Answer{Delay: 2 * time.Second})
	silent.Answer(delivertest.Answer{Never: true})
	shortest := func() time.Duration {
		_, one := c.book(t)
		_, other := c.book(t)
		return min(one, other)
	}
	for _, w := range []struct {
		what string
		to   []*delivertest.Receiver
	}{
		{"at once", []*delivertest.Receiver{quick}},
		{"after 2 s", []*delivertest.Receiver{slow}},
		{"never", []*delivertest.Receiver{silent}},
		{"never, and there are three", []*delivertest.Receiver{silent, silent, silent}},
	} {
		t.Run(w.what, func(t *testing.T) {
			c.webhooks(t)
			without := shortest()
			c.webhooks(t, w.to...)
			theirs := shortest()
			c.webhooks(t)
			var rules strings.Builder
			rules.WriteString("rules:\n")
			for i, r := range w.to {
				fmt.Fprintf(&rules, "  - {name: booked%d, action: appointment.save, url: %q}\n", i, r.URL())
			}
			startDaemon(t, daemonFiles(t, c.server, rules.String(), ""))
			ours := shortest()
			t.Logf("without any %s, the page's own %s, with rowhook %s", without, theirs, ours)
			c.line(t, "| %s | %.0f s | %.0f s |", w.what, max(0, (theirs-without).Seconds()), max(0, (ours-without).Seconds()))
		})
	}
}
