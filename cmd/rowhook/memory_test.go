package main

import "testing"

// TestKeptHeap: the limit follows what stays in the heap, not what comes and goes.
func TestKeptHeap(t *testing.T) {
	t.Parallel()
	const mb = 1 << 20
	var h keptHeap
	for i, c := range []struct {
		live  uint64 // in MB
		looks int
		want  int64 // after them
	}{
		{10, 5, 36}, {10, 20, 36}, // a few sites
		{200, keptFor - 1, 36}, {10, 1, 36}, // a large transaction
		{100, keptFor - 1, 36}, {100, 1, 204}, // many sites
		{400, 3, 204}, {60, 1, 124}, {10, 1, 36}, // most of them let go
	} {
		var got int64
		for range c.looks {
			got = h.limit(c.live * mb)
		}
		if got != c.want*mb {
			t.Errorf("%d: limited to %d MB, want %d", i, got/mb, c.want)
		}
	}
}
