package sqlite

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ncruces/go-sqlite3"

	"rowhook/outbox"
)

// alter opens the file as a person with sqlite3 would.
func alter(t *testing.T, dir, sql string) {
	t.Helper()
	c, err := sqlite3.Open(filepath.Join(dir, fileName))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if err := c.Exec(sql); err != nil {
		t.Fatal(err)
	}
}

// TestOpenRefuses: each error names the file and what is wrong with it.
func TestOpenRefuses(t *testing.T) {
	t.Parallel()
	write := func(t *testing.T, path string, content []byte) {
		t.Helper()
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for name, c := range map[string]struct {
		prepare func(t *testing.T, dir string) string
		want    string
	}{
		"a file in the way": {func(t *testing.T, dir string) string {
			write(t, filepath.Join(dir, "file"), nil)
			return filepath.Join(dir, "file", "state")
		}, "state_dir must name a directory"},
		"a place that cannot be written": {func(*testing.T, string) string { return "/proc/rowhook" }, "state_dir must name a directory"},
		"not a SQLite file": {func(t *testing.T, dir string) string {
			write(t, filepath.Join(dir, fileName), bytes.Repeat([]byte("no database "), 1000))
			return dir
		}, "damaged"},
		"a cut file": {func(t *testing.T, dir string) string {
			fill(t, dir)
			if err := os.Truncate(filepath.Join(dir, fileName), 2*pageSize+100); err != nil {
				t.Fatal(err)
			}
			return dir
		}, "damaged"},
		"a newer version": {func(t *testing.T, dir string) string {
			fill(t, dir)
			alter(t, dir, `UPDATE meta SET value = '7' WHERE key = 'schema'`)
			return dir
		}, "written by a newer rowhook (schema 7, this one knows 6)"},
		"no version": {func(t *testing.T, dir string) string {
			fill(t, dir)
			alter(t, dir, `DELETE FROM meta`)
			return dir
		}, "no readable schema version"},
		"another program's file": {func(t *testing.T, dir string) string {
			alter(t, dir, `CREATE TABLE customers(id)`)
			return dir
		}, "no outbox of rowhook"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := c.prepare(t, t.TempDir())
			s, err := Open(t.Context(), dir, slog.New(slog.DiscardHandler))
			if err == nil {
				_ = s.Close()
				t.Fatal("no error")
			}
			t.Log(err)
			if !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), filepath.Join(dir, fileName)) {
				t.Errorf("got %q, want %q and the path", err, c.want)
			}
		})
	}
}

// fill makes an outbox with a few deliveries in dir.
func fill(t *testing.T, dir string) {
	t.Helper()
	s := open(t, dir)
	commit(t, s, 50)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}

// route makes the deliveries of crm go somewhere.
func route(t testing.TB, s *Store) {
	t.Helper()
	if s.w.routes["crm"] != 0 {
		return
	}
	if _, err := s.Route(t.Context(), map[string]string{"crm": "a", "new": "b"}); err != nil {
		t.Fatal(err)
	}
}

// commit stores n deliveries of about 1 KB and returns their last number.
func commit(t *testing.T, s *Store, n int) int64 {
	t.Helper()
	route(t, s)
	b := outbox.Batch{Checkpoint: []byte("p")}
	for i := range n {
		body := fmt.Sprintf(`{"id": %d, "filler": "%s"}`, i, strings.Repeat("x", 1000))
		b.Deliveries = append(b.Deliveries, &outbox.Delivery{ID: outbox.ID{1, byte(i)}, Rule: "crm", Site: "salon", Kind: "appointment.save", Body: []byte(body)})
	}
	if err := s.Commit(t.Context(), &b); err != nil {
		t.Fatal(err)
	}
	return b.Deliveries[n-1].Seq
}

// TestDamageFoundLater: a page that went bad is found when it is read, and said so.
func TestDamageFoundLater(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	fill(t, dir)
	f, err := os.OpenFile(filepath.Join(dir, fileName), os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	info, err := f.Stat()
	if err != nil {
		t.Fatal(err)
	}
	junk := bytes.Repeat([]byte{0xff}, pageSize)
	for page := int64(18); page < info.Size()/pageSize; page++ { // behind those of the schema
		if _, err := f.WriteAt(junk, page*pageSize); err != nil {
			t.Fatal(err)
		}
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	s, err := Open(t.Context(), dir, slog.New(slog.DiscardHandler)) // which reads what is undelivered
	if err == nil {
		defer s.Close()
		_, err = s.List(t.Context(), outbox.Filter{Bodies: true})
	}
	if err == nil || !strings.Contains(err.Error(), "the file is damaged") || !strings.Contains(err.Error(), dir) {
		t.Errorf("got %v", err)
	}
}

func TestSecondDaemon(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	first := open(t, dir)
	_, err := Open(t.Context(), dir, slog.New(slog.DiscardHandler))
	if !errors.Is(err, outbox.ErrLocked) || !strings.Contains(err.Error(), fmt.Sprintf("(pid %d)", os.Getpid())) {
		t.Errorf("got %v, want ErrLocked with the process id", err)
	}
	commit(t, first, 1)
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	commit(t, open(t, dir), 1)
}

// TestPrivate: payloads are personal data, also when the directory was made by somebody else and is open to all.
func TestPrivate(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "deep", "state")
	s := open(t, dir)
	commit(t, s, 1)
	if info, err := os.Stat(dir); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("the directory has mode %v, %v", info.Mode(), err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 4 {
		t.Fatalf("the directory holds %v, %v", entries, err)
	}
	for _, e := range entries {
		if info, err := e.Info(); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s has mode %v, %v", e.Name(), info.Mode(), err)
		}
	}
}

// TestReadOnly: commands read beside the daemon, and without it, and change nothing.
func TestReadOnly(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if _, err := OpenLog(t.Context(), dir); !errors.Is(err, outbox.ErrNotExist) {
		t.Fatalf("without an outbox: %v", err)
	}
	s := open(t, dir)
	if err := s.CompareAndSet(t.Context(), "source_id", "", "abc"); err != nil {
		t.Fatal(err)
	}
	ro, err := OpenLog(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	commit(t, s, 3) // after it was opened
	checkReadOnly(t, ro)
	if err := ro.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := ro.List(t.Context(), outbox.Filter{}); !errors.Is(err, outbox.ErrClosed) {
		t.Errorf("closed: %v", err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	ro, err = OpenLog(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	checkReadOnly(t, ro)
	commit(t, open(t, dir), 1) // it does not keep a daemon out
	if err := ro.Close(); err != nil {
		t.Fatal(err)
	}
}

func checkReadOnly(t *testing.T, ro *ReadOnly) {
	t.Helper()
	list, err := ro.List(t.Context(), outbox.Filter{Bodies: true})
	if err != nil || len(list) != 3 || len(list[2].Body) < 1000 {
		t.Errorf("lists %d deliveries, %v", len(list), err)
	}
	if res, err := ro.Resume(t.Context()); err != nil || string(res.Checkpoint) != "p" {
		t.Errorf("resumes from %q, %v", res.Checkpoint, err)
	}
	if id, err := ro.Get(t.Context(), "source_id"); err != nil || id != "abc" {
		t.Errorf("source id %q, %v", id, err)
	}
	for name, err := range map[string]error{
		"CompareAndSet": ro.CompareAndSet(t.Context(), "a", "", "b"),
		"Drop":          second(ro.Drop(t.Context(), outbox.Filter{})),
		"Erase":         second(ro.Erase(t.Context(), outbox.Filter{})),
		"Prune":         second(ro.Prune(t.Context(), outbox.Keep{})),
	} {
		if !errors.Is(err, outbox.ErrReadOnly) {
			t.Errorf("%s: got %v, want ErrReadOnly", name, err)
		}
	}
}

func second[T any](_ T, err error) error { return err }
