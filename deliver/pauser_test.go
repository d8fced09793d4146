package deliver

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"time"

	"rowhook/deliver/post"
	"rowhook/outbox"
)

// awaySettings cannot be read while it has an error.
type awaySettings struct {
	outbox.Settings
	err error
}

func (s *awaySettings) Get(ctx context.Context, key string) (string, error) {
	if s.err != nil {
		return "", s.err
	}
	return s.Settings.Get(ctx, key)
}

// TestPauser: what another process has paused is known once it can be read, what answered 410 lasts, and then there is nothing to
// look at until somebody says so.
func TestPauser(t *testing.T) {
	t.Parallel()
	m := newStore()
	away := &awaySettings{m, errors.New("the server is away")}
	here, elsewhere := newPauses(away, m), newPauses(m, m)
	p := pauser{name: crmName, pauses: here, log: slog.New(slog.DiscardHandler)}
	targets := map[string]*target{"crm": {endpoint: crmName, url: "http://crm.test/hook"}}
	if p.stale() {
		t.Error("stale from the beginning")
	}
	if err := elsewhere.pause(t.Context(), crmName, Pause{Since: time.Now(), Reason: "by hand"}); err != nil {
		t.Fatal(err)
	}
	p.again(true)
	p.again(false) // takes back nothing
	if err := p.update(t.Context(), targets); !errors.Is(err, away.err) || !p.stale() {
		t.Errorf("%v, stale %v", err, p.stale())
	}
	away.err = nil
	p.isGone("http://crm.test/hook", "410 Gone", time.Now())
	if err := p.update(t.Context(), targets); err != nil || p.stale() || here.of(crmName).pause() == nil {
		t.Errorf("%v, stale %v, %+v", err, p.stale(), here.of(crmName))
	}
	if err := elsewhere.load(t.Context(), targets); err != nil || elsewhere.of(pauseName("http://crm.test/hook")).pause() == nil {
		t.Error("the 410 is not stored", err)
	}
}

// meanwhile does something while a setting is stored.
type meanwhile struct {
	outbox.Settings
	do func()
}

func (s *meanwhile) CompareAndSet(ctx context.Context, key, old, to string) error {
	s.do()
	return s.Settings.CompareAndSet(ctx, key, old, to)
}

// TestGoneMeanwhile: a URL that answers 410 while another one's pause is stored is paused too, and nothing more is claimed for it.
func TestGoneMeanwhile(t *testing.T) {
	t.Parallel()
	s := newStore()
	w, err := New(s, map[string]Endpoint{"one": {URL: "http://crm.test/1"}, "two": {URL: "http://crm.test/2"}}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	w.targets.Store(&w.wanted) // as Run does
	first, second := w.wanted["one"].url, w.wanted["two"].url
	e := newEndpoint(w, crmName, []string{"one", "two"}, outbox.Term{})
	if err := e.obey(t.Context()); err != nil {
		t.Fatal(err)
	}
	answers410 := func(url string) {
		e.mu.Lock()
		defer e.mu.Unlock()
		e.pauseURL(&item{Stored: &outbox.Stored{}, url: e.health.urls.of(url)}, &post.Result{Error: "410 Gone"}, time.Now())
	}
	answers410(first)
	e.pauser.pauses.settings = &meanwhile{s, func() { answers410(second) }}
	if err := e.obey(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, url := range []string{first, second} {
		if !e.health.urls.of(url).paused {
			t.Errorf("%s is not paused", url)
		}
	}
}
