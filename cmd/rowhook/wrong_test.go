package main

import (
	"context"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"syscall"
	"testing"
	"time"

	"rowhook/config"
	"rowhook/dbtest"
	"rowhook/deliver/delivertest"
	"rowhook/lasting"
)

// hours is a clock that goes on by hand.
type hours struct {
	mu sync.Mutex
	at time.Time
}

func (h *hours) now() time.Time { h.mu.Lock(); defer h.mu.Unlock(); return h.at }
func (h *hours) pass()          { h.mu.Lock(); defer h.mu.Unlock(); h.at = h.at.Add(time.Hour) }

// wrongDaemon runs a daemon whose hours the test lets pass.
func wrongDaemon(t *testing.T, file string, log *daemonLog) (d *daemon, hour func(), hangups chan<- os.Signal) {
	t.Helper()
	c, err := config.Load(file)
	if err != nil {
		t.Fatal(err)
	}
	set, err := readRules(c, file)
	if err != nil {
		t.Fatal(err)
	}
	d = newDaemon(c, file, log)
	clock := &hours{at: time.Now()}
	d.wrong = lasting.New(d.log, clock.now)
	signals := make(chan os.Signal)
	d.hangups = signals
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- d.run(ctx, set) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("the daemon ended with: %v", err)
		}
	})
	return d, func() { clock.pass(); d.wrong.Repeat() }, signals
}

// TestLasting: all that is wrong when a daemon starts, or comes to be while it runs, is said again each hour, shown by status and
// metrics when it needs a person, and said once when it has ended.
func TestLasting(t *testing.T) {
	t.Parallel()
	server := dbtest.Start(t)
	site := dbtest.Salon(t, server, "wordpress", "wp_")
	dbtest.Salon(t, server, "spa", "wp_")
	rowhookUser(t, server)
	execAll(t.Context(), t, server, "GRANT SELECT ON spa.* TO rowhook@'%'", "CREATE TABLE wp_lines (id INT PRIMARY KEY)", "CREATE TABLE spa.wp_lines LIKE wp_lines", "SET GLOBAL sync_binlog = 0")
	receiver, gone := delivertest.NewReceiver(t), delivertest.NewReceiver(t)
	gone.Answer(delivertest.Answer{Status: http.StatusGone})
	one := "rules:\n  - {name: crm, action: coupon.save, url: '" + receiver.URL() + "'}\n  - {name: gone, action: customer.save, url: '" + gone.URL() + "'}\n"
	file := daemonFiles(t, server, one+"  - {name: lines, action: custom, table: lines, key: [nubmer], url: 'http://127.0.0.1:1'}\n"+
		"  - {name: there, action: custom, table: later, url: 'http://127.0.0.1:1'}\n  - {name: sap, action: coupon.save, url: 'http://127.0.0.1:1', sites: [sap, sop]}\n",
		"discover: true\ndeliver: {endpoints: [{endpoint: 'http://crn.example:80', concurrency: 1}]}\n")
	passable(t, file)
	if err := os.Chmod(file, 0o644); err != nil {
		t.Fatal(err)
	}
	ruleFile := filepath.Join(filepath.Dir(file), "rules.yaml")
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(ruleFile, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	log, ctx := newDaemonLog(), patience(t)
	d, hour, hangups := wrongDaemon(t, file, log)
	log.wait(ctx, t, following, 1)
	warned := []string{`about="file ` + file + `"`, "about=sync_binlog", `about="rule lines, in schema wordpress"`, `about="rule lines, in schema spa"`, `about="table wordpress.wp_later"`,
		`about="rule sap, site sap"`, `about="rule sap, site sop"`, `about="endpoint http://crn.example:80"`}
	said := func(n int, what ...string) {
		t.Helper()
		for _, w := range what {
			log.wait(ctx, t, w, n)
			if got := log.count(w); got != n {
				t.Errorf("%s is said %d times, want %d", w, got, n)
			}
		}
	}
	said(1, warned...)
	statusSays(t, file, true, "Rule sap, site sap: a rule is for a site that is not there", "Rule lines, in schema spa: a rule waits", `has no column nubmer`)
	hour()
	said(2, warned...)

	write(one + "  - {name: crm, action: nonsense}\n")
	hangups <- syscall.SIGHUP
	said(1, "about=reload")
	said(3, warned...) // who sends a signal wants to hear what became of it
	statusSays(t, file, true, "Reload: the rules are not reloaded, the old ones stay", "nonsense", "rowhook rules validate")
	hour()
	said(2, "about=reload")

	if _, err := site.Insert(ctx, "users", "billing_name", "x"); err != nil { // the receiver of customers is gone
		t.Fatal(err)
	}
	eventually(t, "a pause that status shows", func() bool {
		d.tellTroubles(ctx)
		return slices.ContainsFunc(d.wrong.List(), func(w lasting.Wrong) bool { return w.About == gone.URL() })
	})
	hour()
	said(1, "about="+gone.URL())
	said(5, warned...)

	write(one)
	edit(t, file, "deliver: {endpoints: [{endpoint: 'http://crn.example:80', concurrency: 1}]}", "coalesce: 1s")
	if err := os.Chmod(file, 0o600); err != nil {
		t.Fatal(err)
	}
	server.Exec(t, "SET GLOBAL sync_binlog = 1")
	hangups <- syscall.SIGHUP
	ended := []string{`ended" about=reload`, `ended" about="file ` + file + `"`, `ended" about=sync_binlog`, `ended" about="rule lines, in schema wordpress"`, `ended" about="rule lines, in schema spa"`,
		`ended" about="table wordpress.wp_later"`, `ended" about="rule sap, site sap"`, `ended" about="rule sap, site sop"`}
	said(1, ended...)
	statusSays(t, file, true, "Configuration: keys of the configuration were changed, which takes a restart", "coalesce, deliver", "systemctl restart rowhook")
	hour()
	said(1, ended...)
	said(2, `level=ERROR msg="keys of the configuration were changed`)
}

// TestLastingUnseen: a table of one of two sites that may not be read any more has not got better, nor has it when there are more signals; it
// ends when it is seen that it did, and when there is no such table.
func TestLastingUnseen(t *testing.T) {
	t.Parallel()
	server := dbtest.Start(t)
	for _, schema := range []string{"wordpress", "spa", "inn"} {
		dbtest.Salon(t, server, schema, "wp_")
	}
	rowhookUser(t, server)
	execAll(t.Context(), t, server, "GRANT SELECT ON spa.* TO rowhook@'%'", "GRANT SELECT ON inn.* TO rowhook@'%'",
		"CREATE TABLE wp_lines (id INT PRIMARY KEY)", "CREATE TABLE spa.wp_lines LIKE wp_lines", "CREATE TABLE inn.wp_lines LIKE wp_lines")
	file := daemonFiles(t, server, "rules:\n  - {name: lines, action: custom, table: lines, key: [nubmer], url: 'http://127.0.0.1:1'}\n"+
		"  - {name: when, action: custom, table: lines, when: after.odrer == 1, url: 'http://127.0.0.1:1'}\n", "")
	edit(t, file, "{name: salon, schema: wordpress, prefix: wp_}", "{name: salon, schema: wordpress, prefix: wp_}, {name: spa, schema: spa, prefix: wp_}, {name: inn, schema: inn, prefix: wp_}")
	log, ctx := newDaemonLog(), patience(t)
	_, hour, hangups := wrongDaemon(t, file, log)
	log.wait(ctx, t, following, 1)
	about := func(rule, schema string) string { return `about="rule ` + rule + `, in schema ` + schema + `"` }
	const ended = `has ended" `
	looks, said := 1, 1
	look := func(statements ...string) {
		t.Helper()
		execAll(ctx, t, server, statements...)
		for range 2 { // the second is taken when all is done that the first asked for
			hangups <- syscall.SIGHUP
			looks++
		}
		log.wait(ctx, t, about("lines", "spa"), looks)
		log.wait(ctx, t, about("when", "spa"), looks)
		said = looks
	}
	look("REVOKE SELECT ON spa.* FROM rowhook@'%'", "ALTER TABLE wp_lines ADD nubmer INT, ADD odrer INT", "DROP TABLE inn.wp_lines")
	for _, rule := range []string{"lines", "when"} {
		log.wait(ctx, t, ended+about(rule, "wordpress"), 1)
		log.wait(ctx, t, ended+about(rule, "inn"), 1)
		if log.count(ended+about(rule, "spa")) > 0 {
			t.Errorf("rule %s is said to have got better, whose table cannot be seen", rule)
		}
	}
	statusSays(t, file, true, "Rule lines, in schema spa: a rule waits", "has no column nubmer")
	hour()
	looks++
	log.wait(ctx, t, about("lines", "spa"), looks)
	look("GRANT SELECT ON spa.* TO rowhook@'%'")
	if n := log.count(ended + about("lines", "spa")); n > 0 {
		t.Errorf("it ended %d times", n)
	}
	execAll(ctx, t, server, "ALTER TABLE spa.wp_lines ADD nubmer INT, ADD odrer INT")
	hangups <- syscall.SIGHUP
	for _, rule := range []string{"lines", "when"} {
		log.wait(ctx, t, ended+about(rule, "spa"), 1)
		if n := log.count(about(rule, "spa")); n != said+1 {
			t.Errorf("rule %s is said %d times, want %d and that it ended", rule, n, said)
		}
	}
}
