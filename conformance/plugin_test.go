package conformance

import (
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"testing"
)

// TestPlugin replays the cases with the plugin's webhooks as rules. What arrives must be what the plugin sent.
func TestPlugin(t *testing.T) {
	t.Parallel()
	if *update {
		for _, r := range readRecords(t) {
			if _, chosen := subsets[r.name]; chosen {
				updateSubset(t, r)
			}
		}
	}
	var reports []*report
	records := readRecords(t)
	for _, r := range records {
		out := newReport()
		reports = append(reports, out)
		t.Run(r.name, func(t *testing.T) {
			t.Parallel()
			testPlugin(t, r, out)
		})
	}
	if !records[0].whole {
		t.Cleanup(func() { eachApplies(t, reports) }) // when all are replayed
	}
}

// eachApplies says which rules leave out nothing in all of testdata: they have no reason to be there.
func eachApplies(t *testing.T, reports []*report) {
	for _, rule := range eventRules {
		if !slices.ContainsFunc(reports, func(r *report) bool { return r.requests[rule] > 0 }) {
			t.Errorf("%q leaves out nothing", rule.name)
		}
	}
	for i := range placeRules {
		rule := &placeRules[i]
		if !rule.outside && !slices.ContainsFunc(reports, func(r *report) bool { return r.places[rule] > 0 }) {
			t.Errorf("%q leaves out nothing", rule.name)
		}
	}
}

func testPlugin(t *testing.T, r *record, out *report) {
	p := newReplay(t, r)
	dir, config := p.configure(t, "plugin")
	writeFile(t, filepath.Join(dir, "rules.d", "import.yaml"), string(rowhook(t, "import", "--config", config)))
	p.run(t, config, r.cases)

	changes := p.changes(t)
	now := database{}
	kinds := shapes{}
	custom := newCustomReport()
	seen, missed := 0, 0
	for n := -1; n < len(p.turns); n++ {
		for _, c := range changes[n] {
			now.apply(c)
		}
		if n < 0 || p.turns[n].setup {
			continue
		}
		c := p.turns[n].c
		custom.match(t, c, r.hooks, changes[n], p.turns[n].takeCustom(r.hooks))
		predicted := pluginEvents(changes[n], r.hooks, now)
		e := expect(t, c, r.hooks, changes[n], predicted)
		for _, d := range p.turns[n].got {
			kinds.add(r.hooks[d.webhook], d.body)
		}
		for _, w := range e.unseen {
			kinds.add(w.hook, w.body)
		}
		out.match(&p.turns[n], e, r.hooks, changes[n])
		agree(t, c, r.hooks, e, predicted)
		s, m := recorded(c, r.hooks, e)
		seen, missed = seen+s, missed+m
	}
	out.check(t)
	custom.check(t)
	t.Logf("saves and status changes that were recorded: %d, of which %d have no row event", seen+missed, missed)
	if r.whole {
		compareShapes(t, r, kinds)
	}
}

// agree holds the rules that this test writes down (pluginEvents) against the record: against the requests, or where they
// were not kept against the plugin's own notes of them.
func agree(t *testing.T, c *testCase, hooks map[int]hook, e *expectation, predicted []want) {
	t.Helper()
	if c.Requests == nil {
		noted := notes(c, hooks)
		for _, w := range predicted {
			if noted[w.webhook]--; noted[w.webhook] < 0 && !w.hook.isDelete() {
				t.Errorf("case %s: webhook %d %s would be sent by the plugin's rules, but was not", c.Number, w.webhook, w.describe())
			}
		}
		return
	}
	sent, ruled := keysOf(e.wants), keysOf(predicted)
	for k := range e.allowed {
		delete(ruled, k)
	}
	if !maps.Equal(sent, ruled) {
		t.Errorf("case %s: the plugin sent %v, by its rules it would have %v", c.Number, sent, ruled)
	}
}

// pinged is the statement with which the plugin notes that it sent a webhook: one for each request, in their order.
var pinged = regexp.MustCompile("^UPDATE `" + prefix + "webhook` SET .*`lastping` = .* WHERE `id` = '(\\d+)'")

// notes are how often the plugin noted that it sent each webhook, as far as saves and status changes go.
func notes(c *testCase, hooks map[int]hook) map[int]int {
	noted := map[int]int{}
	for _, s := range c.SQL {
		if m := pinged.FindStringSubmatch(s.SQL); m != nil {
			id, _ := strconv.Atoi(m[1])
			if h := hooks[id]; h.documented() && !h.isDelete() {
				noted[id]++
			}
		}
	}
	return noted
}

// recorded counts a case's recorded saves and status changes: those that are wanted, and those without a row event.
func recorded(c *testCase, hooks map[int]hook, e *expectation) (wanted, missed int) {
	for _, w := range e.wants {
		if !w.hook.isDelete() {
			wanted++
		}
	}
	if c.Requests != nil {
		return wanted, e.left[unseen]
	}
	sent := 0
	for _, n := range notes(c, hooks) {
		sent += n
	}
	return wanted, sent - wanted - len(e.allowed)
}
