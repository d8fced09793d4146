package outbox

import (
	"fmt"
	"time"
)

const (
	// MaxAttempts is how many attempts of a delivery a store keeps, the newest; a probe of a dead endpoint may fail for days.
	MaxAttempts = 100
	// MaxText is where a store cuts the error and the answer of an attempt, in bytes.
	MaxText = 16 << 10
)

// Attempt is one try of delivering.
type Attempt struct {
	At       time.Time
	Latency  time.Duration
	Status   int    // of the HTTP answer, 0 when there was none
	Error    string // what went wrong, empty on success; never holds a secret
	Response string // the beginning of the answer's body
}

// Cut is the attempt as stores keep it: times to the microsecond and in UTC, texts up to MaxText.
func (a Attempt) Cut() Attempt {
	a.At, a.Latency = Kept(a.At), a.Latency.Truncate(time.Microsecond)
	a.Error, a.Response = a.Error[:min(len(a.Error), MaxText)], a.Response[:min(len(a.Response), MaxText)]
	return a
}

// Kept is a time as stores keep it: to the microsecond and in UTC.
func Kept(t time.Time) time.Time {
	if t.IsZero() {
		return time.Time{}
	}
	return t.Truncate(time.Microsecond).UTC()
}

// Outcome is what became of a delivery. The last outcome of a Seq counts, with two exceptions: what was Delivered stays so
// whatever arrives late, only Retried takes it back; and what is Held stays so until Route releases it, or until it turns
// out to have been Delivered, or Dead, after all.
type Outcome struct {
	Seq      int64
	State    State     // Waiting, Delivered or Dead
	Attempts int       // attempts used up so far, with this one
	Due      time.Time // Waiting: when it may be tried again; zero: as soon as the endpoint lets it
	Attempt  *Attempt  // the attempt just made, nil when none was
	Retried  time.Time // Waiting: when a person had it sent again, from any state; zero: nobody did
	// Took is how long the attempt took, where Attempt does not tell: of one that was accepted at once nothing else is kept.
	Took time.Duration
}

// Tried tells how long the attempt took that was just made, if one was.
func (o *Outcome) Tried() (took time.Duration, tried bool) {
	switch {
	case !o.Retried.IsZero():
		return 0, false
	case o.Attempt != nil:
		return o.Attempt.Latency, true
	}
	return o.Took, o.State == Delivered
}

// Check refuses what is no outcome.
func (o *Outcome) Check() error {
	switch {
	case o.Seq < 1:
		return ErrNotFound
	case o.State != Waiting && o.State != Delivered && o.State != Dead:
		return fmt.Errorf("state %d is no outcome", o.State)
	case o.State != Waiting && !o.Retried.IsZero():
		return fmt.Errorf("one that is to be sent again is waiting, not %v", o.State)
	}
	return nil
}

// CheckOutcomes refuses outcomes that make no sense, also those of a Seq beyond the last one given, and tells whether some are
// Retried. Stores ask it before they record anything.
func CheckOutcomes(list []Outcome, last int64) (retried bool, err error) {
	for i := range list {
		o := &list[i]
		err := o.Check()
		if err == nil && o.Seq > last {
			err = ErrNotFound
		}
		if err != nil {
			return false, fmt.Errorf("record outcomes: delivery %d: %w", o.Seq, err)
		}
		retried = retried || !o.Retried.IsZero()
	}
	return retried, nil
}
