package main

import (
	"strings"
	"testing"

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
