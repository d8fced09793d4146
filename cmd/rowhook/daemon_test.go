package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"rowhook/dbtest"
	"rowhook/deliver/delivertest"
	"rowhook/rules"
)

// rowhookUser may do what the README says and no more.
func rowhookUser(t *testing.T, server *dbtest.Server) {
	t.Helper()
	monitor := "BINLOG MONITOR"
	if server.Kind().MySQL() {
		monitor = "REPLICATION CLIENT"
	}
	server.CreateUser(t, "rowhook", "secret", "REPLICATION SLAVE, "+monitor+" ON *.*", "SELECT ON wordpress.*")
}

// everyAction is a rule for each of the documented actions.
func everyAction(url string) string {
	var b strings.Builder
	b.WriteString("rules:\n")
	for i, a := range rules.Actions() {
		fmt.Fprintf(&b, "  - {name: %q, action: %s, url: %q, id: %d, secret: hunter2", a, a, url, i+1)
		if a.Kind != rules.Delete {
			b.WriteString(", load: full")
		}
		b.WriteString("}\n")
	}
	return b.String()
}

// daemonFiles writes a configuration for the server and rules.
func daemonFiles(t *testing.T, server *dbtest.Server, ruleFile, more string) (configFile string) {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{
		"config.yaml": fmt.Sprintf("database: {address: %q, user: rowhook, password: secret}\n"+
			"sites: [{name: salon, schema: wordpress, prefix: wp_}]\nrules: rules.yaml\nstate_dir: state\n%s", server.Address(), more),
		"rules.yaml": ruleFile,
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return filepath.Join(dir, "config.yaml")
}

// startDaemon runs the daemon until the test stops it, and waits until it follows the binlog. Others may read its log too.
func startDaemon(t *testing.T, configFile string, readers ...io.Writer) (stop func()) {
	t.Helper()
	return startUntil(t, configFile, following, readers...)
}

// startUntil runs the daemon until the test stops it, and waits until it has logged a text.
func startUntil(t *testing.T, configFile, awaited string, readers ...io.Writer) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	log := &watched{awaited: awaited, seen: make(chan struct{})}
	done := make(chan error, 1)
	logs := io.MultiWriter(append(readers, log)...)
	go func() { done <- command(ctx, []string{"run", "--config", configFile}, io.Discard, logs) }()
	stopped := false
	stop = func() {
		if stopped {
			return
		}
		stopped = true
		cancel()
		if err := <-done; err != nil {
			t.Errorf("the daemon ended with: %v", err)
		}
	}
	t.Cleanup(stop)
	select {
	case <-log.seen:
	case err := <-done:
		stopped = true
		cancel()
		t.Fatalf("the daemon did not start: %v", err)
	}
	return stop
}

// following is what the daemon logs when nothing that is committed from then on is missed.
const following = "following the binlog"

// watched is a log that tells when some text was written.
type watched struct {
	awaited string
	seen    chan struct{}
	text    []byte
	told    bool
}

func (w *watched) Write(b []byte) (int, error) {
	if w.told {
		return len(b), nil
	}
	if w.text = append(w.text, b...); bytes.Contains(w.text, []byte(w.awaited)) {
		w.told = true
		close(w.seen)
	}
	return len(b), nil
}

// heard counts webhooks by action and id: "onAfterSaveReservation 12".
func heard(t *testing.T, requests []delivertest.Request) map[string]int {
	t.Helper()
	count := map[string]int{}
	for _, r := range requests {
		var body struct {
			ID any `json:"id"`
		}
		if err := json.Unmarshal(r.Body, &body); err != nil {
			t.Fatalf("%s: %v", r.Body, err)
		}
		count[fmt.Sprintf("%s %v", r.Header.Get("X-VAP-WEBHOOK-ACTION"), body.ID)]++
	}
	return count
}

func TestEveryActionArrives(t *testing.T) { onServers(t, testEveryActionArrives) }

func testEveryActionArrives(t *testing.T, server *dbtest.Server) {
	t.Helper()
	site := dbtest.Salon(t, server, "wordpress", "wp_")
	rowhookUser(t, server)
	receiver := delivertest.NewReceiver(t)
	startDaemon(t, daemonFiles(t, server, everyAction(receiver.URL()), "coalesce: 100ms\nstatus_wait: 300ms\n"))

	ctx := t.Context()
	id := func(id int64, err error) int64 {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return id
	}
	do := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	want := map[string]int{}
	expect := func(action string, ids ...int64) {
		for _, id := range ids {
			want[fmt.Sprintf("%s %d", action, id)]++
		}
	}
	arrived := func() {
		t.Helper()
		total := 0
		for _, n := range want {
			total += n
		}
		ctx := patience(t)
		got := heard(t, receiver.WaitAccepted(ctx, total))
		if !maps.Equal(got, want) {
			t.Fatalf("heard %v\nwant  %v", got, want)
		}
	}

	one := id(site.Book(ctx, dbtest.Booking{Options: []int64{1}}))
	two := id(site.Book(ctx, dbtest.Booking{}))
	expect("onAfterSaveReservation", one, two)
	expect("onStatusChangeReservation", one, two)
	arrived() // a booking is one insert and one status, however many statements made it

	do(site.Confirm(ctx, one))
	expect("onAfterSaveReservation", one)
	expect("onStatusChangeReservation", one)
	order := id(site.OrderPackage(ctx, 1, "W", 1, 2))
	expect("onAfterSavePackorder", order)
	expect("onStatusChangePackageorder", order)
	arrived() // else a slow machine tells what a fast one merges
	do(site.SavePackageStatus(ctx, order, "C"))
	expect("onAfterSavePackorder", order)
	expect("onStatusChangePackageorder", order)
	for table, action := range map[string]string{
		"users": "onAfterSaveCustomer", "employee": "onAfterSaveEmployee", "service": "onAfterSaveService", "coupon": "onAfterSaveCoupon",
	} {
		columns := map[string][]any{
			"users": {"billing_name", "Ada"}, "employee": {"firstname", "A", "lastname", "B", "nickname", "C", "alias", "d"},
			"service": {"name", "Cut", "alias", "cut", "duration", 30, "price", 20}, "coupon": {"code", "SPRING"},
		}[table]
		row := id(site.Insert(ctx, table, columns...))
		expect(action, row)
		arrived()
		do(site.Remove(ctx, table, row))
		expect(strings.Replace(action, "Save", "Delete", 1), row)
	}
	arrived()

	do(site.DeletePackageOrders(ctx, order))
	expect("onAfterDeletePackorder", order)
	do(site.DeleteBookings(ctx, one, two))
	want[fmt.Sprintf("onAfterDeleteReservation [%d %d]", one, two)]++
	arrived()
	last := id(site.Insert(ctx, "users", "billing_name", "Last")) // behind it nothing more may have come
	expect("onAfterSaveCustomer", last)
	arrived()

	r := receiver.Requests()[0]
	for name, wanted := range map[string]string{
		"X-VAP-WEBHOOK-ID": "1", "X-Rowhook-Site": "salon", "Content-Type": "application/json",
		"X-VAP-WEBHOOK-SECURE": "2ab96390c7dbe3439de74d0c9b0b1767", // md5 of hunter2
	} {
		if got := r.Header.Get(name); got != wanted {
			t.Errorf("header %s is %q, want %q", name, got, wanted)
		}
	}
}

func TestNothingIsLostWhileTheReceiverIsDown(t *testing.T) {
	onServers(t, testNothingIsLostWhileTheReceiverIsDown)
}

func testNothingIsLostWhileTheReceiverIsDown(t *testing.T, server *dbtest.Server) {
	t.Helper()
	site := dbtest.Salon(t, server, "wordpress", "wp_")
	rowhookUser(t, server)
	receiver := delivertest.NewReceiver(t)
	files := daemonFiles(t, server, everyAction(receiver.URL()), "coalesce: 0s\n")
	stop := startDaemon(t, files)
	receiver.Close()
	var ids []int64
	for i := range 30 {
		id, err := site.Insert(t.Context(), "users", "billing_name", fmt.Sprint(i))
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, id)
		if i == 10 { // what is written while nobody follows is read later
			stop()
		}
		if i == 20 {
			stop = startDaemon(t, files)
		}
	}
	receiver.Open()
	ctx := patience(t)
	got := heard(t, receiver.WaitAccepted(ctx, len(ids)))
	for _, id := range ids {
		if got[fmt.Sprintf("onAfterSaveCustomer %d", id)] != 1 {
			t.Errorf("customer %d was heard of %d times", id, got[fmt.Sprintf("onAfterSaveCustomer %d", id)])
		}
	}
	stop()
}

func TestReloadTakesGoodRulesOnly(t *testing.T) {
	t.Parallel()
	server := dbtest.Start(t)
	site := dbtest.Salon(t, server, "wordpress", "wp_")
	rowhookUser(t, server)
	receiver := delivertest.NewReceiver(t)
	rule := func(name, action string) string {
		return fmt.Sprintf("rules: [{name: %s, action: %s, url: %q}]", name, action, receiver.URL())
	}
	files := daemonFiles(t, server, rule("r", "customer.save"), "coalesce: 0s\n")
	log, ctx := newDaemonLog(), patience(t)
	stop, hangups := startByHand(t, files, log)
	defer stop()
	log.wait(ctx, t, following, 1)
	reload := func(text, said string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(filepath.Dir(files), "rules.yaml"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		hangups <- syscall.SIGHUP
		log.wait(ctx, t, said, 1)
	}
	reload("rules: [{name: x, action: nonsense}]", "nonsense")
	insert := func(table string, pairs ...any) {
		t.Helper()
		if _, err := site.Insert(ctx, table, pairs...); err != nil {
			t.Fatal(err)
		}
	}
	insert("users", "billing_name", "A")
	receiver.WaitAccepted(ctx, 1) // the old rules stay
	reload(rule("y", "coupon.save"), "the rules are reloaded")
	insert("users", "billing_name", "B")
	insert("coupon", "code", "C")
	requests := receiver.WaitAccepted(ctx, 2)
	var actions []string
	for _, r := range requests {
		actions = append(actions, r.Header.Get("X-VAP-WEBHOOK-ACTION"))
	}
	if want := []string{"onAfterSaveCustomer", "onAfterSaveCoupon"}; !slices.Equal(actions, want) {
		t.Errorf("heard %v, want %v", actions, want)
	}
}
