package mysql

import (
	"errors"
	"testing"
	"time"

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
