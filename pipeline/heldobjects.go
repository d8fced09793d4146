package pipeline

import (
	"cmp"
	"slices"
)

// heldObjects are the objects of a site of which events are held, by key. An event of several objects stands at each of
// them, and waits for one reason at a time: let go, it may find another at the next of its objects.
type heldObjects map[string][]heldAt

// heldAt is an event that is held, by its place among the closed ones. The first of an object come first.
type heldAt struct {
	place uint64
	why   *reason
}

func (o heldObjects) add(keys []string, place uint64, why *reason) {
	for _, key := range keys {
		list := o[key]
		i, _ := slices.BinarySearchFunc(list, place, func(at heldAt, place uint64) int { return cmp.Compare(at.place, place) })
		o[key] = slices.Insert(list, i, heldAt{place, why})
	}
}

// before is why the first event of some objects before a place is held; nil: none is.
func (o heldObjects) before(keys []string, place uint64) *reason {
	for _, key := range keys {
		if list := o[key]; len(list) > 0 && list[0].place < place {
			return list[0].why
		}
	}
	return nil
}

// at is why the event at a place is held.
func (o heldObjects) at(key string, place uint64) *reason {
	for _, at := range o[key] {
		if at.place == place {
			return at.why
		}
	}
	return nil
}

// release lets go of the events that are held for a reason.
func (o heldObjects) release(why *reason) {
	for key, list := range o {
		if list = slices.DeleteFunc(list, func(at heldAt) bool { return at.why == why }); len(list) > 0 {
			o[key] = list
		} else {
			delete(o, key)
		}
	}
}
