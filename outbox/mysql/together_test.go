package mysql

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"rowhook/dbtest"
	"rowhook/outbox"
)

// TestOtherRules: a process whose rules are not the holder's gets nothing, and loses what it has when they change; the others are told.
func TestOtherRules(t *testing.T) {
	t.Parallel()
	cfg := config(serve(t), "outbox")
	cfg.Lease, cfg.Who = patient, Who{Rules: "x", Reads: true}
	s := open(t, cfg)
	routeMany(t, s, 6)
	obey(t, s)
	same, other := join(t, cfg, Who{Rules: "x"}), join(t, cfg, Who{Rules: "y", Reads: true})
	obey(t, same)
	obey(t, other)
	shared := func(a, b, c int) {
		t.Helper()
		until(t, "it is shared", func() bool { return len(has(s)) == a && len(has(same)) == b && len(has(other)) == c })
	}
	shared(3, 3, 0)
	for _, log := range []interface {
		Machines(ctx context.Context) ([]Machine, error)
	}{s, same, other} {
		machines, err := log.Machines(t.Context())
		if err != nil || len(machines) != 3 {
			t.Fatalf("%+v, %v", machines, err)
		}
		for _, m := range machines {
			if m.SameRules != (m.Name != other.presence.name) || m.Holds != (m.Name == s.lease.owner) || m.Reads != (m.Name != same.presence.name) ||
				len(m.Endpoints) == 3 != m.SameRules || time.Until(m.Until) < cfg.Lease/2 || time.Since(m.Seen) > cfg.Lease/2 {
				t.Errorf("a machine is %+v", m)
			}
		}
	}
	if err := s.Tell(t.Context(), Who{Rules: "y", Reads: true}); err != nil {
		t.Fatal(err)
	}
	shared(3, 0, 3)
	if err := same.Tell(t.Context(), Who{Rules: "y"}); err != nil {
		t.Fatal(err)
	}
	shared(2, 2, 2)
	if err := same.Tell(t.Context(), Who{}); err != nil { // it is about to end
		t.Fatal(err)
	}
	shared(3, 0, 3)
	if err := s.Tell(t.Context(), Who{}); err != nil {
		t.Fatal(err)
	}
	shared(0, 0, 6)
	if err := other.Tell(t.Context(), Who{}); err != nil { // nobody is left who may have some: they stay where they are
		t.Fatal(err)
	}
	if err := s.Tell(t.Context(), Who{Rules: "y"}); err != nil {
		t.Fatal(err)
	}
	shared(6, 0, 0)
	machines, err := s.Machines(t.Context())
	if err != nil || slices.ContainsFunc(machines, func(m Machine) bool { return !m.SameRules }) {
		t.Errorf("who ends has no other rules: %+v, %v", machines, err)
	}
}

// TestDeliverOnly: a process that may not follow the log takes the lease when nobody else has been there for two leases, so that
// outcomes are recorded; and is told when it may give it up.
func TestDeliverOnly(t *testing.T) {
	t.Parallel()
	cfg := config(serve(t), "outbox")
	cfg.Lease, cfg.Who.Reads = brief, true
	s := open(t, cfg)
	routeMany(t, s, 2)
	obey(t, s)
	m := join(t, cfg, Who{Rules: "same"})
	obey(t, m)
	until(t, "it has its part", func() bool { return len(has(m)) == 1 })
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	<-m.Vacant()
	if waited := time.Since(began); waited < 2*cfg.Lease-cfg.Lease/10 {
		t.Errorf("it is its turn after %v", waited)
	}
	cfg.Who.Reads, cfg.NoWait = false, true
	s = open(t, cfg)
	obey(t, s)
	if err := m.Close(); err != nil {
		t.Fatal(err)
	}
	until(t, "it has all", func() bool { return len(has(s)) == 2 })
	select {
	case <-s.Wanted():
		t.Error("nobody else is there")
	default:
	}
	better := join(t, cfg, Who{Rules: "same", Reads: true})
	<-s.Wanted()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	<-better.Vacant()
}

// TestTakeoverWithinLease: a member that may follow the log is told within a lease that the holder is silent, and holds the lease then.
func TestTakeoverWithinLease(t *testing.T) {
	t.Parallel()
	cfg := config(serve(t), "outbox")
	cfg.Lease, cfg.Who.Reads = brief, true
	s := open(t, cfg)
	route(t, s)
	m := join(t, cfg, Who{Rules: "same", Reads: true})
	renewed := time.Now()
	s.stop() // as if it hung
	<-m.Vacant()
	cfg.NoWait, cfg.Beside = true, m
	next := open(t, cfg)
	if waited := time.Since(renewed); waited < cfg.Lease/2 || waited > cfg.Lease+cfg.Lease/2 {
		t.Errorf("taken over after %v of a lease of %v", waited, cfg.Lease)
	}
	commit(t, next, 0)
	until(t, "the lease does not look free any more", func() bool {
		select {
		case <-m.Vacant():
			return false
		default:
			return true
		}
	})
}

// TestMail: a process asks another, whichever, and is answered; who is not there is named so.
func TestMail(t *testing.T) {
	t.Parallel()
	cfg := config(serve(t), "outbox")
	cfg.Lease = patient
	s := open(t, cfg)
	m := join(t, cfg, cfg.Who)
	echo := func(name string) func(context.Context, []byte) []byte {
		return func(_ context.Context, request []byte) []byte { return slices.Concat([]byte(name), request) }
	}
	s.Answer(echo("holder "))
	m.Answer(echo("member "))
	large := bytes.Repeat([]byte{0xff, '\'', 0}, maxLetter/4)
	var group errgroup.Group
	for i := range 20 {
		request := append([]byte{byte(i)}, large[:i*i*i]...)
		group.Go(func() error {
			for to, ask := range map[string]func(context.Context, string, []byte) ([]byte, error){m.presence.name: s.Ask, s.lease.owner: m.Ask, "": m.Ask} {
				want := "holder "
				if to == m.presence.name {
					want = "member "
				}
				if got, err := ask(t.Context(), to, request); err != nil || string(got) != want+string(request) {
					t.Errorf("%s answers %d bytes, %v", to, len(got), err)
				}
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		t.Error(err)
	}
	if _, err := m.Ask(t.Context(), "somebody", nil); !errors.Is(err, outbox.ErrNotFound) {
		t.Errorf("asking who is not there: %v", err)
	}
	if _, err := m.Ask(t.Context(), "", make([]byte, maxLetter+1)); !errors.Is(err, outbox.ErrTooLarge) {
		t.Errorf("asking too much: %v", err)
	}
	s.Answer(func(context.Context, []byte) []byte { return make([]byte, maxLetter+1) })
	if _, err := m.Ask(t.Context(), "", nil); !errors.Is(err, outbox.ErrTooLarge) {
		t.Errorf("asking for too much: %v", err)
	}
	s.Answer(func(ctx context.Context, _ []byte) []byte { <-ctx.Done(); return nil })
	asked := make(chan error, 1)
	go func() {
		_, err := m.Ask(t.Context(), "", nil)
		asked <- err
	}()
	until(t, "it is asked", func() bool { s.mail.mu.Lock(); defer s.mail.mu.Unlock(); return len(s.mail.open) == 1 })
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if err := <-asked; !errors.Is(err, outbox.ErrNotFound) {
		t.Errorf("asking one that goes away: %v", err)
	}
	var letters int
	if err := m.r.db.QueryRowContext(t.Context(), `SELECT COUNT(*) FROM message`).Scan(&letters); err != nil || letters > 0 {
		t.Errorf("%d are left: %v", letters, err)
	}
}

// TestUpgrade: a schema of version 1 is upgraded by several processes at once, and keeps what it has.
func TestUpgrade(t *testing.T) {
	t.Parallel()
	testUpgrade(t, serve(t))
}

func testUpgrade(t *testing.T, server *dbtest.Server) {
	t.Helper()
	cfg := config(server, "outbox")
	s := open(t, cfg)
	route(t, s)
	commit(t, s, 0)
	if err := s.Settle(t.Context(), []outbox.Outcome{{Seq: 1, State: outbox.Delivered, Attempts: 1}}); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	for _, stmt := range []string{"DROP TABLE outbox.member, outbox.share, outbox.outcome, outbox.message", "ALTER TABLE outbox.mark DROP COLUMN epoch, DROP COLUMN k",
		"UPDATE outbox.meta SET v = '1'"} {
		server.Exec(t, stmt)
	}
	log, err := OpenLog(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	if machines, err := log.Machines(t.Context()); err != nil || len(machines) > 0 {
		t.Errorf("before: %+v, %v", machines, err)
	}
	var group errgroup.Group
	for range 4 {
		group.Go(func() error {
			m, err := Join(t.Context(), cfg, cfg.Who, slog.New(slog.DiscardHandler))
			if err != nil {
				return err
			}
			return m.Close()
		})
	}
	s = open(t, cfg)
	if err := group.Wait(); err != nil {
		t.Fatal(err)
	}
	list, err := s.Claim(t.Context(), "a", 0, 10)
	if err != nil || len(list) != 2 {
		t.Errorf("%d are undelivered: %v", len(list), err)
	}
	var found string
	if err := s.reader.db.QueryRowContext(t.Context(), `SELECT v FROM meta WHERE k = 'schema'`).Scan(&found); err != nil || found != "2" {
		t.Errorf("it is version %s: %v", found, err)
	}
}

// TestRouteTakesBack: when rules go elsewhere, what a member has of them is taken back first, with all outcomes; the rest stays.
func TestRouteTakesBack(t *testing.T) {
	t.Parallel()
	const endpoints, each = 6, 20
	cfg := config(serve(t), "outbox")
	cfg.Lease = patient
	s := open(t, cfg)
	s.steward.apart = true
	routeMany(t, s, endpoints)
	obey(t, s)
	m := join(t, cfg, cfg.Who)
	p := newPosts()
	send(t, "member", m, m.Held, p)
	until(t, "it has all", func() bool { return len(has(m)) == endpoints })
	before := has(m)
	commitMany(t, s, endpoints, each)
	until(t, "it sends", func() bool { return p.len() > each })
	moved, err := s.Route(t.Context(), map[string]string{
		"rule00": "end01", "rule01": "end01", "rule02": "end02", "rule03": "end03", "rule04": "end04", "rule05": "new"})
	if err != nil {
		t.Fatal(err)
	}
	until(t, "it has what there is", func() bool { return len(has(m)) == endpoints-1 })
	wantAll(t, s, endpoints*each)
	if again := p.repeated(); len(again) > 0 {
		t.Errorf("%d were sent twice, when these moved: %+v", len(again), moved)
	}
	for name, term := range has(m) {
		if kept := slices.Contains([]string{"end02", "end03", "end04"}, name); kept != (before[name] == term) {
			t.Errorf("%s: the term is %d, it was %d", name, term, before[name])
		}
	}
}

// TestTurn: what a person does to deliveries of a member's endpoint makes it begin that one anew, and finds what there is now.
func TestTurn(t *testing.T) {
	t.Parallel()
	cfg := config(serve(t), "outbox")
	cfg.Lease = patient
	s := open(t, cfg)
	s.steward.apart = true
	routeMany(t, s, 2)
	obey(t, s)
	m := join(t, cfg, cfg.Who)
	obey(t, m)
	until(t, "it has all", func() bool { return len(has(m)) == 2 })
	commitMany(t, s, 2, 3)
	var seqs []int64
	until(t, "it finds them", func() bool {
		list, err := m.Claim(t.Context(), "end00", 0, 10)
		seqs = nil
		for _, d := range list {
			seqs = append(seqs, d.Seq)
		}
		return err == nil && len(list) == 3
	})
	err := m.Settle(t.Context(), []outbox.Outcome{{Seq: seqs[0], State: outbox.Dead, Attempts: 1}})
	if err != nil {
		t.Fatal(err)
	}
	until(t, "it is recorded", func() bool {
		list, err := s.List(t.Context(), outbox.Filter{States: []outbox.State{outbox.Dead}})
		return err == nil && len(list) == 1
	})
	steps := []struct {
		what  string
		do    func() error
		terms []string // that change
		left  int
	}{
		{"sent again", func() error {
			return s.Settle(t.Context(), []outbox.Outcome{{Seq: seqs[0], State: outbox.Waiting, Retried: time.Now()}})
		}, []string{"end00"}, 3},
		{"dropped", func() error {
			_, err := s.Drop(t.Context(), outbox.Filter{Endpoints: []string{"end00"}, After: seqs[1] - 1})
			return err
		}, []string{"end00"}, 1},
		{"paused", func() error { return s.CompareAndSet(t.Context(), "pause end01", "", "y") }, []string{"end01"}, 1},
		{"a URL paused", func() error { return s.CompareAndSet(t.Context(), "pause url x", "", "y") }, []string{"end00", "end01"}, 1},
		{"something else set", func() error { return s.CompareAndSet(t.Context(), "position", "", "y") }, nil, 1},
	}
	for _, step := range steps {
		before := has(m)
		if err := step.do(); err != nil {
			t.Fatal(err)
		}
		until(t, step.what+": it is to begin anew", func() bool {
			now := has(m)
			for name := range now {
				if (now[name] != before[name]) != slices.Contains(step.terms, name) {
					return false
				}
			}
			return true
		})
		if list, err := m.Claim(t.Context(), "end00", 0, 10); err != nil || len(list) != step.left {
			t.Errorf("%s: it finds %d, %v", step.what, len(list), err)
		}
	}
	if err := m.Settle(t.Context(), []outbox.Outcome{{Seq: seqs[0], State: outbox.Waiting, Retried: time.Now()}}); !errors.Is(err, outbox.ErrNotHolder) {
		t.Errorf("a member sends again: %v", err)
	}
	if err := m.CompareAndSet(t.Context(), "k", "", "v"); !errors.Is(err, outbox.ErrNotHolder) || !strings.Contains(err.Error(), "holds") {
		t.Errorf("a member sets: %v", err)
	}
}

// TestDamagedOutcomes: what was handed over and cannot be read holds nothing up: it is said, and the deliveries are sent once more.
func TestDamagedOutcomes(t *testing.T) {
	t.Parallel()
	cfg := config(serve(t), "outbox")
	cfg.Lease = patient
	s, m := memberOf(t, cfg, 1, 2)
	before := has(m)
	list, err := m.Claim(t.Context(), "end00", 0, 10)
	if err != nil || len(list) != 2 {
		t.Fatalf("%d are claimed: %v", len(list), err)
	}
	looking, err := s.pools.polls.Conn(t.Context()) // the holder looks at nothing meanwhile
	if err != nil {
		t.Fatal(err)
	}
	if err := m.Settle(t.Context(), []outbox.Outcome{{Seq: list[0].Seq, State: outbox.Delivered, Attempts: 1}}); err != nil {
		t.Fatal(err)
	}
	until(t, "it is handed over", func() bool {
		done, err := looking.ExecContext(t.Context(), `UPDATE outcome SET body = '\0'`)
		if err != nil {
			return false
		}
		n, err := done.RowsAffected()
		return err == nil && n == 1
	})
	if err := looking.Close(); err != nil {
		t.Fatal(err)
	}
	until(t, "it is to begin anew", func() bool { return has(m)["end00"].Turn > before["end00"].Turn })
	if list, err := m.Claim(t.Context(), "end00", 0, 10); err != nil || len(list) != 2 {
		t.Errorf("%d are claimed: %v", len(list), err)
	}
}
