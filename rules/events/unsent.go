package events

import (
	"fmt"

	"rowhook/rules"
)

// unsent are the events that are not deliveries yet, open and closed ones: numbered, weighed, and kept as records beside the
// position. Whoever changes one says so by dirty, and the next take has its record.
type unsent struct {
	count   *counters
	tables  tableRecords      // that their rows are of
	live    map[uint64]*event // all of them
	changed []*event          // those whose record is behind
	gone    []uint64          // stored ones that are deliveries now

	waiting                int // closed ones
	filling                int // those of backfills
	openBytes, closedBytes int // what they take
}

// counters number events. Engines that were split share them.
type counters struct {
	events   uint64
	closings uint64
}

func newUnsent(c *counters) unsent {
	return unsent{count: c, tables: newTableRecords(), live: map[uint64]*event{}}
}

// number is that of the next event.
func (u *unsent) number() uint64 {
	u.count.events++
	return u.count.events
}

// add takes in an event.
func (u *unsent) add(ev *event) {
	u.live[ev.Number] = ev
	if ev.Backfill != "" {
		u.filling++
	}
}

// restore takes in an event that was stored.
func (u *unsent) restore(ev *event) {
	u.add(ev)
	u.weigh(ev)
	if u.count.closings = max(u.count.closings, ev.Closing); ev.Closing > 0 {
		u.waiting++
	}
}

// dirty notes that an event's record is behind.
func (u *unsent) dirty(ev *event) {
	u.weigh(ev)
	if !ev.dirty {
		ev.dirty = true
		u.changed = append(u.changed, ev)
	}
}

// close gives an event its place among those that closed.
func (u *unsent) close(ev *event) {
	u.account(ev, -1)
	u.count.closings++
	ev.Closing = u.count.closings
	u.account(ev, 1)
	u.dirty(ev)
}

// done says that an event is nothing but deliveries now, or that nobody wants it.
func (u *unsent) done(ev *event) {
	delete(u.live, ev.Number)
	u.account(ev, -1)
	if ev.stored {
		u.gone = append(u.gone, ev.Number)
	}
}

// account counts an event in, or out.
func (u *unsent) account(ev *event, n int) {
	if ev.Closing > 0 {
		u.waiting += n
		u.closedBytes += n * ev.Weight
	} else {
		u.openBytes += n * ev.Weight
	}
	if ev.Backfill != "" {
		u.filling += n
	}
}

// move takes over the events of a site.
func (u *unsent) move(o *unsent, site *rules.Site) {
	for number, ev := range o.live {
		if ev.Site == site {
			delete(o.live, number)
			u.live[number] = ev
			o.account(ev, -1)
			u.account(ev, 1)
		}
	}
	u.changed = append(u.changed, cut(&o.changed, func(ev *event) bool { return ev.Site == site })...)
}

// pending is how many records the next take has.
func (u *unsent) pending() int { return len(u.changed) + len(u.gone) }

// take returns the records that are behind.
func (u *unsent) take() ([]Record, error) {
	var records []Record
	for _, ev := range u.changed {
		ev.dirty = false
		if u.live[ev.Number] != ev {
			continue
		}
		r, err := u.encode(ev)
		if err != nil {
			return nil, fmt.Errorf("storing %s: %w", ev, err)
		}
		records = append(records, r)
		ev.stored = true
	}
	for _, n := range u.gone {
		records = append(records, Record{Key: eventKey(n)})
	}
	clear(u.changed)
	u.changed, u.gone = u.changed[:0], u.gone[:0]
	return records, nil
}
