package deliver

import (
	"context"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"time"

	"rowhook/outbox"
)

// claiming is a claimer without an endpoint, which claims from a store of n deliveries.
func claiming(t *testing.T, s outbox.Queue, n int) *claimer {
	t.Helper()
	return &claimer{
		name: crmName, queue: s, settler: &settler{queue: s}, log: slog.New(slog.DiscardHandler), mu: new(sync.Mutex), win: newWindow(n), more: true,
		admit: func(s *outbox.Stored, _ time.Time) *item { return &item{Stored: s} },
	}
}

// has are the Numbers in the claimer's window.
func (c *claimer) has() []int64 { return sortedKeys(c.win.items) }

// askedStore does something each time it is asked, before it answers.
type askedStore struct {
	*store
	asked func()
}

func (s askedStore) Claim(ctx context.Context, endpoint string, after int64, limit int) ([]*outbox.Stored, error) {
	list, err := s.store.Claim(ctx, endpoint, after, limit)
	s.asked()
	return list, err
}

// TestClaimedAnew: what is claimed once more is as its outcome has it that the outbox does not know yet, also when that came while
// the outbox was asked.
func TestClaimedAnew(t *testing.T) {
	t.Parallel()
	m := newStore()
	commit(t, m, making("crm", 1), making("crm", 2), making("crm", 3))
	route(t, m)
	s := askedStore{m, func() {}}
	c := claiming(t, &s, 10)
	if err := c.claim(t.Context()); err != nil || !slices.Equal(c.has(), []int64{1, 2, 3}) {
		t.Fatal(c.has(), err)
	}
	c.settler.add(outbox.Outcome{Seq: 1, State: outbox.Delivered})
	s.asked = func() { c.settler.add(outbox.Outcome{Seq: 3, State: outbox.Waiting, Attempts: 7}) }
	c.win.forget()
	c.rewind(0)
	if err := c.claim(t.Context()); err != nil || !slices.Equal(c.has(), []int64{2, 3}) || c.win.items[3].Attempts != 7 {
		t.Error(c.has(), c.win.items[3], err)
	}
}

// TestRewoundMeanwhile: what was asked for before everything began anew is of no use.
func TestRewoundMeanwhile(t *testing.T) {
	t.Parallel()
	m := newStore()
	commit(t, m, making("crm", 1), making("crm", 2))
	route(t, m)
	s := askedStore{store: m}
	c := claiming(t, &s, 10)
	s.asked = func() {
		c.mu.Lock() // it is not held meanwhile
		defer c.mu.Unlock()
		c.rewind(0)
	}
	if err := c.claim(t.Context()); err != nil || len(c.has()) > 0 || !c.ready() {
		t.Error(c.has(), err)
	}
	s.asked = func() {}
	if err := c.claim(t.Context()); err != nil || !slices.Equal(c.has(), []int64{1, 2}) {
		t.Error(c.has(), err)
	}
}
