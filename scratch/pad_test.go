package scratch

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"
)

// put makes a value of a text.
func put(t *testing.T, p *Pad, text string) *Value {
	t.Helper()
	v, err := p.Put(func(w io.Writer) error { _, err := io.WriteString(w, text); return err })
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestPad(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	p := NewPad(In(dir))
	texts := []string{"first", "", strings.Repeat("second", 100_000), "first"}
	var values []*Value
	for i, text := range texts {
		failed := errors.New("what is read breaks off")
		if _, err := p.Put(func(w io.Writer) error { _, _ = io.WriteString(w, strings.Repeat("junk", 50_000)); return failed }); !errors.Is(err, failed) {
			t.Errorf("value %d: %v", i, err)
		}
		values = append(values, put(t, p, text))
	}
	for i, v := range values {
		got, err := io.ReadAll(Reader(v))
		if err != nil || string(got) != texts[i] || v.Size() != int64(len(texts[i])) {
			t.Errorf("value %d: %d bytes, %v", i, len(got), err)
		}
		b := make([]byte, 10)
		if n, err := v.ReadAt(b, v.Size()-3); v.Size() > 3 && (n != 3 || !errors.Is(err, io.EOF) || string(b[:n]) != texts[i][len(texts[i])-3:]) {
			t.Errorf("the end of value %d: %q, %v", i, b[:n], err)
		}
		if !v.Holds(texts[i]) || v.Holds(texts[i]+"!") || !v.Is(v) || v.Is(values[(i+1)%4]) != (i == 3) {
			t.Errorf("value %d is taken for another", i)
		}
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("the directory shows %v, %v", left, err)
	}
}

// TestPadClosesFiles writes more than a file holds: those whose values nobody has any more are closed, and take no room.
func TestPadClosesFiles(t *testing.T) {
	dir := t.TempDir()
	p := NewPad(In(dir))
	piece := bytes.Repeat([]byte("x"), 1<<20)
	var last *Value
	for range 4 {
		v, err := p.Put(func(w io.Writer) error {
			for range fileSize / len(piece) {
				if _, err := w.Write(piece); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		last = v
	}
	late := time.After(30 * time.Second)
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for openIn(t, dir) != 1 {
		runtime.GC()
		select {
		case <-tick.C:
		case <-late:
			t.Fatalf("%d files are open", openIn(t, dir))
		}
	}
	if n, err := io.Copy(io.Discard, Reader(last)); err != nil || n != fileSize {
		t.Errorf("of the one that is needed %d bytes, %v", n, err)
	}
}

// openIn is how many files of a directory the process has open.
func openIn(t *testing.T, dir string) (n int) {
	t.Helper()
	links, err := filepath.Glob("/proc/self/fd/*")
	if err != nil {
		t.Fatal(err)
	}
	for _, link := range links {
		if name, err := os.Readlink(link); err == nil && strings.HasPrefix(name, dir+"/scratch-") {
			n++
		}
	}
	return n
}

// badFile is a file on a full or broken disk.
type badFile struct {
	File
	write, read error
}

func (f badFile) WriteAt(p []byte, _ int64) (int, error) { return len(p), f.write }
func (f badFile) ReadAt([]byte, int64) (int, error)      { return 0, f.read }

func TestPadFails(t *testing.T) {
	t.Parallel()
	write := func(w io.Writer) error { _, err := io.WriteString(w, "text"); return err }
	for name, files := range map[string]Files{
		"no files":     nil,
		"no directory": In(filepath.Join(t.TempDir(), "none")),
		"full":         func() (File, error) { return badFile{write: syscall.ENOSPC}, nil },
	} {
		_, err := NewPad(files).Put(write)
		failed, ok := errors.AsType[*Error](err)
		if !ok || !strings.HasPrefix(failed.Error(), "using a scratch file: ") || strings.Contains(failed.Error(), "the disk is full") != (name == "full") {
			t.Errorf("%s: %v", name, err)
		}
	}
	v, err := NewPad(func() (File, error) { return badFile{read: syscall.EIO}, nil }).Put(write)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadAll(Reader(v)); !errors.Is(err, syscall.EIO) {
		t.Errorf("reading: %v", err)
	}
}
