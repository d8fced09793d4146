package events

import (
	"container/heap"
	"time"
)

// deadlines is a heap of queues by when to look at them. An entry may be stale: a deadline that moved back is found
// out when the entry is due, and pushed again.
type deadlines []deadlineEntry

type deadlineEntry struct {
	at     time.Time
	number uint64 // of the event: those that are over at the same time close in the order of their first changes
	q      *queue
}

// due takes the first entry that is due at now.
func (d *deadlines) due(now time.Time) (*queue, bool) {
	if len(*d) == 0 || (*d)[0].at.After(now) {
		return nil, false
	}
	entry, ok := d.pop()
	return entry.q, ok
}

// pop takes the first entry.
func (d *deadlines) pop() (deadlineEntry, bool) {
	if len(*d) == 0 {
		return deadlineEntry{}, false
	}
	return heap.Pop(d).(deadlineEntry), true //nolint:forcetypeassert // the heap holds nothing else
}

func (d deadlines) Len() int { return len(d) }
func (d deadlines) Less(i, j int) bool {
	if d[i].at.Equal(d[j].at) {
		return d[i].number < d[j].number
	}
	return d[i].at.Before(d[j].at)
}
func (d deadlines) Swap(i, j int) { d[i], d[j] = d[j], d[i] }

// Push and Pop are heap.Interface.
func (d *deadlines) Push(x any) { *d = append(*d, x.(deadlineEntry)) } //nolint:forcetypeassert // nothing else is pushed

// Pop takes the last entry.
func (d *deadlines) Pop() any {
	last := (*d)[len(*d)-1]
	(*d)[len(*d)-1].q = nil
	*d = (*d)[:len(*d)-1]
	return last
}

// trim drops the first entries as long as they are of queues that are gone.
func (d *deadlines) trim(queues map[aggregate]*queue) {
	for len(*d) > 0 && queues[(*d)[0].q.agg] != (*d)[0].q {
		d.pop()
	}
}
