//go:build crash

package crash

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/ncruces/go-sqlite3"

	"rowhook/outbox/sqlite/fault"
)

// cuts is how often the power is cut: half of them before a change of a file, the other half at random instants.
const cuts = 50

// TestPowerCrash cuts the power: what was not synced is dropped, wholly or in parts, in any order.
func TestPowerCrash(t *testing.T) {
	t.Parallel()
	for name, exact := range map[string]bool{"coalesce 0": true, "coalesce 500ms": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, settings{exact: exact, every: 40 * time.Millisecond, padding: 3000, more: "keep: {age: 0s}\n"})
			w.begin()
			for n := range cuts / 2 * factor {
				if _, hit := w.point("power", []string{"any", "any", "db", "sync"}[n%4], 1+w.random.IntN(120)); !hit {
					t.Log("a life ended without its power cut")
				}
				w.cut()
			}
			w.report("power cut, "+name, cuts*factor, w.settle())
		})
	}
}

// cut runs the daemon for a while and cuts the power.
func (w *world) cut() {
	w.t.Helper()
	d := w.run(binaries.faulty, fmt.Sprintf("%s=power signal 0 %d", fault.Variable, w.random.Uint64()))
	if !d.outlived(w.ctx, 50*time.Millisecond+w.upTo(600*time.Millisecond)) {
		w.t.Fatalf("the daemon ended:\n%s", d.lastWords())
	}
	for w.ctx.Err() == nil { // until it has begun to listen for it
		d.signal(syscall.SIGUSR1)
		if !d.outlived(w.ctx, 100*time.Millisecond) {
			break
		}
	}
	if err := d.gaveUp(); err != nil {
		w.t.Fatal(err)
	}
	w.afterCut()
	if d.fault() == "" && strings.Contains(d.words(), following) {
		w.t.Fatalf("the power was not cut:\n%s", d.lastWords())
	}
}

// afterCut lets the files be what a power cut left of them. What they were before stays beside the test's files, and when the
// test fails it is kept: who looks for the reason wants the last cut, and no daemon to have changed it.
func (w *world) afterCut() {
	w.t.Helper()
	if w.lastCut == "" {
		w.lastCut = filepath.Join(w.t.TempDir(), "cut")
		w.t.Cleanup(w.keepCut)
	}
	if err := os.RemoveAll(w.lastCut); err != nil {
		w.t.Fatal(err)
	}
	w.copyAll(w.state, w.lastCut)
	if err := fault.AfterCut(w.state); err != nil {
		w.t.Fatal(err)
	}
	if err := isWhole(filepath.Join(w.state, "outbox.db")); err != nil {
		w.t.Fatalf("after a power cut: %v", err)
	}
}

// isWhole is what SQLite finds wrong in a file, also where nobody would read. It changes nothing of it.
func isWhole(path string) error {
	c, err := sqlite3.OpenFlags("file:"+path, sqlite3.OPEN_READONLY|sqlite3.OPEN_URI)
	if err != nil {
		return err
	}
	defer c.Close()
	s, _, err := c.Prepare(`PRAGMA integrity_check(1)`)
	if err != nil {
		return err
	}
	defer s.Close()
	for s.Step() {
		if found := s.ColumnText(0); found != "ok" {
			return errors.New(found)
		}
	}
	return s.Err()
}

// keepCut keeps the files of the last power cut of a test that failed.
func (w *world) keepCut() {
	if !w.t.Failed() {
		return
	}
	dir, err := os.MkdirTemp("", "power-cut-")
	if err == nil {
		err = os.Rename(w.lastCut, filepath.Join(dir, "state"))
	}
	w.t.Logf("the last power cut is kept in %s (%v): the files as they were written, what the disk had of them (.cut), and what was chosen (.txt)", dir, err)
}

// TestNoFaultsShippedCrash: the file system that fails is in no binary but those of the tag.
func TestNoFaultsShippedCrash(t *testing.T) {
	t.Parallel()
	for tags, want := range map[string]bool{"": false, "crash": true} {
		out, err := exec.CommandContext(t.Context(), "go", "list", "-deps", "-tags", tags, "../cmd/rowhook").CombinedOutput()
		if err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		if got := strings.Contains(string(out), "rowhook/outbox/sqlite/fault\n"); got != want {
			t.Errorf("with the tags %q the faults are in the daemon: %v", tags, got)
		}
	}
}
