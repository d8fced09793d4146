package deliver

import (
	"context"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"rowhook/deliver/post"
	"rowhook/outbox"
)

// poster makes one request at a time; a *post.Sender.
type poster interface {
	Post(ctx context.Context, stop <-chan struct{}, t *post.Target, m *post.Message, tries int) post.Result
	Close()
}

// maxReason is how much is told of why there is no payload, in bytes.
const maxReason = 500

// idleTime is how long a sender without work is kept, and its connections.
const idleTime = 90 * time.Second

// sender makes requests, one after the other, over connections of its own.
type sender struct {
	poster
	message post.Message
	work    chan struct{} // holds a token when it is called
	called  bool          // it is to look for work
}

// pool is an endpoint's senders: started when there is work, ended when there was none for long. The endpoint's mu guards it.
type pool struct {
	most    int                  // senders
	work    func(*sender, *pool) // what a sender does until it is to end
	poster  func() poster
	quit    chan struct{} // closed when all are to end
	running sync.WaitGroup
	started int       // those that have not ended
	idle    []*sender // those without work, the one that had some last at the end
	called  int       // those that were woken or started and did not look for work yet
}

// call makes senders look for work until so many do: first those that had some last, whose connections are the freshest.
// When all are busy they look for more by themselves.
func (p *pool) call(n int) {
	for p.called < n {
		last := len(p.idle) - 1
		switch {
		case last >= 0:
			s := p.idle[last]
			p.idle = p.idle[:last]
			s.work <- struct{}{} // has room
		case p.started < p.most:
			p.started++
			p.running.Go(func() {
				s := &sender{poster: p.poster(), work: make(chan struct{}, 1), called: true}
				defer s.Close()
				p.work(s, p)
			})
		default:
			return
		}
		p.called++
	}
}

// wait waits until an idle sender is called. It returns false when it is to end: there was no work for long, or all are to.
func (p *pool) wait(mu *sync.Mutex, s *sender) bool {
	idle := time.NewTimer(idleTime)
	defer idle.Stop()
	select {
	case <-s.work:
	case <-idle.C:
	case <-p.quit:
	}
	mu.Lock()
	defer mu.Unlock()
	if i := slices.Index(p.idle, s); i >= 0 {
		p.idle = slices.Delete(p.idle, i, i+1)
		p.started--
		return false
	}
	select {
	case <-s.work: // it was called at the last moment
	default:
	}
	s.called = true
	return true
}

// rouse makes as many senders look for work as there is; mu is held.
func (e *endpoint) rouse(now time.Time) {
	if !e.stopping && !now.Before(e.pacer.next()) {
		e.pool.call(len(e.win.ready))
	}
}

// send posts what is ready until there was nothing for long, or the endpoint is stopped.
func (e *endpoint) send(s *sender, p *pool) {
	for {
		e.mu.Lock()
		if s.called {
			p.called--
			s.called = false
		}
		it, t := e.take(time.Now())
		if it == nil {
			p.idle = append(p.idle, s)
		}
		e.mu.Unlock()
		if it != nil {
			e.deliver(s, it, t)
		} else if !p.wait(&e.mu, s) {
			return
		}
	}
}

// take is the next item that may be posted now, and where to; nil when there is none. mu is held.
func (e *endpoint) take(now time.Time) (*item, *target) {
	if e.stopping || len(e.win.ready) == 0 || e.settler.full() || e.opts.MayPost != nil && !e.opts.MayPost() {
		return nil, nil
	}
	for {
		it := e.win.take()
		if it == nil {
			return nil, nil
		}
		t := e.targets(it.Rule)
		if t == nil {
			continue // cannot be: an endpoint whose rules change is stopped first
		}
		it.url = e.health.urls.of(t.url)
		if !e.passes(it, now) {
			continue
		}
		if !e.pacer.allow(now) {
			e.win.giveBack(it)
			e.poke()
			return nil, nil
		}
		if it.url.breaker.open() {
			it.probe, it.url.probing = true, true
		}
		it.flying = true
		e.inFlight++
		return it, t
	}
}

// passes tells whether an item's URL lets it pass. If it does not, the item is put where it waits; mu is held.
func (e *endpoint) passes(it *item, now time.Time) bool {
	u := it.url
	if it.probe || u.passes(now) {
		return true
	}
	if !e.claimer.leave(it, now) {
		e.win.unloadAll(it)
		u.waiting = append(u.waiting, it)
	}
	return false
}

// deliver makes an attempt, and records what came of it.
func (e *endpoint) deliver(s *sender, it *item, t *target) {
	tries := e.opts.Burst
	if it.probe || e.pacer != nil {
		tries = 1
	}
	s.message = post.Message{
		ID: it.ID, Action: it.Action, Site: it.Site, Object: it.Object, AsOf: it.AsOf, Sequence: it.Number,
		Kind: it.Kind, Created: it.Created, Key: keyOf(it.Keys), Omitted: omitted(it.Omitted), Body: it.Body, KeepText: it.State == outbox.Waiting,
	}
	var r post.Result
	if it.Object == outbox.Unshaped {
		r = post.Result{Verdict: post.Rejected, At: time.Now(), Error: unshaped(it.Body).Error()}
	} else {
		r = s.Post(e.post, e.pool.quit, t.Target, &s.message, tries)
	}
	e.mu.Lock()
	now := time.Now()
	e.finish(it, &r, now)
	e.rouse(now)
	look := e.claimer.ready() || len(e.win.bare) > 0 || e.next(now).Before(e.looks) // what waited behind it may have to wait on its own
	e.mu.Unlock()
	if look {
		e.poke()
	}
	if err := e.settler.flush(e.settle); err != nil {
		e.fail(err)
	}
}

// omitted lists columns for a header, as many as it has room for. A column's name may hold anything: what is no letter,
// digit, _, -, . or ~ is escaped as in a URL.
func omitted(columns []string) string {
	const room = 4 << 10 // bytes
	var b strings.Builder
	for i, column := range columns {
		name := url.QueryEscape(column)
		if i > 0 {
			b.WriteString(", ")
		}
		if b.Len()+len(name) > room {
			b.WriteString("...")
			break
		}
		b.WriteString(name)
	}
	return b.String()
}

// keyOf is the key of what a delivery is about, behind its site and entity; empty when it is about several objects.
func keyOf(aggregates []string) string {
	if len(aggregates) != 1 {
		return ""
	}
	_, rest, _ := strings.Cut(aggregates[0], "/")
	_, key, _ := strings.Cut(rest, "/")
	return key
}
