package deliver

import (
	"cmp"
	"context"
	"errors"
	"fmt"
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
	type place struct{ endpoint, name string } // rules of several endpoints may have one URL
	byPlace := make(map[place]*Paused)
	for _, rule := range slices.Sorted(maps.Keys(endpoints)) {
		t, err := newTarget(endpoints[rule])
		if err != nil {
			continue // it is paused by that
		}
		for name, url := range map[string]string{t.endpoint: "", pauseName(t.url): weburl.Short(t.url)} {
			at := place{t.endpoint, name}
			if byPlace[at] == nil {
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
				byPlace[at] = &Paused{Endpoint: t.endpoint, URL: url, Pause: h.Pause}
			}
			byPlace[at].Rules = append(byPlace[at].Rules, rule)
		}
	}
	inOrder := slices.SortedFunc(maps.Keys(byPlace), func(a, b place) int {
		return cmp.Or(cmp.Compare(a.name, b.name), cmp.Compare(a.endpoint, b.endpoint))
	})
	list := make([]Paused, 0, len(byPlace))
	for _, at := range inOrder {
		list = append(list, *byPlace[at])
	}
	return list, nil
}

// Pause stops sending to an endpoint until Resume, over restarts too; or to one of its URLs, if name is that of a rule.
// Requests on their way are not cut off. Without a Run it is only stored. It returns ErrNoEndpoint for an unknown name.
func (w *Worker) Pause(ctx context.Context, name, reason string) error {
	if err := w.pauses.takeOver(ctx); err != nil {
		return err
	}
	endpoints, url := w.find(name)
	if len(endpoints) == 0 {
		return fmt.Errorf("%w: %s", ErrNoEndpoint, name)
	}
	defer w.reconsider()
	names := endpoints
	if url != "" && slices.ContainsFunc(endpoints, func(e string) bool { return len(w.urlsOf(e)) > 1 }) {
		names = []string{pauseName(url)}
	}
	for _, n := range names {
		if err := w.pauses.pause(ctx, n, Pause{Since: time.Now().UTC(), Reason: reason}); err != nil {
			return err
		}
	}
	return nil
}

// Resume ends the pause of a URL, or those of an endpoint and of all its URLs: everything that waits is due at once. That
// there is none is no error. It returns ErrNoEndpoint for an unknown name.
func (w *Worker) Resume(ctx context.Context, name string) error {
	if err := w.pauses.takeOver(ctx); err != nil {
		return err
	}
	endpoints, url := w.find(name)
	if len(endpoints) == 0 {
		if was, err := w.pauses.resume(ctx, name); !was || err != nil { // its rule may be gone
			return cmp.Or(err, fmt.Errorf("%w: %s", ErrNoEndpoint, name))
		}
		return nil
	}
	defer w.reconsider()
	paused := false
	if url != "" {
		var err error
		if paused, err = w.pauses.resume(ctx, pauseName(url)); err != nil {
			return err
		}
	}
	for _, endpoint := range endpoints {
		urls := w.urlsOf(endpoint)
		if paused && len(urls) > 1 {
			continue // that it is paused as a whole is another matter
		}
		_, err := w.pauses.resume(ctx, endpoint)
		if url == "" {
			for u := range urls {
				_, failed := w.pauses.resume(ctx, pauseName(u))
				err = errors.Join(err, failed)
			}
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// find is the endpoint that a name means; or the URL, if it means one, and the endpoints that have it: some of its rules may
// have order groups. None: there is no such name.
func (w *Worker) find(name string) (endpoints []string, url string) {
	known := w.known()
	for _, t := range known {
		if t.endpoint == name {
			return []string{name}, ""
		}
	}
	normal, _ := weburl.Normalize(name) // what is none is no rule's
	for _, t := range known {
		if t.url == normal && !slices.Contains(endpoints, t.endpoint) {
			endpoints = append(endpoints, t.endpoint)
		}
	}
	if len(endpoints) > 0 {
		return endpoints, normal
	}
	for _, t := range known {
		if t.endpoint == EndpointName(name) {
			return []string{t.endpoint}, ""
		}
	}
	return nil, ""
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
