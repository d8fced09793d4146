//go:build crash

package crash

import (
	"encoding/binary"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"rowhook/outbox"
	"rowhook/outbox/sqlite"
)

// A start with a million deliveries that wait.
const (
	pending        = 1_000_000
	pendingObjects = 20_000
	pendingKills   = 4
	pendingStart   = 20 * time.Second // until the first one leaves, on a busy machine
	pendingMemory  = 96               // MB resident
)

// TestPendingCrash starts the daemon on an outbox where a million deliveries wait, as after a long outage, and kills it
// now and then while they leave: the first leaves soon, memory stays small, and nothing is lost or overtakes another.
func TestPendingCrash(t *testing.T) {
	t.Parallel()
	w, taker := newWorld(t, settings{exact: true}), newTaker(pending)
	server := httptest.NewServer(taker)
	t.Cleanup(server.Close)
	var ruleLines strings.Builder
	for n := range pendingRules {
		fmt.Fprintf(&ruleLines, "  - {name: %s, action: appointment.save, load: full, url: %q}\n", pendingRule(n), server.URL)
	}
	if err := os.WriteFile(filepath.Join(filepath.Dir(w.config), "rules.yaml"), []byte("rules:\n"+ruleLines.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	w.fillOutbox()
	most := 0
	for kill := range pendingKills {
		began := time.Now()
		d := w.run(binaries.daemon)
		w.await(d, taker.reach(1, true), pendingStart)
		t.Logf("start %d: the first one left after %v", kill, time.Since(began).Round(time.Millisecond))
		w.await(d, taker.reach(pending*kill/pendingKills+rand.IntN(pending/pendingKills), false), drainTime*2)
		most = max(most, peakMemory(t, d))
		d.kill()
	}
	d := w.run(binaries.daemon)
	w.await(d, taker.reach(pending, false), drainTime*2)
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

// await waits for something while the daemon runs.
func (w *world) await(d *daemon, done <-chan struct{}, patience time.Duration) {
	w.t.Helper()
	select {
	case <-done:
	case <-d.ended:
		w.t.Fatalf("the daemon ended:\n%s", d.lastWords())
	case <-time.After(time.Duration(factor) * patience):
		w.t.Fatalf("not within %v:\n%s", patience, d.lastWords())
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
	const atOnce = 5000
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

// taker is a receiver of numbered deliveries that keeps a bit of each.
type taker struct {
	mu      sync.Mutex
	taken   []bool
	newest  map[int]int // by object
	got     int         // different ones
	found   findings
	want    int
	reached chan struct{} // closed when that many were taken
}

func newTaker(n int) *taker { return &taker{taken: make([]bool, n), newest: map[int]int{}} }

// reach returns what is closed when n are taken: from now on, or of all.
func (k *taker) reach(n int, more bool) <-chan struct{} {
	k.mu.Lock()
	defer k.mu.Unlock()
	if more {
		n += k.got
	}
	k.want, k.reached = n, make(chan struct{})
	k.tell()
	return k.reached
}

// tell closes reached when it is. mu is held.
func (k *taker) tell() {
	if k.reached != nil && k.got >= k.want {
		close(k.reached)
		k.reached = nil
	}
}

// ServeHTTP is http.Handler.
func (k *taker) ServeHTTP(w http.ResponseWriter, q *http.Request) {
	body, err := io.ReadAll(q.Body)
	if err != nil {
		panic(http.ErrAbortHandler) // the sender was killed
	}
	k.take(q.Header.Get("webhook-id"), string(body))
	w.WriteHeader(http.StatusNoContent)
}

func (k *taker) take(id, body string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	n, err := strconv.Atoi(strings.TrimSuffix(strings.TrimPrefix(body, `{"n":`), "}"))
	switch {
	case err != nil || n < 0 || n >= len(k.taken):
		k.found.invented++
		return
	case id != pendingID(n).String():
		k.found.changed++
		return
	case k.taken[n]:
		k.found.repeats++
		return
	}
	k.taken[n] = true
	k.got++
	if before, known := k.newest[n%pendingObjects]; known && n < before {
		k.found.disordered++
	}
	k.newest[n%pendingObjects] = max(n, k.newest[n%pendingObjects])
	k.tell()
}

func (k *taker) judge() *findings {
	k.mu.Lock()
	defer k.mu.Unlock()
	f := k.found
	for _, taken := range k.taken {
		if !taken {
			f.lost++
		}
	}
	return &f
}

func TestTakerCrash(t *testing.T) {
	t.Parallel()
	const other = pendingObjects // of the same object as 0
	for name, c := range map[string]struct {
		told []int
		body string // comes under the first id
		want findings
	}{
		"all is well":  {told: []int{0, other}, want: findings{lost: other - 1}},
		"one is lost":  {told: []int{other}, want: findings{lost: other}},
		"a repeat":     {told: []int{0, other, 0}, want: findings{lost: other - 1, repeats: 1}},
		"an overtaker": {told: []int{other, 0}, want: findings{lost: other - 1, disordered: 1}},
		"another id":   {told: []int{0, other}, body: `{"n":1}`, want: findings{lost: other - 1, changed: 1}},
		"invented":     {told: []int{0, other}, body: `{"n":99999999}`, want: findings{lost: other - 1, invented: 1}},
	} {
		k := newTaker(other + 1)
		for _, n := range c.told {
			k.take(pendingID(n).String(), fmt.Sprintf(`{"n":%d}`, n))
		}
		if c.body != "" {
			k.take(pendingID(0).String(), c.body)
		}
		if got := k.judge(); got.String() != c.want.String() {
			t.Errorf("%s: found %s\nwant %s", name, got, &c.want)
		}
	}
}
