//go:build crash

package crash

import (
	"fmt"
	"sync"
)

// The journal is what the writers know of what they committed. A writer holds an object's lock from before its
// transaction begins until it is committed, so the journal of each object is in commit order, whoever wrote it.

// kind is what rules can want of an object.
type kind uint8

const (
	save kind = iota
	status
	gone
)

func (k kind) String() string { return [...]string{"save", "status", "delete"}[k] }

// step is a committed change of one object, as one event is to tell it.
type step struct {
	kind kind
	n    int64 // the number that the payload shows; a delete's only tells it from others
}

func (s step) String() string { return fmt.Sprintf("(%s %d)", s.kind, s.n) }

// key names an object: as deliveries do.
type key struct {
	site, entity string
	id           int64
}

func (k key) String() string { return fmt.Sprintf("%s/%s/%d", k.site, k.entity, k.id) }

// object is a row and what became of it.
type object struct {
	key
	parent bool // of a multi-order: its insert is no event

	mu     sync.Mutex // held for the whole of each transaction
	exists bool
	letter string // an appointment's status
	steps  []step
}

// rows is the place of each of the object's steps among its saves and deletes, in commit order.
func (o *object) rows() []step {
	var rows []step
	for _, s := range o.steps {
		if s.kind != status {
			rows = append(rows, s)
		}
	}
	return rows
}

// effect is what a transaction does to an object.
type effect struct {
	existed, exists bool
	letter          string  // an appointment's status: a change of it without a history row would be an event of its own
	saved           int64   // the last number of its row; 0: only its housekeeping changed
	statuses        []int64 // the numbers of its new history rows
}

// steps are the events that a committed transaction makes of it.
func (e *effect) steps(o *object, txn int64) (steps []step) {
	switch {
	case e.existed && !e.exists:
		return []step{{gone, txn}}
	case !e.exists: // it came and went
		return nil
	case e.saved > 0 && (e.existed || !o.parent):
		steps = append(steps, step{save, e.saved})
	}
	for _, n := range e.statuses {
		steps = append(steps, step{status, n})
	}
	return steps
}
