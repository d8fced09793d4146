package deliver

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"rowhook/weburl"
)

// pauser keeps an endpoint's view of what is paused as it shall be: it reads it anew when somebody else may have changed it, and
// makes those pauses last that answers of 410 began. It has a lock of its own, which is not held while the outbox is asked.
type pauser struct {
	name   string // of the endpoint
	pauses *pauses
	log    *slog.Logger

	mu     sync.Mutex
	look   bool              // what is paused may have changed
	unread bool              // and is to be read from the outbox: another process may have changed it
	gone   map[string]*Pause // of URLs that answered 410, which are not stored yet
}

// again has what is paused looked at again, and read from the outbox before if another process may have changed it.
func (p *pauser) again(elsewhere bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.look, p.unread = true, p.unread || elsewhere
}

// isGone pauses a URL that answered 410; update stores that.
func (p *pauser) isGone(url, reason string, now time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.gone == nil {
		p.gone = make(map[string]*Pause)
	}
	p.gone[url] = &Pause{Since: now.UTC(), Reason: reason}
	p.look = true
}

// pausing tells whether a URL answered 410 and its pause is yet to be stored.
func (p *pauser) pausing(url string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.gone[url] != nil
}

// stale tells whether there is something to update.
func (p *pauser) stale() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.look
}

// update reads and stores what is to be. After an error it is stale as before.
func (p *pauser) update(ctx context.Context, targets map[string]*target) error {
	p.mu.Lock()
	unread := p.unread
	p.look, p.unread = false, false
	p.mu.Unlock()
	if unread {
		if err := p.pauses.load(ctx, targets); err != nil {
			p.again(true)
			return err
		}
	}
	p.store(ctx)
	return nil
}

// store makes the pauses last that answers of 410 began.
func (p *pauser) store(ctx context.Context) {
	p.mu.Lock()
	gone := p.gone
	p.gone = nil
	p.mu.Unlock()
	if len(gone) == 0 {
		return
	}
	// The receiver says so once: a stop at this moment is no reason to forget it.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), settleGrace)
	defer cancel()
	for url, paused := range gone {
		p.log.Warn("a URL is paused", slog.String("url", weburl.Short(url)), slog.String("reason", paused.Reason),
			slog.String("resume", "rowhook endpoints resume "+p.name))
		if err := p.pauses.pause(ctx, pauseName(url), *paused); err != nil {
			p.log.Error("the pause will not outlast this run", slog.String("url", weburl.Short(url)), slog.Any("error", err))
		}
	}
}
