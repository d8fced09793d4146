package mysql

import (
	"cmp"
	"errors"
	"maps"
	"slices"
	"sync"
	"time"

	"rowhook/outbox"
	"rowhook/outbox/pending"
)

// part is an endpoint that is this process's, for one epoch of it, with the outcomes that the holder has not recorded yet: they
// are waiting, on their way, or handed over.
type part struct {
	id   int64
	name string
	share
	head    head
	asked   head // as of when it was asked how old the oldest delivery is
	waiting []*outcome
	sent    []sent
	handed  int                // how many were sent, ever
	left    bool               // it is being let go of, as nobody delivers to it
	latest  map[int64]*outcome // by Seq: what hides what the tables say
}

// sent are outcomes that were handed over, as one.
type sent struct {
	k        int64
	outcomes []*outcome
}

// head is what is known of any endpoint.
type head struct {
	last, count, bytes int64
	low                int64  // every number up to it is settled
	applied            handed // what the holder has recorded
}

// parts are the endpoints of a member, and what it knows of all.
type parts struct {
	terms *terms

	mu      sync.Mutex
	words   words
	heads   map[int64]head
	byID    map[int64]*part
	byName  map[string]*part
	gone    map[int64]int64 // by endpoint: the last epoch that was ours and is no more
	claims  claims
	waiting int           // outcomes that were not handed over yet
	taken   int64         // the endpoint of which some were taken last; the appender's
	bytes   int           // of outcomes that the holder has not recorded yet
	room    chan struct{} // closed, and made anew, when there is more
	failed  error         // why they will never be recorded
	wakes   map[string]chan struct{}
	some    chan struct{} // holds a token when outcomes wait
	many    chan struct{} // holds one when they are many
	uptime  clock
	upUntil time.Time // it does not count beyond, as nobody may hold the lease then
	oldest  map[int64]time.Duration
}

func newParts(terms *terms) *parts {
	return &parts{
		terms: terms, heads: make(map[int64]head), byID: make(map[int64]*part), byName: make(map[string]*part), gone: make(map[int64]int64), claims: newClaims(),
		room: make(chan struct{}), wakes: make(map[string]chan struct{}), some: make(chan struct{}, 1), many: make(chan struct{}, 1),
		oldest: make(map[int64]time.Duration),
	}
}

// settle notes outcomes, of those deliveries that lie at endpoints which are ours. When there is no room, the channel tells when
// another try is worth it. Unknown are deliveries of which it is not known where they lie: nothing is noted then.
func (p *parts) settle(list []outbox.Outcome) (room <-chan struct{}, unknown []int64, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.failed != nil {
		return nil, nil, p.failed
	}
	for _, o := range list {
		if _, known := p.claims.at(o.Seq); !known {
			unknown = append(unknown, o.Seq)
		}
	}
	if len(unknown) > 0 {
		return nil, unknown, nil
	}
	if p.bytes >= pending.MaxBytes {
		return p.room, nil, nil
	}
	for _, o := range pending.Record(list, p.now(), map[int64]*entry{}) {
		at, _ := p.claims.at(o.Seq)
		one := p.byID[at.endpoint]
		if one == nil { // another process has it by now, and will send that once more
			continue
		}
		if o.AtOnce() {
			o.Delivery = &entry{endpoint: at.endpoint, label: at.label, length: at.length}
			o.Delivery.Number = at.n
		}
		one.waiting = append(one.waiting, o)
		one.latest[o.Seq] = o
		p.bytes += sizeOf(o)
		p.waiting++
	}
	if p.waiting > 0 {
		pending.Signal(p.some)
	}
	if p.waiting >= pending.FlushCount {
		pending.Signal(p.many)
	}
	return nil, nil, nil
}

// sizeOf is roughly what an outcome takes in memory.
func sizeOf(o *outcome) int {
	n := 256
	if o.Attempt != nil {
		n += 96 + len(o.Attempt.Error) + len(o.Attempt.Response)
	}
	return n
}

// fail is for when outcomes will never be recorded.
func (p *parts) fail(err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.failed == nil {
		p.failed = err
	}
	p.makeRoom()
}

// makeRoom lets those look again who wait for room; mu is held.
func (p *parts) makeRoom() {
	close(p.room)
	p.room = make(chan struct{})
}

// tell makes the terms what they are now; mu is held.
func (p *parts) tell() {
	now := make(map[string]outbox.Term)
	for name, one := range p.byName {
		if !one.leaving {
			now[name] = one.term()
		}
	}
	p.terms.set(now)
}

// drop forgets a part, and with it the outcomes that are the holder's, or nobody's; mu is held.
func (p *parts) drop(one *part) {
	p.waiting -= len(one.waiting)
	p.forget(one, sent{outcomes: one.waiting})
	for _, s := range one.sent {
		p.forget(one, s)
	}
	p.gone[one.id] = max(p.gone[one.id], one.epoch)
	delete(p.byID, one.id)
	delete(p.byName, one.name)
	delete(p.oldest, one.id)
	p.makeRoom()
}

// forget is for outcomes that were recorded, so that the tables tell; mu is held.
func (p *parts) forget(one *part, s sent) {
	for _, o := range s.outcomes {
		p.bytes -= sizeOf(o)
		if one.latest[o.Seq] == o {
			delete(one.latest, o.Seq)
		}
	}
}

// now is the uptime; mu is held.
func (p *parts) now() time.Duration {
	if p.uptime.since.IsZero() {
		return 0
	}
	return p.uptime.before + min(time.Since(p.uptime.since), p.upUntil.Sub(p.uptime.since))
}

// errBehind says that a node of a cluster has not yet what another one has shown.
var errBehind = errors.New("the server that is read from lags behind")

// glance looks at an endpoint: known is true when there is nothing to be read beyond a number.
func (p *parts) glance(name string, after int64) (g glance, one part, known bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	is := p.byName[name]
	if is == nil || after >= is.head.last {
		return g, one, true
	}
	return glance{id: is.id, now: p.now(), words: p.words, pending: maps.Clone(is.latest)}, *is, false
}

// claimed notes where deliveries lie.
func (p *parts) claimed(id int64, items []*item) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, it := range items {
		p.claims.add(it.Seq, place{endpoint: id, n: it.Number, label: it.label, length: it.length})
	}
}

// located notes the endpoints of deliveries that were asked for; those that are not among them are gone.
func (p *parts) located(seqs []int64, at map[int64]int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, seq := range seqs {
		p.claims.add(seq, place{endpoint: at[seq]})
	}
}

// know takes over words.
func (p *parts) know(w words) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.words = w
}

// channel is an endpoint's to wake it; mu is held.
func (p *parts) channel(name string) chan struct{} {
	if p.wakes[name] == nil {
		p.wakes[name] = make(chan struct{}, 1)
	}
	return p.wakes[name]
}

func (p *parts) wake(name string) <-chan struct{} {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.channel(name)
}

// due tells by endpoint what lies undelivered.
func (p *parts) due() map[string]outbox.Due {
	p.mu.Lock()
	defer p.mu.Unlock()
	due, now := make(map[string]outbox.Due), p.now()
	for id, h := range p.heads {
		name, known := p.words.endpoints[id]
		if h.count <= 0 || !known {
			continue
		}
		d := outbox.Due{Count: int(h.count), Bytes: h.bytes}
		if since, some := p.oldest[id]; some {
			d.Oldest = max(0, now-since)
		}
		due[name] = d
	}
	return due
}

// all are the parts, in order of endpoint.
func (p *parts) all() []*part {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.SortedFunc(maps.Values(p.byID), func(a, b *part) int { return cmp.Compare(a.id, b.id) })
}
