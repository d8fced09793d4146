package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"

	"rowhook/config"
	"rowhook/dbtest"
	"rowhook/deliver/delivertest"
)

// TestDiscover: with discover: true all sites of a server are followed: those that are there, those that come to be while
// rowhook runs or is away, without losing a change, and those that it may read later; dropped ones are let go.
func TestDiscover(t *testing.T) { onServers(t, testDiscover) }

func testDiscover(t *testing.T, server *dbtest.Server) {
	t.Helper()
	first := dbtest.Salon(t, server, "first", "wp_")
	receiver := delivertest.NewReceiver(t)
	server.CreateUser(t, "rowhook", "secret", "SELECT, REPLICATION SLAVE, REPLICATION CLIENT ON *.*")
	files := discoverFiles(t, server, receiver.URL())
	ctx := patience(t)
	stop := startDaemon(t, files)
	n := 0
	arrives := func(why string, site *dbtest.Site, name string) { // a coupon of the site; the salon's sample has others
		t.Helper()
		n++
		code := fmt.Sprintf("CODE%d", n)
		if _, err := site.Insert(ctx, "coupon", "code", code); err != nil {
			t.Fatal(err)
		}
		ours := func(r delivertest.Request) bool { return strings.Contains(string(r.Body), code) }
		all := receiver.Wait(ctx, why, func(all []delivertest.Request) bool { return slices.ContainsFunc(all, ours) })
		if r := all[slices.IndexFunc(all, ours)]; r.Header.Get("X-Rowhook-Site") != name {
			t.Errorf("%s: site %q, want %q", why, r.Header.Get("X-Rowhook-Site"), name)
		}
	}
	arrives("a site that was there", first, "first")

	second := dbtest.Salon(t, server, "second", "x_")
	arrives("a site that came to be", second, "second")
	network := dbtest.Salon(t, server, "first", "wp_2_")
	arrives("a second one in a schema: the first keeps its name", network, "first_wp_2")
	arrives("the first one", first, "first")

	stop()
	away := dbtest.Salon(t, server, "away", "wp_")
	stop = startDaemon(t, files)
	arrives("one that came to be while rowhook was away", away, "away")

	stop()
	letGo := &watched{awaited: "a site is let go", seen: make(chan struct{})}
	end, hangups := startByHand(t, files, letGo)
	server.Exec(t, "DROP DATABASE second")
	for gone := false; !gone; {
		select {
		case hangups <- syscall.SIGHUP: // has the server asked at once
		case <-letGo.seen:
			gone = true
		case <-ctx.Done():
			t.Fatal("the dropped site is not let go")
		}
	}
	end()
	stop = startDaemon(t, files)
	arrives("after one was dropped", first, "first")
	if out, err := rowhook(t, files, "sites", "list"); err != nil || strings.Contains(out, "second") || !strings.Contains(out, "first_wp_2") || !strings.Contains(out, "away") {
		t.Errorf("sites list: %v\n%s", err, out)
	}
	stop()
	if out, err := rowhook(t, files, "sites", "list"); err != nil || strings.Contains(out, "second") || !strings.Contains(out, "first_wp_2") {
		t.Errorf("sites list without a daemon: %v\n%s", err, out)
	}
	if out, err := rowhook(t, files, "check"); err != nil || !strings.Contains(out, "payloads of first_wp_2") {
		t.Errorf("check: %v\n%s", err, out)
	}
	again := dbtest.Salon(t, server, "second", "x_")
	stop = startDaemon(t, files)
	arrives("one that is back has its name again", again, "second")
	stop()
}

// discoverFiles is daemonFiles with discover: true, and one rule.
func discoverFiles(t *testing.T, server *dbtest.Server, url string) string {
	t.Helper()
	file := daemonFiles(t, server, "rules: [{name: all, action: coupon.save, load: full, url: '"+url+"'}]\n", "coalesce: 0s\nrestore: report\n") // a MySQL does not say which rows of a new table are a restore's
	text, err := os.ReadFile(file)
	if err == nil {
		err = os.WriteFile(file, []byte(strings.Replace(string(text), "sites: [{name: salon, schema: wordpress, prefix: wp_}]", "discover: true", 1)), 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	return file
}

// startByHand starts a daemon of which the test sends the signals.
func startByHand(t *testing.T, file string, log io.Writer) (stop func(), hangups chan<- os.Signal) {
	t.Helper()
	c, err := config.Load(file)
	if err != nil {
		t.Fatal(err)
	}
	set, err := readRules(c, file)
	if err != nil {
		t.Fatal(err)
	}
	d := newDaemon(c, file, log)
	signals := make(chan os.Signal)
	d.hangups = signals
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- d.run(ctx, set) }()
	return func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("the daemon ended with: %v", err)
		}
	}, signals
}

// TestDiscoverWithoutRights: a site that may not be read is named, with the grant that it takes, and followed once it has it.
func TestDiscoverWithoutRights(t *testing.T) {
	t.Parallel()
	server := dbtest.Start(t)
	dbtest.Salon(t, server, "first", "wp_")
	receiver := delivertest.NewReceiver(t)
	server.CreateUser(t, "rowhook", "secret", "REPLICATION SLAVE, BINLOG MONITOR ON *.*", "SELECT ON first.*")
	files := discoverFiles(t, server, receiver.URL())
	stop := startDaemon(t, files)
	stop()
	log, ctx := newDaemonLog(), patience(t)
	end, hangups := startByHand(t, files, log)
	hidden := dbtest.Salon(t, server, "hidden", "wp_")
	log.wait(ctx, t, "GRANT SELECT ON `hidden`.*", 1)
	dbtest.Salon(t, server, "passing", "wp_")
	log.wait(ctx, t, "GRANT SELECT ON `passing`.*", 1)
	statusSays(t, files, true, "Two things need you", "Site with schema hidden and prefix wp_: the log shows it", "Site with schema passing and prefix wp_")
	server.Exec(t, "DROP DATABASE passing")
	log.wait(ctx, t, `ended" about="site with schema passing and prefix wp_"`, 1)
	server.Exec(t, "GRANT SELECT ON hidden.* TO rowhook@'%'")
	for {
		if _, err := hidden.Insert(t.Context(), "coupon", "code", "x"); err != nil {
			t.Fatal(err)
		}
		if len(receiver.Accepted()) > 0 {
			break
		}
		select {
		case hangups <- syscall.SIGHUP:
		case <-ctx.Done():
			t.Fatal("the site is not followed once it may be read")
		}
	}
	if site := receiver.Accepted()[0].Header.Get("X-Rowhook-Site"); site != "hidden" {
		t.Errorf("site %q", site)
	}
	log.wait(ctx, t, `ended" about="site with schema hidden and prefix wp_"`, 1)
	end()
}

// TestDiscoverWithoutRightsForLong: sites that may not be read are named after a restart as well, by status, the log and check, until one
// is dropped, one may be read, and one proves to be gone.
func TestDiscoverWithoutRightsForLong(t *testing.T) {
	t.Parallel()
	server := dbtest.Start(t)
	dbtest.Salon(t, server, "first", "wp_")
	receiver := delivertest.NewReceiver(t)
	server.CreateUser(t, "rowhook", "secret", "REPLICATION SLAVE, BINLOG MONITOR ON *.*", "SELECT ON first.*")
	files := discoverFiles(t, server, receiver.URL())
	log, ctx := newDaemonLog(), patience(t)
	end, _ := startByHand(t, files, log)
	log.wait(ctx, t, following, 1)
	about := func(schema string) string { return "site with schema " + schema + " and prefix wp_" }
	all := []string{"secondshop", "dropped", "gone"}
	for _, schema := range all {
		dbtest.Salon(t, server, schema, "wp_")
		log.wait(ctx, t, "GRANT SELECT ON `"+schema+"`.*", 1)
	}
	end()
	checked := func(what string, want ...string) {
		t.Helper()
		out, err := rowhook(t, files, "check")
		for _, schema := range all {
			if is := strings.Contains(out, "FAIL  "+about(schema)) && strings.Contains(out, "GRANT SELECT ON `"+schema+"`.*"); is != slices.Contains(want, schema) {
				t.Errorf("%s: check names %s: %t\n%s", what, schema, is, out)
			}
		}
		if (err != nil) != (len(want) > 0) {
			t.Errorf("%s: check ends with %v", what, err)
		}
	}
	checked("without a daemon", all...)

	log = newDaemonLog()
	end, _ = startByHand(t, files, log)
	for _, schema := range all {
		log.wait(ctx, t, "GRANT SELECT ON `"+schema+"`.*", 1)
	}
	log.wait(ctx, t, following, 1)
	statusSays(t, files, true, "Three things need you", "Site with schema secondshop and prefix wp_: the log shows it", "Site with schema dropped and prefix wp_", "Site with schema gone and prefix wp_")
	server.Exec(t, "DROP DATABASE dropped")
	log.wait(ctx, t, `ended" about="`+about("dropped")+`"`, 1)
	server.Exec(t, "SET sql_log_bin = 0; DROP DATABASE gone; SET sql_log_bin = 1")
	checked("one is dropped", "secondshop", "gone")
	end()

	server.Exec(t, "GRANT SELECT ON gone.* TO rowhook@'%'")
	checked("one proves to be gone", "secondshop")
	log = newDaemonLog()
	end, _ = startByHand(t, files, log)
	log.wait(ctx, t, following, 1)
	if log.count("`gone`")+log.count("`dropped`") > 0 || log.count("`secondshop`") != 1 {
		t.Error("other sites than the one that may not be read are named")
	}
	end()

	server.Exec(t, "GRANT SELECT ON secondshop.* TO rowhook@'%'")
	checked("the last may be read")
	log = newDaemonLog()
	end, _ = startByHand(t, files, log)
	log.wait(ctx, t, following, 1)
	if log.count("`secondshop`") > 0 || log.count(`site=secondshop`) == 0 {
		t.Error("the site that may be read is not found")
	}
	end()
}

// TestDiscoverUnseen: what needs only the rules works before the daemon has found a site.
func TestDiscoverUnseen(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for name, text := range map[string]string{
		"config.yaml": "discover: true\nfidelity: plugin\nrules: rules.yaml\nstate_dir: state\n",
		"rules.yaml": "rules:\n- {name: posts, action: custom, table: posts, url: 'http://127.0.0.1:1'}\n- {name: cart, action: onAddItemCart, url: 'http://127.0.0.1:1', sites: [spa]}\n" +
			"- {name: full, action: onEmptyCart, url: 'http://127.0.0.1:1', sites: [inn]}\n" +
			"- {name: shown, action: onAfterPublishOption, url: 'http://127.0.0.1:1'}\n",
		"plugin.yaml": "cases:\n- {name: a, action: onAfterPublishOption, after: {id: 7, published: 1}, want: [shown], posts: {shown: {}}}\n",
		"cases.yaml":  "cases:\n- {name: a, table: posts, after: {ID: 5}, want: [posts]}\n- {name: b, site: spa, table: posts, after: {ID: 5}, want: [posts]}\n",
	} {
		if err := os.WriteFile(dir+"/"+name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	file := dir + "/config.yaml"
	if out, err := rowhook(t, file, "relay"); err != nil || !strings.Contains(out, "'add_item_cart'") || !strings.Contains(out, "'empty_cart'") {
		t.Errorf("relay: %v\n%s", err, out)
	}
	if out, err := rowhook(t, file, "relay", "--site", "spa"); err != nil || !strings.Contains(out, "'add_item_cart'") || strings.Contains(out, "'empty_cart'") {
		t.Errorf("relay of a site: %v\n%s", err, out)
	}
	if _, err := rowhook(t, file, "relay", "--sql"); err == nil || !strings.Contains(err.Error(), "has not found a site yet") {
		t.Errorf("relay --sql: %v", err)
	}
	if out, err := rowhook(t, file, "rules", "validate"); err != nil || !strings.Contains(out, "in table posts of each site that is found, from the binlog") {
		t.Errorf("rules validate: %v\n%s", err, out)
	}
	if out, err := rowhook(t, file, "rules", "test", "--case", dir+"/cases.yaml"); err != nil || strings.Count(out, "ok  ") != 2 {
		t.Errorf("rules test: %v\n%s", err, out)
	}
	if out, err := rowhook(t, file, "rules", "test", "--case", dir+"/plugin.yaml"); err == nil || !strings.Contains(out, `posts {"arg0":7,"arg1":1,`) { // as the plugin counts
		t.Errorf("rules test: %v\n%s", err, out)
	}
}

// TestDiscoverBesideListed: what is listed keeps its own name, and a rule for a site that is not there is said.
func TestDiscoverBesideListed(t *testing.T) {
	t.Parallel()
	server := dbtest.Start(t)
	dbtest.Salon(t, server, "wordpress", "wp_")
	dbtest.Salon(t, server, "spa", "wp_")
	rowhookUser(t, server)
	server.Exec(t, "GRANT SELECT ON spa.* TO rowhook@'%'")
	file := daemonFiles(t, server, "rules:\n- {name: all, action: coupon.save, url: 'http://127.0.0.1:1', sites: [salon, sap]}\n"+
		"- {name: cart, action: onAddItemCart, url: 'http://127.0.0.1:1'}\n", "discover: true\n")
	said := &watched{awaited: "a rule is for a site that is not there", seen: make(chan struct{})}
	startDaemon(t, file, said)()
	select {
	case <-said.seen:
	default:
		t.Error("the rule's misspelt site is not named")
	}
	if out, err := rowhook(t, file, "sites", "list"); err != nil || !strings.Contains(out, "salon") || !strings.Contains(out, "spa") || strings.Contains(out, "wordpress") {
		t.Errorf("sites list: %v\n%s", err, out)
	}
	if out, err := rowhook(t, file, "relay", "--sql"); err != nil || !strings.Contains(out, "`wordpress`.`wp_rowhook_relay`") || !strings.Contains(out, "`spa`.`wp_rowhook_relay`") {
		t.Errorf("relay --sql: %v\n%s", err, out)
	}
}

// TestDiscoverRotatedPassword: a password that was changed and taken up at SIGHUP counts when there is another site, too.
func TestDiscoverRotatedPassword(t *testing.T) {
	t.Parallel()
	server := dbtest.Start(t)
	dbtest.Salon(t, server, "first", "wp_")
	receiver := delivertest.NewReceiver(t)
	server.CreateUser(t, "rowhook", "secret", "REPLICATION SLAVE, BINLOG MONITOR, SELECT ON *.*")
	files := discoverFiles(t, server, receiver.URL())
	log, ctx := newDaemonLog(), patience(t)
	stop, hangups := startByHand(t, files, log)
	defer stop()
	log.wait(ctx, t, following, 1)
	server.Exec(t, "ALTER USER rowhook IDENTIFIED BY 'another'")
	edit(t, files, "password: secret", "password: another")
	hangups <- syscall.SIGHUP
	log.wait(ctx, t, "the rules are reloaded", 1)
	if n := log.count("takes a restart"); n > 0 { // the site that was found is not in the file
		t.Errorf("a restart is asked for %d times", n)
	}
	second := dbtest.Salon(t, server, "second", "wp_")
	log.wait(ctx, t, following, 2)
	if _, err := second.Insert(ctx, "coupon", "code", "x"); err != nil {
		t.Fatal(err)
	}
	receiver.WaitAccepted(ctx, 1)
}
