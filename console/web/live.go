package web

import (
	"context"
	"errors"
	"sync"
	"time"

	"rowhook/api"
)

const (
	// askEvery is how often the daemon is asked how it does while somebody looks; watchedFor is how long somebody looks who came once.
	askEvery   = 2 * time.Second
	watchedFor = 30 * time.Second
	// answersWithin is how long the daemon may take, waitsFor how long a page waits for it before it shows what was last known.
	answersWithin = 5 * time.Second
	waitsFor      = 100 * time.Millisecond
	waitsAtFirst  = 3 * time.Second
)

// seen is what the daemon last said.
type seen struct {
	status api.Status
	err    error     // why there is nothing newer
	at     time.Time // when status was true; zero: nothing is known yet
}

// live asks the daemon now and then, as long as somebody looks, so that no page waits for the database.
type live struct {
	ask func(context.Context) (api.Status, error)

	soon chan struct{} // holds a token when somebody wants to know

	mu      sync.Mutex
	last    seen
	told    chan struct{} // closed when there is something newer
	watched time.Time     // when somebody last looked
}

func newLive(ask func(context.Context) (api.Status, error)) *live {
	return &live{ask: ask, soon: make(chan struct{}, 1), told: make(chan struct{})}
}

// run asks until ctx ends. Beside is done now and then as well, while somebody looks.
func (l *live) run(ctx context.Context, beside func(context.Context)) {
	again := time.NewTicker(askEvery)
	defer again.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-l.soon:
		case <-again.C:
			if !l.isWatched() {
				continue
			}
		}
		asking, stop := context.WithTimeout(ctx, answersWithin)
		status, err := l.ask(asking)
		stop()
		l.tell(status, err)
		beside(ctx)
	}
}

func (l *live) isWatched() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return time.Since(l.watched) < watchedFor
}

func (l *live) tell(status api.Status, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.last.err = err; err == nil {
		l.last.status, l.last.at = status, time.Now()
	}
	close(l.told)
	l.told = make(chan struct{})
}

// get is what is known. It waits a moment for something newer when that is old.
func (l *live) get(ctx context.Context) seen {
	last, told := l.look()
	if time.Since(last.at) < askEvery+time.Second {
		return last
	}
	wait := waitsFor
	if last.at.IsZero() && last.err == nil {
		wait = waitsAtFirst
	}
	select {
	case l.soon <- struct{}{}:
	default:
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	case <-told:
	}
	last, _ = l.look()
	if last.at.IsZero() && last.err == nil {
		last.err = errors.New("the daemon does not answer")
	}
	return last
}

// look is what is known, and what is closed when there is something newer.
func (l *live) look() (seen, <-chan struct{}) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.watched = time.Now()
	return l.last, l.told
}
