package cdc

import (
	"fmt"
	"strings"
	"testing"

	"rowhook/cdc/cdctest"
	"rowhook/dbtest"
)

// TestCheckRoles gives privileges through a role, and a role of that role: they count when the role is active.
func TestCheckRoles(t *testing.T) {
	cdctest.OnKinds(t, func(t *testing.T, kind dbtest.Kind) {
		server := cdctest.StartServer(t, kind, "--sync-binlog=1")
		cdctest.SchemaConn(t, server, "checked", "CREATE TABLE a (id INT PRIMARY KEY)")
		server.CreateUser(t, "actor", "secret")
		server.Exec(t, "CREATE ROLE reader; CREATE ROLE inner_reader; GRANT inner_reader TO reader; GRANT "+cdctest.Grants+" TO inner_reader; GRANT SELECT ON checked.* TO reader; GRANT reader TO actor")
		server.Exec(t, "FLUSH PRIVILEGES") // MariaDB forgets what an inner role has when the outer gets more
		cfg := sourceConfig(server, newLog(), "checked", "a")
		cfg.as("actor")
		bad := faults(t, cfg)
		if len(bad) != 3 || bad[1].Check != "grants" || !strings.Contains(bad[1].Found, "reader") {
			t.Errorf("a role that is not active: %+v", bad)
		}
		server.Exec(t, fmt.Sprintf("SET DEFAULT ROLE reader %s actor", map[bool]string{true: "TO", false: "FOR"}[kind.MySQL()]))
		if bad := faults(t, cfg); len(bad) > 0 {
			t.Errorf("a role that is active: %+v", bad)
		}
	})
}

// TestCheckHints finds what is right and could be better.
func TestCheckHints(t *testing.T) {
	cdctest.OnKinds(t, func(t *testing.T, kind dbtest.Kind) {
		server := cdctest.StartServer(t, kind, "--sync-binlog=1")
		cdctest.SchemaConn(t, server, "checked", "CREATE TABLE a (id INT PRIMARY KEY)")
		cfg := sourceConfig(server, newLog(), "checked", "a")
		hints := func() (hints []Finding) {
			for _, f := range findings(t, cfg) {
				if f.Hint {
					hints = append(hints, f)
				}
			}
			return hints
		}
		found := hints()
		if len(found) != 1 || found[0].Check != "binlog_row_metadata" || !found[0].OK || found[0].Warn {
			t.Fatalf("hints: %+v", found)
		}
		applyFix(t, server, found[0])
		if found := hints(); len(found) > 0 {
			t.Errorf("after the fix: %+v", found)
		}
	})
}
