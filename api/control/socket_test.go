package control

import (
	"errors"
	"net"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

// TestLongDirectory: the address of a unix socket holds 107 bytes of a path, a state_dir may have more.
func TestLongDirectory(t *testing.T) {
	t.Parallel()
	for _, n := range []int{50, 88, 89, 90, 93, 94, 95, 100, 107, 108, 150, 1000} {
		dir := t.TempDir()
		for len(dir) < n {
			dir = filepath.Join(dir, strings.Repeat("d", max(1, min(n-len(dir)-1, 200))))
		}
		if err := os.MkdirAll(dir, 0o700); err != nil {
			t.Fatal(err)
		}
		c := NewClient(dir)
		if _, err := c.Status(t.Context()); !errors.Is(err, ErrNoDaemon) {
			t.Errorf("%d bytes, without a daemon: %v", len(dir), err)
		}
		stop := serve(t, dir, &worker{})
		if got, err := c.Status(t.Context()); err != nil || !reflect.DeepEqual(got, status) {
			t.Errorf("%d bytes: %+v, %v", len(dir), got, err)
		}
		if left, err := os.ReadDir(dir); err != nil || len(left) != 1 {
			t.Errorf("%d bytes: in the directory %v, %v", len(dir), left, err)
		}
		stop()
	}
}

// TestLinkInPlaceOfSocket: a command does not talk to who somebody's link leads to.
func TestLinkInPlaceOfSocket(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	elsewhere := filepath.Join(t.TempDir(), "s")
	l, err := net.Listen("unix", elsewhere)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if err := os.Symlink(elsewhere, filepath.Join(dir, socketName)); err != nil {
		t.Fatal(err)
	}
	if _, err := NewClient(dir).Status(t.Context()); err == nil || !strings.Contains(err.Error(), "is no socket; find out who put it there") {
		t.Errorf("the link is followed: %v", err)
	}
	serve(t, dir, &worker{}) // a daemon puts its own there
	if _, err := NewClient(dir).Status(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestTrusted(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		peer, owner uint32
		want        bool
	}{{7, 7, true}, {0, 7, true}, {8, 7, false}, {8, 0, false}} {
		if got := trusted(c.peer, c.owner); got != c.want {
			t.Errorf("user %d on the socket of user %d: %v", c.peer, c.owner, got)
		}
	}
}
