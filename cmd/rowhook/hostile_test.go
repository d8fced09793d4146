package main

import (
	"database/sql"
	"fmt"
	"io"
	"path"
	"strings"
	"testing"

	"rowhook/dbtest"
	"rowhook/deliver/delivertest"
)

// hostileDefaults are a server's settings that a session takes over unless it says otherwise. Each is legal.
func hostileDefaults(kind dbtest.Kind) []string {
	args := []string{
		"--autocommit=OFF", "--transaction-read-only=ON", "--completion-type=CHAIN", "--transaction-isolation=SERIALIZABLE",
		"--sql-mode=ANSI,NO_BACKSLASH_ESCAPES,HIGH_NOT_PRECEDENCE,PAD_CHAR_TO_FULL_LENGTH,TRADITIONAL",
		"--default-time-zone=-11:00", "--lock-wait-timeout=1", "--innodb-lock-wait-timeout=1", "--group-concat-max-len=4",
		"--character-set-server=latin1", "--collation-server=latin1_german2_ci", "--lc-time-names=de_DE",
		"--max-join-size=2", "--low-priority-updates=ON", "--div-precision-increment=0", "--max-sort-length=64",
		"--wait-timeout=2", "--interactive-timeout=2", "--net-read-timeout=1", "--net-write-timeout=1",
		"--init-connect=SET SESSION autocommit = 0, sql_select_limit = 1, sql_safe_updates = 1, sql_auto_is_null = 1, sql_big_selects = 0, " +
			"sql_mode = 'ANSI_QUOTES,NO_BACKSLASH_ESCAPES,PIPES_AS_CONCAT', time_zone = '+13:00', collation_connection = latin1_bin; " +
			"START TRANSACTION; SELECT id FROM wordpress.wp_vikappointments_reservation WHERE id = 1",
	}
	if kind.MySQL() {
		return append(args, "--max-execution-time=200", "--show-gipk-in-create-table-and-information-schema=OFF")
	}
	return append(args, "--max-statement-time=0.2", "--idle-transaction-timeout=1", "--idle-readonly-transaction-timeout=1",
		"--max-recursive-iterations=1")
}

// TestHostileDefaults: whatever a server's defaults and its init_connect make of a session, basic, full and extended payloads
// are what they were before, and our sessions do not lock the site's tables against its own ALTER TABLE.
func TestHostileDefaults(t *testing.T) {
	onServers(t, func(t *testing.T, server *dbtest.Server) {
		site := dbtest.Salon(t, server, "wordpress", "wp_")
		rowhookUser(t, server)
		id, err := site.Book(t.Context(), dbtest.Booking{Options: []int64{1, 2}})
		if err != nil {
			t.Fatal(err)
		}
		receiver := delivertest.NewReceiver(t)
		loads := []string{"basic", "full", "extended"}
		var rules strings.Builder
		rules.WriteString("rules:\n")
		for _, load := range loads {
			fmt.Fprintf(&rules, "  - {name: %s, action: appointment.save, load: %s, url: %q}\n", load, load, receiver.URL()+"/"+load)
		}
		config := daemonFiles(t, server, rules.String(), "coalesce: 0s\n")
		heard := 0
		// payloads changes the booking's name, and gives what is posted then, by rule.
		payloads := func(name string) map[string]string {
			t.Helper()
			conn := plainSession(t, server)
			if _, err := conn.ExecContext(t.Context(), "UPDATE wordpress.wp_vikappointments_reservation SET purchaser_nominative = ? WHERE id = ?", name, id); err != nil {
				t.Fatal(err)
			}
			ctx := patience(t)
			heard += len(loads)
			by := map[string]string{}
			for _, r := range receiver.WaitAccepted(ctx, heard)[heard-len(loads):] {
				by[path.Base(r.Path)] = strings.ReplaceAll(string(r.Body), name, "NAME")
			}
			return by
		}
		stop := startDaemon(t, config)
		want := payloads("Ada Friendly")
		stop()
		if err := server.Restart(t.Context(), hostileDefaults(server.Kind())...); err != nil {
			t.Fatal(err)
		}
		stop = startDaemon(t, config, t.Output())
		for _, name := range []string{"Ada Hostile", "Ada Altered"} {
			got := payloads(name)
			for _, load := range loads {
				if want[load] == "" || got[load] != want[load] {
					t.Errorf("%s: with hostile defaults it is\n%s\nand else\n%s", load, got[load], want[load])
				}
			}
			alterAll(t, server)
			// Now with a transaction that setting autocommit does not end.
			server.Exec(t, "SET GLOBAL init_connect = 'SET SESSION autocommit = 1; START TRANSACTION; SELECT id FROM wordpress.wp_vikappointments_reservation WHERE id = 1'")
			stop()
			stop = startDaemon(t, config, t.Output())
		}
		var out strings.Builder
		if err := command(t.Context(), []string{"check", "--config", config}, &out, io.Discard); err != nil {
			t.Errorf("check: %v\n%s", err, &out)
		}
	})
}

// plainSession is a session that may write, whatever the server's defaults.
func plainSession(t *testing.T, server *dbtest.Server) *sql.Conn {
	t.Helper()
	conn, err := server.DB(t, "").Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	limit := "max_statement_time = 0"
	if server.Kind().MySQL() {
		limit = "max_execution_time = 0"
	}
	for _, statement := range []string{"SET SESSION autocommit = 1, lock_wait_timeout = 30, sql_big_selects = 1, " + limit, "SET SESSION TRANSACTION READ WRITE", "SET NAMES utf8mb4"} {
		if _, err := conn.ExecContext(t.Context(), statement); err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
	}
	return conn
}

// alterAll alters each table of the site, which nobody may hold a lock of for long.
func alterAll(t *testing.T, server *dbtest.Server) {
	t.Helper()
	conn := plainSession(t, server)
	rows, err := conn.QueryContext(t.Context(), "SELECT table_name FROM information_schema.tables WHERE table_schema = 'wordpress' AND table_type = 'BASE TABLE'")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var tables []string
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			t.Fatal(err)
		}
		tables = append(tables, name)
	}
	if err := rows.Err(); err != nil || len(tables) == 0 {
		t.Fatal(tables, err)
	}
	for _, name := range tables {
		if _, err := conn.ExecContext(t.Context(), "ALTER TABLE wordpress."+name+" COMMENT = 'altered'"); err != nil {
			t.Errorf("ALTER TABLE %s: %v", name, err)
		}
	}
}
