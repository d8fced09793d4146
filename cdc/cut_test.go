package cdc

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"rowhook/cdc/cdctest"
	"rowhook/dbtest"
)

// ledger is a Sink that remembers what was committed, with the position, as an outbox does.
type ledger struct {
	at    *Cursor // what the last commit carried
	open  []string
	rows  []string
	want  int
	whole chan struct{} // closed when all rows that are wanted were committed
}

func newLedger(t *testing.T, p Position, want int) *ledger {
	t.Helper()
	at, err := NewCursor(p)
	if err != nil {
		t.Fatal(err)
	}
	return &ledger{at: at, want: want, whole: make(chan struct{})}
}

func (l *ledger) Change(c *Change) error {
	l.open = append(l.open, showChange(c))
	return nil
}

func (l *ledger) Discard(keep int) { l.open = l.open[:min(keep, len(l.open))] }

func (l *ledger) Commit(c *Commit) error {
	if c.Txn == (Txn{}) {
		return nil
	}
	if len(l.open) != c.Rows {
		return fmt.Errorf("a commit of %d rows after %d", c.Rows, len(l.open))
	}
	before := len(l.rows)
	l.rows = append(l.rows, l.open...)
	l.open = l.open[:0]
	if before < l.want && len(l.rows) >= l.want {
		close(l.whole)
	}
	l.at = c.At
	return nil
}

// TestCutAnywhere cuts the link after any number of bytes: in the handshake, in the questions before the log is asked for,
// within events and between them. What follows goes on from what was stored, as after a kill, or reconnects by itself.
// Every change comes exactly once, in order.
func TestCutAnywhere(t *testing.T) { cdctest.OnServers(t, testCutAnywhere) }

func testCutAnywhere(t *testing.T, server *dbtest.Server) {
	t.Helper()
	conn := cdctest.SchemaConn(t, server, "cut", "CREATE TABLE a (id INT PRIMARY KEY, s VARCHAR(500))", "CREATE TABLE other (id INT PRIMARY KEY)")
	through := newProxy(t, server.Address())
	cfg := sourceConfig(server, newLog(), "cut", "a")
	side := pool(t, cfg) // is not cut
	cfg.at(through.address())
	s, err := Open(t.Context(), side, cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	start := current(t, s)
	var want []string
	insert := func(ids ...int) {
		t.Helper()
		var values []string
		for _, id := range ids {
			text := strings.Repeat("x", id*7%300)
			values = append(values, fmt.Sprintf("(%d, '%s')", id, text))
			want = append(want, fmt.Sprintf("insert a(id=%d s=%s)", id, text))
		}
		cdctest.Exec(t, conn, "INSERT INTO a VALUES "+strings.Join(values, ", "))
	}
	for i := range 12 {
		insert(10 * i)
		insert(10*i+1, 10*i+2, 10*i+3)
		switch i {
		case 3:
			cdctest.Exec(t, conn, "INSERT INTO other VALUES (1)")
		case 5:
			cdctest.Exec(t, conn, "FLUSH BINARY LOGS")
		case 8:
			cdctest.Exec(t, conn, "ALTER TABLE other ADD x INT")
		}
	}
	cuts := 0
	for n := int64(0); ; n += 1 + n/40 {
		l := newLedger(t, start, len(want))
		through.limit(n)
		if cutOnce(t, s, l, through, cuts%25 == 24) {
			cuts++
		}
		if !slices.Equal(l.rows, want) {
			t.Fatalf("cut after %d bytes: %d rows, want %d:\n%s", n, len(l.rows), len(want), strings.Join(l.rows, "\n"))
		}
		if n > 64<<10 { // the log has fewer
			break
		}
	}
	if cuts < 100 {
		t.Errorf("only %d links were cut", cuts)
	}
}

// cutOnce follows over a link that will be cut, then over one that will not, to the end. It says whether one was cut.
func cutOnce(t *testing.T, s *Source, l *ledger, through *proxy, byItself bool) (cut bool) {
	t.Helper()
	for {
		p := l.at.Position()
		l.open = nil
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- s.Follow(ctx, p, nil, l) }()
		broken := through.cut
		if byItself {
			broken = nil
		}
		over := false
		select {
		case <-broken:
			cut = true
		case <-l.whole:
			over = true
		case err := <-done:
			cancel()
			t.Fatalf("following ended: %v", err)
		case <-time.After(patience):
			t.Error("it is stalled")
			over = true
		}
		cancel()
		if err := <-done; !errors.Is(err, context.Canceled) {
			t.Fatalf("following ended with %v", err)
		}
		if over {
			select {
			case <-through.cut:
				return true
			default:
				return cut
			}
		}
	}
}
