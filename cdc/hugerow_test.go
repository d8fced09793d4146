package cdc

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"rowhook/cdc/cdctest"
	"rowhook/cdc/rowcodec"
	"rowhook/dbtest"
)

// leftOut is what tests show in place of a text that is too large to be carried.
const leftOut = "(left out)"

// shownText is the text of a column.
func shownText(row Row, i int) string {
	if row.Omitted(i) {
		return leftOut
	}
	return row.Text(i)
}

// TestHugeRows follows rows of up to 64 MB, whose events the link hands over in pieces, over a change of follower and a
// restart of the server in their middle. Between them are as large ones of a table that nobody watches.
func TestHugeRows(t *testing.T) { cdctest.OnServers(t, testHugeRows) }

func testHugeRows(t *testing.T, server *dbtest.Server) {
	t.Helper()
	const most, packet = "SET GLOBAL max_allowed_packet = 134217728", 1<<24 - 1
	server.Exec(t, most)
	conn := cdctest.SchemaConn(t, server, "large", "CREATE TABLE a (id INT PRIMARY KEY, s LONGTEXT) ENGINE=MyISAM", // spares the test InnoDB's log
		"CREATE TABLE other (id INT PRIMARY KEY, s LONGTEXT) ENGINE=MyISAM")
	f := followNow(t, openSource(t, sourceConfig(server, newLog(), "large", "a")))
	sizes := []int{1 << 20, 5 << 20, 64 << 20, packet - 50, packet, 1 << 20}
	for i, size := range sizes {
		cdctest.Exec(t, conn, fmt.Sprintf("INSERT INTO other VALUES (%d, REPEAT('o', %d))", i, size), fmt.Sprintf("INSERT INTO a VALUES (%d, %s)", i, repeat(i, size)))
	}
	cdctest.Exec(t, conn, "INSERT INTO a SELECT id + 10, s FROM a WHERE id <> 2 ORDER BY id") // one transaction
	for i, size := range sizes {
		if i == 3 { // behind the largest
			f = followOn(t, f)
		}
		f.wantRows(t, insertOf(i, i, size))
	}
	if err := server.Restart(t.Context()); err != nil {
		t.Fatal(err)
	}
	server.Exec(t, most)
	var copies []string
	for i, size := range sizes {
		if i != 2 {
			copies = append(copies, insertOf(i+10, i, size))
		}
	}
	f.wantRows(t, copies...)
	conn = cdctest.Conn(t, server.DB(t, "large"))
	cdctest.Exec(t, conn, "UPDATE a SET s = CONCAT(s, '!') WHERE id = 4", "DELETE FROM a WHERE id = 2")
	f.wantRows(t, fmt.Sprintf("update a(id=4 s=%s -> id=4 s=%[1]s)", leftOut))
	f.wantRows(t, fmt.Sprintf("delete a(id=2 s=%s)", leftOut))
}

func letter(i int) string { return string(rune('a' + i)) }

// repeat is SQL for a text of a letter.
func repeat(i, size int) string { return fmt.Sprintf("REPEAT('%s', %d)", letter(i), size) }

func insertOf(id, i, size int) string {
	return fmt.Sprintf("insert a(id=%d s=%s)", id, carried(strings.Repeat(letter(i), size)))
}

// carried is what a row shows of a text.
func carried(text string) string {
	if len(text) > rowcodec.MaxImage {
		return leftOut
	}
	return text
}

// wantRows waits for a transaction with watched rows, which are too long to be shown.
func (f *follower) wantRows(t *testing.T, want ...string) {
	t.Helper()
	txn := f.next(t)
	for len(txn.rows) == 0 {
		txn = f.next(t)
	}
	for i, row := range txn.rows {
		if len(txn.rows) != len(want) || row != want[i] {
			t.Fatalf("row %d of %d, want %d: %.40s... of %d bytes", i, len(txn.rows), len(want), row, len(row))
		}
	}
}

// TestLargeRowsThatDoNotCompress follows rows of some megabytes in every form that servers log them in, packed or not: of
// text that hardly gets smaller, so that the packed event is large as well. Among them are small ones of the same statement.
func TestLargeRowsThatDoNotCompress(t *testing.T) {
	cdctest.OnServers(t, testLargeRowsThatDoNotCompress)
}

func testLargeRowsThatDoNotCompress(t *testing.T, server *dbtest.Server) {
	t.Helper()
	conn := cdctest.SchemaConn(t, server, "odd", "CREATE TABLE a (id INT PRIMARY KEY, s LONGTEXT, n LONGTEXT CHARACTER SET latin1)",
		"CREATE TABLE other (id INT PRIMARY KEY, s LONGTEXT)")
	f := followNow(t, openSource(t, sourceConfig(server, newLog(), "odd", "a")))
	rng := rand.New(rand.NewPCG(dbtest.Seed(t), 0))
	text := func(size int) string {
		b := make([]byte, size)
		for i := range b {
			b[i] = byte('A' + rng.IntN(58))
		}
		return strings.ReplaceAll(string(b), `\`, "é")
	}
	exec := func(query string, args ...any) {
		t.Helper()
		if _, err := conn.ExecContext(t.Context(), query, args...); err != nil {
			t.Fatalf("%.60s: %v", query, err)
		}
	}
	s, n, more := text(3<<20), text(1<<20), text(2<<20)
	exec("INSERT INTO other VALUES (1, ?)", s)
	exec("INSERT INTO a VALUES (1, 'small', NULL), (2, ?, ?), (3, '', 'small')", s, n)
	f.wantRows(t, "insert a(id=1 s=small n=NULL)", "insert a(id=2 s="+leftOut+" n="+n+")", "insert a(id=3 s= n=small)")
	exec("UPDATE a SET n = ? WHERE id > 1", more)
	after := "id=2 s=" + leftOut + " n=" + leftOut
	f = followOn(t, f)
	f.wantRows(t, "update a(id=2 s="+leftOut+" n="+n+" -> "+after+")", "update a(id=3 s= n=small -> id=3 s= n="+leftOut+")")
	exec("DELETE FROM other")
	exec("DELETE FROM a WHERE id = 2")
	f.wantRows(t, "delete a("+after+")")
}
