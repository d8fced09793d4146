//go:build memory

package memory

import (
	"crypto/rand"
	"database/sql"
	"encoding/hex"
	"fmt"
	"slices"
	"testing"

	"rowhook/dbtest"
)

const (
	hugeRow = 64 << 20 // bytes of a text that no payload has room for
	fitting = 15 << 20 // bytes of one that is delivered whole
)

const (
	insertNotes = "INSERT INTO wp_vikappointments_reservation (id, id_parent, id_employee, notes) VALUES (%[1]d, %[1]d, 1, REPEAT('x', %[2]d))"
	insertLog   = "INSERT INTO wp_vikappointments_reservation (id, id_parent, id_employee, log) VALUES (%[1]d, %[1]d, 1, REPEAT('x', %[2]d))"
	insertBoth  = "INSERT INTO wp_vikappointments_reservation (id, id_parent, id_employee, notes, log) VALUES (%[1]d, %[1]d, 1, REPEAT('x', %[2]d), REPEAT('y', %[2]d - 1))"
	setOther    = "UPDATE wp_vikappointments_reservation SET duration = 77 WHERE id = %[1]d"
	setNotes    = "UPDATE wp_vikappointments_reservation SET notes = CONCAT(notes, 'y') WHERE id = %[1]d"
	confirm     = "UPDATE wp_vikappointments_reservation SET status = 'C' WHERE id = %[1]d"
	remove      = "DELETE FROM wp_vikappointments_reservation WHERE id = %[1]d"
	marker      = "INSERT INTO wp_vikappointments_reservation (id, id_parent, id_employee) VALUES (%[1]d, %[1]d, 1)"

	saveFull, saveBasic, saveExtended = "action: appointment.save, load: full", "action: appointment.save, load: basic", "action: appointment.save, load: extended"
)

// largeCase is a statement on a large row, and what is delivered.
type largeCase struct {
	name, alter   string
	before, query string // with the row's id and the size of the text
	rule          string
	size          int
	omitted       string // what the delivery leaves out
	least         int    // bytes of the payload
}

// Rows of 64 MB and of 15 MB, in a table that nobody watches and in one that is: all that a statement can do to them, all
// that a rule can want of them, and every form in which a column may hold them. The reader alone and the daemon stay small.
func TestMemoryLargeRows(t *testing.T) {
	server, db := startServer(t)
	execute(t, db, "CREATE TABLE other (id INT PRIMARY KEY, t LONGTEXT) ENGINE=MyISAM") // spares the test InnoDB's log
	const plain = "notes LONGTEXT, MODIFY log LONGTEXT, MODIFY custom_f LONGTEXT"
	for i, c := range []largeCase{
		{"unwatched", plain, "", "INSERT INTO other VALUES (%[1]d, REPEAT('x', %[2]d))", saveFull, hugeRow, "", 0},
		{"insert", plain, "", insertNotes, saveFull, hugeRow, "notes", 100},
		{"insert, basic", plain, "", insertNotes, saveBasic, hugeRow, "notes", 50},
		{"update of another column", plain, insertNotes, setOther, saveFull, hugeRow, "notes", 100},
		{"update of the text", plain, insertNotes, setNotes, saveBasic, hugeRow, "notes", 10},
		{"delete", plain, insertNotes, remove, "action: appointment.delete", hugeRow, "", 9},
		{"status", plain, insertNotes, confirm, "action: appointment.status_change, load: full", hugeRow, "notes", 100},
		{"extended", plain, "", insertLog, saveExtended, hugeRow, "log", 100},
		{"insert that fits", plain, "", insertNotes, saveFull, fitting, "", fitting},
		{"update that fits", plain, insertNotes, setNotes, saveFull, fitting, "", fitting},
		{"status that fits", plain, insertNotes, confirm, "action: appointment.status_change, load: full", fitting, "", fitting},
		{"extended that fits", plain, "", insertLog, saveExtended, fitting, "", fitting},
		{"one of two fits", plain, "", insertBoth, saveFull, fitting, "notes", fitting - 1},
		{"taken apart", plain, "", "INSERT INTO wp_vikappointments_reservation (id, id_parent, id_employee, custom_f) VALUES (%[1]d, %[1]d, 1, CONCAT('[0', REPEAT(',0', %[2]d), ']'))", saveExtended, fitting / 2, "custom_f", 100},
		{"COMPRESSED", "notes LONGTEXT COMPRESSED", "", insertNotes, saveFull, hugeRow, "notes", 100},
		{"COMPRESSED that fits", "notes LONGTEXT COMPRESSED", "", insertNotes, saveFull, fitting, "", fitting},
		{"GBK", "notes LONGTEXT CHARACTER SET gbk", "", insertNotes, saveFull, hugeRow, "notes", 100},
		{"GBK that fits", "notes LONGTEXT CHARACTER SET gbk", "", insertNotes, saveFull, fitting, "", fitting},
		{"GBK that grows", "notes LONGTEXT CHARACTER SET gbk", "", "INSERT INTO wp_vikappointments_reservation (id, id_parent, id_employee, notes) VALUES (%[1]d, %[1]d, 1, REPEAT(_utf8mb4 X'E4B8AD', %[2]d))", saveFull, 6 << 20, "notes", 100},
		{"escapes that grow", "notes LONGTEXT", "", "INSERT INTO wp_vikappointments_reservation (id, id_parent, id_employee, notes) VALUES (%[1]d, %[1]d, 1, REPEAT(CHAR(1), %[2]d))", saveFull, 6 << 20, "notes", 100},
		{"BLOB that fits", "notes LONGBLOB", "", insertNotes, saveFull, 12_000_000, "", 16_000_000},
		{"BLOB that grows", "notes LONGBLOB", "", insertNotes, saveFull, fitting, "notes", 100},
	} {
		t.Run(c.name, func(t *testing.T) {
			execute(t, db, "ALTER TABLE wp_vikappointments_reservation MODIFY "+c.alter)
			largeRow(t, server, db, 5000+10*i, c)
		})
	}
}

func largeRow(t *testing.T, server *dbtest.Server, db *sql.DB, id int, c largeCase) {
	t.Helper()
	if c.before != "" {
		execute(t, db, fmt.Sprintf(c.before, id, c.size))
	}
	s := newSink(t)
	d := newDaemon(t, server, "0s", fmt.Sprintf("  - {name: rule, %s, url: %q}\n", c.rule, s.url()))
	f := newFollower(t, server)
	d.start(t)
	execute(t, db, fmt.Sprintf(c.query, id, c.size))
	if c.least == 0 { // something must come
		execute(t, db, fmt.Sprintf(marker, id+1))
	}
	d.drain(t, s, 1)
	d.stop(t)
	if s.bytes < int64(c.least) || s.bytes > 16<<20 || s.omitted[0] != c.omitted {
		t.Errorf("%d bytes were received, without %q; want %d, without %q", s.bytes, s.omitted[0], c.least, c.omitted)
	}
	peak := f.peakBehind(t, 1)
	t.Logf("the reader alone: %.0f MB; the daemon: %.0f MB", peak, d.peak)
	if peak > mostRSS {
		t.Errorf("the reader took %.0f MB, allowed are %d", peak, mostRSS)
	}
	d.checkPeak(t, mostRSS)
}

// A backfill reads rows of 64 MB and of 15 MB among small ones.
func TestMemoryLargeRowsBackfill(t *testing.T) {
	server, db := startServer(t)
	execute(t, db, "ALTER TABLE wp_vikappointments_reservation MODIFY notes LONGTEXT")
	execute(t, db, "DELETE FROM wp_vikappointments_reservation")
	execute(t, db, fmt.Sprintf(insertRows, 400))
	execute(t, db, fmt.Sprintf("UPDATE wp_vikappointments_reservation SET notes = REPEAT('x', IF(id IN (50, 200), %d, %d)) WHERE id IN (50, 120, 200, 201, 202)", hugeRow, fitting))
	s := newSink(t)
	d := newDaemon(t, server, "0s", fmt.Sprintf("  - {name: saves, action: appointment.save, load: full, url: %q}\n", s.url()))
	d.start(t)
	d.command(t, "backfill", "--rule", "saves")
	d.drain(t, s, 400)
	d.stop(t)
	s.check(t, 400, 1)
	lacking := 0
	for _, omitted := range s.omitted {
		if omitted == "notes" {
			lacking++
		}
	}
	if s.bytes < 3*fitting || s.bytes > 4*fitting || lacking != 2 {
		t.Errorf("%d bytes were received, and %d payloads lack something", s.bytes, lacking)
	}
	t.Logf("the daemon: %.0f MB", d.peak)
	d.checkPeak(t, mostRSS)
}

// Texts of 64 MB and of 15 MB that hardly compress, and JSON, in every form in which a server may send them.
func TestMemoryLargeRowsOnTheWay(t *testing.T) {
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
			execute(t, db, "ALTER TABLE wp_vikappointments_reservation MODIFY notes LONGTEXT, MODIFY log JSON NULL")
			s := newSink(t)
			d := newDaemon(t, server, "0s", fmt.Sprintf("  - {name: saves, action: appointment.save, load: full, url: %q}\n", s.url()))
			if c.tls {
				d.withTLS(t)
			}
			d.start(t)
			for i, v := range []struct{ column, value, omitted string }{
				{"notes", text, "notes"}, {"log", `"` + text + `"`, "log"}, {"notes", text[:fitting], ""}, {"log", `"` + text[:fitting] + `"`, ""},
			} {
				execute(t, db, fmt.Sprintf("INSERT INTO wp_vikappointments_reservation (id, id_parent, id_employee, %s) VALUES (%d, %[2]d, 1, '%s')", v.column, 4711+i, v.value))
				d.drain(t, s, i+1)
				if s.omitted[i] != v.omitted {
					t.Errorf("a delivery without %q, want without %q", s.omitted[i], v.omitted)
				}
			}
			d.stop(t)
			if s.bytes < 2*fitting || s.bytes > 3*fitting {
				t.Errorf("%d bytes were received", s.bytes)
			}
			t.Logf("the daemon: %.0f MB", d.peak)
			d.checkPeak(t, mostRSS)
		})
	}
}
