package mysql

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"rowhook/dbtest"
	"rowhook/netfault"
	"rowhook/outbox"
)

// patient is a lease in which nobody is taken for dead on a busy machine, brief is one that is over soon.
const (
	patient = time.Minute
	brief   = 2 * time.Second
)

// moves is how often endpoints were given to another process.
func moves(t testing.TB, s *Store) (n int) {
	t.Helper()
	if err := s.reader.db.QueryRowContext(t.Context(), `SELECT COALESCE(SUM(epoch), 0) FROM share`).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

// TestSpread: 50 endpoints among one, two, four and then three processes: nobody has more than its part, and few move.
func TestSpread(t *testing.T) {
	t.Parallel()
	cfg := config(serve(t), "outbox")
	cfg.Lease = patient
	s := open(t, cfg)
	routeMany(t, s, 50)
	obey(t, s)
	if n := len(has(s)); n != 50 {
		t.Fatalf("alone it has %d", n)
	}
	members := []*Member{join(t, cfg, cfg.Who)}
	obey(t, members[0])
	spreadOver := func(most int, owners ...owner) {
		t.Helper()
		until(t, fmt.Sprint(len(owners), " share them"), func() bool {
			all := 0
			for _, o := range owners {
				n := len(has(o))
				if all += n; n > most {
					return false
				}
			}
			return all == 50
		})
	}
	spreadOver(25, s, members[0])
	if n := moves(t, s); n != 25 {
		t.Errorf("for the second %d were moved", n)
	}
	for range 2 {
		m := join(t, cfg, cfg.Who)
		obey(t, m)
		members = append(members, m)
	}
	spreadOver(13, s, members[0], members[1], members[2])
	before := moves(t, s)
	if before > 25+16+11 { // one after the other: 17, 17 and 16, then 13 at most
		t.Errorf("for the third and fourth %d were moved", before-25)
	}
	if err := members[0].Close(); err != nil {
		t.Fatal(err)
	}
	spreadOver(17, s, members[1], members[2])
	if n := moves(t, s) - before; n > 13 {
		t.Errorf("when one left %d were moved", n)
	}
}

// TestLeaving: processes come and go while deliveries are committed and sent. Each is sent once, in order, and recorded once: whoever
// gets an endpoint knows all that became of it before.
func TestLeaving(t *testing.T) {
	t.Parallel()
	testLeaving(t, serve(t))
}

func testLeaving(t *testing.T, server *dbtest.Server) {
	t.Helper()
	const endpoints, each = 20, 60
	cfg := config(server, "outboxleaving")
	cfg.Lease = patient
	s := open(t, cfg)
	routeMany(t, s, endpoints)
	p := newPosts()
	send(t, "holder", s, s.Held, p)
	var committing errgroup.Group
	committing.Go(func() error {
		for range each {
			commitMany(t, s, endpoints, 1)
			<-time.After(10 * time.Millisecond)
		}
		return nil
	})
	for i := range 4 {
		m := join(t, cfg, cfg.Who)
		one := send(t, fmt.Sprint("member", i), m, m.Held, p)
		until(t, "it has some", func() bool { return len(has(m)) > 0 && len(has(m)) <= endpoints/2 })
		other := join(t, cfg, cfg.Who)
		two := send(t, fmt.Sprint("other", i), other, other.Held, p)
		before := p.len()
		until(t, "some were sent", func() bool { return p.len() > before+endpoints || p.len() == endpoints*each })
		one.stop()
		two.stop()
		for _, m := range []*Member{m, other} {
			if err := m.Close(); err != nil {
				t.Error(err)
			}
		}
	}
	if err := committing.Wait(); err != nil {
		t.Fatal(err)
	}
	wantAll(t, s, endpoints*each)
	if again := p.repeated(); len(again) > 0 || len(p.wrong) > 0 {
		t.Errorf("%d were sent twice, and out of order at %v", len(again), p.wrong)
	}
	if len(p.by) < 5 {
		t.Errorf("only %d processes sent", len(p.by))
	}
}

// TestDeadMember: a member dies. What it handed over is recorded, its endpoints go to others, nothing is lost, and only what it had
// not handed over is sent once more.
func TestDeadMember(t *testing.T) {
	t.Parallel()
	const endpoints, each = 10, 50
	cfg := config(serve(t), "outbox")
	cfg.Lease = brief
	s := open(t, cfg)
	routeMany(t, s, endpoints)
	p := newPosts()
	send(t, "holder", s, s.Held, p)
	m := join(t, cfg, cfg.Who)
	one := send(t, "member", m, m.Held, p)
	until(t, "it has its part", func() bool { return len(has(m)) == endpoints/2 })
	commitMany(t, s, endpoints, each)
	until(t, "it sends", func() bool { p.mu.Lock(); defer p.mu.Unlock(); return len(p.by["member"]) > each })
	m.stop() // nothing is renewed or handed over any more
	m.handing.Wait()
	one.stop()
	died := time.Now()
	m.parts.mu.Lock()
	unknown := m.parts.waiting
	m.parts.mu.Unlock()
	until(t, "the holder has all", func() bool { return len(has(s)) == endpoints })
	if after := time.Since(died); after > cfg.Lease+cfg.Lease/2 {
		t.Errorf("it took %v", after)
	}
	wantAll(t, s, endpoints*each)
	if again := p.repeated(); len(again) > unknown || p.len() != endpoints*each {
		t.Errorf("%d were sent, %d of them twice, while %d were not handed over", p.len(), len(again), unknown)
	}
}

// TestFrozen: a member that was frozen, and then goes on as if nothing had been, is refused by the server: its late outcome comes
// to nothing.
func TestFrozen(t *testing.T) {
	t.Parallel()
	cfg := config(serve(t), "outbox")
	cfg.Lease = brief
	s := open(t, cfg)
	routeMany(t, s, 2)
	obey(t, s)
	commitMany(t, s, 2, 2)
	m := join(t, cfg, cfg.Who)
	obey(t, m)
	until(t, "it has one", func() bool { return len(has(m)) == 1 })
	var name string
	for name = range has(m) {
	}
	list, err := m.Claim(t.Context(), name, 0, 10)
	if err != nil || len(list) != 2 {
		t.Fatalf("%d are claimed: %v", len(list), err)
	}
	m.stop()
	m.handing.Wait()
	until(t, "the holder has both", func() bool { return len(has(s)) == 2 })
	if m.Held() {
		t.Error("it still thinks that it may deliver")
	}
	m.presence.right = right{deadline: time.Now().Add(time.Hour), lost: make(chan struct{})} // its clock is broken
	if err := m.Settle(t.Context(), []outbox.Outcome{{Seq: list[0].Seq, State: outbox.Delivered, Attempts: 1}}); err != nil {
		t.Fatal(err)
	}
	parcels := m.parts.take()
	if len(parcels) != 1 {
		t.Fatalf("%d are to be handed over", len(parcels))
	}
	if err := handOver(parcels).send(t.Context(), m.pools.writes); !isNumber(err, fencedBy) {
		t.Errorf("the server says %v", err)
	}
	if err := m.appender.flush(t.Context(), m.parts.all(), ends{}); err != nil {
		t.Error(err)
	}
	if err := m.presence.renew(t.Context()); !errors.Is(err, outbox.ErrFenced) {
		t.Errorf("renewing: %v", err)
	}
	var rows int
	if err := s.reader.db.QueryRowContext(t.Context(), `SELECT COUNT(*) FROM outcome`).Scan(&rows); err != nil || rows > 0 || len(has(m)) > 0 {
		t.Errorf("%d outcomes were handed over, and it has %v: %v", rows, has(m), err)
	}
	left, err := s.Claim(t.Context(), name, 0, 10)
	if err != nil || len(left) != 2 || left[0].State != outbox.Fresh {
		t.Errorf("%d are left: %v", len(left), err)
	}
}

// TestDeadHolder: the holder dies while outcomes lie in the table. The next one records each once, and the members keep what they have.
func TestDeadHolder(t *testing.T) {
	t.Parallel()
	const endpoints, each = 10, 30
	cfg := config(serve(t), "outbox")
	cfg.Lease = brief
	s := open(t, cfg)
	s.steward.apart = true
	routeMany(t, s, endpoints)
	obey(t, s)
	m := join(t, cfg, cfg.Who)
	until(t, "the member has all", func() bool { return len(has(m)) == endpoints })
	commitMany(t, s, endpoints, each)
	terms := has(m)
	s.stop() // its goroutines: as if it hung
	p := newPosts()
	send(t, "member", m, m.Held, p)
	until(t, "outcomes lie there", func() bool {
		var rows int
		err := m.r.db.QueryRowContext(t.Context(), `SELECT COUNT(*) FROM outcome`).Scan(&rows)
		return err == nil && rows >= endpoints && p.len() == endpoints*each
	})
	next := open(t, cfg)
	wantAll(t, next, endpoints*each)
	if again := p.repeated(); len(again) > 0 {
		t.Errorf("%d were sent twice", len(again))
	}
	for name, term := range has(m) {
		if terms[name] != term {
			t.Errorf("%s was given anew", name)
		}
	}
	if len(has(m)) != endpoints {
		t.Errorf("it has %d", len(has(m)))
	}
}

// TestCutHandingOver: the connection is lost while outcomes are handed over, before they arrive or before that is answered: they are
// recorded once.
func TestCutHandingOver(t *testing.T) {
	t.Parallel()
	server := serve(t)
	for name, after := range map[string]bool{"before": false, "after": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			const endpoints, each = 6, 12
			cfg := config(server, "outbox"+name)
			cfg.Lease = patient
			s := open(t, cfg)
			routeMany(t, s, endpoints)
			obey(t, s)
			proxy := netfault.NewProxy(t, nil, server.Address())
			far := cfg
			far.Addresses = []string{proxy.Address()}
			m := join(t, far, far.Who)
			p := newPosts()
			until(t, "it has its part", func() bool { return len(has(m)) == endpoints/2 })
			send(t, "member", m, m.Held, p)
			for n := range each {
				if n%2 == 1 {
					proxy.Cut("INSERT INTO outcome", after)
				}
				commitMany(t, s, endpoints, 1)
				until(t, "it is recorded", func() bool {
					rows, _ := recorded(t, s)
					return rows == (n+1)*endpoints/2
				})
			}
			wantAll(t, s, each*endpoints/2)
			if again := p.repeated(); len(again) > 0 {
				t.Errorf("%d were sent twice", len(again))
			}
		})
	}
}

// TestLostHandsOver: a member whose lease ran out hands over what it knows when it is closed, as long as nobody has taken its endpoints.
func TestLostHandsOver(t *testing.T) {
	t.Parallel()
	cfg := config(serve(t), "outbox")
	cfg.Lease = patient
	s := open(t, cfg)
	s.steward.apart = true
	routeMany(t, s, 1)
	obey(t, s)
	commitMany(t, s, 1, 1)
	m := join(t, cfg, cfg.Who)
	obey(t, m)
	until(t, "it has it", func() bool { return len(has(m)) == 1 })
	list, err := m.Claim(t.Context(), "end00", 0, 10)
	if err != nil || len(list) != 1 {
		t.Fatalf("%d are claimed: %v", len(list), err)
	}
	m.stop()
	m.handing.Wait()
	if err := m.Settle(t.Context(), []outbox.Outcome{{Seq: list[0].Seq, State: outbox.Delivered, Attempts: 1}}); err != nil {
		t.Fatal(err)
	}
	_ = m.presence.lose(errExpired)
	if err := m.Close(); err != nil {
		t.Error(err)
	}
	wantAll(t, s, 1)
}

// TestMemberAway: the server goes away and comes back while leases last: members and the holder go on by themselves, and nothing is sent
// twice.
func TestMemberAway(t *testing.T) {
	t.Parallel()
	const endpoints, each = 6, 40
	server := serve(t, "--innodb-flush-log-at-trx-commit=1")
	cfg := config(server, "outbox")
	cfg.Lease = patient
	s := open(t, cfg)
	s.steward.apart = true
	routeMany(t, s, endpoints)
	obey(t, s)
	commitMany(t, s, endpoints, each)
	m := join(t, cfg, cfg.Who)
	p := newPosts()
	one := send(t, "member", m, m.Held, p)
	until(t, "it sends", func() bool { return p.len() > each })
	one.stop()
	if err := server.Kill(); err != nil {
		t.Fatal(err)
	}
	until(t, "it waits", func() bool {
		m.parts.mu.Lock()
		defer m.parts.mu.Unlock()
		return m.appender.trouble.lasts() || m.parts.bytes == 0
	})
	if err := server.Restart(t.Context()); err != nil {
		t.Fatal(err)
	}
	until(t, "it can be read again", func() bool { _, err := s.Counts(t.Context()); return err == nil })
	send(t, "member", m, m.Held, p)
	wantAll(t, s, endpoints*each)
	if again := p.repeated(); len(again) > endpoints*16 { // a second sender knows nothing of what the first one had claimed
		t.Errorf("%d were sent twice", len(again))
	}
}
