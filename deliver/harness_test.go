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
	"rowhook/outbox/memory"
)

// store is an outbox that remembers the outcomes that it was given, and can refuse to take them.
type store struct {
	*memory.Store

	mu     sync.Mutex
	log    map[int64][]outbox.Outcome
	locked chan struct{} // while it is not nil Settle waits until it is closed
}

func newStore() *store { return &store{Store: memory.New(), log: make(map[int64][]outbox.Outcome)} }

// reopen is the store as the next process finds it.
func (s *store) reopen() *store { return &store{Store: s.Reopen(), log: s.log} }

func (s *store) Settle(ctx context.Context, outcomes []outbox.Outcome) error {
	s.mu.Lock()
	locked := s.locked
	s.mu.Unlock()
	if locked != nil {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-locked:
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, o := range outcomes {
		if s.log == nil {
			break
		}
		s.log[o.Seq] = append(s.log[o.Seq], o)
	}
	return s.Store.Settle(ctx, outcomes)
}

func (s *store) get(seq int64) outbox.Stored {
	list, err := s.List(context.Background(), outbox.Filter{After: seq - 1, Limit: 1})
	if err != nil || len(list) == 0 || list[0].Seq != seq {
		panic(fmt.Sprintf("there is no delivery %d: %v", seq, err))
	}
	return *list[0]
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

func commit(t *testing.T, s outbox.Journal, list ...*outbox.Delivery) {
	t.Helper()
	for part := range slices.Chunk(list, 500) {
		if err := s.Commit(t.Context(), &outbox.Batch{Deliveries: part}); err != nil {
			t.Fatal(err)
		}
	}
}

// route is what an earlier run left: an outbox that knows where the rule of oneEndpoint goes.
func route(t *testing.T, s *store) {
	t.Helper()
	if _, err := s.Route(t.Context(), map[string]string{"crm": crmName}); err != nil {
		t.Fatal(err)
	}
}

// running starts a worker; stop ends it and fails the test if it failed.
func running(t *testing.T, s Store, endpoints map[string]Endpoint, o Options) (w *Worker, stop func()) {
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
func states(t *testing.T, s outbox.Log) map[outbox.State]int {
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
