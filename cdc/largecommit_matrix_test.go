//go:build matrix

package cdc

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"rowhook/cdc/cdctest"
	"rowhook/dbtest"
)

// TestLargeCommit follows transactions of MariaDB 11.8, in which events say that they end at 0, and among them one that
// is beyond binlog_large_commit_threshold: it gets a file of its own.
func TestLargeCommit(t *testing.T) {
	t.Parallel()
	if !slices.Contains(cdctest.Kinds(t), dbtest.MariaDB118) {
		return
	}
	const threshold = 10 << 20 // the least that it may be
	server := cdctest.StartServer(t, dbtest.MariaDB118, fmt.Sprintf("--binlog-large-commit-threshold=%d", threshold), "--binlog-legacy-event-pos=OFF",
		"--binlog-cache-size=32768", "--max-binlog-cache-size=100M")
	conn := cdctest.SchemaConn(t, server, "large", "CREATE TABLE a (id INT PRIMARY KEY, s LONGTEXT)")
	db := server.DB(t, "")
	s := openSource(t, sourceConfig(server, newLog(), "large", "a"))
	f := followNow(t, s)
	cdctest.Exec(t, conn, "INSERT INTO a VALUES (1, 'x')")
	small := f.expect(t, "insert a(id=1 s=x)")
	wantEventAt(t, db, small.Txn.Start, "Gtid")

	cdctest.Exec(t, conn, "BEGIN", "INSERT INTO a VALUES (2, 'y')")
	var rows []string
	const size = 900 << 10 // what is larger is left to the table
	for id := 3; id < 3+threshold/size+2; id++ {
		cdctest.Exec(t, conn, fmt.Sprintf("INSERT INTO a VALUES (%d, REPEAT('z', %d))", id, size))
		rows = append(rows, fmt.Sprintf("insert a(id=%d s=%s)", id, strings.Repeat("z", size)))
	}
	cdctest.Exec(t, conn, "COMMIT", "INSERT INTO a VALUES (98, 'behind')", "INSERT INTO a VALUES (99, 'last')")
	large := f.next(t)
	if want := append([]string{"insert a(id=2 s=y)"}, rows...); !slices.Equal(large.rows, want) {
		t.Fatalf("%d rows of the large transaction, want %d", len(large.rows), len(want))
	}
	if large.Txn.Start.File == small.End.File {
		t.Errorf("it has no file of its own: it begins at %s, the one before ended at %s", large.Txn.Start, small.End)
	}
	wantEventAt(t, db, large.Txn.Start, "Gtid")
	// It is compared at the next connect, and what came behind it is not lost.
	p := f.stored(t)
	f.stop()
	f = follow(t, openSource(t, sourceConfig(server, newLog(), "large", "a")), p)
	behind := f.expect(t, "insert a(id=98 s=behind)")
	last := f.expect(t, "insert a(id=99 s=last)")
	wantEventAt(t, db, behind.Txn.Start, "Gtid")
	wantEventAt(t, db, last.Txn.Start, "Gtid")
	if behind.End.File != last.Txn.Start.File || behind.End.Offset > last.Txn.Start.Offset {
		t.Errorf("a transaction ends at %s, the next begins at %s", behind.End, last.Txn.Start)
	}
}
