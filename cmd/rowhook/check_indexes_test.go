package main

import (
	"bytes"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
	"testing"

	"rowhook/dbtest"
)

// TestCheckIndexes finds large tables of a site's orders without an index, and makes the indexes that it names.
func TestCheckIndexes(t *testing.T) { onServers(t, testCheckIndexes) }

func testCheckIndexes(t *testing.T, server *dbtest.Server) {
	t.Helper()
	dbtest.Salon(t, server, "wordpress", "wp_")
	rowhookUser(t, server)
	large := map[string]string{ // by table, the column that extended payloads select by
		"order_status": "id_order", "res_opt_assoc": "id_reservation", "package_order_item": "id_order", "user_notes": "id_parent",
		"invoice": "id_order", "reservation": "id_parent", "users": "billing_mail",
	}
	file := daemonFiles(t, server, everyAction("http://127.0.0.1:1/"), "")
	check := func() string {
		t.Helper()
		var out bytes.Buffer
		if err := command(t.Context(), []string{"check", "--config", file}, &out, io.Discard); err != nil {
			t.Errorf("check: %v", err)
		}
		return out.String()
	}
	if out := check(); strings.Contains(out, "CREATE INDEX") {
		t.Errorf("small tables need an index:\n%s", out)
	}
	var fill strings.Builder
	fill.WriteString("SET sql_mode = '';")
	for table := range large {
		name := "wordpress.wp_vikappointments_" + table
		fmt.Fprintf(&fill, "INSERT INTO %[1]s (id) VALUES (1000001), (1000002), (1000003), (1000004);", name)
		for n := 4; n < 30_000; n *= 2 {
			fmt.Fprintf(&fill, "INSERT INTO %[1]s (id) SELECT id + %[2]d FROM %[1]s WHERE id > 1000000;", name, n)
		}
		fmt.Fprintf(&fill, "ANALYZE TABLE %s;", name)
	}
	server.Exec(t, fill.String())
	server.Exec(t, "SET GLOBAL innodb_stats_persistent = ON")
	if server.Kind().MySQL() {
		server.Exec(t, "SET PERSIST information_schema_stats_expiry = 0")
	}
	statements := regexp.MustCompile(`CREATE INDEX [^;]*;`).FindAllString(check(), -1)
	for table, column := range large {
		if !slices.ContainsFunc(statements, func(s string) bool {
			return strings.Contains(s, "`wp_vikappointments_"+table+"`") && strings.Contains(s, "(`"+column+"`")
		}) {
			t.Errorf("no index is advised for %s.%s", table, column)
		}
	}
	if len(statements) != len(large) {
		t.Errorf("advises %d indexes: %q", len(statements), statements)
	}
	server.Exec(t, strings.Join(statements, " "))
	if out := check(); strings.Contains(out, "CREATE INDEX") {
		t.Errorf("after they are made:\n%s", out)
	}
}
