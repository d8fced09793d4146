package events

import "time"

// queue holds the open events of one aggregate in the order of their first changes. Events leave at the head only.
type queue struct {
	agg    aggregate
	events []*event
	making *making   // the order that it is about, while its page request may be writing; nil otherwise
	log    time.Time // its earliest entry in byLog; zero: none
	wall   time.Time // its earliest entry in byWall
	listed bool      // in openEvents.touch
}

// seal ends the absorbing of every event in the queue.
func (q *queue) seal() {
	for _, ev := range q.events {
		ev.sealed = true
	}
}

// head is the event that leaves first, nil when there is none.
func (q *queue) head() *event {
	if len(q.events) == 0 {
		return nil
	}
	return q.events[0]
}

// number is that of the first event.
func (q *queue) number() uint64 {
	if len(q.events) == 0 {
		return 0
	}
	return q.events[0].Number
}
