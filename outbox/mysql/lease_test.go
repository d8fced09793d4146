package mysql

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"rowhook/dbtest"
	"rowhook/netfault"
	"rowhook/outbox"
	"rowhook/outbox/pending"
)

// serve starts a server with a user who may have schemas.
func serve(t *testing.T, args ...string) *dbtest.Server {
	t.Helper()
	server := dbtest.Start(t, args...)
	server.CreateUser(t, "rowhook", "secret", "ALL ON `outbox%`.*")
	return server
}

func batch(n int) *outbox.Batch {
	b := &outbox.Batch{Checkpoint: fmt.Append(nil, n), Open: []outbox.Record{{Owner: "o", Key: "k", Data: fmt.Append(nil, n)}}}
	for i := range 3 {
		b.Deliveries = append(b.Deliveries, &outbox.Delivery{ID: outbox.ID{byte(n), byte(i)}, Rule: "crm", Kind: "appointment.save",
			Keys: []string{fmt.Sprint(n, "/", i)}, Body: []byte(`{"it's": "\"\\"}`)})
	}
	return b
}

func commit(t *testing.T, s *Store, n int) {
	t.Helper()
	if err := s.Commit(t.Context(), batch(n)); err != nil {
		t.Fatalf("commit %d: %v", n, err)
	}
}

func route(t *testing.T, s *Store) {
	t.Helper()
	if _, err := s.Route(t.Context(), map[string]string{"crm": "a"}); err != nil {
		t.Fatal(err)
	}
}

// wantDense checks that all of some commits are there, once and in order; after some of them there was a takeover.
func wantDense(t *testing.T, s *Store, commits int, takeovers ...int) {
	t.Helper()
	list, err := s.List(t.Context(), outbox.Filter{})
	if err != nil || len(list) != 3*commits {
		t.Fatalf("%d are listed, want %d: %v", len(list), 3*commits, err)
	}
	for i, d := range list {
		want := int64(i + 1)
		for _, after := range takeovers {
			if i >= 3*after {
				want += skipped
			}
		}
		if d.Number != want || d.Seq != want {
			t.Errorf("the %d. has the number %d, %d of all", i+1, d.Number, d.Seq)
		}
	}
	res, err := s.Resume(t.Context())
	if want := fmt.Append(nil, commits-1); err != nil || !slices.Equal(res.Checkpoint, want) || len(res.Open) != 1 || !slices.Equal(res.Open[0].Data, want) {
		t.Errorf("resumes from %+v, %v", res, err)
	}
}

// TestFence: who was overtaken commits nothing more, in none of the ways to write, and finds out at once.
func TestFence(t *testing.T) {
	t.Parallel()
	server := serve(t)
	for name, write := range map[string]func(ctx context.Context, s *Store) error{
		"Commit": func(ctx context.Context, s *Store) error { return s.Commit(ctx, batch(1)) },
		"Route": func(ctx context.Context, s *Store) error {
			_, err := s.Route(ctx, map[string]string{"crm": "b"})
			return err
		},
		"Drop": func(ctx context.Context, s *Store) error { _, err := s.Drop(ctx, outbox.Filter{}); return err },
		"Set":  func(ctx context.Context, s *Store) error { return s.CompareAndSet(ctx, "k", "", "v") },
		"Retry": func(ctx context.Context, s *Store) error {
			return s.Settle(ctx, []outbox.Outcome{{Seq: 1, State: outbox.Waiting, Retried: time.Now()}})
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cfg := config(server, "outbox"+name)
			s := open(t, cfg)
			route(t, s)
			commit(t, s, 0)
			seen, err := readHolder(t.Context(), s.pools.beats)
			if err != nil {
				t.Fatal(err)
			}
			other := newLease(&cfg, s.reader.db)
			if _, err := other.take(t.Context(), seen); err != nil {
				t.Fatal(err)
			}
			if _, err := newLease(&cfg, s.reader.db).take(t.Context(), seen); !errors.Is(err, errQuicker) {
				t.Errorf("the second to take it: %v", err)
			}
			if err := write(t.Context(), s); !errors.Is(err, outbox.ErrFenced) {
				t.Errorf("got %v, want ErrFenced", err)
			}
			<-s.Lost()
			if _, err := s.Claim(t.Context(), "a", 0, 1); !errors.Is(err, outbox.ErrFenced) {
				t.Errorf("claim: %v", err)
			}
			if err := s.Close(); err != nil {
				t.Errorf("close: %v", err)
			}
			log, err := OpenLog(t.Context(), cfg)
			if err != nil {
				t.Fatal(err)
			}
			defer log.Close()
			list, err := log.List(t.Context(), outbox.Filter{})
			value, _ := log.Get(t.Context(), "k")
			if holder, _ := log.Holder(t.Context()); len(list) != 3 || list[0].State != outbox.Fresh || value != "" || holder != other.owner || err != nil {
				t.Errorf("there are %d, %q, held by %s, %v", len(list), value, holder, err)
			}
		})
	}
}

// TestManyAtStart: of several that make one schema at once each works on it in its turn, as soon as the one before it has closed.
func TestManyAtStart(t *testing.T) {
	t.Parallel()
	cfg := config(serve(t), "outbox")
	cfg.Lease = time.Hour // nobody waits for that
	var group errgroup.Group
	var working, turn atomic.Int64
	for range 5 {
		group.Go(func() error {
			s, err := Open(t.Context(), cfg, slog.New(slog.DiscardHandler))
			if err != nil {
				return err
			}
			if working.Add(1) != 1 {
				t.Error("two work at once")
			}
			route(t, s)
			commit(t, s, int(turn.Add(1)-1))
			wantDense(t, s, int(turn.Load()))
			working.Add(-1)
			return s.Close()
		})
	}
	if err := group.Wait(); err != nil {
		t.Error(err)
	}
}

// TestTakeover: when the holder renews no more, another one goes on, not before a lease is over; and the holder has stopped by then.
func TestTakeover(t *testing.T) {
	t.Parallel()
	cfg := config(serve(t), "outbox")
	cfg.Lease = 1500 * time.Millisecond
	first := open(t, cfg)
	route(t, first)
	commit(t, first, 0)
	first.stop() // its goroutines: as if it hung
	began := time.Now()
	second := open(t, cfg)
	if waited := time.Since(began); waited < cfg.Lease/2 {
		t.Errorf("taken over after %v", waited)
	}
	if err := first.Commit(t.Context(), batch(1)); !errors.Is(err, outbox.ErrFenced) {
		t.Errorf("got %v, want ErrFenced", err)
	}
	<-first.Lost()
	commit(t, second, 1)
	wantDense(t, second, 2, 1)
}

// TestLostCommits: another server, which lacks the last commits, takes the place of the one that was written to. What is made again has
// higher numbers than anything that was ever made, and what is still known of what was lost changes nothing.
func TestLostCommits(t *testing.T) {
	t.Parallel()
	cfg := config(serve(t), "outbox")
	cfg.Lease = time.Second
	first := open(t, cfg)
	route(t, first)
	commit(t, first, 0)
	if err := first.Settle(t.Context(), []outbox.Outcome{{Seq: 1, State: outbox.Delivered, Attempts: 1}}); err != nil {
		t.Fatal(err)
	}
	commit(t, first, 1)
	restore := remember(t, first)
	lost := batch(2)
	if err := first.Commit(t.Context(), lost); err != nil {
		t.Fatal(err)
	}
	first.stop()
	restore()
	second := open(t, cfg)
	for _, d := range lost.Deliveries {
		if err := second.Settle(t.Context(), []outbox.Outcome{{Seq: d.Seq, State: outbox.Delivered, Attempts: 1}}); err != nil {
			t.Fatal(err)
		}
	}
	commit(t, second, 2)
	wantDense(t, second, 3, 2)
	if list, err := second.Claim(t.Context(), "a", 0, 100); err != nil || len(list) != 8 {
		t.Errorf("%d are undelivered, want 8: %v", len(list), err)
	}
	for id, e := range second.writer.content.ends {
		if len(e.marks.Runs) > 2 { // what is not delivered yet of two takeovers
			t.Errorf("the marks of endpoint %d are %+v", id, e.marks)
		}
	}
}

// remember returns what makes the tables what they are now.
func remember(t *testing.T, s *Store) (restore func()) {
	t.Helper()
	exec := func(query string) {
		t.Helper()
		if _, err := s.reader.db.ExecContext(t.Context(), query); err != nil {
			t.Fatal(err)
		}
	}
	var tables []string
	err := each(t.Context(), s.reader.db, "SHOW TABLES", nil, func(scan func(...any) error) (bool, error) {
		var name string
		err := scan(&name)
		tables = append(tables, name)
		return true, err
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range tables {
		exec("CREATE TABLE `old_" + name + "` AS SELECT * FROM `" + name + "`")
	}
	return func() {
		for _, name := range tables {
			exec("DELETE FROM `" + name + "`; INSERT INTO `" + name + "` SELECT * FROM `old_" + name + "`")
		}
	}
}

// TestInDoubt: the connection is lost while a commit is on its way, before it arrives or before it is answered: it is stored once.
func TestInDoubt(t *testing.T) {
	t.Parallel()
	server := serve(t)
	for name, after := range map[string]bool{"before": false, "after": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			proxy := netfault.NewProxy(t, nil, server.Address())
			cfg := config(server, "outbox"+name)
			cfg.Addresses = []string{proxy.Address()}
			s := open(t, cfg)
			route(t, s)
			const commits = 8
			for n := range commits {
				if n%2 == 1 {
					proxy.Cut("UPDATE state SET seq", after)
				}
				commit(t, s, n)
			}
			wantDense(t, s, commits)
			if s.writer.content.epoch < commits/2 {
				t.Errorf("it is epoch %d: the lease was not taken again", s.writer.content.epoch)
			}
		})
	}
}

// TestAway: the server goes away and comes back while the lease lasts, or is read-only for a while: what was committed is there,
// and what waits goes on by itself.
func TestAway(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		leave, back func(t *testing.T, server *dbtest.Server) error
	}{
		"killed": {
			func(_ *testing.T, server *dbtest.Server) error { return server.Kill() },
			func(t *testing.T, server *dbtest.Server) error { return server.Restart(t.Context()) },
		},
		"read-only": {
			func(t *testing.T, server *dbtest.Server) error {
				server.Exec(t, "SET GLOBAL read_only = 1")
				return nil
			},
			func(t *testing.T, server *dbtest.Server) error {
				server.Exec(t, "SET GLOBAL read_only = 0")
				return nil
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := serve(t, "--innodb-flush-log-at-trx-commit=1")
			s := open(t, config(server, "outbox"))
			route(t, s)
			commit(t, s, 0)
			if err := c.leave(t, server); err != nil {
				t.Fatal(err)
			}
			done := make(chan error, 1)
			go func() { done <- s.Commit(t.Context(), batch(1)) }()
			for !s.writer.trouble.lasts() {
				select {
				case err := <-done:
					t.Fatalf("the commit returned %v", err)
				case <-time.After(time.Millisecond):
				}
			}
			if err := c.back(t, server); err != nil {
				t.Fatal(err)
			}
			if err := <-done; err != nil {
				t.Fatal(err)
			}
			wantDense(t, s, 2)
		})
	}
}

// TestLostWithoutRoom: who waits for room for outcomes, while nothing can be written, waits until the lease is lost at most.
func TestLostWithoutRoom(t *testing.T) {
	t.Parallel()
	server := serve(t)
	cfg := config(server, "outbox")
	cfg.Lease = 5 * time.Second
	s := open(t, cfg)
	route(t, s)
	commit(t, s, 0)
	if err := server.Kill(); err != nil {
		t.Fatal(err)
	}
	failed := outbox.Outcome{Seq: 1, State: outbox.Waiting, Attempts: 1, Attempt: &outbox.Attempt{Response: strings.Repeat("x", outbox.MaxText)}}
	if err := s.Settle(t.Context(), slices.Repeat([]outbox.Outcome{failed}, pending.MaxBytes/outbox.MaxText)); err != nil {
		t.Fatal(err)
	}
	if err := s.Settle(t.Context(), []outbox.Outcome{failed}); !errors.Is(err, outbox.ErrFenced) {
		t.Errorf("it ended with %v", err)
	}
}

// TestIdle: nothing is written while nothing happens, but that the lease is renewed.
func TestIdle(t *testing.T) {
	t.Parallel()
	server := serve(t)
	cfg := config(server, "outbox")
	cfg.Lease = time.Second
	s := open(t, cfg)
	route(t, s)
	commit(t, s, 0)
	seq := s.writer.content.commits
	seen, err := readHolder(t.Context(), s.pools.beats)
	for h := seen; err == nil && h.beat < seen.beat+5; h, err = readHolder(t.Context(), s.pools.beats) {
		if _, err := s.Claim(t.Context(), "a", 0, 10); err != nil {
			t.Fatal(err)
		}
		<-time.After(50 * time.Millisecond)
	}
	var now int64
	if err := s.reader.db.QueryRowContext(t.Context(), `SELECT seq FROM state`).Scan(&now); err != nil || now != seq {
		t.Errorf("%d transactions, then %d: %v", seq, now, err)
	}
	if err != nil {
		t.Error(err)
	}
}
