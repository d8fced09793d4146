//go:build crash

package crash

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"rowhook/outbox/sqlite/fault"
)

// TestWalkCrash kills the daemon right before each change of its files, one after the other, under load: of the start, of
// steady work, of the checkpoint and of pruning, which belong to it, and of the stop. After N nothing is different from
// before N+1, so that is every point there is; torn ones leave a write half done.
func TestWalkCrash(t *testing.T) {
	t.Parallel()
	// Large payloads, so that the log is moved into the file often; and what was delivered is pruned at each start.
	w := newWorld(t, settings{exact: true, every: 60 * time.Millisecond, padding: 6000, large: 60, more: "keep: {age: 0s}\n"})
	w.begin()
	hits := map[string]int{}
	for _, stage := range []struct {
		action, where string
		to            int // the last point, if the daemon has so many
		stride        int
	}{
		{"kill", "any", 30, 1},   // the start, with the log of the life before
		{"torn", "any", 60, 3},   //
		{"kill", "any", 600, 40}, // work, the further on the rarer
		{"kill", "sync", 4, 1},   // the disk is waited for, which is one change of thirty
		{"kill", "db", 10, 1},    // the checkpoint
		{"torn", "db", 300, 30},
		{"kill", "db,sync", 3, 1},
		{"kill", "stop", 12, 1}, // the stop, with its checkpoint
		{"torn", "stop", 120, 12},
		{"kill", "stop,sync", 6, 1},
		{"kill", "stop,delete", 4, 1}, // of the log
	} {
		for n := 1; n <= stage.to; n += 1 + w.random.IntN(2*stage.stride-1) {
			what, hit := w.pointOf(stage.action, stage.where, n)
			if !hit {
				break // there are no more
			}
			hits[what]++
		}
	}
	f := w.settle()
	total := 0
	for _, n := range hits {
		total += n
	}
	t.Logf("points: %v", hits)
	w.report("SIGKILL at each durable write", total, f)
	for _, what := range []string{"any write", "sync sync", "db write", "db,sync sync", "stop write", "stop,sync sync", "stop,delete delete"} {
		if hits[what] == 0 {
			t.Errorf("never killed before: %s", what)
		}
	}
}

// pointOf finds a point of a stage, in one of some lives: a stop that has little to write does not come so far.
func (w *world) pointOf(action, where string, n int) (what string, hit bool) {
	w.t.Helper()
	for range 6 {
		if what, hit = w.point(action, where, n); hit {
			break
		}
	}
	return what, hit
}

// lifeWork is how many deliveries a life makes while it waits for its fault, a stop apart: so many that each fault comes,
// however slow the machine is.
const lifeWork = 1500

// point runs the daemon until its fault ends it, and tells before what that was. It may not come.
func (w *world) point(action, where string, n int) (what string, hit bool) {
	w.t.Helper()
	d := w.run(binaries.faulty, fmt.Sprintf("%s=%s %s %d %d", fault.Variable, action, where, n, w.random.Uint64()))
	if strings.HasPrefix(where, "stop") {
		w.stopAlone(d)
	} else if w.outlasted(d, lifeWork) {
		d.kill()
	}
	if err := d.gaveUp(); err != nil {
		w.t.Fatal(err)
	}
	if action == "power" {
		w.afterCut()
	}
	words := strings.Fields(d.fault()) // kill any 17: write outbox.db-wal
	if len(words) < 4 {
		return "", false
	}
	return where + " " + words[3], true
}

// stopAlone stops a daemon after some work. Nobody else has the outbox open: the checkpoint of a stop is made by the last who
// closes it.
func (w *world) stopAlone(d *daemon) {
	w.t.Helper()
	d.isReady(w.t)
	d.outlived(w.ctx, w.upTo(300*time.Millisecond))
	if err := d.stop(); err != nil {
		w.t.Fatal(err)
	}
}

// outlasted waits for the daemon's end until so many more deliveries were accepted, and tells whether it still runs.
func (w *world) outlasted(d *daemon, deliveries int) bool {
	w.t.Helper()
	until := w.accepted() + deliveries
	for p := newPatience(deliveries); ; {
		if !d.outlived(w.ctx, 50*time.Millisecond) {
			return false
		}
		left := until - w.accepted()
		if left <= 0 || w.ctx.Err() != nil {
			return true
		}
		if err := p.look(left); err != nil {
			w.t.Fatalf("of %d deliveries %v:\n%s", deliveries, err, d.lastWords())
		}
	}
}

// TestFirstStartCrash kills the daemon before each change of its first start. Once it has said that it follows, nothing
// may be missed; a start before that begins anew.
func TestFirstStartCrash(t *testing.T) {
	t.Parallel()
	w := newWorld(t, settings{exact: true})
	points, told := 0, 0
	for n := 1; n < 200; n++ {
		w.configure(settings{exact: true}) // with a new state directory
		d := w.run(binaries.faulty, fmt.Sprintf("%s=kill any %d", fault.Variable, n))
		select {
		case <-d.ready:
			told++
		case <-d.ended:
		}
		isTold := strings.Contains(d.words(), following)
		if isTold {
			w.write(1)
		}
		if d.outlived(w.ctx, 300*time.Millisecond) || d.fault() == "" { // idle: there are no more
			err := w.drain(d)
			if err == nil {
				if err := d.stop(); err != nil {
					t.Fatal(err)
				}
				break
			}
			if d.fault() == "" { // else it came late, on a slow machine: one more
				t.Fatalf("%v\n%s", err, d.lastWords())
			}
		}
		points++
		d = w.run(binaries.daemon)
		d.isReady(t)
		w.write(1)
		if err := w.drain(d); err != nil {
			t.Fatalf("killed before %s: %v\n%s", d.fault(), err, w.judge())
		}
		if err := d.stop(); err != nil {
			t.Fatal(err)
		}
	}
	w.report("SIGKILL at each durable write of a first start", points, w.judge())
	if points < 15 || told == 0 {
		t.Errorf("%d points, %d of them after it said that it follows: that proves little", points, told)
	}
}

// write makes some transactions that change something.
func (w *world) write(n int64) {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.ctx, standstill)
	defer cancel()
	writer := &writer{w.writing, w.random}
	for until := w.writing.done.Load() + n; w.writing.done.Load() < until; {
		if err := writer.once(ctx); err != nil {
			w.t.Fatal(err)
		}
	}
}
