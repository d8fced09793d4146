package mysql

import (
	"log/slog"
	"sync"
	"time"

	"rowhook/retry"
)

// trouble says that the server cannot be written to for now: once, and each hour; and once that it can be again. Everything
// that writes shares it. It lasts until nobody waits any more.
type trouble struct {
	log     *slog.Logger
	mu      sync.Mutex
	waiting int // how many wait for it to end
	trouble retry.Trouble
}

// met is for who begins to wait, or waits on.
func (t *trouble) met(err error, first bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if first {
		t.waiting++
	}
	if t.trouble.Worth(shown(err)) {
		t.log.Error("the outbox cannot be written for now; rowhook waits, and goes on by itself", slog.Any("error", shown(err)))
	}
}

// over is for who need not wait any more: he could write, or has gone away.
func (t *trouble) over(written bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.waiting--; t.waiting > 0 {
		return
	}
	if lasted, was := t.trouble.Over(); was && written {
		t.log.Info("the outbox can be written again", slog.Duration("after", lasted.Round(time.Millisecond)))
	}
}

// lasts tells whether somebody waits.
func (t *trouble) lasts() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.waiting > 0
}
