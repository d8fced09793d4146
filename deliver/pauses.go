package deliver

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	"rowhook/outbox"
)

// hold is a pause, or one that is over.
type hold struct {
	Pause
	Resumed time.Time     `json:"resumed,omitzero"` // zero: it lasts
	Uptime  time.Duration `json:"uptime,omitempty"` // of the outbox, when it was resumed
}

// pause is what lasts, nil if nothing does.
func (h hold) pause() *Pause {
	if h.Since.IsZero() || !h.Resumed.IsZero() {
		return nil
	}
	return &h.Pause
}

const (
	// pauseSetting is how the settings begin that remember pauses, each a hold as JSON; pauseName tells how they go on.
	pauseSetting = outbox.PauseSetting
	// oldPauses is the one setting that had them all, by the endpoint's name, in earlier versions.
	oldPauses = "deliver_pauses"
)

// pauseName is what a URL's pause is stored under: the URL itself may hold a token. An endpoint's is under its name.
func pauseName(url string) string {
	sum := sha256.Sum256([]byte(url))
	return "url " + hex.EncodeToString(sum[:16])
}

// pauses are the pauses of endpoints and URLs, in the outbox and, once they were loaded, in memory.
type pauses struct {
	settings outbox.Settings
	clock    interface{ Uptime() time.Duration }

	changing sync.Mutex // one change at a time: what is in memory is what was stored last

	mu     sync.Mutex
	byName map[string]hold
	taken  bool // those of earlier versions were taken over
}

func newPauses(settings outbox.Settings, clock interface{ Uptime() time.Duration }) *pauses {
	return &pauses{settings: settings, clock: clock, byName: make(map[string]hold)}
}

// load reads the pauses of targets.
func (p *pauses) load(ctx context.Context, targets map[string]*target) error {
	if err := p.takeOver(ctx); err != nil {
		return err
	}
	names := make(map[string]bool, len(targets))
	for _, t := range targets {
		names[t.endpoint], names[pauseName(t.url)] = true, true
	}
	p.changing.Lock() // a person may change one meanwhile, of which this would keep what was before
	defer p.changing.Unlock()
	for name := range names {
		if _, _, err := p.read(ctx, name); err != nil {
			return err
		}
	}
	return nil
}

// read reads one pause from the outbox, with its text.
func (p *pauses) read(ctx context.Context, name string) (hold, string, error) {
	h, text, err := readHold(ctx, p.settings, name)
	if err == nil {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.byName[name] = h
	}
	return h, text, err
}

func readHold(ctx context.Context, settings outbox.Settings, name string) (h hold, text string, err error) {
	if text, err = settings.Get(ctx, pauseSetting+name); err == nil && text != "" {
		err = json.Unmarshal([]byte(text), &h)
	}
	if err != nil {
		return h, text, fmt.Errorf("reading whether %s is paused: %w", name, err)
	}
	return h, text, nil
}

// of is a pause as it was loaded.
func (p *pauses) of(name string) hold {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.byName[name]
}

// resumed is when a pause was over, by the clock of this process; zero: there was none.
func (p *pauses) resumed(h hold) time.Time {
	if h.Resumed.IsZero() {
		return time.Time{}
	}
	return time.Now().Add(h.Uptime - p.clock.Uptime())
}

// stored is a pause also before it was loaded.
func (p *pauses) stored(ctx context.Context, name string) hold {
	p.mu.Lock()
	h, loaded := p.byName[name]
	p.mu.Unlock()
	if !loaded {
		h, _, _ = readHold(ctx, p.settings, name) // who cannot be asked knows of no pause
	}
	return h
}

// pause begins a pause, unless there is one. It holds in memory also when it cannot be stored.
func (p *pauses) pause(ctx context.Context, name string, to Pause) error {
	return p.change(ctx, name, func(h hold) hold {
		if h.pause() != nil {
			return h
		}
		return hold{Pause: to}
	})
}

// resume ends a pause, if there is one.
func (p *pauses) resume(ctx context.Context, name string) (was bool, err error) {
	err = p.change(ctx, name, func(h hold) hold {
		if was = h.pause() != nil; was {
			h.Resumed, h.Uptime = time.Now().UTC(), p.clock.Uptime()
		}
		return h
	})
	return was, err
}

// change changes a pause for good. Other processes may do so, too.
func (p *pauses) change(ctx context.Context, name string, to func(hold) hold) error {
	p.changing.Lock()
	defer p.changing.Unlock()
	for {
		old, text, err := p.read(ctx, name)
		next := to(old)
		if err == nil && next == old {
			return nil
		}
		if err == nil {
			err = p.write(ctx, pauseSetting+name, text, next)
		}
		if errors.Is(err, outbox.ErrChanged) {
			continue
		}
		p.mu.Lock()
		defer p.mu.Unlock()
		p.byName[name] = next
		if err != nil {
			return fmt.Errorf("storing whether %s is paused: %w", name, err)
		}
		return nil
	}
}

func (p *pauses) write(ctx context.Context, key, old string, h hold) error {
	text, err := json.Marshal(h)
	if err != nil {
		return err
	}
	return p.settings.CompareAndSet(ctx, key, old, string(text))
}

// takeOver makes settings of their own of the pauses that an earlier version stored, once.
func (p *pauses) takeOver(ctx context.Context) error {
	p.mu.Lock()
	taken := p.taken
	p.mu.Unlock()
	if taken {
		return nil
	}
	old, text, err := readOldHolds(ctx, p.settings)
	if err != nil {
		return err
	}
	for name, h := range old {
		if !h.Resumed.IsZero() {
			h.Uptime = p.clock.Uptime() // of then nothing is known
		}
		if err := p.write(ctx, pauseSetting+name, "", h); err != nil && !errors.Is(err, outbox.ErrChanged) {
			return fmt.Errorf("taking over that %s is paused: %w", name, err)
		}
	}
	if text != "" {
		if err := p.settings.CompareAndSet(ctx, oldPauses, text, ""); err != nil && !errors.Is(err, outbox.ErrChanged) {
			return fmt.Errorf("taking over which endpoints are paused: %w", err)
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.taken = true
	return nil
}

func readOldHolds(ctx context.Context, settings outbox.Settings) (byName map[string]hold, text string, err error) {
	if text, err = settings.Get(ctx, oldPauses); err == nil && text != "" {
		err = json.Unmarshal([]byte(text), &byName)
	}
	if err != nil {
		return nil, text, fmt.Errorf("reading which endpoints are paused: %w", err)
	}
	return byName, text, nil
}
