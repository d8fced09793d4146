package deliver

import (
	"log/slog"
	"slices"
	"testing"
	"time"

	"rowhook/deliver/post"
	"rowhook/outbox"
)

// TestBlame: whose matter a failure is depends on what else gets through, and since when.
func TestBlame(t *testing.T) {
	t.Parallel()
	start := time.Now()
	at := func(s int) time.Time { return start.Add(time.Duration(s) * time.Second) }
	failed := post.Result{Verdict: post.Trouble, At: at(10), Status: 503}
	gone := post.Result{Verdict: post.Gone, At: at(10), Status: 410}
	busy := post.Result{Verdict: post.Trouble, At: at(10), Status: 429, RetryAfter: time.Minute}
	refused := func(status int) post.Result { return post.Result{Verdict: post.Rejected, At: at(10), Status: status} }
	for name, is := range map[string]struct {
		urls  int
		tried int // when the delivery was before, in seconds; 0: never
		knows func(h *health, u, other *urlState)
		r     post.Result
		want  culprit
	}{
		"the only URL, nothing gets through":          {urls: 1, r: failed, want: theEndpoint},
		"the only URL, others got through meanwhile":  {urls: 1, r: failed, want: theDelivery, knows: func(h *health, _, _ *urlState) { h.success = at(11) }},
		"others got through only before it was tried": {urls: 1, r: failed, want: theEndpoint, knows: func(h *health, _, _ *urlState) { h.success = at(9) }},
		"others got through since it was tried first": {urls: 1, tried: 5, r: failed, want: theDelivery, knows: func(h *health, _, _ *urlState) { h.success = at(9) }},
		"one URL of several":                          {urls: 2, r: failed, want: theURL},
		"two URLs fail":                               {urls: 2, r: failed, want: theEndpoint, knows: func(_ *health, _, other *urlState) { other.failed = at(9) }},
		"two URLs failed, one before a success":       {urls: 2, r: failed, want: theURL, knows: func(h *health, _, other *urlState) { other.failed, h.success = at(7), at(8) }},
		"another URL failed, and is paused":           {urls: 2, r: failed, want: theURL, knows: func(_ *health, _, other *urlState) { other.failed, other.paused = at(9), true }},
		"one URL, of an endpoint that is down":        {urls: 2, r: failed, want: theEndpoint, knows: func(h *health, _, _ *urlState) { h.breaker.fail(at(1), 0) }},
		"what was sent is not accepted":               {urls: 1, r: refused(422), want: theDelivery},
		"who sent it is not accepted":                 {urls: 1, r: refused(401), want: theEndpoint},
		"who sent it is, for others":                  {urls: 1, r: refused(401), want: theDelivery, knows: func(h *health, _, _ *urlState) { h.success = at(11) }},
		"gone, the only URL":                          {urls: 1, r: gone, want: theURL},
		"gone, but others got through there":          {urls: 2, r: gone, want: theDelivery, knows: func(_ *health, u, _ *urlState) { u.success = at(11) }},
		"gone, as all that fails there":               {urls: 2, r: gone, want: theEndpoint, knows: func(_ *health, _, other *urlState) { other.failed = at(9) }},
		"asked too often":                             {urls: 2, r: busy, want: theURL, knows: func(_ *health, u, _ *urlState) { u.success = at(11) }},
		"asked too often, for the second time":        {urls: 2, tried: 5, r: busy, want: theDelivery, knows: func(_ *health, u, _ *urlState) { u.success = at(11) }},
		"asked too often, the only URL":               {urls: 1, r: busy, want: theEndpoint},
	} {
		h := &health{urls: newURLs(), outages: new(outages)}
		u, other := h.urls.of("http://crm.test/a"), (*urlState)(nil)
		if is.urls > 1 {
			other = h.urls.of("http://crm.test/b")
		}
		if is.knows != nil {
			is.knows(h, u, other)
		}
		it := &item{Stored: new(outbox.Stored), url: u}
		if is.tried > 0 {
			it.tried = at(is.tried)
		}
		if got := h.blame(it, &is.r); got != is.want {
			t.Errorf("%s: %d, not %d", name, got, is.want)
		}
	}
}

// TestBack: what an answer shows to be back is the URL that answers, its endpoint, and, when it accepts, all other URLs but those
// that asked to be left alone.
func TestBack(t *testing.T) {
	t.Parallel()
	now := time.Now()
	trouble := func() (h *health, us [3]*urlState, its [3]*item) {
		h = &health{log: slog.New(slog.DiscardHandler), urls: newURLs(), outages: new(outages)}
		for i, asked := range []time.Duration{0, 0, time.Hour} {
			us[i] = h.urls.of(string(rune('a' + i)))
			its[i] = &item{Stored: new(outbox.Stored), url: us[i]}
			h.failURL(its[i], &post.Result{RetryAfter: asked}, false, now)
			us[i].waiting = []*item{its[i]}
		}
		if !h.fail(its[0], &post.Result{}, false, now) || h.fail(its[1], &post.Result{}, true, now) || h.breaker.probes != 1 {
			t.Errorf("down once and a probe that failed: %+v", h.breaker)
		}
		return h, us, its
	}
	h, us, its := trouble()
	if back := h.answers(us[0], now); !back.whole || !slices.Equal(back.waiting, its[:1]) || h.down() || !us[1].breaker.open() {
		t.Errorf("answered: %+v", back)
	}
	h, us, its = trouble()
	if back := h.accepts(us[0], now); !back.whole || !slices.Equal(back.waiting, its[:2]) || h.down() || us[1].breaker.open() || !us[2].breaker.open() {
		t.Errorf("accepted: %+v", back)
	}
	if back := h.accepts(us[0], now); back.whole || back.waiting != nil {
		t.Errorf("accepted again: %+v", back)
	}
}
