//go:build crash

// Package crash lets rowhook fail in every way that a machine, a database and a receiver fail, under load, and compares
// what was received with what was committed. `make crash` runs it; CRASH_FACTOR=20 takes that many times as long.
package crash

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"testing"
	"text/tabwriter"
	"time"
)

// factor makes everything longer.
var factor = func() int {
	n, err := strconv.Atoi(os.Getenv("CRASH_FACTOR"))
	if err != nil || n < 1 {
		return 1
	}
	return n
}()

// longer is a time, made longer; with -short it is a third.
func longer(d time.Duration) time.Duration {
	if testing.Short() {
		return d / 3
	}
	return time.Duration(factor) * d
}

// binaries are the daemon as it is shipped, and one whose files fail on wish.
var binaries struct{ daemon, faulty string }

func TestMain(m *testing.M) { os.Exit(testMain(m)) }

func testMain(m *testing.M) int {
	dir, err := os.MkdirTemp("", "crash-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	binaries.daemon, binaries.faulty = filepath.Join(dir, "rowhook"), filepath.Join(dir, "rowhook-faulty")
	for _, args := range [][]string{{"-o", binaries.daemon}, {"-o", binaries.faulty, "-tags", "crash"}} {
		out, err := exec.Command("go", append(append([]string{"build"}, args...), "../cmd/rowhook")...).CombinedOutput()
		if err != nil {
			fmt.Fprintf(os.Stderr, "building rowhook: %v\n%s", err, out)
			return 1
		}
	}
	code := m.Run()
	faults.print()
	return code
}

// faults is the table of what was done to the daemon and what came of it.
var faults faultTable

type faultTable struct {
	mu   sync.Mutex
	rows []faultRow
}

type faultRow struct {
	fault string
	times int
	found findings
	away  []time.Duration // until another machine had taken over
}

func (f *faultTable) add(fault string, times int, found *findings, away []time.Duration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.rows = append(f.rows, faultRow{fault, times, *found, away})
}

func (f *faultTable) print() {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.rows) == 0 {
		return
	}
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "FAULT\ttimes\tlost\trepeated\tchanged ids\tswallowed\tout of order\tlate\tmisnumbered\tinvented\tshadow\ttaken over: median, at most")
	for _, r := range f.rows {
		o := r.found
		fmt.Fprintf(w, "%s\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t%s\n",
			r.fault, r.times, o.lost, o.repeats, o.changed+o.reused, o.swallowed, o.disordered, o.late, o.misnumbered, o.invented, o.shadow, takenOver(r.away))
	}
	_ = w.Flush() // to standard output
}

// takenOver says how long takeovers took: the median, and the longest.
func takenOver(away []time.Duration) string {
	if len(away) == 0 {
		return ""
	}
	return fmt.Sprintf("%.1f s, %.1f s", median(away).Seconds(), slices.Max(away).Seconds())
}
