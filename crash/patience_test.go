//go:build crash

package crash

import (
	"fmt"
	"testing"
	"time"
)

// A busy machine makes everything slow and nothing wrong. So what a test waits for may take its time while it comes
// nearer; it fails when nothing has moved for long.

// standstill is for how long nothing may move that is waited for.
const standstill = 2 * time.Minute

// patience watches how far something is away that is waited for.
type patience struct {
	least int // the nearest that it came
	since time.Time
}

func newPatience(left int) *patience { return &patience{left, time.Now()} }

// look says what is wrong when it has not come nearer for too long.
func (p *patience) look(left int) error { return p.lookAt(left, time.Now()) }

func (p *patience) lookAt(left int, now time.Time) error {
	if left < p.least {
		p.least, p.since = left, now
	}
	if still := now.Sub(p.since); still > standstill {
		return fmt.Errorf("%d are left, and for %v that has not become less", p.least, still.Round(time.Second))
	}
	return nil
}

func TestPatienceCrash(t *testing.T) {
	t.Parallel()
	start := time.Now()
	p := patience{10, start}
	for n, left := range []int{9, 12, 8, 8, 8, 8, 9} {
		err := p.lookAt(left, start.Add(time.Duration(n)*standstill/3))
		if tooLong := n >= 6; (err != nil) != tooLong {
			t.Errorf("look %d, %d left: %v", n, left, err)
		}
	}
}
