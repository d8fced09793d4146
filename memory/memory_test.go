//go:build memory

package memory

import (
	"database/sql"
	"fmt"
	"os"
	"strconv"
	"testing"
	"time"

	"rowhook/dbtest"
)

// rows of the large transactions; MEMORY_ROWS makes them smaller for a quick look.
func rows(t *testing.T) int {
	t.Helper()
	n, err := strconv.Atoi(envOr("MEMORY_ROWS", "1000000"))
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func envOr(name, otherwise string) string {
	if v := os.Getenv(name); v != "" {
		return v
	}
	return otherwise
}

// startServer runs a server that writes fast, with a salon.
func startServer(t *testing.T) (*dbtest.Server, *sql.DB) {
	t.Helper()
	server := dbtest.Start(t, "--innodb-buffer-pool-size=512M", "--innodb-log-file-size=512M", "--max-allowed-packet=128M", "--innodb-doublewrite=0")
	dbtest.Salon(t, server, "wordpress", "wp_")
	server.CreateUser(t, "rowhook", "secret", "REPLICATION SLAVE, BINLOG MONITOR ON *.*", "SELECT ON wordpress.*")
	return server, server.DB(t, "wordpress")
}

func execute(t *testing.T, db *sql.DB, query string, args ...any) {
	t.Helper()
	if _, err := db.ExecContext(t.Context(), query, args...); err != nil {
		t.Fatalf("%.100s: %v", query, err)
	}
}

const insertRows = "INSERT INTO wp_vikappointments_reservation (id, id_parent, id_employee, id_service, checkin_ts, duration, total_cost," +
	" purchaser_nominative, purchaser_mail, custom_f) SELECT seq, seq, 1, 1, '2027-01-12 10:00:00', 30, '25.50', CONCAT('Mario ', seq)," +
	" 'mario@example.test', '{\"CUSTOMF_NAME\":\"Mario\",\"CUSTOMF_LNAME\":\"Bianchi\"}' FROM seq_1_to_%d"

// One transaction inserts a million rows, and the daemon is killed in its middle again and again.
func TestMemoryInserts(t *testing.T) {
	for _, coalesce := range []string{"0s", "500ms"} {
		t.Run("coalesce "+coalesce, func(t *testing.T) {
			n := rows(t)
			if coalesce != "0s" && os.Getenv("MEMORY_ALL") == "" {
				n /= 4 // it is the same, but for one thing
			}
			server, db := startServer(t)
			execute(t, db, "DELETE FROM wp_vikappointments_reservation")
			s := newSink(t)
			d := newDaemon(t, server, coalesce, fmt.Sprintf("  - {name: saves, action: appointment.save, load: full, url: %q}\n", s.url()))
			tx, err := db.BeginTx(t.Context(), nil)
			if err != nil {
				t.Fatal(err)
			}
			began := time.Now()
			if _, err := tx.ExecContext(t.Context(), fmt.Sprintf(insertRows, n)); err != nil {
				t.Fatal(err)
			}
			d.start(t)
			if got := s.count(); got > 0 {
				t.Errorf("%d deliveries before the commit", got)
			}
			if err := tx.Commit(); err != nil {
				t.Fatal(err)
			}
			t.Logf("written in %s", time.Since(began).Round(time.Second))
			began = time.Now()
			for k := range 4 {
				d.drain(t, s, n/6*(k+1))
				d.kill()
				t.Logf("killed at %d after %s, %.0f MB", s.count(), time.Since(began).Round(time.Second), d.peak)
				d.start(t)
			}
			d.drain(t, s, n)
			d.stop(t)
			s.check(t, n, 1)
			t.Logf("%d rows in %s with 4 kills, %d received twice, resident memory up to %.0f MB", n, time.Since(began).Round(time.Second), s.again, d.peak)
			d.checkPeak(t, mostRSS)
		})
	}
}

// One transaction updates many rows, of which a rule wants every tenth; another deletes them.
func TestMemoryUpdatesAndDeletes(t *testing.T) {
	n := rows(t)
	if os.Getenv("MEMORY_ALL") == "" {
		n /= 4
	}
	server, db := startServer(t)
	execute(t, db, "DELETE FROM wp_vikappointments_reservation")
	execute(t, db, fmt.Sprintf(insertRows, n))
	s := newSink(t)
	d := newDaemon(t, server, "500ms", fmt.Sprintf("  - {name: saves, action: appointment.save, statuses: [C], load: full, url: %[1]q}\n"+
		"  - {name: deletes, action: appointment.delete, url: %[1]q}\n", s.url()))
	execute(t, db, "UPDATE wp_vikappointments_reservation SET notes = 'changed', status = IF(id % 10 = 0, 'C', 'P')")
	d.start(t)
	began := time.Now()
	d.drain(t, s, n/10)
	s.check(t, n, 10)
	t.Logf("%d updates in %s, resident memory up to %.0f MB", n, time.Since(began).Round(time.Second), d.peak)
	s.reset()
	execute(t, db, "DELETE FROM wp_vikappointments_reservation")
	began = time.Now()
	d.drain(t, s, (n+999)/1000)
	d.stop(t)
	s.check(t, n, 1)
	t.Logf("%d deletes in %s, resident memory up to %.0f MB", n, time.Since(began).Round(time.Second), d.peak)
	d.checkPeak(t, mostRSS)
}

// A backlog of BACKLOG_GB gigabytes, in rows of 50 KB, is drained.
func TestMemoryBacklog(t *testing.T) {
	gigabytes, err := strconv.ParseFloat(envOr("BACKLOG_GB", "1"), 64)
	if err != nil {
		t.Fatal(err)
	}
	const text, each = 50_000, 20
	txns := int(gigabytes * (1 << 30) / text / each)
	server, db := startServer(t)
	execute(t, db, "DELETE FROM wp_vikappointments_reservation")
	execute(t, db, "ALTER TABLE wp_vikappointments_reservation ENGINE=MyISAM") // spares the test InnoDB's log
	s := newSink(t)
	d := newDaemon(t, server, "500ms", fmt.Sprintf("  - {name: saves, action: appointment.save, load: full, url: %q}\n", s.url()))
	began := time.Now()
	for i := range txns {
		execute(t, db, fmt.Sprintf("INSERT INTO wp_vikappointments_reservation (id, id_parent, id_employee, notes)"+
			" SELECT seq, seq, 1, REPEAT('x', %d) FROM seq_%d_to_%d", text, i*each+1, (i+1)*each))
	}
	t.Logf("%d rows written in %s", txns*each, time.Since(began).Round(time.Second))
	began = time.Now()
	d.start(t)
	d.drain(t, s, txns*each)
	d.stop(t)
	s.check(t, txns*each, 1)
	took := time.Since(began)
	t.Logf("%d rows in %s, %.1f GB of payloads, %.0f MB a second, resident memory up to %.0f MB",
		txns*each, took.Round(time.Second), float64(s.bytes)/(1<<30), float64(s.bytes)/(1<<20)/took.Seconds(), d.peak)
	d.checkPeak(t, mostRSS)
}
