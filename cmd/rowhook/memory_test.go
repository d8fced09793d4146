package main

import "testing"

// TestKeptHeap: the limit follows what stays in the heap and belongs to sites, not what comes and goes.
func TestKeptHeap(t *testing.T) {
	t.Parallel()
	const mb = 1 << 20
	var h keptHeap
	for i, c := range []struct {
		live  uint64 // in MB
		looks int
		sites uint64
		want  int64 // after them
	}{
		{60, 60, 0, 35},                       // a backlog of large payloads, from the start on, at a site that keeps next to nothing
		{10, 5, 1024, 55}, {10, 20, 1024, 55}, // small sites
		{200, keptFor - 1, 1024, 55}, {10, 1, 1024, 55}, // a large transaction
		{100, keptFor - 1, 1024, 55}, {100, 1, 1024, 235}, // many sites
		{300, keptFor, 1024, 355},                                  // and a backlog
		{400, 3, 1024, 355}, {60, 1, 1024, 155}, {10, 1, 1024, 55}, // most of them let go
		{100, keptFor, 192, 95}, // a backlog at some sites
	} {
		var got int64
		for range c.looks {
			got = h.limit(c.live*mb, c.sites)
		}
		if got != c.want*mb {
			t.Errorf("%d: limited to %d MB, want %d", i, got/mb, c.want)
		}
	}
}
