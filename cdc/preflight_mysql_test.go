//go:build matrix

package cdc

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"rowhook/cdc/cdctest"
	"rowhook/dbtest"
)

// TestCheckMySQL spoils what only a MySQL has, or has by another name.
func TestCheckMySQL(t *testing.T) {
	t.Parallel()
	if !slices.Contains(cdctest.Kinds(t), dbtest.MySQL97) {
		return
	}
	server := cdctest.StartServer(t, dbtest.MySQL97, "--binlog-ignore-db=hidden", "--sync-binlog=1")
	cdctest.SchemaConn(t, server, "checked", "CREATE TABLE a (id INT PRIMARY KEY)")
	cdctest.SchemaConn(t, server, "hidden", "CREATE TABLE a (id INT PRIMARY KEY)")
	for _, c := range []struct {
		name   string
		spoil  string
		grants []string
		schema string
		check  string
		found  string
		also   string
		byHand bool
		warn   bool
	}{
		{name: "good"},
		{name: "compression is good", spoil: "SET GLOBAL binlog_transaction_compression = ON"},
		{name: "partial JSON", spoil: "SET GLOBAL binlog_row_value_options = PARTIAL_JSON", check: "binlog_row_value_options", found: "PARTIAL_JSON"},
		{name: "format", spoil: "SET GLOBAL binlog_format = MIXED", check: "binlog_format", found: "MIXED"},
		{name: "image", spoil: "SET GLOBAL binlog_row_image = NOBLOB", check: "binlog_row_image", found: "NOBLOB", warn: true},
		{name: "retention", spoil: "SET GLOBAL binlog_expire_logs_seconds = 60", check: "retention of the log", found: "60 seconds", warn: true},
		{name: "texts", spoil: "SET GLOBAL binlog_rows_query_log_events = OFF", check: "binlog_rows_query_log_events", found: "OFF"},
		{name: "no REPLICATION SLAVE", grants: []string{"REPLICATION CLIENT ON *.*", "SELECT ON checked.*"}, check: "grants", found: "REPLICATION CLIENT"},
		{name: "no REPLICATION CLIENT", grants: []string{"REPLICATION SLAVE ON *.*", "SELECT ON checked.*"}, check: "position of the log", found: "REPLICATION CLIENT", also: "grants"},
		{name: "kept for ever", spoil: "SET GLOBAL binlog_expire_logs_seconds = 0"},
		{name: "kept without purging", spoil: "SET GLOBAL binlog_expire_logs_seconds = 60, GLOBAL binlog_expire_logs_auto_purge = OFF"},
		{name: "sync", spoil: "SET GLOBAL sync_binlog = 100", check: "sync_binlog", found: "power cut", warn: true},
		{name: "GTIDs", spoil: "SET GLOBAL gtid_mode = ON_PERMISSIVE; SET GLOBAL gtid_mode = OFF_PERMISSIVE; SET GLOBAL gtid_mode = OFF", check: "gtid_mode", found: "OFF"},
		{name: "no SELECT", grants: []string{cdctest.Grants}, check: "tables of schema checked", found: "a"},
		{name: "all privileges", grants: []string{"ALL PRIVILEGES ON *.*"}},
		{name: "hidden", schema: "hidden", check: "schema hidden is logged", found: "hidden", byHand: true},
	} {
		t.Run(c.name, func(t *testing.T) {
			server.Exec(t, "SET GLOBAL binlog_rows_query_log_events = ON")
			cfg := sourceConfig(server, newLog(), "checked", "a")
			cfg.NeedStatements = true
			if c.schema != "" {
				cfg.Tables[0].Schema = c.schema
			}
			if c.grants != nil {
				cfg.as("other")
				server.Exec(t, "DROP USER IF EXISTS other; CREATE USER other IDENTIFIED BY 'secret'")
				for _, g := range c.grants {
					server.Exec(t, "GRANT "+g+" TO other")
				}
			}
			if c.spoil != "" {
				server.Exec(t, c.spoil)
			}
			bad := faults(t, cfg)
			if c.check == "" {
				if len(bad) > 0 {
					t.Errorf("faults: %+v", bad)
				}
				return
			}
			if c.also != "" && len(bad) == 2 && bad[1].Check == c.also {
				bad = bad[:1]
			}
			if len(bad) != 1 || bad[0].Check != c.check || bad[0].Warn != c.warn || !strings.Contains(bad[0].Found, c.found) {
				t.Fatalf("faults: %+v", bad)
			}
			if c.byHand {
				return
			}
			applyFix(t, server, bad[0])
			if bad := faults(t, cfg); len(bad) > 0 {
				t.Errorf("after the fix: %+v", bad)
			}
		})
	}
}

// TestGTIDModeTurnedBack follows a server by GTID whose gtid_mode somebody turns down, step by step; and fixes it by what
// is said.
func TestGTIDModeTurnedBack(t *testing.T) {
	t.Parallel()
	if !slices.Contains(cdctest.Kinds(t), dbtest.MySQL97) {
		return
	}
	server := cdctest.StartServer(t, dbtest.MySQL97, "--sync-binlog=1")
	cdctest.SchemaConn(t, server, "stepped", "CREATE TABLE a (id INT PRIMARY KEY)")
	cfg := sourceConfig(server, newLog(), "stepped", "a")
	at := followNow(t, openSource(t, cfg)).stored(t)
	for _, step := range []string{"ON_PERMISSIVE", "OFF_PERMISSIVE", "OFF"} {
		server.Exec(t, "SET GLOBAL gtid_mode = "+step)
		bad := faults(t, cfg)
		if len(bad) != 1 || bad[0].Check != "gtid_mode" || !strings.Contains(bad[0].Found, step) {
			t.Fatalf("%s: %+v", step, bad)
		}
		cfg.ServerID++
		_, err := openSource(t, cfg).Standing(t.Context(), at)
		if err == nil && step == "ON_PERMISSIVE" { // sends its log still
			continue
		}
		var stop *StopError
		if !errors.As(err, &stop) || !strings.Contains(stop.Reason, step) || !strings.Contains(stop.Hint, "SET PERSIST gtid_mode = ON;") {
			t.Errorf("%s: %v", step, err)
		}
	}
	server.Exec(t, fixStatement.FindString(faults(t, cfg)[0].Fix))
	if bad := faults(t, cfg); len(bad) > 0 {
		t.Errorf("after the fix: %+v", bad)
	}
	if _, err := openSource(t, cfg).Standing(t.Context(), at); err != nil {
		t.Errorf("after the fix: %v", err)
	}
}
