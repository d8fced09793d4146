package deliver

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"sync"
	"time"

	"rowhook/outbox"
)

// ErrNoEndpoint says that no rule's deliveries go to an endpoint of that name.
var ErrNoEndpoint = errors.New("there is no such endpoint")

// Pause is why nothing is sent to an endpoint. It is over when a person resumes it. What waits meanwhile lies on disk, and
// does not grow old: the age that makes a delivery dead is counted from the end of the pause at the earliest.
type Pause struct {
	Since  time.Time `json:"since"`
	Reason string    `json:"reason"`
}

// holdsSetting is where the outbox remembers the pauses.
const holdsSetting = "deliver_pauses"

// hold is a pause, or one that is over.
type hold struct {
	Pause
	Resumed time.Time `json:"resumed,omitzero"` // zero: it lasts
}

// pause is what lasts, nil if nothing does.
func (h hold) pause() *Pause {
	if h.Since.IsZero() || !h.Resumed.IsZero() {
		return nil
	}
	return &h.Pause
}

// holds are the pauses of all endpoints, by name, in memory and in the outbox.
type holds struct {
	store  outbox.Store
	mu     sync.Mutex
	byName map[string]hold // nil: not loaded yet
}

// load reads the pauses, once.
func (h *holds) load(ctx context.Context) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.byName != nil {
		return nil
	}
	byName, err := readHolds(ctx, h.store)
	h.byName = byName
	return err
}

func readHolds(ctx context.Context, store outbox.Store) (map[string]hold, error) {
	text, err := store.Meta(ctx, holdsSetting)
	if err != nil {
		return nil, fmt.Errorf("reading which endpoints are paused: %w", err)
	}
	byName := make(map[string]hold)
	if text != "" {
		if err := json.Unmarshal([]byte(text), &byName); err != nil {
			return nil, fmt.Errorf("reading which endpoints are paused: %w", err)
		}
	}
	return byName, nil
}

// Pauses reads from an outbox which endpoints are paused, by name.
func Pauses(ctx context.Context, store outbox.Store) (map[string]*Pause, error) {
	byName, err := readHolds(ctx, store)
	pauses := make(map[string]*Pause)
	for name, h := range byName {
		if p := h.pause(); p != nil {
			pauses[name] = p
		}
	}
	return pauses, err
}

func (h *holds) of(name string) hold {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.byName[name]
}

// set changes a pause, for good. It holds in memory also when it cannot be stored. What was over before forget is dropped.
func (h *holds) set(ctx context.Context, name string, to hold, forget time.Time) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.byName[name] = to
	maps.DeleteFunc(h.byName, func(_ string, old hold) bool { return !old.Resumed.IsZero() && old.Resumed.Before(forget) })
	text, err := json.Marshal(h.byName)
	if err == nil {
		err = h.store.SetMeta(ctx, holdsSetting, string(text))
	}
	if err != nil {
		return fmt.Errorf("storing which endpoints are paused: %w", err)
	}
	return nil
}

// Pause stops sending to an endpoint until Resume, over restarts too. Requests on their way are not cut off. Without a Run
// it is only stored. It returns ErrNoEndpoint for an unknown name.
func (w *Worker) Pause(ctx context.Context, name, reason string) error {
	if err := w.holds.load(ctx); err != nil {
		return err
	}
	if !w.knows(name) {
		return fmt.Errorf("%w: %s", ErrNoEndpoint, name)
	}
	if w.holds.of(name).pause() != nil {
		return nil
	}
	return w.hold(ctx, name, hold{Pause: Pause{Since: time.Now().UTC(), Reason: reason}})
}

// Resume ends a pause: everything that waits for the endpoint is due at once. That there is none is no error. It returns
// ErrNoEndpoint for an unknown name.
func (w *Worker) Resume(ctx context.Context, name string) error {
	if err := w.holds.load(ctx); err != nil {
		return err
	}
	old := w.holds.of(name)
	if old.pause() == nil {
		if !w.knows(name) {
			return fmt.Errorf("%w: %s", ErrNoEndpoint, name)
		}
		return nil
	}
	old.Resumed = time.Now().UTC()
	return w.hold(ctx, name, old)
}

// hold changes a pause and tells the lane.
func (w *Worker) hold(ctx context.Context, name string, to hold) error {
	err := w.holds.set(ctx, name, to, time.Now().Add(-2*w.opts.MaxAge))
	w.mu.Lock()
	defer w.mu.Unlock()
	if l := w.lanes[name]; l != nil {
		signal(l.wake)
	}
	return err
}

// knows tells whether a rule's deliveries go to an endpoint.
func (w *Worker) knows(name string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, targets := range []map[string]*target{w.wanted, *w.targets.Load()} {
		for _, t := range targets {
			if t != nil && t.lane == name {
				return true
			}
		}
	}
	return false
}

// stopped tells whether nothing but probes is sent.
func (l *lane) stopped() bool { return l.paused || !l.breaker.closed() }

// obey does what persons and 410 say: it pauses or goes on, and looks for what shall be sent again.
func (l *lane) obey(ctx context.Context) {
	if reason := l.gone; reason != "" {
		l.gone = ""
		err := l.hold(ctx, l.name, hold{Pause: Pause{Since: time.Now().UTC(), Reason: reason}})
		l.log.Warn("an endpoint is paused", slog.String("endpoint", l.name), slog.String("reason", reason),
			slog.String("resume", "rowhook endpoints resume "+l.name))
		if err != nil {
			l.log.Error("the pause will not outlast this run", slog.String("endpoint", l.name), slog.Any("error", err))
		}
		l.setPaused(true) // also when it is over by now: what stood behind what was answered so must not overtake it
	}
	h := l.holds.of(l.name)
	l.resumed = h.Resumed
	if paused := h.pause() != nil; paused != l.paused {
		l.setPaused(paused)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.again {
		l.again, l.parking, l.parked = false, true, 0
		l.cursor = 0
		l.count()
	}
}

// setPaused begins or ends a pause. Either way everything that is not in flight lies in the outbox then.
func (l *lane) setPaused(paused bool) {
	l.paused = paused
	l.breaker.close()
	l.forgive = true
	l.mu.Lock()
	l.down, l.parking, l.parked = paused, true, 0
	l.count()
	l.mu.Unlock()
	l.shelve()
}
