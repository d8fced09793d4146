package cdc

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"rowhook/cdc/cdctest"
	"rowhook/dbtest"
)

// TestSlowReader takes longer over the log than the server's net_write_timeout, while more is written than any socket
// holds. The link stays.
func TestSlowReader(t *testing.T) { cdctest.OnKinds(t, testSlowReader) }

func testSlowReader(t *testing.T, kind dbtest.Kind) {
	t.Helper()
	const timeout = 2 * time.Second
	server := cdctest.StartServer(t, kind, fmt.Sprintf("--net-write-timeout=%d", int(timeout.Seconds())))
	conn := cdctest.SchemaConn(t, server, "slow", "CREATE TABLE a (id INT PRIMARY KEY, s LONGTEXT)")
	log := newLog()
	s := openSource(t, sourceConfig(server, log, "slow", "a"))
	rec := newRecorder()
	held, release := make(chan struct{}), make(chan struct{})
	once := false
	rec.onChange = func(*Change) error {
		if !once {
			once = true
			close(held)
			<-release
		}
		return nil
	}
	f := follow(t, s, current(t, s), rec)
	const rows = 24
	for i := range rows { // 48 MB
		cdctest.Exec(t, conn, fmt.Sprintf("INSERT INTO a VALUES (%d, REPEAT('x', 2 << 20))", i))
	}
	<-held
	server.Exec(t, fmt.Sprintf("DO SLEEP(%d)", int(2*timeout.Seconds())))
	close(release)
	for i := range rows {
		txn := f.next(t)
		if len(txn.rows) != 1 || txn.rows[0] != insertOf(i, 0, 2<<20) {
			t.Fatalf("transaction %d has %d rows", i, len(txn.rows))
		}
	}
	if text := log.String(); strings.Contains(text, "broken") {
		t.Errorf("the server cut the link:\n%s", text)
	}
}

// TestClockJumps has our clock jump an hour ahead and back. The log's clock never runs backwards, and never ahead of ours.
func TestClockJumps(t *testing.T) { cdctest.OnKinds(t, testClockJumps) }

func testClockJumps(t *testing.T, kind dbtest.Kind) {
	t.Helper()
	server := cdctest.StartServer(t, kind)
	conn := cdctest.SchemaConn(t, server, "jumps", "CREATE TABLE a (id INT PRIMARY KEY)")
	cfg := sourceConfig(server, newLog(), "jumps", "a")
	began := time.Now().Truncate(time.Second)
	jumps := make(chan time.Duration, 1)
	jump := time.Duration(0)
	cfg.Now = func() time.Time { // asked by one goroutine
		select {
		case jump = <-jumps:
		default:
		}
		return time.Now().Add(jump)
	}
	f := followNow(t, openSource(t, cfg))
	last := began
	for i, by := range []time.Duration{0, -time.Hour, time.Hour, 0, -time.Hour, 0} {
		jumped := time.Now()
		jumps <- by
		cdctest.Exec(t, conn, fmt.Sprintf("INSERT INTO a VALUES (%d)", i))
		at := f.expect(t, fmt.Sprintf("insert a(id=%d)", i)).Time
		now := time.Now()
		if at.Before(last) || at.After(now) {
			t.Errorf("clock %s off: committed at %s, before that at %s, now it is %s", by, at, last, now)
		}
		if by == -time.Hour && i == 1 && at.After(jumped) { // the log's clock waits for ours
			t.Errorf("an hour behind it runs on to %s", at)
		}
		if by == 0 && at.Before(jumped.Truncate(time.Second)) { // a log may know no more than seconds
			t.Errorf("our clock is right, and the log's is %s behind it", now.Sub(at))
		}
		last = at
	}
}
