package mysql

import (
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"rowhook/outbox"
	"rowhook/outbox/pending"
)

// outcome is an outcome that is not written yet.
type outcome = pending.Outcome[entry]

// queue is what is known in memory of what lies undelivered: the content as of the last commit, what was committed lately, and
// the outcomes that wait to be written.
type queue struct {
	clock   clock
	flusher pending.Flusher

	mu      sync.Mutex
	words   words
	byName  map[string]int64
	ends    map[int64]*end
	last    int64 // the last Seq given
	pending *pending.Outcomes[entry]
	riding  int // how many of those are in the transaction that is on its way
	recent  recent
	ages    ages
	wakes   map[string]chan struct{}
}

// clock tells the uptime of a store.
type clock struct {
	before time.Duration // the uptime when it was opened
	since  time.Time     // when that was
	stands *atomic.Int64 // the uptime while it stands; nil: it runs
}

// running is the clock of a store that is open from now on.
func running(before time.Duration) clock { return clock{before: before, since: time.Now()} }

func (c clock) now() time.Duration {
	if c.stands != nil {
		return time.Duration(c.stands.Load())
	}
	return c.before + time.Since(c.since)
}

func newQueue(clock clock, content *content) *queue {
	q := &queue{clock: clock, flusher: pending.NewFlusher(), pending: pending.New[entry](), recent: newRecent(), ages: newAges(), wakes: make(map[string]chan struct{})}
	q.look(content)
	return q
}

// look takes over what the content is now. The caller holds mu, but for the beginning.
func (q *queue) look(c *content) {
	q.words, q.byName, q.ends, q.last = c.words, c.byName, c.ends, c.lastSeq
}

// glance is what memory knows of an endpoint at a moment.
type glance struct {
	known   bool               // list is all there is to know
	list    []*outbox.Stored   // in memory
	id      int64              //
	now     time.Duration      // uptime
	end     *end               //
	words   words              //
	pending map[int64]*outcome // that the server does not know yet
}

// glance looks at an endpoint. With a limit of 0 it takes nothing from memory.
func (q *queue) glance(name string, after int64, limit int) glance {
	q.mu.Lock()
	defer q.mu.Unlock()
	id := q.byName[name]
	e := q.ends[id]
	if id == 0 || e == nil || e.count() == 0 {
		return glance{known: true}
	}
	g := glance{id: id, now: q.clock.now(), end: e, words: q.words}
	if limit > 0 && q.recent.covers(id, after, e.last) {
		g.known, g.list = true, q.recent.claim(id, after, limit, g.now)
		return g
	}
	g.pending = q.pending.Latest()
	return g
}

// use makes what was read show what is not written yet. It returns false for what is settled.
func (g *glance) use(it *item) bool {
	if !it.State.Undelivered() {
		return false
	}
	if it.State == outbox.Fresh {
		it.Attempts = 0 // those on record were made before a person had it sent again
	}
	o := g.pending[it.Seq]
	if o == nil {
		return true
	}
	if o.Attempt != nil && it.failing == 0 {
		it.failing = max(o.At, it.since, time.Microsecond)
	}
	return o.Apply(&it.Stored)
}

// show is what was read as it is handed out.
func (g *glance) show(items []*item) []*outbox.Stored {
	list := make([]*outbox.Stored, len(items))
	for i, it := range items {
		it.Age = max(0, g.now-it.since)
		if it.failing > 0 {
			it.Failing = max(0, g.now-it.failing)
		}
		list[i] = &it.Stored
	}
	return list
}

// wake is the endpoint's channel.
func (q *queue) wake(endpoint string) chan struct{} {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.channel(endpoint)
}

// channel is wake for those who hold mu.
func (q *queue) channel(endpoint string) chan struct{} {
	if q.wakes[endpoint] == nil {
		q.wakes[endpoint] = make(chan struct{}, 1)
	}
	return q.wakes[endpoint]
}

// due tells by endpoint what lies undelivered.
func (q *queue) due() map[string]outbox.Due {
	q.mu.Lock()
	defer q.mu.Unlock()
	due, now := make(map[string]outbox.Due), q.clock.now()
	for id, e := range q.ends {
		if e.count() <= 0 {
			continue
		}
		d := outbox.Due{Count: int(e.count()), Bytes: e.bytesIn - e.bytes}
		since, ok := q.recent.oldest(id, e.count())
		if !ok {
			since, ok = q.ages.oldest[id]
		}
		if ok {
			d.Oldest = max(0, now-since)
		}
		due[q.words.endpoints[id]] = d
	}
	return due
}

// settle notes outcomes, to be written soon. When there is no room, the channel tells when another try is worth it; those of
// which a person wants some are not noted, but to be written at once.
func (q *queue) settle(outcomes []outbox.Outcome) (room <-chan struct{}, retried bool, err error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if err := q.pending.Failed(); err != nil {
		return nil, false, fmt.Errorf("record outcomes: %w", err)
	}
	retried, err = outbox.CheckOutcomes(outcomes, q.last)
	if err != nil || retried {
		return nil, retried, err
	}
	if room := q.pending.Room(); room != nil {
		return room, false, nil
	}
	for _, o := range pending.Record(outcomes, q.clock.now(), q.recent.bySeq) {
		q.pending.Add(o)
		q.recent.settle(o)
	}
	if n := q.pending.Len() - q.riding; n > 0 {
		q.flusher.Wake(n)
	}
	return nil, false, nil
}

// record makes outcomes of what is to be written at once.
func (q *queue) record(outcomes []outbox.Outcome) []*outcome {
	q.mu.Lock()
	defer q.mu.Unlock()
	return pending.Record(outcomes, q.clock.now(), q.recent.bySeq)
}

// outcomes are those that wait to be written.
func (q *queue) outcomes() []*outcome {
	q.mu.Lock()
	defer q.mu.Unlock()
	all := q.pending.All()
	q.riding = len(all)
	return all
}

// written takes over what a transaction has changed: the first outcomes are written, entries are new.
func (q *queue) written(content *content, c *change, entries []*entry, outcomes int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if outcomes > 0 {
		q.pending.Written(outcomes)
		q.riding = 0
		q.flusher.Wake(q.pending.Len())
	}
	q.look(content)
	for _, o := range c.adopted {
		q.recent.settle(o)
	}
	for id := range c.disarranged {
		q.recent.forget(id)
	}
	for _, e := range entries {
		if e.endpoint != 0 && !c.disarranged[e.endpoint] {
			q.recent.add(e)
		}
	}
	for id := range c.changed {
		q.ages.change(id)
	}
	for id := range c.woken {
		pending.Signal(q.channel(q.words.endpoints[id]))
	}
}

// fail is for when outcomes will never be written.
func (q *queue) fail(err error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.pending.Fail(err)
}
