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
	"testing/synctest"
	"time"

	"github.com/ncruces/go-sqlite3"

	"rowhook/outbox"
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
	for name, want := range map[string]int64{"synchronous": 2, "wal_autocheckpoint": 0, "page_size": pageSize} {
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
		list, err := s.Next(t.Context(), after, 1000)
		if err != nil || len(list) != 250 {
			t.Fatalf("%d deliveries, %v", len(list), err)
		}
		after = list[249].Seq
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

// TestDiskFull: a commit that finds no room leaves nothing behind, and the same one succeeds when there is room.
func TestDiskFull(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := open(t, dir)
	commit(t, s, 2)
	pragma(t, s, "max_page_count = 1") // no more than there are
	settle(t, s, outbox.Outcome{Seq: 1, State: outbox.Waiting, Attempts: 1}, outbox.Outcome{Seq: 2, State: outbox.Delivered, Attempts: 1})

	large := &outbox.Batch{
		Checkpoint: []byte("q"), Open: []outbox.Record{{Key: "a", Data: []byte("A")}},
		Deliveries: []*outbox.Delivery{{Rule: "new", Body: []byte("small")}, {Rule: "new", Body: bytes.Repeat([]byte("x"), 1<<20)}},
	}
	for range 2 {
		err := s.Commit(t.Context(), large)
		if !errors.Is(err, sqlite3.FULL) || !strings.Contains(err.Error(), "the disk is full") || !strings.Contains(err.Error(), dir) {
			t.Fatalf("got %v", err)
		}
	}
	res, err := s.Resume(t.Context())
	if err != nil || string(res.Checkpoint) != "p" || len(res.Open) != 0 {
		t.Errorf("after the failure it resumes from %q and %v, %v", res.Checkpoint, res.Open, err)
	}

	pragma(t, s, "max_page_count = 100000")
	if err := s.Commit(t.Context(), large); err != nil {
		t.Fatal(err)
	}
	if seq := large.Deliveries[1].Seq; seq != 4 {
		t.Errorf("the failed commits used up numbers: %d", seq)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	wantStates(t, open(t, dir), "waiting crm", "delivered crm", "fresh new", "fresh new")
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
	if err := s.Settle(outcomes); err != nil {
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
		last := commit(t, s, flushCount+1)
		file, err := OpenReadOnly(t.Context(), dir)
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
		<-time.After(flushAfter - time.Nanosecond)
		if n := written(); n != 0 {
			t.Errorf("%d are written too early", n)
		}
		<-time.After(time.Nanosecond)
		if n := written(); n != 1 {
			t.Errorf("%d are written after %v, want 1", n, flushAfter)
		}
		for seq := range last - 1 {
			settle(t, s, outbox.Outcome{Seq: seq + 1, State: outbox.Delivered, Attempts: 1})
		}
		if n := written(); n != int(last) {
			t.Errorf("%d are written at once, want %d", n, last)
		}
	})
}

// TestFlushFails: outcomes that cannot be written are kept and tried again; it is logged once; in the end Settle refuses more.
func TestFlushFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		s, err := Open(t.Context(), t.TempDir(), slog.New(slog.NewTextHandler(&log, nil)))
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		commit(t, s, 2)
		pragma(t, s, "query_only = 1")
		settle(t, s, outbox.Outcome{Seq: 1, State: outbox.Delivered, Attempts: 1})
		<-time.After(3*retryAfter + retryAfter/2)
		synctest.Wait()
		if n := strings.Count(log.String(), "cannot be written"); n != 1 {
			t.Errorf("logged %d times:\n%s", n, &log)
		}
		settle(t, s, dead(maxPending)...)
		if err := s.Settle(dead(1)); !errors.Is(err, sqlite3.READONLY) {
			t.Errorf("with %d outcomes in memory Settle returns %v", maxPending, err)
		}
		pragma(t, s, "query_only = 0")
		<-time.After(retryAfter)
		synctest.Wait()
		if !strings.Contains(log.String(), "written again") {
			t.Errorf("not logged that it works again:\n%s", &log)
		}
		wantStates(t, s, "delivered crm", "dead crm")
	})
}

// dead makes n outcomes of delivery 2, the last of which counts.
func dead(n int) []outbox.Outcome {
	list := make([]outbox.Outcome, n)
	for i := range list {
		list[i] = outbox.Outcome{Seq: 2, State: outbox.Dead, Attempts: i}
	}
	return list
}

// TestView: a person with sqlite3 sees deliveries, not the layout.
func TestView(t *testing.T) {
	t.Parallel()
	s := open(t, t.TempDir())
	created := time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)
	var b outbox.Batch
	for i := range 5 {
		b.Deliveries = append(b.Deliveries, &outbox.Delivery{ID: outbox.ID{0xab, byte(i)}, Rule: "crm", Site: "salon",
			Kind: "appointment.save", Created: created, Body: fmt.Appendf(nil, `{"n":%d}`, i)})
	}
	if err := s.Commit(t.Context(), &b); err != nil {
		t.Fatal(err)
	}
	attempt := &outbox.Attempt{At: created, Status: 503, Error: "down"}
	settle(t, s,
		outbox.Outcome{Seq: 1, State: outbox.Delivered, Attempts: 1},
		outbox.Outcome{Seq: 3, State: outbox.Delivered, Attempts: 1},
		outbox.Outcome{Seq: 4, State: outbox.Waiting, Attempts: 2, Due: created.Add(time.Hour), Attempt: attempt},
		outbox.Outcome{Seq: 5, State: outbox.Held})
	if err := s.flush(); err != nil {
		t.Fatal(err)
	}
	want := []string{
		"ab000000000000000000000000000000 crm salon appointment.save delivered 1 2026-03-04 05:06:07   {\"n\":0}",
		"ab010000000000000000000000000000 crm salon appointment.save fresh 0 2026-03-04 05:06:07   {\"n\":1}",
		"ab020000000000000000000000000000 crm salon appointment.save delivered 1 2026-03-04 05:06:07   {\"n\":2}",
		"ab030000000000000000000000000000 crm salon appointment.save waiting 2 2026-03-04 05:06:07 2026-03-04 06:06:07 down {\"n\":3}",
		"ab040000000000000000000000000000 crm salon appointment.save held 0 2026-03-04 05:06:07   {\"n\":4}",
	}
	err := each(s.w.conn, `SELECT id, rule, site, kind, state, attempts, created, due, error, payload FROM deliveries ORDER BY seq`, nil,
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

// TestBounded: neither the log in front of the file nor what is kept in memory grows with what is stored; attempts of a
// delivery do not grow without end either.
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
	if s.recent.bytes > maxRecent || len(s.recent.list) < 1000 {
		t.Errorf("%d deliveries of %d bytes are in memory", len(s.recent.list), s.recent.bytes)
	}
	for seq := range last {
		settle(t, s, outbox.Outcome{Seq: seq + 1, State: outbox.Delivered, Attempts: 1})
	}
	if s.recent.bytes != 0 || len(s.recent.list) != 0 {
		t.Errorf("when all is settled %d bytes are in memory", s.recent.bytes)
	}
	for n := range 3 * maxAttempts {
		settle(t, s, outbox.Outcome{Seq: 1, State: outbox.Waiting, Attempts: n, Attempt: &outbox.Attempt{Status: n}})
	}
	if err := s.flush(); err != nil {
		t.Fatal(err)
	}
	if n, err := number(s.w.conn, `SELECT count(*) FROM attempt`); err != nil || n != maxAttempts {
		t.Errorf("%d attempts are kept, %v", n, err)
	}
}

// TestTooLarge: what SQLite could not take is refused before anything is written.
func TestTooLarge(t *testing.T) {
	t.Parallel()
	s := open(t, t.TempDir())
	huge := make([]byte, maxValue+1)
	for name, b := range map[string]*outbox.Batch{
		"payload":  {Deliveries: []*outbox.Delivery{{Body: huge}}},
		"event":    {Open: []outbox.Record{{Key: "a", Data: huge}}},
		"position": {Checkpoint: huge},
	} {
		if err := s.Commit(t.Context(), b); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
	}
	commit(t, s, 1)
}
