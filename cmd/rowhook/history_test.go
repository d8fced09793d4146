package main

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"rowhook/dbtest"
	"rowhook/deliver/delivertest"
)

// A machine that is set back to a snapshot, database and state_dir together, has the same position and gives the same
// GTIDs (or offsets) again, to other transactions: what is booked then has ids that no receiver knows.
func TestSetBackToASnapshot(t *testing.T) { onServers(t, testSetBackToASnapshot) }

func testSetBackToASnapshot(t *testing.T, server *dbtest.Server) {
	t.Helper()
	dbtest.Salon(t, server, "wordpress", "wp_")
	rowhookUser(t, server)
	receiver := delivertest.NewReceiver(t)
	files := daemonFiles(t, server, everyAction(receiver.URL()), "coalesce: 100ms\nstatus_wait: 300ms\n")
	startDaemon(t, files)()

	data, state := filepath.Join(filepath.Dir(server.Socket()), "data"), filepath.Join(filepath.Dir(files), "state")
	if err := server.Stop(); err != nil {
		t.Fatal(err)
	}
	saved := t.TempDir()
	copyTree(t, data, filepath.Join(saved, "data"))
	copyTree(t, state, filepath.Join(saved, "state"))

	ctx := patience(t)
	ids := map[string]string{}
	var booked time.Time
	for n, name := range []string{"Ada", "Bruno"} {
		if n > 0 {
			copyTree(t, filepath.Join(saved, "data"), data)
			copyTree(t, filepath.Join(saved, "state"), state)
		}
		if err := server.Restart(t.Context()); err != nil {
			t.Fatal(err)
		}
		stop := startDaemon(t, files)
		site := dbtest.NewSite(server.DB(t, "wordpress"), "wp_")
		eventually(t, "another second begins, for a MariaDB's commit times are whole ones", func() bool { return time.Now().Unix() > booked.Unix() })
		if id, err := site.Book(t.Context(), dbtest.Booking{Name: name}); err != nil || id == 0 {
			t.Fatalf("booking %d: %v", id, err)
		}
		booked = time.Now() // the last second in which something may have been committed
		got := receiver.WaitRequests(ctx, 2*(n+1))
		stop()
		if err := server.Stop(); err != nil {
			t.Fatal(err)
		}
		for _, r := range got[2*n:] {
			if other := ids[r.ID()]; other != "" {
				t.Errorf("%s has the id of what was delivered before the machine was set back: %s", r.Body, other)
			}
			ids[r.ID()] = string(r.Body)
		}
	}
	if len(ids) != 4 {
		t.Errorf("%d ids for 4 events", len(ids))
	}
}

// copyTree makes to what from is.
func copyTree(t *testing.T, from, to string) {
	t.Helper()
	if err := os.RemoveAll(to); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.CommandContext(t.Context(), "cp", "-a", from, to).CombinedOutput(); err != nil { //nolint:gosec // paths of the test
		t.Fatalf("copying %s: %v: %s", from, err, out)
	}
}

// Who reads a replica gives each event the id that it has at the primary, though the replica leaves tables out that rowhook
// does not watch.
func TestReplicasGiveTheSameIDs(t *testing.T) {
	t.Parallel()
	for _, kind := range kinds(t) {
		t.Run(string(kind), func(t *testing.T) {
			t.Parallel()
			testReplicasGiveTheSameIDs(t, kind)
		})
	}
}

func testReplicasGiveTheSameIDs(t *testing.T, kind dbtest.Kind) {
	t.Helper()
	primary := dbtest.StartServer(t, kind)
	replica := dbtest.StartServer(t, kind, "--server-id=2", "--log-slave-updates=ON", "--binlog-row-event-max-size=256",
		"--binlog-row-metadata=FULL", "--replicate-wild-ignore-table=wordpress.wp_statistics")
	replicate(t, primary, replica)
	site := dbtest.Salon(t, primary, "wordpress", "wp_")
	rowhookUser(t, primary)
	caughtUp := func(what, query string) {
		eventually(t, "the replica to have "+what, func() bool {
			var n int
			return replica.DB(t, "").QueryRowContext(t.Context(), query).Scan(&n) == nil && n > 0
		})
	}
	caughtUp("the user", "SELECT COUNT(*) FROM mysql.user WHERE User = 'rowhook'")

	// One state_dir, copied: both daemons have the source id and the position of the first.
	atPrimary, atReplica := delivertest.NewReceiver(t), delivertest.NewReceiver(t)
	files := daemonFiles(t, primary, everyAction(atPrimary.URL()), "coalesce: 0s\n")
	other := daemonFiles(t, replica, everyAction(atReplica.URL()), "coalesce: 0s\n")
	startDaemon(t, files)()
	copyTree(t, filepath.Join(filepath.Dir(files), "state"), filepath.Join(filepath.Dir(other), "state"))
	startDaemon(t, files)
	startDaemon(t, other)

	id, err := site.Book(t.Context(), dbtest.Booking{})
	if err != nil {
		t.Fatal(err)
	}
	primary.Exec(t, "CREATE TABLE wordpress.wp_statistics (id INT PRIMARY KEY)")
	primary.Exec(t, fmt.Sprintf("USE wordpress; BEGIN; INSERT INTO wp_statistics VALUES (1); UPDATE wp_vikappointments_reservation SET notes = 'x' WHERE id = %d; COMMIT", id))
	if err := site.DeleteBookings(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	last := func(rs []delivertest.Request) bool {
		return len(rs) > 0 && rs[len(rs)-1].Header.Get("X-VAP-WEBHOOK-ACTION") == "onAfterDeleteReservation"
	}
	ids := func(r *delivertest.Receiver) []string {
		var list []string
		for _, q := range r.Wait(t.Context(), "the delete", last) {
			list = append(list, q.Header.Get("X-VAP-WEBHOOK-ACTION")+" "+q.ID())
		}
		return list
	}
	want, got := ids(atPrimary), ids(atReplica)
	if len(want) < 4 || fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("from the replica: %v\nfrom the primary: %v", got, want)
	}
}

// replicate makes a replica of two servers whose logs begin anew.
func replicate(t *testing.T, primary, replica *dbtest.Server) {
	t.Helper()
	host, port, err := net.SplitHostPort(primary.Address())
	if err != nil {
		t.Fatal(err)
	}
	primary.CreateUser(t, "replica", "secret", "REPLICATION SLAVE ON *.*")
	for _, s := range []*dbtest.Server{primary, replica} {
		s.Exec(t, resetLog(s))
	}
	statement := "CHANGE MASTER TO master_host = '%s', master_port = %s, master_user = 'replica', master_password = 'secret', " +
		"master_use_gtid = slave_pos; START SLAVE"
	if primary.Kind().MySQL() {
		statement = "CHANGE REPLICATION SOURCE TO SOURCE_HOST = '%s', SOURCE_PORT = %s, SOURCE_USER = 'replica', SOURCE_PASSWORD = 'secret', " +
			"SOURCE_AUTO_POSITION = 1, GET_SOURCE_PUBLIC_KEY = 1; START REPLICA"
	}
	replica.Exec(t, fmt.Sprintf(statement, host, port))
}
