//go:build crash

package crash

import (
	"errors"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// damages are what can happen to the outbox's files while nobody has them open. With found the log is gone, which could
// hold the damaged pages once more, and the daemon must say so at its start; else it may first read that part later, or
// never, or be as it was before its last commits.
var damages = []struct {
	name, file string
	found      bool
	do         func(content []byte, random *rand.Rand) []byte
}{
	{"no database", "outbox.db", true, func(b []byte, _ *rand.Rand) []byte { copy(b, "something else entirely"); return b }},
	{"a flipped bit", "outbox.db", false, func(b []byte, random *rand.Rand) []byte { b[random.IntN(len(b))] ^= 1 << random.IntN(8); return b }},
	{"cut to half", "outbox.db", false, func(b []byte, _ *rand.Rand) []byte { return b[:len(b)/2] }},
	{"every page empty", "outbox.db", true, func(b []byte, _ *rand.Rand) []byte { clear(b[4096:]); return b }},
	{"the log's end is noise", "outbox.db-wal", false, func(b []byte, random *rand.Rand) []byte {
		for i := len(b) - len(b)/20; i < len(b); i++ {
			b[i] = byte(random.IntN(256))
		}
		return b
	}},
}

// TestDamageCrash damages what a killed daemon left: the daemon says so, or goes on; what it must not do is to post
// something else. Then a person restores the backup, which is some seconds old, and nothing was lost.
func TestDamageCrash(t *testing.T) {
	t.Parallel()
	w := newWorld(t, settings{exact: true, rewound: true, every: 40 * time.Millisecond, padding: 2000})
	w.begin()
	times, told := len(damages)*2*factor, 0
	for n := range times {
		d := w.run(binaries.daemon)
		d.outlived(w.ctx, 300*time.Millisecond+w.upTo(700*time.Millisecond))
		d.kill()
		c := damages[n%len(damages)]
		d = w.damaged(c.file, c.found, c.do)
		if strings.Contains(d.words(), "is damaged") {
			told++
		} else if c.found || d.gaveUp() != nil {
			t.Errorf("%s: the daemon does not say that it is damaged:\n%s", c.name, d.lastWords())
		}
	}
	t.Logf("the damage was found %d times of %d", told, times)
	w.report("corrupt state file, backup restored", times, w.settle())
}

// damaged lets the daemon start with a damaged file, alone or with its log, and restores the backup.
func (w *world) damaged(file string, alone bool, do func([]byte, *rand.Rand) []byte) *daemon {
	w.t.Helper()
	w.files.Lock()
	defer w.files.Unlock()
	backup := filepath.Join(w.t.TempDir(), "backup")
	w.copyAll(w.state, backup)
	path := filepath.Join(w.state, file)
	content, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) { // the log is gone when a command was the last to close it
		w.t.Fatal(err)
	}
	if err := os.WriteFile(path, do(content, w.random), 0o600); err != nil {
		w.t.Fatal(err)
	}
	if alone {
		if err := os.RemoveAll(filepath.Join(w.state, "outbox.db-wal")); err != nil {
			w.t.Fatal(err)
		}
	}
	d := w.run(binaries.daemon)
	select {
	case <-d.ready:
		d.outlived(w.ctx, time.Second)
	case <-d.ended:
	case <-time.After(standstill):
	}
	d.kill()
	if err := os.RemoveAll(w.state); err != nil {
		w.t.Fatal(err)
	}
	w.copyAll(backup, w.state)
	for _, r := range w.receivers() {
		r.look(func(l *ledger) { clear(l.high) }) // as docs/operations.md asks of them
	}
	return d
}

func (w *world) copyAll(from, to string) {
	w.t.Helper()
	if out, err := exec.CommandContext(w.ctx, "cp", "-a", from, to).CombinedOutput(); err != nil {
		w.t.Fatalf("%v: %s", err, out)
	}
}
