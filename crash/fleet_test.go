//go:build crash

package crash

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"rowhook/outbox/mysql"
)

// fleet is the machines that share an outbox, each with a daemon.
type fleet struct {
	*world
	machines []*machine
}

type machine struct {
	n      int  // its number
	only   bool // it delivers only
	config string
	binary string
	env    []string
	daemon *daemon
	off    bool
}

// onItsWay is how many requests may be on their way at a takeover, which come late then: those of two endpoints.
const onItsWay = 2 * 16

// trial is what befalls the machines, or what they share.
type trial struct {
	name  string
	times int
	// fault does it for the n-th time, and returns what takes it back once others have taken over.
	fault   func(f *fleet, n int) (heal func())
	most    time.Duration // what half of the takeovers may take
	patient bool          // nothing is hastened at the end
}

// fleet starts all the machines.
func (w *world) fleet(change ...func(m *machine)) *fleet {
	w.t.Helper()
	f := &fleet{world: w}
	for n, config := range append([]string{w.config}, w.others...) {
		m := &machine{n: n, only: n >= w.shared.machines-w.shared.workers, config: config, binary: binaries.daemon}
		for _, do := range change {
			do(m)
		}
		f.machines = append(f.machines, m)
		f.start(m)
	}
	return f
}

func (f *fleet) start(m *machine) {
	f.t.Helper()
	m.daemon, m.off = f.runAs(m.binary, m.config, m.env...), false
}

// kill ends a machine's daemon as a crash does.
func (f *fleet) kill(m *machine) {
	m.off = true
	m.daemon.kill()
}

// reader is the machine that follows the log: the one that began last.
func (f *fleet) reader() (r *machine) {
	f.t.Helper()
	var latest time.Time
	for _, m := range f.machines {
		if at := m.daemon.since(); !m.off && at.After(latest) {
			r, latest = m, at
		}
	}
	if r == nil {
		f.t.Fatal("no machine follows the log")
	}
	if r.only {
		f.t.Fatalf("machine %d follows the log, and is to deliver only\n%s", r.n, r.daemon.lastWords())
	}
	return r
}

// victim is whom a fault befalls: by turns the machine that follows the log, and each of the others; of two always that one.
func (f *fleet) victim(n int) *machine {
	f.t.Helper()
	r := f.reader()
	if len(f.machines) == 2 || n%len(f.machines) == 0 {
		return r
	}
	others := slices.DeleteFunc(slices.Clone(f.machines), func(m *machine) bool { return m == r })
	return others[n%len(f.machines)-1]
}

// flows waits until all receivers were told of something that is written from now on, and tells how long that took. No machine may
// end meanwhile that was not killed.
func (f *fleet) flows() time.Duration {
	f.t.Helper()
	began, from := time.Now(), f.writing.numbers.Load()
	look := time.NewTicker(10 * time.Millisecond)
	defer look.Stop()
	late := time.NewTimer(standstill)
	defer late.Stop()
	for {
		told, all := 0, f.receivers()
		for _, r := range all {
			r.look(func(l *ledger) {
				if l.newest > from {
					told++
				}
			})
		}
		if told == len(all) {
			return time.Since(began)
		}
		for _, m := range f.machines {
			select {
			case <-m.daemon.ended:
				if !m.off {
					f.t.Fatalf("machine %d ended: %s\n%s", m.n, m.daemon.cmd.ProcessState, m.daemon.lastWords())
				}
			default:
			}
		}
		select {
		case <-look.C:
		case <-late.C:
			f.t.Fatalf("%d of %d receivers hear of something new\n%s", told, len(all), f.lastWords())
		case <-f.ctx.Done():
			f.t.Fatal(f.ctx.Err())
		}
	}
}

// counted waits until the outbox knows of no other machines than those that run: one that was killed would be waited for at the next
// fault, too, which would be two at once. And each has a part of the endpoints by then, if there are enough: something to lose.
func (f *fleet) counted() {
	f.t.Helper()
	look := time.NewTicker(100 * time.Millisecond)
	defer look.Stop()
	late := time.NewTimer(standstill)
	defer late.Stop()
	for {
		ended, idle, err := f.known()
		if err == nil && ended == 0 && (idle == 0 || len(f.receivers()) < len(f.machines)) {
			return
		}
		select {
		case <-look.C:
		case <-late.C:
			f.t.Fatalf("%d machines are known that have ended, %d have no endpoints: %v\n%s", ended, idle, err, f.lastWords())
		case <-f.ctx.Done():
			f.t.Fatal(f.ctx.Err())
		}
	}
}

// known is what the outbox knows of machines: how many that have ended, for their names tell their processes, and how many of those
// that run have no endpoints.
func (f *fleet) known() (ended, idle int, err error) {
	log, err := mysql.OpenLog(f.ctx, f.shared.outbox())
	if err != nil {
		return 0, 0, err
	}
	defer log.Close()
	list, err := log.Machines(f.ctx)
	idle = len(f.machines)
	for _, known := range list {
		runs := slices.ContainsFunc(f.machines, func(m *machine) bool {
			return strings.Contains(known.Name, fmt.Sprintf("-%d-", m.daemon.cmd.Process.Pid))
		})
		switch {
		case !runs:
			ended++
		case len(known.Endpoints) > 0:
			idle--
		}
	}
	return ended, idle, err
}

func (f *fleet) lastWords() string {
	var b strings.Builder
	for _, m := range f.machines {
		fmt.Fprintf(&b, "machine %d:\n%s\n", m.n, m.daemon.lastWords())
	}
	return b.String()
}

// endure lets a fault happen again and again, and measures how long receivers hear nothing.
func (f *fleet) endure(trial trial) {
	f.t.Helper()
	times := trial.times * factor
	f.counted()
	for n := range times {
		f.moody(true)
		f.machines[0].daemon.outlived(f.ctx, f.upTo(time.Second))
		f.moody(false)
		f.flows() // also what a mood has paused
		heal := trial.fault(f, n)
		f.away = append(f.away, f.flows())
		if heal != nil {
			f.machines[0].daemon.outlived(f.ctx, f.upTo(time.Second/2))
			heal()
			f.flows()
			f.counted()
		}
	}
	f.t.Logf("%s: taken over after %v", trial.name, rounded(f.away))
	if slow := median(f.away); slow > time.Duration(factor)*trial.most {
		f.t.Errorf("half of the takeovers took %v or more, want %v", slow.Round(time.Millisecond), trial.most)
	}
	f.patient = trial.patient
	f.report(trial.name, times, f.settle())
	if f.t.Failed() {
		f.t.Logf("the machines' last words:\n%s", f.lastWords())
	}
}

// settle ends the load, lets the machines finish, and judges what was received.
func (f *fleet) settle() *findings {
	f.t.Helper()
	f.quiet()
	f.moody(false)
	reader := f.reader()
	if err := f.drain(reader.daemon); err != nil {
		f.t.Errorf("%v\n%s", err, f.lastWords())
	}
	for _, m := range f.machines {
		if m != reader {
			if err := m.daemon.stop(); err != nil {
				f.t.Errorf("machine %d: %v", m.n, err)
			}
		}
	}
	return f.finish(reader.daemon)
}

// try has machines share an outbox, and lets something happen to them.
func try(t *testing.T, s settings, trial trial, change ...func(m *machine)) {
	t.Helper()
	s.exact = true
	if s.every == 0 {
		s.every = 25 * time.Millisecond
	}
	w := newWorld(t, s)
	w.begin()
	w.fleet(change...).endure(trial)
}

func median(list []time.Duration) time.Duration {
	sorted := slices.Sorted(slices.Values(list))
	return sorted[len(sorted)/2]
}

func rounded(list []time.Duration) (out []time.Duration) {
	for _, d := range list {
		out = append(out, d.Round(10*time.Millisecond))
	}
	return out
}
