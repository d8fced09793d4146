package main

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"rowhook/dbtest"
	"rowhook/deliver/delivertest"
)

// A table that is emptied without rows in the log makes no deletes: that is said, and what is open is delivered as what
// is gone.
func TestEmptiedTables(t *testing.T) {
	t.Parallel()
	for statement, says := range map[string]string{
		"TRUNCATE wordpress.wp_vikappointments_reservation":                                                  "TRUNCATE TABLE",
		"DROP TABLE wordpress.wp_vikappointments_reservation":                                                "DROP TABLE",
		"DROP DATABASE wordpress":                                                                            "DROP DATABASE",
		"RENAME TABLE wordpress.wp_vikappointments_reservation TO wordpress.old_vikappointments_reservation": "RENAME TABLE",
	} {
		t.Run(says, func(t *testing.T) {
			t.Parallel()
			server := dbtest.Start(t, "--binlog-row-metadata=FULL") // the table may be gone before its rows are read
			site := dbtest.Salon(t, server, "wordpress", "wp_")
			rowhookUser(t, server)
			receiver := delivertest.NewReceiver(t)
			rules := "rules:\n"
			for i, r := range []string{"appointment.save, load: extended", "appointment.status_change, load: full", "appointment.delete"} {
				rules += fmt.Sprintf("  - {name: r%d, action: %s, url: %q}\n", i, r, receiver.URL())
			}
			log := &watched{awaited: "no delete webhooks", seen: make(chan struct{})}
			// So long that only what happens to the table closes the events.
			startDaemon(t, daemonFiles(t, server, rules, "coalesce: 10m\ncoalesce_max: 10m\n"), log)
			id, err := site.Book(t.Context(), dbtest.Booking{})
			if err != nil {
				t.Fatal(err)
			}
			server.Exec(t, statement)
			ctx := patience(t)
			requests := receiver.WaitAccepted(ctx, 2)
			var got []string
			for _, r := range requests {
				got = append(got, r.Header.Get("X-VAP-WEBHOOK-ACTION")+" "+r.Header.Get("X-Rowhook-Object"))
			}
			if want := []string{"onAfterSaveReservation gone", "onStatusChangeReservation gone"}; !slices.Equal(got, want) {
				t.Errorf("heard %q, want %q", got, want)
			}
			if body := string(requests[0].Body); !strings.Contains(body, fmt.Sprintf(`"id":"%d"`, id)) {
				t.Errorf("the save is %s", body)
			}
			select {
			case <-log.seen:
				for _, want := range []string{"salon", "wp_vikappointments_reservation", says} {
					if !strings.Contains(string(log.text), want) {
						t.Errorf("the log does not name %s:\n%s", want, log.text)
					}
				}
			default:
				t.Error("nothing is said of a table that lost its rows")
			}
		})
	}
}
