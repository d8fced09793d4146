package mysql

import (
	"sort"
	"time"

	"rowhook/outbox"
)

const (
	// maxRecent bounds the deliveries kept in memory, and maxRead those read back at once, in bytes.
	maxRecent = 8 << 20
	maxRead   = 8 << 20
	// overhead is roughly what a delivery takes beside its payload, in memory as on the server's disk.
	overhead = 512
)

// entry is an undelivered delivery in memory.
type entry struct {
	outbox.Stored
	endpoint, label int64
	since           time.Duration // uptime when its age began
	failing         time.Duration // uptime at its first failed attempt, 0: none failed
	length          int64         // of its payload
}

func (e *entry) size() int64 { return e.length + overhead }

// recent keeps the newest deliveries of each endpoint in memory, so that what was just committed is sent without being read
// back. What has no room any more is forgotten, the oldest first: it is on the server.
type recent struct {
	bySeq map[int64]*entry
	order []*entry // by Seq; those no longer in bySeq are passed over
	tails map[int64]*tail
	bytes int64
}

// tail is an endpoint's part of recent: all that is undelivered from the number first up to the one before next.
type tail struct {
	first, next int64
	count       int64
	list        []*entry // by number; those no longer in bySeq are passed over
}

func newRecent() recent {
	return recent{bySeq: make(map[int64]*entry), tails: make(map[int64]*tail)}
}

func (r *recent) has(e *entry) bool { return r.bySeq[e.Seq] == e }

// add takes in a delivery that was just committed, and makes room for it.
func (r *recent) add(e *entry) {
	t := r.tails[e.endpoint]
	if t == nil || t.next != e.Number {
		r.forget(e.endpoint)
		t = &tail{first: e.Number}
		r.tails[e.endpoint] = t
	}
	t.next = e.Number + 1
	t.count++
	t.list = append(t.list, e)
	r.bySeq[e.Seq] = e
	r.order = append(r.order, e)
	r.bytes += e.size()
	for r.bytes > maxRecent {
		r.evict()
	}
}

// evict forgets the oldest delivery.
func (r *recent) evict() {
	e := r.order[0]
	r.order = r.order[1:]
	if !r.has(e) {
		return
	}
	r.tails[e.endpoint].first = e.Number + 1
	r.remove(e.Seq)
}

// remove lets go of a delivery that was settled.
func (r *recent) remove(seq int64) {
	e := r.bySeq[seq]
	if e == nil {
		return
	}
	delete(r.bySeq, seq)
	r.bytes -= e.size()
	r.order = r.trim(r.order)
	t := r.tails[e.endpoint]
	t.count--
	t.list = r.trim(t.list)
}

// trim cuts off what is gone at the beginning of a list, and makes a list that is mostly gone anew.
func (r *recent) trim(list []*entry) []*entry {
	for len(list) > 0 && !r.has(list[0]) {
		list[0] = nil
		list = list[1:]
	}
	if len(list) > 64 && len(list) > 4*len(r.bySeq) {
		var left []*entry
		for _, e := range list {
			if r.has(e) {
				left = append(left, e)
			}
		}
		return left
	}
	return list
}

// forget lets go of all that an endpoint has: something else changed there than that it grew, or that some were settled.
func (r *recent) forget(endpoint int64) {
	t := r.tails[endpoint]
	if t == nil {
		return
	}
	delete(r.tails, endpoint)
	for _, e := range t.list {
		if e != nil && r.has(e) {
			delete(r.bySeq, e.Seq)
			r.bytes -= e.size()
		}
	}
	r.order = r.trim(r.order)
}

// covers tells whether all that an endpoint has beyond a number is in memory, if the last number given is the second one.
func (r *recent) covers(endpoint, after, last int64) bool {
	t := r.tails[endpoint]
	return after >= last || t != nil && after+1 >= t.first && t.next > last
}

// claim copies up to limit deliveries of an endpoint beyond a number.
func (r *recent) claim(endpoint, after int64, limit int, now time.Duration) (list []*outbox.Stored) {
	t := r.tails[endpoint]
	if t == nil {
		return nil
	}
	size := 0
	for _, e := range t.list[sort.Search(len(t.list), func(i int) bool { return t.list[i].Number > after }):] {
		if len(list) == limit || size >= maxRead {
			break
		}
		if !r.has(e) {
			continue
		}
		d := e.Stored
		d.Age = max(0, now-e.since)
		if e.failing > 0 {
			d.Failing = max(0, now-e.failing)
		}
		list = append(list, &d)
		size += len(d.Body)
	}
	return list
}

// oldest is when the age of an endpoint's first delivery began, if all the count of them are in memory.
func (r *recent) oldest(endpoint, count int64) (since time.Duration, ok bool) {
	t := r.tails[endpoint]
	if t == nil || t.count < count {
		return 0, false
	}
	for _, e := range t.list {
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
