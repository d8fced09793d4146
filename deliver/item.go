package deliver

import (
	"time"

	"rowhook/deliver/post"
	"rowhook/outbox"
)

// item is a delivery in an endpoint's window.
type item struct {
	*outbox.Stored           // without its body while it is not loaded
	url            *urlState // where it goes; nil: its rule was gone
	loaded         bool      // its body is in memory
	flying         bool      // a request is on its way
	probe          bool      // that request is to find out whether its endpoint or URL is back
	shelved        bool      // it was taken out of the window while something was before it
	tried          time.Time // when its last failed attempt began; zero: none is known
	failing        time.Time // since when it fails; zero: it does not
	lying          time.Time // since when it lies in the outbox
	due            time.Time // its own next attempt; zero: now
	early          bool      // it need not wait for that: its endpoint is back
	left           bool      // the window was forgotten while its request was on its way: an earlier one may not be in it yet

	waits int     // how many of its keys an earlier item holds
	next  []*item // the items that wait for it, once for each key
}

// keys are what the item keeps its place for. One that a person had sent again is outside of the order.
func (it *item) keys() []string {
	if !it.Retried.IsZero() {
		return nil
	}
	return it.Keys
}

// failed takes in that an attempt has failed, whosesoever matter that is.
func (it *item) failed(r *post.Result, now time.Time) {
	it.tried = r.At
	if it.failing.IsZero() {
		it.failing = now
	}
}

// unload lets go of the body.
func (it *item) unload() {
	it.Body, it.loaded = nil, false
}

// isLater tells whether an item has to wait for its next attempt.
func (it *item) isLater(now time.Time) bool { return !it.early && it.due.After(now) }
