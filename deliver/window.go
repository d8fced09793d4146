package deliver

import (
	"container/heap"
	"hash/maphash"
	"time"
)

const (
	// maxLoaded and maxLoadedBytes bound what an endpoint holds with payloads: more is not claimed.
	maxLoaded      = 1024
	maxLoadedBytes = 4 << 20
	// maxItems is how many deliveries an endpoint holds that wait for their next attempt, or behind one that does; without its
	// payload one takes half a kilobyte. What is more is shelved.
	maxItems = 20_000
)

// window is the part of an endpoint's deliveries that is in memory: claimed, and not finished.
//
//	add -> ready -> take -> (in flight) -> remove, or postpone: later -> due -> bare (its payload is read again) -> ready
type window struct {
	most  int             // items that may wait
	items map[int64]*item // by Number
	keys  keyQueue
	ready []*item // nothing is before them, they are due and loaded
	bare  []*item // the same, but they are not loaded
	later dueHeap // nothing is before them, and they wait for their next attempt
	count int     // how many are loaded
	bytes int     // their payloads
	shelf shelf
}

func newWindow(most int) *window {
	return &window{most: most, items: make(map[int64]*item), keys: newKeyQueue()}
}

// add puts an item that was claimed behind all earlier ones.
func (w *window) add(it *item, now time.Time) {
	waits, long := w.keys.before(it)
	full := len(w.items) >= w.most
	if w.shelf.holds(it) || full && (waits || it.isLater(now)) {
		w.shelf.put(it)
		return
	}
	w.items[it.Number] = it
	w.load(it)
	w.keys.add(it)
	switch {
	case !waits:
		w.release(it, now)
	case long:
		w.unload(it)
	}
}

// release is for an item that nothing is before any more.
func (w *window) release(it *item, now time.Time) {
	switch {
	case it.shelved:
		w.remove(it, now)
	case it.isLater(now):
		w.postpone(it)
	case it.loaded:
		w.ready = append(w.ready, it)
	default:
		w.bare = append(w.bare, it)
	}
}

// postpone makes an item, that nothing is before, wait for its next attempt.
func (w *window) postpone(it *item) {
	w.unloadAll(it)
	heap.Push(&w.later, it)
}

// awake releases what waited for its next attempt long enough.
func (w *window) awake(now time.Time) {
	for len(w.later) > 0 && !w.later[0].due.After(now) {
		it, _ := heap.Pop(&w.later).(*item)
		w.release(it, now)
	}
}

// take is the next item that may go, nil when there is none.
func (w *window) take() *item {
	if len(w.ready) == 0 {
		return nil
	}
	it := w.ready[0]
	w.ready[0] = nil
	w.ready = w.ready[1:]
	return it
}

// giveBack makes an item that was taken the next one.
func (w *window) giveBack(it *item) { w.ready = append([]*item{it}, w.ready...) }

// remove takes an item out, and lets those go that waited for it.
func (w *window) remove(it *item, now time.Time) {
	if !it.shelved { // else another may stand in its place
		delete(w.items, it.Number)
	}
	w.unload(it)
	w.keys.remove(it, func(f *item) { w.release(f, now) })
}

// load counts an item's payload, which was read.
func (w *window) load(it *item) {
	it.loaded = true
	w.count++
	w.bytes += len(it.Body)
}

// takeBare are some items that are ready but for their payloads; fill makes them ready.
func (w *window) takeBare(most int) []*item {
	n := min(len(w.bare), most)
	bare := w.bare[:n]
	w.bare = w.bare[n:]
	return bare
}

// fill gives an item its payload, with which it is ready.
func (w *window) fill(it *item, body []byte) {
	it.Body = body
	w.load(it)
	w.ready = append(w.ready, it)
}

// roomy tells whether there is room for more payloads.
func (w *window) roomy() bool { return w.count < maxLoaded && w.bytes < maxLoadedBytes }

// unload leaves an item's payload to the outbox, for as long as it cannot be sent.
func (w *window) unload(it *item) {
	if it.loaded {
		w.count--
		w.bytes -= len(it.Body)
		it.unload()
	}
}

// unloadAll does so for an item and for all that wait for it.
func (w *window) unloadAll(it *item) {
	w.unload(it)
	for _, f := range it.next {
		if f.loaded {
			w.unloadAll(f)
		}
	}
}

// crowded tells whether more items wait in memory than may.
func (w *window) crowded() bool { return len(w.items) > w.most }

// shelve takes an item out that nothing is before, with all that wait for it, and leaves them to the outbox: they are claimed
// again later. What comes meanwhile does not overtake them.
func (w *window) shelve(it *item, now time.Time) {
	w.putAway(it)
	w.remove(it, now)
}

func (w *window) putAway(it *item) {
	it.shelved = true
	delete(w.items, it.Number)
	w.unload(it)
	w.shelf.put(it)
	for _, f := range it.next {
		if !f.shelved {
			w.putAway(f)
		}
	}
}

// drop takes out all items that are not in flight and that which chooses; what waited for them may go.
func (w *window) drop(which func(*item) bool, now time.Time) {
	gone := make(map[*item]bool)
	for _, it := range w.items {
		if !it.flying && which(it) {
			gone[it] = true
		}
	}
	kept := func(list []*item) []*item {
		var keep []*item
		for _, it := range list {
			if !gone[it] {
				keep = append(keep, it)
			}
		}
		return keep
	}
	w.ready, w.bare, w.later = kept(w.ready), kept(w.bare), kept(w.later)
	heap.Init(&w.later)
	for it := range gone {
		it.shelved = true // until nothing is before it
		delete(w.items, it.Number)
		w.unload(it)
	}
	for it := range gone {
		if it.waits == 0 {
			w.keys.remove(it, func(f *item) { w.release(f, now) })
		}
	}
}

// forget leaves everything that is not in flight to the outbox.
func (w *window) forget() {
	old := w.items
	*w = *newWindow(w.most)
	for number, it := range old {
		it.next, it.waits = nil, 0
		if it.flying {
			it.left = true
			w.items[number] = it
			w.count++
			w.bytes += len(it.Body)
			w.keys.add(it)
		}
	}
}

// shelf remembers which aggregates have deliveries that were left to the outbox for want of room. It is a set of bits in
// which two keys may share one: then one waits longer than it must.
type shelf struct {
	bits  []uint64
	seed  maphash.Seed
	first int64     // the lowest Number on it
	since time.Time // when it was empty; zero: it is
}

// shelfBits is how many bits a shelf has: a megabyte of them, for an endpoint that needs one at all.
const shelfBits = 1 << 23

func (s *shelf) empty() bool { return s.bits == nil }

// put notes an item's keys.
func (s *shelf) put(it *item) {
	if s.empty() {
		s.bits, s.seed, s.first, s.since = make([]uint64, shelfBits/64), maphash.MakeSeed(), it.Number, time.Now()
	}
	s.first = min(s.first, it.Number)
	for _, key := range it.keys() {
		bit := s.bit(key)
		s.bits[bit/64] |= 1 << (bit % 64)
	}
}

// holds tells whether an earlier item with one of its keys may be on the shelf.
func (s *shelf) holds(it *item) bool {
	if s.empty() {
		return false
	}
	for _, key := range it.keys() {
		if bit := s.bit(key); s.bits[bit/64]&(1<<(bit%64)) != 0 {
			return true
		}
	}
	return false
}

func (s *shelf) bit(key string) uint64 { return maphash.String(s.seed, key) % shelfBits }

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
