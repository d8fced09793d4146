package main

import (
	"os"
	"path/filepath"
	"testing"
)

// passable lets everybody pass the folders of a test that are above a path.
func passable(t *testing.T, path string) {
	t.Helper()
	for dir := filepath.Dir(path); dir != filepath.Clean(os.TempDir()) && dir != "/"; dir = filepath.Dir(dir) {
		if err := os.Chmod(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
}

// TestClosedTo: who may read a file is decided by its mode and those of the folders above it.
func TestClosedTo(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "rules.d")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	passable(t, dir)
	file := filepath.Join(dir, "mine.yaml")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	self, group, other := os.Geteuid(), os.Getegid(), 64_999
	for _, c := range []struct {
		dir, file os.FileMode
		uid       int
		groups    []int
		want      string
	}{
		{0o700, 0o600, self, nil, ""},
		{0o700, 0o200, self, nil, file},
		{0o755, 0o644, other, nil, ""},
		{0o755, 0o640, other, []int{other}, file},
		{0o755, 0o640, other, []int{other, group}, ""},
		{0o750, 0o644, other, nil, dir},
		{0o750, 0o644, other, []int{group}, ""},
		{0o705, 0o644, other, []int{group}, dir}, // a group's rights count for its members, also when others have more
	} {
		if err := os.Chmod(file, c.file); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(dir, c.dir); err != nil {
			t.Fatal(err)
		}
		if got := closedTo(file, c.uid, c.groups); got != c.want {
			t.Errorf("%o in %o, for %d of %d: %q is closed, want %q", c.file, c.dir, c.uid, c.groups, got, c.want)
		}
	}
}
