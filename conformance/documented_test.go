package conformance

import (
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestDocumented replays the cases, and what was written by hand between them, under rules of every action and load mode.
// What must arrive is what the documentation promises (DESIGN 5), computed here from the log: every change, whoever made
// it, but no housekeeping.
func TestDocumented(t *testing.T) {
	t.Parallel()
	forEachRecord(t, testDocumented)
}

func testDocumented(t *testing.T, r *record) {
	p := newReplay(t, r)
	dir, config := p.configure(t, "documented")
	hooks := documentedHooks()
	writeFile(t, filepath.Join(dir, "rules.d", "all.yaml"), ruleFile(hooks, p.receiver.URL()))
	p.run(t, config, r.withByHand())

	out := newReport()
	changes := p.changes(t)
	now := database{}
	for n := -1; n < len(p.turns); n++ {
		m := &meaning{now: now, saves: map[string]*job{}, deletes: map[string]*job{}, pending: map[string][]string{}}
		for _, c := range changes[n] {
			m.read(c)
			now.apply(c)
		}
		m.finish()
		if n < 0 || p.turns[n].setup {
			continue
		}
		e := &expectation{}
		for _, j := range m.jobs {
			for id, h := range hooks {
				if h.fits(j, now) {
					e.wants = append(e.wants, want{webhook: id, hook: h, subject: j.subject})
				}
			}
		}
		out.match(&p.turns[n], e, hooks, changes[n])
	}
	out.check(t)
}

// documentedHooks are rules of every action, so many that they tell an insert from an update and one status from
// another, and with every load mode.
func documentedHooks() map[int]hook {
	var list []hook
	for _, table := range slices.Sorted(maps.Keys(entities)) {
		e := entities[table]
		list = append(list, hook{e.save, "insert", nil, "basic"}, hook{e.save, "update", nil, "basic"}, hook{e.save, "both", nil, "full"}, hook{Action: e.delete})
		if e.status == "" {
			continue
		}
		list = append(list, hook{e.save, "both", nil, "extended"}, hook{e.status, "", nil, "full"}, hook{e.status, "", nil, "extended"})
		for _, code := range []string{"C", "P", "W", "E", "X", "R", "N", "K"} { // K: a case renames C
			list = append(list, hook{e.status, "", []string{code}, "basic"})
		}
	}
	list = append(list, hook{"onAfterSaveReservation", "both", []string{"C", "P"}, "basic"})
	hooks := map[int]hook{}
	for i, h := range list {
		hooks[i+1] = h
	}
	return hooks
}

func ruleFile(hooks map[int]hook, url string) string {
	var b strings.Builder
	b.WriteString("rules:\n")
	for _, id := range slices.Sorted(maps.Keys(hooks)) {
		h := hooks[id]
		fmt.Fprintf(&b, "  - {name: rule-%d, action: %s, url: %q, id: %d", id, h.Action, url, id)
		for _, parameter := range []struct{ key, value string }{{"type", h.Type}, {"load", h.Load}, {"statuses", list(h.Statuses)}} {
			if parameter.value != "" {
				fmt.Fprintf(&b, ", %s: %s", parameter.key, parameter.value)
			}
		}
		b.WriteString("}\n")
	}
	return b.String()
}

func list(texts []string) string {
	if len(texts) == 0 {
		return ""
	}
	return "[" + strings.Join(texts, ", ") + "]"
}

// housekeeping are the columns whose change alone is no save.
var housekeeping = map[string][]string{
	"reservation": {
		"locked_until", "modifiedon", "cc_data", "skip_deposit", "conversion", "icaluid", "icalhash", "payment_attempt", "log",
	},
	"package_order":      {"cc_data", "payment_attempt", "log"},
	"service":            {"ordering"},
	"package_order_item": {"used_app", "modifiedon"},
}

// parts are the tables whose rows belong to an order: the order's table, and the column that names it.
var parts = map[string]struct{ table, column string }{
	"res_opt_assoc":      {"reservation", "id_reservation"},
	"package_order_item": {"package_order", "id_order"},
}

// meaning is what the changes of one case mean by the documentation. A case is one window.
type meaning struct {
	now     database // before the change that is read
	jobs    []*job
	saves   map[string]*job     // those that absorb, by table and id
	deletes map[string]*job     // by table and transaction
	pending map[string][]string // statuses of columns that no history row told yet, by table and id
}

func (m *meaning) read(c *change) {
	e, known := entities[c.table]
	part, isPart := parts[c.table]
	switch {
	case known && c.deleted():
		m.remove(c, e)
	case known && !c.inserted() && c.before["id"] != c.after["id"]: // the key was moved
		m.remove(&change{txn: c.txn, table: c.table, before: c.before}, e)
		m.save(&change{txn: c.txn, table: c.table, after: c.after}, e)
	case known:
		m.save(c, e)
	case isPart:
		row := c.after
		if row == nil {
			row = c.before
		}
		id := row.text(part.column)
		if order := m.now[part.table][id]; order != nil && (c.inserted() || c.deleted() || matters(c)) {
			m.saved(part.table, id, order)
		}
	case c.table == "order_status" && c.inserted():
		table, id, status := c.after.text("type"), c.after.text("id_order"), c.after.text("status")
		if i := slices.Index(m.pending[table+id], status); i >= 0 {
			m.pending[table+id] = slices.Delete(m.pending[table+id], i, i+1)
		}
		m.status(table, id, status)
	}
}

// save reads an inserted or updated object.
func (m *meaning) save(c *change, e entity) {
	k := c.table + c.id()
	if c.inserted() {
		parent := c.table == "reservation" && strings.HasPrefix(c.after.text("id_parent"), "-") && c.after.text("id_employee") == "0"
		if !parent {
			m.saved(c.table, c.id(), c.after).insert = true
		}
		return
	}
	if matters(c) {
		m.saved(c.table, c.id(), c.after)
	}
	if j := m.saves[k]; j != nil {
		j.status = c.after.text("status") // the row is reported as committed
	}
	if e.status != "" && c.before["status"] != c.after["status"] {
		m.pending[k] = append(m.pending[k], c.after.text("status"))
	}
}

// saved is the save of an object, now with this row.
func (m *meaning) saved(table, id string, r row) *job {
	j := m.saves[table+id]
	if j == nil {
		j = &job{action: entities[table].save, subject: id, named: true}
		m.saves[table+id] = j
		m.jobs = append(m.jobs, j)
	}
	j.status = r.text("status")
	return j
}

// remove reads a deleted object: what was open about it is over, and all that a transaction deletes is one event.
func (m *meaning) remove(c *change, e entity) {
	k := c.table + c.id()
	m.tell(k, c.table, c.id())
	delete(m.saves, k)
	txn := fmt.Sprint(c.table, c.txn)
	j := m.deletes[txn]
	if j == nil {
		j = &job{action: e.delete}
		m.deletes[txn] = j
		m.jobs = append(m.jobs, j)
	}
	j.subject = joinIDs(append(strings.FieldsFunc(j.subject, isComma), c.id()))
}

func (m *meaning) status(table, id, status string) {
	if action := entities[table].status; action != "" {
		m.jobs = append(m.jobs, &job{action: action, subject: id, named: true, status: status})
	}
}

// tell reports the statuses of an order's column that no history row told.
func (m *meaning) tell(k, table, id string) {
	for _, status := range m.pending[k] {
		m.status(table, id, status)
	}
	delete(m.pending, k)
}

// finish ends the window.
func (m *meaning) finish() {
	for _, table := range []string{"reservation", "package_order"} {
		for _, k := range slices.Sorted(maps.Keys(m.pending)) {
			if id, ok := strings.CutPrefix(k, table); ok {
				m.tell(k, table, id)
			}
		}
	}
}

// matters says whether an update changed more than housekeeping.
func matters(c *change) bool {
	for column, v := range c.after {
		switch {
		case v == c.before[column] || slices.Contains(housekeeping[c.table], column):
		case c.table == "reservation" && column == "id_parent" && v == c.after["id"]:
		default:
			return true
		}
	}
	return false
}
