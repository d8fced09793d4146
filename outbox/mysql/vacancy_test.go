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
	const holds, silent, released, former, lacking, renewed = "h", "silent", "released", "former", "lacking", "renewed"
	people := []citizen{
		{name: holds, who: Who{"x", true}}, {name: "a", who: Who{"y", true}}, {name: "b", who: Who{"x", false}},
		{name: "c", who: Who{"x", true}}, {name: "d", who: Who{"x", true}},
	}
	began := time.Now()
	for name, c := range map[string]struct {
		me     int
		left   string // how the holder left it
		living []citizen
		want   time.Duration // since the holder was last seen
	}{
		"the first":              {3, silent, people, 8 * time.Second},
		"released":               {3, released, people, 0},
		"the second":             {4, silent, people, 9 * time.Second},
		"other rules":            {1, silent, people, 10 * time.Second},
		"reads not, others do":   {2, released, people, -1},
		"reads not, and alone":   {2, released, people[2:3], 20 * time.Second},
		"other rules, but alone": {1, released, people[1:2], 0},
		"its own":                {3, former, people, 0},
		"of a replica":           {3, lacking, people, 8 * time.Second}, // since it was seen to move
		"renewed there":          {3, renewed, people, -1},
	} {
		me := people[c.me]
		one := *cfg
		one.Who = me.who
		if c.left == former {
			one.Former = holds
		}
		v := newVacancy(&one, me.name)
		h := holder{owner: holds, epoch: 7, beat: 9}
		v.look(h, people, began)
		got := time.Duration(-1)
		for after := time.Duration(0); after <= time.Minute && got < 0; after += time.Second / 2 {
			switch {
			case c.left == released:
				h = holder{epoch: 7, beat: 10}
			case c.left == lacking && after > 3*time.Second:
				h = holder{owner: "before", epoch: 6, beat: 8}
			case c.left == renewed && after > 2*time.Second:
				h = holder{owner: holds, epoch: 7, beat: 5 + int64(after/time.Second)/5}
			case c.left == lacking && after > 2*time.Second:
				h = holder{owner: holds, epoch: 7, beat: 5}
			}
			if c.left == lacking { // it joins anew
				was := v
				v = newVacancy(&one, me.name)
				v.inherit(was)
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
		v.look(holder{owner: "other", epoch: 8, beat: 11}, people, began.Add(got+time.Second))
		select {
		case <-v.channel():
			t.Errorf("%s: it is free still", name)
		default:
		}
	}
}
