package cdc

import "strings"

// StopError is why the reader will not go on: what it found cannot be read rightly, and skipping it would lose or
// distort changes. Trying again does not help; a person must decide.
type StopError struct {
	At     Coord  // where in the log, zero when it is not about a place
	Reason string // what was found
	Hint   string // what to do
	Err    error  // the cause, nil when there is none
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
