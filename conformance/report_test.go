package conformance

import (
	"cmp"
	"flag"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"text/tabwriter"
)

var shown = flag.Int("differences", 20, "how many `events` that are missing, extra or different are shown")

// line counts the events of one action and load mode. Of the payloads that are equal some are but for places left out.
type line struct{ wanted, found, extra, compared, equal, butFor int }

func (l *line) add(o *line) {
	l.wanted, l.found, l.extra = l.wanted+o.wanted, l.found+o.found, l.extra+o.extra
	l.compared, l.equal, l.butFor = l.compared+o.compared, l.equal+o.equal, l.butFor+o.butFor
}

// report is the outcome of a replay.
type report struct {
	lines    map[[2]string]*line // by action and load
	asked    int                 // documented requests that the plugin sent
	requests map[eventRule]int   // left out
	payloads map[*placeRule]int  // with places left out
	places   map[*placeRule]int  // left out
	notes    []string            // what is wrong, case by case
	paths    map[string]int      // how often payloads differ at a place
}

func newReport() *report {
	return &report{
		lines: map[[2]string]*line{}, requests: map[eventRule]int{}, payloads: map[*placeRule]int{}, places: map[*placeRule]int{},
		paths: map[string]int{},
	}
}

func (r *report) line(h hook) *line {
	k := [2]string{h.Action, cmp.Or(h.Load, "-")}
	if r.lines[k] == nil {
		r.lines[k] = &line{}
	}
	return r.lines[k]
}

func (r *report) note(format string, args ...any) {
	r.notes = append(r.notes, fmt.Sprintf(format, args...))
}

// match holds what arrived in a turn against an expectation, events of one key in their order.
func (r *report) match(tn *turn, e *expectation, hooks map[int]hook, changes []*change) {
	r.asked += e.asked
	for rule, n := range e.left {
		r.requests[rule] += n
	}
	number := tn.c.Number
	arrived := map[string][]delivery{}
	for _, d := range tn.got {
		k := key(d.webhook, hooks[d.webhook].subject(d.body))
		arrived[k] = append(arrived[k], d)
	}
	for _, w := range e.wants {
		l := r.line(w.hook)
		l.wanted++
		k := w.key()
		if len(arrived[k]) == 0 {
			r.note("case %s: missing: webhook %d %s", number, w.webhook, w.describe())
			continue
		}
		d := arrived[k][0]
		arrived[k] = arrived[k][1:]
		l.found++
		if d.action != w.hook.Action {
			r.note("case %s: webhook %d %s: X-VAP-WEBHOOK-ACTION is %q", number, w.webhook, w.describe(), d.action)
		}
		if w.body != nil {
			r.payload(tn.c, w, d, changes)
		}
	}
	for _, k := range slices.Sorted(maps.Keys(arrived)) {
		for _, d := range arrived[k] {
			if h := hooks[d.webhook]; !e.allowed[k] {
				r.line(h).extra++
				r.note("case %s: extra: webhook %d (%s %s %s) %.300s", number, d.webhook, d.action, h.Type, h.Load, d.text)
			}
		}
	}
}

func (w want) describe() string {
	return fmt.Sprintf("(%s %s %s %v) of %s", w.hook.Action, w.hook.Type, w.hook.Load, w.hook.Statuses, w.subject)
}

// payload compares what arrived with what the plugin sent.
func (r *report) payload(c *testCase, w want, d delivery, changes []*change) {
	l := r.line(w.hook)
	l.compared++
	if w.secure != d.secure {
		r.note("case %s: webhook %d %s: X-VAP-WEBHOOK-SECURE is %q, want %q", c.Number, w.webhook, w.describe(), d.secure, w.secure)
	}
	left := map[*placeRule]int{}
	var wrong []difference
	for _, diff := range compare("", w.body, d.body, w.hook.Load == "basic") {
		p := &place{difference: diff, of: w, appointments: appointments(d.body), c: c, changes: changes}
		if rule := ruleOf(p); rule != nil {
			left[rule]++
		} else {
			wrong = append(wrong, diff)
		}
	}
	for rule, n := range left {
		r.payloads[rule]++
		r.places[rule] += n
	}
	if len(wrong) == 0 {
		l.equal++
		if len(left) > 0 {
			l.butFor++
		}
		return
	}
	var b strings.Builder
	for _, d := range wrong {
		r.paths[fmt.Sprintf("%s %s: %s", w.hook.Action, w.hook.Load, indexes.ReplaceAllString(d.path, "[]"))]++
		fmt.Fprintf(&b, "\n      %s", d)
	}
	r.note("case %s: different: webhook %d %s%s", c.Number, w.webhook, w.describe(), b.String())
}

// appointments are how many an extended payload has.
func appointments(body any) int {
	order, _ := body.(map[string]any)
	list, _ := order["appointments"].([]any)
	return len(list)
}

// check prints the report, and fails unless everything wanted was found, nothing extra, every payload equal, and no more
// left out than the rules say.
func (r *report) check(t *testing.T) {
	t.Helper()
	t.Logf("\n%s", r.table())
	var total line
	byLoad := map[string]int{}
	for k, l := range r.lines {
		total.add(l)
		byLoad[k[1]] += l.compared
	}
	if total.wanted == 0 || total.found < total.wanted || total.equal < total.compared || total.extra > 0 {
		t.Errorf("%d of %d events, %d extra, %d of %d payloads equal", total.found, total.wanted, total.extra, total.equal, total.compared)
	}
	const few = 8 // which may be more than the share when there is little to compare
	for rule, n := range r.requests {
		if n > max(few, int(rule.most*float64(r.asked))) {
			t.Errorf("%q leaves out %d of %d requests", rule.name, n, r.asked)
		}
	}
	for rule, n := range r.payloads {
		if n > max(few, int(rule.most*float64(byLoad[rule.load]))) {
			t.Errorf("%q leaves out places of %d of %d %s payloads", rule.name, n, byLoad[rule.load], rule.load)
		}
	}
	r.complain(t)
}

// complain shows what is wrong.
func (r *report) complain(t *testing.T) {
	t.Helper()
	for i, n := range r.notes {
		if i == *shown {
			t.Errorf("and %d more; -differences shows them", len(r.notes)-i)
			break
		}
		t.Error(n)
	}
	places := slices.SortedFunc(maps.Keys(r.paths), func(a, b string) int {
		return cmp.Or(cmp.Compare(r.paths[b], r.paths[a]), cmp.Compare(a, b))
	})
	for _, p := range places {
		t.Logf("differs %4d times: %s", r.paths[p], p)
	}
}

func (r *report) table() string {
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "action\tload\twanted\tfound\textra\tcompared\tequal\tof these but for\t")
	row := func(action, load string, l *line) {
		fmt.Fprintf(w, "%s\t%s\t%d\t%d\t%d\t%d\t%d\t%d\t\n", action, load, l.wanted, l.found, l.extra, l.compared, l.equal, l.butFor)
	}
	var total line
	byLoad := map[string]*line{}
	for _, k := range slices.SortedFunc(maps.Keys(r.lines), func(a, b [2]string) int { return slices.Compare(a[:], b[:]) }) {
		action, load := k[0], k[1]
		row(action, load, r.lines[k])
		if byLoad[load] == nil {
			byLoad[load] = &line{}
		}
		byLoad[load].add(r.lines[k])
		total.add(r.lines[k])
	}
	for _, load := range slices.Sorted(maps.Keys(byLoad)) {
		row("all", load, byLoad[load])
	}
	row("all", "all", &total)
	_ = w.Flush() // to memory
	for _, rule := range eventRules {
		if n := r.requests[rule]; n > 0 {
			fmt.Fprintf(&b, "left out: %d requests, %s: %s\n", n, rule.name, rule.reason)
		}
	}
	for i := range placeRules {
		rule := &placeRules[i]
		if n := r.payloads[rule]; n > 0 {
			fmt.Fprintf(&b, "left out: %d places in %d %s payloads, %s: %s\n", r.places[rule], n, rule.load, rule.name, rule.reason)
		}
	}
	return b.String()
}
