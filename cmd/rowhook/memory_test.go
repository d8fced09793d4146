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
		{60, 1, 1, 36}, {60, 60, 1, 36}, // a backlog of large payloads, from the start on
		{10, 5, 1, 36}, {10, 20, 1, 36}, // a few sites
		{200, keptFor - 1, 1024, 36}, {10, 1, 1024, 36}, // a large transaction
		{100, keptFor - 1, 1024, 36}, {100, 1, 1024, 204}, // many sites
		{300, keptFor, 1024, 324},                                  // and a backlog
		{400, 3, 1024, 324}, {60, 1, 1024, 124}, {10, 1, 1024, 36}, // most of them let go
		{100, keptFor, 192, 64}, // a backlog at some sites
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
