package sqlite

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ncruces/go-sqlite3"

	"rowhook/outbox"
	"rowhook/outbox/pending"
)

// pragma sets something on the writing connection.
func pragma(t *testing.T, s *Store, text string) {
	t.Helper()
	s.writing.Lock()
	defer s.writing.Unlock()
	if err := s.w.conn.Exec("PRAGMA " + text); err != nil {
		t.Fatal(err)
	}
}

// TestDurable: every commit is synced, whatever the driver's default.
func TestDurable(t *testing.T) {
	t.Parallel()
	s := open(t, t.TempDir())
	for name, want := range map[string]int64{"synchronous": 2, "secure_delete": 1, "auto_vacuum": 2, "wal_autocheckpoint": 0, "page_size": pageSize} {
		if got, err := number(s.w.conn, "PRAGMA "+name); err != nil || got != want {
			t.Errorf("%s is %d, %v, want %d", name, got, err, want)
		}
	}
}

// TestLogStaysShort: the log in front of the file is moved into it again and again, while a reader looks on.
func TestLogStaysShort(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := open(t, dir)
	longest, after := int64(0), int64(0)
	for range 60 { // 15 MB
		commit(t, s, 250)
		list, err := s.Claim(t.Context(), "a", after, 1000)
		if err != nil || len(list) != 250 {
			t.Fatalf("%d deliveries, %v", len(list), err)
		}
		after = list[249].Number
		info, err := os.Stat(filepath.Join(dir, fileName+"-wal"))
		if err != nil {
			t.Fatal(err)
		}
		longest = max(longest, info.Size())
	}
	if most := int64(2 * checkpointPages * pageSize); longest > most {
		t.Errorf("the log grew to %d bytes, want %d at most", longest, most)
	}
}

// TestAdvice: a failed write on a disk without room is explained by that.
func TestAdvice(t *testing.T) {
	t.Parallel()
	const full = "/proc/outbox.db" // a file system that never has room
	if text := explain("write", full, sqlite3.IOERR_WRITE).Error(); !strings.Contains(text, "the disk is full (0 KB are free)") {
		t.Error(text)
	}
	for _, err := range []error{outbox.ErrClosed, nil} {
		if got := explain("write", full, err); got != err { //nolint:errorlint // not even wrapped
			t.Errorf("%v became %v", err, got)
		}
	}
}

func settle(t *testing.T, s *Store, outcomes ...outbox.Outcome) {
	t.Helper()
	if err := s.Settle(t.Context(), outcomes); err != nil {
		t.Fatal(err)
	}
}

// wantStates compares state and rule of all deliveries.
func wantStates(t *testing.T, s *Store, want ...string) {
	t.Helper()
	list, err := s.List(t.Context(), outbox.Filter{})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, d := range list {
		got = append(got, d.State.String()+" "+d.Rule)
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// TestFlush: outcomes reach the file after a tenth of a second, or when there are many, without a commit.
func TestFlush(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		s := open(t, dir)
		defer s.Close()
		last := commit(t, s, pending.FlushCount+1)
		file, err := OpenLog(t.Context(), dir)
		if err != nil {
			t.Fatal(err)
		}
		defer file.Close()
		written := func() int {
			t.Helper()
			synctest.Wait()
			list, err := file.List(t.Context(), outbox.Filter{States: []outbox.State{outbox.Delivered}})
			if err != nil {
				t.Fatal(err)
			}
			return len(list)
		}
		settle(t, s, outbox.Outcome{Seq: last, State: outbox.Delivered, Attempts: 1})
		<-time.After(pending.FlushAfter - time.Nanosecond)
		if n := written(); n != 0 {
			t.Errorf("%d are written too early", n)
		}
		<-time.After(time.Nanosecond)
		if n := written(); n != 1 {
			t.Errorf("%d are written after %v, want 1", n, pending.FlushAfter)
		}
		for seq := range last - 1 {
			settle(t, s, outbox.Outcome{Seq: seq + 1, State: outbox.Delivered, Attempts: 1})
		}
		if n := written(); n != int(last) {
			t.Errorf("%d are written at once, want %d", n, last)
		}
	})
}

// TestFlushRests: outcomes that rode on a commit make nobody write those that come later any earlier.
func TestFlushRests(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := open(t, t.TempDir())
		defer s.Close()
		last := commit(t, s, 3)
		pass := func(d time.Duration) (pending int) {
			t.Helper()
			<-time.After(d)
			synctest.Wait()
			s.mu.Lock()
			defer s.mu.Unlock()
			return s.pending.Len()
		}
		for seq := last - 2; seq < last; seq++ { // the flusher waits for the first, and is told of the second
			settle(t, s, outbox.Outcome{Seq: seq, State: outbox.Delivered, Attempts: 1})
			synctest.Wait()
		}
		commit(t, s, 1)
		pass(pending.FlushAfter * 3 / 2)
		settle(t, s, outbox.Outcome{Seq: last, State: outbox.Delivered, Attempts: 1})
		if n := pass(pending.FlushAfter - time.Nanosecond); n != 1 {
			t.Error("an outcome is written too early")
		}
		if n := pass(time.Nanosecond); n != 0 {
			t.Error("an outcome is not written")
		}
	})
}

// TestView: a person with sqlite3 sees deliveries, not the layout.
func TestView(t *testing.T) {
	t.Parallel()
	s := open(t, t.TempDir())
	route(t, s)
	created := time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)
	var b outbox.Batch
	for i := range 5 {
		b.Deliveries = append(b.Deliveries, &outbox.Delivery{ID: outbox.ID{0xab, byte(i)}, Rule: "crm", Site: "salon",
			Kind: "appointment.save", Created: created, Body: fmt.Appendf(nil, `{"n":%d}`, i)})
	}
	b.Deliveries[2].Omitted, b.Deliveries[4].Rule = []string{"notes", "photo"}, "gone"
	if err := s.Commit(t.Context(), &b); err != nil {
		t.Fatal(err)
	}
	attempt := &outbox.Attempt{At: created, Status: 503, Error: "down"}
	settle(t, s,
		outbox.Outcome{Seq: 1, State: outbox.Delivered, Attempts: 1},
		outbox.Outcome{Seq: 3, State: outbox.Delivered, Attempts: 1},
		outbox.Outcome{Seq: 4, State: outbox.Waiting, Attempts: 2, Due: created.Add(time.Hour), Attempt: attempt})
	if err := s.flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	want := []string{
		"ab000000000000000000000000000000 crm salon appointment.save a 1 delivered 1 2026-03-04 05:06:07    {\"n\":0}",
		"ab010000000000000000000000000000 crm salon appointment.save a 2 fresh 0 2026-03-04 05:06:07    {\"n\":1}",
		"ab020000000000000000000000000000 crm salon appointment.save a 3 delivered 1 2026-03-04 05:06:07   notes\nphoto {\"n\":2}",
		"ab030000000000000000000000000000 crm salon appointment.save a 4 waiting 2 2026-03-04 05:06:07 2026-03-04 06:06:07 down  {\"n\":3}",
		"ab040000000000000000000000000000 gone salon appointment.save   held 0 2026-03-04 05:06:07    {\"n\":4}",
	}
	err := each(s.w.conn, `SELECT id, rule, site, kind, endpoint, number, state, attempts, created, due, error, omitted, payload FROM deliveries ORDER BY seq`, nil,
		func(row *sqlite3.Stmt) (bool, error) {
			columns := make([]string, row.ColumnCount())
			for i := range columns {
				columns[i] = row.ColumnText(i)
			}
			if got := strings.Join(columns, " "); len(want) == 0 || got != want[0] {
				t.Errorf("got  %s\nwant %s", got, want[0])
			}
			want = want[1:]
			return true, nil
		})
	if err != nil || len(want) != 0 {
		t.Errorf("%v; not seen: %q", err, want)
	}
}

// TestBounded: neither the log in front of the file nor what is kept in memory grows with what is stored.
func TestBounded(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := open(t, dir)
	var last int64
	for range 60 {
		last = commit(t, s, 500) // 30 MB in all
	}
	if info, err := os.Stat(filepath.Join(dir, fileName+"-wal")); err != nil || info.Size() > 6<<20 {
		t.Errorf("the log has %d bytes, %v", info.Size(), err)
	}
	if s.recent.bytes > maxRecent || len(s.recent.order) < 1000 {
		t.Errorf("%d deliveries of %d bytes are in memory", len(s.recent.order), s.recent.bytes)
	}
	if n, err := number(s.w.conn, `SELECT count(*) FROM backlog`); err != nil || n != last-int64(len(s.recent.bySeq)) {
		t.Errorf("%d of %d are in the backlog, %d in memory (%v)", n, last, len(s.recent.bySeq), err)
	}
	for seq := range last {
		settle(t, s, outbox.Outcome{Seq: seq + 1, State: outbox.Delivered, Attempts: 1})
	}
	if s.recent.bytes != 0 || len(s.recent.order) != 0 {
		t.Errorf("when all is settled %d bytes are in memory", s.recent.bytes)
	}
	if err := s.flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	wantRows(t, s, map[string]int64{"backlog": 0, "done": 0, "failed": 0})
}

// TestOneLags: an endpoint whose deliveries are not sent keeps those of others neither out of memory nor out of the marks.
func TestOneLags(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := open(t, dir)
	route(t, s)
	body := make([]byte, 2000)
	for i := range 300 {
		var b outbox.Batch
		for j := range 40 {
			rule := "crm"
			if j%2 == 0 {
				rule = "new" // never sent: 12 MB in all
			}
			b.Deliveries = append(b.Deliveries, &outbox.Delivery{Rule: rule, Body: body})
		}
		if err := s.Commit(t.Context(), &b); err != nil {
			t.Fatal(err)
		}
		s.mu.Lock()
		inMemory := len(s.recent.claim(s.queues["a"].id, 0, 1000, 0))
		s.mu.Unlock()
		if inMemory != 20 {
			t.Fatalf("commit %d: %d of the 20 new ones are in memory", i, inMemory)
		}
		for _, d := range b.Deliveries {
			if d.Rule == "crm" {
				settle(t, s, outbox.Outcome{Seq: d.Seq, State: outbox.Delivered, Attempts: 1})
			}
		}
	}
	if err := s.flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n := len(s.w.done.Runs); n > 2*maxRuns || s.w.last-s.w.done.Low > maxSpan || s.recent.bytes > maxRecent {
		t.Errorf("%d runs, %d numbers, %d bytes in memory", n, s.w.last-s.w.done.Low, s.recent.bytes)
	}
	for range 2 {
		n := int64(0)
		for {
			list, err := s.Claim(t.Context(), "b", n, 500)
			if err != nil {
				t.Fatal(err)
			}
			if len(list) == 0 {
				break
			}
			for _, d := range list {
				if n++; d.Number != n || len(d.Body) != len(body) {
					t.Fatalf("number %d with %d bytes comes in place %d", d.Number, len(d.Body), n)
				}
			}
		}
		if n != 6000 {
			t.Errorf("%d are claimed", n)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		s = open(t, dir)
	}
}
