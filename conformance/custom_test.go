package conformance

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"testing"
	"text/tabwriter"

	"rowhook/rules"
)

// The plugin's other hooks, those that leave a row, are compared by themselves: the plugin sends one request a call, and
// rowhook one for what a page request did to an object. What only PHP knows is left out: its options, its models, and the
// object of a table's class, which repeats the row.

// customLine counts what one hook sent. Of objects that were saved once in a case the payloads are compared.
type customLine struct {
	requests, unseen     int // of the plugin; of these without a row event
	wanted, found, extra int // objects of a case
	compared, equal      int
}

// customReport is the outcome of a replay for the hooks that are not documented.
type customReport struct {
	lines map[string]*customLine
	left  map[string]int // places left out
	notes []string

	added    int            // requests of webhooks that the cases themselves added
	rowless  map[string]int // requests of hooks that leave no row, by hook
	repeated int            // objects of a case that the plugin told of more than once
}

func newCustomReport() *customReport {
	return &customReport{lines: map[string]*customLine{}, left: map[string]int{}, rowless: map[string]int{}}
}

func (r *customReport) line(action string) *customLine {
	if r.lines[action] == nil {
		r.lines[action] = &customLine{}
	}
	return r.lines[action]
}

// rowHook is the table of a hook that leaves a row and is not documented; empty of others.
func rowHook(h hook) string {
	if h.documented() {
		return ""
	}
	a, err := rules.ParseAction(h.Action)
	if err != nil || a.Entity.Relay {
		return ""
	}
	return strings.TrimPrefix(a.Entity.Table, "vikappointments_")
}

// takeCustom takes out of a turn what its hooks sent that are not documented.
func (tn *turn) takeCustom(hooks map[int]hook) (custom []delivery) {
	tn.got = slices.DeleteFunc(tn.got, func(d delivery) bool {
		if hooks[d.webhook].documented() {
			return false
		}
		custom = append(custom, d)
		return true
	})
	return custom
}

// customSubject is the id that a hook's first argument is, or has.
func customSubject(body any) string {
	args, _ := body.(map[string]any)
	if row, ok := args["arg0"].(map[string]any); ok {
		return fmt.Sprint(row["id"])
	}
	return fmt.Sprint(args["arg0"])
}

// match holds what arrived for a case against what the plugin sent.
func (r *customReport) match(t *testing.T, c *testCase, hooks map[int]hook, changes []*change, got []delivery) {
	t.Helper()
	if c.Requests == nil {
		return
	}
	wanted, arrived := map[string][]request{}, map[string][]delivery{}
	for _, d := range got {
		k := key(d.webhook, customSubject(d.body))
		arrived[k] = append(arrived[k], d)
	}
	unseen := map[string]bool{}
	for _, q := range c.Requests {
		h, imported := hooks[q.Webhook]
		table := rowHook(h)
		switch {
		case q.Documented:
			continue
		case !imported:
			r.added++
			continue
		case table == "":
			r.rowless[q.Action]++
			continue
		}
		body, err := parse(q.Body)
		if err != nil {
			t.Fatalf("case %s: %v", c.Number, err)
		}
		subject := customSubject(body)
		l := r.line(q.Action)
		l.requests++
		k := key(q.Webhook, subject)
		if !slices.ContainsFunc(changes, func(c *change) bool { return c.table == table && c.id() == subject }) {
			l.unseen++
			unseen[k] = true
			continue
		}
		wanted[k] = append(wanted[k], q)
	}
	for _, k := range slices.Sorted(maps.Keys(wanted)) {
		requests, deliveries := wanted[k], arrived[k]
		delete(arrived, k)
		l := r.line(requests[0].Action)
		l.wanted++
		if len(deliveries) == 0 {
			r.notes = append(r.notes, fmt.Sprintf("case %s: missing: webhook %s %s, %.300s", c.Number, k, requests[0].Action, requests[0].Body))
			continue
		}
		l.found++
		if len(requests) == 1 && len(deliveries) == 1 && !unseen[k] {
			r.payload(t, c, requests[0], deliveries[0])
		} else {
			r.repeated++
		}
	}
	for _, k := range slices.Sorted(maps.Keys(arrived)) {
		for _, d := range arrived[k] {
			r.line(d.action).extra++
			r.notes = append(r.notes, fmt.Sprintf("case %s: extra: webhook %s %s %.300s", c.Number, k, d.action, d.text))
		}
	}
}

// payload compares the arguments that rows tell.
func (r *customReport) payload(t *testing.T, c *testCase, q request, d delivery) {
	t.Helper()
	body, _ := parse(q.Body) // it was read before
	want, _ := body.(map[string]any)
	got, _ := d.body.(map[string]any)
	l := r.line(q.Action)
	l.compared++
	if q.Action == lateHook { // the plugin shows what its form sent, of which rows have a part
		want, got = common(want, got), common(got, want)
	}
	differences := compare("arg0", want["arg0"], got["arg0"], true)
	if len(want) > 2 {
		differences = append(differences, compare("arg1", want["arg1"], got["arg1"], true)...)
	}
	if len(want) != len(got) {
		differences = append(differences, difference{"", fmt.Sprint(len(want)), fmt.Sprint(len(got))})
	}
	differences = slices.DeleteFunc(differences, func(d difference) bool {
		for i := range argumentRules {
			if argumentRules[i].covers(d, q) {
				r.left[argumentRules[i].name]++
				return true
			}
		}
		return false
	})
	if len(differences) == 0 {
		l.equal++
		return
	}
	text := fmt.Sprintf("case %s: different: webhook %d %s", c.Number, q.Webhook, q.Action)
	for _, diff := range differences {
		text += "\n      " + diff.String()
	}
	r.notes = append(r.notes, text)
}

// argumentRules leave out places of arguments, each with its reason.
var argumentRules = []struct {
	name, reason string
	covers       func(d difference, q request) bool
}{
	{"float", "the plugin shows the number as PHP computed it; the statement has it with 14 digits",
		func(d difference, _ request) bool { return samePHPText(d.want, d.got) }},
	{"date", "the plugin shows the date as its form had it; the column keeps the day, or the null date",
		func(d difference, _ request) bool {
			want, got := strings.Trim(d.want, `"`), strings.Trim(d.got, `"`)
			return want == "" && strings.HasPrefix(got, "0000-00-00") || len(got) == len("2006-01-02") && strings.HasPrefix(want, got+" ") ||
				len(want) == len("2006-01-02") && strings.HasPrefix(got, want+" 00:00:00")
		}},
	{"form", "the plugin shows what the form sent: lists and objects before they became texts, and what the customer's row fills in",
		func(d difference, q request) bool {
			return q.Action == lateHook && (strings.HasPrefix(d.want, "[") || strings.HasPrefix(d.want, "{") || d.want == `""`)
		}},
}

// lateHook tells of an appointment with all that belongs to it.
const lateHook = "onAfterSaveReservationLate"

// common are the arguments with those columns of the first that another has, too.
func common(args, other map[string]any) map[string]any {
	row, _ := args["arg0"].(map[string]any)
	of, _ := other["arg0"].(map[string]any)
	args, row = maps.Clone(args), maps.Clone(row)
	maps.DeleteFunc(row, func(column string, _ any) bool { _, ok := of[column]; return !ok })
	args["arg0"] = row
	return args
}

// familyOf is what hooks of all tables have in common; a hook that is of none is a family of its own.
func familyOf(action string) string {
	a, err := rules.ParseAction(action)
	if class := a.Entity; err == nil && !class.IsSingle() {
		return strings.TrimSuffix(action, class.Hook) + "<Table>"
	}
	return action
}

func (l *customLine) add(o *customLine) {
	l.requests, l.unseen = l.requests+o.requests, l.unseen+o.unseen
	l.wanted, l.found, l.extra = l.wanted+o.wanted, l.found+o.found, l.extra+o.extra
	l.compared, l.equal = l.compared+o.compared, l.equal+o.equal
}

func (l *customLine) write(w io.Writer, what, source string) {
	fmt.Fprintf(w, "%s\t%s\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t\n", what, source, l.requests, l.unseen, l.wanted, l.found, l.extra, l.compared, l.equal)
}

// check prints the report.
func (r *customReport) check(t *testing.T) {
	t.Helper()
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "hook\tsource\trequests\tno row event\twanted\tfound\textra\tcompared\tequal\t")
	families := map[string]*customLine{}
	for _, action := range slices.SortedFunc(maps.Keys(r.lines), cmp.Compare) {
		r.lines[action].write(w, action, rowHook(hook{Action: action}))
		of := familyOf(action)
		if families[of] == nil {
			families[of] = &customLine{}
		}
		families[of].add(r.lines[action])
	}
	for _, of := range slices.SortedFunc(maps.Keys(families), cmp.Compare) {
		families[of].write(w, of, "all")
	}
	_ = w.Flush()
	for i := range argumentRules {
		fmt.Fprintf(&b, "left out: %d places, %s: %s\n", r.left[argumentRules[i].name], argumentRules[i].name, argumentRules[i].reason)
	}
	fmt.Fprintf(&b, "left out: the payloads of %d objects that a case tells of more than once: the plugin posts each as the page had it by then, and rowhook what became of it\n", r.repeated)
	rowless := 0
	for _, n := range r.rowless {
		rowless += n
	}
	fmt.Fprintf(&b, "left out: %d requests of hooks that leave no row, which the relay is for: %s\n", rowless, strings.Join(slices.Sorted(maps.Keys(r.rowless)), ", "))
	fmt.Fprintf(&b, "left out: %d requests, webhook of a case: %s\n", r.added, addedWebhook.reason)
	fmt.Fprintln(&b, "left out: the argument that names the table's class, and the plugin's options: no row tells them")
	t.Logf("\n%s", b.String())
	for i, n := range r.notes {
		if i == *shown {
			t.Errorf("and %d more; -differences shows them", len(r.notes)-i)
			break
		}
		t.Error(n)
	}
}
