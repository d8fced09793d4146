package cdc

import (
	"fmt"
	"strings"
	"testing"

	"rowhook/dbtest"
)

// TestLockedTable: a table that somebody holds locked at the start is not missing, and its site's trouble alone.
func TestLockedTable(t *testing.T) {
	onServers(t, func(t *testing.T, server *dbtest.Server) {
		conn := schemaConn(t, server, "busy", "CREATE TABLE a (id INT PRIMARY KEY)", "CREATE TABLE b (id INT PRIMARY KEY)")
		other := testConn(t, server.DB(t, "busy"))
		cfg := sourceConfig(server, newLog(), "busy", "a", "b")
		s := openSource(t, cfg)
		execute(t, conn, "LOCK TABLES a WRITE")
		findings, err := s.Check(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		said := false
		for _, f := range findings {
			said = said || strings.Contains(f.Found, "locked")
			if strings.Contains(f.Found, "not found") {
				t.Errorf("it is taken for missing: %+v", f)
			}
		}
		if !said {
			t.Error("nothing is said of the lock")
		}
		f := followNow(t, s)
		execute(t, other, "INSERT INTO b VALUES (1)")
		f.expect(t, "insert b(id=1)")
		execute(t, conn, "UNLOCK TABLES", "INSERT INTO a VALUES (2)")
		f.expect(t, "insert a(id=2)")
	})
}

// TestVersionOfItsOwn: a MariaDB that calls itself a MySQL is read as what it is.
func TestVersionOfItsOwn(t *testing.T) {
	t.Parallel()
	server := startServer(t, dbtest.MariaDB1011, "--version=8.0.36")
	conn := schemaConn(t, server, "disguised", "CREATE TABLE a (id INT PRIMARY KEY)")
	s := openSource(t, sourceConfig(server, newLog(), "disguised", "a"))
	if !s.MariaDB() {
		t.Fatalf("it is taken for a MySQL: %s", s.Version())
	}
	f := followNow(t, s)
	for id := range 3 {
		execute(t, conn, fmt.Sprintf("INSERT INTO a VALUES (%d)", id))
		f.expect(t, fmt.Sprintf("insert a(id=%d)", id))
	}
}
