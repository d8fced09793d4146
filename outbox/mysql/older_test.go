package mysql

import (
	"errors"
	"log/slog"
	"strconv"
	"testing"
	"time"
)

// TestOlderHolder: a process that stood by since before the upgrade takes the lease, and shares nothing: no member delivers beside it.
func TestOlderHolder(t *testing.T) {
	t.Parallel()
	server := serve(t)
	cfg := config(server, "outbox")
	cfg.Lease = brief
	s := open(t, cfg)
	routeMany(t, s, 2)
	obey(t, s)
	m, idle := join(t, cfg, cfg.Who), join(t, cfg, Who{Rules: "others"})
	obey(t, m)
	until(t, "it has one", func() bool { return len(has(m)) == 1 })
	server.Exec(t, "UPDATE outbox.lease SET owner = 'old', epoch = epoch + 1")
	began := time.Now()
	<-m.Lost()
	if err := m.presence.held(); !errors.Is(err, errOlder) || time.Since(began) > cfg.Lease+cfg.Lease/2 {
		t.Errorf("after %v: %v", time.Since(began), err)
	}
	if !idle.Held() {
		t.Error("one that has nothing is a member no more")
	}
}

// TestSlowOpen: what is read when the lease is taken takes longer than the lease: it is renewed meanwhile.
func TestSlowOpen(t *testing.T) {
	t.Parallel()
	cfg := config(serve(t), "outbox")
	cfg.Lease = brief
	log := slog.New(slog.NewTextHandler(t.Output(), nil))
	connector := newConnector(cfg, false)
	slow := func(before time.Duration) clock {
		<-time.After(cfg.Lease + cfg.Lease/2)
		return running(before)
	}
	o := &opening{cfg: &cfg, log: log, connector: connector, pools: openPools(connector), watch: &watch{cfg: &cfg, log: log}, clock: slow}
	s, err := o.open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	commit(t, s, 0)
	if s.writer.content.epoch != 1 {
		t.Error("it was taken more than once")
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}

// TestClaimBehind: what is claimed from a node that lags behind what was polled is read again: else a wake would be lost.
func TestClaimBehind(t *testing.T) {
	t.Parallel()
	server := serve(t)
	cfg := config(server, "outbox")
	cfg.Lease = patient
	s, m := memberOf(t, cfg, 1, 2)
	list, err := m.Claim(t.Context(), "end00", 0, 10)
	if err != nil || len(list) != 2 {
		t.Fatalf("%d are claimed: %v", len(list), err)
	}
	polling, err := m.pools.polls.Conn(t.Context()) // it does not see what is older
	if err != nil {
		t.Fatal(err)
	}
	defer polling.Close()
	for older, newer := range map[string]string{
		"UPDATE outbox.head SET last = last - 1": "UPDATE outbox.head SET last = last + 1",
		"UPDATE outbox.share SET endpoint = 99":  "UPDATE outbox.share SET endpoint = " + strconv.FormatInt(s.writer.content.byName["end00"], 10),
	} {
		server.Exec(t, older)
		claimed := make(chan error, 1)
		go func() {
			list, err := m.Claim(t.Context(), "end00", 0, 10)
			if err == nil && len(list) != 2 {
				err = errBehind
			}
			claimed <- err
		}()
		select {
		case err := <-claimed:
			t.Errorf("%s: it is claimed from all the same: %v", older, err)
		case <-time.After(10 * pollAfter):
		}
		server.Exec(t, newer)
		if err := <-claimed; err != nil {
			t.Errorf("%s: %v", older, err)
		}
	}
}
