package mysql

import (
	"errors"
	"testing"
	"time"

	"rowhook/dbtest"
	"rowhook/netfault"
	"rowhook/outbox"
)

// TestHanging: a server that hangs, as one does whose machine is frozen, is left within the lease, also by a commit that waits for its
// answer; what hangs beside it does not keep who looks for another one.
func TestHanging(t *testing.T) {
	t.Parallel()
	server := serve(t)
	for name, between := range map[string]int{"the next one answers": 0, "the next one hangs too": 1} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cfg := config(server, "outbox")
			cfg.Schema += name[len("the next one "):][:5]
			cfg.Lease = 20 * time.Second
			var proxies []*netfault.Proxy
			cfg.Addresses = nil
			for range 1 + between {
				proxy := netfault.NewProxy(t, nil, server.Address())
				proxies, cfg.Addresses = append(proxies, proxy), append(cfg.Addresses, proxy.Address())
			}
			cfg.Addresses = append(cfg.Addresses, server.Address())
			s := open(t, cfg)
			route(t, s)
			commit(t, s, 0)
			for _, proxy := range proxies {
				proxy.Hang()
			}
			began := time.Now()
			commit(t, s, 1)
			if took := time.Since(began); took > cfg.deadline() {
				t.Errorf("it took %v", took)
			}
			wantDense(t, s, 2)
			if s.writer.content.epoch != 2 {
				t.Errorf("it is epoch %d: nothing was in doubt", s.writer.content.epoch)
			}
		})
	}
}

// TestFormer: a process that lost its lease, which nobody else has taken, takes it again at once; it leaves a gap, for it did not end in order.
func TestFormer(t *testing.T) {
	t.Parallel()
	cfg := config(serve(t), "outbox")
	cfg.Lease, cfg.Who.Reads = time.Hour, true // nobody waits for that
	s := open(t, cfg)
	route(t, s)
	commit(t, s, 0)
	_ = s.lease.lose(errTaken)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	cfg.Former = s.Name()
	m := join(t, cfg, cfg.Who)
	<-m.Vacant()
	cfg.Former, cfg.Beside, cfg.NoWait = "", m, true
	s = open(t, cfg)
	commit(t, s, 1)
	wantDense(t, s, 2, 1)
	_ = s.lease.lose(errTaken)
	if err := errors.Join(m.Close(), s.Close()); err != nil {
		t.Fatal(err)
	}
	cfg.Former, cfg.Beside, cfg.NoWait = s.Name(), nil, false
	s = open(t, cfg)
	commit(t, s, 2)
	wantDense(t, s, 3, 1, 2)
}

// TestAskedByALostOne: who asks another process is told when its own one is taken for dead.
func TestAskedByALostOne(t *testing.T) {
	t.Parallel()
	cfg := config(serve(t), "outbox")
	cfg.Lease = patient
	s, m := open(t, cfg), join(t, cfg, cfg.Who)
	asks := func(ask func() error, lose func(error) error) {
		t.Helper()
		asked := make(chan error, 1)
		go func() { asked <- ask() }()
		until(t, "it is asked", func() bool {
			var n int
			return s.reader.db.QueryRowContext(t.Context(), `SELECT COUNT(*) FROM message`).Scan(&n) == nil && n > 0
		})
		_ = lose(errSilent)
		if err := <-asked; !errors.Is(err, outbox.ErrFenced) {
			t.Errorf("asking ended with %v", err)
		}
	}
	asks(func() error { _, err := m.Ask(t.Context(), s.Name(), nil); return err }, m.presence.lose) // who answers nothing
	other := join(t, cfg, cfg.Who)
	asks(func() error { _, err := s.Ask(t.Context(), other.Name(), nil); return err }, s.lease.lose)
}

// TestOtherServer: another server that takes the outbox's place may lack commits, and have others under the same numbers and names. A member
// that has nothing to hand over would not find out; it is one no more as soon as it gets there.
func TestOtherServer(t *testing.T) {
	t.Parallel()
	first, second := serve(t), serve(t)
	cfg := config(second, "outbox")
	for _, server := range []*dbtest.Server{second, first} { // with other endpoints than are used here
		s := open(t, config(server, "outbox"))
		routeMany(t, s, 3)
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	cfg.Addresses = []string{first.Address(), second.Address()}
	_, m := memberOf(t, cfg, 2, 5)
	first.KillConnections(t, "rowhook")
	until(t, "the server is used again", func() bool { return m.pools.polls.PingContext(t.Context()) == nil })
	if err := m.Why(); err != nil {
		t.Fatalf("it is the same server: %v", err)
	}
	if err := first.Kill(); err != nil {
		t.Fatal(err)
	}
	select {
	case <-m.Lost():
		if err := m.Why(); !errors.Is(err, errOtherServer) || !errors.Is(err, outbox.ErrFenced) {
			t.Errorf("it is lost: %v", err)
		}
	case <-t.Context().Done():
	}
	if list, err := m.Claim(t.Context(), "end00", 0, 10); !errors.Is(err, outbox.ErrFenced) {
		t.Errorf("it claims %d deliveries of another outbox: %v", len(list), err)
	}
}

// TestLessThanBefore: a server that has less than it showed, as after a backup was restored, has lost commits. A member that has nothing
// to hand over would wait until there is more than before, and pass over all up to there.
func TestLessThanBefore(t *testing.T) {
	t.Parallel()
	cfg := config(serve(t), "outbox")
	s, m := memberOf(t, cfg, 2, 5)
	restore := remember(t, s)
	commitMany(t, s, 2, 5)
	until(t, "the member sees them", func() bool {
		due, err := m.Due(t.Context())
		return err == nil && due["end00"].Count == 10
	})
	if err := m.Why(); err != nil {
		t.Fatal(err)
	}
	restore()
	select {
	case <-m.Lost():
		if err := m.Why(); !errors.Is(err, errLostCommits) {
			t.Errorf("it is lost: %v", err)
		}
	case <-t.Context().Done():
	}
}
