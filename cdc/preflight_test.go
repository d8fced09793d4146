package cdc

import (
	"regexp"
	"strings"
	"testing"

	"rowhook/cdc/cdctest"
	"rowhook/dbtest"
)

// findings checks a server as a user.
func findings(t *testing.T, cfg Config) []Finding {
	t.Helper()
	all, err := openSource(t, cfg).Preflight().Check(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// faults are the findings that are not right.
func faults(t *testing.T, cfg Config) []Finding {
	t.Helper()
	var bad []Finding
	for _, f := range findings(t, cfg) {
		switch {
		case f.Check == "" || f.Found == "" && f.OK && !strings.HasPrefix(f.Check, "binlog_"):
			t.Errorf("an empty finding: %+v", f)
		case !f.OK && f.Fix == "":
			t.Errorf("a fault without a fix: %+v", f)
		}
		if !f.OK || f.Warn {
			bad = append(bad, f)
		}
	}
	return bad
}

// fixStatement is the statement within a fix, empty when there is none.
var fixStatement = regexp.MustCompile(`(?:SET GLOBAL|SET PERSIST|GRANT|ALTER TABLE) [^;]*;(?: SET PERSIST [^;]*;)*`)

func TestCheck(t *testing.T) {
	t.Parallel()
	server := cdctest.StartServer(t, dbtest.MariaDB1011, "--binlog-ignore-db=hidden", "--binlog-ignore-db=hidden2", "--expire-logs-days=30", "--sync-binlog=1")
	cdctest.SchemaConn(t, server, "checked", "CREATE TABLE a (id INT PRIMARY KEY, s INT)", "CREATE TABLE b (id INT PRIMARY KEY)", "CREATE TABLE keyless (id INT)")
	cdctest.SchemaConn(t, server, "hidden", "CREATE TABLE a (id INT PRIMARY KEY)")
	good := func() Config { return sourceConfig(server, newLog(), "checked", "a", "b") }
	if bad := faults(t, good()); len(bad) > 0 {
		t.Fatalf("a good server has faults: %+v", bad)
	}

	for _, c := range []struct {
		name   string
		spoil  string   // run as root
		grants []string // of the user; nil: rowhook's
		cfg    func(*Config)
		check  string // of the one fault
		found  string
		also   string // the check of another fault, that also fixes it
		warn   bool
		byHand bool // the fix is no statement, or one that does not help here
	}{
		{name: "format", spoil: "SET GLOBAL binlog_format = STATEMENT", check: "binlog_format", found: "STATEMENT"},
		{name: "mixed", spoil: "SET GLOBAL binlog_format = MIXED", check: "binlog_format", found: "MIXED"},
		{name: "image", spoil: "SET GLOBAL binlog_row_image = MINIMAL", check: "binlog_row_image", found: "MINIMAL", warn: true},
		{name: "retention", spoil: "SET GLOBAL binlog_expire_logs_seconds = 3600", check: "retention of the log", found: "3600 seconds", warn: true},
		{name: "retention in days", spoil: "SET GLOBAL expire_logs_days = 0.5", check: "retention of the log", found: "43200 seconds", warn: true},
		{name: "no REPLICATION SLAVE", grants: []string{"BINLOG MONITOR ON *.*", "SELECT ON checked.*"}, check: "grants", found: "BINLOG MONITOR"},
		{name: "no BINLOG MONITOR", grants: []string{"REPLICATION SLAVE ON *.*", "SELECT ON checked.*"}, check: "position of the log", found: "BINLOG MONITOR", also: "grants"},
		{name: "sync", spoil: "SET GLOBAL sync_binlog = 0", check: "sync_binlog", found: "power cut", warn: true},
		{
			name: "no texts", spoil: "SET GLOBAL binlog_annotate_row_events = OFF", cfg: func(c *Config) { c.NeedStatements = true },
			check: "binlog_annotate_row_events", found: "OFF",
		},
		{
			name: "charset", spoil: "SET GLOBAL character_set_client = gbk", cfg: func(c *Config) { c.NeedStatements = true },
			check: "character_set_client", found: "gbk", warn: true, byHand: true,
		},
		{name: "charset of others", spoil: "SET GLOBAL character_set_client = latin1", cfg: func(c *Config) { c.NeedStatements = true }},
		{name: "SELECT on columns", grants: []string{cdctest.Grants, "SELECT (id) ON checked.a", "SELECT ON checked.b"}, check: "tables of schema checked", found: "readable: a"},
		{
			name: "no SELECT on lookups", grants: []string{cdctest.Grants, "SELECT ON checked.a", "SELECT ON checked.b"}, warn: true,
			cfg:   func(c *Config) { c.Lookups = map[TableName][]string{{Schema: "checked", Name: "keyless"}: {}} },
			check: "tables of schema checked", found: "extended payloads need besides: keyless",
		},
		{name: "no SELECT", grants: []string{cdctest.Grants}, check: "tables of schema checked", found: "a, b"},
		{name: "SELECT on one table", grants: []string{cdctest.Grants, "SELECT ON checked.b"}, check: "tables of schema checked", found: "readable: a"},
		{name: "all privileges", grants: []string{"ALL PRIVILEGES ON *.*"}},
		{name: "wrong prefix", cfg: func(c *Config) { c.Tables[0].Name = "wp_a" }, check: "tables of schema checked", found: "wp_a", byHand: true},
		{name: "wrong case", cfg: func(c *Config) { c.Tables[0].Name = "A" }, check: "tables of schema checked", found: "A", byHand: true},
		{name: "wrong schema", cfg: func(c *Config) { c.Tables = []TableName{{Schema: "chequed", Name: "a"}} }, check: "tables of schema chequed", found: "a", byHand: true},
		{name: "ignored schema", cfg: func(c *Config) { c.Tables = []TableName{{Schema: "hidden", Name: "a"}} }, check: "schema hidden is logged", found: "hidden,hidden2", byHand: true},
		{name: "no key", cfg: func(c *Config) { c.Tables = append(c.Tables, TableName{Schema: "checked", Name: "keyless"}) }, check: "table checked.keyless", found: "no primary key", warn: true},
	} {
		t.Run(c.name, func(t *testing.T) {
			cfg := good()
			if c.grants != nil {
				cfg.as("some'one")
				server.Exec(t, "DROP USER IF EXISTS 'some''one'@'127.0.0.1'; CREATE USER 'some''one'@'127.0.0.1' IDENTIFIED BY 'secret'")
				for _, g := range c.grants {
					server.Exec(t, "GRANT "+g+" TO 'some''one'@'127.0.0.1'")
				}
			}
			if c.cfg != nil {
				c.cfg(&cfg)
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
			if !c.byHand {
				applyFix(t, server, bad[0])
				if bad := faults(t, cfg); len(bad) > 0 {
					t.Errorf("after the fix: %+v", bad)
				}
			}
		})
	}

	t.Run("nothing granted", func(t *testing.T) {
		server.CreateUser(t, "nobody", "secret")
		cfg := good()
		cfg.as("nobody")
		bad := faults(t, cfg)
		if len(bad) != 3 { // it cannot ask for the log's position, nor read it, nor see the tables
			t.Errorf("faults: %+v", bad)
		}
		for _, f := range bad {
			applyFix(t, server, f)
		}
		if bad := faults(t, cfg); len(bad) > 0 {
			t.Errorf("after the fixes: %+v", bad)
		}
	})

	t.Run("replica", func(t *testing.T) {
		server.Exec(t, "CHANGE MASTER TO master_host = '127.0.0.1', master_port = 1, master_user = 'x'")
		server.CreateUser(t, "monitor", "secret", cdctest.Grants, "SELECT, REPLICA MONITOR ON *.*")
		cfg := good()
		cfg.as("monitor")
		bad := faults(t, cfg)
		if len(bad) != 1 || bad[0].Check != "replica" || !strings.Contains(bad[0].Fix, "log_slave_updates = ON") {
			t.Errorf("faults: %+v", bad)
		}
		server.Exec(t, "RESET SLAVE ALL")
		if bad := faults(t, cfg); len(bad) > 0 {
			t.Errorf("a server that is no replica any more has faults: %+v", bad)
		}
	})
}

// applyFix runs the statement of a fix as root.
func applyFix(t *testing.T, server *dbtest.Server, f Finding) {
	t.Helper()
	statement := fixStatement.FindString(f.Fix)
	if statement == "" {
		t.Fatalf("the fix is no statement: %+v", f)
	}
	server.Exec(t, statement)
}

func TestCheckWithoutLog(t *testing.T) {
	t.Parallel()
	server := cdctest.StartServer(t, dbtest.MariaDB1011, "--skip-log-bin", "--sync-binlog=1")
	cdctest.SchemaConn(t, server, "checked", "CREATE TABLE a (id INT PRIMARY KEY)")
	cfg := sourceConfig(server, newLog(), "checked", "a")
	bad := faults(t, cfg)
	if len(bad) != 1 || bad[0].Check != "log_bin" || bad[0].Found != "OFF" || !strings.Contains(bad[0].Fix, "log_bin = ") {
		t.Errorf("faults: %+v", bad)
	}
	if end, err := openSource(t, cfg).End(t.Context()); err == nil || !strings.Contains(err.Error(), "no binary log") {
		t.Errorf("the log ends at %s, %v", end, err)
	}
	if err := server.Restart(t.Context(), "--log-bin=mysql-bin"); err != nil {
		t.Fatal(err)
	}
	if bad := faults(t, cfg); len(bad) > 0 {
		t.Errorf("after the fix: %+v", bad)
	}
}
