// Package retry is for what fails again and again while somebody waits for it: when to try again, and when to say so.
package retry

import (
	"context"
	"math/rand/v2"
	"slices"
	"time"
)

// Trouble is something that fails again and again. It says when that is worth a line in the log: when it begins, when it
// becomes something else, each hour while it lasts, and when it is over. And it says how long to wait before the next try.
// The zero Trouble is none.
type Trouble struct {
	since time.Time
	said  []saying // the oldest first
	wait  time.Duration
}

// saying is an error that was worth a line, and when.
type saying struct {
	text string
	at   time.Time
}

const (
	sayAgain   = time.Hour
	sayOther   = time.Minute // when it is ever something else: errors may say an address or a time
	manySaid   = 8
	firstWait  = 250 * time.Millisecond
	longestTry = 30 * time.Second
)

// Worth notes a failure, and says whether it is to be logged: errors that take turns are not, each time.
func (t *Trouble) Worth(err error) bool {
	now, text := time.Now(), err.Error()
	if t.since.IsZero() {
		t.since = now
	}
	if i := slices.IndexFunc(t.said, func(s saying) bool { return s.text == text }); i >= 0 {
		if now.Sub(t.said[i].at) < sayAgain {
			return false
		}
		t.said = slices.Delete(t.said, i, i+1)
	}
	if n := len(t.said); n == manySaid {
		if now.Sub(t.said[n-1].at) < sayOther {
			return false
		}
		t.said = slices.Delete(t.said, 0, 1)
	}
	t.said = append(t.said, saying{text, now})
	return true
}

// Since is when the trouble began, zero when there is none.
func (t *Trouble) Since() time.Time { return t.since }

// Wait is how long to wait before the next try: each time twice as long, up to half a minute, and no two the same.
func (t *Trouble) Wait() time.Duration {
	t.wait = min(max(2*t.wait, firstWait), longestTry)
	return t.wait/2 + rand.N(t.wait/2)
}

// Pause waits for d, or until ctx is done, whose error it returns.
func Pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}

// Over notes that it works, and says how long it did not; false when there was no trouble.
func (t *Trouble) Over() (lasted time.Duration, was bool) {
	if t.since.IsZero() {
		return 0, false
	}
	lasted = time.Since(t.since)
	*t = Trouble{}
	return lasted, true
}
