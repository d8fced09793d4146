package main

import (
	"bytes"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"log/slog"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"rowhook/config"
	"rowhook/dbtest"
	"rowhook/deliver/delivertest"
	"rowhook/outbox/memory"
	"rowhook/rules"
)

// shareOutbox is a configuration's part for an outbox on a server, which may be the site's own.
func shareOutbox(t *testing.T, server *dbtest.Server, lease time.Duration) string {
	t.Helper()
	server.Exec(t, "CREATE DATABASE rowhook")
	server.CreateUser(t, "rowhook_outbox", "secret", "ALL PRIVILEGES ON rowhook.*")
	return fmt.Sprintf("outbox: {mysql: {addresses: [%q], user: rowhook_outbox, password: secret, lease: %v}}\n", server.Address(), lease)
}

// joined is what a daemon logs that delivers while another one follows the log.
const joined = "delivering a share"

// TestMachines: two daemons share an outbox on the site's own server. One follows the log, the other does so when it stops, and every booking is
// heard of once, in order. Nothing is stored while nothing happens, though each renewal of the lease is in the log that is followed.
func TestMachines(t *testing.T) { onServers(t, testMachines) }

func testMachines(t *testing.T, server *dbtest.Server) {
	t.Helper()
	site := dbtest.Salon(t, server, "wordpress", "wp_")
	rowhookUser(t, server)
	receiver := delivertest.NewReceiver(t)
	more := "coalesce: 0s\n" + shareOutbox(t, server, time.Second)
	first, second := daemonFiles(t, server, everyAction(receiver.URL()), more), daemonFiles(t, server, everyAction(receiver.URL()), more)
	stop := startDaemon(t, first)
	goesOn := make(chan struct{})
	stopSecond := startUntil(t, second, joined, &watched{awaited: following, seen: goesOn})
	var ids []int64
	insert := func(n int) {
		for range n {
			id, err := site.Insert(t.Context(), "users", "billing_name", "Ann")
			if err != nil {
				t.Fatal(err)
			}
			ids = append(ids, id)
		}
		receiver.WaitAccepted(patience(t), len(ids))
	}
	insert(20)

	for _, file := range []string{first, second} { // what only reads works on every machine
		eventually(t, "the outcomes", func() bool {
			return len(strings.Fields(listIDs(t, file, "--limit", "100", "--state", "delivered"))) == len(ids)
		})
	}
	for _, file := range []string{first, second} { // and so does what changes something
		if out, err := rowhook(t, file, "deliveries", "drop", "--state", "dead"); err != nil {
			t.Errorf("drop: %v\n%s", err, out)
		}
		for _, list := range []string{"sites", "endpoints"} {
			if out, err := rowhook(t, file, list, "list"); err != nil || strings.Contains(out, "elsewhere") || !strings.Contains(out, "salon") && !strings.Contains(out, "up") {
				t.Errorf("%s list: %v\n%s", list, err, out)
			}
		}
	}
	quiet(t, server)

	stop()
	<-goesOn
	insert(20)
	stopSecond()
	got := heard(t, receiver.Accepted())
	for _, id := range ids {
		if n := got[fmt.Sprintf("onAfterSaveCustomer %d", id)]; n != 1 {
			t.Errorf("customer %d was heard of %d times", id, n)
		}
	}
}

// TestMachinesTLS: the outbox's server has to prove who it is, where that is asked for, and advice names the keys of the outbox.
func TestMachinesTLS(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	ca := newAuthority(t, dir, "ca")
	newAuthority(t, dir, "other")
	cert, key := ca.sign(t, "server", &x509.Certificate{Subject: pkix.Name{CommonName: "outbox"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}})
	server := dbtest.Start(t, "--ssl-ca="+ca.file, "--ssl-cert="+cert, "--ssl-key="+key)
	site := dbtest.Salon(t, server, "wordpress", "wp_")
	rowhookUser(t, server)
	receiver := delivertest.NewReceiver(t)
	more := shareOutbox(t, server, time.Minute)
	server.Exec(t, "ALTER USER rowhook_outbox@'%' REQUIRE SSL")
	files := func(tls string) string {
		file := daemonFiles(t, server, everyAction(receiver.URL()), "coalesce: 0s\n"+more)
		edit(t, file, "lease: 1m0s", "lease: 1m0s, tls: "+strings.ReplaceAll(tls, "DIR", dir))
		return file
	}
	for tls, want := range map[string][]string{
		"false":                    {"FAIL  outbox server: ", "Access denied", "outbox.mysql.tls"},
		"true":                     {"FAIL  outbox server: ", "certificate", "under outbox.mysql:", "ca_file: /etc/rowhook/ca.pem"},
		"{ca_file: DIR/other.pem}": {"FAIL  outbox server: ", "unknown authority"},
		"{ca_file: DIR/ca.pem, server_name: other}": {"FAIL  outbox server: ", "certificate"},
		"{ca_file: DIR/ca.pem}":                     {"ok    outbox version: "},
		"{mode: verify-ca, ca_file: DIR/ca.pem}":    {"ok    outbox version: "},
	} {
		out, _ := rowhook(t, files(tls), "check")
		for _, text := range want {
			if !strings.Contains(out, text) {
				t.Errorf("tls: %s: it does not say %q:\n%s", tls, text, out)
			}
		}
	}
	defer startDaemon(t, files("{ca_file: DIR/ca.pem}"))()
	if _, err := site.Insert(t.Context(), "users", "billing_name", "Ann"); err != nil {
		t.Fatal(err)
	}
	receiver.WaitAccepted(patience(t), 1)
}

// TestOtherRules: a machine that takes over with other rules than the last one had says so, and no other does.
func TestOtherRules(t *testing.T) {
	t.Parallel()
	here, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	const file, other = "of these", "of others"
	for before, wanted := range map[string]bool{
		"":                   false,
		"elsewhere " + file:  false,
		"elsewhere " + other: true,
		here + " " + other:   false, // somebody changed them
		here + " " + file:    false,
	} {
		var log bytes.Buffer
		store := memory.New()
		if before != "" {
			if err := store.CompareAndSet(t.Context(), rulesKey, "", before); err != nil {
				t.Fatal(err)
			}
		}
		d := &daemon{cfg: &config.Config{Outbox: config.Outbox{MySQL: config.OutboxServer{Addresses: []string{"a"}}}}, log: slog.New(slog.NewTextHandler(&log, nil)), set: &rules.Set{Digest: file}}
		if err := d.tellRules(t.Context(), store); err != nil {
			t.Fatal(err)
		}
		if told := strings.Contains(log.String(), "elsewhere"); told != wanted {
			t.Errorf("after %q: %s", before, log.String())
		}
		if now, err := store.Get(t.Context(), rulesKey); err != nil || now != here+" "+file {
			t.Errorf("after %q: %q is remembered: %v", before, now, err)
		}
	}
}

// TestManyMachines: of four that share an outbox one works at a time, until none is left. Another installation's outbox on the same
// server is nothing to them, nor they to it.
func TestManyMachines(t *testing.T) {
	t.Parallel()
	server := dbtest.Start(t)
	site := dbtest.Salon(t, server, "wordpress", "wp_")
	rowhookUser(t, server)
	ours, theirs := delivertest.NewReceiver(t), delivertest.NewReceiver(t)
	files := func(receiver *delivertest.Receiver, schema string) string {
		return daemonFiles(t, server, everyAction(receiver.URL()), fmt.Sprintf("coalesce: 0s\noutbox: {mysql: {addresses: [%q], user: %s, password: secret, schema: %[2]s, lease: 1m}}\n",
			server.Address(), schema))
	}
	for _, schema := range []string{"ours", "theirs"} {
		server.Exec(t, "CREATE DATABASE "+schema)
		server.CreateUser(t, schema, "secret", "ALL PRIVILEGES ON "+schema+".*")
	}
	startDaemon(t, files(theirs, "theirs"))
	working := startDaemon(t, files(ours, "ours"))
	const standbys = 3
	takesOver := make(chan func(), standbys) // how the one is stopped that goes on
	for range standbys {
		goesOn := make(chan struct{})
		stop := startUntil(t, files(ours, "ours"), joined, &watched{awaited: following, seen: goesOn})
		go func() {
			select {
			case <-goesOn:
				takesOver <- stop
			case <-t.Context().Done():
			}
		}()
	}
	for turn := range standbys + 1 {
		for range 5 {
			if _, err := site.Insert(t.Context(), "users", "billing_name", "Ann"); err != nil {
				t.Fatal(err)
			}
		}
		for _, r := range []*delivertest.Receiver{ours, theirs} {
			for what, n := range heard(t, r.WaitAccepted(patience(t), 5*(turn+1))) {
				if n != 1 {
					t.Errorf("%s was heard of %d times", what, n)
				}
			}
		}
		select {
		case <-takesOver:
			t.Fatal("two machines work at a time")
		default:
		}
		working()
		if turn < standbys {
			working = <-takesOver
		}
	}
}

// quiet waits until the lease was renewed ten times, and fails when anything was stored meanwhile.
func quiet(t *testing.T, server *dbtest.Server) {
	t.Helper()
	db := server.DB(t, "rowhook")
	ask := func(question string) (n int64) {
		if err := db.QueryRowContext(t.Context(), question).Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	const stored, beats = "SELECT seq FROM rowhook.state", "SELECT beat FROM rowhook.lease WHERE name = 'reader'"
	// What was delivered is stored first, and the position behind it.
	eventually(t, "a second without a commit", func() bool {
		seq, beat := ask(stored), ask(beats)
		eventually(t, "the lease's renewals", func() bool { return ask(beats) >= beat+10 })
		return ask(stored) == seq
	})
	seq, beat := ask(stored), ask(beats)
	eventually(t, "the lease's renewals", func() bool { return ask(beats) >= beat+10 })
	if now := ask(stored); now != seq {
		t.Errorf("%d commits were made while nothing happened", now-seq)
	}
}
