//go:build crash

package crash

import (
	"testing"
	"time"
)

// loadTime is how long the writers write while the daemon is killed.
const loadTime = 25 * time.Second

// TestRandomCrash kills the daemon at random instants.
func TestRandomCrash(t *testing.T) {
	t.Parallel()
	for name, s := range map[string]settings{
		"coalesce 0":     {exact: true, every: 25 * time.Millisecond},
		"coalesce 500ms": {every: 25 * time.Millisecond},
		"large texts":    {every: 200 * time.Millisecond, large: 8},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, s)
			w.begin()
			done := make(chan struct{})
			time.AfterFunc(longer(loadTime), func() { close(done) })
			kills := w.lives(binaries.daemon, done, 50*time.Millisecond, 600*time.Millisecond)
			w.report("SIGKILL at random, "+name, kills, w.settle())
		})
	}
}
