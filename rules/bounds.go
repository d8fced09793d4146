package rules

import "time"

const (
	// maxOpen bounds what open events take, in bytes; beyond it windows close early.
	maxOpen = 8 << 20
	// eventBytes is what an event takes besides its row, with its queue and its deadlines, about.
	eventBytes = 1024
)

// weigh keeps account of what an event takes.
func (u *unsent) weigh(ev *Event) {
	w := eventBytes + ev.Row.Size() + ev.Order.Size() + ev.Before.Size() + keysSize(ev.IDs) + len(ev.Changed) + len(ev.Named)
	for _, text := range ev.Passed {
		w += 64 + len(text)
	}
	if ev.closing > 0 {
		u.closedBytes += w - ev.weight
	} else {
		u.openBytes += w - ev.weight
	}
	ev.weight = w
}

func keysSize(keys []Key) (n int) {
	for _, k := range keys {
		n += 16 + len(k)
	}
	return n
}

// relieve closes the windows that would be over next, while more is open than memory allows.
func (e *Engine) relieve() {
	for e.unsent.openBytes+e.makings.bytes > maxOpen {
		d, ok := e.open.byLog.pop()
		if !ok {
			break
		}
		q := d.q
		if q.log = (time.Time{}); e.open.queues[q.agg] != q {
			continue
		}
		if head := q.head(); !e.open.due(q, logClock).After(d.at) {
			e.leave(q, func(ev *Event) bool { return ev == head })
		}
		e.open.schedule(q)
	}
	e.open.byLog.trim(e.open.queues)
	e.open.byWall.trim(e.open.queues)
}

// Pending is how many records the next commit holds.
func (e *Engine) Pending() int {
	return e.unsent.pending() + len(e.others) + len(e.fired.behind) + len(e.makings.behind)
}
