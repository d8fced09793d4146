package events

import (
	"container/heap"
	"time"

	"rowhook/rules"
)

// openEvents are the events that may still absorb changes, each in the queue of its aggregate, and when the time of each is
// over: the windows. What opens and closes them is the Engine's to say.
type openEvents struct {
	opts   *Options
	queues map[aggregate]*queue
	byLog  deadlines
	byWall deadlines
	touch  []*queue // those that the current transaction touched
}

func newOpenEvents(o *Options) openEvents { return openEvents{opts: o, queues: map[aggregate]*queue{}} }

// next is when, by our clock, the time of the first event is over; false when none is open.
func (o *openEvents) next() (time.Time, bool) {
	if len(o.byWall) == 0 {
		return time.Time{}, false
	}
	return o.byWall[0].at, true
}

// queueOf is the aggregate's queue, made when missing.
func (o *openEvents) queueOf(a aggregate) *queue {
	q := o.queues[a]
	if q == nil {
		q = &queue{agg: a}
		o.queues[a] = q
	}
	if !q.listed {
		q.listed = true
		o.touch = append(o.touch, q)
	}
	return q
}

// enqueue puts a new event at the end of its aggregate's queue.
func (o *openEvents) enqueue(a aggregate, ev *event) {
	q := o.queueOf(a)
	q.events = append(q.events, ev)
}

// openSave is the save of the aggregate that still absorbs changes, nil when there is none.
func (o *openEvents) openSave(a aggregate) *event {
	if q := o.queues[a]; q != nil {
		for _, ev := range q.events {
			if ev.Action.Kind == rules.Save && !ev.sealed {
				return ev
			}
		}
	}
	return nil
}

// lastStatus is the latest open status change of the aggregate, nil when there is none.
func (o *openEvents) lastStatus(a aggregate) *event {
	var last *event
	if q := o.queues[a]; q != nil {
		for _, ev := range q.events {
			if ev.Action.Kind == rules.StatusChange {
				last = ev
			}
		}
	}
	return last
}

// waitingFor is the open event that waits for a history row with this status, nil when there is none.
func (o *openEvents) waitingFor(a aggregate, status string) *event {
	if q := o.queues[a]; q != nil {
		for _, ev := range q.events {
			if ev.waits && ev.Status == status {
				return ev
			}
		}
	}
	return nil
}

// deadline is when an event's time is over on a clock.
func (o *openEvents) deadline(q *queue, ev *event, c clock) time.Time {
	first, last := c.of(ev.first), c.of(ev.last)
	switch {
	case ev.waits:
		return first.Add(o.opts.StatusWait)
	case ev.Restored != nil:
		return last.Add(restoreQuiet)
	case q.making != nil:
		return q.making.deadline(o.opts, c, first, last)
	}
	return earlier(last.Add(o.opts.Coalesce), first.Add(o.opts.CoalesceMax))
}

// due is when something is to be done about a queue on a clock: its first event's time is over, or that of the order.
func (o *openEvents) due(q *queue, c clock) time.Time {
	if head := q.head(); head != nil {
		return o.deadline(q, head, c)
	}
	return q.making.end(o.opts, c)
}

func (o *openEvents) over(q *queue, ev *event, c clock, now time.Time) bool {
	return ev.Backfill != "" || !o.deadline(q, ev, c).After(now)
}

// schedule sees to it that the queue is looked at when it is due, on both clocks.
func (o *openEvents) schedule(q *queue) {
	if o.queues[q.agg] != q {
		return
	}
	if at := o.due(q, logClock); q.log.IsZero() || at.Before(q.log) {
		q.log = at
		heap.Push(&o.byLog, deadlineEntry{at, q.number(), q})
	}
	if at := o.due(q, ourClock); q.wall.IsZero() || at.Before(q.wall) {
		q.wall = at
		heap.Push(&o.byWall, deadlineEntry{at, q.number(), q})
	}
}

// head is the next event of an aggregate to close, nil when none is open.
func (o *openEvents) head(a aggregate) *event {
	if q := o.queues[a]; q != nil {
		return q.head()
	}
	return nil
}
