//go:build matrix

package dbtest

import (
	"testing"
	"time"
)

// TestCluster: whatever befalls a node, the others go on, and it comes back with all that was written meanwhile.
func TestCluster(t *testing.T) {
	t.Parallel()
	c := StartCluster(t)
	ctx := t.Context()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	c.Nodes[0].Exec(t, "CREATE DATABASE a; CREATE TABLE a.b (c INT PRIMARY KEY)")
	for n, f := range []struct {
		name        string
		leave, back func(n int) error
	}{
		{"killed, and back with its data", func(n int) error { return c.Nodes[n].Kill() }, func(n int) error { return c.Restart(ctx, n) }},
		{"killed, and replaced", func(n int) error { return c.Nodes[n].Kill() }, func(n int) error { return c.Replace(ctx, n) }},
		{"cut off", func(n int) error { return c.Isolate(ctx, n, true) }, func(n int) error { return c.Isolate(ctx, n, false) }},
	} {
		at, other := n%nodes, (n+1)%nodes
		began := time.Now()
		must(f.leave(at))
		c.Nodes[other].Exec(t, "INSERT INTO a.b VALUES (?)", n)
		must(c.Synced(ctx, nodes-1, other, (n+2)%nodes))
		stalled := time.Since(began)
		c.Nodes[other].Exec(t, "INSERT INTO a.b VALUES (?)", 100+n)
		must(f.back(at))
		must(c.Synced(ctx, nodes, 0, 1, 2))
		t.Logf("%s: %v until the others go on, %v in all", f.name, stalled.Round(time.Millisecond), time.Since(began).Round(time.Millisecond))
		var count int
		if err := c.Nodes[at].DB(t, "a").QueryRowContext(ctx, "SELECT count(*) FROM b").Scan(&count); err != nil || count != 2*(n+1) {
			t.Errorf("%s: it has %d rows, want %d: %v", f.name, count, 2*(n+1), err)
		}
	}
}
