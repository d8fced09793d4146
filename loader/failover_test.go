package loader

import (
	"context"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"rowhook/cdc"
	"rowhook/dbtest"
	"rowhook/rules"
)

// TestLoadAfterFailover loads events whose places are of a server that is gone. Their GTIDs say when they are there.
func TestLoadAfterFailover(t *testing.T) {
	t.Parallel()
	server := dbtest.Start(t)
	salon := dbtest.Salon(t, server, "wordpress", "wp_")
	site := &rules.Site{Name: "salon", Schema: "wordpress", Prefix: "wp_"}
	l := New(server.DB(t, ""), mariaDB{}, Options{}, slog.New(slog.DiscardHandler))
	server.Exec(t, "RESET MASTER")
	id, err := salon.Insert(t.Context(), "reservation", "id_service", 1, "id_employee", 1)
	if err != nil {
		t.Fatal(err)
	}
	gone := cdc.Coord{File: "primary.999999", Offset: 1 << 40}
	ev := &rules.Event{
		Site: site, Action: entity(t, "appointment.status_change"), IDs: []rules.Key{rules.NumberKey(id)}, Status: "W", Last: gone, GTID: "0-1-1",
		Rules: []*rules.Rule{{Name: "full", Load: rules.Full}},
	}
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	if payloads, err := l.Load(ctx, []*rules.Event{ev}); err != nil || len(payloads[0]) != 1 || payloads[0][0].Object != "" {
		t.Fatalf("loaded %+v, %v", payloads, err)
	}

	ev.IDs, ev.GTID = []rules.Key{rules.NumberKey(id + 1)}, "0-7-2" // another server's GTID, which the next commit stands for
	done := make(chan error, 1)
	go func() {
		payloads, err := l.Load(ctx, []*rules.Event{ev})
		if err == nil && payloads[0][0].Object != "" {
			err = fmt.Errorf("the snapshot is from before the event: %+v", payloads[0])
		}
		done <- err
	}()
	if _, err := salon.Insert(t.Context(), "reservation", "id_service", 1, "id_employee", 1); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// TestForget has a lookup table change at a server whose log is shorter than that of the one before.
func TestForget(t *testing.T) {
	t.Parallel()
	server := dbtest.Start(t)
	salon := dbtest.Salon(t, server, "wordpress", "wp_")
	site := &rules.Site{Name: "salon", Schema: "wordpress", Prefix: "wp_"}
	l := New(server.DB(t, ""), mariaDB{}, Options{}, slog.New(slog.DiscardHandler))
	name := func(at cdc.Coord) string {
		t.Helper()
		snap, err := l.snapshotAt(t.Context(), &rules.Site{}, Place{})
		if err != nil {
			t.Fatal(err)
		}
		defer snap.close(t.Context())
		snap.at = at
		e, err := l.cache.find(t.Context(), snap, site, "service")
		if err != nil {
			t.Fatal(err)
		}
		return e.get(1, "").text("name")
	}
	before := name(cdc.Coord{File: "binlog.000009", Offset: 900})
	if err := salon.Update(t.Context(), "service", 1, "name", "renamed"); err != nil {
		t.Fatal(err)
	}
	at := cdc.Coord{File: "binlog.000001", Offset: 400}
	l.invalidate(site.Table("service"), "", at)
	if got := name(at); got != before {
		t.Errorf("without Forget it is %s: the test shows nothing", got)
	}
	l.forget()
	l.invalidate(site.Table("service"), "", at)
	if got := name(at); got != "renamed" {
		t.Errorf("it is %s", got)
	}
}
