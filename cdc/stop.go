package cdc

import (
	"strings"
)

// skipHint is the way out where a person accepts that changes are lost.
const skipHint = "to skip what is committed by now: rowhook position set --now; " + backfillHint

// backfillHint is how to make up for changes that were left out.
const backfillHint = "what is left out can be posted as it is by then: rowhook backfill --rule NAME (see --where; rows that are gone are not told)"

// lookHint is that of who only looks at the log.
const lookHint = "to look at the rest, begin behind that, or without --from: where the daemon goes on, columns are known"

// StopError is why the reader will not go on: what it found cannot be read rightly, and skipping it would lose or
// distort changes. Trying again does not help; a person must decide.
type StopError struct {
	At     Coord  // where in the log, zero when it is not about a place
	Reason string // what was found
	Hint   string // what to do
	Err    error  // the cause, nil when there is none
	Gone   bool   // the server removed the log that comes next
}

func (e *StopError) Error() string {
	var b strings.Builder
	if e.At != (Coord{}) {
		b.WriteString("at " + e.At.String() + ": ")
	}
	b.WriteString(e.Reason)
	if e.Err != nil {
		b.WriteString(": " + e.Err.Error())
	}
	if e.Hint != "" {
		b.WriteString("; " + e.Hint)
	}
	return b.String()
}

func (e *StopError) Unwrap() error { return e.Err }
