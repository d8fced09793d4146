package deliver

import (
	"context"
	"log/slog"
	"time"

	"rowhook/outbox"
)

// probeSample is how many of the oldest deliveries a probe chooses from.
const probeSample = 256

// probe posts one delivery to an endpoint that is down. After a failed probe those that are too old are given up.
func (e *endpoint) probe(ctx context.Context) error {
	var free []*item
	for after := int64(0); ; {
		list, ok, err := e.claimer.oldest(ctx, after, probeSample)
		if err != nil || !ok {
			return err
		}
		e.mu.Lock()
		free = e.probeable(list, time.Now())
		e.mu.Unlock()
		if len(free) > 0 || len(list) == 0 {
			break
		}
		after = list[len(list)-1].Number
	}
	if err := e.settler.flush(ctx); err != nil {
		return err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	now := time.Now()
	switch {
	case !e.health.down() || e.inFlight > 0:
	case len(free) == 0:
		e.health.revive(now) // nothing waits: the next delivery will tell
		e.goOn(recovery{whole: true}, now)
	default:
		it := free[e.health.breaker.choose(len(free))]
		it.probe, it.early, it.next, it.waits = true, true, nil, 0
		e.win.add(it, now)
		e.rouse(now)
	}
	return nil
}

// probeable are those of the oldest deliveries that nothing is before; mu is held.
func (e *endpoint) probeable(list []*outbox.Stored, now time.Time) (free []*item) {
	keys := newKeyQueue()
	expired := 0
	for _, s := range list {
		it := e.admit(s, now)
		if it == nil {
			continue
		}
		keys.add(it)
		switch {
		case it.waits > 0:
		case e.health.breaker.probes > 0 && e.schedule.expired(it, &e.health.breaker, now):
			keys.remove(it, func(*item) {})
			e.settler.add(outbox.Outcome{Seq: s.Seq, State: outbox.Dead, Attempts: s.Attempts})
			expired++
		default:
			free = append(free, it)
		}
	}
	if expired > 0 {
		e.log.Warn("deliveries are given up, their endpoint is down for too long", slog.Int("deliveries", expired))
	}
	return free
}
