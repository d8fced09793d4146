package deliver

import (
	"container/heap"
	"log/slog"
	"time"

	"rowhook/outbox"
)

// finish takes in what came of an attempt.
func (l *lane) finish(r result) {
	it := r.it
	l.inFlight--
	it.flying = false
	switch {
	case r.verdict == accepted:
		l.success = time.Now()
		l.accept(it, r)
		l.revive()
	case r.verdict == aborted: // no attempt
		l.ready = append(l.ready, it)
	case r.verdict == gone:
		l.gone = r.attempt.Error
		fallthrough
	case l.paused:
		l.noteError(r)
		l.putBack(it, r)
		l.remove(it)
	case r.verdict == rejected:
		l.noteError(r)
		l.fail(it, r)
		l.revive() // it answers
	case l.breaker.closed() && l.isOwn(it, r):
		l.noteError(r)
		l.fail(it, r)
	default:
		l.noteError(r)
		l.trip(it, r)
	}
}

// accept records a success. The outbox keeps no attempt of what was accepted at once.
func (l *lane) accept(it *item, r result) {
	o := outbox.Outcome{Seq: it.d.Seq, State: outbox.Delivered, Attempts: it.attempts + 1}
	if it.stored {
		o.Attempt = r.recorded(time.Now())
	}
	l.outcomes = append(l.outcomes, o)
	l.remove(it)
}

// isOwn tells whether a failure without a proper answer is the delivery's: something got through to the endpoint since
// the delivery's attempt began, or since the one before failed, too.
func (l *lane) isOwn(it *item, r result) bool {
	since := r.attempt.At
	if !it.tried.IsZero() {
		since = it.tried
	}
	return l.success.After(since)
}

// fail counts a failure of the delivery itself: its next attempt is on its schedule, or it is dead. An attempt that was
// made early, because the endpoint came back, costs nothing: nothing dies faster than its schedule.
func (l *lane) fail(it *item, r result) {
	now := time.Now()
	it.tried = r.attempt.At
	end := it.since.Add(l.opts.MaxAge)
	if !now.Before(it.due) {
		it.attempts++
		if it.attempts > len(l.opts.Schedule) || !now.Before(end) {
			l.bury(it, r.recorded(now))
			return
		}
		wait := max(jitter(l.opts.Schedule[it.attempts-1]), r.retryAfter)
		it.due = now.Add(wait)
		if it.due.After(end) {
			it.due = end
		}
	}
	it.stored = true
	l.outcomes = append(l.outcomes, outbox.Outcome{
		Seq: it.d.Seq, State: outbox.Waiting, Attempts: it.attempts, Due: byClock(it.due, now), Attempt: r.recorded(now),
	})
	l.unload(it)
	for _, f := range it.next {
		l.unload(f)
	}
	heap.Push(&l.later, it)
}

// bury gives a delivery up, and lets those go that waited for it.
func (l *lane) bury(it *item, last *outbox.Attempt) {
	l.log.Warn("a delivery is given up", slog.String("endpoint", l.name), slog.String("rule", it.d.Rule),
		slog.String("id", it.d.ID.String()), slog.Int("attempts", it.attempts), slog.String("error", last.Error))
	l.outcomes = append(l.outcomes, outbox.Outcome{Seq: it.d.Seq, State: outbox.Dead, Attempts: it.attempts, Attempt: last})
	l.remove(it)
}

// putBack leaves a delivery to the outbox, with the attempt on record but not counted: it is the endpoint's.
func (l *lane) putBack(it *item, r result) {
	now, due := time.Now(), it.due
	if due.IsZero() {
		due = it.since
	}
	l.outcomes = append(l.outcomes, outbox.Outcome{
		Seq: it.d.Seq, State: outbox.Waiting, Attempts: it.attempts, Due: byClock(due, now), Attempt: r.recorded(now),
	})
	it.stored = true
}

// byClock is a time as the clock has it by now, which may have been set since the time was taken. All that one outcome
// records is so of one clock: else setBack could not tell.
func byClock(t, now time.Time) time.Time { return now.Round(0).Add(t.Sub(now)) }

// recorded is the attempt for the record.
func (r *result) recorded(now time.Time) *outbox.Attempt {
	attempt := r.attempt
	attempt.At = byClock(attempt.At, now)
	return &attempt
}

// trip takes in a failure that is the endpoint's. The delivery goes back to the others in the outbox.
func (l *lane) trip(it *item, r result) {
	l.putBack(it, r)
	if !l.breaker.closed() {
		l.remove(it) // nothing is behind it: all else is in the outbox
		if it.probe {
			l.breaker.failed(r)
		}
		return
	}
	l.log.Warn("an endpoint is down, its deliveries wait", slog.String("endpoint", l.name), slog.String("error", r.attempt.Error))
	l.breaker.failed(r)
	l.mu.Lock()
	l.down, l.parking, l.parked = true, true, 0
	l.count()
	l.mu.Unlock()
	l.shelve()
}

// revive ends an outage: everything that waits for the endpoint is due at once.
func (l *lane) revive() {
	if l.breaker.closed() {
		return
	}
	l.log.Info("an endpoint is back", slog.String("endpoint", l.name), slog.Duration("after", time.Since(l.breaker.since).Round(time.Millisecond)))
	l.breaker.close()
	l.forgive = true
	l.mu.Lock()
	l.down = false
	l.mu.Unlock()
}

// noteError keeps the last error, and logs it when it is another than before.
func (l *lane) noteError(r result) {
	if r.attempt.Error == l.lastErr {
		return
	}
	l.lastErr = r.attempt.Error
	l.log.Warn("a delivery was not accepted", slog.String("endpoint", l.name), slog.String("rule", r.it.d.Rule),
		slog.String("id", r.it.d.ID.String()), slog.String("error", l.lastErr))
}
