package pipeline

import (
	"cmp"
	"log/slog"
	"math/rand/v2"
	"slices"
	"time"

	"rowhook/loader"
	"rowhook/rules"
)

// held is the events of a site that cannot be loaded as things are: a privilege was revoked, a table is missing, a limit
// is too low. One for each reason is tried again now and then; when it can be loaded, so may the others. They are open
// events like any other, so the outbox has them, and a restart finds them.
type held struct {
	reasons map[string]*reason
	objects heldObjects // whose later events wait behind a held one
	load                // of them
	all     *load       // of all sites'
}

// load is a number of events, and about how many bytes they take.
type load struct{ events, bytes int }

func (l *load) add(ev *rules.Event)  { l.events, l.bytes = l.events+1, l.bytes+ev.Weight }
func (l *load) drop(ev *rules.Event) { l.events, l.bytes = l.events-1, l.bytes-ev.Weight }

// reason is why events are held.
type reason struct {
	err    error
	events []*rules.Event // in the order in which they were held
	heads  []*rules.Event // those of them that wait for nothing but the reason
	wait   time.Duration
	next   time.Time // of another try
	told   time.Time
	since  time.Time
}

const (
	firstHeldWait   = time.Second
	longestHeldWait = 30 * time.Second
)

// add holds an event.
func (h *held) add(ev *rules.Event, err error) {
	if h.reasons == nil {
		h.reasons, h.objects = map[string]*reason{}, heldObjects{}
	}
	why := h.reasons[loader.Reason(err)]
	if why == nil {
		why = &reason{err: err, since: time.Now()}
		h.reasons[loader.Reason(err)] = why
		why.later(time.Now())
	}
	why.heads = append(why.heads, ev)
	h.put(why, ev)
}

// follow holds an event when an earlier one of its objects is held.
func (h *held) follow(ev *rules.Event) bool {
	why := h.objects.before(ev.Keys(), ev.Closing)
	if why != nil {
		h.put(why, ev)
	}
	return why != nil
}

func (h *held) put(why *reason, ev *rules.Event) {
	why.events = append(why.events, ev)
	h.load.add(ev)
	h.all.add(ev)
	h.objects.add(ev.Keys(), ev.Closing, why)
}

// first is the reason that events have been held for the longest, nil when none are.
func (h *held) first() (first *reason) {
	for _, why := range h.reasons {
		if first == nil || why.since.Before(first.since) {
			first = why
		}
	}
	return first
}

// next is when events are tried again; false when none are held.
func (h *held) next() (at time.Time, ok bool) {
	for _, why := range h.reasons {
		if !ok || why.next.Before(at) {
			at, ok = why.next, true
		}
	}
	return at, ok
}

// probes are events to try again, one for each reason that is due: another each time, for it may be that one alone.
func (h *held) probes(now time.Time) (events []*rules.Event) {
	for _, why := range h.reasons {
		if !why.next.After(now) && len(events) < laneBatch {
			events = append(events, why.heads[rand.N(len(why.heads))])
			why.later(now)
		}
	}
	return events
}

// later puts the next try off.
func (r *reason) later(now time.Time) {
	r.wait = min(max(firstHeldWait, 2*r.wait), longestHeldWait)
	r.next = now.Add(r.wait)
}

// release lets go of the events that wait for a reason.
func (h *held) release(why *reason) []*rules.Event {
	delete(h.reasons, loader.Reason(why.err))
	h.objects.release(why)
	for _, ev := range why.events {
		h.drop(ev)
		h.all.drop(ev)
	}
	return why.events
}

// reasonOf is the reason that a head waits for.
func (h *held) reasonOf(ev *rules.Event) *reason { return h.objects.at(ev.Keys()[0], ev.Closing) }

// probed takes in what became of events that were tried again.
func (ls *lanes) probed(b loaded) {
	l := b.lane
	for i, o := range b.done {
		why := l.held.reasonOf(b.events[i])
		if o.payloads == nil && o.err != nil && loader.Reason(o.err) == loader.Reason(why.err) {
			continue
		}
		events := l.held.release(why)
		if o.payloads == nil && o.err != nil {
			l.held.add(b.events[i], o.err) // another reason, which is told
		} else {
			ls.emitLoaded(b.events[i], o)
		}
		events = slices.DeleteFunc(events, func(ev *rules.Event) bool { return ev == b.events[i] })
		ls.log.Info("events that were held are loaded again", slog.String("site", l.site.Name), slog.Int("events", len(events)+1))
		l.putBack(events)
		slices.SortStableFunc(l.waiting, func(a, b *rules.Event) int { return cmp.Compare(a.Closing, b.Closing) })
	}
}

// tellHeld says what is held, once and then each hour.
func (ls *lanes) tellHeld(l *lane) {
	now := time.Now()
	for _, why := range l.held.reasons {
		if now.Sub(why.told) < tellAgain {
			continue
		}
		why.told = now
		args := []any{slog.String("site", l.site.Name), slog.Int("events", len(why.events)), slog.String("reason", loader.Reason(why.err))}
		if fix := loader.Fix(why.err); fix != "" {
			args = append(args, slog.String("fix", fix))
		}
		ls.log.Warn("events wait, for their payloads cannot be loaded; they are tried again until it is fixed, others go on", args...)
	}
}
