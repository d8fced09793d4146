package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"rowhook/api/control"
	"rowhook/config"
	"rowhook/dbtest"
	"rowhook/deliver/delivertest"
	"rowhook/pipeline"
)

// keyedTables are tables by what their key is, with how the key of row n is written in SQL. The column n is no part of it.
var keyedTables = map[string]struct{ key, row string }{
	"pairs":  {"a INT, sku VARCHAR(20) COLLATE utf8mb4_unicode_ci, PRIMARY KEY (sku, a)", "%[1]d %% 7, CONCAT('S', %[1]d DIV 7)"},
	"words":  {"w VARCHAR(30) CHARACTER SET latin1 COLLATE latin1_german2_ci PRIMARY KEY, x INT", `CONCAT(ELT(1 + %[1]d %% 6, '', 'Zoë', 'ZÄH''', 'a\\', '" ', 'zß'), IF(%[1]d < 6, '', %[1]d)), 0`},
	"emoji":  {"w VARCHAR(30) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin PRIMARY KEY, x INT", "CONCAT(REPEAT('😀', %[1]d %% 3), %[1]d), 0"},
	"wide":   {"w VARCHAR(30) CHARACTER SET utf16 PRIMARY KEY, x INT", "CONCAT('é', %[1]d), 0"},
	"bytes":  {"w VARBINARY(16) PRIMARY KEY, x INT", "IF(%[1]d = 0, '', CONCAT(X'00FF', CHAR(%[1]d * 5))), 0"},
	"fixed":  {"w BINARY(4) PRIMARY KEY, x INT", "CONCAT(CHAR(255 - %[1]d), X'0A'), 0"},
	"money":  {"w DECIMAL(20,2) PRIMARY KEY, x INT", "(%[1]d - 20) * 99999999999.25, 0"},
	"days":   {"d DATE, t TIME(3), PRIMARY KEY (d, t)", "IF(%[1]d < 5, '0000-00-00', DATE_ADD('2026-01-01', INTERVAL %[1]d DIV 4 DAY)), SEC_TO_TIME((%[1]d - 20) * 5000.5)"},
	"stamps": {"s TIMESTAMP(6) DEFAULT '2026-01-01 00:00:00', x TINYINT UNSIGNED, PRIMARY KEY (s, x)", "CONCAT('2026-03-29 0', %[1]d %% 10, ':30:00.00000', %[1]d %% 3), %[1]d"},
	"moods":  {"m ENUM('z','a','m'), s SET('q','p'), x SMALLINT, PRIMARY KEY (m, s, x)", "1 + %[1]d %% 3, %[1]d %% 4, -%[1]d"},
	"bits":   {"b BIT(33), y YEAR, PRIMARY KEY (y, b)", "4294967296 + %[1]d, IF(%[1]d %% 3 = 0, '0000', 1990 + %[1]d %% 5)"},
	"large":  {"a BIGINT UNSIGNED, b TINYINT, PRIMARY KEY (a, b)", "18446744073709551615 - %[1]d DIV 3, %[1]d %% 3"},
}

// TestBackfillOfAnyKey posts the rows that are there of tables with keys of each kind, each row once, though the daemon is
// killed between them and in their middle.
func TestBackfillOfAnyKey(t *testing.T) { onServers(t, testBackfillOfAnyKey) }

func testBackfillOfAnyKey(t *testing.T, server *dbtest.Server) {
	const rows = 45 // more than two chunks
	dbtest.Salon(t, server, "wordpress", "wp_")
	rowhookUser(t, server)
	receiver := delivertest.NewReceiver(t)
	var rules strings.Builder
	rules.WriteString("rules:\n")
	names := slices.Sorted(maps.Keys(keyedTables))
	for _, name := range names {
		table := keyedTables[name]
		statements := []string{"SET NAMES utf8mb4", "SET sql_mode = ''", fmt.Sprintf("CREATE TABLE wp_%s (%s, n INT)", name, table.key)}
		for n := range rows {
			statements = append(statements, fmt.Sprintf("INSERT INTO wp_"+name+" VALUES ("+table.row+", %[1]d)", n))
		}
		execAll(t.Context(), t, server, statements...)
		fmt.Fprintf(&rules, "  - {name: %s, action: custom, table: %[1]s, load: full, url: %q}\n", name, receiver.URL())
	}
	execAll(t.Context(), t, server, "CREATE TABLE wp_floats (f DOUBLE PRIMARY KEY)", "CREATE TABLE wp_keyless (a INT)")
	fmt.Fprintf(&rules, "  - {name: floats, action: custom, table: floats, url: %[1]q}\n  - {name: keyless, action: custom, table: keyless, url: %[1]q}\n", receiver.URL())
	files := daemonFiles(t, server, rules.String(), "coalesce: 0s\n")
	for rule, want := range map[string]string{"floats": "no exact text", "keyless": "no primary key"} {
		if _, err := rowhook(t, files, "backfill", "--rule", rule, "--dry-run"); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("of %s: %v", rule, err)
		}
	}
	binary := build(t)
	daemon := start(t, binary, "run", "--config", files)
	daemon.until(t, following)
	c, err := config.Load(files)
	if err != nil {
		t.Fatal(err)
	}
	client := control.NewClient(c.StateDir)
	want := map[string]bool{}
	for i, name := range names {
		if _, err := control.Ask[pipeline.Backfill, pipeline.Run](t.Context(), client, backfillStart, pipeline.Backfill{Rule: name, Every: time.Millisecond}); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		for n := range rows {
			want[fmt.Sprintf("%s %d", name, n)] = true
		}
		if receiver.WaitAccepted(patience(t), i*rows+rows/3); i%3 == 0 {
			_ = daemon.cmd.Process.Kill()
			_ = daemon.cmd.Wait() // it was killed
			daemon = start(t, binary, "run", "--config", files)
			daemon.until(t, following)
		}
	}
	wantOnce(t, receiver.WaitAccepted(patience(t), len(want)), want)
	daemon.signal(t, syscall.SIGTERM)
	daemon.ends(t)
}

// wantOnce wants each row under one id, whatever was sent again.
func wantOnce(t *testing.T, requests []delivertest.Request, want map[string]bool) {
	t.Helper()
	got := map[string]map[string]bool{} // ids, by row
	for _, r := range requests {
		var e struct {
			Table string
			Data  struct{ N int }
		}
		if err := json.Unmarshal(r.Body, &e); err != nil {
			t.Fatal(err)
		}
		row := fmt.Sprintf("%s %d", e.Table, e.Data.N)
		if got[row] == nil {
			got[row] = map[string]bool{}
		}
		got[row][r.Header.Get("Webhook-Id")] = true
	}
	if len(got) != len(want) {
		t.Errorf("%d rows came, want %d", len(got), len(want))
	}
	for row, ids := range got {
		if !want[row] || len(ids) != 1 {
			t.Errorf("row %s came under %d ids", row, len(ids))
		}
	}
}
