//go:build crash

package crash

import (
	"syscall"
	"testing"
	"time"
)

// TestServerCrash kills the database server, which the daemon and the writers then wait for, under load.
func TestServerCrash(t *testing.T) {
	t.Parallel()
	w := newWorld(t, settings{exact: true, every: 30 * time.Millisecond, server: []string{
		"--sync-binlog=1", "--innodb-flush-log-at-trx-commit=1", // else its log and its tables differ after the kill
	}})
	w.begin()
	d := w.run(binaries.daemon)
	d.isReady(t)
	kills := 4 * factor
	for n := range kills {
		d.outlived(w.ctx, 2*time.Second)
		if err := w.server.Kill(); err != nil {
			t.Fatal(err)
		}
		if n%2 == 1 { // the daemon meets a server that is away when it starts
			d.kill()
			d = w.run(binaries.daemon)
			d.outlived(w.ctx, time.Second)
		}
		if err := w.server.Restart(w.ctx); err != nil {
			t.Fatal(err)
		}
		d.isReady(t)
	}
	d.outlived(w.ctx, time.Second)
	w.quiet()
	w.moody(false)
	w.report("SIGKILL of the database server", kills, w.finish(d))
}

// TestStoppedCrash freezes the daemon for half a minute under load, longer than its requests and the server's patience for
// its heartbeats may take, and lets it go on.
func TestStoppedCrash(t *testing.T) {
	t.Parallel()
	w := newWorld(t, settings{exact: true, every: 50 * time.Millisecond})
	w.begin()
	d := w.run(binaries.daemon)
	d.isReady(t)
	d.outlived(w.ctx, time.Second)
	for range factor {
		d.signal(syscall.SIGSTOP)
		d.outlived(w.ctx, 30*time.Second)
		d.signal(syscall.SIGCONT)
		d.outlived(w.ctx, 2*time.Second)
	}
	w.quiet()
	w.moody(false)
	w.report("SIGSTOP for 30 s, SIGCONT", factor, w.finish(d))
}
