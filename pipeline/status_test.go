package pipeline

import (
	"errors"
	"testing"
	"time"

	"rowhook/cdc"
)

// TestUnanswered: while the server does not say where its log ends, its heartbeats say whether all is read: who read something three hours
// ago is not three hours behind.
func TestUnanswered(t *testing.T) {
	t.Parallel()
	b := newBench(t, time.Hour)
	b.src.mu.Lock()
	b.src.silent = errors.New("too many connections")
	b.src.mu.Unlock()
	b.run()
	for range 3 {
		b.src.write(txn{})
		for ctx := patience(t); ; { // a heartbeat comes soon
			s, err := b.line.Status(ctx, time.Minute)
			if err != nil {
				t.Fatal(err)
			}
			if s.Unanswered == nil {
				t.Fatal("the server answered")
			}
			if s.CaughtUp {
				break
			}
		}
	}
}

// TestIdle: a heartbeat counts until something else is read.
func TestIdle(t *testing.T) {
	t.Parallel()
	p := &Pipeline{}
	for _, c := range []cdc.Commit{{Idle: true}, {}, {Idle: true}} {
		p.noteRead(&p.reading, &c)
		if p.idle != c.Idle {
			t.Errorf("after %+v: %t", c, p.idle)
		}
	}
}
