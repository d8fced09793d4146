package deliver

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"rowhook/outbox"
	"rowhook/weburl"
)

// ErrNoEndpoint says that no rule's deliveries go to an endpoint or URL of that name.
var ErrNoEndpoint = errors.New("there is no such endpoint")

// Pause is why nothing is sent to an endpoint, or to one of its URLs. It is over when a person resumes it. What waits
// meanwhile lies on disk, and does not grow old: the age that makes a delivery dead is counted from the end of the pause at
// the earliest. The deliveries of a paused URL hold back none to the endpoint's other URLs.
type Pause struct {
	Since  time.Time `json:"since"`
	Reason string    `json:"reason"`
}

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
	pauseSetting = "pause "
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

// Paused is a pause of an endpoint, or of one of its URLs.
type Paused struct {
	Endpoint string   `json:"endpoint"`        // its name
	URL      string   `json:"url,omitempty"`   // without what may be secret; empty: all of the endpoint
	Rules    []string `json:"rules,omitempty"` // that post there
	Pause
}

// Pauses reads from an outbox which of the rules' endpoints and URLs are paused.
func Pauses(ctx context.Context, settings outbox.Settings, endpoints map[string]Endpoint) ([]Paused, error) {
	old, _, err := readOldHolds(ctx, settings)
	if err != nil {
		return nil, err
	}
	byName := make(map[string]*Paused)
	for _, rule := range slices.Sorted(maps.Keys(endpoints)) {
		t, err := newTarget(endpoints[rule])
		if err != nil {
			continue // it is paused by that
		}
		for name, url := range map[string]string{t.endpoint: "", pauseName(t.url): weburl.Short(t.url)} {
			if byName[name] == nil {
				h, text, err := readHold(ctx, settings, name)
				if err != nil {
					return nil, err
				}
				if text == "" {
					h = old[name]
				}
				if h.pause() == nil {
					continue
				}
				byName[name] = &Paused{Endpoint: t.endpoint, URL: url, Pause: h.Pause}
			}
			byName[name].Rules = append(byName[name].Rules, rule)
		}
	}
	list := make([]Paused, 0, len(byName))
	for _, name := range slices.Sorted(maps.Keys(byName)) {
		list = append(list, *byName[name])
	}
	return list, nil
}

// Pause stops sending to an endpoint until Resume, over restarts too; or to one of its URLs, if name is that of a rule.
// Requests on their way are not cut off. Without a Run it is only stored. It returns ErrNoEndpoint for an unknown name.
func (w *Worker) Pause(ctx context.Context, name, reason string) error {
	if err := w.pauses.takeOver(ctx); err != nil {
		return err
	}
	endpoint, url := w.find(name)
	if endpoint == "" {
		return fmt.Errorf("%w: %s", ErrNoEndpoint, name)
	}
	if url != "" && len(w.urlsOf(endpoint)) > 1 {
		endpoint = pauseName(url)
	}
	err := w.pauses.pause(ctx, endpoint, Pause{Since: time.Now().UTC(), Reason: reason})
	w.reconsider()
	return err
}

// Resume ends the pause of a URL, or those of an endpoint and of all its URLs: everything that waits is due at once. That
// there is none is no error. It returns ErrNoEndpoint for an unknown name.
func (w *Worker) Resume(ctx context.Context, name string) error {
	if err := w.pauses.takeOver(ctx); err != nil {
		return err
	}
	endpoint, url := w.find(name)
	if url != "" {
		if was, err := w.pauses.resume(ctx, pauseName(url)); was || err != nil {
			w.reconsider()
			return err
		}
	}
	if endpoint == "" {
		if was, err := w.pauses.resume(ctx, name); !was || err != nil { // its rule may be gone
			return cmp.Or(err, fmt.Errorf("%w: %s", ErrNoEndpoint, name))
		}
		return nil
	}
	_, err := w.pauses.resume(ctx, endpoint)
	if url == "" {
		for u := range w.urlsOf(endpoint) {
			_, failed := w.pauses.resume(ctx, pauseName(u))
			err = errors.Join(err, failed)
		}
	}
	w.reconsider()
	return err
}

// find is the endpoint that a name means, and the URL, if it means one. Empty: there is none.
func (w *Worker) find(name string) (endpoint, url string) {
	known := w.known()
	for _, t := range known {
		if t.endpoint == name {
			return name, ""
		}
	}
	normal, _ := weburl.Normalize(name) // what is none is no rule's
	for _, t := range known {
		if t.url == normal {
			return t.endpoint, normal
		}
	}
	for _, t := range known {
		if t.endpoint == EndpointName(name) {
			return t.endpoint, ""
		}
	}
	return "", ""
}

// urlsOf are the URLs of an endpoint.
func (w *Worker) urlsOf(endpoint string) map[string]bool {
	urls := make(map[string]bool)
	for _, t := range w.known() {
		if t.endpoint == endpoint {
			urls[t.url] = true
		}
	}
	return urls
}

// reconsider makes all endpoints look at what is paused.
func (w *Worker) reconsider() {
	for _, e := range w.all() {
		e.reconsider()
	}
}

// obey does what persons and answers of 410 say: it pauses, or goes on.
func (e *endpoint) obey(ctx context.Context) {
	e.mu.Lock()
	look, gone := e.look, e.gone
	e.look, e.gone = false, make(map[string]*Pause)
	e.mu.Unlock()
	if !look {
		return
	}
	for url, p := range gone {
		e.log.Warn("a URL is paused", slog.String("url", weburl.Short(url)), slog.String("reason", p.Reason),
			slog.String("resume", "rowhook endpoints resume "+e.name))
		if err := e.pauses.pause(ctx, pauseName(url), *p); err != nil {
			e.log.Error("the pause will not outlast this run", slog.String("url", weburl.Short(url)), slog.Any("error", err))
		}
	}
	var urls []string
	for _, rule := range e.rules {
		if t := e.targets(rule); t != nil && !slices.Contains(urls, t.url) {
			urls = append(urls, t.url)
		}
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.urls.set(urls) {
		e.forget()
	}
	whole := e.pauses.of(e.name)
	e.resumed = e.resumedAt(whole)
	again := false
	for _, url := range urls {
		u, h := e.urls.of(url), e.pauses.of(pauseName(url))
		u.resumed = e.resumedAt(h)
		paused := h.pause() != nil
		again = again || paused != u.paused
		u.paused = paused
	}
	paused := whole.pause() != nil || e.urls.paused()
	if paused != e.paused || again {
		// Either way everything that is not in flight lies in the outbox then, and what goes on does so from the beginning.
		e.paused = paused
		e.breaker.close()
		e.forget()
		e.scan.early = true
	}
}

// resumedAt is when a pause was over, by the clock of this process; zero: there was none.
func (e *endpoint) resumedAt(h hold) time.Time {
	if h.Resumed.IsZero() {
		return time.Time{}
	}
	return time.Now().Add(h.Uptime - e.pauses.clock.Uptime())
}
