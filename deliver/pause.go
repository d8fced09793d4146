package deliver

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
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
