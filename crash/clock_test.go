//go:build crash

package crash

import (
	"encoding/binary"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// A wall clock that jumps, as one does that is set: the daemon is built with a package time whose Now adds what stands
// in a file. Its monotonic clock and its timers are not touched, as they are not when a clock is set.

// clockFile is the environment variable that names the file.
const clockFile = "ROWHOOK_CLOCK"

const jumpSource = `package time

import (
	"sync/atomic"
	"syscall"
	"unsafe"
)

var jumpBy = openJump()

func openJump() *int64 {
	name, _ := syscall.Getenv("` + clockFile + `")
	fd, err := syscall.Open(name, syscall.O_RDONLY, 0)
	if err != nil {
		return nil
	}
	b, err := syscall.Mmap(fd, 0, 8, syscall.PROT_READ, syscall.MAP_SHARED)
	if err != nil {
		panic(err)
	}
	return (*int64)(unsafe.Pointer(&b[0]))
}

func jump() int64 {
	if jumpBy == nil {
		return 0
	}
	return atomic.LoadInt64(jumpBy)
}
`

// buildJumping builds the daemon with that clock.
func buildJumping(t *testing.T) (binary string) {
	t.Helper()
	dir := t.TempDir()
	root, err := exec.CommandContext(t.Context(), "go", "env", "GOROOT").Output()
	if err != nil {
		t.Fatal(err)
	}
	source := filepath.Join(strings.TrimSpace(string(root)), "src", "time")
	text, err := os.ReadFile(filepath.Join(source, "time.go"))
	if err != nil {
		t.Fatal(err)
	}
	const reads = "sec, nsec, mono := runtimeNow()\n"
	if strings.Count(string(text), reads) != 1 {
		t.Fatal("this Go's time.Now is another than this test knows")
	}
	overlay := struct{ Replace map[string]string }{map[string]string{}}
	for name, content := range map[string]string{
		"time.go": strings.Replace(string(text), reads, reads+"\tsec += jump()\n", 1), "jump.go": jumpSource,
	} {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		overlay.Replace[filepath.Join(source, name)] = path
	}
	list, err := json.Marshal(overlay)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "overlay.json"), list, 0o600); err != nil {
		t.Fatal(err)
	}
	binary = filepath.Join(dir, "rowhook")
	out, err := exec.CommandContext(t.Context(), "go", "build", "-overlay", filepath.Join(dir, "overlay.json"), "-o", binary, "../cmd/rowhook").CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return binary
}

// clock is a file that the daemon's clock follows.
type clock struct {
	t    *testing.T
	path string
}

func newClock(t *testing.T) *clock {
	c := &clock{t, filepath.Join(t.TempDir(), "clock")}
	c.set(0)
	return c
}

// set makes the daemon's clock go so much ahead.
func (c *clock) set(ahead time.Duration) {
	c.t.Helper()
	f, err := os.OpenFile(c.path, os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		c.t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.WriteAt(binary.NativeEndian.AppendUint64(nil, uint64(ahead/time.Second)), 0); err != nil {
		c.t.Fatal(err)
	}
}

// TestClockCrash sets the daemon's clock an hour ahead and back again and again, under load, and kills it now and then,
// so that what was recorded under one time is read under another. At the end the clock stands an hour behind most of
// what is on record, and nobody hastens anything.
func TestClockCrash(t *testing.T) {
	t.Parallel()
	binary := buildJumping(t)
	t.Run("it does jump", func(t *testing.T) {
		t.Parallel()
		jumps(t, binary)
	})
	t.Run("machines", func(t *testing.T) {
		t.Parallel()
		c := newClock(t)
		try(t, settings{shared: onOther(2)}, trial{
			name: "machines: killed, the clock of one an hour off", times: 4, most: mostAway, patient: true,
			fault: func(f *fleet, n int) func() {
				c.set([]time.Duration{time.Hour, -time.Hour}[n/2%2])
				return killed(f, n)
			},
		}, func(m *machine) {
			if m.n == 0 {
				m.binary, m.env = binary, []string{clockFile + "=" + c.path}
			}
		})
	})
	for name, exact := range map[string]bool{"coalesce 0": true, "coalesce 500ms": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, c := newWorld(t, settings{exact: exact, every: 40 * time.Millisecond}), newClock(t)
			w.begin()
			start := func() *daemon {
				d := w.run(binary, clockFile+"="+c.path)
				d.isReady(t)
				return d
			}
			d, times := start(), 8*factor
			for n := range times {
				c.set([]time.Duration{time.Hour, 0, -time.Hour, time.Hour}[n%4])
				d.outlived(w.ctx, 500*time.Millisecond+w.upTo(time.Second))
				if n%3 == 2 {
					d.kill()
					d = start()
				}
			}
			w.quiet()
			w.moody(false)
			c.set(0)
			d.kill()
			d, w.patient = start(), true
			w.report("clock set by an hour, "+name, times, w.finish(d))
		})
	}
}

// jumps proves that the daemon goes by that clock: it says what time it is.
func jumps(t *testing.T, binary string) {
	t.Helper()
	w, c := newWorld(t, settings{exact: true}), newClock(t)
	for _, ahead := range []time.Duration{time.Hour, -time.Hour} {
		c.set(ahead)
		d := w.run(binary, clockFile+"="+c.path)
		d.isReady(t)
		d.kill()
		text, _, _ := strings.Cut(strings.TrimPrefix(d.words(), "time="), " ")
		at, err := time.Parse(time.RFC3339Nano, text)
		if off := time.Until(at) - ahead; err != nil || off.Abs() > time.Minute {
			t.Errorf("the daemon says that it is %s, want %v from now: %v", text, ahead, err)
		}
	}
}
