package events

import (
	"cmp"
	"slices"
	"time"

	"rowhook/rules"
)

// firedStatuses are the statuses that were reported from the column alone, for a while: the history row that comes after
// all must not report them again.
type firedStatuses struct {
	by     map[aggregate]firedStatus
	order  []aggregate // the oldest first; some are forgotten already
	behind []Record    // what the next commit must hold of it
}

// firedStatus is a status that was reported from the column alone.
type firedStatus struct {
	Status string    `json:"status"`
	At     time.Time `json:"at"`
}

// maxFired bounds how many statuses are remembered; the oldest are forgotten first.
const maxFired = 100_000

// firedFor is how long a status that fired from the column silences the history row that repeats it.
const firedFor = time.Hour

func newFiredStatuses() firedStatuses { return firedStatuses{by: map[aggregate]firedStatus{}} }

// note remembers the status of an event whose history row did not come.
func (f *firedStatuses) note(a aggregate, ev *event) {
	fired := firedStatus{Status: ev.Status, At: ev.Time}
	f.by[a] = fired
	f.order = append(f.order, a)
	f.behind = append(f.behind, firedRecord(a, &fired))
	for len(f.order) > maxFired {
		f.forgetOldest()
	}
}

// forget drops the memory of an aggregate, and returns what it was.
func (f *firedStatuses) forget(a aggregate) (was firedStatus, ok bool) {
	if was, ok = f.by[a]; ok {
		delete(f.by, a)
		f.behind = append(f.behind, firedRecord(a, nil))
	}
	return was, ok
}

func (f *firedStatuses) forgetOldest() {
	f.forget(f.order[0])
	f.order = f.order[1:]
}

// expire drops the memories that are too old at now.
func (f *firedStatuses) expire(now time.Time) {
	for len(f.order) > 0 {
		if fired, ok := f.by[f.order[0]]; ok && now.Sub(fired.At) < firedFor {
			return
		}
		f.forgetOldest()
	}
}

// sort puts the memories in order after a restart.
func (f *firedStatuses) sort() {
	slices.SortFunc(f.order, func(a, b aggregate) int {
		return cmp.Or(f.by[a].At.Compare(f.by[b].At), cmp.Compare(a.name(), b.name()))
	})
}

// move takes those of a site from others.
func (f *firedStatuses) move(o *firedStatuses, site *rules.Site) {
	for a, fired := range o.by {
		if a.site == site {
			delete(o.by, a)
			f.by[a] = fired
		}
	}
	f.order = append(f.order, cut(&o.order, func(a aggregate) bool { return a.site == site })...)
	f.sort()
}

// take hands out the records that are behind.
func (f *firedStatuses) take() []Record {
	behind := f.behind
	f.behind = nil
	return behind
}

func firedRecord(a aggregate, f *firedStatus) Record {
	r := Record{Key: firedPrefix + a.name()}
	if f != nil {
		r.Data = encodeRecord(f)
	}
	return r
}

// restore takes a record in.
func (f *firedStatuses) restore(r Record, c *catalog) error {
	a, ok, err := c.parseAggregate(r.Key[len(firedPrefix):])
	if !ok || err != nil {
		return err
	}
	var fired firedStatus
	if err := decodeRecord(r.Data, &fired); err != nil {
		return err
	}
	f.by[a] = fired
	f.order = append(f.order, a)
	return nil
}
