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

// keyQueue keeps the items of an endpoint in the order of each key. An item waits for the last earlier one of each of its
// keys, and so holds them all for those that come after it.
type keyQueue struct {
	last map[string]*item // the newest unfinished item of each key
}

func newKeyQueue() keyQueue { return keyQueue{last: make(map[string]*item)} }

// before tells whether an item that is to be added would have to wait, and whether for one that is not loaded either: for
// long, perhaps.
func (q *keyQueue) before(it *item) (waits, long bool) {
	for _, key := range it.keys() {
		if last := q.last[key]; last != nil {
			waits = true
			long = long || !last.loaded
		}
	}
	return waits, long
}

// add puts an item behind all earlier ones; it may go when its waits are 0.
func (q *keyQueue) add(it *item) {
	for _, key := range it.keys() {
		if before := q.last[key]; before != nil && before != it {
			before.next = append(before.next, it)
			it.waits++
		}
		q.last[key] = it
	}
}

// remove takes a finished item out, and calls free for each one that may go now.
func (q *keyQueue) remove(it *item, free func(*item)) {
	for _, key := range it.keys() {
		if q.last[key] == it {
			delete(q.last, key)
		}
	}
	for _, f := range it.next {
		if f.waits--; f.waits == 0 {
			free(f)
		}
	}
	it.next = nil
}
