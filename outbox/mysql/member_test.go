package mysql

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"testing"
	"time"

	"rowhook/outbox"
)

// join makes a member that logs to the test. It is closed with the test at the latest.
func join(t testing.TB, cfg Config, who Who) *Member {
	t.Helper()
	m, err := Join(t.Context(), cfg, who, slog.New(slog.NewTextHandler(t.Output(), nil)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = m.Close() })
	return m
}

// owner is a process as these tests see it.
type owner interface {
	outbox.Queue
	Terms() (map[string]outbox.Term, <-chan struct{})
	Leave(ctx context.Context, endpoint string) error
}

// obey lets go of endpoints as they are taken, until the test ends, as who delivers does.
func obey(t testing.TB, o owner) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	t.Cleanup(func() { cancel(); <-ended })
	go func() {
		defer close(ended)
		has := make(map[string]outbox.Term)
		for ctx.Err() == nil {
			terms, changed := o.Terms()
			for name := range has {
				if _, still := terms[name]; !still {
					_ = o.Leave(ctx, name)
				}
			}
			has = terms
			select {
			case <-ctx.Done():
			case <-changed:
			}
		}
	}()
}

// until waits for a condition that looks at terms.
func until(t testing.TB, what string, holds func() bool) {
	t.Helper()
	limit := time.After(30 * time.Second)
	for !holds() {
		select {
		case <-limit:
			t.Fatalf("never: %s", what)
		case <-time.After(2 * time.Millisecond):
		}
	}
}

// has are the endpoints of a process. It is not told of them, as who delivers is.
func has(o owner) map[string]outbox.Term {
	var t *terms
	switch o := o.(type) {
	case *Store:
		t = o.terms
	case *Member:
		t = o.terms
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	return maps.Clone(t.now)
}

// routeMany routes a rule to each of n endpoints.
func routeMany(t testing.TB, s *Store, n int) {
	t.Helper()
	routes := make(map[string]string)
	for i := range n {
		routes[fmt.Sprintf("rule%02d", i)] = fmt.Sprintf("end%02d", i)
	}
	if _, err := s.Route(t.Context(), routes); err != nil {
		t.Fatal(err)
	}
}

// commitMany commits some deliveries for each of n endpoints.
func commitMany(t testing.TB, s *Store, n, each int) {
	t.Helper()
	for range each {
		b := &outbox.Batch{}
		for i := range n {
			b.Deliveries = append(b.Deliveries, &outbox.Delivery{Rule: fmt.Sprintf("rule%02d", i), Kind: "appointment.save", Keys: []string{"k"}, Body: []byte("{}")})
		}
		if err := s.Commit(t.Context(), b); err != nil {
			t.Fatal(err)
		}
	}
}

// TestMember: a member gets its part, finds what the holder commits for it, and what it hands over is recorded.
func TestMember(t *testing.T) {
	t.Parallel()
	cfg := config(serve(t), "outbox")
	if _, err := Join(t.Context(), cfg, cfg.Who, slog.New(slog.DiscardHandler)); !errors.Is(err, outbox.ErrNotExist) {
		t.Errorf("before there is anything: %v", err)
	}
	s := open(t, cfg)
	routeMany(t, s, 4)
	obey(t, s)
	commitMany(t, s, 4, 3)
	m := join(t, cfg, cfg.Who)
	obey(t, m)
	until(t, "each has two", func() bool { return len(has(s)) == 2 && len(has(m)) == 2 })
	for name := range has(m) {
		list, err := m.Claim(t.Context(), name, 0, 10)
		if err != nil || len(list) != 3 {
			t.Fatalf("%d are claimed: %v", len(list), err)
		}
		outcomes := []outbox.Outcome{
			{Seq: list[0].Seq, State: outbox.Delivered, Attempts: 1},
			{Seq: list[1].Seq, State: outbox.Waiting, Attempts: 1, Due: time.Now(), Attempt: &outbox.Attempt{At: time.Now(), Status: 503, Response: "\xff"}},
		}
		if err := m.Settle(t.Context(), outcomes); err != nil {
			t.Fatal(err)
		}
		left, err := m.Claim(t.Context(), name, 0, 10)
		if err != nil || len(left) != 2 || left[0].State != outbox.Waiting || left[0].Last == nil || left[0].Last.Response != "\xff" {
			t.Errorf("%d are left, the first is %+v: %v", len(left), left[0], err)
		}
	}
	until(t, "it is recorded", func() bool {
		list, err := s.List(t.Context(), outbox.Filter{States: []outbox.State{outbox.Delivered, outbox.Waiting}})
		return err == nil && len(list) == 4
	})
	commitMany(t, s, 4, 1)
	for name := range has(m) {
		<-m.Wake(name)
		until(t, "a new one is found", func() bool {
			list, err := m.Claim(t.Context(), name, 3, 10)
			return err == nil && len(list) == 1
		})
	}
	machines, err := m.Machines(t.Context())
	if err != nil || len(machines) != 2 || len(machines[0].Endpoints) != 2 || len(machines[1].Endpoints) != 2 {
		t.Errorf("the machines are %+v, %v", machines, err)
	}
	if err := m.Close(); err != nil {
		t.Error(err)
	}
	until(t, "the holder has all", func() bool { return len(has(s)) == 4 })
}
