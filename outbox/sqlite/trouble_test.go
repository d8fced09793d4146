package sqlite

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ncruces/go-sqlite3"

	"rowhook/outbox"
	"rowhook/outbox/pending"
)

// loud is a log that a test reads.
type loud struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *loud) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(b)
}

func (l *loud) want(t *testing.T, counts map[string]int) {
	t.Helper()
	l.mu.Lock()
	defer l.mu.Unlock()
	for text, want := range counts {
		if n := strings.Count(l.text.String(), text); n != want {
			t.Errorf("%q was logged %d times, want %d:\n%s", text, n, want, &l.text)
		}
	}
}

const (
	saidOnce   = "the outbox cannot be written"
	saidHourly = "the outbox still cannot be written"
	saidGood   = "the outbox can be written again"
)

// TestWaits: while the file cannot be written everything that writes waits, says so once and each hour, and goes on by
// itself; everything that reads answers meanwhile. Nothing is lost.
func TestWaits(t *testing.T) {
	for name, c := range map[string]struct {
		begin func(t *testing.T, s *Store, dir string) (end func())
		said  string
	}{
		"a full disk": {func(t *testing.T, s *Store, _ string) func() {
			pragma(t, s, "max_page_count = 1") // no more than there are
			return func() { pragma(t, s, "max_page_count = 100000") }
		}, "the disk is full"},
		"read-only": {func(t *testing.T, s *Store, _ string) func() {
			pragma(t, s, "query_only = 1")
			return func() { pragma(t, s, "query_only = 0") }
		}, "be writable"},
		"locked by another program": {func(t *testing.T, s *Store, dir string) func() {
			pragma(t, s, "busy_timeout = 0") // SQLite's own waiting is not the bubble's
			other, err := sqlite3.Open(filepath.Join(dir, fileName))
			if err != nil {
				t.Fatal(err)
			}
			if err := other.Exec(`BEGIN EXCLUSIVE`); err != nil {
				t.Fatal(err)
			}
			return func() {
				if err := errors.Join(other.Exec(`COMMIT`), other.Close()); err != nil {
					t.Fatal(err)
				}
			}
		}, "another program has a transaction open"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { waits(t, c.begin, c.said) })
		})
	}
}

func waits(t *testing.T, begin func(t *testing.T, s *Store, dir string) (end func()), said string) {
	dir, log := t.TempDir(), new(loud)
	s, err := Open(t.Context(), dir, slog.New(slog.NewTextHandler(log, nil)))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	commit(t, s, 3)
	end := begin(t, s, dir)

	const large = 64 << 10 // no more: it is tried each second, for hours
	batch := &outbox.Batch{
		Checkpoint: []byte("q"), Open: []outbox.Record{{Owner: "o", Key: "a", Data: []byte("A")}},
		Deliveries: []*outbox.Delivery{{Rule: "new", Body: []byte("small")}, {Rule: "new", Body: bytes.Repeat([]byte("x"), large)}},
	}
	committed, done := make(chan error, 1), make(chan error, 2) // what is small may find room on a full disk
	go func() { committed <- s.Commit(t.Context(), batch) }()
	go func() { done <- s.CompareAndSet(t.Context(), "k", "", strings.Repeat("v", large)) }()
	go func() {
		done <- s.Settle(t.Context(), []outbox.Outcome{{Seq: 3, State: outbox.Waiting, Retried: time.Now()}})
	}()
	settle(t, s, outbox.Outcome{Seq: 1, State: outbox.Waiting, Attempts: 1}, outbox.Outcome{Seq: 2, State: outbox.Delivered, Attempts: 1})
	<-time.After(2*time.Hour + time.Minute)
	synctest.Wait()
	log.want(t, map[string]int{saidOnce: 1, saidHourly: 2, saidGood: 0, said: 3, dir: 3})
	readsMeanwhile(t, s)
	select {
	case err := <-committed:
		t.Fatalf("the commit did not wait: %v", err)
	default:
	}

	end()
	<-time.After(2 * retryAfter)
	synctest.Wait()
	if err := errors.Join(<-committed, <-done, <-done); err != nil {
		t.Error(err)
	}
	log.want(t, map[string]int{saidOnce: 1, saidHourly: 2, saidGood: 1})
	if n := batch.Deliveries[1].Number; n != 2 {
		t.Errorf("the failed commits used up numbers: %d", n)
	}
	wantStates(t, s, "waiting crm", "delivered crm", "waiting crm", "fresh new", "fresh new")
}

// readsMeanwhile: what is asked is answered, by what was written last; what was settled does not come again.
func readsMeanwhile(t *testing.T, s *Store) {
	t.Helper()
	res, err := s.Resume(t.Context())
	if err != nil || string(res.Checkpoint) != "p" || len(res.Open) != 0 {
		t.Errorf("it resumes from %q and %v, %v", res.Checkpoint, res.Open, err)
	}
	if list, err := s.List(t.Context(), outbox.Filter{}); err != nil || len(list) != 3 {
		t.Errorf("it lists %d, %v", len(list), err)
	}
	if _, err := s.Counts(t.Context()); err != nil {
		t.Error(err)
	}
	if due, err := s.Due(t.Context()); err != nil || due["a"].Count == 0 {
		t.Errorf("due are %v, %v", due, err)
	}
	if _, err := s.Get(t.Context(), "k"); err != nil {
		t.Error(err)
	}
	list, err := s.Claim(t.Context(), "a", 0, 10)
	if err != nil || len(list) != 2 || list[0].State != outbox.Waiting || list[0].Attempts != 1 || list[1].Seq != 3 {
		t.Errorf("it claims %+v, %v", list, err)
	}
}

// TestWaitsEnds: who waits for the file goes away with his context, or when the store is closed, which does not wait.
func TestWaitsEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, err := Open(t.Context(), t.TempDir(), slog.New(slog.DiscardHandler))
		if err != nil {
			t.Fatal(err)
		}
		commit(t, s, 1)
		pragma(t, s, "query_only = 1")
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if err := s.Commit(ctx, &outbox.Batch{Checkpoint: []byte("q")}); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v", err)
		}
		done := make(chan error, 1)
		go func() { done <- s.Commit(t.Context(), &outbox.Batch{Checkpoint: []byte("q")}) }()
		synctest.Wait()
		if err := s.Close(); err == nil {
			t.Error("closing it lost something, and said nothing")
		}
		if err := <-done; !errors.Is(err, outbox.ErrClosed) {
			t.Errorf("got %v", err)
		}
	})
}

// TestPendingBounded: outcomes that cannot be written take bounded memory; who has more of them waits.
func TestPendingBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, err := Open(t.Context(), t.TempDir(), slog.New(slog.DiscardHandler))
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		commit(t, s, 2)
		pragma(t, s, "query_only = 1")
		answer := strings.Repeat("x", outbox.MaxText)
		n := 0
		for ; ; n++ {
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			err := s.Settle(ctx, []outbox.Outcome{{Seq: 2, State: outbox.Dead, Attempts: n, Attempt: &outbox.Attempt{Response: answer}}})
			cancel()
			if errors.Is(err, context.DeadlineExceeded) {
				break
			}
			if err != nil || n > pending.MaxBytes/outbox.MaxText {
				t.Fatalf("%d outcomes are in memory, %v", n, err)
			}
		}
		if n < pending.MaxBytes/outbox.MaxText/2 {
			t.Errorf("only %d outcomes are taken", n)
		}
		waiting := make(chan error, 1)
		go func() {
			waiting <- s.Settle(t.Context(), []outbox.Outcome{{Seq: 1, State: outbox.Delivered, Attempts: 1}})
		}()
		pragma(t, s, "query_only = 0")
		<-time.After(2 * retryAfter)
		synctest.Wait()
		if err := <-waiting; err != nil {
			t.Error(err)
		}
		wantStates(t, s, "delivered crm", "dead crm")
	})
}

// TestBeyondHelp: a damaged file is no reason to wait: commits and outcomes say so.
func TestBeyondHelp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := new(loud)
		s, err := Open(t.Context(), t.TempDir(), slog.New(slog.NewTextHandler(log, nil)))
		if err != nil {
			t.Fatal(err)
		}
		commit(t, s, 2)
		if err := s.w.conn.Exec(`DROP TABLE failed`); err != nil {
			t.Fatal(err)
		}
		dead := []outbox.Outcome{{Seq: 1, State: outbox.Dead, Attempts: 1}}
		settle(t, s, dead...)
		<-time.After(time.Second)
		synctest.Wait()
		if err := s.Settle(t.Context(), dead); err == nil {
			t.Error("outcomes are still taken")
		}
		if err := s.Commit(t.Context(), &outbox.Batch{Checkpoint: []byte("q")}); err == nil {
			t.Error("it is still written")
		}
		log.want(t, map[string]int{"outcomes cannot be written": 1, saidOnce: 0})
		if err := s.Close(); err == nil {
			t.Error("closing it lost something, and said nothing")
		}
	})
}
