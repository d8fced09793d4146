//go:build crash

package crash

import (
	"fmt"
	"testing"
	"time"
)

// The oracle must be able to fail: each check, for its own reason.

// told is a request: what a rule told under an id.
type told struct {
	rule, id, body string
	seq            int64
}

// as is the same, with a sequence.
func (t told) as(seq int64) told {
	t.seq = seq
	return t
}

func saved(id string, n int) told {
	return told{rule: "saves-full", id: id, body: fmt.Sprintf(`{"id": "7", "notes": "%d|xx", "duration": 30}`, n)}
}

func deleted(id string) told { return told{rule: "deletes", id: id, body: `{"id":[7,8]}`} }

func statusOf(id string, n int) told {
	return told{rule: "statuses", id: id, body: fmt.Sprintf(`{"id": 1, "id_order": 7, "comment": "%d|"}`, n)}
}

func TestOracleCrash(t *testing.T) {
	t.Parallel()
	history := []step{{save, 1}, {status, 2}, {save, 3}, {gone, 4}, {save, 5}, {save, 6}}
	right := []told{saved("a", 1), statusOf("b", 2), saved("c", 3), deleted("d"), saved("e", 5), saved("f", 6)}
	for name, c := range map[string]struct {
		received []told
		exact    bool
		want     findings
	}{
		"all is well":                  {right, true, findings{}},
		"a repeat":                     {append(right[:6:6], saved("a", 1)), true, findings{repeats: 1}},
		"a save is missing":            {[]told{right[0], right[1], right[3], right[4], right[5]}, true, findings{lost: 1}},
		"a status is missing":          {[]told{right[0], right[2], right[3], right[4], right[5]}, false, findings{lost: 1}},
		"a delete is missing":          {[]told{right[0], right[1], right[2], right[4], right[5]}, false, findings{lost: 1}},
		"the state before a delete is": {[]told{right[0], right[1], right[3], right[4], right[5]}, false, findings{lost: 1}},
		"the last state is":            {right[:5], false, findings{lost: 1}},
		"a save is merged":             {[]told{right[0], right[1], right[2], right[3], right[5]}, false, findings{}},
		"a save is merged into an earlier one, before the status": {
			[]told{saved("a", 3), right[1], right[3], right[5]}, false, findings{},
		},
		"the same change under two ids": {append(right[:6:6], saved("g", 6)), false, findings{changed: 1}},
		"the same delete under two ids": {append(right[:4:4], deleted("g"), right[4], right[5]), true, findings{changed: 1}},
		"an id with two bodies":         {append(right[:6:6], saved("a", 6)), true, findings{reused: 1}},
		"a change under a known id":     {append(right[:5:5], saved("e", 6)), false, findings{reused: 1, swallowed: 1}},
		"two saves change places": {
			[]told{right[2], right[1], right[0], right[3], right[4], right[5]}, true, findings{disordered: 2},
		},
		"a save that was on its way comes late": {
			[]told{right[0].as(1), right[1].as(2), right[3].as(4), right[2].as(3), right[4].as(5), right[5].as(6)}, true, findings{late: 1},
		},
		"a save is numbered behind a later one": {
			[]told{right[0].as(1), right[1].as(2), right[2].as(4), right[3].as(3), right[4].as(5), right[5].as(6)}, true, findings{misnumbered: 1},
		},
		"a save overtakes a delete":  {[]told{right[0], right[1], right[2], right[4], right[3], right[5]}, false, findings{disordered: 1}},
		"a status overtakes a save":  {[]told{right[1], right[0], right[2], right[3], right[4], right[5]}, false, findings{disordered: 1}},
		"what was rolled back":       {append(right[:6:6], saved("g", 9)), true, findings{invented: 1}},
		"a delete that nobody wrote": {append(right[:6:6], deleted("g"), saved("h", 6)), true, findings{changed: 2}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := newLedger()
			for _, r := range c.received {
				own, _ := ruleOf(r.rule, "")
				if err := l.accept(own, "salon", r.id, r.seq, []byte(r.body)); err != nil {
					t.Fatal(err)
				}
			}
			o := &object{key: key{"salon", "appointment", 7}, steps: history}
			got := judgeRules(rules[1:4], []*object{o}, l, c.exact)
			got.invented -= len(l.order[key{"salon", "appointment", 8}]) // the other of the deletes is not looked at
			got.examples = nil
			if fmt.Sprint(*got) != fmt.Sprint(c.want) {
				t.Errorf("found %s\nwant  %s", got, &c.want)
			}
		})
	}
}

// While a rule's URL is paused, others may pass what goes there; the rule's own deliveries never pass each other.
func TestPausedOracleCrash(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		received []told
		back     bool // the pause ends before anything is received
		want     int
	}{
		"another passes it":          {[]told{saved("c", 3), deleted("b"), saved("a", 1)}, false, 1},
		"another passes it too late": {[]told{saved("c", 3), deleted("b"), saved("a", 1)}, true, 2},
		"nothing passes":             {[]told{saved("a", 1), deleted("b"), saved("c", 3)}, false, 0},
	} {
		l := newLedger()
		l.leave("deletes", time.Now().Add(-time.Second))
		if c.back {
			l.back(time.Now().Add(-time.Millisecond))
		}
		for _, r := range c.received {
			own, _ := ruleOf(r.rule, "")
			if err := l.accept(own, "salon", r.id, r.seq, []byte(r.body)); err != nil {
				t.Fatal(err)
			}
		}
		o := &object{key: key{"salon", "appointment", 7}, steps: []step{{save, 1}, {gone, 2}, {save, 3}}}
		if got := judgeRules(rules[1:4], []*object{o}, l, true); got.disordered != c.want {
			t.Errorf("%s: %d out of order, want %d: %s", name, got.disordered, c.want, got)
		}
	}
}

func TestShadowOracleCrash(t *testing.T) {
	t.Parallel()
	row := map[string]string{"id": "7", "id_parent": "7", "notes": "5", "total_cost": "12.50", "log": "seen", "ip": null}
	for name, c := range map[string]struct {
		shadow map[string]string
		differ bool
	}{
		"the same, and housekeeping": {map[string]string{"id": "7", "id_parent": "-1", "notes": "5", "total_cost": "12.5", "log": "", "ip": null}, false},
		"an older state":             {map[string]string{"id": "7", "id_parent": "7", "notes": "4", "total_cost": "12.5", "ip": null}, true},
		"no NULL":                    {map[string]string{"id": "7", "id_parent": "7", "notes": "5", "total_cost": "12.5", "ip": ""}, true},
		"no row":                     {nil, true},
	} {
		if got := difference(row, c.shadow); (got != "") != c.differ {
			t.Errorf("%s: %q", name, got)
		}
	}
	if difference(nil, row) == "" || difference(nil, nil) != "" {
		t.Error("a deleted row is not told from none")
	}
}
