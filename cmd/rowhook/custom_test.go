package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"rowhook/dbtest"
	"rowhook/deliver/delivertest"
)

// execAll runs statements in the site's schema, in one session.
func execAll(ctx context.Context, t *testing.T, server *dbtest.Server, statements ...string) {
	t.Helper()
	conn, err := server.DB(t, "wordpress").Conn(ctx)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	for _, s := range statements {
		if _, err := conn.ExecContext(ctx, s); err != nil {
			t.Fatalf("%s: %v", s, err)
		}
	}
}

// TestCustomTablesBySIGHUP adds rules for tables that are none of the plugin's while the daemon runs: one whose key is two
// columns, one a number, one a name, binary, or a date, one without a key, and one that is made only afterwards.
func TestCustomTablesBySIGHUP(t *testing.T) { onServers(t, testCustomTablesBySIGHUP) }

func testCustomTablesBySIGHUP(t *testing.T, server *dbtest.Server) {
	site := dbtest.Salon(t, server, "wordpress", "wp_")
	rowhookUser(t, server)
	execAll(t.Context(), t, server, "CREATE TABLE wp_lines (order_id INT, sku VARCHAR(20), quantity INT, PRIMARY KEY (order_id, sku)) CHARSET utf8mb4",
		"CREATE TABLE wp_things (`ID` BIGINT UNSIGNED AUTO_INCREMENT PRIMARY KEY, title TEXT, price DECIMAL(10,2)) CHARSET utf8mb4",
		"CREATE TABLE wp_odd (hash BINARY(4), day DATE, amount DECIMAL(6,2), note TEXT, PRIMARY KEY (hash, day, amount))",
		"CREATE TABLE wp_loose (a INT, b VARCHAR(10))")
	receiver := delivertest.NewReceiver(t)
	rule := func(name, rest string) string {
		return fmt.Sprintf("  - {name: %s, url: %q, %s}\n", name, receiver.URL(), rest)
	}
	files := daemonFiles(t, server, "rules:\n"+rule("coupons", "action: coupon.save"), "coalesce: 50ms\n")
	p := start(t, build(t), "run", "--config", files)
	p.until(t, following)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	server.Exec(t, "INSERT INTO wordpress.wp_lines VALUES (1, 'early', 1)") // nobody asked
	if _, err := site.Insert(ctx, "coupon", "code", "early"); err != nil {
		t.Fatal(err)
	}
	receiver.WaitAccepted(ctx, 1)
	custom := "rules:\n" + rule("coupons", "action: coupon.save") +
		rule("lines", "action: custom, table: lines, load: full") + rule("things", "action: custom, table: things, on: [insert, update, delete]") +
		rule("deletes", "action: custom, table: things, on: [delete]") + rule("odd", "action: custom, table: odd, load: full") +
		rule("loose", "action: custom, table: loose") + rule("late", "action: custom, table: late") +
		rule("again", "action: custom, table: vikappointments_coupon, on: [insert], load: full")
	if err := os.WriteFile(filepath.Join(filepath.Dir(files), "rules.yaml"), []byte(custom), 0o600); err != nil {
		t.Fatal(err)
	}
	p.signal(t, syscall.SIGHUP)
	p.until(t, "the rules are reloaded")
	p.until(t, "wp_late") // which is not there

	bodies := func(more int, statements ...string) []string {
		t.Helper()
		before := len(receiver.Accepted())
		execAll(ctx, t, server, statements...)
		var got []string
		for _, r := range receiver.WaitAccepted(ctx, before+more)[before:] {
			if object := r.Header.Get("X-Rowhook-Object"); object != "" {
				t.Errorf("%s is shown as %s", r.Body, object)
			}
			got = append(got, r.Header.Get("X-VAP-WEBHOOK-ACTION")+" "+string(r.Body))
			if r.Header.Get("X-VAP-WEBHOOK-ACTION") == "custom" {
				conforms(t, &r)
			}
		}
		slices.Sort(got)
		return got
	}
	for _, step := range []struct {
		statements []string
		want       []string
	}{
		{[]string{"INSERT INTO wp_lines VALUES (7, 'a,b', 2)"},
			[]string{`custom {"type":"insert","table":"lines","key":{"order_id":7,"sku":"a,b"},"data":{"order_id":7,"sku":"a,b","quantity":2}}`}},
		{[]string{"UPDATE wp_lines SET quantity = 3 WHERE order_id = 7"},
			[]string{`custom {"type":"update","table":"lines","key":{"order_id":7,"sku":"a,b"},"data":{"order_id":7,"sku":"a,b","quantity":3},"old":{"quantity":2}}`}},
		{[]string{"UPDATE wp_lines SET sku = 'ü' WHERE order_id = 7"}, // another object
			[]string{`custom {"type":"delete","table":"lines","keys":[{"order_id":7,"sku":"a,b"}]}`,
				`custom {"type":"insert","table":"lines","key":{"order_id":7,"sku":"ü"},"data":{"order_id":7,"sku":"ü","quantity":3}}`}},
		{[]string{"INSERT INTO wp_things (title, price) VALUES ('x', 1.50)"},
			[]string{`custom {"type":"insert","table":"things","key":{"ID":1},"data":{"ID":1,"title":"x","price":1.5}}`}},
		{[]string{"UPDATE wp_things SET title = 'y'"},
			[]string{`custom {"type":"update","table":"things","key":{"ID":1},"data":{"ID":1,"title":"y"},"old":{"title":"x"}}`}},
		{[]string{"INSERT INTO wp_things VALUES (18446744073709551600, 'max', NULL)"},
			[]string{`custom {"type":"insert","table":"things","key":{"ID":18446744073709551600},"data":{"ID":18446744073709551600,"title":"max","price":null}}`}},
		{[]string{"DELETE FROM wp_things"}, // for both rules
			[]string{`custom {"type":"delete","table":"things","keys":[{"ID":1},{"ID":18446744073709551600}]}`,
				`custom {"type":"delete","table":"things","keys":[{"ID":1},{"ID":18446744073709551600}]}`}},
		{[]string{"INSERT INTO wp_odd VALUES (X'00FF2C5C', '2026-02-28', 12.30, 'n')"},
			[]string{`custom {"type":"insert","table":"odd","key":{"hash":"AP8sXA==","day":"2026-02-28","amount":12.3},"data":{"hash":"AP8sXA==","day":"2026-02-28","amount":12.3,"note":"n"}}`}},
		// What a session logs less of is read.
		{[]string{"SET SESSION binlog_row_image = MINIMAL", "UPDATE wp_odd SET note = 'm'", "SET SESSION binlog_row_image = FULL"},
			[]string{`custom {"type":"update","table":"odd","key":{"hash":"AP8sXA==","day":"2026-02-28","amount":12.3},"data":{"hash":"AP8sXA==","day":"2026-02-28","amount":12.3,"note":"m"},"old":{}}`}},
		{[]string{"INSERT INTO wp_odd VALUES (X'00FF2C5D', '2026-02-28', 12.30, 'n')", "DELETE FROM wp_odd"},
			[]string{`custom {"type":"delete","table":"odd","keys":[{"hash":"AP8sXA==","day":"2026-02-28","amount":12.3},{"hash":"AP8sXQ==","day":"2026-02-28","amount":12.3}]}`,
				`custom {"type":"insert","table":"odd","key":{"hash":"AP8sXQ==","day":"2026-02-28","amount":12.3},"data":{"hash":"AP8sXQ==","day":"2026-02-28","amount":12.3,"note":"n"}}`}},
		{[]string{"INSERT INTO wp_loose VALUES (1, 'x'), (1, 'x')"},
			[]string{`custom {"type":"insert","table":"loose","key":null,"data":{"a":1,"b":"x"}}`, `custom {"type":"insert","table":"loose","key":null,"data":{"a":1,"b":"x"}}`}},
		{[]string{"DELETE FROM wp_loose LIMIT 1"}, []string{`custom {"type":"delete","table":"loose","keys":[{"a":1,"b":"x"}]}`}},
		{[]string{"CREATE TABLE wp_late (name VARCHAR(30) PRIMARY KEY, value TEXT)", "INSERT INTO wp_late VALUES ('blog', 'on')"},
			[]string{`custom {"type":"insert","table":"late","key":{"name":"blog"},"data":{"name":"blog","value":"on"}}`}},
	} {
		if got := bodies(len(step.want), step.statements...); !slices.Equal(got, step.want) {
			t.Errorf("%s:\n%s\nwant\n%s", strings.Join(step.statements, "; "), strings.Join(got, "\n"), strings.Join(step.want, "\n"))
		}
	}
	before := len(receiver.Accepted())
	if _, err := site.Insert(ctx, "coupon", "code", "X"); err != nil {
		t.Fatal(err)
	}
	actions := map[string]int{}
	for _, r := range receiver.WaitAccepted(ctx, before+2)[before:] {
		actions[r.Header.Get("X-VAP-WEBHOOK-ACTION")]++
	}
	if actions["custom"] != 1 || actions["onAfterSaveCoupon"] != 1 {
		t.Errorf("of one coupon came %v", actions)
	}
	if n := len(receiver.Accepted()); n != before+2 {
		t.Errorf("%d deliveries, want %d", n, before+2)
	}
	p.signal(t, syscall.SIGTERM)
	p.ends(t)
}

// TestCustomBackfill posts rows that were there before, of a table whose key is one number, and says why it cannot of others.
func TestCustomBackfill(t *testing.T) {
	t.Parallel()
	server := dbtest.Start(t)
	dbtest.Salon(t, server, "wordpress", "wp_")
	rowhookUser(t, server)
	execAll(t.Context(), t, server, "CREATE TABLE wp_things (`ID` INT PRIMARY KEY, title TEXT)", "INSERT INTO wp_things VALUES (-5, 'a'), (0, 'b'), (7, 'c')")
	receiver := delivertest.NewReceiver(t)
	files := daemonFiles(t, server, fmt.Sprintf("rules:\n"+
		"  - {name: things, action: custom, table: things, url: %[1]q}\n"+
		"  - {name: gone, action: custom, table: nowhere, url: %[1]q}\n  - {name: deletes, action: custom, table: things, on: [delete], url: %[1]q}\n", receiver.URL()), "")
	startDaemon(t, files)
	for rule, want := range map[string]string{
		"gone": "has no table wordpress.wp_nowhere", "deletes": "on: [insert]",
	} {
		if _, err := rowhook(t, files, "backfill", "--rule", rule); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("of %s: %v", rule, err)
		}
	}
	if _, err := rowhook(t, files, "backfill", "--rule", "things", "--where", "title=c"); err != nil {
		t.Fatal(err)
	}
	if _, err := rowhook(t, files, "backfill", "--rule", "things"); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var got []string
	for _, r := range receiver.WaitAccepted(ctx, 4) {
		got = append(got, string(r.Body))
	}
	body := func(id int, title string) string {
		return fmt.Sprintf(`{"type":"insert","table":"things","key":{"ID":%d},"data":{"ID":%[1]d,"title":%q}}`, id, title)
	}
	want := []string{body(7, "c"), body(-5, "a"), body(0, "b"), body(7, "c")}
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}
