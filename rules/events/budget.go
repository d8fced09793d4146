package events

import (
	"time"

	"rowhook/rules"
)

const (
	// maxOpen bounds what open events take, in bytes; beyond it windows close early.
	maxOpen = 8 << 20
	// eventBytes is what an event takes besides its row, with its queue and its deadlines, about.
	eventBytes = 1024
)

// weigh keeps account of what an event takes.
func (u *unsent) weigh(ev *event) {
	w := eventBytes + ev.Row.Size() + ev.Order.Size() + ev.Before.Size() + keysSize(ev.IDs) + len(ev.Changed) + len(ev.Named)
	for _, text := range ev.Passed {
		w += 64 + len(text)
	}
	if ev.Closing > 0 {
		u.closedBytes += w - ev.Weight
	} else {
		u.openBytes += w - ev.Weight
	}
	ev.Weight = w
}

func keysSize(keys []rules.Key) (n int) {
	for _, k := range keys {
		n += 16 + len(k)
	}
	return n
}

// relieve closes the windows that would be over next, while more is open than memory allows.
func (w *windows) relieve() {
	for w.unsent.openBytes+w.makings.bytes > maxOpen {
		d, ok := w.open.byLog.pop()
		if !ok {
			break
		}
		q := d.q
		if q.log = (time.Time{}); w.open.queues[q.agg] != q {
			continue
		}
		if head := q.head(); !w.open.due(q, logClock).After(d.at) {
			w.leave(q, func(ev *event) bool { return ev == head })
		}
		w.open.schedule(q)
	}
	w.open.byLog.trim(w.open.queues)
	w.open.byWall.trim(w.open.queues)
}
