package sqlite

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/ncruces/go-sqlite3"

	"rowhook/outbox"
)

// TestPrune: what was delivered long enough ago goes with all its rows; nothing else does.
func TestPrune(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := open(t, dir)
	for range 5 {
		commit(t, s, 2) // 1-2 delivered, 3-4 one waits, 5-6 delivered after a failure, 7-8 one fresh, 9-10 delivered
	}
	failure := &outbox.Attempt{Status: 500}
	ok := func(seq int64) outbox.Outcome { return outbox.Outcome{Seq: seq, State: outbox.Delivered, Attempts: 1} }
	settle(t, s, ok(1), ok(2), ok(3), outbox.Outcome{Seq: 4, State: outbox.Waiting, Attempt: failure},
		outbox.Outcome{Seq: 5, State: outbox.Waiting, Attempts: 1, Attempt: failure}, outbox.Outcome{Seq: 5, State: outbox.Delivered, Attempts: 2},
		ok(6), ok(7), ok(9), ok(10))
	prune(t, s, time.Now().Add(-time.Hour), 0)
	later := time.Now().Add(time.Hour)
	prune(t, s, later, 8)
	prune(t, s, later, 0)
	wantStates(t, s, "waiting crm", "fresh crm")
	wantRows(t, s, map[string]int64{"batch": 0, "clock": 0, "kept": 2, "delivery": 2, "attempt": 1, "failed": 1, "backlog": 2})
	settle(t, s, outbox.Outcome{Seq: 1, State: outbox.Waiting, Attempt: failure}) // gone: nothing to record
	settle(t, s, ok(4), ok(8))
	prune(t, s, later, 2)
	wantRows(t, s, map[string]int64{"batch": 0, "clock": 0, "kept": 0, "delivery": 0, "attempt": 0, "failed": 0, "backlog": 0, "done": 0})
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if seq := commit(t, open(t, dir), 1); seq != 11 {
		t.Errorf("the next delivery is number %d, want 11", seq)
	}
}

// wantRows counts the rows of tables.
func wantRows(t *testing.T, s *Store, want map[string]int64) {
	t.Helper()
	s.writing.Lock()
	defer s.writing.Unlock()
	for table, want := range want {
		if n, err := number(s.w.conn, `SELECT count(*) FROM `+table); err != nil || n != want {
			t.Errorf("%d rows of %s are left, want %d (%v)", n, table, want, err)
		}
	}
}

func prune(t *testing.T, s *Store, olderThan time.Time, want int) {
	t.Helper()
	if p, err := s.Prune(t.Context(), outbox.Keep{Since: olderThan}); err != nil || p.Deliveries != want {
		t.Errorf("pruned %+v, %v, want %d", p, err, want)
	}
}

// TestPruneShrinks: a file that grew far beyond its limit gives the room back, whatever version made it, and all that stays
// can still be read.
func TestPruneShrinks(t *testing.T) {
	t.Parallel()
	for name, before := range map[string]func(t *testing.T, dir string){
		"new":         func(*testing.T, string) {},
		"no vacuum":   func(t *testing.T, dir string) { alter(t, dir, `PRAGMA page_size = 4096;`+schema+firstRows()) },
		"much pruned": func(t *testing.T, dir string) { fill(t, dir) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			before(t, dir)
			s := open(t, dir)
			kept := grow(t, s)
			const limit = 2 << 20
			p, err := s.Prune(t.Context(), outbox.Keep{Bytes: limit})
			if err != nil || p.Bytes > limit {
				t.Errorf("pruned %+v, %v", p, err)
			}
			if size := sizeOf(t, dir); size != p.Bytes {
				t.Errorf("it says that it takes %d bytes, and takes %d", p.Bytes, size)
			}
			for seq, body := range kept {
				list := all(t, s, outbox.Filter{After: seq - 1, Limit: 1, Bodies: true})
				if len(list) != 1 || list[0].Seq != seq || !bytes.Equal(list[0].Body, body) {
					t.Errorf("delivery %d is not what it was", seq)
				}
			}
			commit(t, s, 100)
		})
	}
}

// grow stores 20 MB, of which one in a hundred is dead, and returns the payloads of those.
func grow(t *testing.T, s *Store) (dead map[int64][]byte) {
	t.Helper()
	route(t, s)
	dead = make(map[int64][]byte)
	for i := range 20 {
		b := outbox.Batch{}
		for j := range 100 {
			body := bytes.Repeat(fmt.Appendf(nil, "%04d", 100*i+j), 2500)
			b.Deliveries = append(b.Deliveries, &outbox.Delivery{Rule: "crm", Body: body})
		}
		if err := s.Commit(t.Context(), &b); err != nil {
			t.Fatal(err)
		}
		for j, d := range b.Deliveries {
			if j == 50 {
				settle(t, s, outbox.Outcome{Seq: d.Seq, State: outbox.Dead, Attempts: 1})
				dead[d.Seq] = d.Body
			} else {
				settle(t, s, outbox.Outcome{Seq: d.Seq, State: outbox.Delivered, Attempts: 1})
			}
		}
	}
	return dead
}

// sizeOf is what the files of an outbox take, but for the lock and SQLite's shared memory.
func sizeOf(t *testing.T, dir string) (size int64) {
	t.Helper()
	for _, name := range []string{fileName, fileName + "-wal"} {
		info, err := os.Stat(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		size += info.Size()
	}
	return size
}

// TestErased: nothing of what was erased is left in the files, wherever it was, and whatever had happened to it.
func TestErased(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := open(t, dir)
	route(t, s)
	const secret, answer = "Zaphod Beeblebrox", "we know Zaphod, too"
	text := bytes.Repeat([]byte(secret+", "), 700) // over several pages
	for i := range 30 {
		b := outbox.Batch{}
		for j := range 10 {
			d := &outbox.Delivery{Rule: "crm", Keys: []string{"salon/customer/1"}, Body: bytes.Repeat([]byte("somebody else "), 100)}
			if j == i%10 {
				d.Keys, d.Body = []string{"salon/customer/7"}, text
			}
			b.Deliveries = append(b.Deliveries, d)
		}
		record := outbox.Record{Owner: "events", Key: "e", Data: text}
		if err := s.Commit(t.Context(), &outbox.Batch{Open: []outbox.Record{record}}); err != nil {
			t.Fatal(err)
		}
		b.Open = []outbox.Record{{Owner: "events", Key: "e"}} // what it was before it was a delivery
		if err := s.Commit(t.Context(), &b); err != nil {
			t.Fatal(err)
		}
		for _, d := range b.Deliveries {
			o := outbox.Outcome{Seq: d.Seq, State: outbox.Delivered, Attempts: 1}
			if d.Keys[0] == "salon/customer/7" && i%3 == 0 {
				o.State, o.Attempt = outbox.Dead, &outbox.Attempt{Response: answer}
			}
			settle(t, s, o)
		}
		if i == 14 { // the dead ones of the first half are moved out of their commits
			prune(t, s, time.Now().Add(time.Hour), 145)
		}
	}
	if found := search(t, dir, secret) + search(t, dir, answer); found < 100 {
		t.Fatalf("it is found %d times before", found)
	}
	if n, err := s.Erase(t.Context(), outbox.Filter{Key: "salon/customer/7"}); err != nil || n != 20 {
		t.Errorf("erased %d, %v", n, err)
	}
	for _, text := range []string{secret, answer} {
		if n := search(t, dir, text); n != 0 {
			t.Errorf("%q is found %d times", text, n)
		}
	}
	for _, d := range all(t, s, outbox.Filter{Bodies: true}) {
		if d.Erased != (d.Keys[0] == "salon/customer/7") || d.Erased == (len(d.Body) == 1400) {
			t.Errorf("delivery %d: erased %v, %d bytes", d.Seq, d.Erased, len(d.Body))
		}
	}
}

// TestSomebodyReads: a person who keeps an older state of the file open, with sqlite3, holds up no commit and no pruning. To
// erase something waits for him, as it would be left in the log in front of the file.
func TestSomebodyReads(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := open(t, dir)
	last := commit(t, s, 10)
	settle(t, s, outbox.Outcome{Seq: last, State: outbox.Delivered, Attempts: 1})
	person, err := sqlite3.Open(filepath.Join(dir, fileName))
	if err != nil {
		t.Fatal(err)
	}
	defer person.Close()
	if err := person.Exec(`BEGIN; SELECT count(*) FROM deliveries`); err != nil {
		t.Fatal(err)
	}
	commit(t, s, 10)
	if _, err := s.Prune(t.Context(), outbox.Keep{Bytes: 1 << 20}); err != nil {
		t.Error(err)
	}
	erased := make(chan error, 1)
	go func() {
		_, err := s.Erase(t.Context(), outbox.Filter{})
		erased <- err
	}()
	for range 20 {
		commit(t, s, 1)
	}
	select {
	case err := <-erased:
		t.Errorf("it does not wait: %v", err)
	default:
	}
	if err := person.Exec(`COMMIT`); err != nil {
		t.Fatal(err)
	}
	if err := <-erased; err != nil {
		t.Error(err)
	}
}

// search counts how often a text is in the files.
func search(t *testing.T, dir, text string) (n int) {
	t.Helper()
	for _, name := range []string{fileName, fileName + "-wal"} {
		content, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		n += bytes.Count(content, []byte(text))
	}
	return n
}

// TestPruneYields: commits go on between the steps of a long pruning.
func TestPruneYields(t *testing.T) {
	t.Parallel()
	s := open(t, t.TempDir())
	route(t, s)
	body := make([]byte, 100_000)
	for range 100 {
		b := outbox.Batch{}
		var outcomes []outbox.Outcome
		for range 10 {
			b.Deliveries = append(b.Deliveries, &outbox.Delivery{Rule: "crm", Body: body})
		}
		if err := s.Commit(t.Context(), &b); err != nil {
			t.Fatal(err)
		}
		for _, d := range b.Deliveries {
			outcomes = append(outcomes, outbox.Outcome{Seq: d.Seq, State: outbox.Delivered, Attempts: 1})
		}
		settle(t, s, outcomes...)
	}
	later, pruned := time.Now().Add(time.Hour), make(chan error, 1)
	go func() {
		_, err := s.Prune(t.Context(), outbox.Keep{Since: later})
		pruned <- err
	}()
	for commits := 0; ; commits++ {
		select {
		case err := <-pruned:
			if err != nil || commits < 3 { // 100 MB take 50 steps
				t.Errorf("%d commits meanwhile, %v", commits, err)
			}
			return
		default:
			commit(t, s, 1)
		}
	}
}

// TestPruneSteps: many commits go in several transactions, also past those that stay; it ends with its context, and with
// the store.
func TestPruneSteps(t *testing.T) {
	t.Parallel()
	s := open(t, t.TempDir())
	const n = 3*pruneStep + 7
	for seq := int64(1); seq <= n; seq++ {
		commit(t, s, 1)
		state := outbox.Delivered
		if seq <= pruneStep+1 {
			state = outbox.Dead
		}
		settle(t, s, outbox.Outcome{Seq: seq, State: state, Attempts: 1})
	}
	later := time.Now().Add(time.Hour)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if p, err := s.Prune(ctx, outbox.Keep{Since: later}); p.Deliveries != 0 || !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: pruned %+v, %v", p, err)
	}
	prune(t, s, later, n-pruneStep-1)
	if p, err := s.Prune(t.Context(), outbox.Keep{Dead: later}); err != nil || p.Deliveries != pruneStep+1 {
		t.Errorf("dead ones: pruned %+v, %v", p, err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Prune(t.Context(), outbox.Keep{Since: later}); !errors.Is(err, outbox.ErrClosed) {
		t.Errorf("closed: %v", err)
	}
}
