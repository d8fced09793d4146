package deliver

import (
	"time"

	"rowhook/outbox"
)

// item is a delivery in a lane.
type item struct {
	d        *outbox.Delivery
	loaded   bool      // d has its body; otherwise it is read when it is its turn
	stored   bool      // the outbox has it as Waiting
	flying   bool      // a request is on its way
	probe    bool      // it was sent to find out whether its endpoint is back
	loose    bool      // a person had it sent again: it is outside of the order
	attempts int       // used up
	since    time.Time // when it could first have been sent; zero: it was not its turn yet
	tried    time.Time // when its last failed attempt began; zero: none is known
	due      time.Time // its own next attempt; zero: now

	waits int     // how many of its keys an earlier item holds
	next  []*item // the items that wait for it, once for each key
}

// keys are what the item keeps its place for.
func (it *item) keys() []string {
	if it.loose {
		return nil
	}
	return it.d.Keys
}

// order keeps the items of a lane in the order of each key. An item waits for the last earlier one of each of its keys,
// and so holds them all for those that come after it.
type order struct {
	last map[string]*item // the newest unfinished item of each key
}

func newOrder() order { return order{last: make(map[string]*item)} }

// add puts an item behind all earlier ones; it may go when its waits are 0.
func (o *order) add(it *item) {
	for _, key := range it.keys() {
		if before := o.last[key]; before != nil && before != it {
			before.next = append(before.next, it)
			it.waits++
		}
		o.last[key] = it
	}
}

// remove takes a finished item out, and calls free for each one that may go now.
func (o *order) remove(it *item, free func(*item)) {
	for _, key := range it.keys() {
		if o.last[key] == it {
			delete(o.last, key)
		}
	}
	for _, f := range it.next {
		if f.waits--; f.waits == 0 {
			free(f)
		}
	}
	it.next = nil
}

// dueHeap orders items by their next attempt; a container/heap.
type dueHeap []*item

func (h dueHeap) Len() int           { return len(h) }
func (h dueHeap) Less(i, j int) bool { return h[i].due.Before(h[j].due) }
func (h dueHeap) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }
func (h *dueHeap) Push(x any)        { *h = append(*h, x.(*item)) } //nolint:forcetypeassert // only items are pushed
func (h *dueHeap) Pop() any {
	old := *h
	it := old[len(old)-1]
	old[len(old)-1] = nil
	*h = old[:len(old)-1]
	return it
}
