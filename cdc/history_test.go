package cdc

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"rowhook/cdc/cdctest"
	"rowhook/cdc/sqlmap"
	"rowhook/dbtest"
)

// TestHistory puts positions before servers that are not, or no longer, what they were.
func TestHistory(t *testing.T) { cdctest.OnServers(t, testHistory) }

func testHistory(t *testing.T, server *dbtest.Server) {
	t.Helper()
	conn := cdctest.SchemaConn(t, server, "history", "CREATE TABLE a (id INT PRIMARY KEY AUTO_INCREMENT, s VARCHAR(20))", "CREATE TABLE other (id INT)")
	log := newLog()
	cfg := sourceConfig(server, log, "history", "a")
	s := openSource(t, cfg)
	insert := func(text string, n int) {
		t.Helper()
		for range n {
			cdctest.Exec(t, conn, fmt.Sprintf("INSERT INTO a (s) VALUES ('%s')", text))
		}
	}
	// read follows a fresh log up to its end, and gives the position there.
	read := func() Position {
		t.Helper()
		cdctest.Exec(t, conn, "TRUNCATE a", resetLog(server))
		insert("old", 2)
		f := followNow(t, s)
		insert("read", 3)
		f.expect(t, "insert a(id=3 s=read)", "insert a(id=4 s=read)", "insert a(id=5 s=read)")
		p := f.stored(t)
		f.stop()
		return p
	}

	type rewind struct {
		name   string
		change func()
		words  string
	}
	rewinds := []rewind{
		{"reset, nothing since", func() { cdctest.Exec(t, conn, resetLog(server)) }, "not the one"},
		{"reset, fewer since", func() { cdctest.Exec(t, conn, resetLog(server)); insert("new", 2) }, "not the one"},
		{"reset, as many since", func() { cdctest.Exec(t, conn, resetLog(server)); insert("new", 5) }, "other rows"},
		{"reset, more since", func() { cdctest.Exec(t, conn, resetLog(server)); insert("new", 9) }, "other rows"},
	}
	if !server.Kind().MySQL() {
		rewinds = append(rewinds, rewind{"reset, another server", func() {
			cdctest.Exec(t, conn, "RESET MASTER", "SET server_id = 2")
			insert("new", 9)
			cdctest.Exec(t, conn, "SET server_id = 1")
		}, "not the one"})
	}
	for _, c := range rewinds {
		t.Run(c.name, func(t *testing.T) {
			p := read()
			c.change()
			f := follow(t, s, p)
			if !hasGTIDs(t, server) { // by chance an event may begin at the place, or not
				c.words = "not the one"
			}
			wantStop(t, f.stopError(t), c.words, "restored", "rowhook position set")
			if len(f.txns) > 0 {
				t.Error("transactions were handed out before it stopped")
			}
		})
	}

	t.Run("reset before anything was read", func(t *testing.T) {
		cdctest.Exec(t, conn, resetLog(server))
		insert("old", 2)
		p := current(t, s)
		cdctest.Exec(t, conn, resetLog(server))
		wantStop(t, follow(t, s, p).stopError(t), "not the one")
	})

	t.Run("reset while following", func(t *testing.T) {
		f := follow(t, s, read())
		insert("live", 1)
		f.expect(t, "insert a(id=6 s=live)")
		cdctest.Exec(t, conn, resetLog(server))
		cdctest.KillDumps(t, server)
		insert("new", 20)
		words := "other rows"
		if !hasGTIDs(t, server) {
			words = "not the one"
		}
		wantStop(t, f.stopError(t), words)
	})

	t.Run("idle after rotation", func(t *testing.T) {
		p := read()
		cdctest.Exec(t, conn, "FLUSH BINARY LOGS", "FLUSH BINARY LOGS")
		f := follow(t, s, p)
		insert("next", 1)
		f.expect(t, "insert a(id=6 s=next)")
	})

	t.Run("last purged", func(t *testing.T) {
		p := read()
		purge(t, server)
		f := follow(t, s, p)
		if !hasGTIDs(t, server) { // nothing tells that the file ended behind it
			wantStop(t, f.stopError(t), "no longer has", "binlog_expire_logs_seconds")
			return
		}
		log.wait(t, "cannot be verified")
		insert("next", 1)
		f.expect(t, "insert a(id=6 s=next)")
		cdctest.KillDumps(t, server) // from now on it can be verified again
		insert("next", 1)
		f.expect(t, "insert a(id=7 s=next)")
	})

	t.Run("purged", func(t *testing.T) {
		p := read()
		insert("lost", 1)
		purge(t, server)
		insert("after", 1)
		f := follow(t, s, p)
		wantStop(t, f.stopError(t), "no longer has", "binlog_expire_logs_seconds")
		if len(f.txns) > 0 {
			t.Error("transactions were handed out before it stopped")
		}
	})
}

// purge leaves the server with its newest log file. It has to wait until the server is done with the others: with its
// own bookkeeping, and with a follower that went away.
func purge(t *testing.T, server *dbtest.Server) {
	t.Helper()
	db := server.DB(t, "")
	server.Exec(t, "FLUSH BINARY LOGS")
	newest, err := sqlmap.Row(t.Context(), db, cdctest.LogStatus(server))
	if err != nil {
		t.Fatal(err)
	}
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	late := time.After(patience)
	for {
		server.Exec(t, fmt.Sprintf("PURGE BINARY LOGS TO '%s'", newest["File"]))
		files, err := sqlmap.Rows(t.Context(), db, "SHOW BINARY LOGS")
		if err != nil {
			t.Fatal(err)
		}
		if len(files) == 1 {
			return
		}
		select {
		case <-tick.C:
		case <-late:
			t.Fatalf("the server keeps %v", files)
		}
	}
}

// TestRestoredCopy restarts a server on an older copy of its data, while it is followed.
func TestRestoredCopy(t *testing.T) { cdctest.OnKinds(t, testRestoredCopy) }

func testRestoredCopy(t *testing.T, kind dbtest.Kind) {
	t.Helper()
	for _, write := range []int{0, 9} { // into the copy, after which it has fewer and more transactions
		t.Run(fmt.Sprint(write), func(t *testing.T) {
			t.Parallel()
			server := cdctest.StartServer(t, kind)
			conn := cdctest.SchemaConn(t, server, "restored", "CREATE TABLE a (id INT PRIMARY KEY)", "INSERT INTO a VALUES (1)")
			var data string
			if err := conn.QueryRowContext(t.Context(), "SELECT TRIM(TRAILING '/' FROM @@datadir)").Scan(&data); err != nil {
				t.Fatal(err)
			}
			if err := server.Stop(); err != nil {
				t.Fatal(err)
			}
			older := filepath.Join(t.TempDir(), "older")
			copyTree(t, data, older)
			if err := server.Restart(t.Context()); err != nil {
				t.Fatal(err)
			}
			cfg := sourceConfig(server, newLog(), "restored", "a")
			s := openSource(t, cfg)
			f := followNow(t, s)
			server.Exec(t, "INSERT INTO restored.a VALUES (2)")
			server.Exec(t, "INSERT INTO restored.a VALUES (3)")
			f.expect(t, "insert a(id=2)", "insert a(id=3)")
			p := f.stored(t)
			f.stop()
			if err := server.Kill(); err != nil {
				t.Fatal(err)
			}
			if err := os.RemoveAll(data); err != nil {
				t.Fatal(err)
			}
			copyTree(t, older, data)
			if err := server.Restart(t.Context()); err != nil {
				t.Fatal(err)
			}
			for i := range write {
				server.Exec(t, fmt.Sprintf("INSERT INTO restored.a VALUES (%d)", 100+i))
			}
			f = follow(t, openSource(t, cfg), p)
			wantStop(t, f.stopError(t), "not the one", "restored from a backup")
			if len(f.txns) > 0 {
				t.Error("transactions were handed out before it stopped")
			}
		})
	}
}

func copyTree(t *testing.T, from, to string) {
	t.Helper()
	if out, err := exec.CommandContext(t.Context(), "cp", "-a", from, to).CombinedOutput(); err != nil {
		t.Fatalf("copying: %v: %s", err, out)
	}
}

// TestBegun resumes before a transaction of which a part was taken in: it comes again, if it is the same.
func TestBegun(t *testing.T) { cdctest.OnServers(t, testBegun) }

func testBegun(t *testing.T, server *dbtest.Server) {
	t.Helper()
	conn := cdctest.SchemaConn(t, server, "begun", "CREATE TABLE a (id INT PRIMARY KEY AUTO_INCREMENT, s VARCHAR(20))")
	s := openSource(t, sourceConfig(server, newLog(), "begun", "a"))
	f := followNow(t, s)
	cdctest.Exec(t, conn, "INSERT INTO a (s) VALUES ('before')")
	f.expect(t, "insert a(id=1 s=before)")
	p := f.stored(t)
	cdctest.Exec(t, conn, "INSERT INTO a (s) VALUES ('large'), ('large')")
	begun := f.expect(t, "insert a(id=2 s=large); insert a(id=3 s=large)").Txn
	f.at = f.at.Begin(begun) // as a consumer that has not taken in all of it
	if stored := f.stored(t); stored.Begun == nil || *stored.Begun != begun {
		t.Errorf("stored %v", stored)
	}
	f.stop()

	p.Begun = &begun
	f = follow(t, s, p)
	f.expect(t, "insert a(id=2 s=large); insert a(id=3 s=large)")
	if stored := f.stored(t); stored.Begun != nil {
		t.Errorf("it is taken in, and %s", stored)
	}
	f.stop()

	other := begun
	other.Hash++
	p.Begun = &other
	wantStop(t, follow(t, s, p).stopError(t), "other rows", "part of")
	other = begun
	other.Start.Offset--
	if begun.GTID != "" {
		other.GTID = p.Last.GTID
	}
	p.Begun = &other
	wantStop(t, follow(t, s, p).stopError(t), "in place of")
	p.Begun = &begun
	cdctest.Exec(t, conn, resetLog(server))
	wantStop(t, follow(t, s, p).stopError(t), "not the one")
}
