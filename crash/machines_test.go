//go:build crash

package crash

import (
	"fmt"
	"slices"
	"syscall"
	"testing"
	"time"

	"rowhook/dbtest"
)

// What two machines do that share an outbox.
const (
	outboxUser  = "rowhook_outbox"
	sharedLease = 2 * time.Second
	leastTurns  = 6 // takeovers that prove something
	// mostAway is how long a machine may be silent until another one follows the log: the lease, a look at it, and the start.
	// A busy machine takes longer for all of it.
	mostAway = sharedLease + 3*time.Second
)

// shareOutbox makes the schema of the outbox on its server, and returns what configurations say of it.
func (w *world) shareOutbox() string {
	w.t.Helper()
	w.shared.Exec(w.t, "CREATE DATABASE rowhook")
	w.shared.CreateUser(w.t, outboxUser, "secret", "ALL PRIVILEGES ON rowhook.*")
	return fmt.Sprintf("outbox: {mysql: {addresses: [%q], user: %s, password: secret, lease: %v}}\n", w.shared.Address(), outboxUser, sharedLease)
}

// TestMachinesCrash has two machines share an outbox, on the site's own server and on another one. The one that works is killed, or frozen
// for longer than its lease and woken up again: the other goes on in time, and nothing is lost, changed or out of order.
func TestMachinesCrash(t *testing.T) {
	t.Parallel()
	for name, shared := range map[string]func(*world) *dbtest.Server{
		"the site's server": func(w *world) *dbtest.Server { return w.server },
		"another server":    func(w *world) *dbtest.Server { return dbtest.Start(w.t, "--log-warnings=0") },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, settings{exact: true, every: 25 * time.Millisecond, shared: shared})
			w.begin()
			turns, away := w.turns()
			slices.Sort(away)
			t.Logf("takeovers: %v at the median, %v at most", away[len(away)/2].Round(time.Millisecond), away[len(away)-1].Round(time.Millisecond))
			if median := away[len(away)/2]; median > time.Duration(factor)*mostAway {
				t.Errorf("half of the takeovers took longer than %v", median)
			}
			w.report("two machines, "+name, turns, w.settle())
		})
	}
}

// turns has the machines work in turns, each until it is killed or frozen, and tells how long nobody worked.
func (w *world) turns() (turns int, away []time.Duration) {
	w.t.Helper()
	working, other := w.config, w.standby
	active := w.runAs(binaries.daemon, working)
	active.isReady(w.t)
	next := w.runAs(binaries.daemon, other)
	var frozen *daemon
	for ; turns < leastTurns; turns++ {
		active.outlived(w.ctx, 500*time.Millisecond+w.upTo(2*time.Second))
		began := time.Now()
		if turns%2 == 0 {
			active.kill()
		} else {
			active.signal(syscall.SIGSTOP)
			frozen = active
		}
		next.isReady(w.t)
		away = append(away, time.Since(began))
		if frozen != nil { // it wakes up while the other is at work, and must notice
			next.outlived(w.ctx, w.upTo(time.Second))
			frozen.signal(syscall.SIGCONT)
			next.outlived(w.ctx, 500*time.Millisecond)
			frozen.kill()
			frozen = nil
		}
		active, working, other = next, other, working
		next = w.runAs(binaries.daemon, other)
	}
	next.kill()
	active.kill()
	return turns, away
}
