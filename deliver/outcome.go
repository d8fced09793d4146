package deliver

import (
	"log/slog"
	"net/http"
	"time"

	"rowhook/deliver/post"
	"rowhook/outbox"
)

// culprit is whose matter a failure is.
type culprit uint8

const (
	theDelivery culprit = iota // uses up an attempt
	theURL
	theEndpoint
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
	e.noteError(it, r)
	if e.urlOf(it.Rule) != u { // what the old URL says tells nothing of the new one
		e.putBack(it, r, now)
		it.early = true
		if !e.claimer.reclaim(it, now) {
			e.win.release(it, now)
		}
		e.poke()
		return
	}
	if e.paused || u.paused {
		e.putBack(it, r, now)
		e.win.remove(it, now)
		return
	}
	switch e.blame(it, r) {
	case theDelivery:
		e.fails(it, r, now)
		if r.Verdict == post.Rejected && it.Object != outbox.Unshaped {
			e.answers(u, now)
		}
	case theURL:
		e.putBack(it, r, now)
		if r.Verdict == post.Gone {
			e.pauseURL(it, r, now)
			return
		}
		e.tripURL(it, r, probe, now)
	case theEndpoint:
		e.putBack(it, r, now)
		e.trip(it, r, probe, now)
	}
}

// blame tells whose matter a failure is: the delivery's when others get through. Otherwise that of the URL, as long as
// nothing is known against the others of the endpoint; what an endpoint has only one of is the endpoint's.
func (e *endpoint) blame(it *item, r *post.Result) culprit {
	u, since := it.url, r.At
	if !it.tried.IsZero() {
		since = it.tried
	}
	whole := len(e.urls.all) == 1 || e.urls.othersFail(u, e.success)
	switch {
	case r.Verdict == post.Rejected && !unwelcome(r.Status):
		return theDelivery
	case r.Verdict == post.Gone && u.success.After(r.At):
		return theDelivery // the URL is still there
	case r.Verdict == post.Gone && !e.urls.othersFail(u, e.success):
		return theURL
	case e.breaker.open():
		return theEndpoint
	case r.RetryAfter > 0 && u.success.After(since):
		if it.tried.IsZero() {
			return theURL // it is asked too often
		}
		return theDelivery
	case r.RetryAfter > 0 && !whole:
		return theURL
	case e.success.After(since):
		return theDelivery
	case whole:
		return theEndpoint
	}
	return theURL
}

// unwelcome tells whether an answer may be about a credential or an address, and so be the same for all deliveries.
func unwelcome(status int) bool {
	return status == http.StatusUnauthorized || status == http.StatusForbidden || status == http.StatusNotFound
}

// accept records a success. The outbox keeps no attempt of what was accepted at once.
func (e *endpoint) accept(it *item, r *post.Result, now time.Time) {
	e.success, it.url.success = now, now
	o := outbox.Outcome{Seq: it.Seq, State: outbox.Delivered, Attempts: it.Attempts + 1, Took: r.Latency}
	if it.State == outbox.Waiting {
		o.Attempt = recorded(r, now)
	}
	e.settler.add(o)
	e.win.remove(it, now)
	e.answers(it.url, now)
	for u := range e.urls.trouble {
		if !u.breaker.asked { // others get through: what fails there from now on is the deliveries' own
			e.recover(u, now)
		}
	}
}

// answers takes in that a URL does: it is in no trouble, and neither is its endpoint.
func (e *endpoint) answers(u *urlState, now time.Time) {
	u.failed = time.Time{}
	if u.breaker.open() {
		e.recover(u, now)
	}
	if e.breaker.open() {
		e.revive(now)
	}
}

// recover ends the trouble of a URL: what waits for it is due at once.
func (e *endpoint) recover(u *urlState, now time.Time) {
	for _, it := range e.urls.recovered(u) {
		it.early = true
		e.win.release(it, now)
	}
}

// fails takes in a failure of the delivery itself: its next attempt is on its schedule, or it is dead.
func (e *endpoint) fails(it *item, r *post.Result, now time.Time) {
	if e.schedule.fails(it, r, now) {
		e.bury(it, r, now)
		return
	}
	it.early = false
	e.putBack(it, r, now)
	if !e.claimer.leave(it, now) {
		e.win.postpone(it)
	}
	e.poke()
}

// bury gives a delivery up, and lets those go that waited for it.
func (e *endpoint) bury(it *item, r *post.Result, now time.Time) {
	e.log.Warn("a delivery is given up", slog.String("rule", it.Rule), slog.String("id", it.ID.String()),
		slog.Int("attempts", it.Attempts), slog.String("error", r.Error))
	e.settler.add(outbox.Outcome{Seq: it.Seq, State: outbox.Dead, Attempts: it.Attempts, Attempt: recorded(r, now)})
	e.win.remove(it, now)
}

// putBack records a failure, of which the delivery's attempts tell whether it counts.
func (e *endpoint) putBack(it *item, r *post.Result, now time.Time) {
	o := outbox.Outcome{Seq: it.Seq, State: outbox.Waiting, Attempts: it.Attempts, Attempt: recorded(r, now)}
	if !it.due.IsZero() {
		o.Due = byClock(it.due, now)
	}
	e.settler.add(o)
	it.State = outbox.Waiting
}

// byClock says by the clock as it is set now when t was, or will be: t may have been taken before somebody set the clock, and still
// tells how far from now it lies. What is stored is compared with times of later processes, which have only the clock.
func byClock(t, now time.Time) time.Time { return now.Round(0).Add(t.Sub(now)) }

// recorded is an attempt for the record.
func recorded(r *post.Result, now time.Time) *outbox.Attempt {
	return &outbox.Attempt{At: byClock(r.At, now), Latency: r.Latency, Status: r.Status, Error: r.Error, Response: r.Response}
}

// tripURL takes in a failure that is a URL's. The delivery waits with the others until a probe tells that it is back.
func (e *endpoint) tripURL(it *item, r *post.Result, probe bool, now time.Time) {
	u := it.url
	u.failed = now
	it.failed(r, now)
	if !u.breaker.open() {
		e.log.Warn("a URL is in trouble, its deliveries wait", slog.String("rule", it.Rule), slog.String("error", r.Error))
	}
	if !u.breaker.open() || probe {
		e.urls.fail(u, now, r.RetryAfter)
	}
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
	e.urls.recovered(u) // what waited is dropped
	u.paused, u.failed = true, time.Time{}
	e.gone[u.url] = &Pause{Since: now.UTC(), Reason: r.Error}
	e.win.drop(func(other *item) bool {
		return other == it || e.urlOf(other.Rule) == u
	}, now)
	e.look = true
	e.poke()
}

// trip takes in a failure that is the endpoint's. Its deliveries go back to the others in the outbox.
func (e *endpoint) trip(it *item, r *post.Result, probe bool, now time.Time) {
	it.url.failed = now
	if e.breaker.open() {
		if e.win.remove(it, now); probe {
			e.breaker.fail(now, r.RetryAfter)
		}
		e.poke()
		return
	}
	e.log.Warn("an endpoint is down, its deliveries wait", slog.String("error", r.Error))
	e.breaker.fail(now, r.RetryAfter)
	e.outages.begin(now, r.Error)
	e.forget()
	e.poke()
}

// revive ends an outage: everything that waits for the endpoint is due at once.
func (e *endpoint) revive(now time.Time) {
	e.log.Info("an endpoint is back", slog.Duration("after", now.Sub(e.breaker.since).Round(time.Millisecond)))
	e.outages.end(now, e.breaker.probes)
	e.breaker.close()
	e.claimer.hurry()
	e.poke()
}

// noteError keeps the last error, and logs it when it is another than before.
func (e *endpoint) noteError(it *item, r *post.Result) {
	if r.Error == e.lastErr {
		return
	}
	e.lastErr = r.Error
	e.log.Warn("a delivery was not accepted", slog.String("rule", it.Rule), slog.String("id", it.ID.String()), slog.String("error", r.Error))
}
