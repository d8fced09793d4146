package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"rowhook/dbtest"
	"rowhook/deliver/delivertest"
)

// TestKeyOfARule: a rule's own key tells its objects apart. While it names a column that is not there, that rule waits and all else
// goes on; what happened meanwhile arrives when the rule is right.
func TestKeyOfARule(t *testing.T) { onServers(t, testKeyOfARule) }

func testKeyOfARule(t *testing.T, server *dbtest.Server) {
	dbtest.Salon(t, server, "wordpress", "wp_")
	rowhookUser(t, server)
	execAll(t.Context(), t, server, "CREATE TABLE wp_lines (id INT AUTO_INCREMENT PRIMARY KEY, Order_ID INT, sku VARCHAR(20), quantity INT)")
	lines, coupons := delivertest.NewReceiver(t), delivertest.NewReceiver(t)
	named := func(key string) string {
		return fmt.Sprintf("rules:\n  - {name: coupons, action: coupon.save, url: %q}\n  - name: lines\n    action: custom\n    table: lines\n    load: full\n    key: [%s]\n    url: %q\n",
			coupons.URL(), key, lines.URL())
	}
	file := daemonFiles(t, server, named("sku, odrer_id"), "coalesce: 50ms\n")
	ruleFile := filepath.Join(filepath.Dir(file), "rules.yaml")
	want := ruleFile + `:7: rules[1].key[1]: table wordpress.wp_lines has no column odrer_id; did you mean Order_ID?`
	if out, err := rowhook(t, file, "check"); err == nil || !strings.Contains(out, "FAIL  rule lines: "+want) {
		t.Errorf("check says %v\n%s", err, out)
	}
	p := start(t, build(t), "run", "--config", file)
	p.until(t, following)
	if !strings.Contains(p.seen.String(), "did you mean Order_ID?") {
		t.Errorf("nothing is said of the key:\n%s", &p.seen)
	}
	execAll(t.Context(), t, server, "INSERT INTO wp_lines (Order_ID, sku, quantity) VALUES (7, 'a', 1)", "INSERT INTO wp_vikappointments_coupon (code) VALUES ('x')")
	coupons.WaitAccepted(patience(t), 1)
	eventually(t, "its rows wait", func() bool {
		out, err := rowhook(t, file, "sites", "list")
		return err == nil && strings.Contains(out, "has no column odrer_id, which a rule names in key:; did you mean Order_ID?")
	})
	if err := os.WriteFile(ruleFile, []byte(named("sku, order_id")), 0o600); err != nil {
		t.Fatal(err)
	}
	p.signal(t, syscall.SIGHUP)
	lines.WaitAccepted(patience(t), 1)
	execAll(t.Context(), t, server, "UPDATE wp_lines SET quantity = 2")
	lines.WaitAccepted(patience(t), 2)
	execAll(t.Context(), t, server, "UPDATE wp_lines SET sku = 'b'")
	lines.WaitAccepted(patience(t), 4)
	var got []string
	for _, r := range lines.Accepted() {
		got = append(got, string(r.Body))
		conforms(t, &r)
	}
	slices.Sort(got[2:]) // of two objects
	for i, want := range []string{
		`{"type":"insert","table":"lines","key":{"sku":"a","Order_ID":7},"data":{"id":1,"Order_ID":7,"sku":"a","quantity":1}}`,
		`{"type":"update","table":"lines","key":{"sku":"a","Order_ID":7},"data":{"id":1,"Order_ID":7,"sku":"a","quantity":2},"old":{"quantity":1}}`,
		`{"type":"delete","table":"lines","keys":[{"sku":"a","Order_ID":7}]}`,
		`{"type":"insert","table":"lines","key":{"sku":"b","Order_ID":7},"data":{"id":1,"Order_ID":7,"sku":"b","quantity":2}}`,
	} {
		if got[i] != want {
			t.Errorf("got %s, want %s", got[i], want)
		}
	}
	if out, err := rowhook(t, file, "check"); err != nil {
		t.Errorf("check says %v\n%s", err, out)
	}
	p.signal(t, syscall.SIGTERM)
	p.ends(t)
}

// TestEventsLeaveOutRowsThatDoNotFit: the dry run says once of a table that its rows do not fit, and shows all else.
func TestEventsLeaveOutRowsThatDoNotFit(t *testing.T) {
	t.Parallel()
	server := dbtest.Start(t)
	dbtest.Salon(t, server, "wordpress", "wp_")
	rowhookUser(t, server)
	execAll(t.Context(), t, server, "CREATE TABLE wp_lines (id INT PRIMARY KEY)", "INSERT INTO wp_lines VALUES (1), (2)", "INSERT INTO wp_vikappointments_coupon (code) VALUES ('x')")
	file := daemonFiles(t, server, "rules:\n  - {name: coupons, action: coupon.save, url: 'http://127.0.0.1:9/'}\n"+
		"  - {name: lines, action: custom, table: lines, key: [idd], url: 'http://127.0.0.1:9/'}\n", "")
	for _, args := range [][]string{{"events", "--from", "start"}, {"events", "--from", "start", "--json"}} {
		out, err := rowhook(t, file, args...)
		if err != nil || strings.Count(out, "did you mean id?") != 1 || !strings.Contains(out, "coupon.save") || strings.Contains(out, "custom.lines") {
			t.Errorf("%q: %v\n%s", args, err, out)
		}
	}
}
