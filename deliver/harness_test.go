package deliver

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"rowhook/outbox"
	"rowhook/outbox/sqlite"
)

// memory is an outbox without a disk, for tests in a synctest bubble.
type memory struct {
	mu    sync.Mutex
	all   []*outbox.Stored // Seq 1 is the first
	meta  map[string]string
	fails error // what Settle returns, if set
	more  chan struct{}
	log   map[int64][]outbox.Outcome
}

func newMemory() *memory {
	return &memory{meta: make(map[string]string), more: make(chan struct{}), log: make(map[int64][]outbox.Outcome)}
}

func (m *memory) Resume(context.Context) (outbox.Resume, error) { return outbox.Resume{}, nil }
func (m *memory) Close() error                                  { return nil }

func (m *memory) Commit(_ context.Context, b *outbox.Batch) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, d := range b.Deliveries {
		d.Seq = int64(len(m.all) + 1)
		m.all = append(m.all, &outbox.Stored{Delivery: *d})
	}
	close(m.more)
	m.more = make(chan struct{})
	return nil
}

func (m *memory) Next(ctx context.Context, after int64, limit int) ([]*outbox.Delivery, error) {
	for {
		m.mu.Lock()
		var list []*outbox.Delivery
		for _, s := range m.all[min(after, int64(len(m.all))):] {
			if s.State == outbox.Fresh && len(list) < limit {
				d := s.Delivery
				list = append(list, &d)
			}
		}
		more := m.more
		m.mu.Unlock()
		if len(list) > 0 {
			return list, nil
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-more:
		}
	}
}

func (m *memory) Settle(outcomes []outbox.Outcome) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.fails != nil {
		return m.fails
	}
	for _, o := range outcomes {
		s := m.all[o.Seq-1]
		m.log[o.Seq] = append(m.log[o.Seq], o)
		if s.State == outbox.Delivered && o.Retried.IsZero() {
			continue
		}
		if !o.Retried.IsZero() {
			s.Retried = o.Retried
		}
		s.State, s.Attempts, s.Due = o.State, o.Attempts, o.Due
		if o.Attempt != nil {
			s.Last = o.Attempt
		}
	}
	return nil
}

func (m *memory) List(_ context.Context, f outbox.Filter) ([]*outbox.Stored, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var list []*outbox.Stored
	for _, s := range m.all {
		if s.Seq > f.After && (f.States == nil || slices.Contains(f.States, s.State)) &&
			(f.Rules == nil || slices.Contains(f.Rules, s.Rule)) && (f.Limit == 0 || len(list) < f.Limit) {
			c := *s
			if !f.Bodies {
				c.Body = nil
			}
			list = append(list, &c)
		}
	}
	return list, nil
}

func (m *memory) Meta(_ context.Context, key string) (string, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.meta[key], nil
}

func (m *memory) SetMeta(_ context.Context, key, value string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.meta[key] = value
	return nil
}

func (m *memory) get(seq int64) outbox.Stored {
	m.mu.Lock()
	defer m.mu.Unlock()
	return *m.all[seq-1]
}

// trip is an endpoint without a network: a function that answers requests.
type trip func(*http.Request) (status int, header http.Header, err error)

func (f trip) RoundTrip(q *http.Request) (*http.Response, error) {
	_, _ = io.Copy(io.Discard, q.Body)
	_ = q.Body.Close()
	status, header, err := f(q)
	if err != nil {
		return nil, err
	}
	if header == nil {
		header = make(http.Header)
	}
	return &http.Response{
		StatusCode: status, Header: header, Request: q, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Body: io.NopCloser(strings.NewReader("said the receiver")),
	}, nil
}

var errRefused = errors.New("connect: connection refused")

// making are the deliveries of a test; each n gives another id.
func making(rule string, n int, keys ...string) *outbox.Delivery {
	d := &outbox.Delivery{
		Rule: rule, Site: "salon", Action: "onAfterSaveReservation", Kind: "appointment.save", Keys: keys,
		Created: time.Now(), Body: fmt.Appendf(nil, `{"n":%d,"rule":%q}`, n, rule),
	}
	sum := sha256.Sum256(d.Body)
	copy(d.ID[:], sum[:])
	return d
}

func commit(t *testing.T, s outbox.Store, list ...*outbox.Delivery) {
	t.Helper()
	for part := range slices.Chunk(list, 500) {
		if err := s.Commit(t.Context(), &outbox.Batch{Deliveries: part}); err != nil {
			t.Fatal(err)
		}
	}
}

// openStore opens a real outbox.
func openStore(t *testing.T, dir string) *sqlite.Store {
	t.Helper()
	s, err := sqlite.Open(t.Context(), dir, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil && !errors.Is(err, outbox.ErrClosed) {
			t.Errorf("closing the outbox: %v", err)
		}
	})
	return s
}

// running starts a worker; stop ends it and fails the test if it failed.
func running(t *testing.T, s outbox.Store, endpoints map[string]Endpoint, o Options) (w *Worker, stop func()) {
	t.Helper()
	w, err := New(s, endpoints, o)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- w.Run(ctx) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Run: %v", err)
		}
	})
	t.Cleanup(stop)
	return w, stop
}

// patience is a context that ends a test that hangs.
func patience(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	t.Cleanup(cancel)
	return ctx
}

// until asks again, at a pace, until cond is true.
func until(t *testing.T, what string, cond func() bool) {
	t.Helper()
	ctx := patience(t)
	tick := time.NewTicker(20 * time.Millisecond) // listing an outbox is work
	defer tick.Stop()
	for !cond() {
		select {
		case <-ctx.Done():
			t.Fatalf("waited in vain for %s", what)
		case <-tick.C:
		}
	}
}

// states counts the deliveries of an outbox by state.
func states(t *testing.T, s outbox.Store) map[outbox.State]int {
	t.Helper()
	list, err := s.List(t.Context(), outbox.Filter{})
	if err != nil {
		t.Fatal(err)
	}
	n := make(map[outbox.State]int)
	for _, d := range list {
		n[d.State]++
	}
	return n
}

// quick makes failing fast, for tests with a real network.
func quick() Options {
	return Options{
		Timeout: time.Minute, Grace: time.Minute, Burst: 1,
		Schedule: []time.Duration{20 * time.Millisecond, 20 * time.Millisecond},
	}
}

// buffer keeps what is logged.
type buffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

// sortedKeys is for messages.
func sortedKeys[K cmp.Ordered, V any](m map[K]V) []K { return slices.Sorted(maps.Keys(m)) }

func textLog(b *buffer) *slog.Logger { return slog.New(slog.NewTextHandler(b, nil)) }

// pass lets the clock of a synctest bubble go on: for so long everything else does what it does.
func pass(d time.Duration) { <-time.After(d) }
