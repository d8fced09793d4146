//go:build memory

package memory

import (
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/ncruces/go-sqlite3"

	"rowhook/dbtest"
	"rowhook/outbox"
	"rowhook/outbox/sqlite"
)

// TestOutboxCopy: the memory of `rowhook outbox copy` does not grow with the outbox: a million deliveries, of which every tenth and the
// newest hundred thousand are undelivered, go to a server and come back.
func TestOutboxCopy(t *testing.T) {
	server := dbtest.Start(t)
	server.Exec(t, "CREATE DATABASE wordpress; CREATE DATABASE rowhook")
	server.CreateUser(t, "rowhook", "secret", "ALL PRIVILEGES ON rowhook.*")
	binary := os.Getenv("ROWHOOK_BINARY")
	dir := t.TempDir()
	if binary == "" {
		binary = filepath.Join(dir, "rowhook")
		build := exec.CommandContext(t.Context(), "go", "build", "-o", binary, "rowhook/cmd/rowhook")
		build.Env = append(os.Environ(), "CGO_ENABLED=0")
		if out, err := build.CombinedOutput(); err != nil {
			t.Fatalf("building rowhook: %v\n%s", err, out)
		}
	}
	config := filepath.Join(dir, "config.yaml")
	text := fmt.Sprintf("database: {address: %q, user: rowhook, password: secret}\nsites: [{name: salon, schema: wordpress, prefix: wp_}]\nstate_dir: state\n"+
		"outbox: {mysql: {addresses: [%[1]q], user: rowhook, password: secret}}\n", server.Address())
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	state := filepath.Join(dir, "state")
	millions(t, state)
	for _, to := range []string{"mysql", "sqlite"} {
		if to == "sqlite" {
			if err := os.Rename(state, state+".old"); err != nil {
				t.Fatal(err)
			}
		}
		copying := exec.CommandContext(t.Context(), binary, "outbox", "copy", "--to", to, "--config", config)
		out, err := copying.CombinedOutput()
		if err != nil || !strings.Contains(string(out), "equal    1,000,000 deliveries") {
			t.Fatalf("to %s: %v\n%s", to, err, out)
		}
		usage, ok := copying.ProcessState.SysUsage().(*syscall.Rusage)
		if !ok {
			t.Fatal("the system does not tell")
		}
		peak := float64(usage.Maxrss) / 1024
		t.Logf("to %s: %.0f MB at most", to, peak)
		if peak > mostRSS {
			t.Errorf("to %s it took %.0f MB, more than %d", to, peak, mostRSS)
		}
	}
}

// millions makes an outbox of a million deliveries. A store would take long for that: only the first one is its own.
func millions(t *testing.T, dir string) {
	t.Helper()
	store, err := sqlite.Open(t.Context(), dir, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := store.Route(t.Context(), map[string]string{"crm": "a"}); err != nil {
		t.Fatal(err)
	}
	err = store.Commit(t.Context(), &outbox.Batch{Checkpoint: []byte("x"), Deliveries: []*outbox.Delivery{{Rule: "crm", Site: "salon", Kind: "appointment.save"}}})
	if err != nil {
		t.Fatal(err)
	}
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}
	c, err := sqlite3.Open(filepath.Join(dir, "outbox.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	const upTo = `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000000) `
	for _, sql := range []string{
		`PRAGMA synchronous = OFF; BEGIN; DELETE FROM delivery; DELETE FROM batch; DELETE FROM clock`,
		upTo + `INSERT INTO delivery(seq, batch, label, id, keys, gone, as_of, created, off, len, endpoint, number)
			SELECT i, 1 + (i - 1) / 250 * 250, 1, CAST(printf('%016d', i) AS BLOB), 'salon/reservation/' || i, 0, 0, 1700000000000000 + i, (i - 1) % 250 * 200, 200, 1, i FROM n`,
		upTo + `INSERT INTO batch SELECT i, 1700000000000000 + i, CAST(printf('%.*c', 50000, 'x') || x'01' AS BLOB) FROM n WHERE i % 250 = 1`,
		`INSERT INTO backlog SELECT 1, seq, seq, 0 FROM delivery WHERE seq % 10 = 0 OR seq > 900000`,
		`UPDATE state SET low = 1000000, last = 1000000; DELETE FROM done`,
		`UPDATE endpoint SET last = 1000000, (count, bytes, lagging) = (SELECT count(*), 200 * count(*), count(*) FROM backlog) WHERE id = 1`,
		`COMMIT`,
	} {
		if err := c.Exec(sql); err != nil {
			t.Fatalf("%s: %v", sql, err)
		}
	}
}
