//go:build bench

package rowcodec

import (
	"runtime"
	"slices"
	"syscall"
	"testing"
	"time"

	"rowhook/cdc/cdctest"
)

// TestDecodeRatio compares the CPU time, garbage collection included, of decoding rows of a table with sixty columns into
// changes with that of go-mysql's own row decode, by turns. The target is about go-mysql as it comes. When it is told to
// leave out the table map's metadata it is quicker, for it does not look for the signs of numbers; the ratio to that is
// told too.
func TestDecodeRatio(t *testing.T) {
	const rounds, times, most = 9, 1500, 0.5
	events := cdctest.ReadEvents(t, "testdata/wide.binlog")
	ours, whole, less := rowhookDecoder(t, events), goMySQLDecoder(t, events, nil), goMySQLDecoder(t, events, func([]byte) error { return nil })
	var toWhole, toLess []float64
	for range rounds {
		cpu := cpuOf(t, ours, times)
		toWhole = append(toWhole, cpu/cpuOf(t, whole, times))
		toLess = append(toLess, cpu/cpuOf(t, less, times))
	}
	slices.Sort(toWhole)
	slices.Sort(toLess)
	ratio := toWhole[rounds/2]
	t.Logf("rows of 60 columns, rowhook / go-mysql, CPU: median %.2fx of %d rounds (%.2f to %.2f), at most %.2fx is the target; without metadata %.2fx (%.2f to %.2f)",
		ratio, rounds, toWhole[0], toWhole[rounds-1], most, toLess[rounds/2], toLess[0], toLess[rounds-1])
	if ratio > most {
		t.Errorf("the target is missed: %.2fx", ratio)
	}
}

// cpuOf is the CPU time that this process needs to decode, in seconds.
func cpuOf(t *testing.T, decode func(testing.TB), times int) float64 {
	t.Helper()
	runtime.GC()
	before := cpu(t)
	for range times {
		decode(t)
	}
	runtime.GC()
	return (cpu(t) - before).Seconds()
}

func cpu(t *testing.T) time.Duration {
	t.Helper()
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		t.Fatal(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}
