//go:build crash

package main

import (
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"rowhook/dbtest"
	"rowhook/outbox"
	"rowhook/outbox/sqlite"
	"rowhook/outbox/transfer"
)

// TestCrashOutboxCopy kills the copying of an outbox, there and back, at random instants: what it leaves nobody opens, what was copied is
// as it was, and once it is let alone all has moved.
func TestCrashOutboxCopy(t *testing.T) {
	t.Parallel()
	server := dbtest.Start(t)
	file := daemonFiles(t, server, everyAction("http://127.0.0.1:1"), shareOutbox(t, server, time.Second))
	state := filepath.Join(filepath.Dir(file), "state")
	fillOutbox(t, state)
	binary, random := build(t), rand.New(rand.NewPCG(dbtest.Seed(t), 7))
	db := server.DB(t, "")
	halfShared := func() bool {
		var half bool
		err := db.QueryRowContext(t.Context(), "SELECT EXISTS (SELECT 1 FROM rowhook.meta WHERE k = 'half_copy')").Scan(&half)
		return err == nil && half
	}
	halfLocal := func() bool {
		log, err := sqlite.OpenLog(t.Context(), state)
		if err == nil {
			_ = log.Close()
		}
		return errors.Is(err, transfer.ErrHalf)
	}
	drop := func(to string) {
		if to == "mysql" {
			server.Exec(t, "DROP DATABASE rowhook")
			return
		}
		names, err := filepath.Glob(filepath.Join(state, "outbox.db*"))
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range names {
			if err := os.Remove(name); err != nil {
				t.Fatal(err)
			}
		}
	}
	killCopies(t, binary, file, "mysql", halfShared, drop, random)
	drop("sqlite") // the old one
	killCopies(t, binary, file, "sqlite", halfLocal, drop, random)
}

// killCopies kills some, and lets the last one end.
func killCopies(t *testing.T, binary, file, to string, half func() bool, drop func(to string), random *rand.Rand) {
	t.Helper()
	for range 4 {
		copying := exec.Command(binary, "outbox", "copy", "--to", to, "--config", file)
		if err := copying.Start(); err != nil {
			t.Fatal(err)
		}
		eventually(t, "half a copy", half)
		life := time.NewTimer(time.Duration(random.IntN(400)) * time.Millisecond)
		<-life.C
		_ = copying.Process.Kill()
		_ = copying.Wait() // it was killed
		if !half() {
			t.Error("a copy of so much was complete that soon")
		}
		if out, err := exec.CommandContext(t.Context(), binary, "outbox", "copy", "--to", to, "--config", file).CombinedOutput(); err == nil || !strings.Contains(string(out), "half a copy") {
			t.Errorf("again over half a copy to %s: %v\n%s", to, err, out)
		}
		drop(to)
	}
	out, err := exec.CommandContext(t.Context(), binary, "outbox", "copy", "--to", to, "--config", file).CombinedOutput()
	if err != nil || !strings.Contains(string(out), "equal    20,000 deliveries") {
		t.Fatalf("to %s in the end: %v\n%s", to, err, out)
	}
}

// fillOutbox makes an outbox with 20,000 deliveries, half of them delivered.
func fillOutbox(t *testing.T, dir string) {
	t.Helper()
	store, err := sqlite.Open(t.Context(), dir, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := store.Route(t.Context(), map[string]string{"crm": "a"}); err != nil {
		t.Fatal(err)
	}
	for n := range 40 {
		b := &outbox.Batch{Checkpoint: fmt.Append(nil, n), Open: []outbox.Record{{Owner: "events", Key: fmt.Sprint(n), Data: []byte("x")}}}
		for i := range 500 {
			b.Deliveries = append(b.Deliveries, &outbox.Delivery{ID: outbox.ID{byte(n), byte(i), byte(i >> 8)}, Rule: "crm", Body: []byte(strings.Repeat("x", 1000))})
		}
		if err := store.Commit(t.Context(), b); err != nil {
			t.Fatal(err)
		}
		var done []outbox.Outcome
		for _, d := range b.Deliveries[:250] {
			done = append(done, outbox.Outcome{Seq: d.Seq, State: outbox.Delivered, Attempts: 1})
		}
		if err := store.Settle(t.Context(), done); err != nil {
			t.Fatal(err)
		}
	}
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}
}
