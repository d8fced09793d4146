package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"rowhook/api"
	"rowhook/cdc"
	"rowhook/dbtest"
	"rowhook/deliver/delivertest"
)

// positionOf is what `position show` says to programs.
func positionOf(t *testing.T, files string) (p shownPosition) {
	t.Helper()
	out, err := rowhook(t, files, "position", "show", "--json")
	if json.Unmarshal([]byte(out), &p) != nil || (p.Error == "") != (err == nil) {
		t.Fatalf("%v\n%s", err, out)
	}
	return p
}

// TestPosition has a log that begins anew while an event is on its way: the daemon stops, a person accepts the new log,
// and the event arrives before what comes then.
func TestPosition(t *testing.T) { onServers(t, testPosition) }

func testPosition(t *testing.T, server *dbtest.Server) {
	t.Helper()
	site := dbtest.Salon(t, server, "wordpress", "wp_")
	rowhookUser(t, server)
	receiver := delivertest.NewReceiver(t)
	files := daemonFiles(t, server, everyAction(receiver.URL()), "coalesce: 10m\ncoalesce_max: 10m\n")
	ctx := patience(t)
	book := func() int64 {
		t.Helper()
		id, err := site.Book(t.Context(), dbtest.Booking{})
		if err != nil {
			t.Fatal(err)
		}
		return id
	}
	if _, err := rowhook(t, files, "position", "show"); err == nil || !strings.Contains(err.Error(), "no outbox") {
		t.Errorf("before the first start: %v", err)
	}
	stop := startDaemon(t, files)
	first := book()
	eventually(t, "both events beside the position", func() bool {
		p := positionOf(t, files)
		return p.Events == 2 && p.Behind != nil && *p.Behind == 0
	})
	if out, err := rowhook(t, files, "position", "set", "--now", "--yes"); err == nil || !strings.Contains(err.Error(), "stop it first") {
		t.Errorf("beside the daemon: %v\n%s", err, out)
	}
	stop()
	before := positionOf(t, files)
	if !before.Verified || *before.Behind != 0 || time.Since(before.Last) > time.Minute || before.Events == 0 {
		t.Errorf("at the end: %+v", before)
	}
	out, err := rowhook(t, files, "position", "show")
	for _, want := range []string{before.Position.Last.GTID + ", committed 20", "it is the same", "at the end of the log", "2 events on their way", "is there"} {
		if err != nil || !strings.Contains(out, want) {
			t.Errorf("%v: no %q in\n%s", err, want, out)
		}
	}

	server.Exec(t, resetLog(server))
	book()
	err = command(ctx, []string{"run", "--config", files}, io.Discard, io.Discard)
	if err == nil || !strings.Contains(err.Error(), "rowhook position set --now") {
		t.Fatalf("on another log the daemon ends with %v", err)
	}
	out, err = rowhook(t, files, "position", "show")
	if !errors.Is(err, errReported) || !strings.Contains(out, "not the one that was read") || !strings.Contains(out, before.Position.String()) {
		t.Errorf("%v\n%s", err, out)
	}
	out, err = rowhook(t, files, "position", "set", "--now", "--yes")
	if err != nil || !strings.Contains(out, before.Position.String()) || !strings.Contains(out, "2 events on their way are kept") {
		t.Fatalf("%v\n%s", err, out)
	}
	if len(receiver.Requests()) > 0 {
		t.Fatal("the event was not on its way any more")
	}
	edit(t, files, "10m", "1s") // now they may close
	defer startDaemon(t, files)()
	last := book()
	got := receiver.WaitAccepted(ctx, 4)
	var ids []float64
	for _, r := range got {
		var body struct{ ID json.Number }
		if err := json.Unmarshal(r.Body, &body); err != nil {
			t.Fatal(err)
		}
		id, _ := body.ID.Float64()
		ids = append(ids, id)
	}
	if want := []float64{float64(first), float64(first), float64(last), float64(last)}; len(ids) != 4 || ids[0] != want[0] || ids[1] != want[1] || ids[2] != want[2] || ids[3] != want[3] {
		t.Errorf("heard of %v, want %v", ids, want)
	}
}

// TestPositionSet goes back in the log: everything arrives once more, under new ids.
func TestPositionSet(t *testing.T) { onServers(t, testPositionSet) }

func testPositionSet(t *testing.T, server *dbtest.Server) {
	t.Helper()
	site := dbtest.Salon(t, server, "wordpress", "wp_")
	rowhookUser(t, server)
	receiver := delivertest.NewReceiver(t)
	files := daemonFiles(t, server, everyAction(receiver.URL()), "coalesce: 0s\n")
	ctx := patience(t)
	stop := startDaemon(t, files)
	start := positionOf(t, files).Position
	for range 3 {
		if _, err := site.Insert(t.Context(), "coupon", "code", "x"); err != nil {
			t.Fatal(err)
		}
	}
	seen := map[string]bool{}
	for i, args := range [][]string{nil, {"--gtid", start.Set}, {"--file", start.Start.String()}} {
		if args != nil {
			stop()
			if out, err := rowhook(t, files, append([]string{"position", "set", "--yes", "--json"}, args...)...); err != nil || !strings.HasPrefix(out, "{\n  \"old\": {") || !strings.Contains(out, `"open_events": 0`) {
				t.Fatalf("%q: %v\n%s", args, err, out)
			}
			stop = startDaemon(t, files)
		}
		for _, r := range receiver.WaitAccepted(ctx, 3*(i+1))[3*i:] {
			if seen[r.ID()] {
				t.Errorf("%q: id %s comes again", args, r.ID())
			}
			seen[r.ID()] = true
		}
	}
	stop()
	stored := positionOf(t, files).Position
	for args, want := range map[string]string{
		"--gtid " + farGTID(server):                 "does not have all of",
		"--file nothing:4":                          "no log file",
		"--file " + coordInside(stored).String():    "no transaction begins",
		"--file " + start.Start.File + ":999999999": "no place",
	} {
		if out, err := rowhook(t, files, append([]string{"position", "set", "--yes"}, strings.Fields(args)...)...); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v\n%s", args, err, out)
		}
		if now := positionOf(t, files).Position; now.String() != stored.String() {
			t.Errorf("%s: refused, and the position is %s", args, now)
		}
	}
}

// coordInside is a place within the last transaction.
func coordInside(p cdc.Position) cdc.Coord {
	at := p.Last.Start
	at.Offset++
	return at
}

func TestPositionUsage(t *testing.T) {
	t.Parallel()
	files := logFiles(t, "http://127.0.0.1:1")
	for args, want := range map[string]string{
		"":                       "show",
		"get":                    "no command",
		"set":                    "one of",
		"set --now --gtid 0-1-1": "one of",
		"set --file 7":           "no place of the log",
		"set --now":              "--yes",
		"set --now --json":       "--yes",
		"show more":              "unexpected",
	} {
		if _, err := rowhook(t, files, append([]string{"position"}, strings.Fields(args)...)...); exitCode(err) != exitUsage || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", args, err)
		}
	}
	if _, err := rowhook(t, files, "position", "show"); exitCode(err) != exitFailed || !strings.Contains(err.Error(), "no position") {
		t.Errorf("an outbox without a position: %v", err)
	}
}

func TestKept(t *testing.T) {
	t.Parallel()
	until := time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)
	for want, p := range map[string]api.ShownPosition{
		"until somebody removes it":                         {},
		"being written; the server keeps a file for 1h0m0s": {Retention: 3600},
		"from " + clock(until) + " on":                      {Retention: 3600, Until: until},
		"have less than 2.0 MB":                             {Limit: 2_000_000},
	} {
		if got := (&shownPosition{p}).kept(); !strings.Contains(got, want) {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

func TestConfirm(t *testing.T) {
	t.Parallel()
	for answer, want := range map[string]bool{"y\n": true, "Yes \n": true, "y": true, "\n": false, "": false, "no\n": false, "yesterday\n": false} {
		var out bytes.Buffer
		if got, err := confirm(strings.NewReader(answer), &out); got != want || err != nil || !strings.Contains(out.String(), "?") {
			t.Errorf("%q: %t, %v; asked %q", answer, got, err, &out)
		}
	}
	for n, want := range map[uint64]string{0: "0 B", 999: "999 B", 1234: "1.2 kB", 5_600_000: "5.6 MB", 7_100_000_000: "7.1 GB", 12e12: "12.0 TB"} {
		if got := size(n); got != want {
			t.Errorf("%d: %s, want %s", n, got, want)
		}
	}
}
