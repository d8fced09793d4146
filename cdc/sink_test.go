package cdc

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// patience is how long a test waits for what must come: no busy machine takes that long.
const patience = 3 * time.Minute

// recorder is a Sink that hands finished transactions to the test.
type recorder struct {
	open     []string         // rows of the transaction that is being read
	discards []int            // since the last commit, but for those of nothing
	txns     chan transaction // and progress with schema records
	progress chan Coord       // the newest end, of any commit
	idle     chan Coord       // the newest end at which the server had no more
	onChange func(*Change) error
}

// transaction is what a recorder got up to a commit.
type transaction struct {
	Commit
	rows     []string
	discards []int
}

func newRecorder() *recorder {
	return &recorder{txns: make(chan transaction, 1<<16), progress: make(chan Coord, 1), idle: make(chan Coord, 1)}
}

func (r *recorder) Change(c *Change) error {
	if r.onChange != nil {
		if err := r.onChange(c); err != nil {
			return err
		}
	}
	r.open = append(r.open, showChange(c))
	return nil
}

func (r *recorder) Discard(keep int) {
	if keep < len(r.open) {
		r.discards = append(r.discards, keep)
		r.open = r.open[:keep]
	}
}

func (r *recorder) Commit(c *Commit) error {
	if c.Txn == (Txn{}) && len(r.open) > 0 {
		return errors.New("progress inside a transaction")
	}
	if c.Txn != (Txn{}) || len(c.Schema) > 0 {
		if c.Rows != len(r.open) {
			return fmt.Errorf("commit of %d rows after %d changes", c.Rows, len(r.open))
		}
		r.txns <- transaction{*c, r.open, r.discards}
		r.open, r.discards = nil, nil
	}
	newest(r.progress, c.End)
	if c.Idle {
		newest(r.idle, c.End)
	}
	return nil
}

// newest leaves an end in a channel of one.
func newest(in chan Coord, end Coord) {
	select {
	case <-in:
	default:
	}
	in <- end
}

// showChange writes a change as "update t(id=1 n=2 -> id=1 n=3)". Columns that were not logged are left out.
func showChange(c *Change) string {
	image := func(row Row) string {
		var parts []string
		for i, name := range c.Table.Columns {
			switch {
			case !row.Shows(i):
			case row.Kind(i) == Null:
				parts = append(parts, name+"=NULL")
			default:
				parts = append(parts, name+"="+shownText(row, i))
			}
		}
		return strings.Join(parts, " ")
	}
	switch c.Op {
	case Insert:
		return fmt.Sprintf("insert %s(%s)", c.Table.Name, image(c.After))
	case Delete:
		return fmt.Sprintf("delete %s(%s)", c.Table.Name, image(c.Before))
	}
	return fmt.Sprintf("update %s(%s -> %s)", c.Table.Name, image(c.Before), image(c.After))
}

// follower is a running Follow.
type follower struct {
	*recorder
	source  *Source
	at      *Cursor // as the last commit that the test took carried it
	records map[string]SchemaRecord
	cancel  context.CancelFunc
	ended   chan struct{}
	err     error // of Follow, once it ended
}

// follow runs Follow until the test ends, without schema records.
func follow(t *testing.T, s *Source, p Position, sinks ...*recorder) *follower {
	t.Helper()
	return followWith(t, s, p, nil, sinks...)
}

// followOn runs Follow from what a pipeline would have stored of another follower.
func followOn(t *testing.T, f *follower) *follower {
	t.Helper()
	f.stop()
	return followWith(t, f.source, f.stored(t), slices.Collect(maps.Values(f.records)))
}

func followWith(t *testing.T, s *Source, p Position, records []SchemaRecord, sinks ...*recorder) *follower {
	t.Helper()
	at, err := NewCursor(p)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	f := &follower{recorder: newRecorder(), source: s, at: at, records: map[string]SchemaRecord{}, cancel: cancel, ended: make(chan struct{})}
	f.keep(records)
	if len(sinks) > 0 {
		f.recorder = sinks[0]
	}
	go func() {
		defer close(f.ended)
		f.err = s.Follow(ctx, p, records, f.recorder)
	}()
	t.Cleanup(f.stop)
	return f
}

// followNow follows from the log's present end.
func followNow(t *testing.T, s *Source) *follower {
	t.Helper()
	return follow(t, s, current(t, s))
}

func current(t *testing.T, s *Source) Position {
	t.Helper()
	p, err := s.Current(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func (f *follower) stop() {
	f.cancel()
	<-f.ended
}

// next is the next transaction, whatever it holds.
func (f *follower) next(t *testing.T) transaction {
	t.Helper()
	for {
		if txn := f.take(t); txn.Txn != (Txn{}) {
			return txn
		}
	}
}

// learn waits until what the server said of tables is to be stored.
func (f *follower) learn(t *testing.T) {
	t.Helper()
	for f.take(t).Txn != (Txn{}) {
	}
}

func (f *follower) take(t *testing.T) transaction {
	t.Helper()
	select {
	case txn := <-f.txns:
		f.at = txn.At
		f.keep(txn.Schema)
		return txn
	case <-f.ended:
		t.Fatalf("following ended: %v", f.err)
	case <-time.After(patience):
		t.Fatal("no transaction comes")
	}
	return transaction{}
}

// keep stores schema records.
func (f *follower) keep(records []SchemaRecord) {
	for _, r := range records {
		if f.records[r.Key] = r; r.Data == nil {
			delete(f.records, r.Key)
		}
	}
}

// expect waits for transactions with watched rows; each is written as its rows joined by "; ". It returns the last.
func (f *follower) expect(t *testing.T, want ...string) transaction {
	t.Helper()
	var txn transaction
	for _, w := range want {
		for txn = f.next(t); len(txn.rows) == 0; {
			txn = f.next(t)
		}
		if got := strings.Join(txn.rows, "; "); got != w {
			t.Fatalf("transaction %s\n got %s\nwant %s", txn.Txn.ID(), got, w)
		}
	}
	return txn
}

// reach waits until everything that is committed now was read: where there are GTIDs, by transactions alone.
func (f *follower) reach(t *testing.T) {
	t.Helper()
	end, err := f.source.End(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if end.set == nil {
		f.waitSeen(t, end.Coord)
		for len(f.txns) > 0 {
			f.take(t) // of a transaction or of tables alone
		}
		return
	}
	var seen Coord
	for !f.at.Reached(end, seen) {
		seen = f.next(t).End
	}
}

// stopError waits for the end of following.
func (f *follower) stopError(t *testing.T) *StopError {
	t.Helper()
	select {
	case <-f.ended:
	case <-time.After(patience):
		t.Fatal("following does not end")
	}
	var stop *StopError
	if !errors.As(f.err, &stop) {
		t.Fatalf("following ended with %v, not with a StopError", f.err)
	}
	return stop
}

// wantStop checks the words of a StopError.
func wantStop(t *testing.T, stop *StopError, words ...string) {
	t.Helper()
	for _, w := range words {
		if !strings.Contains(stop.Error(), w) {
			t.Errorf("it stops with %q, which does not say %q", stop, w)
		}
	}
	if stop.Hint == "" {
		t.Errorf("it stops with %q, which does not say what to do", stop)
	}
}

// stored is the last commit's position after a round trip through JSON, as the outbox keeps it.
func (f *follower) stored(t *testing.T) Position {
	t.Helper()
	data, err := json.Marshal(f.at.Position())
	if err != nil {
		t.Fatal(err)
	}
	var p Position
	if err := json.Unmarshal(data, &p); err != nil {
		t.Fatal(err)
	}
	return p
}

// logText collects a log.
type logText struct {
	mu   sync.Mutex
	buf  bytes.Buffer
	news chan struct{} // holds a token when something was written
}

func newLog() *logText { return &logText{news: make(chan struct{}, 1)} }

func (l *logText) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	select {
	case l.news <- struct{}{}:
	default:
	}
	return l.buf.Write(p)
}

func (l *logText) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}

// wait waits until the log says something.
func (l *logText) wait(t *testing.T, words string) {
	t.Helper()
	if !l.says(words, patience) {
		t.Fatalf("the log does not say %q:\n%s", words, l)
	}
}

// says waits until the log says something, for a while.
func (l *logText) says(words string, patience time.Duration) bool {
	late := time.After(patience)
	for !strings.Contains(l.String(), words) {
		select {
		case <-l.news:
		case <-late:
			return false
		}
	}
	return true
}
