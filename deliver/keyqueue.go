package deliver

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
