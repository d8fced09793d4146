//go:build crash

package fault

import (
	"bytes"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"rowhook/dbtest"
)

// disk is a file, with its power.
type disk struct {
	*os.File
	t     *testing.T
	power power
}

func (d *disk) Size() (int64, error) {
	info, err := d.Stat()
	return info.Size(), err
}

// newDisk makes a file that is synced.
func newDisk(t *testing.T, seed uint64, content []byte) *disk {
	t.Helper()
	path := filepath.Join(t.TempDir(), "outbox.db-wal")
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Close() })
	return &disk{f, t, newPower(seed, true)}
}

func (d *disk) write(content []byte, off int64) {
	d.t.Helper()
	err := d.power.changes(d, d.Name(), off, off+int64(len(content)), func() error {
		_, err := d.WriteAt(content, off)
		return err
	})
	if err != nil {
		d.t.Fatal(err)
	}
}

func (d *disk) truncate(size int64) {
	d.t.Helper()
	if err := d.power.truncates(d, d.Name(), size, func() error { return d.Truncate(size) }); err != nil {
		d.t.Fatal(err)
	}
}

// cut cuts the power and reads what there is then.
func (d *disk) cut() []byte {
	d.t.Helper()
	if err := d.power.cut(); err != nil {
		d.t.Fatal(err)
	}
	return d.after()
}

// after reads what there is after a cut.
func (d *disk) after() []byte {
	d.t.Helper()
	if err := AfterCut(filepath.Dir(d.Name())); err != nil {
		d.t.Fatal(err)
	}
	content, err := os.ReadFile(d.Name())
	if err != nil {
		d.t.Fatal(err)
	}
	return content
}

func noise(random *rand.Rand, n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(random.Uint32())
	}
	return b
}

// TestTruncationCrash: a truncation is done or it is not. Of the log in front of a database no beginning may come back
// alone: those pages are older than what was moved into the database.
func TestTruncationCrash(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(dbtest.Seed(t), 0))
	kept, lost := 0, 0
	for range 400 {
		old, header := noise(random, 40*sector), noise(random, 32)
		d := newDisk(t, random.Uint64(), old)
		d.truncate(0)
		for n := range random.IntN(3) { // and what came behind it, synced or not
			d.write(header, int64(n)*sector)
		}
		switch content := d.cut(); {
		case bytes.Equal(content, old):
			lost++
		case len(content) <= 2*sector && !bytes.HasPrefix(content, old[:sector]):
			kept++
		default:
			t.Fatalf("%d bytes, of which the first are old: %v", len(content), bytes.HasPrefix(content, old[:sector]))
		}
	}
	if kept < 100 || lost < 100 {
		t.Errorf("%d truncations were done, %d not", kept, lost)
	}
}

// TestSyncedTruncationCrash: what was synced stays.
func TestSyncedTruncationCrash(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(dbtest.Seed(t), 0))
	for range 50 {
		d := newDisk(t, random.Uint64(), noise(random, 10*sector))
		header := noise(random, 700)
		d.truncate(0)
		d.write(header, 0)
		d.power.synced(d.Name(), false)
		d.write(noise(random, 10), 5000)
		if content := d.cut(); !bytes.HasPrefix(content, header) {
			t.Fatalf("%d bytes, which do not begin with what was synced", len(content))
		}
	}
}

// TestKilledWhileCutCrash: who is killed before all is written that a cut leaves was only killed.
func TestKilledWhileCutCrash(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(dbtest.Seed(t), 0))
	for range 40 { // in either order
		old := noise(random, 10*sector)
		d := newDisk(t, random.Uint64(), old)
		d.write(old, 0)
		dir := filepath.Dir(d.Name())
		d.power.creates(filepath.Join(dir, "nowhere", "outbox.db-journal")) // where nothing can be written
		if err := d.power.cut(); err == nil {
			continue // that name survives
		}
		if err := os.WriteFile(d.Name()+cutImage, old[:sector], 0o600); err != nil {
			t.Fatal(err)
		}
		if content := d.after(); !bytes.Equal(content, old) {
			t.Fatalf("the file has %d bytes of %d", len(content), len(old))
		}
		if left, err := os.ReadDir(dir); err != nil || len(left) != 1 {
			t.Errorf("there are %d files, %v", len(left), err)
		}
	}
}

// TestNamesCrash: while the directory is not synced the old file may be there again, even where a new one has its name.
func TestNamesCrash(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(dbtest.Seed(t), 0))
	seen := map[string]int{}
	for range 200 {
		old := noise(random, sector)
		d := newDisk(t, random.Uint64(), old)
		if err := d.power.deletes(d.Name()); err != nil {
			t.Fatal(err)
		}
		if err := os.Remove(d.Name()); err != nil {
			t.Fatal(err)
		}
		d.power.creates(d.Name())
		if err := os.WriteFile(d.Name(), nil, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := d.power.cut(); err != nil {
			t.Fatal(err)
		}
		if err := AfterCut(filepath.Dir(d.Name())); err != nil {
			t.Fatal(err)
		}
		switch content, err := os.ReadFile(d.Name()); {
		case err != nil:
			seen["none"]++
		case bytes.Equal(content, old):
			seen["old"]++
		case len(content) == 0:
			seen["new"]++
		}
	}
	if len(seen) != 3 || seen["none"]+seen["old"]+seen["new"] != 200 {
		t.Errorf("after cuts there are %v", seen)
	}
}
