package mysql

import (
	"testing"
	"time"
)

// TestVacancy: when the lease is free it is one member's turn after the other's: who may follow the log, with the rules that the
// holder had, comes first; who may not comes when nobody else has been there for two leases.
func TestVacancy(t *testing.T) {
	t.Parallel()
	cfg := &Config{Lease: 10 * time.Second}
	const holds = "h"
	people := []citizen{
		{name: holds, who: Who{"x", true}}, {name: "a", who: Who{"y", true}}, {name: "b", who: Who{"x", false}},
		{name: "c", who: Who{"x", true}}, {name: "d", who: Who{"x", true}},
	}
	began := time.Now()
	for name, c := range map[string]struct {
		me       int
		released bool
		living   []citizen
		want     time.Duration // since the holder was last seen
	}{
		"the first":              {3, false, people, 8 * time.Second},
		"released":               {3, true, people, 0},
		"the second":             {4, false, people, 9 * time.Second},
		"other rules":            {1, false, people, 10 * time.Second},
		"reads not, others do":   {2, true, people, -1},
		"reads not, and alone":   {2, true, people[2:3], 20 * time.Second},
		"other rules, but alone": {1, true, people[1:2], 0},
	} {
		me := people[c.me]
		one := *cfg
		one.Who = me.who
		v := newVacancy(&one, me.name)
		v.look(holder{owner: holds, epoch: 1, beat: 1}, people, began)
		h := holder{owner: holds, epoch: 1, beat: 1}
		got := time.Duration(-1)
		for after := time.Duration(0); after <= time.Minute && got < 0; after += time.Second / 2 {
			if c.released {
				h = holder{epoch: 1, beat: 2}
			}
			v.look(h, c.living, began.Add(after))
			select {
			case <-v.channel():
				got = after
			default:
			}
		}
		if got != c.want {
			t.Errorf("%s: after %v, want %v", name, got, c.want)
		}
		if got < 0 {
			continue
		}
		v.look(holder{owner: "other", epoch: 2, beat: 3}, people, began.Add(got+time.Second))
		select {
		case <-v.channel():
			t.Errorf("%s: it is free still", name)
		default:
		}
	}
}
