package mysql

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"rowhook/outbox"
)

// TestPiledUp: while the holder looked at nothing members handed over more than the server takes at once: it is recorded in parts.
func TestPiledUp(t *testing.T) {
	t.Parallel()
	const endpoints, each = 8, 100
	cfg := config(serve(t, "--max-allowed-packet=8M"), "outbox")
	cfg.Lease = patient
	s := open(t, cfg)
	s.steward.apart = true
	routeMany(t, s, endpoints)
	obey(t, s)
	commitMany(t, s, endpoints, each)
	members := []*Member{join(t, cfg, cfg.Who), join(t, cfg, cfg.Who)}
	until(t, "they have all", func() bool { return len(has(members[0])) == endpoints/2 && len(has(members[1])) == endpoints/2 })
	looking, err := s.pools.polls.Conn(t.Context()) // the holder looks at nothing meanwhile
	if err != nil {
		t.Fatal(err)
	}
	response := strings.Repeat("\x00'", outbox.MaxText/2) // each byte is two in SQL
	for _, m := range members {
		for name := range has(m) {
			list, err := m.Claim(t.Context(), name, 0, each)
			if err != nil || len(list) != each {
				t.Fatalf("%d are claimed: %v", len(list), err)
			}
			var outcomes []outbox.Outcome
			for _, d := range list {
				outcomes = append(outcomes, outbox.Outcome{Seq: d.Seq, State: outbox.Waiting, Attempts: 1, Due: time.Now(),
					Attempt: &outbox.Attempt{At: time.Now(), Status: 500, Response: response}})
			}
			if err := m.Settle(t.Context(), outcomes); err != nil {
				t.Fatal(err)
			}
		}
	}
	size := 0
	until(t, "it is handed over", func() bool {
		var rows int
		err := looking.QueryRowContext(t.Context(), `SELECT COUNT(*), COALESCE(SUM(LENGTH(body)), 0) FROM outcome`).Scan(&rows, &size)
		return err == nil && size > endpoints*each*outbox.MaxText
	})
	s.steward.most = size // what the server does not take is halved
	if err := looking.Close(); err != nil {
		t.Fatal(err)
	}
	until(t, "it is recorded", func() bool {
		list, err := s.List(t.Context(), outbox.Filter{States: []outbox.State{outbox.Waiting}, Limit: endpoints*each + 1})
		return err == nil && len(list) == endpoints*each
	})
}

// TestFitting: what is taken at once is bounded in bytes, and one is taken in any case.
func TestFitting(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		sizes []int
		want  int
	}{{nil, 0}, {[]int{200}, 1}, {[]int{200, 1}, 1}, {[]int{50, 50, 1}, 2}, {[]int{1, 1, 1}, 3}} {
		if n := fitting(c.sizes, 100); n != c.want {
			t.Errorf("of %v %d are taken, not %d", c.sizes, n, c.want)
		}
	}
}

// TestWithheldStay: while deliveries of the holder's own endpoints are moved, nobody else is given these, whoever comes.
func TestWithheldStay(t *testing.T) {
	t.Parallel()
	const endpoints = 6
	cfg := config(serve(t), "outbox")
	cfg.Lease = patient
	s := open(t, cfg)
	routeMany(t, s, endpoints)
	obey(t, s)
	var ids []int64
	for i := range 4 {
		ids = append(ids, s.writer.content.byName[fmt.Sprintf("end%02d", i+2)])
	}
	release, err := s.steward.takeBack(t.Context(), ids)
	if err != nil {
		t.Fatal(err)
	}
	m := join(t, cfg, cfg.Who)
	obey(t, m)
	until(t, "it is seen", func() bool {
		return len(s.steward.census.living(time.Now())) == 2
	})
	s.steward.mu.Lock()
	first := s.steward.begun + 3
	s.steward.mu.Unlock()
	until(t, "rounds were gone", func() bool {
		s.steward.kick()
		s.steward.mu.Lock()
		defer s.steward.mu.Unlock()
		return s.steward.ended >= first
	})
	for i := range 4 {
		if _, own := has(s)[fmt.Sprintf("end%02d", i+2)]; !own {
			t.Errorf("endpoint %d is not the holder's any more", i+2)
		}
	}
	release()
	until(t, "they are shared", func() bool { return len(has(s)) == endpoints/2 && len(has(m)) == endpoints/2 })
}

// TestBothDie: the holder and a member die at once. Who takes over has watched that member, too: it waits for it no second time.
func TestBothDie(t *testing.T) {
	t.Parallel()
	cfg := config(serve(t), "outbox")
	cfg.Lease, cfg.Who.Reads = brief, true
	s := open(t, cfg)
	routeMany(t, s, 6)
	obey(t, s)
	dies, m := join(t, cfg, cfg.Who), join(t, cfg, cfg.Who)
	obey(t, dies)
	obey(t, m)
	until(t, "it is shared", func() bool { return len(has(dies)) == 2 && len(has(m)) == 2 })
	s.stop()
	dies.stop()
	dies.handing.Wait()
	died := time.Now()
	<-m.Vacant()
	cfg.NoWait, cfg.Beside = true, m
	next := open(t, cfg)
	obey(t, next)
	until(t, "the two share all", func() bool { return len(has(next)) == 3 && len(has(m)) == 3 })
	if after := time.Since(died); after > cfg.Lease+cfg.Lease*2/5 {
		t.Errorf("it took %v", after)
	}
}
