package deliver

import (
	"net/url"
	"strings"
	"time"

	"rowhook/deliver/post"
	"rowhook/outbox"
)

// rouse makes as many senders look for work as there is; mu is held.
func (e *endpoint) rouse(now time.Time) {
	if !e.stopping && !now.Before(e.pacer.next()) {
		e.pool.call(len(e.win.ready))
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
	if it.Object == outbox.Unshaped {
		s.result = post.Result{Verdict: post.Rejected, At: time.Now(), Error: unshaped(it.Body).Error()}
	} else {
		s.compose(it)
		s.result = s.Post(e.post, e.pool.quit, t.Target, &s.message, tries)
	}
	e.takeIn(it, &s.result)
	s.message, s.result = post.Message{}, post.Result{} // a sender that waits for work keeps no payload
	if err := e.settler.flush(e.settle); err != nil {
		e.fail(err)
	}
}

// takeIn takes in what came of an attempt, and has done what there is to do then.
func (e *endpoint) takeIn(it *item, r *post.Result) {
	e.mu.Lock()
	now := time.Now()
	e.finish(it, r, now)
	e.rouse(now)
	look := e.claimer.ready() || len(e.win.bare) > 0 || e.next(now).Before(e.looks) // what waited behind it may have to wait on its own
	e.mu.Unlock()
	if look {
		e.poke()
	}
}

// compose makes the message of a delivery. What is made here is not on the stack while the answer is waited for, of which there may be hundreds.
func (s *sender) compose(it *item) {
	s.message = post.Message{
		ID: it.ID, Action: it.Action, Site: it.Site, Object: it.Object, AsOf: it.AsOf, Sequence: it.Number,
		Kind: it.Kind, Created: it.Created, Key: keyOf(it.Keys), Omitted: omitted(it.Omitted), Body: it.Body, KeepText: it.State == outbox.Waiting,
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
