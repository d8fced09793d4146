package main

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"rowhook/dbtest"
	"rowhook/deliver/delivertest"
)

// The log can be read before its rows can: for some milliseconds under load, and for as long as a semi-synchronous
// replica takes to answer. What is loaded for an event must come from a snapshot that contains it (DESIGN 6).

// extended is what these tests look at of an extended payload.
type extended struct {
	ID           string `json:"id"`
	Appointments []struct {
		Service struct {
			Name string `json:"name"`
		} `json:"service"`
	} `json:"appointments"`
}

func readExtended(t *testing.T, r delivertest.Request) extended {
	t.Helper()
	var e extended
	if err := json.Unmarshal(r.Body, &e); err != nil {
		t.Fatalf("%s: %v", r.Body, err)
	}
	if gone := r.Header.Get("X-Rowhook-Object"); gone != "" || len(e.Appointments) != 1 {
		t.Errorf("order %s was delivered as %q with %d appointments", e.ID, gone, len(e.Appointments))
		e.Appointments = make([]struct {
			Service struct {
				Name string `json:"name"`
			} `json:"service"`
		}, 1)
	}
	return e
}

func extendedSaves(url string) string {
	return fmt.Sprintf("rules: [{name: saves, action: appointment.save, load: extended, url: %q}]", url)
}

func TestSlowCommitsAreWaitedFor(t *testing.T) {
	t.Parallel()
	server := dbtest.Start(t, "--rpl-semi-sync-master-timeout=300")
	site := dbtest.Salon(t, server, "wordpress", "wp_")
	rowhookUser(t, server)
	receiver := delivertest.NewReceiver(t)
	startDaemon(t, daemonFiles(t, server, extendedSaves(receiver.URL()), "coalesce: 0s\n"))
	// No replica answers, so the next commit stands in the log and waits for its time-out before it is visible.
	slow := func() {
		server.Exec(t, "SET GLOBAL rpl_semi_sync_master_enabled = OFF")
		server.Exec(t, "SET GLOBAL rpl_semi_sync_master_wait_point = AFTER_SYNC")
		server.Exec(t, "SET GLOBAL rpl_semi_sync_master_enabled = ON")
	}
	ctx := patience(t)
	for n := range 3 {
		slow()
		began := time.Now()
		id, err := site.Book(ctx, dbtest.Booking{})
		if err != nil {
			t.Fatal(err)
		}
		if took := time.Since(began); took < 250*time.Millisecond {
			t.Fatalf("the commit took %v: it was not slow, and this test proves nothing", took)
		}
		requests := receiver.WaitAccepted(ctx, 2*n+1)
		if e := readExtended(t, requests[2*n]); e.ID != fmt.Sprint(id) {
			t.Errorf("heard of order %s, want %d", e.ID, id)
		}

		// A lookup table that changes slowly must not be remembered as it was.
		slow()
		name := fmt.Sprintf("Cut number %d", n)
		if err := site.Update(ctx, "service", 1, "name", name); err != nil {
			t.Fatal(err)
		}
		if err := site.SaveBooking(ctx, id, "notes", name); err != nil {
			t.Fatal(err)
		}
		requests = receiver.WaitAccepted(ctx, 2*n+2)
		if got := readExtended(t, requests[2*n+1]).Appointments[0].Service.Name; got != name {
			t.Errorf("the service is called %q, want %q", got, name)
		}
	}
}

func TestManyWritersSeeNothingStale(t *testing.T) {
	t.Parallel()
	server := dbtest.Start(t, "--sync-binlog=1", "--innodb-flush-log-at-trx-commit=1")
	site := dbtest.Salon(t, server, "wordpress", "wp_")
	rowhookUser(t, server)
	receiver := delivertest.NewReceiver(t)
	startDaemon(t, daemonFiles(t, server, extendedSaves(receiver.URL()), "coalesce: 0s\n"))
	const writers, rounds = 8, 40
	// Each writer has a service of its own, renames it, and books it: the booking must show this name or a later one.
	named := make(chan [2]int64, writers*rounds) // order, number of the name
	g, ctx := errgroup.WithContext(t.Context())
	for range writers {
		g.Go(func() error {
			service, err := site.Insert(ctx, "service", "name", "0", "alias", "s", "duration", 30, "price", 20)
			if err != nil {
				return err
			}
			for n := 1; n <= rounds; n++ {
				if err := site.Update(ctx, "service", service, "name", fmt.Sprint(n)); err != nil {
					return err
				}
				id, err := site.Insert(ctx, "reservation", "id_employee", 1, "id_service", service, "checkin_ts", "2027-01-12 10:00:00",
					"duration", 30, "purchaser_mail", "a@example.test", "locked_until", 5)
				if err != nil {
					return err
				}
				named <- [2]int64{id, int64(n)}
			}
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		t.Fatal(err)
	}
	close(named)
	want := map[string]int64{}
	for n := range named {
		want[fmt.Sprint(n[0])] = n[1]
	}
	for _, r := range receiver.WaitAccepted(patience(t), writers*rounds) {
		e := readExtended(t, r)
		var got int64
		if _, err := fmt.Sscan(e.Appointments[0].Service.Name, &got); err != nil || got < want[e.ID] {
			t.Errorf("order %s shows the service's name %q, which was %d when it was booked", e.ID, e.Appointments[0].Service.Name, want[e.ID])
		}
	}
}
