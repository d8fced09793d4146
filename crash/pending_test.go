//go:build crash

package crash

import (
	"encoding/binary"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"rowhook/dbtest"
	"rowhook/outbox"
	"rowhook/outbox/sqlite"
)

// A start with a million deliveries that wait.
const (
	pending        = 1_000_000
	pendingObjects = 20_000
	pendingKills   = 4
	pendingStart   = 3 * time.Second // of the processor's time, until the first one leaves
	pendingMemory  = 96              // MB resident
)

// TestPendingCrash starts the daemon on an outbox where a million deliveries wait, as after a long outage, and kills it
// now and then while they leave: the first leaves soon, memory stays small, and nothing is lost or overtakes another. It
// keeps all processors busy, so no other world runs beside it.
func TestPendingCrash(t *testing.T) {
	w, taker := newWorld(t, settings{exact: true}), newTaker(pending)
	url := taker.listen(t)
	var ruleLines strings.Builder
	for n := range pendingRules {
		fmt.Fprintf(&ruleLines, "  - {name: %s, action: appointment.save, load: full, url: %q}\n", pendingRule(n), url)
	}
	if err := os.WriteFile(filepath.Join(filepath.Dir(w.config), "rules.yaml"), []byte("rules:\n"+ruleLines.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	w.fillOutbox()
	most := 0
	for kill := range pendingKills {
		began := time.Now()
		d := w.run(binaries.daemon)
		w.await(d, taker, taker.count()+1)
		used := processorTime(t, d)
		t.Logf("start %d: the first one left after %v and %v of the processor's time", kill, time.Since(began).Round(time.Millisecond), used)
		if used > pendingStart {
			t.Errorf("the first one did not leave before %v of the processor's time were used", used)
		}
		w.await(d, taker, pending*kill/pendingKills+w.random.IntN(pending/pendingKills))
		most = max(most, peakMemory(t, d))
		d.kill()
	}
	d := w.run(binaries.daemon)
	w.await(d, taker, pending)
	if err := w.drain(d); err != nil {
		t.Errorf("%v\n%s", err, d.lastWords())
	}
	most = max(most, peakMemory(t, d))
	if err := d.stop(); err != nil {
		t.Error(err)
	}
	if n, err := w.undelivered(); n > 0 || err != nil {
		t.Errorf("%d are not delivered: %v", n, err)
	}
	if most > pendingMemory {
		t.Errorf("%d MB resident, want %d at most", most, pendingMemory)
	}
	t.Logf("%d MB resident at most", most)
	w.report("1,000,000 pending at start, SIGKILL", pendingKills, taker.judge())
}

// await waits until n deliveries were taken.
func (w *world) await(d *daemon, k *taker, n int) {
	w.t.Helper()
	look := time.NewTicker(20 * time.Millisecond)
	defer look.Stop()
	for p := newPatience(n); k.count() < n; {
		if err := p.look(n - k.count()); err != nil {
			w.t.Fatalf("%v:\n%s", err, d.lastWords())
		}
		select {
		case <-look.C:
		case <-d.ended:
			w.t.Fatalf("the daemon ended:\n%s", d.lastWords())
		case <-w.ctx.Done():
			w.t.Fatal(w.ctx.Err())
		}
	}
}

const pendingRules = 2

func pendingRule(n int) string { return fmt.Sprintf("pending-%d", n%pendingRules) }

func pendingID(n int) (id outbox.ID) {
	binary.BigEndian.PutUint64(id[:], uint64(n))
	return id
}

// fillOutbox makes the outbox what it is when an endpoint was down for long: the older half is parked.
func (w *world) fillOutbox() {
	w.t.Helper()
	d := w.run(binaries.daemon) // its first start makes the outbox
	d.isReady(w.t)
	if err := d.stop(); err != nil {
		w.t.Fatal(err)
	}
	store, err := sqlite.Open(w.ctx, w.state, slog.New(slog.DiscardHandler))
	if err != nil {
		w.t.Fatal(err)
	}
	const atOnce = 4000 // what an outbox takes
	for from := 0; from < pending; from += atOnce {
		b, parked := &outbox.Batch{}, []outbox.Outcome(nil)
		for n := from; n < from+atOnce; n++ {
			b.Deliveries = append(b.Deliveries, &outbox.Delivery{
				ID: pendingID(n), Rule: pendingRule(n), Site: "salon", Action: "onAfterSaveReservation", Kind: "appointment.save",
				Keys: []string{fmt.Sprintf("salon/appointment/%d", n%pendingObjects)}, Created: time.Now(), Body: fmt.Appendf(nil, `{"n":%d}`, n),
			})
		}
		if err := store.Commit(w.ctx, b); err != nil {
			w.t.Fatal(err)
		}
		for _, d := range b.Deliveries {
			parked = append(parked, outbox.Outcome{Seq: d.Seq, State: outbox.Waiting, Due: d.Created})
		}
		if from < pending/2 {
			if err := store.Settle(w.ctx, parked); err != nil {
				w.t.Fatal(err)
			}
		}
	}
	if err := store.Close(); err != nil {
		w.t.Fatal(err)
	}
}

var peak = regexp.MustCompile(`VmHWM:\s+(\d+) kB`)

// peakMemory is the most that a daemon had resident, in MB.
func peakMemory(t *testing.T, d *daemon) int {
	t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", d.cmd.Process.Pid))
	if err != nil {
		t.Fatal(err)
	}
	found := peak.FindSubmatch(text)
	if found == nil {
		t.Fatalf("no peak in %s", text)
	}
	kilobytes, err := strconv.Atoi(string(found[1]))
	if err != nil {
		t.Fatal(err)
	}
	return kilobytes / 1024
}

// processorTime is how much time of the processor a daemon has used, which does not depend on what else runs.
func processorTime(t *testing.T, d *daemon) time.Duration {
	t.Helper()
	u, err := dbtest.UsageOf(d.cmd.Process.Pid)
	if err != nil {
		t.Fatal(err)
	}
	return u.CPU
}
