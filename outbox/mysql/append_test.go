package mysql

import (
	"errors"
	"strings"
	"testing"
	"time"

	"rowhook/outbox"
)

// failed are outcomes of all that a member claims at an endpoint, that take much room.
func failed(t *testing.T, m *Member, endpoint string, n int) (outcomes []outbox.Outcome) {
	t.Helper()
	var list []*outbox.Stored
	until(t, "it claims them", func() bool {
		var err error
		list, err = m.Claim(t.Context(), endpoint, 0, n)
		return err == nil && len(list) == n
	})
	for _, d := range list {
		outcomes = append(outcomes, outbox.Outcome{Seq: d.Seq, State: outbox.Waiting, Attempts: 1, Due: time.Now(),
			Attempt: &outbox.Attempt{At: time.Now(), Status: 500, Response: strings.Repeat("x", outbox.MaxText)}})
	}
	return outcomes
}

// TestLeaveFew: what waits at one endpoint holds up nobody who leaves another one.
func TestLeaveFew(t *testing.T) {
	t.Parallel()
	const each = 300
	cfg := config(serve(t), "outbox")
	cfg.Lease = patient
	s, m := memberOf(t, cfg, 2, each)
	writing, err := m.pools.writes.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for name, n := range map[string]int{"end00": each, "end01": 3} {
		if err := m.Settle(t.Context(), failed(t, m, name, each)[:n]); err != nil {
			t.Fatal(err)
		}
	}
	left := make(chan error, 1)
	go func() { left <- m.Leave(t.Context(), "end01") }()
	select {
	case err := <-left:
		t.Fatalf("it is left before anything is handed over: %v", err)
	case <-time.After(10 * time.Millisecond):
	}
	if err := m.appender.flush(t.Context(), nil, ends{}); err != nil {
		t.Errorf("of nothing: %v", err)
	}
	if err := writing.Close(); err != nil {
		t.Fatal(err)
	}
	if err := <-left; err != nil {
		t.Fatal(err)
	}
	m.parts.mu.Lock()
	waiting := m.parts.waiting
	m.parts.mu.Unlock()
	if waiting == 0 {
		t.Error("it waited for the other one's, too")
	}
	until(t, "all is recorded", func() bool {
		list, err := s.List(t.Context(), outbox.Filter{States: []outbox.State{outbox.Waiting}, Limit: 2 * each})
		return err == nil && len(list) == each+3
	})
}

// TestLostOutcomes: a server that takes its primary's place may have less than was confirmed. Nothing is handed over to it then, and the
// member ends, to join anew: what it knew is sent again.
func TestLostOutcomes(t *testing.T) {
	t.Parallel()
	server := serve(t)
	cfg := config(server, "outbox")
	cfg.Lease = patient
	_, m := memberOf(t, cfg, 1, 2)
	outcomes := failed(t, m, "end00", 2)
	m.stop()
	m.handing.Wait()
	if err := m.Settle(t.Context(), outcomes); err != nil {
		t.Fatal(err)
	}
	parcels := m.parts.take()
	for _, older := range []string{"UPDATE outbox.share SET k = k - 1", "UPDATE outbox.share SET epoch = epoch - 1, member = ''", "DELETE FROM outbox.share"} {
		server.Exec(t, older)
		if err := handOver(parcels).send(t.Context(), m.pools.writes); !isNumber(err, fencedBy) {
			t.Errorf("%s: the server says %v", older, err)
		}
		rest, err := m.appender.rest(t.Context(), parcels)
		if !errors.Is(err, errLostCommits) || passes(err) || len(rest) != 1 {
			t.Errorf("%s: %d are left, it has %v: %v", older, len(rest), has(m), err)
		}
	}
	var rows int
	if err := m.pools.reads.QueryRowContext(t.Context(), `SELECT COUNT(*) FROM outcome`).Scan(&rows); err != nil || rows > 0 {
		t.Errorf("%d were handed over: %v", rows, err)
	}
}

// TestCloseBlocked: a member that cannot hand over, as its share stays locked, ends all the same.
func TestCloseBlocked(t *testing.T) {
	t.Parallel()
	server := serve(t, "--innodb-lock-wait-timeout=1")
	cfg := config(server, "outbox")
	cfg.Lease = 6 * time.Second
	s, m := memberOf(t, cfg, 1, 2)
	outcomes := failed(t, m, "end00", 2)
	tx, err := s.pools.reads.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Rollback()
	if _, err := tx.ExecContext(t.Context(), `SELECT k FROM share FOR UPDATE`); err != nil {
		t.Fatal(err)
	}
	if err := m.Settle(t.Context(), outcomes); err != nil {
		t.Fatal(err)
	}
	until(t, "it tries", func() bool { return m.appender.trouble.lasts() })
	ended := make(chan error, 1)
	go func() { ended <- m.Close() }()
	select {
	case err := <-ended:
		t.Logf("it ended with %v", err)
	case <-time.After(4 * cfg.Lease):
		t.Error("it does not end")
	}
}
