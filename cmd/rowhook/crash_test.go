//go:build crash

package main

import (
	"bytes"
	"context"
	"database/sql"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"rowhook/dbtest"
)

// The crash test: 10,000 changes are written while the daemon is killed with SIGKILL again and again and the receiver
// comes and goes. At the end everything must have arrived once, in order, whatever instant each kill chose.
const (
	crashWriters = 4
	crashRows    = 40 // of each writer
	crashChanges = 10_000
	crashTime    = 20 * time.Second // over which they are spread
)

func TestCrash(t *testing.T) {
	binary := filepath.Join(t.TempDir(), "rowhook")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", binary, ".").CombinedOutput(); err != nil {
		t.Fatalf("building rowhook: %v\n%s", err, out)
	}
	for _, coalesce := range []string{"0s", "500ms"} {
		t.Run("coalesce "+coalesce, func(t *testing.T) { crash(t, binary, coalesce) })
	}
}

func crash(t *testing.T, binary, coalesce string) {
	server := dbtest.Start(t)
	dbtest.Salon(t, server, "wordpress", "wp_")
	server.CreateUser(t, "rowhook", "secret", "REPLICATION SLAVE, BINLOG MONITOR ON *.*", "SELECT ON wordpress.*")
	receiver := newFlapping(t)
	killer := newKiller(t, binary, crashConfig(t, server, receiver.url(), coalesce))
	killer.once(t) // the first start decides where following begins

	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
	defer cancel()
	written := make([]*history, crashWriters)
	writers, parts := errgroup.WithContext(ctx)
	db := server.DB(t, "wordpress")
	for i := range written {
		written[i] = newHistory(int64(1000*(i+1)), rand.New(rand.NewPCG(dbtest.Seed(t), uint64(i))))
		writers.Go(func() error { return written[i].write(parts, db, crashChanges/crashWriters) })
	}
	done := make(chan error, 1)
	go func() { done <- writers.Wait() }()
	if err := killer.whileRunning(ctx, done); err != nil {
		t.Fatal(err)
	}
	kills := killer.kills
	receiver.calm()
	want := map[string][]change{}
	for _, h := range written {
		maps.Copy(want, h.byKey)
	}
	killer.start(t)
	receiver.waitFor(ctx, func(got *receipts) bool { return got.complete(want, coalesce == "0s") })
	killer.stop(t)

	got := receiver.receipts()
	report := got.compare(want, coalesce == "0s")
	t.Logf("%d changes of %d objects, %d kills, %d requests refused or failed, %d accepted: %d deliveries, %d received more than once; %s",
		crashChanges, len(want), kills, receiver.failed(), got.accepted, len(got.ids), got.accepted-len(got.ids), report)
	if report != (comparison{}) {
		t.Errorf("lost, changed or out of order: %s", report)
		t.Logf("the daemon's last words:\n%s", killer.tail())
	}
	if kills < 20 {
		t.Errorf("only %d kills: the test proves little", kills)
	}
}

// crashConfig writes a configuration whose rules tell every change of an appointment to one receiver.
func crashConfig(t *testing.T, server *dbtest.Server, url, coalesce string) string {
	t.Helper()
	dir := t.TempDir()
	files := map[string]string{
		"config.yaml": fmt.Sprintf(`
database: {address: %q, user: rowhook, password: secret}
sites: [{name: salon, schema: wordpress, prefix: wp_}]
rules: rules.yaml
state_dir: state
coalesce: %s
deliver: {timeout: 2s}
`, server.Address(), coalesce),
		"rules.yaml": fmt.Sprintf(`
rules:
  - {name: saves, action: appointment.save, load: full, url: %[1]q}
  - {name: statuses, action: appointment.status_change, load: basic, url: %[1]q}
  - {name: deletes, action: appointment.delete, url: %[1]q}
`, url),
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return filepath.Join(dir, "config.yaml")
}

// change is what was done to an appointment. N is its number there; a delete's payload does not show it.
type change struct {
	kind string // save, status or delete
	n    int
}

// history writes changes of its own appointments, one transaction each, and remembers them.
type history struct {
	base   int64
	random *rand.Rand
	exists map[int64]bool
	byKey  map[string][]change
}

func newHistory(base int64, random *rand.Rand) *history {
	return &history{base: base, random: random, exists: map[int64]bool{}, byKey: map[string][]change{}}
}

func (h *history) write(ctx context.Context, db *sql.DB, changes int) error {
	pace := time.NewTicker(crashTime * crashWriters / crashChanges)
	defer pace.Stop()
	for n := 1; n <= changes; n++ {
		<-pace.C
		id := h.base + h.random.Int64N(crashRows)
		kind, query := "save", "UPDATE wp_vikappointments_reservation SET notes = ?2 WHERE id = ?1"
		switch dice := h.random.IntN(10); {
		case !h.exists[id]:
			query = "INSERT INTO wp_vikappointments_reservation (id, id_parent, id_employee, notes, purchaser_mail) VALUES (?1, ?1, 1, ?2, 'a@example.test')"
			h.exists[id] = true
		case dice == 0:
			kind, query = "delete", "DELETE FROM wp_vikappointments_reservation WHERE id IN (?1)"
			h.exists[id] = false
		case dice == 1:
			kind, query = "status", "INSERT INTO wp_vikappointments_order_status (id_order, status, comment, ip, type) VALUES (?1, 'C', ?2, '', 'reservation')"
		}
		text := numbered(query, fmt.Sprint(id), fmt.Sprintf("'%d'", n))
		if _, err := db.ExecContext(ctx, text); err != nil {
			return fmt.Errorf("writing change %d: %w", n, err)
		}
		key := fmt.Sprint(id)
		h.byKey[key] = append(h.byKey[key], change{kind, n})
	}
	return nil
}

// numbered fills ?1, ?2 in.
func numbered(query string, values ...string) string {
	for i, v := range values {
		query = string(bytes.ReplaceAll([]byte(query), fmt.Appendf(nil, "?%d", i+1), []byte(v)))
	}
	return query
}

// killer runs the daemon and kills it at random instants.
type killer struct {
	binary, config string
	cmd            *exec.Cmd
	random         *rand.Rand // chooses when
	output         bytes.Buffer
	kills          int
}

func newKiller(t *testing.T, binary, config string) *killer {
	t.Helper()
	t.Logf("ROWHOOK_SEED=%d", dbtest.Seed(t))
	return &killer{binary: binary, config: config, random: rand.New(rand.NewPCG(dbtest.Seed(t), 101))}
}

func (k *killer) start(t testing.TB) {
	t.Helper()
	k.cmd = exec.Command(k.binary, "run", "--config", k.config)
	k.output.Reset()
	k.cmd.Stdout, k.cmd.Stderr = &k.output, &k.output
	if err := k.cmd.Start(); err != nil {
		t.Fatal(err)
	}
}

// once starts the daemon, waits until it has stored where it begins, and stops it.
func (k *killer) once(t testing.TB) {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	k.cmd = exec.Command(k.binary, "run", "--config", k.config)
	k.cmd.Stderr = w
	if err := k.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	w.Close()
	var seen []byte
	buf := make([]byte, 4096)
	for !bytes.Contains(seen, []byte("following the binlog")) {
		n, err := r.Read(buf)
		if seen = append(seen, buf[:n]...); err != nil {
			t.Fatalf("the daemon ended: %s", seen)
		}
	}
	k.stop(t)
}

func (k *killer) stop(t testing.TB) {
	t.Helper()
	_ = k.cmd.Process.Signal(os.Interrupt)
	if err := k.cmd.Wait(); err != nil {
		t.Errorf("stopping the daemon: %v\n%s", err, k.tail())
	}
}

func (k *killer) tail() []byte {
	b := k.output.Bytes()
	return b[max(0, len(b)-4096):]
}

// whileRunning kills and restarts the daemon until done and a few times more.
func (k *killer) whileRunning(ctx context.Context, done <-chan error) error {
	after := 5
	for after > 0 {
		k.cmd = exec.Command(k.binary, "run", "--config", k.config)
		k.output.Reset()
		k.cmd.Stdout, k.cmd.Stderr = &k.output, &k.output
		if err := k.cmd.Start(); err != nil {
			return err
		}
		life := time.NewTimer(time.Duration(50+k.random.IntN(450)) * time.Millisecond)
		select {
		case <-life.C:
		case <-ctx.Done():
		}
		_ = k.cmd.Process.Kill()
		_ = k.cmd.Wait() // it was killed
		k.kills++
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if bytes.Contains(k.output.Bytes(), []byte("rowhook: ")) {
			return fmt.Errorf("the daemon gave up by itself:\n%s", k.tail())
		}
		select {
		case err := <-done:
			if err != nil {
				return err
			}
			done = nil
		default:
		}
		if done == nil {
			after--
		}
	}
	return nil
}
