package mysql

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"rowhook/dbtest"
	"rowhook/outbox"
	"rowhook/outbox/outboxtest"
	"rowhook/outbox/pending"
)

// pair is a holder that delivers nothing itself, and a member that has all endpoints: journal, log and settings are the one's, the
// queue is the other's. It returns when the member has seen what the holder did, and the other way round.
type pair struct {
	*Store
	m *Member
}

func TestPair(t *testing.T) {
	t.Parallel()
	server := dbtest.Start(t)
	testPair(t, server, server.Address())
}

// testPair runs the suite on a server, or on a cluster that it is a node of: then the member is at another one than the holder.
func testPair(t *testing.T, server *dbtest.Server, addresses ...string) {
	t.Helper()
	var schemas atomic.Int64
	server.CreateUser(t, "rowhook", "secret", "ALL ON `outbox%`.*")
	outboxtest.Run(t, func(t testing.TB) func() outbox.Store {
		cfg := config(server, fmt.Sprint("outboxpair", schemas.Add(1)))
		cfg.Addresses = addresses
		return func() outbox.Store { return openPair(t, cfg) }
	}, "Route/OutcomeLater") // a member has let go of an endpoint by then
}

func openPair(t testing.TB, cfg Config) *pair {
	t.Helper()
	log := slog.New(slog.NewTextHandler(t.Output(), nil))
	s, err := Open(t.Context(), cfg, log)
	if err != nil {
		t.Fatal(err)
	}
	s.steward.mu.Lock()
	s.steward.apart = true
	s.steward.mu.Unlock()
	cfg.Addresses = slices.Concat(cfg.Addresses[1:], cfg.Addresses[:1])
	var m *Member
	until(t, "its node has the tables", func() bool {
		m, err = Join(t.Context(), cfg, cfg.Who, log)
		return !errors.Is(err, outbox.ErrNotExist)
	})
	if err != nil {
		t.Fatal(err)
	}
	p := &pair{s, m}
	obey(t, s)
	obey(t, m)
	t.Cleanup(func() { _ = p.Close() })
	p.meet(t.Context())
	return p
}

// meet waits until both know the same.
func (p *pair) meet(ctx context.Context) {
	for ctx.Err() == nil && p.m.usable(ctx) == nil && !p.same(ctx) {
		time.Sleep(time.Millisecond) //nolint:forbidigo // a condition is waited for
	}
}

func (p *pair) same(ctx context.Context) bool {
	want := make(map[string]outbox.Term)
	err := each(ctx, p.reader.db, `SELECT e.name, s.epoch, s.turn, s.leaving FROM share s JOIN endpoint e ON e.id = s.endpoint`, nil,
		func(scan func(...any) error) (bool, error) {
			var name string
			var is share
			err := scan(&name, &is.epoch, &is.turn, &is.leaving)
			want[name] = is.term()
			return true, err
		})
	p.writer.mu.Lock()
	routes, ends, names := p.writer.content.routes, p.writer.content.ends, p.writer.content.endpoints
	p.writer.mu.Unlock()
	terms, _ := p.m.Terms()
	for _, id := range routes {
		if name := names[id]; terms[name] == (outbox.Term{}) || terms[name] != want[name] {
			return false
		}
	}
	p.m.parts.mu.Lock()
	defer p.m.parts.mu.Unlock()
	for id, e := range ends {
		if h := p.m.parts.heads[id]; h.last != e.last || h.count != e.count() {
			return false
		}
	}
	return err == nil && p.m.parts.bytes == 0
}

func (p *pair) Commit(ctx context.Context, b *outbox.Batch) error {
	defer p.meet(ctx)
	return p.Store.Commit(ctx, b)
}

func (p *pair) Route(ctx context.Context, routes map[string]string) (outbox.Moved, error) {
	defer p.meet(ctx)
	return p.Store.Route(ctx, routes)
}

func (p *pair) Claim(ctx context.Context, endpoint string, after int64, limit int) ([]*outbox.Stored, error) {
	return p.m.Claim(ctx, endpoint, after, limit)
}

func (p *pair) Read(ctx context.Context, endpoint string, numbers []int64) ([]*outbox.Stored, error) {
	return p.m.Read(ctx, endpoint, numbers)
}

func (p *pair) Wake(endpoint string) <-chan struct{} { return p.m.Wake(endpoint) }

// Settle is the member's, but for what a person wants. Then the endpoint is begun anew, which here is said by waking it.
func (p *pair) Settle(ctx context.Context, outcomes []outbox.Outcome) error {
	if retried, err := outbox.CheckOutcomes(outcomes, 1<<62); err != nil || !retried {
		return p.m.Settle(ctx, outcomes)
	}
	p.meet(ctx)
	before, _ := p.m.Terms()
	defer func() {
		p.meet(ctx)
		after, _ := p.m.Terms()
		for name, term := range after {
			if term != before[name] {
				p.m.parts.mu.Lock()
				pending.Signal(p.m.parts.channel(name))
				p.m.parts.mu.Unlock()
			}
		}
	}()
	return p.Store.Settle(ctx, outcomes)
}

func (p *pair) Due(ctx context.Context) (map[string]outbox.Due, error) {
	p.meet(ctx)
	return p.m.Due(ctx)
}

func (p *pair) Uptime() time.Duration { return p.m.Uptime() }

func (p *pair) List(ctx context.Context, f outbox.Filter) ([]*outbox.Stored, error) {
	p.meet(ctx)
	return p.Store.List(ctx, f)
}

func (p *pair) Attempts(ctx context.Context, seq int64) ([]outbox.Attempt, error) {
	p.meet(ctx)
	return p.Store.Attempts(ctx, seq)
}

func (p *pair) Counts(ctx context.Context) ([]outbox.Count, error) {
	p.meet(ctx)
	return p.Store.Counts(ctx)
}

func (p *pair) Totals(ctx context.Context) (outbox.Totals, error) {
	p.meet(ctx)
	return p.Store.Totals(ctx)
}

func (p *pair) Hours(ctx context.Context, endpoint string, since time.Time) ([]outbox.Hour, error) {
	p.meet(ctx)
	return p.Store.Hours(ctx, endpoint, since)
}

func (p *pair) Drop(ctx context.Context, f outbox.Filter) (int, error) {
	p.meet(ctx)
	defer p.meet(ctx)
	return p.Store.Drop(ctx, f)
}

func (p *pair) Erase(ctx context.Context, f outbox.Filter) (int, error) {
	p.meet(ctx)
	return p.Store.Erase(ctx, f)
}

func (p *pair) Prune(ctx context.Context, keep outbox.Keep) (outbox.Pruned, error) {
	p.meet(ctx)
	return p.Store.Prune(ctx, keep)
}

func (p *pair) Close() error {
	err := p.m.Close()
	if closed := p.Store.Close(); err == nil {
		err = closed
	}
	return err
}
