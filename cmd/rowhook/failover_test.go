package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"rowhook/dbtest"
	"rowhook/deliver/delivertest"
)

// TestFailover promotes a replica while events of the primary are on their way. They are loaded from the replica, whose
// log is another one, with other places; nothing is lost, and nothing comes under two ids.
func TestFailover(t *testing.T) {
	t.Parallel()
	primary, replica := dbtest.Start(t), dbtest.Start(t, "--server-id=2", "--log-slave-updates=ON")
	replicate(t, primary, replica)
	site := dbtest.Salon(t, primary, "wordpress", "wp_")
	rowhookUser(t, primary)
	primary.Exec(t, strings.Repeat("FLUSH BINARY LOGS;", 5)) // every place of it is beyond the replica's log

	receiver := delivertest.NewReceiver(t)
	files := daemonFiles(t, primary, everyAction(receiver.URL()), "coalesce: 15s\ncoalesce_max: 15s\n")
	socket := filepath.Join(t.TempDir(), "s")
	leadTo(t, files, primary, socket)
	defer startDaemon(t, files)()
	before, err := site.Book(t.Context(), dbtest.Booking{})
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, "both events beside the position", func() bool { return positionOf(t, files).Events == 2 })
	eventually(t, "the replica to have it", func() bool {
		var n int
		err := replica.DB(t, "wordpress").QueryRowContext(t.Context(), "SELECT COUNT(*) FROM wp_vikappointments_order_status WHERE id_order = ?", before).Scan(&n)
		return err == nil && n > 0
	})
	if err := primary.Kill(); err != nil {
		t.Fatal(err)
	}
	replica.Exec(t, "STOP SLAVE; RESET SLAVE ALL")
	leadTo(t, files, replica, socket)
	if len(receiver.Requests()) > 0 {
		t.Fatal("nothing was on its way any more: the test shows nothing")
	}
	after, err := dbtest.NewSite(replica.DB(t, "wordpress"), "wp_").Book(t.Context(), dbtest.Booking{})
	if err != nil {
		t.Fatal(err)
	}
	ctx := patience(t)
	ids := map[string]bool{}
	got := receiver.WaitAccepted(ctx, 4)
	for _, r := range got {
		ids[r.ID()] = true
	}
	events := heard(t, got)
	for _, id := range []int64{before, after} {
		for _, action := range []string{"onAfterSaveReservation", "onStatusChangeReservation"} {
			if n := events[fmt.Sprintf("%s %d", action, id)]; n != 1 {
				t.Errorf("%s %d was heard of %d times", action, id, n)
			}
		}
	}
	if len(ids) != 4 {
		t.Errorf("%d ids for 4 events", len(ids))
	}
}

// leadTo makes the daemon's database the server behind a socket's name.
func leadTo(t *testing.T, files string, server *dbtest.Server, socket string) {
	t.Helper()
	next := socket + ".next"
	if err := os.Symlink(server.Socket(), next); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(next, socket); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(files)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(files, []byte(strings.Replace(string(text), server.Address(), socket, 1)), 0o600); err != nil {
		t.Fatal(err)
	}
}
