package mysql

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"rowhook/outbox"
	"rowhook/retry"
)

var _ outbox.Queue = (*Member)(nil)

// Route does nothing: the holder says where deliveries go.
func (m *Member) Route(context.Context, map[string]string) (outbox.Moved, error) {
	return outbox.Moved{}, nil
}

// Claim returns undelivered deliveries of an endpoint that is this process's, and none of another one.
func (m *Member) Claim(ctx context.Context, endpoint string, after int64, limit int) ([]*outbox.Stored, error) {
	if limit < 1 {
		return nil, fmt.Errorf("claim deliveries: a limit of %d", limit)
	}
	return m.read(ctx, endpoint, after, func(db rower, g *glance) ([]*item, error) { return undelivered(ctx, db, g, after, limit) })
}

// Read returns those of an endpoint's deliveries with these numbers that are undelivered.
func (m *Member) Read(ctx context.Context, endpoint string, numbers []int64) ([]*outbox.Stored, error) {
	if len(numbers) == 0 {
		return nil, m.usable(ctx)
	}
	numbers = slices.Compact(slices.Sorted(slices.Values(numbers)))
	return m.read(ctx, endpoint, numbers[0]-1, func(db rower, g *glance) ([]*item, error) { return numbered(ctx, db, g, numbers) })
}

const (
	// maxStale is how many connections may turn out to have ended.
	maxStale = 8
	// maxBehind is how often what a server has that lags behind is read again.
	maxBehind = 100
	// maxLearned is how often labels are read again because one is not among them.
	maxLearned = 2
)

// read reads deliveries beyond a number: what the tables say, and what was not recorded there yet.
func (m *Member) read(ctx context.Context, endpoint string, after int64, ask func(db rower, g *glance) ([]*item, error)) ([]*outbox.Stored, error) {
	if err := m.usable(ctx); err != nil {
		return nil, err
	}
	var stale, behind, learned int
	for {
		g, one, known := m.parts.glance(endpoint, after)
		if known {
			return nil, nil
		}
		items, err := m.readOnce(ctx, &g, &one, ask)
		if lost := m.presence.held(); lost != nil { // it may have been read by names that are another server's
			return nil, lost
		}
		switch {
		case err == nil:
			m.parts.claimed(g.id, items)
			return g.show(items), nil
		case errors.Is(err, driver.ErrBadConn) && stale < maxStale: // an old connection, which had ended meanwhile
			stale++
		case errors.Is(err, errColumn) && learned < maxLearned: // a label that is new
			learned++
			if err := m.learn(ctx); err != nil {
				return nil, explain("read", &m.cfg, err)
			}
		case !errors.Is(err, errBehind) || behind == maxBehind:
			return nil, explain("read", &m.cfg, err)
		default:
			behind++
			if err := retry.Pause(ctx, pollAfter); err != nil {
				return nil, err
			}
		}
	}
}

// readOnce reads on one connection: what it shows there cannot be older than the marks that were read first.
func (m *Member) readOnce(ctx context.Context, g *glance, one *part, ask func(db rower, g *glance) ([]*item, error)) ([]*item, error) {
	conn, err := m.pools.reads.Conn(ctx)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	g.end = new(end)
	var is share
	var last, low int64
	var beyond []byte
	err = conn.QueryRowContext(ctx, `SELECT s.epoch, s.turn, COALESCE(h.last, 0), COALESCE(m.low, 0), COALESCE(m.beyond, ''), COALESCE(m.epoch, 0), COALESCE(m.k, 0)
		FROM share s LEFT JOIN head h ON h.endpoint = s.endpoint LEFT JOIN mark m ON m.endpoint = s.endpoint WHERE s.endpoint = ?`, g.id).
		Scan(&is.epoch, &is.turn, &last, &low, &beyond, &g.end.applied.epoch, &g.end.applied.k)
	if errors.Is(err, sql.ErrNoRows) {
		err = errBehind
	}
	if err != nil {
		return nil, err
	}
	if is.epoch > one.epoch {
		return nil, nil // it is ours no more, as the next poll will tell
	}
	if is.epoch < one.epoch || is.turn < one.turn || last < one.head.last || g.end.applied.before(one.head.applied) {
		return nil, errBehind
	}
	if g.end.marks, err = decodeMarks(low, beyond); err != nil {
		return nil, err
	}
	return ask(conn, g)
}

// Wake returns the endpoint's channel.
func (m *Member) Wake(endpoint string) <-chan struct{} { return m.parts.wake(endpoint) }

// Due tells by endpoint what lies undelivered, as it was written.
func (m *Member) Due(ctx context.Context) (map[string]outbox.Due, error) {
	if err := m.usable(ctx); err != nil {
		return nil, err
	}
	return m.parts.due(), nil
}

// Uptime is how long the outbox has been held by a process, in all their lives.
func (m *Member) Uptime() time.Duration {
	m.parts.mu.Lock()
	defer m.parts.mu.Unlock()
	return m.parts.now()
}

// Settle records outcomes in memory; they are handed over to the holder a little later. Those that a person wants are refused with
// outbox.ErrNotHolder. That of a delivery whose endpoint is not this process's any more comes to nothing.
func (m *Member) Settle(ctx context.Context, outcomes []outbox.Outcome) error {
	retried, err := outbox.CheckOutcomes(outcomes, math.MaxInt64)
	if err == nil && retried {
		err = fmt.Errorf("send deliveries again: %w", outbox.ErrNotHolder)
	}
	if err != nil {
		return err
	}
	for part := range slices.Chunk(outcomes, step) {
		if err := m.settle(ctx, part); err != nil {
			return err
		}
	}
	return nil
}

func (m *Member) settle(ctx context.Context, outcomes []outbox.Outcome) error {
	for {
		if err := m.usable(ctx); err != nil {
			return err
		}
		room, unknown, err := m.parts.settle(outcomes)
		switch {
		case err != nil:
			return err
		case len(unknown) > 0:
			if err := m.locate(ctx, unknown); err != nil {
				return explain("read", &m.cfg, err)
			}
			continue
		case room == nil:
			return nil
		}
		select {
		case <-room:
		case <-m.presence.lost:
		case <-m.closing:
		case <-ctx.Done():
		}
	}
}

// locate asks where deliveries lie. It refuses those that no commit gave.
func (m *Member) locate(ctx context.Context, seqs []int64) error {
	var last int64
	if err := m.pools.reads.QueryRowContext(ctx, `SELECT last FROM state WHERE id = 1`).Scan(&last); err != nil {
		return err
	}
	for _, seq := range seqs {
		if seq > last {
			return fmt.Errorf("record outcomes: delivery %d: %w", seq, outbox.ErrNotFound)
		}
	}
	at := make(map[int64]int64)
	err := each(ctx, m.pools.reads, `SELECT seq, endpoint FROM delivery WHERE seq IN `+list(seqs), nil, func(scan func(...any) error) (bool, error) {
		var seq, endpoint int64
		err := scan(&seq, &endpoint)
		at[seq] = endpoint
		return true, err
	})
	if err == nil {
		m.parts.located(seqs, at)
	}
	return err
}

// watchAges asks now and then how old the oldest delivery of each endpoint is, until ctx ends.
func (m *Member) watchAges(ctx context.Context) {
	for retry.Pause(ctx, ageAfter) == nil && m.presence.held() == nil {
		for _, one := range m.parts.all() {
			id, low, some := m.parts.aged(one)
			if !some {
				continue
			}
			since, err := m.r.oldest(ctx, id, low)
			if err != nil {
				break // it stays as it was
			}
			m.parts.age(id, since)
		}
	}
}

// aged tells whether an endpoint's oldest delivery may be another one than was told last.
func (p *parts) aged(one *part) (id, low int64, some bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	h := one.head
	if h.count <= 0 || one.asked == h {
		return 0, 0, false
	}
	one.asked = h
	return one.id, h.low, true
}

// age notes when the oldest delivery of an endpoint was stored.
func (p *parts) age(id int64, since time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.oldest[id] = since
}

// Drop returns outbox.ErrNotHolder, as Erase, Prune and CompareAndSet do.
func (m *Member) Drop(context.Context, outbox.Filter) (int, error) { return 0, outbox.ErrNotHolder }

// Erase returns outbox.ErrNotHolder.
func (m *Member) Erase(context.Context, outbox.Filter) (int, error) { return 0, outbox.ErrNotHolder }

// Prune returns outbox.ErrNotHolder.
func (m *Member) Prune(context.Context, outbox.Keep) (outbox.Pruned, error) {
	return outbox.Pruned{}, outbox.ErrNotHolder
}

// CompareAndSet returns outbox.ErrNotHolder.
func (m *Member) CompareAndSet(context.Context, string, string, string) error {
	return outbox.ErrNotHolder
}
