package connect

import (
	"math/rand/v2"
	"time"
)

// Trouble is something that fails again and again. It says when that is worth a line in the log: when it begins, when it
// becomes something else, each hour while it lasts, and when it is over. And it says how long to wait before the next try.
// The zero Trouble is none.
type Trouble struct {
	text  string
	since time.Time
	said  time.Time
	wait  time.Duration
}

const (
	sayAgain   = time.Hour
	sayOther   = time.Minute // errors that take turns are not said each time
	firstWait  = 250 * time.Millisecond
	longestTry = 30 * time.Second
)

// Worth notes a failure, and says whether it is to be logged.
func (t *Trouble) Worth(err error) bool {
	now := time.Now()
	if t.since.IsZero() {
		t.since = now
	} else if since := now.Sub(t.said); since < sayOther || err.Error() == t.text && since < sayAgain {
		return false
	}
	t.text, t.said = err.Error(), now
	return true
}

// Since is when the trouble began, zero when there is none.
func (t *Trouble) Since() time.Time { return t.since }

// Wait is how long to wait before the next try: each time twice as long, up to half a minute, and no two the same.
func (t *Trouble) Wait() time.Duration {
	t.wait = min(max(2*t.wait, firstWait), longestTry)
	return t.wait/2 + rand.N(t.wait/2)
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
