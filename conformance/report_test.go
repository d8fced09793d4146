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

// line counts the events of one action and load mode.
type line struct{ wanted, found, extra, compared, equal, excused int }

func (l *line) add(o *line) {
	l.wanted, l.found, l.extra = l.wanted+o.wanted, l.found+o.found, l.extra+o.extra
	l.compared, l.equal, l.excused = l.compared+o.compared, l.equal+o.equal, l.excused+o.excused
}

// report is the outcome of a replay.
type report struct {
	lines   map[[2]string]*line // by action and load
	left    map[string]int      // what was left out, by rule
	notes   []string            // what is wrong, case by case
	paths   map[string]int      // how often payloads differ at a place
	excused []string            // payloads that differ and cannot be equal
}

func newReport() *report {
	return &report{lines: map[[2]string]*line{}, left: map[string]int{}, paths: map[string]int{}}
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

// match holds what arrived against an expectation, events of one key in their order.
func (r *report) match(number string, e *expectation, hooks map[int]hook, got []delivery) {
	for rule, n := range e.left {
		r.left[rule.name+": "+rule.reason] += n
	}
	arrived := map[string][]delivery{}
	for _, d := range got {
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
			r.payload(number, w, d)
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
func (r *report) payload(number string, w want, d delivery) {
	l := r.line(w.hook)
	l.compared++
	if w.secure != d.secure {
		r.note("case %s: webhook %d %s: X-VAP-WEBHOOK-SECURE is %q, want %q", number, w.webhook, w.describe(), d.secure, w.secure)
	}
	removed := map[string]bool{}
	for _, rule := range fieldRules {
		if !rule.applies(number, w.hook) {
			continue
		}
		for _, body := range []any{d.body, w.body} {
			if object, ok := body.(map[string]any); ok && rule.remove(object) {
				removed[rule.name+": "+rule.reason] = true
			}
		}
	}
	for rule := range removed {
		r.left[rule]++
	}
	all := compare("", w.body, d.body, w.hook.Load == "basic")
	if len(all) == 0 {
		l.equal++
		return
	}
	if reason := excuse(number, w.hook, all); reason != "" {
		l.excused++
		r.excused = append(r.excused, fmt.Sprintf("case %s, webhook %d %s: %s", number, w.webhook, w.describe(), reason))
		return
	}
	var b strings.Builder
	for _, d := range all {
		r.paths[fmt.Sprintf("%s %s: %s", w.hook.Action, w.hook.Load, indexes.ReplaceAllString(d.path, "[]"))]++
		fmt.Fprintf(&b, "\n      %s", d)
	}
	r.note("case %s: different: webhook %d %s%s", number, w.webhook, w.describe(), b.String())
}

// check prints the report, and fails unless everything wanted was found, nothing extra, and every payload equal.
func (r *report) check(t *testing.T) {
	t.Helper()
	t.Logf("\n%s", r.table())
	const goal = 1.0 // of the events wanted, and of the payloads compared
	var total line
	for _, l := range r.lines {
		total.add(l)
	}
	if total.wanted == 0 || float64(total.found) < goal*float64(total.wanted) || float64(total.equal) < goal*float64(total.compared-total.excused) || total.extra > 0 {
		t.Errorf("%d of %d events, %d extra, %d of %d payloads equal", total.found, total.wanted, total.extra, total.equal, total.compared)
	}
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
	fmt.Fprintln(w, "action\tload\twanted\tfound\textra\tcompared\tequal\t")
	row := func(action, load string, l *line) {
		fmt.Fprintf(w, "%s\t%s\t%d\t%d\t%d\t%d\t%d\t\n", action, load, l.wanted, l.found, l.extra, l.compared, l.equal)
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
	for _, rule := range slices.Sorted(maps.Keys(r.left)) {
		fmt.Fprintf(&b, "left out %4d times: %s\n", r.left[rule], rule)
	}
	for _, text := range r.excused {
		fmt.Fprintf(&b, "not equal: %s\n", text)
	}
	return b.String()
}
