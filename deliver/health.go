package deliver

import (
	"log/slog"
	"net/http"
	"time"

	"rowhook/deliver/post"
)

// culprit is whose matter a failure is.
type culprit uint8

const (
	theDelivery culprit = iota // uses up an attempt
	theURL
	theEndpoint
)

// health is what the answers of an endpoint tell of it and of each of its URLs: who is in trouble, and so whose matter a failure
// is. It has the breakers, and touches no delivery: what follows for those that wait is the endpoint's to do, whose mu guards it.
type health struct {
	log     *slog.Logger
	breaker breaker // of the endpoint as a whole
	urls    urls
	outages *outages
	success time.Time // when the last delivery was accepted; zero: none was yet
	lastErr string    // of the last failure
}

// recovery is whom an answer has shown to be back.
type recovery struct {
	waiting []*item // what waited for its URL
	whole   bool    // the endpoint as a whole is
}

// down tells whether the endpoint as a whole is.
func (h *health) down() bool { return h.breaker.open() }

// blame tells whose matter a failure is: the delivery's when others get through. Otherwise that of the URL, as long as
// nothing is known against the others of the endpoint; what an endpoint has only one of is the endpoint's.
func (h *health) blame(it *item, r *post.Result) culprit {
	u, since := it.url, r.At
	if !it.tried.IsZero() {
		since = it.tried
	}
	whole := len(h.urls.all) == 1 || h.urls.othersFail(u, h.success)
	switch {
	case r.Verdict == post.Rejected && !unwelcome(r.Status):
		return theDelivery
	case r.Verdict == post.Gone && u.success.After(r.At):
		return theDelivery // the URL is still there
	case r.Verdict == post.Gone && !h.urls.othersFail(u, h.success):
		return theURL
	case h.down():
		return theEndpoint
	case r.RetryAfter > 0 && u.success.After(since):
		if it.tried.IsZero() {
			return theURL // it is asked too often
		}
		return theDelivery
	case r.RetryAfter > 0 && !whole:
		return theURL
	case h.success.After(since):
		return theDelivery
	case whole:
		return theEndpoint
	}
	return theURL
}

// unwelcome tells whether an answer may be about a credential or an address, and so be the same for all deliveries.
func unwelcome(status int) bool {
	return status == http.StatusUnauthorized || status == http.StatusForbidden || status == http.StatusNotFound
}

// accepts takes in that a URL has accepted a delivery.
func (h *health) accepts(u *urlState, now time.Time) recovery {
	h.success, u.success = now, now
	back := h.answers(u, now)
	for other := range h.urls.trouble {
		if !other.breaker.asked { // others get through: what fails there from now on is the deliveries' own
			back.waiting = append(back.waiting, h.urls.recovered(other)...)
		}
	}
	return back
}

// answers takes in that a URL does: it is in no trouble, and neither is its endpoint.
func (h *health) answers(u *urlState, now time.Time) (back recovery) {
	u.failed = time.Time{}
	if u.breaker.open() {
		back.waiting = h.urls.recovered(u)
	}
	if h.down() {
		h.revive(now)
		back.whole = true
	}
	return back
}

// revive ends an outage.
func (h *health) revive(now time.Time) {
	h.log.Info("an endpoint is back", slog.Duration("after", now.Sub(h.breaker.since).Round(time.Millisecond)))
	h.reset(now)
}

// reset forgets that the endpoint as a whole is down.
func (h *health) reset(now time.Time) {
	h.outages.end(now, h.breaker.probes)
	h.breaker.close()
}

// failURL takes in a failure that is a URL's.
func (h *health) failURL(it *item, r *post.Result, probe bool, now time.Time) {
	u := it.url
	u.failed = now
	opens := !u.breaker.open()
	if opens {
		h.log.Warn("a URL is in trouble, its deliveries wait", slog.String("rule", it.Rule), slog.String("error", r.Error))
	}
	if opens || probe {
		h.urls.fail(u, now, r.RetryAfter)
	}
}

// gone takes in that a URL is no more. Who waited for it is dropped.
func (h *health) gone(u *urlState) {
	h.urls.recovered(u)
	u.paused, u.failed = true, time.Time{}
}

// fail takes in a failure that is the endpoint's, and tells whether that is news.
func (h *health) fail(it *item, r *post.Result, probe bool, now time.Time) (opens bool) {
	it.url.failed = now
	opens = !h.down()
	if opens {
		h.log.Warn("an endpoint is down, its deliveries wait", slog.String("error", r.Error))
		h.outages.begin(now, r.Error)
	}
	if opens || probe {
		h.breaker.fail(now, r.RetryAfter)
	}
	return opens
}

// note keeps the last error, and logs it when it is another than before.
func (h *health) note(it *item, r *post.Result) {
	if r.Error == h.lastErr {
		return
	}
	h.lastErr = r.Error
	h.log.Warn("a delivery was not accepted", slog.String("rule", it.Rule), slog.String("id", it.ID.String()), slog.String("error", r.Error))
}
