package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"rowhook/api"
	"rowhook/cdc"
	"rowhook/dbtest"
	"rowhook/deliver/delivertest"
)

// storyBegins is when the story of TestEvents takes place: its log says so.
var storyBegins = time.Date(2024, 3, 1, 12, 0, 0, 0, time.UTC)

const storyRules = `rules:
  - {name: all, action: appointment.save, url: "http://127.0.0.1:1/"}
  - {name: confirmed, action: appointment.save, statuses: [C, P], load: full, url: "http://127.0.0.1:1/"}
  - {name: changes, action: appointment.status_change, url: "http://127.0.0.1:1/"}
  - {name: gone, action: appointment.delete, url: "http://127.0.0.1:1/"}
  - {name: people, action: customer.save, type: insert, url: "http://127.0.0.1:1/"}
  - {name: packages, action: package_order.save, url: "http://127.0.0.1:1/"}
`

// tellStory writes what happens at a salon, from a log that is empty on. Every step has a second of its own.
func tellStory(t *testing.T, server *dbtest.Server) {
	t.Helper()
	dbtest.Salon(t, server, "wordpress", "wp_")
	db := server.DB(t, "wordpress")
	db.SetMaxOpenConns(1) // a session that says the time
	site := dbtest.NewSite(db, "wp_")
	ctx := t.Context()
	exec := func(query string) error { _, err := db.ExecContext(ctx, query); return err }
	var one, two int64
	for i, step := range []func() error{
		func() error { return exec("RESET MASTER") },
		func() (err error) { one, err = site.Book(ctx, dbtest.Booking{}); return err },
		func() (err error) { two, err = site.Book(ctx, dbtest.Booking{Status: "C"}); return err },
		func() error { return site.Confirm(ctx, one) },
		func() error { _, err := site.Insert(ctx, "users", "billing_name", "Ada"); return err },
		func() error { return site.Update(ctx, "users", 1, "billing_name", "Bo") },
		func() error { _, _, err := site.BookSeveral(ctx, dbtest.Booking{}, dbtest.Booking{}); return err },
		func() error { _, err := site.OrderPackage(ctx, 1, "C", 1); return err },
		func() error { return exec("FLUSH BINARY LOGS") },
		func() error { return site.Cancel(ctx, two) },
		func() error {
			return exec(fmt.Sprintf("UPDATE wp_vikappointments_reservation SET status = 'P' WHERE id = %d", one))
		},
		func() error { // only an option shows that the order was saved
			return exec(fmt.Sprintf("INSERT INTO wp_vikappointments_res_opt_assoc (id_reservation, id_option) VALUES (%d, 1)", two))
		},
		func() error { return exec("TRUNCATE wp_vikappointments_coupon") },
		func() error { return site.DeleteBookings(ctx, two, one) },
	} {
		if err := exec(fmt.Sprintf("SET timestamp = %d", storyBegins.Unix()+int64(10*i))); err != nil {
			t.Fatal(err)
		}
		if err := step(); err != nil {
			t.Fatalf("step %d: %v", i, err)
		}
	}
}

// TestEvents shows what would fire over a small log, under both fidelities. The golden files say times as seconds since
// the story began: @10. Run with -update to rewrite them.
func TestEvents(t *testing.T) {
	t.Parallel()
	server := dbtest.Start(t)
	rowhookUser(t, server)
	tellStory(t, server)
	for _, c := range []struct{ golden, more, args string }{
		{"documented", "", "--from start"},
		{"documented.json", "", "--from start --json"},
		{"plugin", "fidelity: plugin\n", "--from start"},
		{"rule", "", "--from start --rule confirmed"},
		{"last", "", ""}, // no daemon ran: the last file
		{"between", "", "--from 2024-03-01T12:00:30Z --to 2024-03-01T12:01:00Z"},
		{"nothing", "", "--from now"},
	} {
		files := daemonFiles(t, server, storyRules, c.more)
		var said bytes.Buffer
		var out bytes.Buffer
		if err := command(t.Context(), append([]string{"events", "--config", files}, strings.Fields(c.args)...), &out, &said); err != nil {
			t.Fatalf("%s: %v", c.args, err)
		}
		wantGolden(t, filepath.Join("testdata", "events", c.golden), out.String())
		if lines := strings.Count(out.String(), "\n"); !strings.HasPrefix(said.String(), count(lines-strings.Count(out.String(), "arning"), "event")+", ") {
			t.Errorf("%s: %d lines, and it says %s", c.args, lines, &said)
		}
		if _, err := os.Stat(stateDir(files)); err == nil {
			t.Errorf("%s: it made a state directory", c.args)
		}
	}
}

// wantGolden compares an output with a golden file.
func wantGolden(t *testing.T, file, got string) {
	t.Helper()
	got = strings.ReplaceAll(got, "\t", " ")
	for second := range 200 {
		at := storyBegins.Add(time.Duration(second) * time.Second)
		for _, text := range []string{clock(at), at.Local().Format(time.RFC3339), at.Format(time.RFC3339)} {
			got = strings.ReplaceAll(got, text, "@"+strconv.Itoa(second))
		}
	}
	if *update {
		if err := errors.Join(os.MkdirAll(filepath.Dir(file), 0o755), os.WriteFile(file, []byte(got), 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s\n got\n%s\nwant\n%s", file, got, want)
	}
}

// TestEventsAreWhatTheDaemonDelivers looks at a log beside the daemon that delivers it.
func TestEventsAreWhatTheDaemonDelivers(t *testing.T) {
	onServers(t, testEventsAreWhatTheDaemonDelivers)
}

func testEventsAreWhatTheDaemonDelivers(t *testing.T, server *dbtest.Server) {
	t.Helper()
	site := dbtest.Salon(t, server, "wordpress", "wp_")
	rowhookUser(t, server)
	receiver := delivertest.NewReceiver(t)
	files := daemonFiles(t, server, everyAction(receiver.URL()), "coalesce: 0s\nstatus_wait: 0s\n")
	defer startDaemon(t, files)()
	start := positionOf(t, files).Position
	var ids []int64
	for i := range 20 {
		id, err := site.Book(t.Context(), dbtest.Booking{})
		if err == nil && i%2 == 0 {
			err = site.Confirm(t.Context(), id)
		}
		if err == nil && i%3 == 0 {
			err = site.Cancel(t.Context(), id)
		}
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, id)
	}
	ctx := patience(t)
	receiver.WaitAccepted(ctx, len(fired(t, files, start))) // what is gone before it is loaded has no id
	if err := site.DeleteBookings(t.Context(), ids[3:6]...); err != nil {
		t.Fatal(err)
	}
	list := fired(t, files, start)
	want := map[string]int{}
	for _, f := range list {
		id := any(f.IDs)
		if len(f.IDs) == 1 {
			id = f.IDs[0]
		}
		want[fmt.Sprintf("%s %v", f.Action, id)]++
	}
	got := heard(t, receiver.WaitAccepted(ctx, len(list)))
	if fmt.Sprint(got) != fmt.Sprint(want) || len(list) < 60 {
		t.Errorf("delivered\n%v\n%d events\n%v", got, len(list), want)
	}
	if out, err := rowhook(t, files, "events"); err != nil || out != "" { // from where the daemon stands
		t.Errorf("%v\n%s", err, out)
	}
}

// fired is what `events` shows from a position on.
func fired(t *testing.T, files string, from cdc.Position) (list []api.Firing) {
	t.Helper()
	out, err := rowhook(t, files, "events", "--json", "--from", from.Set)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(out) {
		var f api.Firing
		if err := json.Unmarshal([]byte(line), &f); err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		list = append(list, f)
	}
	return list
}

// TestEventsKnowColumns looks at a log that tells no names, of tables that were altered since: they are known where the
// daemon goes on, and nowhere else.
func TestEventsKnowColumns(t *testing.T) {
	t.Parallel()
	server := dbtest.Start(t)
	site := dbtest.Salon(t, server, "wordpress", "wp_")
	server.Exec(t, "SET GLOBAL binlog_row_metadata = 'NO_LOG'")
	server.Exec(t, "FLUSH BINARY LOGS") // away from the statements that made the tables
	rowhookUser(t, server)
	receiver := delivertest.NewReceiver(t)
	files := daemonFiles(t, server, fmt.Sprintf("rules: [{name: all, action: appointment.save, url: %q}]\n", receiver.URL()), "coalesce: 0s\n")
	stop := startDaemon(t, files)
	ctx := patience(t)
	book := func() int64 {
		t.Helper()
		id, err := site.Book(ctx, dbtest.Booking{})
		if err != nil {
			t.Fatal(err)
		}
		return id
	}
	book()
	receiver.WaitAccepted(ctx, 1)
	stop()
	at, err := positionOf(t, files).Position.Behind()
	if err != nil {
		t.Fatal(err)
	}

	alter := func(clause string) { server.Exec(t, "ALTER TABLE wordpress.wp_vikappointments_reservation "+clause) }
	want := []int64{book()}
	alter("ADD lead INT NOT NULL DEFAULT 7 FIRST")
	want = append(want, book())
	alter("MODIFY lead BIGINT NOT NULL DEFAULT 8 AFTER id")
	want = append(want, book())
	alter("DROP lead")
	for _, args := range [][]string{nil, {"--from", at.GTIDs}} {
		out, err := rowhook(t, files, append([]string{"events", "--json"}, args...)...)
		var got []int64
		for line := range strings.Lines(out) {
			var f api.Firing
			if err := json.Unmarshal([]byte(line), &f); err != nil {
				t.Fatalf("%s: %v", line, err)
			}
			for _, id := range f.IDs {
				n, _ := id.(float64)
				got = append(got, int64(n))
			}
			if len(got) > 1 && got[len(got)-1] == got[len(got)-2] {
				got = got[:len(got)-1] // a booking is an insert and an update
			}
		}
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("%v: %v: bookings %v, want %v", args, err, got, want)
		}
	}
	_, err = rowhook(t, files, "events", "--from", "binlog.000002:4")
	if err == nil || !strings.Contains(err.Error(), "altered later") || !strings.Contains(err.Error(), "without --from") || strings.Contains(err.Error(), "position set") {
		t.Errorf("from elsewhere: %v", err)
	}
}

func TestEventsShowProgress(t *testing.T) {
	t.Parallel()
	shown := onTerminal(t, func(terminal *os.File) {
		d := &dryRun{bar: newSpinner(terminal, io.Discard), events: 2}
		at := cdc.Commit{End: cdc.Coord{File: "binlog.000003", Offset: 1234}, Time: storyBegins}
		for range 3 { // within a second
			if err := d.Committed(&at); err != nil {
				t.Fatal(err)
			}
		}
		if err := d.summary(terminal, true); err != nil {
			t.Fatal(err)
		}
	})
	want := "read up to binlog.000003:1234, " + clock(storyBegins) + "; 2 events"
	if strings.Count(shown, want) == 0 || !strings.HasSuffix(shown, "\x1b[2K\r2 events, 0 warnings of 0 transactions, up to binlog.000003:1234\r\n") {
		t.Errorf("%q, want %q, and the bar taken away", shown, want)
	}
}

func TestEventsUsage(t *testing.T) {
	t.Parallel()
	server := dbtest.Start(t)
	dbtest.Salon(t, server, "wordpress", "wp_")
	rowhookUser(t, server)
	files := daemonFiles(t, server, storyRules, "")
	for args, want := range map[string]struct {
		code int
		says string
	}{
		"--from yesterday":  {exitUsage, "no place of the log"},
		"--to 12":           {exitUsage, "no place of the log"},
		"--rule none":       {exitUsage, "no rule"},
		"more":              {exitUsage, "unexpected"},
		"--from nothing:4":  {exitFailed, "no log file"},
		"--from 0-1-999999": {exitFailed, "does not have all of"},
		"--to 7-1-1":        {exitFailed, "does not have all of"},
	} {
		if _, err := rowhook(t, files, append([]string{"events"}, strings.Fields(args)...)...); exitCode(err) != want.code || !strings.Contains(err.Error(), want.says) {
			t.Errorf("%s: %v", args, err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := command(ctx, []string{"events", "--config", files, "--from", "start"}, io.Discard, io.Discard); !errors.Is(err, context.Canceled) {
		t.Errorf("interrupted: %v", err)
	}
}

func TestParsePlace(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)
	const uuid = "3e11fa47-71ca-11e1-9e33-c80aa9429562"
	for text, want := range map[string]cdc.Point{
		"start": {}, "now": {End: true}, "2h": {Time: now.Add(-2 * time.Hour)}, "-90m": {Time: now.Add(-90 * time.Minute)},
		"2026-11-25T10:00:00Z": {Time: now.Add(-2 * time.Hour)}, "0-1-55": {GTIDs: "0-1-55"}, "0-1-55,7-2-3": {GTIDs: "0-1-55,7-2-3"},
		uuid + ":1-5": {GTIDs: uuid + ":1-5"}, uuid + ":7": {GTIDs: uuid + ":7"},
		"binlog.000012:4": {Coord: cdc.Coord{File: "binlog.000012", Offset: 4}}, "a:b.1:4": {Coord: cdc.Coord{File: "a:b.1", Offset: 4}},
	} {
		if got, err := parsePlace(text, now); err != nil || got.GTIDs != want.GTIDs || got.Coord != want.Coord || got.End != want.End || !got.Time.Equal(want.Time) {
			t.Errorf("%s is %+v, %v; want %+v", text, got, err, want)
		}
	}
	if got, err := parsePlace("2026-11-25", now); err != nil || got.Time.IsZero() {
		t.Errorf("a date is %+v, %v", got, err)
	}
	for _, text := range []string{"", "binlog.000012", ":4", "binlog:-4", "0-1", "0-1-5,", "binlog.1:18446744073709551616"} {
		if got, err := parsePlace(text, now); err == nil || !regexp.MustCompile("no place").MatchString(err.Error()) {
			t.Errorf("%q is %+v, %v", text, got, err)
		}
	}
}
