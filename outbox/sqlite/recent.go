package sqlite

import (
	"slices"
	"sort"
	"time"

	"rowhook/outbox"
	"rowhook/outbox/pending"
)

const (
	// maxRecent bounds the deliveries kept in memory, and those read back at once, in bytes.
	maxRecent = 8 << 20
	// maxSpan is how far the oldest delivery in memory may lie behind the newest one stored, as what lies between is read
	// when the file is opened; maxRuns how many gaps those in memory may leave in the marks.
	maxSpan = 1 << 16
	maxRuns = 1024
	// overhead is roughly what a delivery takes in memory beside its body.
	overhead = 512
)

// entry is an undelivered delivery in memory.
type entry struct {
	outbox.Stored
	endpoint int64
	label    int64
	since    time.Duration // uptime when its age began
	failing  time.Duration // uptime at its first failed attempt, 0: none failed
	length   int64         // of its payload
}

// outcome is an outcome that is not written yet.
type outcome = pending.Outcome[entry]

func (e *entry) size() int { return int(e.length) + overhead }

// recent keeps the newest undelivered deliveries in memory, so that what was just committed is sent without being read
// back. All of them beyond the low-water mark that are neither settled nor in the backlog are here: what has no room any
// more is put into the backlog, the oldest first. So an endpoint that lags makes no room short for the others.
type recent struct {
	bySeq  map[int64]*entry
	order  []*entry           // by Seq; those no longer in bySeq are passed over
	queues map[int64][]*entry // of each endpoint, by number; the same
	bytes  int
}

func newRecent() recent {
	return recent{bySeq: make(map[int64]*entry), queues: make(map[int64][]*entry)}
}

func (r *recent) has(e *entry) bool { return r.bySeq[e.Seq] == e }

// add takes in the delivery that follows the last one.
func (r *recent) add(e *entry) {
	r.bySeq[e.Seq] = e
	r.order = append(r.order, e)
	r.queues[e.endpoint] = append(r.queues[e.endpoint], e)
	r.bytes += e.size()
}

// remove lets go of a delivery that was settled, or is in the backlog now.
func (r *recent) remove(seq int64) {
	e := r.bySeq[seq]
	if e == nil {
		return
	}
	delete(r.bySeq, seq)
	r.bytes -= e.size()
	r.order = r.trim(r.order)
	q := r.trim(r.queues[e.endpoint])
	if len(q) == 0 {
		delete(r.queues, e.endpoint)
	} else {
		r.queues[e.endpoint] = q
	}
}

// trim cuts off what is gone at the beginning of a list, and takes it out of a list that is mostly gone.
func (r *recent) trim(list []*entry) []*entry {
	n := 0
	for n < len(list) && !r.has(list[n]) {
		list[n] = nil
		n++
	}
	list = list[n:]
	if len(list) > 64 && len(list) > 4*len(r.bySeq) {
		list = slices.DeleteFunc(list, func(e *entry) bool { return !r.has(e) })
	}
	return list
}

// overflow tells which deliveries have to go, so that those of a new batch, with numbers up to last, have room; and how
// many of the new ones have none.
func (r *recent) overflow(batch []*outbox.Delivery, last int64, runs int) (old []*entry, fresh int) {
	bytes := r.bytes
	for _, d := range batch {
		bytes += len(d.Body) + overhead
	}
	surplus := 0
	if runs > maxRuns {
		surplus = len(r.bySeq) / 2
	}
	for _, e := range r.order {
		far := last-e.Seq > maxSpan
		if bytes <= maxRecent && !far && len(old) >= surplus {
			return old, 0
		}
		if r.has(e) {
			old = append(old, e)
			bytes -= e.size()
		}
	}
	for fresh < len(batch) && bytes > maxRecent {
		bytes -= len(batch[fresh].Body) + overhead
		fresh++
	}
	return old, fresh
}

// all are the deliveries in memory, by Seq.
func (r *recent) all() []*entry {
	return slices.DeleteFunc(slices.Clone(r.order), func(e *entry) bool { return !r.has(e) })
}

// from are those of an endpoint's list that lie beyond a number, and some that are gone.
func (r *recent) from(endpoint, after int64) []*entry {
	q := r.queues[endpoint]
	return q[sort.Search(len(q), func(i int) bool { return q[i].Number > after }):]
}

// claim copies up to limit deliveries of an endpoint beyond a number.
func (r *recent) claim(endpoint, after int64, limit int, now time.Duration) (list []*outbox.Stored) {
	size := 0
	for _, e := range r.from(endpoint, after) {
		if len(list) == limit || size >= maxRecent {
			break
		}
		if !r.has(e) {
			continue
		}
		d := e.Stored
		d.Age = now - e.since
		if e.failing > 0 {
			d.Failing = now - e.failing
		}
		list = append(list, &d)
		size += len(d.Body)
	}
	return list
}

// first is when the age of an endpoint's first delivery in memory began, an uptime.
func (r *recent) first(endpoint int64) (since time.Duration, ok bool) {
	for _, e := range r.queues[endpoint] {
		if r.has(e) {
			return e.since, true
		}
	}
	return 0, false
}

// settle makes a delivery show an outcome that is not written yet, or lets go of it.
func (r *recent) settle(o *outcome) {
	e := r.bySeq[o.Seq]
	if e == nil {
		return
	}
	if !o.Apply(&e.Stored) {
		r.remove(o.Seq)
		return
	}
	if o.Attempt != nil && e.failing == 0 {
		e.failing = max(o.At, 1)
	}
}
