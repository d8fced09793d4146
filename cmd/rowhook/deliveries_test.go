package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"rowhook/api"
	"rowhook/api/control"
	"rowhook/config"
	"rowhook/deliver"
	"rowhook/deliver/delivertest"
	"rowhook/outbox"
	"rowhook/outbox/sqlite"
	"rowhook/printable"
)

// logFiles writes a configuration whose rules crm and erp post to a receiver, and an outbox with a delivery in each state.
func logFiles(t *testing.T, url string) (configFile string) {
	t.Helper()
	configFile = setUp(t, map[string]string{"a.yaml": fmt.Sprintf("rules:\n  - {name: crm, action: appointment.save, url: %q}\n"+
		"  - {name: erp, action: customer.delete, url: %q, order_group: books}\n", url, url)})
	text := "sites: [{name: salon, schema: wordpress}]\nstate_dir: state\n"
	if err := os.WriteFile(configFile, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	store, err := sqlite.Open(t.Context(), stateDir(configFile), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := store.Route(t.Context(), map[string]string{"crm": deliver.EndpointName(url), "erp": "books"}); err != nil {
		t.Fatal(err)
	}
	created := time.Date(2020, 3, 1, 12, 0, 0, 0, time.UTC)
	var list []*outbox.Delivery
	for i, rule := range []string{"crm", "crm", "crm", "gone", "erp"} {
		d := &outbox.Delivery{
			ID: outbox.ID{15: byte(i + 1)}, Rule: rule, Site: "salon", Action: "onAfterSaveReservation", Kind: "appointment.save",
			Keys: []string{fmt.Sprintf("salon/appointment/%d", i+1)}, Created: created.Add(time.Duration(i) * time.Hour),
			Body: fmt.Appendf(nil, `{"id":%d}`, i+1),
		}
		list = append(list, d)
	}
	list[4].Kind, list[4].Keys = "customer.delete", []string{"salon/customer/1", "salon/customer/2", "salon/customer/3", "salon/customer/4"}
	if err := store.Commit(t.Context(), &outbox.Batch{Deliveries: list}); err != nil {
		t.Fatal(err)
	}
	failure := &outbox.Attempt{At: created, Latency: 12 * time.Millisecond, Status: 422, Error: "the receiver answered 422 Unprocessable Entity", Response: hostile}
	err = store.Settle(t.Context(), []outbox.Outcome{
		{Seq: 1, State: outbox.Delivered, Attempts: 1}, {Seq: 2, State: outbox.Dead, Attempts: 11, Attempt: failure},
		{Seq: 3, State: outbox.Waiting, Attempts: 1, Due: time.Now().Add(time.Hour), Attempt: failure},
	})
	if err := errors.Join(err, store.Close()); err != nil {
		t.Fatal(err)
	}
	return configFile
}

func stateDir(configFile string) string { return filepath.Join(filepath.Dir(configFile), "state") }

// idOf is the id of the n-th delivery of logFiles.
func idOf(n int) string { return outbox.ID{15: byte(n)}.String() }

// rowhook runs a command as the shell would. Nothing that it prints commands a terminal.
func rowhook(t *testing.T, configFile string, args ...string) (string, error) {
	t.Helper()
	var out bytes.Buffer
	err := command(t.Context(), append(args, "--config", configFile), &out, io.Discard)
	if out.String() != printable.Text(out.String()) {
		t.Errorf("rowhook %q prints control characters: %q", args, out.String())
	}
	return out.String(), err
}

// hostile is a receiver's answer that would command a terminal.
const hostile = "no such\x1b[31m \u009b2J \x7f\u202efield\nsorry"

// listIDs are the deliveries that `deliveries list` shows, by their numbers.
func listIDs(t *testing.T, configFile string, args ...string) string {
	t.Helper()
	out, err := rowhook(t, configFile, append([]string{"deliveries", "list", "--json"}, args...)...)
	var list []api.Delivery
	if err != nil || json.Unmarshal([]byte(out), &list) != nil {
		t.Fatalf("%q: %v\n%s", args, err, out)
	}
	numbers := make([]string, len(list))
	for i, d := range list {
		numbers[i] = fmt.Sprint(d.Seq)
	}
	return strings.Join(numbers, " ")
}

func TestDeliveriesList(t *testing.T) {
	t.Parallel()
	configFile := logFiles(t, "http://127.0.0.1:1")
	for args, want := range map[string]string{
		"": "5 4 3 2 1", "--limit 2": "5 4", "--limit 0": "5 4 3 2 1", "--rule crm": "3 2 1", "--rule crm,erp": "5 3 2 1", "--rule erp --rule gone": "5 4",
		"--state dead": "2", "--state waiting,held": "4 3", "--state fresh": "5", "--state delivered": "1",
		"--entity appointment": "4 3 2 1", "--entity customer": "5", "--key salon/customer/3": "5", "--key salon/appointment/1": "1",
		"--id " + idOf(4): "4", "--id " + strings.ToUpper(idOf(10)): "",
		"--since 2020-03-01T14:00:00Z": "5 4 3", "--until 2020-03-01T14:00:00Z": "2 1", "--since 2020-03-01T13:00:00Z --until 2020-03-01T14:00:00.5Z": "3 2",
		"--since 2m": "", "--until 2020-02-01": "", "--rule crm --state dead,delivered --limit 1": "2",
	} {
		if got := listIDs(t, configFile, strings.Fields(args)...); got != want {
			t.Errorf("%s: got %q, want %q", args, got, want)
		}
	}
	out, err := rowhook(t, configFile, "deliveries", "list")
	lines := strings.Split(strings.TrimSpace(out), "\n")
	if err != nil || len(lines) != 6 || !strings.HasPrefix(lines[0], "ID ") {
		t.Fatalf("%v\n%s", err, out)
	}
	for i, want := range []string{
		`erp +customer\.delete +salon/customer/1 salon/customer/2 salon/customer/3 and 1 more +fresh +0 +-$`,
		`gone +appointment\.save +salon/appointment/4 +held +0 +-$`,
		`crm +appointment\.save +salon/appointment/3 +waiting until 20[-0-9]+ [0-9:]+ +1 +the receiver answered 422 Unprocessable Entity$`,
		`crm +appointment\.save +salon/appointment/2 +dead +11 +the receiver answered 422 Unprocessable Entity$`,
		`crm +appointment\.save +salon/appointment/1 +delivered +1 +-$`,
	} {
		if line := lines[i+1]; !strings.HasPrefix(line, idOf(5-i)+"  ") || !regexp.MustCompile(want).MatchString(line) {
			t.Errorf("got  %s\nwant %s", line, want)
		}
	}
	if out, err := rowhook(t, configFile, "deliveries", "list", "--limit", "5"); err != nil || !strings.HasSuffix(out, "These are the newest 5; --limit 0 lists all.\n") {
		t.Errorf("%v\n%s", err, out)
	}
	if out, err := rowhook(t, configFile, "deliveries", "list", "--rule", "none"); err != nil || out != "no such deliveries\n" {
		t.Errorf("%v\n%s", err, out)
	}
}

func TestDeliveriesShow(t *testing.T) {
	t.Parallel()
	configFile := logFiles(t, "http://127.0.0.1:1")
	out, err := rowhook(t, configFile, "deliveries", "show", idOf(2))
	if err != nil || strings.ContainsRune(out, '\x1b') {
		t.Errorf("%v\n%q", err, out)
	}
	for _, want := range []string{
		"id        " + idOf(2), "rule      crm", "event     appointment.save (onAfterSaveReservation)", "state     dead", "attempts  11",
		"the receiver answered 422 Unprocessable Entity, after 12ms", `| no such\u001b[31m \u009b2J \u007f\u202efield` + "\n", "| sorry\n", "payload\n{\n  \"id\": 2\n}\n",
	} {
		if !strings.Contains(out, want) {
			t.Errorf("lacks %q:\n%s", want, out)
		}
	}
	out, err = rowhook(t, configFile, "deliveries", "show", "--json", idOf(2))
	var d api.Delivery
	if err != nil || json.Unmarshal([]byte(out), &d) != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	var payload bytes.Buffer
	if err := json.Compact(&payload, d.Payload); err != nil || d.ID != idOf(2) || d.State != "dead" || d.Attempts != 11 || len(d.Log) != 1 ||
		d.Log[0].Status != 422 || d.Log[0].LatencyMS != 12 || d.Log[0].Response != hostile || payload.String() != `{"id":2}` {
		t.Errorf("%v, %+v", err, d)
	}
	if out, err := rowhook(t, configFile, "deliveries", "show", idOf(1)); err != nil || !strings.Contains(out, "accepted at once") {
		t.Errorf("%v\n%s", err, out)
	}
	if _, err := rowhook(t, configFile, "deliveries", "show", idOf(99)); !errors.Is(err, outbox.ErrNotFound) || exitCode(err) != exitFailed {
		t.Errorf("an unknown one: %v", err)
	}
}

func TestDeliveriesExport(t *testing.T) {
	t.Parallel()
	configFile := logFiles(t, "http://127.0.0.1:1")
	for args, want := range map[string]string{"": "1 2 3 4 5", "--limit 3": "1 2 3", "--rule crm": "1 2 3", "--state dead,held": "2 4", "--rule none": ""} {
		out, err := rowhook(t, configFile, append([]string{"deliveries", "export"}, strings.Fields(args)...)...)
		var numbers []string
		for line := range strings.Lines(out) {
			var d api.Delivery
			if err := json.Unmarshal([]byte(line), &d); err != nil || string(d.Payload) != fmt.Sprintf(`{"id":%d}`, d.Seq) {
				t.Errorf("%v: %s", err, line)
			}
			numbers = append(numbers, fmt.Sprint(d.Seq))
		}
		if got := strings.Join(numbers, " "); err != nil || got != want {
			t.Errorf("%s: %v, got %q, want %q", args, err, got, want)
		}
	}
}

// TestDeliveriesPages: more deliveries than are read at a time come all, once, in order, as a table, JSON or an export.
func TestDeliveriesPages(t *testing.T) {
	t.Parallel()
	configFile := logFiles(t, "http://127.0.0.1:1")
	store, err := sqlite.Open(t.Context(), stateDir(configFile), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	const all = 2*pageSize + 7
	var more []*outbox.Delivery
	for n := 6; n <= all; n++ {
		more = append(more, &outbox.Delivery{ID: outbox.ID{0: byte(n), 1: byte(n >> 8)}, Rule: "crm", Kind: "coupon.save", Keys: []string{"salon/coupon/" + strings.Repeat("1", n%9)}, Body: []byte("{}")})
	}
	if err := errors.Join(store.Commit(t.Context(), &outbox.Batch{Deliveries: more}), store.Close()); err != nil {
		t.Fatal(err)
	}
	down := func(from, n int) string {
		numbers := make([]string, n)
		for i := range numbers {
			numbers[i] = fmt.Sprint(from - i)
		}
		return strings.Join(numbers, " ")
	}
	for _, n := range []int{0, 1, pageSize, pageSize + 1, 2 * pageSize, all, all + 1} {
		want := n
		if n == 0 || n > all {
			want = all
		}
		if got := listIDs(t, configFile, "--limit", fmt.Sprint(n)); got != down(all, want) {
			t.Errorf("--limit %d: got %q", n, got)
		}
		out, err := rowhook(t, configFile, "deliveries", "export", "--limit", fmt.Sprint(n))
		if lines := strings.Count(out, "\n"); err != nil || lines != want || !strings.Contains(out, `"seq":1,`) {
			t.Errorf("export --limit %d: %d lines, %v", n, lines, err)
		}
	}
	out, err := rowhook(t, configFile, "deliveries", "list", "--limit", "0")
	if err != nil || strings.Count(out, "\n") != all+1 || strings.Count(out, "ATTEMPTS") != 1 {
		t.Errorf("%v, %d lines", err, strings.Count(out, "\n"))
	}
}

// beside runs what the daemon runs of delivering: a worker, and the socket.
func beside(t *testing.T, configFile string) (stop func()) {
	t.Helper()
	c, err := config.Load(configFile)
	if err != nil {
		t.Fatal(err)
	}
	set, err := readRules(c, configFile)
	if err != nil {
		t.Fatal(err)
	}
	store, err := sqlite.Open(t.Context(), c.StateDir, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	d := newDaemon(c, configFile, t.Output())
	d.set = set
	if d.monitor, err = watchOver(t.Context(), c, d.log); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(d.monitor.close)
	d.monitor.daemon.Holds(store, nil)
	h := &holder{daemon: d, store: store}
	if err := h.begin(t.Context()); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() {
		answered := make(chan struct{})
		answer := h.answers()
		go func() { defer close(answered); answer(ctx) }()
		err := h.worker.Run(ctx)
		<-answered
		done <- errors.Join(err, store.Close())
	}()
	client := control.NewClient(c.StateDir)
	names := make(map[string]bool)
	for r := range set.Enabled() {
		names[endpointName(r)] = true
	}
	eventually(t, "the socket", func() bool {
		s, err := client.Status(t.Context())
		return err == nil && len(s.Endpoints) == len(names)
	})
	return func() {
		t.Helper()
		cancel()
		if err := <-done; err != nil {
			t.Errorf("the worker: %v", err)
		}
	}
}

// patience is a context that ends a test that hangs: no busy machine takes that long.
func patience(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	t.Cleanup(cancel)
	return ctx
}

// eventually asks again, at a pace, until cond is true.
func eventually(t *testing.T, what string, cond func() bool) {
	t.Helper()
	ctx := patience(t)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !cond() {
		select {
		case <-ctx.Done():
			t.Fatalf("waited in vain for %s", what)
		case <-tick.C:
		}
	}
}

// TestDeliveriesRetry: through the running daemon, and without one.
func TestDeliveriesRetry(t *testing.T) {
	t.Parallel()
	for _, running := range []bool{true, false} {
		t.Run(fmt.Sprintf("running %t", running), func(t *testing.T) {
			t.Parallel()
			receiver := delivertest.NewReceiver(t)
			configFile := logFiles(t, receiver.URL())
			stop := func() {}
			if running {
				stop = beside(t, configFile)
			}
			for _, c := range []struct{ args, want string }{
				{"--dead", "1 to be sent again\n"},
				{idOf(1) + " " + idOf(3), "1 to be sent again; 1 that waited due at once\n"},
				{idOf(4), "0 to be sent again; 1 left as they are: their rule is gone or disabled, or they are on their way\n"},
				{"--rule gone", "0 to be sent again\n"},
			} {
				if out, err := rowhook(t, configFile, append([]string{"deliveries", "retry"}, strings.Fields(c.args)...)...); err != nil || out != c.want {
					t.Errorf("%s: %v\n%s", c.args, err, out)
				}
			}
			if _, err := rowhook(t, configFile, "deliveries", "retry", idOf(99)); err == nil || !strings.Contains(err.Error(), "no such delivery: "+idOf(99)) {
				t.Errorf("an unknown one: %v", err)
			}
			if !running {
				stop = beside(t, configFile)
			}
			ctx := patience(t)
			receiver.WaitAccepted(ctx, 4) // 1, 2, 3, and 5 for the first time
			eventually(t, "the log", func() bool { return listIDs(t, configFile, "--state", "delivered") == "5 3 2 1" })
			if out, err := rowhook(t, configFile, "deliveries", "show", idOf(2)); err != nil || !strings.Contains(out, "by hand; since then it is outside of the order") {
				t.Errorf("%v\n%s", err, out)
			}
			if out, err := rowhook(t, configFile, "deliveries", "list", "--id", idOf(1)); err != nil || !strings.Contains(out, "delivered (sent again by hand)") {
				t.Errorf("%v\n%s", err, out)
			}
			stop()
		})
	}
}

func TestDeliveriesUsage(t *testing.T) {
	t.Parallel()
	configFile := logFiles(t, "http://127.0.0.1:1")
	for _, args := range []string{
		"deliveries", "deliveries explode", "deliveries list x", "deliveries list --state lost", "deliveries list --since soon", "deliveries list --id 12", "deliveries list --entity booking", "deliveries list --key appointment/12", "deliveries list --key salon/booking/12",
		"deliveries show", "deliveries show 12", "deliveries show " + idOf(1) + " " + idOf(2), "deliveries retry", "deliveries retry 12",
		"deliveries retry --dead " + idOf(1), "deliveries retry --limit 3", "deliveries retry --dead --state held", "deliveries export x",
		"endpoints", "endpoints explode", "endpoints pause", "endpoints resume a b", "endpoints list x",
	} {
		out, err := rowhook(t, configFile, strings.Fields(args)...)
		if exitCode(err) != exitUsage || out != "" {
			t.Errorf("%s: %v\n%s", args, err, out)
		}
	}
	empty := setUp(t, map[string]string{"a.yaml": twoRules})
	if err := os.WriteFile(empty, []byte("sites: [{name: salon, schema: wordpress}]\nstate_dir: state\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, args := range []string{"deliveries list", "deliveries export", "deliveries retry --dead", "endpoints list", "endpoints pause http://a"} {
		if _, err := rowhook(t, empty, strings.Fields(args)...); err == nil || !strings.Contains(err.Error(), "holds no outbox") || exitCode(err) != exitFailed {
			t.Errorf("%s without an outbox: %v", args, err)
		}
	}
}
