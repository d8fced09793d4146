package cdc

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"rowhook/cdc/cdctest"
	"rowhook/connect"
	"rowhook/dbtest"
)

func TestLock(t *testing.T) { cdctest.OnServers(t, testLock) }

func testLock(t *testing.T, server *dbtest.Server) {
	t.Helper()
	root := cdctest.Conn(t, server.DB(t, ""))
	log := newLog()
	cfg := sourceConfig(server, log, "locked", "a")
	conn := cdctest.SchemaConn(t, server, "locked", "CREATE TABLE a (id INT PRIMARY KEY)")
	s := openSource(t, cfg)
	f := followNow(t, s)
	cdctest.Exec(t, conn, "INSERT INTO a VALUES (1)")
	f.expect(t, "insert a(id=1)") // it holds the lock now

	var holder int
	lock := fmt.Sprintf("rowhook:%d", cfg.ServerID)
	holds := func() int {
		t.Helper()
		var id sql.NullInt64
		if err := root.QueryRowContext(t.Context(), "SELECT IS_USED_LOCK(?)", lock).Scan(&id); err != nil {
			t.Fatal(err)
		}
		return int(id.Int64)
	}
	if holder = holds(); holder == 0 {
		t.Fatal("nobody holds the lock")
	}

	t.Run("twin", func(t *testing.T) {
		var stop *StopError
		if err := openSource(t, cfg).twin.take(t.Context()); !errors.As(err, &stop) {
			t.Fatalf("a twin gets the lock: %v", err)
		}
		wantStop(t, stop, "another rowhook", "state_dir")
	})

	t.Run("other id", func(t *testing.T) {
		other := cfg
		other.ServerID++
		if err := openSource(t, other).twin.take(t.Context()); err != nil {
			t.Error(err)
		}
	})

	t.Run("lost", func(t *testing.T) {
		// The server ends our connections, and somebody holds the lock: as our own old link would.
		cdctest.Exec(t, root, fmt.Sprintf("KILL %d", holder), fmt.Sprintf("DO GET_LOCK('%s', 10)", lock))
		cdctest.KillDumps(t, server)
		cdctest.Exec(t, conn, "INSERT INTO a VALUES (2)")
		log.wait(t, "perhaps our old one")
		cdctest.Exec(t, root, fmt.Sprintf("DO RELEASE_LOCK('%s')", lock))
		f.expect(t, "insert a(id=2)")
	})

	t.Run("given back", func(t *testing.T) {
		f.stop()
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		cdctest.Exec(t, root, fmt.Sprintf("DO GET_LOCK('%s', 10)", lock)) // waits for the end of the connection
		if id := holds(); id == 0 {
			t.Error("the lock is still held")
		}
	})
}

// TestLease follows a log in which nothing happens for longer than the server bears with a silent connection: the lock
// stays. When only its connection is lost, that is found out.
func TestLease(t *testing.T) { cdctest.OnKinds(t, testLease) }

func testLease(t *testing.T, kind dbtest.Kind) {
	t.Helper()
	server := cdctest.StartServer(t, kind)
	conn := cdctest.SchemaConn(t, server, "leased", "CREATE TABLE a (id INT PRIMARY KEY)")
	log := newLog()
	cfg := sourceConfig(server, log, "leased", "a")
	s := openSource(t, cfg)
	s.twin.lease = lease{idle: 5 * time.Second, beat: 100 * time.Millisecond}
	f := followNow(t, s)
	cdctest.Exec(t, conn, "INSERT INTO a VALUES (1)")
	f.expect(t, "insert a(id=1)")
	root := cdctest.Conn(t, server.DB(t, ""))
	holder := func() (id sql.NullInt64) {
		t.Helper()
		if err := root.QueryRowContext(t.Context(), "SELECT IS_USED_LOCK(?)", fmt.Sprintf("rowhook:%d", cfg.ServerID)).Scan(&id); err != nil {
			t.Fatal(err)
		}
		return id
	}
	first := holder()
	cdctest.Exec(t, root, "DO SLEEP(7)")
	if now := holder(); !first.Valid || now != first {
		t.Errorf("connection %v held the lock, now it is %v", first, now)
	}
	if strings.Contains(log.String(), "broken") {
		t.Errorf("an idle link breaks:\n%s", log)
	}
	cdctest.Exec(t, root, fmt.Sprintf("KILL %d", first.Int64))
	log.wait(t, "keeps a second reader out is lost")
	log.wait(t, "is back")
	if now := holder(); !now.Valid || now == first {
		t.Errorf("connection %v held the lock, now it is %v", first, now)
	}
	cdctest.Exec(t, conn, "INSERT INTO a VALUES (2)")
	f.expect(t, "insert a(id=2)")
}

func TestEnd(t *testing.T) { cdctest.OnServers(t, testEnd) }

func testEnd(t *testing.T, server *dbtest.Server) {
	t.Helper()
	conn := cdctest.SchemaConn(t, server, "ends", "CREATE TABLE a (id INT PRIMARY KEY)", "CREATE TABLE other (id INT PRIMARY KEY)")
	cfg := sourceConfig(server, newLog(), "ends", "a")
	s := openSource(t, cfg)
	f := followNow(t, s)
	want := time.Second
	if server.Kind().MySQL() {
		want = time.Microsecond
	}
	if s.MariaDB() == server.Kind().MySQL() || s.Precision() != want {
		t.Errorf("the server is %s", s.Version())
	}
	type step struct {
		name       string
		statements []string
	}
	steps := []step{
		{"a row", []string{"INSERT INTO a VALUES (1)"}},
		{"another table", []string{"INSERT INTO other VALUES (1)"}},
		{"rotation", []string{"INSERT INTO a VALUES (2)", "FLUSH BINARY LOGS"}},
		{"DDL", []string{"CREATE TABLE x (id INT)"}},
		{"rolled back", []string{"CREATE TEMPORARY TABLE tmp (id INT)", "BEGIN", "INSERT INTO a VALUES (6)", "DROP TEMPORARY TABLE tmp", "ROLLBACK"}},
		{"rotations", []string{"FLUSH BINARY LOGS", "INSERT INTO a VALUES (7)", "FLUSH BINARY LOGS", "FLUSH BINARY LOGS"}},
	}
	switch {
	case !server.Kind().MySQL():
		steps = append(steps,
			step{"domain", []string{"SET gtid_domain_id = 7", "INSERT INTO other VALUES (2)", "SET gtid_domain_id = 0", "INSERT INTO a VALUES (3)"}},
			step{"other order", []string{"INSERT INTO a VALUES (4)", "SET gtid_domain_id = 7", "INSERT INTO a VALUES (5)", "SET gtid_domain_id = 0"}})
	case hasGTIDs(t, server):
		steps = append(steps,
			step{"tag", []string{"SET gtid_next = 'AUTOMATIC:one'", "INSERT INTO other VALUES (2)", "SET gtid_next = AUTOMATIC", "INSERT INTO a VALUES (3)"}},
			step{"tag last", []string{"INSERT INTO a VALUES (4)", "SET gtid_next = 'AUTOMATIC:a_longer_tag_2'", "INSERT INTO a VALUES (5)", "SET gtid_next = AUTOMATIC"}})
	}
	for _, step := range steps {
		cdctest.Exec(t, conn, step.statements...)
		f.reach(t) // without further traffic: else no transaction comes, and it fails
		end, err := s.End(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		f.waitSeen(t, end.Coord)        // by heartbeats and rotations
		f.waitFor(t, f.idle, end.Coord) // and a heartbeat says that there is no more
		p := f.stored(t)                // and over a restart
		f.stop()
		f = follow(t, s, p)
		tracker, err := newTracker(p)
		if err != nil {
			t.Fatal(err)
		}
		if hasGTIDs(t, server) && !tracker.Reached(end, Coord{}) {
			t.Errorf("%s: %s is not at %s", step.name, p, end)
		}
	}
	cdctest.Exec(t, conn, "INSERT INTO a VALUES (9)")
	f.expect(t, "insert a(id=9)")
}

// waitSeen waits until the log was read up to a place, as commits and progress say.
func (f *follower) waitSeen(t *testing.T, end Coord) {
	t.Helper()
	f.waitFor(t, f.progress, end)
}

func (f *follower) waitFor(t *testing.T, ends <-chan Coord, end Coord) {
	t.Helper()
	late := time.After(patience)
	for {
		select {
		case seen := <-ends:
			if !seen.Before(end) {
				return
			}
		case <-f.ended:
			t.Fatalf("following ended: %v", f.err)
		case <-late:
			t.Fatalf("the log is not read up to %s", end)
		}
	}
}

func TestFresh(t *testing.T) { cdctest.OnServers(t, testFresh) }

func testFresh(t *testing.T, server *dbtest.Server) {
	t.Helper()
	conn := cdctest.SchemaConn(t, server, "fresh", "CREATE TABLE a (id INT PRIMARY KEY)", resetLog(server))
	cfg := sourceConfig(server, newLog(), "fresh", "a")
	s := openSource(t, cfg)
	f := followNow(t, s) // a log in which nothing was ever written
	f.reach(t)
	cdctest.Exec(t, conn, "INSERT INTO a VALUES (1)")
	f.expect(t, "insert a(id=1)")
	f.reach(t)
	p := f.stored(t)
	f.stop()
	f = follow(t, s, p)
	cdctest.Exec(t, conn, "INSERT INTO a VALUES (2)")
	f.expect(t, "insert a(id=2)")
}

func TestOpenFails(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	cfg := Config{Server: connect.New(connect.Config{Address: "127.0.0.1:1", User: "nobody"})}
	if s, err := Open(ctx, pool(t, cfg), cfg); err == nil {
		t.Errorf("opened %v", s)
	}
}
