package pending

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"rowhook/outbox"
)

type delivery string

func waiting(seq int64, answer string) outbox.Outcome {
	return outbox.Outcome{Seq: seq, State: outbox.Waiting, Attempts: 1, Attempt: &outbox.Attempt{Response: answer}}
}

// TestOutcomes: what is pending of a delivery is its last outcome, until just that one is written.
func TestOutcomes(t *testing.T) {
	t.Parallel()
	known := map[int64]*delivery{2: new(delivery)}
	list := Record([]outbox.Outcome{waiting(1, "a"), waiting(2, "b"), waiting(1, "c")}, time.Minute, known)
	p := New[delivery]()
	for _, o := range list {
		p.Add(o)
	}
	if list[0].Delivery != nil || list[1].Delivery != known[2] || list[1].At != time.Minute {
		t.Errorf("outcomes were recorded as %+v", list)
	}
	seen := p.Latest()
	p.Written(2)
	if now := p.Latest(); len(seen) != 2 || len(now) != 1 || now[1].Attempt.Response != "c" || p.Len() != 1 {
		t.Errorf("%d were pending, then %v", len(seen), now)
	}
	p.Written(1)
	if len(p.Latest()) != 0 || p.Len() != 0 || p.bytes != 0 {
		t.Errorf("nothing is pending, in %d bytes: %v", p.bytes, p.Latest())
	}
}

// TestRoom: who finds no room learns when there may be some: because outcomes were written, or never will be.
func TestRoom(t *testing.T) {
	t.Parallel()
	p := New[delivery]()
	n := 0
	for ; p.Room() == nil; n++ {
		p.Add(Record([]outbox.Outcome{waiting(int64(n+1), strings.Repeat("x", outbox.MaxText))}, 0, map[int64]*delivery{})[0])
	}
	if n < MaxBytes/outbox.MaxText/2 || n > MaxBytes/outbox.MaxText {
		t.Errorf("there was room for %d", n)
	}
	broken := errors.New("broken")
	for _, end := range []func(){func() { p.Fail(broken) }, func() { p.Written(n) }} {
		room := p.Room()
		select {
		case <-room:
			t.Error("there is no room, and yet it is told")
		default:
		}
		end()
		<-room
	}
	if p.Room() != nil || !errors.Is(p.Failed(), broken) {
		t.Errorf("there is room, and it is known why it failed: %v", p.Failed())
	}
}

// TestFlusher: outcomes are written after a tenth of a second, at once when they are many, and not any more after an error.
func TestFlusher(t *testing.T) {
	t.Parallel()
	broken := errors.New("broken")
	for name, c := range map[string]struct {
		pending int
		after   time.Duration
		write   error
		want    error
	}{
		"few":    {1, FlushAfter, nil, nil},
		"many":   {FlushCount, 0, nil, nil},
		"broken": {1, FlushAfter, broken, broken},
		"closed": {1, FlushAfter, outbox.ErrClosed, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				f, closing, ended := NewFlusher(), make(chan struct{}), make(chan error, 1)
				began, written := time.Now(), make(chan time.Duration, 1)
				go func() {
					ended <- f.Run(t.Context(), closing, func() error {
						written <- time.Since(began)
						return c.write
					})
				}()
				f.Wake(c.pending)
				if after := <-written; after != c.after {
					t.Errorf("it was written after %v", after)
				}
				if c.write == nil {
					close(closing)
				}
				if err := <-ended; !errors.Is(err, c.want) {
					t.Errorf("it ended with %v", err)
				}
			})
		})
	}
}

// TestFlusherRests: what a commit took along needs no writing, and makes that of what comes later no earlier.
func TestFlusherRests(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f, closing, ended := NewFlusher(), make(chan struct{}), make(chan error, 1)
		f.Wake(FlushCount)
		f.Wake(0)
		began, written := time.Now(), make(chan time.Duration, 1)
		go func() {
			ended <- f.Run(t.Context(), closing, func() error {
				written <- time.Since(began)
				return nil
			})
		}()
		<-time.After(time.Hour)
		f.Wake(FlushCount)
		f.Wake(1)
		if after := <-written; after != time.Hour+FlushAfter {
			t.Errorf("it was written after %v", after)
		}
		close(closing)
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}
