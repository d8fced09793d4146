package events

import (
	"cmp"
	"slices"

	"rowhook/cdc"
)

// applyEmptied closes the open events of objects whose table lost all its rows unlogged, as their deletes would have:
// what comes under the same ids is something else.
func (w *windows) applyEmptied(emptied []cdc.Emptied) {
	for _, t := range emptied {
		of := func(a aggregate) bool { return a.entity.TableOf(a.site) == t.Table }
		var queues []*queue
		for a, q := range w.open.queues {
			if of(a) {
				queues = append(queues, q)
			}
		}
		slices.SortFunc(queues, func(a, b *queue) int { return cmp.Compare(a.number(), b.number()) })
		for _, q := range queues {
			w.leave(q, func(*event) bool { return true })
		}
		for a := range w.fired.by {
			if of(a) {
				w.fired.forget(a)
			}
		}
	}
}
