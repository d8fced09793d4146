package deliver

import (
	"context"
	"strings"
	"time"

	"rowhook/deliver/post"
	"rowhook/outbox"
)

// poster makes one request at a time; a *post.Sender.
type poster interface {
	Post(ctx context.Context, stop <-chan struct{}, t *post.Target, m *post.Message, tries int) post.Result
	Close()
}

// sender makes requests, one after the other, over connections of its own.
type sender struct {
	poster
	message post.Message
	work    chan struct{} // holds a token when it is to look for work
}

// rouse makes as many senders look for work as there is: first those that had some last, whose connections are the freshest.
// mu is held.
func (e *endpoint) rouse(now time.Time) {
	if e.stopping || now.Before(e.pacer.next()) {
		return
	}
	for e.called < len(e.win.ready) {
		last := len(e.idle) - 1
		switch {
		case last >= 0:
			s := e.idle[last]
			e.idle = e.idle[:last]
			s.work <- struct{}{} // has room
		case e.started < e.atOnce:
			e.started++
			e.senders.Go(e.send)
		default:
			return // all are busy; they look for more when they are done
		}
		e.called++
	}
}

// send posts what is ready until there was nothing for long, or the endpoint is stopped.
func (e *endpoint) send() {
	s := &sender{poster: e.poster(), work: make(chan struct{}, 1)}
	defer s.Close()
	idle := time.NewTimer(idleTime)
	defer idle.Stop()
	called := true
	for {
		e.mu.Lock()
		if called {
			e.called--
		}
		it, t := e.take(time.Now())
		if it == nil && e.stopping {
			e.started--
			e.mu.Unlock()
			return
		}
		if it == nil {
			e.idle = append(e.idle, s)
		}
		e.mu.Unlock()
		if it != nil {
			called = false
			e.deliver(s, it, t)
			continue
		}
		if called = e.wait(s, idle); !called {
			return
		}
	}
}

// wait waits until a sender is to look for work; false: there is none for it any more.
func (e *endpoint) wait(s *sender, idle *time.Timer) bool {
	idle.Reset(idleTime)
	select {
	case <-s.work:
		return true
	case <-idle.C:
	case <-e.quit:
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	for i, other := range e.idle {
		if other == s {
			e.idle = append(e.idle[:i], e.idle[i+1:]...)
			e.started--
			return false
		}
	}
	<-s.work // it was called meanwhile
	return true
}

// take is the next item that may be posted now, and where to; nil when there is none. mu is held.
func (e *endpoint) take(now time.Time) (*item, *target) {
	if e.stopping || len(e.win.ready) == 0 || e.settler.full() {
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
		it.url = e.urls.of(t.url)
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
	switch {
	case it.probe, !u.breaker.open(), !u.probing && !now.Before(u.breaker.until):
		return true
	case e.win.crowded():
		e.win.shelve(it, now)
	default:
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
		Omitted: strings.Join(it.Omitted, ", "), Body: it.Body, KeepText: it.State == outbox.Waiting,
	}
	r := s.Post(e.post, e.quit, t.Target, &s.message, tries)
	e.mu.Lock()
	now := time.Now()
	e.finish(it, &r, now)
	e.rouse(now)
	look := e.mayClaim() || len(e.win.bare) > 0
	e.mu.Unlock()
	if look {
		e.poke()
	}
	if err := e.settler.flush(e.settle); err != nil {
		e.fail(err)
	}
}
