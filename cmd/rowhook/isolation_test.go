package main

import (
	"fmt"
	"strings"
	"testing"

	"rowhook/dbtest"
	"rowhook/pipeline"
)

// isolation is a trouble of one site: while it lasts all of the other's webhooks arrive, it is named, and when it is fixed
// all of the site's own arrive too.
type isolation struct {
	args  []string // of the server
	down  bool     // it comes while rowhook does not run
	do    []string // statements
	state pipeline.SiteState
	want  string // of the reason
	fix   []string
	say   string // a command, behind the fix
	loses int    // bookings of the site that nothing shows any more
	part  bool   // an option of a booking is changed meanwhile: only the database knows whose it is
}

func TestOneSitesTroubleIsItsOwn(t *testing.T) {
	t.Parallel()
	const revoke, grant = "REVOKE SELECT ON wordpress.* FROM 'rowhook'@'%'", "GRANT SELECT ON wordpress.* TO 'rowhook'@'%'"
	tests := map[string]isolation{
		"SELECT revoked": {do: []string{revoke}, state: pipeline.SiteWaiting, want: "denied", fix: []string{grant}},
		"SELECT revoked while down": {
			down: true, do: []string{revoke}, state: pipeline.SiteWaiting, want: "denied", fix: []string{grant},
		},
		"SELECT revoked, MINIMAL images": {
			args: []string{"--binlog-row-image=MINIMAL"}, do: []string{revoke}, state: pipeline.SiteWaiting, want: "denied", fix: []string{grant},
		},
		"SELECT revoked, MINIMAL images, a part": {
			args: []string{"--binlog-row-image=MINIMAL"}, do: []string{revoke}, state: pipeline.SiteStopped, want: "the log does not tell whose row it is", fix: []string{grant}, part: true,
		},
		"a table missing at the start": {
			down: true, do: []string{"RENAME TABLE wordpress.wp_vikappointments_coupon TO wordpress.away"}, state: pipeline.SiteWaiting,
			want: "wp_vikappointments_coupon", fix: []string{"RENAME TABLE wordpress.away TO wordpress.wp_vikappointments_coupon"},
		},
		"a table missing that is loaded": {
			do: []string{"RENAME TABLE wordpress.wp_vikappointments_service TO wordpress.away"}, state: pipeline.SiteWaiting,
			want: "wp_vikappointments_service", fix: []string{"RENAME TABLE wordpress.away TO wordpress.wp_vikappointments_service"},
		},
		"an id that is no number": {
			do: []string{
				"ALTER TABLE wordpress.wp_vikappointments_coupon MODIFY id VARCHAR(20)", "INSERT INTO wordpress.wp_vikappointments_coupon (id, code) VALUES ('a', 'b')",
			},
			state: pipeline.SiteStopped, want: `column id is "a", not a number`, say: "sites resume salon",
		},
		"from now": {
			do:    []string{"SET SESSION binlog_format = STATEMENT; UPDATE wordpress.wp_vikappointments_coupon SET notes = 'x'; SET SESSION binlog_format = ROW"},
			state: pipeline.SiteStopped, want: "wp_vikappointments_coupon was written by a statement", say: "sites resume salon --from-now", loses: 3,
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) { t.Parallel(); test.run(t) })
	}
}

func (i isolation) run(t *testing.T) {
	t.Helper()
	w := newTwoSites(t, "", i.args...)
	stop := startDaemon(t, w.config)
	w.book(2)
	w.accepted(w.heard, 2)
	w.accepted(w.other, 2)
	if i.down {
		stop()
	}
	w.server.Exec(t, strings.Join(i.do, ";"))
	if i.down {
		startDaemon(t, w.config)
	}
	more := 0
	if i.part {
		w.server.Exec(t, "UPDATE wordpress.wp_vikappointments_res_opt_assoc SET quantity = quantity + 1 ORDER BY id DESC LIMIT 1")
		more = 1
	}
	w.book(3)
	w.accepted(w.other, 5)
	s := w.await(i.state)
	if !strings.Contains(s.Reason, i.want) {
		t.Errorf("it says %+v, want %s", s, i.want)
	}
	for _, c := range []string{"sites list", "position show", "check"} {
		if out, err := rowhook(t, w.config, strings.Fields(c)...); err != nil && c != "check" || !strings.Contains(strings.ReplaceAll(out, `\"`, `"`), i.want) {
			t.Errorf("%s: %v\n%s", c, err, out)
		}
	}
	if len(i.fix) > 0 {
		w.server.Exec(t, strings.Join(i.fix, ";"))
	}
	if i.say != "" {
		if out, err := rowhook(t, w.config, strings.Fields(i.say)...); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
	}
	w.await(pipeline.SiteReading)
	w.book(2)
	w.accepted(w.other, 7)
	if got := heard(t, w.accepted(w.heard, 7-i.loses+more)); len(got) != 7-i.loses {
		t.Errorf("the site's webhooks: %v", got)
	}
}

// TestSchemaDroppedWhileDown: the site is named, and goes on when its schema is there again; nobody else notices.
func TestSchemaDroppedWhileDown(t *testing.T) {
	t.Parallel()
	w := newTwoSites(t, "")
	stop := startDaemon(t, w.config)
	w.book(2)
	w.accepted(w.heard, 2)
	w.accepted(w.other, 2)
	stop()
	w.server.Exec(t, "DROP DATABASE wordpress")
	w.bookSpa(2)
	startDaemon(t, w.config)
	w.bookSpa(2)
	w.accepted(w.other, 6)
	if s := w.await(pipeline.SiteWaiting); !strings.Contains(s.Reason, "wp_vikappointments_reservation") || s.Fix == "" {
		t.Errorf("it says %+v", s)
	}
	if out, err := rowhook(t, w.config, "check"); exitCode(err) != exitFailed || !strings.Contains(out, "site salon: waiting") || !strings.Contains(out, "but a site or a rule that fails") {
		t.Errorf("check: %v\n%s", err, out)
	}
	w.salon = dbtest.Salon(t, w.server, "wordpress", "wp_")
	w.book(2)
	w.accepted(w.other, 8)
	w.accepted(w.heard, 4)
	w.await(pipeline.SiteReading)
}

// TestOlderPluginsTables: a site whose plugin has no coupons and packages yet is followed as far as its tables go.
func TestOlderPluginsTables(t *testing.T) {
	t.Parallel()
	w := newTwoSites(t, "")
	for _, table := range []string{"coupon", "package", "package_order", "package_order_item", "package_service"} {
		w.server.Exec(t, "DROP TABLE wordpress.wp_vikappointments_"+table)
	}
	startDaemon(t, w.config)
	w.book(3)
	w.accepted(w.other, 3)
	w.accepted(w.heard, 3)
}

// TestOverfullSite: a site that too much is held of is stopped, before memory or anybody else suffers, and goes on by itself:
// nothing is lost.
func TestOverfullSite(t *testing.T) {
	t.Parallel()
	const rounds, bookings = 4, 50
	w := newTwoSites(t, "")
	ids := w.book(rounds * bookings)
	startDaemon(t, w.config)
	w.book(1) // the tables' columns are known then
	w.accepted(w.heard, 1)
	w.server.Exec(t, "REVOKE SELECT ON wordpress.* FROM 'rowhook'@'%'")
	for n := range rounds { // 100 KB each, of which 12 MB are too much
		first, last := ids[n*bookings], ids[(n+1)*bookings-1]
		w.server.Exec(t, fmt.Sprintf("UPDATE wordpress.wp_vikappointments_reservation SET notes = REPEAT('x', 100000) WHERE id BETWEEN %d AND %d", first, last))
		w.bookSpa(1)
		w.accepted(w.other, n+2)
	}
	s := w.await(pipeline.SiteStopped)
	if !s.Stop.Full || !strings.Contains(s.Reason, "denied") || !strings.Contains(s.Fix, "GRANT SELECT") || !strings.Contains(s.Ways[0], "by itself") {
		t.Errorf("it says %+v", s)
	}
	w.bookSpa(2)
	w.accepted(w.other, rounds+3)
	w.server.Exec(t, "GRANT SELECT ON wordpress.* TO 'rowhook'@'%'")
	w.accepted(w.heard, rounds*bookings+1)
	w.await(pipeline.SiteReading)
}
