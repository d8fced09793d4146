//go:build crash

package crash

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// smallDisk is a disk of a few megabytes.
func smallDisk(t *testing.T, options string) string {
	t.Helper()
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, options); err != nil {
		t.Fatalf("mounting a small disk, which root may: %v", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, 0); err != nil {
			t.Errorf("unmounting the small disk: %v", err)
		}
	})
	return dir
}

// fill writes a file until the disk is full.
func fill(t *testing.T, path string) {
	t.Helper()
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for chunk := bytes.Repeat([]byte{1}, 4096); ; {
		if _, err := f.Write(chunk); errors.Is(err, syscall.ENOSPC) {
			return
		} else if err != nil {
			t.Fatal(err)
		}
	}
}

// diskFull is what the daemon says of it.
const diskFull = "the disk is full"

// meetsFullDisk waits for the daemon to say that the disk is full, behind what it said before, and some seconds more. It
// tells whether the daemon still runs.
func (w *world) meetsFullDisk(d *daemon, before int) bool {
	for range 20 {
		if told := strings.Contains(d.words()[before:], diskFull); told || !d.outlived(w.ctx, time.Second) {
			break
		}
	}
	return d.outlived(w.ctx, 2*time.Second)
}

// TestFullDiskCrash fills the disk under the outbox again and again: the daemon stops or waits, and says why; with room
// again it goes on, and has lost nothing.
func TestFullDiskCrash(t *testing.T) {
	t.Parallel()
	disk := smallDisk(t, "size=384m,mode=700")
	w := newWorld(t, settings{exact: true, every: 40 * time.Millisecond, padding: 5000, large: 100, state: filepath.Join(disk, "state")})
	w.begin()
	ballast := filepath.Join(disk, "ballast")
	stopped, waited, told, times := 0, 0, 0, 5*factor
	d := w.run(binaries.daemon)
	for n := range times {
		d.outlived(w.ctx, time.Second)
		before := len(d.words())
		fill(t, ballast)
		if w.meetsFullDisk(d, before) {
			waited++
		} else {
			stopped++
		}
		said := d.words()[before:]
		if n%2 == 1 { // a start on a full disk
			d.kill()
			d = w.run(binaries.daemon)
			d.outlived(w.ctx, time.Second)
			said += d.words()
		}
		if strings.Contains(said, diskFull) { // it may have found room in its own files for so long
			told++
		}
		if err := os.Remove(ballast); err != nil {
			t.Fatal(err)
		}
		for !d.outlived(w.ctx, time.Second) { // as a supervisor does; the commit that failed may end it only now
			d = w.run(binaries.daemon)
		}
		d.isReady(t)
	}
	d.kill()
	t.Logf("the daemon stopped %d times and waited %d times; %d times it said that the disk is full", stopped, waited, told)
	if told < times/2 {
		t.Error("the daemon says too seldom that the disk is full")
	}
	w.report("disk full and back", times, w.settle())
}
