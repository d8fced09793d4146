package main

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"rowhook/dbtest"
	"rowhook/deliver/delivertest"
	"rowhook/pipeline"
)

// backfillRules are rules for the same appointments, each with a mark in its url.
func backfillRules(url string) string {
	return fmt.Sprintf(`
rules:
  - {name: all, action: appointment.save, load: full, url: %[1]q}
  - {name: confirmed, action: appointment.save, load: extended, statuses: [C], url: %[1]q}
  - {name: updates, action: appointment.save, type: update, load: basic, url: %[1]q}
  - {name: customers, action: customer.save, load: full, url: %[1]q}
  - {name: deletes, action: appointment.delete, url: %[1]q}
`, url)
}

// salonWithPast is a salon with n appointments that nobody was told of: every third is confirmed.
func salonWithPast(t *testing.T, server *dbtest.Server, n int) *dbtest.Site {
	t.Helper()
	site := dbtest.Salon(t, server, "wordpress", "wp_")
	rowhookUser(t, server)
	var values []string
	for id := 1; id <= n; id++ {
		status := "W"
		if id%3 == 0 {
			status = "C"
		}
		created := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC).AddDate(0, 0, id%1000)
		values = append(values, fmt.Sprintf("(%[1]d, %[1]d, 1, 1, '2026-12-01 10:00:00', 30, '%[2]s', '%[1]d', 'a@example.test', '%[3]s')", id, status, created.Format(time.DateTime)))
	}
	if _, err := server.DB(t, "wordpress").ExecContext(t.Context(), `INSERT INTO wp_vikappointments_reservation
		(id, id_parent, id_employee, id_service, checkin_ts, duration, status, notes, purchaser_mail, createdon) VALUES `+strings.Join(values, ", ")); err != nil {
		t.Fatal(err)
	}
	return site
}

func TestBackfill(t *testing.T) {
	t.Parallel()
	const rows = 300
	server := dbtest.Start(t)
	site := salonWithPast(t, server, rows)
	if _, _, err := site.BookSeveral(t.Context(), dbtest.Booking{}, dbtest.Booking{}); err != nil {
		t.Fatal(err)
	}
	receiver := delivertest.NewReceiver(t)
	files := daemonFiles(t, server, backfillRules(receiver.URL()), "coalesce: 0s\n")
	stop := startDaemon(t, files)
	seen, total := map[string]bool{}, 0
	// heard are the ids of objects that n more requests are about.
	heard := func(n int) (ids []int) {
		t.Helper()
		ctx := patience(t)
		requests := receiver.WaitAccepted(ctx, total+n)
		for _, r := range requests[total:] {
			var body struct{ ID any }
			if err := json.Unmarshal(r.Body, &body); err != nil || seen[r.ID()] {
				t.Errorf("%v, or the id came before: %s", err, r.Body)
			}
			seen[r.ID()] = true
			id, err := strconv.Atoi(fmt.Sprint(body.ID))
			if err != nil {
				t.Errorf("%s: %v", r.Body, err)
			}
			ids = append(ids, id)
		}
		total = len(requests)
		slices.Sort(ids)
		return ids
	}
	upTo := func(n int, want func(int) bool) (ids []int) {
		for i := 1; i <= n; i++ {
			if want(i) {
				ids = append(ids, i)
			}
		}
		return ids
	}
	for _, c := range []struct {
		args string
		want func(int) bool // besides the parent of the order, rows+1
	}{
		{"--rule all", func(int) bool { return true }},
		{"--rule all", func(int) bool { return true }}, // once more, under other ids
		{"--rule updates --site salon", func(int) bool { return true }},
		{"--rule confirmed", func(i int) bool { return i%3 == 0 && i <= rows }},
		{"--rule all --where status=C --where notes=30", func(i int) bool { return i == 30 }},
		{"--rule all --since 2026-10-01 --where id_employee=1", func(i int) bool { return i >= 273 }},
		{"--rule all --where notes=nobody", func(int) bool { return false }},
		{"--rule confirmed --where status=W", func(int) bool { return false }},
	} {
		want := upTo(rows+3, func(i int) bool { return i != rows+1 && c.want(i) })
		out, err := rowhook(t, files, append([]string{"backfill"}, strings.Fields(c.args)...)...)
		if err != nil || !strings.Contains(out, fmt.Sprintf("done: %d rows, %d saves", len(want), len(want))) {
			t.Errorf("%s: %v\n%s", c.args, err, out)
		}
		if got := heard(len(want)); !slices.Equal(got, want) {
			t.Errorf("%s: heard of %v\nwant %v", c.args, got, want)
		}
		out, err = rowhook(t, files, append([]string{"backfill", "--dry-run"}, strings.Fields(c.args)...)...)
		if err != nil || !strings.HasPrefix(out, fmt.Sprintf("%d rows for rule ", len(want))) {
			t.Errorf("%s, dry: %v\n%s", c.args, err, out)
		}
	}
	var body map[string]any
	if r := receiver.Requests()[2*(rows+2)]; json.Unmarshal(r.Body, &body) != nil || body["notes"] == nil || body["createdon"] == nil {
		t.Errorf("a basic save of a row that was there lacks columns: %s", r.Body)
	}
	out, err := rowhook(t, files, "backfill", "--status", "--json")
	var runs []pipeline.Run
	if err != nil || json.Unmarshal([]byte(out), &runs) != nil || len(runs) != 8 || runs[3].State != pipeline.Done || runs[3].Made != rows/3 {
		t.Errorf("%v\n%s", err, out)
	}
	stop()
	if again, err := rowhook(t, files, "backfill", "--status", "--json"); err != nil || again != out {
		t.Errorf("without the daemon: %v\n%s", err, again)
	}
}

// TestBackfillWithoutPrimaryKey: a migration may have lost a table's primary key, and with it what tells rows apart: the backfill ends all
// the same, with each id that there is.
func TestBackfillWithoutPrimaryKey(t *testing.T) {
	t.Parallel()
	server := dbtest.Start(t)
	dbtest.Salon(t, server, "wordpress", "wp_")
	rowhookUser(t, server)
	server.Exec(t, "ALTER TABLE wordpress.wp_vikappointments_coupon MODIFY id INT NOT NULL DEFAULT 0, DROP PRIMARY KEY")
	for n := range 40 { // besides the salon's two
		server.Exec(t, "INSERT INTO wordpress.wp_vikappointments_coupon (id, code) VALUES (?, ?)", max(0, n-19), fmt.Sprint(n))
	}
	receiver := delivertest.NewReceiver(t)
	files := daemonFiles(t, server, "rules: [{name: coupons, action: coupon.save, load: full, url: "+receiver.URL()+"}]\n", "coalesce: 0s\n")
	startDaemon(t, files)
	out, err := rowhook(t, files, "backfill", "--rule", "coupons")
	if err != nil || !strings.Contains(out, "done: 42 rows, 42 saves") {
		t.Fatalf("%v\n%s", err, out)
	}
	ids := map[string]bool{}
	for _, r := range receiver.WaitAccepted(patience(t), 21) { // rows of one id are one event
		var body struct{ ID any }
		if err := json.Unmarshal(r.Body, &body); err != nil {
			t.Fatal(err)
		}
		ids[fmt.Sprint(body.ID)] = true
	}
	if len(ids) != 21 {
		t.Errorf("heard of %v", ids)
	}
}

// TestBackfillStops: by hand, by the end of the daemon, by another history of the log, and while the endpoint is down; it
// goes on where it was.
func TestBackfillStops(t *testing.T) {
	t.Parallel()
	const rows = 400
	server := dbtest.Start(t)
	salonWithPast(t, server, rows)
	receiver := delivertest.NewReceiver(t)
	files := daemonFiles(t, server, backfillRules(receiver.URL()), "coalesce: 0s\n")
	stop := startDaemon(t, files)
	receiver.Close()
	status := func() pipeline.Run {
		t.Helper()
		out, err := rowhook(t, files, "backfill", "--status", "--json")
		var runs []pipeline.Run
		if err != nil || json.Unmarshal([]byte(out), &runs) != nil || len(runs) != 1 {
			t.Fatalf("%v\n%s", err, out)
		}
		return runs[0]
	}
	looking, leave := context.WithCancel(t.Context())
	followed := make(chan error, 1)
	var shown strings.Builder
	go func() {
		followed <- command(looking, []string{"backfill", "--rule", "all", "--rate", "1000/s", "--config", files}, &shown, &shown)
	}()
	eventually(t, "the endpoint to be down", func() bool {
		out, err := rowhook(t, files, "backfill", "--status")
		return err == nil && strings.Contains(out, "is back: it is down")
	})
	leave()
	if err := <-followed; exitCode(err) != exitFailed || !strings.Contains(shown.String(), "rowhook backfill --stop "+status().ID) {
		t.Errorf("who does not want to look any longer gets %v\n%s", err, shown.String())
	}
	if r := status(); r.Read >= rows/2 {
		t.Errorf("%d rows were read for an endpoint that is down", r.Read)
	}
	stop()
	if out, err := rowhook(t, files, "backfill", "--status"); err != nil || !strings.Contains(out, "waits for a daemon") {
		t.Errorf("%v\n%s", err, out)
	}
	server.Exec(t, "RESET MASTER")
	if out, err := rowhook(t, files, "position", "set", "--now", "--yes"); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
	stop = startDaemon(t, files)
	if out, err := rowhook(t, files, "backfill", "--stop"); err != nil || !strings.Contains(out, "--resume "+status().ID) {
		t.Errorf("%v\n%s", err, out)
	}
	receiver.Open()
	if _, err := rowhook(t, files, "backfill", "--stop"); err == nil || !strings.Contains(err.Error(), "no backfill runs") {
		t.Errorf("a second stop: %v", err)
	}
	before := status()
	if before.State != pipeline.Stopped {
		t.Errorf("it is %s", before.State)
	}
	out, err := rowhook(t, files, "backfill", "--resume", "--json")
	lines := strings.Split(strings.TrimSpace(out), "\n")
	var last pipeline.Run
	if err != nil || json.Unmarshal([]byte(lines[len(lines)-1]), &last) != nil || last.State != pipeline.Done || last.Made != rows || last.ID != before.ID {
		t.Errorf("%v\n%s", err, out)
	}
	ctx := patience(t)
	receiver.WaitAccepted(ctx, rows)
	ids := map[string]bool{}
	for _, r := range receiver.Requests() {
		ids[r.ID()] = true
	}
	if len(ids) != rows {
		t.Errorf("%d ids for %d rows", len(ids), rows)
	}
	stop()
}

func TestBackfillUsage(t *testing.T) {
	t.Parallel()
	server := dbtest.Start(t)
	salonWithPast(t, server, 1)
	files := daemonFiles(t, server, backfillRules("http://127.0.0.1:1"), "")
	wrong := func(args, want string) {
		t.Helper()
		out, err := rowhook(t, files, append([]string{"backfill"}, strings.Fields(args)...)...)
		if exitCode(err) != exitUsage || !strings.Contains(err.Error(), want) || out != "" {
			t.Errorf("%s: %v\n%s", args, err, out)
		}
	}
	wrong("", "needs the rule")
	wrong("--status --stop", "one thing at a time")
	wrong("--status --where a=b", "one thing at a time")
	wrong("--rule all extra", "one thing at a time")
	wrong("--rule nobody", `no rule "nobody"`)
	wrong("--rule deletes", "rule deletes is for appointment.delete")
	wrong("--rule all --site spa", "its sites: salon")
	wrong("--rule all --where status", "COLUMN=VALUE")
	wrong("--rule all --since soon", "is no time")
	wrong("--rule all --rate fast", "not a rate")
	if _, err := rowhook(t, files, "backfill", "--rule", "all"); exitCode(err) != exitFailed || !strings.Contains(err.Error(), "start it (rowhook run)") {
		t.Errorf("without a daemon: %v", err)
	}
	if _, err := rowhook(t, files, "backfill", "--status"); exitCode(err) != exitFailed || !strings.Contains(err.Error(), "holds no outbox") {
		t.Errorf("before the first run: %v", err)
	}
	startDaemon(t, files)
	if out, err := rowhook(t, files, "backfill", "--status"); err != nil || out != "no backfills\n" {
		t.Errorf("none yet: %v\n%s", err, out)
	}
	for _, dry := range []string{"", " --dry-run"} { // what the daemon says, and what the command finds out by itself
		wrong("--rule all --where colour=red"+dry, `has no column "colour"; its columns are id, id_payment`)
		wrong("--rule all --where id=x"+dry, `column id holds whole numbers, and "x" is none`)
		wrong("--rule all --where total_cost=much"+dry, "holds numbers")
		wrong("--rule all --where checkin_ts=tomorrow"+dry, "holds times such as")
		wrong("--rule customers --since 2026-01-01"+dry, "does not store when one was made")
	}
	if _, err := rowhook(t, files, "backfill", "--resume", "abc"); err == nil || !strings.Contains(err.Error(), "no backfill abc is stopped") {
		t.Errorf("an unknown run: %v", err)
	}
}
