package main

import (
	"context"
	"os"
	"runtime/debug"
	"runtime/metrics"
	"slices"
	"sync/atomic"
	"time"
)

// Garbage waits while there is little of it, for collecting costs more than it is worth then, and is collected in time when there
// is more: that is a limit. But what is kept grows with the sites, a few kilobytes for each table, and a limit that is close to what
// is kept has the collector work without end. So the limit follows it. What comes and goes does not raise it: neither a large row or
// transaction, nor payloads on their way, of which a backlog has many for as long as it lasts. So no more counts as kept than the
// sites can have.
const (
	growth     = 300      // percent
	leastLimit = 35 << 20 // bytes, of which 64 MB resident are made, with the program and SQLite
	ofKept     = 2        // the limit grows by so much of what is kept: then collecting costs an event as much as with one site
	lookAtHeap = time.Second
	keptFor    = 10        // looks that something is in the heap, until it counts as kept
	ofASite    = 160 << 10 // bytes, twice what the thirteen tables of one were measured to take
)

// memoryLimit is how much memory the process is to take, by how many sites there are.
type memoryLimit struct{ sites atomic.Int64 }

// keep keeps the limit until ctx ends. GOGC and GOMEMLIMIT of the environment win.
func (m *memoryLimit) keep(ctx context.Context) {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(growth)
	}
	if os.Getenv("GOMEMLIMIT") != "" {
		return
	}
	debug.SetMemoryLimit(leastLimit)
	again := time.NewTicker(lookAtHeap)
	defer again.Stop()
	sample := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	var heap keptHeap
	for {
		select {
		case <-ctx.Done():
			return
		case <-again.C:
		}
		metrics.Read(sample)
		debug.SetMemoryLimit(heap.limit(sample[0].Value.Uint64(), uint64(m.sites.Load())))
	}
}

// keptHeap is what the last collections left.
type keptHeap struct {
	live  [keptFor]uint64 // in bytes, as of the last looks
	looks int
}

// limit takes in what the last collection left, and returns what memory is to be limited to.
func (h *keptHeap) limit(live, sites uint64) int64 {
	h.live[h.looks%keptFor] = live
	h.looks++
	kept := min(slices.Min(h.live[:min(h.looks, keptFor)]), sites*ofASite)
	return int64(leastLimit + ofKept*kept)
}
