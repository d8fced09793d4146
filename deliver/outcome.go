package deliver

import (
	"log/slog"
	"time"

	"rowhook/deliver/post"
	"rowhook/outbox"
)

// finish takes in what came of an attempt; mu is held.
func (e *endpoint) finish(it *item, r *post.Result, now time.Time) {
	e.inFlight--
	it.flying = false
	u, probe := it.url, it.probe
	if it.probe = false; probe {
		u.probing = false
	}
	switch {
	case r.Verdict == post.Accepted:
		e.accept(it, r, now)
		return
	case e.stopping:
		return // it is no attempt: the next one begins anew
	case r.Verdict == post.Aborted:
		e.win.release(it, now) // cannot be: only leaving cuts off
		return
	}
	e.health.note(it, r)
	if e.urlOf(it.Rule) != u { // what the old URL says tells nothing of the new one
		e.settler.putBack(it, r, now)
		it.early = true
		if !e.claimer.reclaim(it, now) {
			e.win.release(it, now)
		}
		e.poke()
		return
	}
	if e.paused || u.paused {
		e.settler.putBack(it, r, now)
		e.win.remove(it, now)
		return
	}
	switch e.health.blame(it, r) {
	case theDelivery:
		e.fails(it, r, now)
		if r.Verdict == post.Rejected && it.Object != outbox.Unshaped {
			e.goOn(e.health.answers(u, now), now)
		}
	case theURL:
		e.settler.putBack(it, r, now)
		if r.Verdict == post.Gone {
			e.pauseURL(it, r, now)
			return
		}
		e.failsURL(it, r, probe, now)
	case theEndpoint:
		e.settler.putBack(it, r, now)
		if e.health.fail(it, r, probe, now) {
			e.forget() // its deliveries go back to the others in the outbox
		} else {
			e.win.remove(it, now)
		}
		e.poke()
	}
}

// accept takes in a success.
func (e *endpoint) accept(it *item, r *post.Result, now time.Time) {
	e.settler.delivered(it, r, now)
	e.win.remove(it, now)
	e.goOn(e.health.accepts(it.url, now), now)
}

// goOn makes what waited for who is back due at once.
func (e *endpoint) goOn(back recovery, now time.Time) {
	for _, it := range back.waiting {
		it.early = true
		e.win.release(it, now)
	}
	if back.whole {
		e.claimer.hurry()
		e.poke()
	}
}

// fails takes in a failure of the delivery itself: its next attempt is on its schedule, or it is dead.
func (e *endpoint) fails(it *item, r *post.Result, now time.Time) {
	if e.schedule.fails(it, r, now) {
		e.bury(it, r, now)
		return
	}
	it.early = false
	e.settler.putBack(it, r, now)
	if !e.claimer.leave(it, now) {
		e.win.postpone(it)
	}
	e.poke()
}

// failsURL takes in a failure that is a URL's. The delivery waits with the others until a probe tells that it is back.
func (e *endpoint) failsURL(it *item, r *post.Result, probe bool, now time.Time) {
	e.health.failURL(it, r, probe, now)
	it.failed(r, now)
	u := it.url
	if probe && e.schedule.expired(it, &u.breaker, now) {
		e.bury(it, r, now)
		return
	}
	if !e.claimer.leave(it, now) {
		e.win.unloadAll(it)
		u.waiting = append([]*item{it}, u.waiting...) // it was first
	}
	e.poke()
}

// pauseURL takes in that a URL is no more. Its deliveries leave the window and the order: who posts to another URL of the
// endpoint does not wait for them.
func (e *endpoint) pauseURL(it *item, r *post.Result, now time.Time) {
	u := it.url
	e.health.gone(u)
	e.pauser.isGone(u.url, r.Error, now)
	e.win.drop(func(other *item) bool { return other == it || e.urlOf(other.Rule) == u }, now)
	e.poke()
}

// bury gives a delivery up, and lets those go that waited for it.
func (e *endpoint) bury(it *item, r *post.Result, now time.Time) {
	e.log.Warn("a delivery is given up", slog.String("rule", it.Rule), slog.String("id", it.ID.String()),
		slog.Int("attempts", it.Attempts), slog.String("error", r.Error))
	e.settler.dead(it, r, now)
	e.win.remove(it, now)
}
