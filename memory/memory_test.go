//go:build memory

package memory

import (
	"crypto/rand"
	"database/sql"
	"encoding/hex"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
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

const hugeRow = 64 << 20

// Rows of 64 MB, in a table that nobody watches and in one that is, read by the reader alone and by the whole daemon: all
// that a statement can do to them, and all that a rule can want of them.
func TestMemoryHugeRow(t *testing.T) {
	server, db := startServer(t)
	execute(t, db, "CREATE TABLE other (id INT PRIMARY KEY, t LONGTEXT) ENGINE=MyISAM") // spares the test InnoDB's log
	execute(t, db, "ALTER TABLE wp_vikappointments_reservation MODIFY notes LONGTEXT, MODIFY log LONGTEXT")
	const (
		insert  = "INSERT INTO wp_vikappointments_reservation (id, id_parent, id_employee, notes) VALUES (%[1]d, %[1]d, 1, REPEAT('x', %[2]d))"
		marker  = "INSERT INTO wp_vikappointments_reservation (id, id_parent, id_employee) VALUES (%[1]d, %[1]d, 1)"
		deleted = 9 // bytes of {"id":1}
	)
	for i, c := range []struct {
		name, before, query string // with the row's id and the size of the text
		coalesce            string
		rule                string
		size                int // of the payload
	}{
		{"unwatched", "", "INSERT INTO other VALUES (%[1]d, REPEAT('x', %[2]d))", "0s", "action: appointment.save, load: full", 0},
		{"insert", "", insert, "0s", "action: appointment.save, load: full", hugeRow},
		{"insert in a window", "", insert, "500ms", "action: appointment.save, load: basic", hugeRow},
		{"update of another column", insert, "UPDATE wp_vikappointments_reservation SET duration = 77 WHERE id = %[1]d", "0s", "action: appointment.save, load: full", hugeRow},
		{"update of the text", insert, "UPDATE wp_vikappointments_reservation SET notes = CONCAT(notes, 'y') WHERE id = %[1]d", "0s", "action: appointment.save, load: basic", hugeRow},
		{"delete", insert, "DELETE FROM wp_vikappointments_reservation WHERE id = %[1]d", "0s", "action: appointment.delete", deleted},
		{"status", insert, "UPDATE wp_vikappointments_reservation SET status = 'C' WHERE id = %[1]d", "0s", "action: appointment.status_change, load: full", hugeRow},
		{"extended", "", strings.ReplaceAll(insert, "notes", "log"), "0s", "action: appointment.save, load: extended", hugeRow},
	} {
		t.Run(c.name, func(t *testing.T) {
			id := 5000 + 10*i
			if c.before != "" {
				execute(t, db, fmt.Sprintf(c.before, id, hugeRow))
			}
			s := newSink(t)
			d := newDaemon(t, server, c.coalesce, fmt.Sprintf("  - {name: rule, %s, url: %q}\n", c.rule, s.url()))
			f := newFollower(t, server)
			d.start(t)
			execute(t, db, fmt.Sprintf(c.query, id, hugeRow))
			want := 1
			if c.size == 0 { // something must come
				execute(t, db, fmt.Sprintf(marker, id+1))
			}
			d.drain(t, s, want)
			d.stop(t)
			if s.bytes < int64(c.size) {
				t.Errorf("%d bytes were received", s.bytes)
			}
			peak := f.peakBehind(t, 1)
			t.Logf("the reader alone: %.0f MB; the daemon: %.0f MB", peak, d.peak)
			if peak > mostRSS {
				t.Errorf("the reader took %.0f MB, allowed are %d", peak, mostRSS)
			}
			d.checkPeak(t, mostRSS)
		})
	}
}

// A backfill reads a row of 64 MB among small ones.
func TestMemoryHugeRowBackfill(t *testing.T) {
	server, db := startServer(t)
	execute(t, db, "ALTER TABLE wp_vikappointments_reservation MODIFY notes LONGTEXT")
	execute(t, db, "DELETE FROM wp_vikappointments_reservation")
	execute(t, db, fmt.Sprintf(insertRows, 400))
	execute(t, db, fmt.Sprintf("UPDATE wp_vikappointments_reservation SET notes = REPEAT('x', %d) WHERE id IN (50, 200)", hugeRow))
	s := newSink(t)
	d := newDaemon(t, server, "0s", fmt.Sprintf("  - {name: saves, action: appointment.save, load: full, url: %q}\n", s.url()))
	d.start(t)
	d.command(t, "backfill", "--rule", "saves")
	d.drain(t, s, 400)
	d.stop(t)
	s.check(t, 400, 1)
	if s.bytes < 2*hugeRow {
		t.Errorf("%d bytes were received", s.bytes)
	}
	t.Logf("the daemon: %.0f MB", d.peak)
	d.checkPeak(t, mostRSS)
}

// A row of 64 MB that hardly compresses, in every form in which a server may send it.
func TestMemoryHugeRowOnTheWay(t *testing.T) {
	random := make([]byte, hugeRow/2)
	_, _ = rand.Read(random)
	text := hex.EncodeToString(random)
	for _, c := range []struct {
		name string
		kind dbtest.Kind
		arg  string
		tls  bool
	}{
		{"MariaDB, log_bin_compress", dbtest.MariaDB1011, "--log-bin-compress=ON", false},
		{"MySQL", dbtest.MySQL97, "--sync-binlog=1", false},
		{"MySQL, TLS", dbtest.MySQL97, "--sync-binlog=1", true},
		{"MySQL, transaction compression", dbtest.MySQL97, "--binlog-transaction-compression=ON", false},
	} {
		if !slices.Contains(dbtest.Servers(t), c.kind) {
			continue
		}
		t.Run(c.name, func(t *testing.T) {
			room := "--innodb-log-file-size=512M"
			if c.kind.MySQL() {
				room = "--innodb-redo-log-capacity=1G"
			}
			server := dbtest.StartServer(t, c.kind, c.arg, room, "--max-allowed-packet=256M", "--innodb-buffer-pool-size=512M")
			dbtest.Salon(t, server, "wordpress", "wp_")
			server.CreateUser(t, "rowhook", "secret", "REPLICATION SLAVE, REPLICATION CLIENT ON *.*", "SELECT ON wordpress.*")
			db, err := sql.Open("mysql", "root@unix("+server.Socket()+")/wordpress?maxAllowedPacket=0&sql_mode=''")
			if err != nil {
				t.Fatal(err)
			}
			defer db.Close()
			execute(t, db, "ALTER TABLE wp_vikappointments_reservation MODIFY notes LONGTEXT")
			s := newSink(t)
			d := newDaemon(t, server, "0s", fmt.Sprintf("  - {name: saves, action: appointment.save, load: full, url: %q}\n", s.url()))
			if c.tls {
				d.withTLS(t)
			}
			d.start(t)
			execute(t, db, "INSERT INTO wp_vikappointments_reservation (id, id_parent, id_employee, notes) VALUES (4711, 4711, 1, '"+text+"')")
			d.drain(t, s, 1)
			d.stop(t)
			if s.bytes < hugeRow {
				t.Errorf("%d bytes were received", s.bytes)
			}
			t.Logf("the daemon: %.0f MB", d.peak)
			d.checkPeak(t, mostRSS)
		})
	}
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
