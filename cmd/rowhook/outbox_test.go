package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"rowhook/dbtest"
	"rowhook/deliver/delivertest"
)

// TestOutboxCopy: a daemon goes on where its outbox went to, and where it came back to: nothing is lost, nothing sent twice, no id is
// another, and no number is missing.
func TestOutboxCopy(t *testing.T) { onServers(t, testOutboxCopy) }

func testOutboxCopy(t *testing.T, server *dbtest.Server) {
	t.Helper()
	site := dbtest.Salon(t, server, "wordpress", "wp_")
	rowhookUser(t, server)
	receiver := delivertest.NewReceiver(t)
	file := daemonFiles(t, server, everyAction(receiver.URL()), "coalesce: 0s\n")
	shared := shareOutbox(t, server, 2*time.Second)
	var ids []int64
	insert := func(n int) {
		t.Helper()
		for range n {
			id, err := site.Insert(t.Context(), "users", "billing_name", "Ann")
			if err != nil {
				t.Fatal(err)
			}
			ids = append(ids, id)
		}
	}
	// run lets a daemon deliver some, and stops it with some that could not be: the receiver is away.
	run := func() (waiting []string) {
		t.Helper()
		stop := startDaemon(t, file)
		insert(5)
		receiver.WaitAccepted(patience(t), len(ids))
		receiver.Close()
		insert(5)
		eventually(t, "those that wait", func() bool {
			delivered := strings.Fields(listIDs(t, file, "--limit", "0", "--state", "delivered")) // first: what is delivered waits no more
			waiting = strings.Fields(listIDs(t, file, "--limit", "0", "--state", "fresh,waiting"))
			return len(waiting) == 5 && len(delivered) == len(ids)-5
		})
		stop()
		receiver.Open()
		return waiting
	}
	waiting := run()
	if _, err := rowhook(t, file, "outbox", "copy", "--to", "mysql"); err == nil || !strings.Contains(err.Error(), "the configuration has no outbox.mysql") {
		t.Errorf("nowhere to copy to: %v", err)
	}
	copyTo := func(to string) {
		t.Helper()
		out, err := rowhook(t, file, "outbox", "copy", "--to", to)
		if err != nil || !strings.Contains(out, fmt.Sprintf("equal    %d deliveries with ", len(ids))) || !strings.Contains(out, "next     1. ") {
			t.Fatalf("to %s: %v\n%s", to, err, out)
		}
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	edit(t, file, "coalesce: 0s\n", "coalesce: 0s\n"+shared)
	copyTo("mysql")
	if is := strings.Fields(listIDs(t, file, "--limit", "0", "--state", "fresh,waiting")); !slices.Equal(is, waiting) {
		t.Errorf("%v wait on the server, %v did in the file", is, waiting)
	}
	run()

	// The file that nobody uses any more is not overwritten, until it is gone.
	if _, err := rowhook(t, file, "outbox", "copy", "--to", "sqlite"); err == nil || !strings.Contains(err.Error(), "not empty") {
		t.Errorf("to the old file: %v", err)
	}
	old, err := filepath.Glob(filepath.Join(filepath.Dir(file), "state", "outbox.db*"))
	if err != nil || len(old) == 0 {
		t.Fatal(old, err)
	}
	for _, name := range old {
		if err := os.Remove(name); err != nil {
			t.Fatal(err)
		}
	}
	copyTo("sqlite")
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	stop := startDaemon(t, file)
	insert(5)
	receiver.WaitAccepted(patience(t), len(ids))
	stop()
	wantEachOnce(t, receiver.Accepted(), ids)
}

// wantEachOnce checks that each customer was heard of once, under an id of its own, and that their numbers have no gap.
func wantEachOnce(t *testing.T, accepted []delivertest.Request, ids []int64) {
	t.Helper()
	got := heard(t, accepted)
	for _, id := range ids {
		if n := got[fmt.Sprintf("onAfterSaveCustomer %d", id)]; n != 1 {
			t.Errorf("customer %d was heard of %d times", id, n)
		}
	}
	own, numbers := map[string]bool{}, []int{}
	for _, r := range accepted {
		own[r.ID()] = true
		n, err := strconv.Atoi(r.Header.Get("X-Rowhook-Sequence"))
		if err != nil {
			t.Fatal(err)
		}
		numbers = append(numbers, n)
	}
	slices.Sort(numbers)
	if len(own) != len(ids) || len(numbers) != len(ids) || numbers[0] != 1 || numbers[len(numbers)-1] != len(ids) {
		t.Errorf("%d ids, and the numbers %v, of %d customers", len(own), numbers, len(ids))
	}
}

// TestOutboxCopyRefused: what cannot be copied says why, and what to do.
func TestOutboxCopyRefused(t *testing.T) {
	t.Parallel()
	server := dbtest.Start(t)
	dbtest.Salon(t, server, "wordpress", "wp_")
	rowhookUser(t, server)
	plain := daemonFiles(t, server, everyAction("http://127.0.0.1:1"), "")
	text, err := os.ReadFile(plain)
	if err != nil {
		t.Fatal(err)
	}
	shared := filepath.Join(filepath.Dir(plain), "shared.yaml")
	if err := os.WriteFile(shared, []byte(string(text)+shareOutbox(t, server, 2*time.Second)), 0o600); err != nil {
		t.Fatal(err)
	}
	refused := func(want string, args ...string) {
		t.Helper()
		out, err := rowhook(t, shared, append([]string{"outbox", "copy"}, args...)...)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v: %v\n%s", args, err, out)
		}
	}
	refused("needs --to mysql or --to sqlite")
	refused("needs --to mysql or --to sqlite", "--to", "nats")
	refused("there is nothing to copy", "--to", "mysql")
	refused("there is nothing to copy", "--to", "sqlite")
	stop := startDaemon(t, plain)
	refused("stop it first", "--to", "mysql")
	stop()
	var done copied
	out, err := rowhook(t, shared, "outbox", "copy", "--to", "mysql", "--json")
	if err := errors.Join(err, json.Unmarshal([]byte(out), &done)); err != nil || !done.Equal || done.Count["settings"] == 0 || !strings.Contains(done.To, "schema rowhook at ") {
		t.Errorf("%v\n%s", err, out)
	}
	refused("is not empty", "--to", "mysql")
	stop = startDaemon(t, shared)
	refused("stop it first", "--to", "sqlite")
	stop()

	// A daemon does not start on half a copy.
	if _, err := server.DB(t, "rowhook").ExecContext(t.Context(), "INSERT INTO meta(k, v) VALUES ('half_copy', 'x')"); err != nil {
		t.Fatal(err)
	}
	if out, err := rowhook(t, shared, "run"); err == nil || !strings.Contains(err.Error(), "DROP DATABASE `rowhook`") {
		t.Errorf("on half a copy: %v\n%s", err, out)
	}
	refused("half a copy", "--to", "sqlite")
}
