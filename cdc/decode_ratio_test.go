//go:build bench

package cdc

import (
	"runtime"
	"slices"
	"syscall"
	"testing"
	"time"
)

// TestDecodeRatio compares the CPU time, garbage collection included, of decoding rows of a table with sixty columns into
// changes with that of go-mysql's own row decode, by turns. Without metadata go-mysql reads the types again for each
// row, which is worse; the target is about the better of the two.
func TestDecodeRatio(t *testing.T) {
	const rounds, times, most = 9, 1500, 0.5
	events := capturedEvents(t, "testdata/wide.binlog")
	ours, full, bare := rowhookDecoder(t, events), goMySQLDecoder(t, events, nil), goMySQLDecoder(t, events, func([]byte) error { return nil })
	var toFull, toBare []float64
	for range rounds {
		cpu := cpuOf(t, ours, times)
		toFull = append(toFull, cpu/cpuOf(t, full, times))
		toBare = append(toBare, cpu/cpuOf(t, bare, times))
	}
	slices.Sort(toFull)
	slices.Sort(toBare)
	better := max(toFull[rounds/2], toBare[rounds/2])
	t.Logf("rows of 60 columns, rowhook / go-mysql, CPU: median %.2fx (%.2f to %.2f) with the metadata, %.2fx (%.2f to %.2f) without, at most %.2fx is the target",
		toFull[rounds/2], toFull[0], toFull[rounds-1], toBare[rounds/2], toBare[0], toBare[rounds-1], most)
	if better > most {
		t.Errorf("the target is missed: %.2fx", better)
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
