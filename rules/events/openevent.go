package events

import (
	"cmp"
	"slices"
	"time"

	"rowhook/rules"
)

// event is one that is not a delivery yet.
type event struct {
	rules.Event
	wanted  []string // of a stored one that is closed: the rules that wanted it
	dirty   bool     // its record is behind
	stored  bool     // a commit holds its record
	unnamed bool     // of a save: some statement of it is not known
	waits   bool     // a status column changed and its history row has not come yet
	sealed  bool     // absorbs nothing any more
	rows    rows     // of a delete
	first   moment   // of its first change
	last    moment   // of its last change, or of one that prolonged it
}

// rows says which rules a delete is for, until it is matched.
type rows uint8

const (
	anyRows rows = iota // all
	allRows             // those that do not ask for a row as it was: the event is of several
	eachRow             // those that do: the event is of one of several
)

// suit says whether a rule is among them.
func (w rows) suit(r *rules.Rule) bool { return w == anyRows || (w == eachRow) == r.Shape.Before() }

// moment is one instant on both clocks: the log's and ours.
type moment struct {
	log  time.Time // when it was committed, rounded up to the log's precision
	wall time.Time // when we read it
}

// clock is one of the two clocks.
type clock uint8

const (
	logClock clock = iota
	ourClock
	clocks // how many there are
)

// of is the instant on the clock.
func (c clock) of(m moment) time.Time {
	if c == logClock {
		return m.log
	}
	return m.wall
}

// match sets the rules that want the event, as far as the log shows it.
func (e *event) match(set *rules.Set, plugin bool) {
	e.Rules = nil
	for r := range set.Enabled() {
		if (e.Backfill == "" || e.Backfill == r.Name) && e.rows.suit(r) && r.Wants(&e.Event, plugin) {
			e.Rules = append(e.Rules, r)
		}
	}
}

// order puts a delete's ids in the order of the statement's list; the log has them in the order of the key.
func (e *event) order(list []int64) {
	place := make(map[rules.Key]int, len(list))
	for i, id := range list {
		place[rules.NumberKey(id)] = i
	}
	slices.SortStableFunc(e.IDs, func(a, b rules.Key) int {
		i, ok := place[a]
		j, ok2 := place[b]
		if !ok || !ok2 {
			return 0
		}
		return cmp.Compare(i, j)
	})
}
