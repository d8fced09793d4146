package main

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"

	"rowhook/dbtest"
	"rowhook/deliver/delivertest"
	"rowhook/pipeline"
)

// twoSites are a server with two salons, each with a receiver of its own, and rowhook's configuration for both.
type twoSites struct {
	t            *testing.T
	server       *dbtest.Server
	salon, spa   *dbtest.Site
	heard, other *delivertest.Receiver // the salon's, and the spa's
	config       string
}

func newTwoSites(t *testing.T, more string, args ...string) *twoSites {
	t.Helper()
	return newTwoSitesOn(t, dbtest.Start(t, args...), more)
}

func newTwoSitesOn(t *testing.T, server *dbtest.Server, more string) *twoSites {
	t.Helper()
	w := &twoSites{t: t, server: server, heard: delivertest.NewReceiver(t), other: delivertest.NewReceiver(t)}
	w.salon = dbtest.Salon(t, w.server, "wordpress", "wp_")
	w.spa = dbtest.Salon(t, w.server, "spa", "wp_")
	rowhookUser(t, w.server)
	w.server.Exec(t, "GRANT SELECT ON spa.* TO 'rowhook'@'%'")
	rules := fmt.Sprintf("rules:\n  - {name: salon, action: appointment.save, sites: [salon], load: extended, url: %q}\n"+
		"  - {name: spa, action: appointment.save, sites: [spa], load: extended, url: %q}\n", w.heard.URL(), w.other.URL())
	w.config = daemonFiles(t, w.server, rules, "coalesce: 100ms\n"+more)
	text, err := os.ReadFile(w.config)
	if err != nil {
		t.Fatal(err)
	}
	both := strings.Replace(string(text), "prefix: wp_}]", "prefix: wp_}, {name: spa, schema: spa, prefix: wp_}]", 1)
	if err := os.WriteFile(w.config, []byte(both), 0o600); err != nil {
		t.Fatal(err)
	}
	return w
}

// book makes n bookings at each site, and returns those of the salon.
func (w *twoSites) book(n int) (salon []int64) {
	w.t.Helper()
	for range n {
		id, err := w.salon.Book(w.t.Context(), dbtest.Booking{Options: []int64{1}})
		if err == nil {
			_, err = w.spa.Book(w.t.Context(), dbtest.Booking{})
		}
		if err != nil {
			w.t.Fatal(err)
		}
		salon = append(salon, id)
	}
	return salon
}

// bookSpa makes n bookings at the spa alone.
func (w *twoSites) bookSpa(n int) {
	w.t.Helper()
	for range n {
		if _, err := w.spa.Book(w.t.Context(), dbtest.Booking{}); err != nil {
			w.t.Fatal(err)
		}
	}
}

// status is how the salon stands.
func (w *twoSites) status() pipeline.SiteStatus {
	w.t.Helper()
	out, err := rowhook(w.t, w.config, "sites", "list", "--json")
	var list siteList
	if err != nil || json.Unmarshal([]byte(out), &list) != nil || len(list.Sites) != 2 {
		w.t.Fatalf("%v\n%s", err, out)
	}
	if other := list.Sites[1]; other.State != pipeline.SiteReading {
		w.t.Errorf("the other site: %+v", other)
	}
	return list.Sites[0]
}

// await waits until the salon is in a state.
func (w *twoSites) await(state pipeline.SiteState) pipeline.SiteStatus {
	w.t.Helper()
	var s pipeline.SiteStatus
	eventually(w.t, "the salon is "+string(state), func() bool { s = w.status(); return s.State == state })
	return s
}

// accepted waits for so many webhooks of a site: for long, as what was held may come half a minute late, and then in turns.
func (w *twoSites) accepted(r *delivertest.Receiver, n int) []delivertest.Request {
	w.t.Helper()
	ctx := patience(w.t)
	return r.WaitAccepted(ctx, n)
}

// TestStatementStopsOneSite: what a site's programs hide from the log stops that site alone until a person decides, over a
// restart too; then all that the log shows is delivered.
func TestStatementStopsOneSite(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		do    []string // on one connection
		want  string   // of the reason
		mysql bool     // only there is such a thing
	}{
		"statement": {
			do:   []string{"SET SESSION binlog_format = STATEMENT", "UPDATE wp_vikappointments_reservation SET notes = 'x' WHERE id = 1"},
			want: "wordpress.wp_vikappointments_reservation was written by a statement",
		},
		"XA": {
			do:   []string{"XA START 'a'", "UPDATE wp_vikappointments_reservation SET notes = 'prepared' WHERE id = 1", "XA END 'a'", "XA PREPARE 'a'", "XA COMMIT 'a'"},
			want: "wordpress.wp_vikappointments_reservation was written in an XA transaction",
		},
		"partial JSON": {
			do: []string{
				"UPDATE wp_vikappointments_coupon SET notes = '{\"a\": \"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\"}'", "ALTER TABLE wp_vikappointments_coupon MODIFY notes JSON",
				"SET SESSION binlog_row_value_options = PARTIAL_JSON", "UPDATE wp_vikappointments_coupon SET notes = JSON_SET(notes, '$.a', 'b')",
			},
			want: "wordpress.wp_vikappointments_coupon", mysql: true,
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			onServers(t, func(t *testing.T, server *dbtest.Server) {
				if test.mysql && !server.Kind().MySQL() {
					return
				}
				stopsOneSite(t, server, test.do, test.want)
			})
		})
	}
}

// stopsOneSite does statements, on one connection, that stop the salon until a person decides.
func stopsOneSite(t *testing.T, server *dbtest.Server, do []string, want string) {
	t.Helper()
	w := newTwoSitesOn(t, server, "")
	stop := startDaemon(t, w.config)
	w.book(2)
	w.accepted(w.heard, 2)
	conn, err := w.server.DB(t, "wordpress").Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	for _, s := range do {
		if _, err := conn.ExecContext(t.Context(), s); err != nil {
			t.Fatalf("%s: %v", s, err)
		}
	}
	w.book(3)
	w.accepted(w.other, 5)
	s := w.await(pipeline.SiteStopped)
	if !strings.Contains(s.Reason, want) || !s.Stop.Decide || strings.Join(s.Ways, "|") != "rowhook sites resume salon|rowhook sites resume salon --from-now" {
		t.Errorf("it says %+v", s)
	}
	if n := len(w.heard.Requests()); n != 2 {
		t.Errorf("%d webhooks of the stopped site", n)
	}
	stop()
	for _, c := range []string{"sites list", "position show", "check"} {
		if out, err := rowhook(t, w.config, strings.Fields(c)...); err != nil && c != "check" || !strings.Contains(out, want) || !strings.Contains(out, "rowhook sites resume salon") {
			t.Errorf("%s: %v\n%s", c, err, out)
		}
	}
	startDaemon(t, w.config)
	w.book(1)
	w.accepted(w.other, 6)
	if s := w.status(); s.State != pipeline.SiteStopped {
		t.Errorf("after a restart: %+v", s)
	}
	if out, err := rowhook(t, w.config, "sites", "resume", "salon", "--json"); err != nil || !strings.Contains(out, `"from_now": false`) {
		t.Fatalf("%v\n%s", err, out)
	}
	w.accepted(w.heard, 6)
	w.await(pipeline.SiteReading)
	w.book(2)
	w.accepted(w.other, 8)
	if got := heard(t, w.accepted(w.heard, 8)); len(got) != 8 {
		t.Errorf("the salon's webhooks: %v", got)
	}
}

// TestLogOfAStoppedSiteIsPurged: wherever a stopped site is named, so is how long the server keeps the log that it needs; and
// when that is gone, the one way out is left.
func TestLogOfAStoppedSiteIsPurged(t *testing.T) { onServers(t, testLogOfAStoppedSiteIsPurged) }

func testLogOfAStoppedSiteIsPurged(t *testing.T, server *dbtest.Server) {
	t.Helper()
	w := newTwoSitesOn(t, server, "")
	server.Exec(t, "SET GLOBAL binlog_expire_logs_seconds = 18000")
	stop := startDaemon(t, w.config)
	w.book(1)
	w.accepted(w.heard, 1)
	server.Exec(t, "SET SESSION binlog_format = STATEMENT; UPDATE wordpress.wp_vikappointments_coupon SET notes = 'x'")
	w.await(pipeline.SiteStopped)
	eventually(t, "the server was asked", func() bool { return !w.status().Stop.Kept.Until.IsZero() })
	everywhere := func(wants ...string) {
		t.Helper()
		for _, c := range []string{"sites list", "position show", "check"} {
			out, _ := rowhook(t, w.config, strings.Fields(c)...) // check fails
			for _, want := range append(wants, "coupon was written by a statement", "rowhook sites resume salon --from-now") {
				if !strings.Contains(out, want) {
					t.Errorf("%s lacks %q:\n%s", c, want, out)
				}
			}
		}
	}
	everywhere("purged in about 5 hours")
	if _, err := rowhook(t, w.config, "check"); exitCode(err) != exitFailed {
		t.Errorf("check ends with %v", err)
	}
	stop()
	everywhere("purged in about 5 hours")
	purgeLogs(t, server)
	w.book(1)
	startDaemon(t, w.config)
	w.accepted(w.other, 2)
	eventually(t, "it is found", func() bool { return w.status().Stop.Gone })
	everywhere("purged already")
	if _, err := rowhook(t, w.config, "sites", "resume", "salon"); err == nil || !strings.Contains(err.Error(), "--from-now") {
		t.Errorf("resume: %v", err)
	}
	if out, err := rowhook(t, w.config, "sites", "resume", "salon", "--from-now"); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	w.await(pipeline.SiteReading)
	w.book(1)
	w.accepted(w.heard, 2)
	if out, err := rowhook(t, w.config, "check"); err != nil || strings.Contains(out, "site salon") {
		t.Errorf("check, when it is over: %v\n%s", err, out)
	}
}

// purgeLogs has the server remove all files of its log but the last, which it does not while it believes that they are read.
func purgeLogs(t *testing.T, server *dbtest.Server) {
	t.Helper()
	server.Exec(t, "FLUSH BINARY LOGS")
	db := server.DB(t, "")
	eventually(t, "one file of the log is left", func() bool {
		server.Exec(t, "PURGE BINARY LOGS BEFORE NOW() + INTERVAL 1 DAY")
		rows, err := db.QueryContext(t.Context(), "SHOW BINARY LOGS")
		if err != nil {
			t.Fatal(err)
		}
		defer rows.Close()
		files := 0
		for rows.Next() {
			files++
		}
		return files == 1 && rows.Err() == nil
	})
}
