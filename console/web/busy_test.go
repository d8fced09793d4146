package web

import (
	"context"
	"fmt"
	"math"
	"time"

	"rowhook/api"
	"rowhook/deliver"
	"rowhook/outbox"
	"rowhook/pipeline"
)

// busyDay is a Log over a store, with what was counted in a day that the store did not see.
type busyDay struct{ Log }

// Hours are a day with its ups and downs.
func (b busyDay) Hours(_ context.Context, _ string, since time.Time) (list []outbox.Hour, err error) {
	for i := range hoursOfDay {
		at := since.UTC().Truncate(time.Hour).Add(time.Duration(i) * time.Hour)
		for k, endpoint := range []string{crm, zaps, board} {
			h := outbox.Hour{Endpoint: endpoint, Start: at}
			h.Delivered = int64(40 * (1 + math.Sin(float64(i)/24*2*math.Pi-1.5)) / float64(k+1))
			if i == 7 {
				h.Failed = 3
			}
			if endpoint == board && i == hoursOfDay-1 {
				h.Delivered, h.Failed = 2, 31
			}
			h.Times[6], h.Times[8] = h.Delivered, h.Failed
			list = append(list, h)
		}
	}
	return list, nil
}

// troubled gives a world three receivers in trouble, a stopped site and one that catches up, dead letters, and a booking with a history.
func (w *world) troubled() (waits *outbox.Delivery) {
	w.t.Helper()
	for i := range 60 {
		site := []string{"salon", "nails", "spa"}[i%3]
		d := w.commit("status-board", site, fmt.Sprintf("appointment/%d", 20+i/2), "appointment.status_change", `{"id":"1"}`)
		w.settle(d, outbox.Delivered, 1, nil)
	}
	for i := range 4 {
		d := w.commit("crm-bookings", "salon", fmt.Sprintf("appointment/%d", 48+i/2), "appointment.save", `{}`)
		w.settle(d, outbox.Dead, 10, &outbox.Attempt{At: time.Now().Add(-time.Hour), Status: 422, Error: "the receiver answered 422 Unprocessable Content", Response: `{"error":"phone"}`, Latency: 90 * time.Millisecond})
	}
	w.settle(w.commit("crm-bookings", "salon", "appointment/12", "appointment.save", `{}`), outbox.Delivered, 1, nil)
	first := w.commit("status-board", "salon", "appointment/12", "appointment.status_change", `{"id":"12","purchaser_nominative":"Ada Example","purchaser_phone":"+1 555 0100","status":"C"}`)
	w.settle(first, outbox.Waiting, 1, &outbox.Attempt{At: time.Now().Add(-12 * time.Minute), Status: 502, Error: "the receiver answered 502 Bad Gateway", Latency: 212 * time.Millisecond,
		Response: "<!DOCTYPE html>\n<html><head><title>502 Bad Gateway</title></head>\n<body><h1>The board is being restarted</h1></body></html>"})
	w.commit("status-board", "salon", "appointment/12", "appointment.status_change", `{}`)
	for i := range 5 {
		w.commit("zap-new-bookings", "spa", fmt.Sprintf("appointment/%d", 70+i), "appointment.save", `{}`)
	}
	w.recount()
	s := w.status
	s.Sites[1] = pipeline.SiteStatus{Name: "spa", State: pipeline.SiteStopped, Since: time.Now().Add(-23 * time.Minute), Read: time.Now().Add(-23 * time.Minute), Events: 7,
		Reason: "SELECT command denied to user 'rowhook'@'localhost' for table `wp_spa`.`wp_vikappointments_reservation` (1142)",
		Fix:    "GRANT SELECT ON `wp_spa`.* TO 'rowhook'@'localhost';", Stop: &pipeline.Stop{Site: "spa", Txn: "0-1-884103"}, Ways: []string{"rowhook sites resume spa", "rowhook sites resume spa --from-now"}}
	s.Sites[2] = pipeline.SiteStatus{Name: "nails", State: pipeline.SiteCatching, Read: time.Now().Add(-38 * time.Second), Events: 212}
	for i := range s.Endpoints {
		switch e := &s.Endpoints[i]; e.Name {
		case board:
			e.DownSince, e.NextProbe, e.LastError = time.Now().Add(-12*time.Minute), time.Now().Add(18*time.Second), "connection refused"
			e.LastSuccess = time.Now().Add(-13 * time.Minute)
			e.Pace = deliver.Pace{Most: 16, Every: time.Second}
			e.Outages = []deliver.Outage{{Since: e.DownSince, Probes: 25, Error: "connection refused"},
				{Since: time.Now().Add(-3 * time.Hour), Until: time.Now().Add(-3*time.Hour + 41*time.Second), Probes: 4, Error: "the receiver answered 503 Service Unavailable"}}
		case zaps:
			gone := &deliver.Pause{Since: time.Now().Add(-5 * time.Hour), Reason: "the receiver answered 410 Gone"}
			e.URLs = []deliver.URLStatus{{URL: "https://zaps.example.com/hooks/…", Rules: []string{"zap-new-bookings"}, Paused: gone}}
		}
	}
	s.Lacks = []api.Lack{{Rule: "cart-added", Text: "No row shows this event: it comes from the relay, one PHP file, which is not on spa. To install it, type on its web server:", Fix: []string{"rowhook relay --site spa > /var/www/spa/wp-content/mu-plugins/rowhook-relay.php"}}}
	w.mu.Lock()
	w.status = s
	w.rules = append(w.rules, Rule{Name: "cart-added", Action: "onAddItemCart", Hook: "onAddItemCart", Sites: []string{"salon", "spa"}, URL: "https://zaps.example.com/cart", Endpoint: zaps, Place: "cart.yaml:2", Relay: true})
	w.mu.Unlock()
	w.console.live.tell(s, nil)
	return first
}
