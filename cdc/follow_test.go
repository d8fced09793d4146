package cdc

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"rowhook/cdc/cdctest"
	"rowhook/dbtest"
)

func TestFollow(t *testing.T) { cdctest.OnServers(t, testFollow) }

func testFollow(t *testing.T, server *dbtest.Server) {
	t.Helper()

	t.Run("images", func(t *testing.T) {
		t.Parallel()
		conn := cdctest.SchemaConn(t, server, "images", "CREATE TABLE a (id INT PRIMARY KEY, s VARCHAR(20), d DECIMAL(6,2))",
			"INSERT INTO a VALUES (1, 'before', 1)")
		f := followNow(t, openSource(t, sourceConfig(server, newLog(), "images", "a")))
		cdctest.Exec(t, conn, "INSERT INTO a VALUES (2, 'zwölf', 12.5)", "UPDATE a SET s = NULL", "DELETE FROM a WHERE id = 1")
		first := f.expect(t, "insert a(id=2 s=zwölf d=12.50)")
		f.expect(t, "update a(id=1 s=before d=1.00 -> id=1 s=NULL d=1.00); update a(id=2 s=zwölf d=12.50 -> id=2 s=NULL d=12.50)")
		last := f.expect(t, "delete a(id=1 s=NULL d=1.00)")
		if hasGTIDs(t, server) != (last.Txn.GTID != "") {
			t.Errorf("the last transaction is %+v", last.Txn)
		}
		if age := time.Since(last.Time); age < 0 || age > time.Minute {
			t.Errorf("committed %v ago", age)
		}
		if !first.End.Before(last.End) || !last.Txn.Start.Before(last.End) || first.Txn.Hash == last.Txn.Hash {
			t.Errorf("first %+v, last %+v", first.Commit, last.Commit)
		}
		kind := "Gtid"
		if !hasGTIDs(t, server) {
			kind = "Anonymous_Gtid"
		}
		wantEventAt(t, server.DB(t, ""), last.Txn.Start, kind)
	})

	t.Run("unwatched", func(t *testing.T) {
		t.Parallel()
		conn := cdctest.SchemaConn(t, server, "unwatched", "CREATE TABLE a (id INT PRIMARY KEY)", "CREATE TABLE other (id INT PRIMARY KEY)")
		s := openSource(t, sourceConfig(server, newLog(), "unwatched", "a"))
		f := followNow(t, s)
		before := f.at.Position()
		cdctest.Exec(t, conn, "INSERT INTO other VALUES (1)", "ALTER TABLE other ADD x INT", "INSERT INTO other VALUES (2, 2)", "DROP TABLE other",
			"CREATE DATABASE unwatched2", "CREATE TABLE unwatched2.a (id INT)", "INSERT INTO unwatched2.a VALUES (7)",
			"BEGIN", "INSERT INTO unwatched2.a VALUES (8)", "INSERT INTO a VALUES (1)", "COMMIT")
		f.expect(t, "insert a(id=1)")
		if p := f.at.Position(); p.Last == nil || p.String() == before.String() {
			t.Errorf("the position stayed at %s", p)
		}
	})

	t.Run("resume", func(t *testing.T) {
		t.Parallel()
		conn := cdctest.SchemaConn(t, server, "resume", "CREATE TABLE a (id INT PRIMARY KEY)", "CREATE TABLE other (id INT PRIMARY KEY)")
		cfg := sourceConfig(server, newLog(), "resume", "a")
		p := current(t, openSource(t, cfg))
		for i := range 6 { // nothing between, a watched row last, an unwatched row last, DDL last
			s := openSource(t, cfg)
			f := follow(t, s, p)
			cdctest.Exec(t, conn, fmt.Sprintf("INSERT INTO a VALUES (%d)", 10*i), fmt.Sprintf("INSERT INTO a VALUES (%d)", 10*i+1))
			f.expect(t, fmt.Sprintf("insert a(id=%d)", 10*i))
			switch i % 3 {
			case 0:
				p = f.stored(t) // the second one comes again
			case 1:
				f.expect(t, fmt.Sprintf("insert a(id=%d)", 10*i+1))
				cdctest.Exec(t, conn, fmt.Sprintf("INSERT INTO other VALUES (%d)", i))
				f.reach(t)
				p = f.stored(t)
			case 2:
				f.expect(t, fmt.Sprintf("insert a(id=%d)", 10*i+1))
				cdctest.Exec(t, conn, fmt.Sprintf("ALTER TABLE other ADD c%d INT FIRST", i), fmt.Sprintf("ALTER TABLE other DROP c%d", i))
				f.reach(t)
				p = f.stored(t)
			}
			f.stop()
			if err := s.Close(); err != nil { // or the next one waits for the lock
				t.Fatal(err)
			}
			cdctest.Exec(t, conn, fmt.Sprintf("INSERT INTO a VALUES (%d)", 10*i+2))
			s = openSource(t, cfg)
			f = follow(t, s, p)
			if i%3 == 0 {
				f.expect(t, fmt.Sprintf("insert a(id=%d)", 10*i+1))
			}
			f.expect(t, fmt.Sprintf("insert a(id=%d)", 10*i+2))
			p = f.stored(t)
			f.stop()
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
		}
	})

	t.Run("socket", func(t *testing.T) {
		t.Parallel()
		conn := cdctest.SchemaConn(t, server, "socket", "CREATE TABLE a (id INT PRIMARY KEY)")
		cfg := sourceConfig(server, newLog(), "socket", "a")
		cfg.at(server.Socket())
		f := followNow(t, openSource(t, cfg))
		cdctest.Exec(t, conn, "INSERT INTO a VALUES (1)")
		f.expect(t, "insert a(id=1)")
	})

	t.Run("sink fails", func(t *testing.T) {
		t.Parallel()
		conn := cdctest.SchemaConn(t, server, "sinkfails", "CREATE TABLE a (id INT PRIMARY KEY)")
		s := openSource(t, sourceConfig(server, newLog(), "sinkfails", "a"))
		full := errors.New("the disk is full")
		rec := newRecorder()
		rec.onChange = func(*Change) error { return full }
		f := follow(t, s, current(t, s), rec)
		cdctest.Exec(t, conn, "INSERT INTO a VALUES (1)")
		select {
		case <-f.ended:
		case <-time.After(patience):
			t.Fatal("following does not end")
		}
		if !errors.Is(f.err, full) {
			t.Errorf("it ends with %v", f.err)
		}
	})

	t.Run("another kind of server", func(t *testing.T) {
		t.Parallel()
		s := openSource(t, sourceConfig(server, newLog(), "kind", "a"))
		other := "mysql"
		if server.Kind().MySQL() {
			other = "mariadb"
		}
		err := s.Follow(t.Context(), Position{Flavor: other}, nil, newRecorder())
		var stop *StopError
		if !errors.As(err, &stop) {
			t.Fatalf("it ends with %v", err)
		}
		wantStop(t, stop, other, s.Version())
	})
}

// TestFollowEnds ends the context at several moments and looks for what is left. It is not parallel: the goroutines of
// other tests would be seen.
func TestFollowEnds(t *testing.T) {
	for _, kind := range cdctest.Kinds(t) {
		t.Run(string(kind), func(t *testing.T) { testFollowEnds(t, cdctest.StartServer(t, kind)) })
	}
}

func testFollowEnds(t *testing.T, server *dbtest.Server) {
	t.Helper()
	conn := cdctest.SchemaConn(t, server, "ends", "CREATE TABLE a (id INT PRIMARY KEY)")
	log := newLog()
	cfg := sourceConfig(server, log, "ends", "a")
	end := func(t *testing.T, wait func(s *Source, rec *recorder, waiting <-chan struct{})) {
		t.Helper()
		s := openSource(t, cfg)
		defer s.Close()
		p := current(t, s)
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		waiting := make(chan struct{})
		rec := newRecorder()
		rec.onChange = func(*Change) error {
			close(waiting)
			<-ctx.Done()
			return ctx.Err()
		}
		done := make(chan error, 1)
		go func() { done <- s.Follow(ctx, p, nil, rec) }()
		wait(s, rec, waiting)
		cancel()
		select {
		case err := <-done:
			if !errors.Is(err, context.Canceled) {
				t.Errorf("it ends with %v", err)
			}
		case <-time.After(patience):
			t.Error("it does not end")
		}
		wantNoGoroutine(t, "go-mysql-org")
	}
	t.Run("at once", func(t *testing.T) {
		end(t, func(*Source, *recorder, <-chan struct{}) {})
	})
	t.Run("idle", func(t *testing.T) {
		end(t, func(_ *Source, rec *recorder, _ <-chan struct{}) { <-rec.progress })
	})
	t.Run("while the sink waits", func(t *testing.T) {
		end(t, func(_ *Source, _ *recorder, waiting <-chan struct{}) {
			cdctest.Exec(t, conn, "INSERT INTO a VALUES (1)")
			<-waiting
		})
	})
	t.Run("without a server", func(t *testing.T) {
		end(t, func(_ *Source, rec *recorder, _ <-chan struct{}) {
			<-rec.progress
			if err := server.Kill(); err != nil {
				t.Fatal(err)
			}
			log.wait(t, "trying again")
		})
	})
}

// wantNoGoroutine waits for the end of goroutines that have said goodbye already.
func wantNoGoroutine(t *testing.T, of string) {
	t.Helper()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	late := time.After(patience)
	stacks := make([]byte, 1<<20)
	for {
		now := string(stacks[:runtime.Stack(stacks, true)])
		if !strings.Contains(now, of) {
			return
		}
		select {
		case <-tick.C:
		case <-late:
			t.Fatalf("goroutines are left:\n%s", now)
		}
	}
}

func TestFollowWaitsForAServer(t *testing.T) { cdctest.OnServers(t, testFollowWaitsForAServer) }

func testFollowWaitsForAServer(t *testing.T, server *dbtest.Server) {
	t.Helper()
	conn := cdctest.SchemaConn(t, server, "waits", "CREATE TABLE a (id INT PRIMARY KEY, s LONGTEXT)")
	log := newLog()
	f := followNow(t, openSource(t, sourceConfig(server, log, "waits", "a")))
	cdctest.Exec(t, conn, "INSERT INTO a VALUES (1, '')")
	f.expect(t, "insert a(id=1 s=)")
	for i, end := range []func() error{server.Kill, server.Stop} {
		if err := end(); err != nil {
			t.Fatal(err)
		}
		if err := server.Restart(t.Context()); err != nil {
			t.Fatal(err)
		}
		server.Exec(t, fmt.Sprintf("INSERT INTO waits.a VALUES (%d, 'on')", i+2))
		f.expect(t, fmt.Sprintf("insert a(id=%d s=on)", i+2))
	}
	if broken, back := strings.Count(log.String(), "trying again"), strings.Count(log.String(), "is back"); broken < 2 || back < 2 || back > broken {
		t.Errorf("broken %d times, back %d times:\n%s", broken, back, log)
	}

	// The link is cut while the sink holds a half of a transaction.
	rec := newRecorder()
	half, cut := make(chan struct{}), make(chan struct{})
	once := false
	rec.onChange = func(c *Change) error {
		if id, _ := c.After.Int(0); id == 150 && !once {
			once = true
			close(half)
			<-cut
		}
		return nil
	}
	p := f.stored(t)
	f.stop()
	f = follow(t, f.source, p, rec)
	server.Exec(t, "USE waits; INSERT INTO a WITH RECURSIVE numbers(n) AS (SELECT 100 UNION ALL SELECT n + 1 FROM numbers WHERE n < 299) SELECT n, REPEAT('x', 100000) FROM numbers")
	<-half
	cdctest.KillDumps(t, server)
	close(cut)
	txn := f.next(t)
	for len(txn.rows) == 0 {
		txn = f.next(t)
	}
	// A compressed transaction is there whole, or not at all.
	discarded := slices.Equal(txn.discards, []int{0}) || txn.discards == nil && compresses(t, server)
	if len(txn.rows) != 200 || !discarded {
		t.Errorf("the transaction has %d rows after discards %v", len(txn.rows), txn.discards)
	}
	server.Exec(t, "DELETE FROM waits.a WHERE id = 2")
	f.expect(t, "delete a(id=2 s=on)")
}
