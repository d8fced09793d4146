// Package memory is an outbox that lasts as long as the process: for tests, of those who use an outbox, that want no disk.
// It has no goroutines, and no clock but the time package's, so it works in a bubble of testing/synctest.
package memory

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"rowhook/outbox"
)

// Store is an outbox in memory. Make it with New.
type Store struct {
	mu      sync.Mutex
	closed  bool
	opened  time.Time
	before  time.Duration // for how long it was open in earlier lives
	wakes   map[string]chan struct{}
	content *content
}

// content is what would be on disk.
type content struct {
	checkpoint []byte
	open       []outbox.Record
	settings   map[string]string
	routes     map[string]string
	last       int64    // the last Seq given
	entries    []*entry // in order of Seq
	numbers    map[string]int64
	queues     map[string][]*entry // of each endpoint, in order of Number; settled ones may be among them
	counts     counts
}

// entry is a delivery, with what Stored is computed from.
type entry struct {
	outbox.Stored
	stored   time.Time
	since    time.Duration // Uptime when it was stored, or when a person had it sent again
	failing  time.Duration // Uptime at its first failed attempt; -1: none failed
	attempts []outbox.Attempt
}

var _ outbox.Store = (*Store)(nil)

// New returns an empty outbox.
func New() *Store {
	return open(&content{settings: map[string]string{}, routes: map[string]string{}, numbers: map[string]int64{}, queues: map[string][]*entry{}, counts: newCounts()}, 0)
}

// Reopen closes the store and returns what the next process would open: one with the same content.
func (s *Store) Reopen() *Store {
	uptime := s.Uptime()
	_ = s.Close()
	return open(s.content, uptime)
}

func open(c *content, uptime time.Duration) *Store {
	return &Store{content: c, opened: time.Now(), before: uptime, wakes: make(map[string]chan struct{})}
}

// Close makes all other calls return outbox.ErrClosed.
func (s *Store) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.closed {
		s.before += time.Since(s.opened)
		s.closed = true
	}
	return nil
}

// enter locks the content for one call; the caller unlocks it when there is no error.
func (s *Store) enter(ctx context.Context) (*content, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return nil, outbox.ErrClosed
	}
	return s.content, nil
}

// Resume returns what the last commit left.
func (s *Store) Resume(ctx context.Context) (outbox.Resume, error) {
	c, err := s.enter(ctx)
	if err != nil {
		return outbox.Resume{}, err
	}
	defer s.mu.Unlock()
	return outbox.Resume{Checkpoint: slices.Clone(c.checkpoint), Open: slices.Clone(c.open)}, nil
}

// Limits tells what Commit takes.
func (s *Store) Limits() outbox.Limits {
	return outbox.Limits{Deliveries: 4096, Records: 1 << 16, Bytes: 128 << 20, Payload: 64 << 20}
}

// Commit stores a batch.
func (s *Store) Commit(ctx context.Context, b *outbox.Batch) error {
	if err := s.Limits().Check(b); err != nil {
		return fmt.Errorf("commit: %w", err)
	}
	c, err := s.enter(ctx)
	if err != nil {
		return err
	}
	defer s.mu.Unlock()
	if b.Checkpoint != nil {
		c.checkpoint = slices.Clone(b.Checkpoint)
	}
	for _, r := range b.Open {
		c.putRecord(r)
	}
	for _, d := range b.Deliveries {
		c.last++
		d.Seq, d.Endpoint, d.Number = c.last, "", 0
		d.Created, d.AsOf = outbox.Kept(d.Created), outbox.Kept(d.AsOf)
		e := &entry{Stored: outbox.Stored{Delivery: *d, State: outbox.Held}, stored: time.Now(), since: s.uptime(), failing: -1}
		c.entries = append(c.entries, e)
		if endpoint, ok := c.routes[d.Rule]; ok {
			c.enqueue(e, endpoint)
			s.wake(endpoint)
		}
		d.Endpoint, d.Number = e.Endpoint, e.Number
		c.counts.rule(d.Rule)
	}
	for _, e := range b.Events {
		c.counts.event(e)
	}
	return nil
}

func (c *content) putRecord(r outbox.Record) {
	at := slices.IndexFunc(c.open, func(o outbox.Record) bool { return o.Owner == r.Owner && o.Key == r.Key })
	switch {
	case r.Data == nil && at >= 0:
		c.open = slices.Delete(c.open, at, at+1)
	case r.Data == nil:
	case at >= 0:
		c.open[at].Data = slices.Clone(r.Data)
	default:
		c.open = append(c.open, outbox.Record{Owner: r.Owner, Key: r.Key, Data: append([]byte{}, r.Data...)})
	}
}

// Get reads a setting.
func (s *Store) Get(ctx context.Context, key string) (string, error) {
	c, err := s.enter(ctx)
	if err != nil {
		return "", err
	}
	defer s.mu.Unlock()
	return c.settings[key], nil
}

// CompareAndSet writes a setting, if it is what the caller takes it for.
func (s *Store) CompareAndSet(ctx context.Context, key, old, value string) error {
	c, err := s.enter(ctx)
	if err != nil {
		return err
	}
	defer s.mu.Unlock()
	if c.settings[key] != old {
		return fmt.Errorf("setting %q: %w", key, outbox.ErrChanged)
	}
	c.settings[key] = value
	return nil
}

// Uptime is for how long the store has been open, in all its lives.
func (s *Store) Uptime() time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.uptime()
}

func (s *Store) uptime() time.Duration {
	if s.closed {
		return s.before
	}
	return s.before + time.Since(s.opened)
}

// Routes returns where the deliveries of each rule go, as Route left it.
func (s *Store) Routes() map[string]string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Clone(s.content.routes)
}
