package regular

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// TestOpen: what is no file is refused at once, also by who had found a file there before.
func TestOpen(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file, pipe, link := filepath.Join(dir, "file"), filepath.Join(dir, "pipe"), filepath.Join(dir, "link")
	if err := errors.Join(os.WriteFile(file, []byte("x"), 0o600), syscall.Mkfifo(pipe, 0o600), os.Symlink(pipe, link)); err != nil {
		t.Fatal(err)
	}
	for _, how := range []func(string) (*os.File, error){Open, open} {
		for path, want := range map[string]error{
			file: nil, pipe: ErrIrregular, link: ErrIrregular, dir: ErrIrregular, os.DevNull: ErrIrregular, filepath.Join(dir, "none"): fs.ErrNotExist,
		} {
			done := make(chan error, 1)
			go func() {
				f, err := how(path)
				done <- err
				_ = f.Close()
			}()
			select {
			case err := <-done:
				if !errors.Is(err, want) {
					t.Errorf("%s: got %v, want %v", path, err, want)
				}
			case <-time.After(10 * time.Second):
				t.Fatalf("%s is waited for", path)
			}
		}
	}
}
