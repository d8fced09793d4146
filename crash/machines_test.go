//go:build crash

package crash

import (
	"syscall"
	"testing"
	"time"

	"rowhook/dbtest"
)

// What befalls machines that share an outbox. Whatever it is, receivers hear of everything, once, under its id, in order, and soon.

// mostAway is what half of the takeovers may take on one server, until receivers hear of what was written since: the lease, and something
// for a machine on which other tests run. The table tells what it was.
const mostAway = singleLease + 2*time.Second

// six has two machines that may follow the log and four that deliver only share twelve endpoints, so that each has some.
func six(place func(machines int) func(*world) *shared) settings {
	return settings{shared: withWorkers(4, place(6)), mirrors: 11, every: 250 * time.Millisecond}
}

// TestMachinesCrash has machines share an outbox on one server.
func TestMachinesCrash(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		settings settings
		trial    trial
	}{
		"killed, the site's server": {six(onSite), trial{times: 6, fault: killed, most: mostAway}},
		"frozen, the site's server": {settings{shared: onSite(2)}, trial{times: 3, fault: frozen, most: mostAway}},
		"killed, another server":    {settings{shared: onOther(3)}, trial{times: 3, fault: killed, most: mostAway}},
		"frozen, another server":    {six(onOther), trial{times: 6, fault: frozen, most: mostAway}},
		"cut off":                   {six(farAway), trial{times: 6, fault: cutOff, most: mostAway}},
		"connection cut in COMMIT":  {settings{shared: proxied(2)}, trial{times: 10, fault: cutInCommit, most: time.Second}},
		"primary replaced":          {settings{shared: replicated(2, 2)}, trial{times: 2, fault: replaced, most: mostAway}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c.trial.name = "machines: " + name
			try(t, c.settings, c.trial)
		})
	}
}

// TestClusterCrash has two machines share an outbox on a Galera cluster.
func TestClusterCrash(t *testing.T) {
	t.Parallel()
	c := dbtest.StartCluster(t, "--log-warnings=0", "--innodb-flush-log-at-trx-commit=1")
	const clusterAway = clusterLease + 3*time.Second
	node := func(leave, back func(n int) error) func(f *fleet, _ int) func() {
		return func(f *fleet, _ int) func() {
			at := f.nodeOf(f.reader().n)
			if err := leave(at); err != nil {
				f.t.Fatal(err)
			}
			return func() {
				if err := back(at); err != nil {
					f.t.Fatal(err)
				}
				if err := c.Synced(f.ctx, len(c.Nodes), 0, 1, 2); err != nil {
					f.t.Fatal(err)
				}
			}
		}
	}
	for _, trial := range []trial{
		{name: "node killed", fault: node(func(n int) error { return c.Nodes[n].Kill() }, func(n int) error { return c.Restart(t.Context(), n) }), most: clusterAway},
		{name: "node frozen", fault: node(func(n int) error { return c.Nodes[n].Freeze() }, func(n int) error { return c.Nodes[n].Thaw() }), most: clusterAway},
		{name: "node cut off", fault: node(func(n int) error { return c.Isolate(t.Context(), n, true) }, func(n int) error { return c.Isolate(t.Context(), n, false) }), most: clusterAway},
		{name: "machine killed", fault: killed, most: clusterAway},
		{name: "machine frozen", fault: frozen, most: clusterAway},
	} {
		t.Run(trial.name, func(t *testing.T) {
			trial.name, trial.times = "Galera: "+trial.name, 1
			try(t, settings{shared: onCluster(c, 2)}, trial)
		})
	}
}

// killed ends a machine's daemon, and starts it again later.
func killed(f *fleet, n int) (heal func()) {
	m := f.victim(n)
	f.kill(m)
	return func() { f.start(m) }
}

// frozen stops one for longer than its lease, and wakes it up while others are at work: it must notice.
func frozen(f *fleet, n int) (heal func()) {
	m, until := f.victim(n), time.Now().Add(f.shared.lease+time.Second)
	m.daemon.signal(syscall.SIGSTOP)
	return func() {
		m.daemon.outlived(f.ctx, time.Until(until))
		m.daemon.signal(syscall.SIGCONT)
	}
}

// cutOff loses all that a machine and the outbox send each other. It still reaches the site's server, and the receivers.
func cutOff(f *fleet, n int) (heal func()) {
	line := f.shared.lines[f.victim(n).n]
	line.Lose(f.t)
	return func() { line.Find(f.t) }
}

// cutInCommit cuts a connection while a commit is on its way, or its answer.
func cutInCommit(f *fleet, n int) (heal func()) {
	met := f.shared.proxies[f.reader().n].Cut("COMMIT", n%2 == 1)
	select {
	case <-met:
	case <-time.After(standstill):
		f.t.Fatalf("nothing is committed\n%s", f.lastWords())
	}
	return nil
}

// replaced ends the primary, and has a replica take its place that lacks the last commits, of which receivers have heard. The second time
// the machine that follows the log goes with it.
func replaced(f *fleet, n int) (heal func()) {
	old, next, rest := f.shared.servers[n], f.shared.servers[n+1], f.shared.servers[n+2:]
	for _, r := range rest { // before the next one, which must not have less
		r.Exec(f.t, "STOP SLAVE")
	}
	next.Exec(f.t, "STOP SLAVE")
	for lacks := int64(0); lacks < 20; lacks = commits(f, old) - commits(f, next) {
		f.flows()
	}
	if n%2 == 1 {
		m := f.reader()
		f.kill(m)
		heal = func() { f.start(m) }
	}
	if err := old.Kill(); err != nil {
		f.t.Fatal(err)
	}
	next.Exec(f.t, "RESET SLAVE ALL; SET GLOBAL read_only = 0")
	for _, r := range rest {
		replicate(f.t, r, next)
	}
	return heal
}

// commits is how many transactions an outbox has, by what a server knows.
func commits(f *fleet, s *dbtest.Server) (n int64) {
	f.t.Helper()
	db, err := s.Open("rowhook")
	if err != nil {
		f.t.Fatal(err)
	}
	defer db.Close()
	if err := db.QueryRowContext(f.ctx, "SELECT seq FROM state").Scan(&n); err != nil {
		f.t.Fatal(err)
	}
	return n
}
