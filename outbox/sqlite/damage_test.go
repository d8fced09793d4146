package sqlite

import (
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"rowhook/dbtest"
	"rowhook/outbox"
)

// What a crash leaves may be damaged besides: by a disk, or by a person. The outbox must say so, or be what it was after
// one of its commits, whole: then the log is read again from there. It must never lack something in silence.

// damaged is an outbox as a crash left it, most of it checkpointed and some of it in the log, in a directory of its own.
type damaged struct {
	t     *testing.T
	files map[string][]byte
}

const damagedCommits = 60

func newDamaged(t *testing.T) *damaged {
	t.Helper()
	dir := t.TempDir()
	s := open(t, dir)
	route(t, s)
	for n := range damagedCommits {
		if n == damagedCommits/2 {
			if err := s.w.conn.Exec(`PRAGMA wal_checkpoint(TRUNCATE)`); err != nil {
				t.Fatal(err)
			}
		}
		b := outbox.Batch{Checkpoint: fmt.Appendf(nil, "%d", n+1), Open: []outbox.Record{{Owner: "events", Key: fmt.Sprint(n), Data: body(n)}}}
		if n > 0 {
			b.Open = append(b.Open, outbox.Record{Owner: "events", Key: fmt.Sprint(n - 1)})
			b.Deliveries = []*outbox.Delivery{{ID: outbox.ID{byte(n)}, Rule: "crm", Site: "salon", Keys: []string{fmt.Sprint(n - 1)}, Body: body(n - 1)}}
		}
		if err := s.Commit(t.Context(), &b); err != nil {
			t.Fatal(err)
		}
	}
	d := &damaged{t, map[string][]byte{}}
	for _, name := range []string{fileName, fileName + "-wal"} {
		content, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil || len(content) < 10*pageSize {
			t.Fatalf("%s has %d bytes: %v", name, len(content), err)
		}
		d.files[name] = content
	}
	return d
}

// body is the payload of an event; some take pages of their own.
func body(n int) []byte {
	b := make([]byte, 100+(n%7)*3000)
	for i := range b {
		b[i] = byte(n*31 + i*7)
	}
	return b
}

// look opens the outbox with one file changed, and tells its position, or what was said. Anything else is an error of
// the test.
func (d *damaged) look(name string, content []byte) (position int, said error) {
	d.t.Helper()
	dir := d.t.TempDir()
	for other, as := range d.files {
		if other == name {
			as = content
		}
		if err := os.WriteFile(filepath.Join(dir, other), as, 0o600); err != nil {
			d.t.Fatal(err)
		}
	}
	defer os.RemoveAll(dir)
	s, err := Open(d.t.Context(), dir, slog.New(slog.DiscardHandler))
	if err != nil {
		return 0, err
	}
	defer s.Close()
	res, err := s.Resume(d.t.Context())
	if err != nil {
		return 0, err
	}
	list, err := s.List(d.t.Context(), outbox.Filter{Bodies: true})
	if err != nil {
		return 0, err
	}
	if _, err := fmt.Sscan(string(res.Checkpoint), &position); err != nil && res.Checkpoint != nil {
		d.t.Errorf("%s: the position is %q", name, res.Checkpoint)
	}
	if len(res.Open) != min(position, 1) || len(list) != max(position-1, 0) {
		d.t.Errorf("%s: %d deliveries and %d open events at position %d", name, len(list), len(res.Open), position)
		return position, nil
	}
	for i, s := range list {
		if s.Keys[0] != fmt.Sprint(i) || string(s.Body) != string(body(i)) {
			d.t.Errorf("%s: delivery %d is of event %s, and has another payload", name, i, s.Keys[0])
			return position, nil
		}
	}
	for _, r := range res.Open {
		if r.Key != fmt.Sprint(position-1) || string(r.Data) != string(body(position-1)) {
			d.t.Errorf("%s: at position %d the open event is %s", name, position, r.Key)
		}
	}
	return position, nil
}

// flip changes a byte.
func flip(content []byte, at int, random *rand.Rand) []byte {
	changed := append([]byte(nil), content...)
	changed[at] ^= 1 << random.IntN(8)
	return changed
}

func TestDamagedFile(t *testing.T) {
	t.Parallel()
	d, random := newDamaged(t), rand.New(rand.NewPCG(dbtest.Seed(t), 0))
	file := d.files[fileName]
	said := 0
	for range 200 { // anywhere: the header, the middle
		at := random.IntN(len(file))
		if random.IntN(4) == 0 {
			at = random.IntN(100)
		}
		if _, err := d.look(fileName, flip(file, at, random)); err != nil {
			said++
		}
	}
	for n := range 2 * (len(file) / pageSize) { // each page: with anything in it, or nothing
		changed := append([]byte(nil), file...)
		page := changed[n/2*pageSize:][:pageSize]
		for i := range page {
			page[i] = byte(random.IntN(256) * (n % 2))
		}
		if _, err := d.look(fileName, changed); err != nil {
			said++
		}
	}
	t.Logf("%d times the damage was found", said)
}

func TestDamagedLog(t *testing.T) {
	t.Parallel()
	d, random := newDamaged(t), rand.New(rand.NewPCG(dbtest.Seed(t), 0))
	const name = fileName + "-wal"
	log := d.files[name]
	positions := map[int]int{}
	for n := range 120 {
		at := random.IntN(len(log))
		changed := log[:at] // cut off at any byte
		if n%2 == 0 {
			changed = flip(log, at, random)
		}
		position, err := d.look(name, changed)
		if err == nil && position < damagedCommits/2 {
			t.Errorf("position %d, though %d were in the file", position, damagedCommits/2)
		}
		positions[position]++
	}
	if len(positions) < 10 {
		t.Errorf("found the positions %v only", positions)
	}
}

// TestNoChecksums: the file of an older rowhook has none, and stays readable.
func TestNoChecksums(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	alter(t, dir, `PRAGMA page_size = 4096;`+schema+firstRows())
	s := open(t, dir)
	commit(t, s, 50)
	alter(t, dir, `UPDATE batch SET body = substr(body, 1, length(body) - 1)`) // as it wrote them
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = open(t, dir)
	list, err := s.List(t.Context(), outbox.Filter{Bodies: true})
	if err != nil || len(list) != 50 || len(list[49].Body) < 1000 {
		t.Errorf("%d deliveries, %v", len(list), err)
	}
}

// TestForeignLock: what the lock file holds does not matter, who has it locked does.
func TestForeignLock(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, lockName)
	if err := os.WriteFile(path, []byte("\xff\x00 nobody's, and longer than a number\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	foreign, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer foreign.Close()
	if err := syscall.Flock(int(foreign.Fd()), syscall.LOCK_EX); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(t.Context(), dir, slog.New(slog.DiscardHandler)); !errors.Is(err, outbox.ErrLocked) || strings.Contains(err.Error(), "pid") {
		t.Errorf("locked by another: %v", err)
	}
	if err := syscall.Flock(int(foreign.Fd()), syscall.LOCK_UN); err != nil {
		t.Fatal(err)
	}
	commit(t, open(t, dir), 1)
}
