package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"

	"rowhook/dbtest"
	"rowhook/deliver/delivertest"
	"rowhook/wordpress/relay"
)

// TestRelay follows the table of the relay as its file writes to it, in the engine that the printed SQL gives it: BLACKHOLE, which
// keeps nothing, where the server has that, else InnoDB. The table is made while the daemon runs: its rules waited for it.
func TestRelay(t *testing.T) { onServers(t, testRelay) }

func testRelay(t *testing.T, server *dbtest.Server) {
	dbtest.Salon(t, server, "wordpress", "wp_")
	rowhookUser(t, server)
	engine := "BLACKHOLE"
	switch server.Kind() {
	case dbtest.MariaDB1011: // whose package of the server alone does not have it
		engine = "InnoDB"
	case dbtest.MariaDB118:
		server.Exec(t, "INSTALL SONAME 'ha_blackhole'")
	}
	receiver := delivertest.NewReceiver(t)
	files := daemonFiles(t, server, fmt.Sprintf("rules:\n  - {name: cart, action: vikappointments_add_item_cart, url: %[1]q}\n"+
		"  - {name: gone, action: onRemoveItemCart, url: %[1]q}\n  - {name: coupons, action: coupon.delete, url: %[1]q}\n", receiver.URL()), "coalesce: 0\n")
	check := func(want string) {
		t.Helper()
		if out, err := rowhook(t, files, "check"); err != nil || !strings.Contains(out, want) {
			t.Errorf("check: %v, want %q in\n%s", err, want, out)
		}
	}
	check("its table is not there, so rules for hooks get nothing")
	startDaemon(t, files)
	sql, err := rowhook(t, files, "relay", "--sql")
	if err != nil {
		t.Fatal(err)
	}
	server.Exec(t, sql)
	check(fmt.Sprintf("its table is there (%s), but no page was made with its file yet", engine))

	server.Exec(t, "INSERT INTO wordpress.wp_options (option_name, option_value) VALUES ('rowhook_relay', ?)", fmt.Sprint(relay.Version, " 2026-11-29 add_item_cart"))
	check("its file relays add_item_cart; a page was last made with it on 2026-11-29; rules want also remove_item_cart")
	server.Exec(t, "UPDATE wordpress.wp_options SET option_value = ?", fmt.Sprint(relay.Version, " 2026-11-29 add_item_cart,remove_item_cart"))
	check(fmt.Sprintf("ok    relay of salon: its table is there (%s), and its file relays add_item_cart, remove_item_cart", engine))

	const into = "INSERT INTO wp_rowhook_relay (id, hook, kind, args, omitted) VALUES "
	execAll(t.Context(), t, server,
		into+`('a1', 'add_item_cart', 'filter', '[null,{"items":[]},{"id":7},"",{"alias":"com_vikappointments","version":"1.2.15","admin":false,"call":null}]', '[]')`,
		"START TRANSACTION", "INSERT INTO wp_vikappointments_coupon (id, code) VALUES (77, 'x')", into+`('a2', 'add_item_cart', 'filter', '[null,2]', '')`,
		into+`('a3', 'remove_item_cart', 'action', '[{"a":1}]', '[[0,"b.c","closure"]]'), ('a4', 'remove_item_cart', 'filter', 'no JSON', '')`, "COMMIT",
		"START TRANSACTION", into+`('a5', 'add_item_cart', 'filter', '[null,"rolled back"]', '')`, "ROLLBACK",
		into+`('a6', 'empty_cart', 'filter', '[null,"nobody asks"]', '')`,
		"DELETE FROM wp_rowhook_relay WHERE id < 'a9' LIMIT 1000", "DELETE FROM wp_vikappointments_coupon WHERE id = 77")
	got := map[string]int{}
	ids := map[string]bool{}
	for _, r := range receiver.WaitAccepted(patience(t), 5) {
		conforms(t, &r)
		got[fmt.Sprintf("%s %s omitted=%s object=%s", r.Header.Get("X-VAP-WEBHOOK-ACTION"), r.Body, r.Header.Get("X-Rowhook-Omitted"), r.Header.Get("X-Rowhook-Object"))]++
		ids[r.Header.Get("webhook-id")] = true
	}
	for _, want := range []string{
		`onAddItemCart {"arg1":{"items":[]},"arg2":{"id":7},"arg3":""} omitted= object=`, `onAddItemCart {"arg1":2} omitted= object=`,
		`onRemoveItemCart {"arg1":{"a":1}} omitted=arg1.b.c object=`, `onRemoveItemCart {} omitted= object=partial`, `onAfterDeleteCoupon {"id":77} omitted= object=`,
	} {
		if got[want] != 1 {
			t.Errorf("%d times %s in %v", got[want], want, got)
		}
	}
	if n := len(receiver.Accepted()); n != 5 || len(ids) != 5 {
		t.Errorf("%d deliveries with %d ids", n, len(ids))
	}
}

// TestRelayCommand prints the file with what the rules want, and says where a rule's events come from.
func TestRelayCommand(t *testing.T) {
	t.Parallel()
	server := dbtest.Start(t)
	run := func(rule string, args ...string) (string, error) {
		t.Helper()
		file := daemonFiles(t, server, "rules:\n"+rule, "")
		var out bytes.Buffer
		err := command(t.Context(), append(args, "--config", file), &out, io.Discard)
		return out.String(), err
	}
	const cart = "  - {name: cart, action: onAddItemCart, url: 'https://example.com'}\n"
	const mail = "  - {name: mail, action: vikappointments_before_send_mail_subject_admin, url: 'https://example.com', sites: [salon]}\n"
	const off = "  - {name: off, action: onEmptyCart, url: 'https://example.com', enabled: false}\n"
	out, err := run(cart+mail+off, "relay")
	if err != nil || !strings.Contains(out, "array(\n\t\t\t'add_item_cart',\n\t\t\t'before_send_mail_subject_admin',\n\t\t)") || !strings.HasPrefix(out, "<?php\n") {
		t.Errorf("%v\n%.3000s", err, out)
	}
	if out, err := run(cart, "relay", "--sql", "--engine", "innodb"); err != nil || !strings.Contains(out, "`wordpress`.`wp_rowhook_relay`") || !strings.Contains(out, "ENGINE=innodb") {
		t.Errorf("%v\n%s", err, out)
	}
	for want, args := range map[string][]string{
		"no site is called": {"relay", "--site", "none"}, "write BLACKHOLE or InnoDB": {"relay", "--sql", "--engine", "MyISAM"},
	} {
		if _, err := run(cart, args...); err == nil || !strings.Contains(err.Error(), want) || exitCode(err) != exitUsage {
			t.Errorf("%v: %v", args, err)
		}
	}
	if _, err := run("  - {name: a, action: coupon.save, url: 'https://example.com'}\n", "relay"); err == nil || !strings.Contains(err.Error(), "no relay is needed") {
		t.Errorf("without hooks: %v", err)
	}
	out, err = run(cart+"  - {name: other, action: vikappointments_something_quite_different, url: 'https://example.com'}\n", "rules", "validate")
	if err != nil || !strings.Contains(out, "cart: onAddItemCart, from the relay (rowhook_relay); rowhook check says whether it is there\n") ||
		!strings.Contains(out, "warning: rule other is for vikappointments_something_quite_different, which is no hook of the plugin that is known") {
		t.Errorf("%v\n%s", err, out)
	}
}

// TestRelayHidden: a table that may not be read is not taken for one that is missing, which nobody could make again.
func TestRelayHidden(t *testing.T) {
	t.Parallel()
	server := dbtest.Start(t)
	dbtest.Salon(t, server, "wordpress", "wp_")
	server.CreateUser(t, "rowhook", "secret", "REPLICATION SLAVE, BINLOG MONITOR ON *.*", "SELECT ON wordpress.wp_options")
	file := daemonFiles(t, server, "rules:\n  - {name: cart, action: onAddItemCart, url: 'https://example.com'}\n", "")
	sql, err := rowhook(t, file, "relay", "--sql")
	if err != nil {
		t.Fatal(err)
	}
	server.Exec(t, sql)
	const grant = "GRANT SELECT ON `wordpress`.`wp_rowhook_relay` TO rowhook"
	if out, _ := rowhook(t, file, "check"); !strings.Contains(out, "its table is not there, or may not be read") || !strings.Contains(out, grant) { // other grants are missing, too
		t.Errorf("check:\n%s", out)
	}
	server.Exec(t, grant+"@'%'")
	if out, _ := rowhook(t, file, "check"); !strings.Contains(out, "no page was made with its file yet") {
		t.Errorf("check with the grant:\n%s", out)
	}
}

// TestRelayFileOfRoot: where the configuration names WordPress' folder, the file there says what it relays.
func TestRelayFileOfRoot(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	dir := root + "/wp-content/mu-plugins"
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	file := daemonFiles(t, dbtest.Start(t), "rules:\n  - {name: cart, action: onAddItemCart, url: 'https://example.com'}\n", "")
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, bytes.Replace(text, []byte("name: salon,"), []byte("name: salon, root: "+root+","), 1), 0o600); err != nil {
		t.Fatal(err)
	}
	printed, err := rowhook(t, file, "relay")
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct{ file, want string }{
		{"", "there is no " + dir + "/rowhook-relay.php"}, {"<?php // ours", "is no file that rowhook relay wrote"},
		{strings.Replace(printed, "'add_item_cart'", "'other'", 1), "its file does not relay this hook"}, {printed, "its file relays it"},
	} {
		if test.file != "" {
			if err := os.WriteFile(dir+"/rowhook-relay.php", []byte(test.file), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if out, err := rowhook(t, file, "rules", "validate"); err != nil || !strings.Contains(out, test.want) {
			t.Errorf("%v, want %q in\n%s", err, test.want, out)
		}
	}
}
