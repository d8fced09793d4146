package conformance

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// want is a webhook that must arrive.
type want struct {
	webhook int
	hook    hook
	subject string // hook.subject of its payload
	body    any    // its payload; nil: not known
	secure  string
	// exception: the plugin cannot load the object and sends its own exception instead, whatever the statuses are.
	exception bool
}

// key is what an event is compared by before its payload is.
func (w want) key() string { return key(w.webhook, w.subject) }

func key(webhook int, subject string) string { return fmt.Sprintf("%d of %s", webhook, subject) }

// database is the site's rows as the log told them.
type database map[string]map[string]row // by table and id

func (d database) apply(c *change) {
	if d[c.table] == nil {
		d[c.table] = map[string]row{}
	}
	if c.before != nil {
		delete(d[c.table], c.before.text("id"))
	}
	if c.after != nil {
		d[c.table][c.after.text("id")] = c.after
	}
}

// job is what the plugin would send for one event, to every webhook that fits.
type job struct {
	action  string
	subject string
	insert  bool
	named   bool   // the save names a status
	status  string // that status; of a status change the new one
}

// The forms of the plugin's statements (FINDINGS 8). Statements typed by hand have neither.
var (
	modelSave   = regexp.MustCompile("^(?:INSERT INTO|UPDATE) `" + prefix + "([a-z_]+)` (?:SET `|\\(`)")
	modelDelete = regexp.MustCompile("^DELETE \nFROM `" + prefix + "([a-z_]+)`\nWHERE `id` IN \\(")
)

// pluginJobs are the jobs of one case by the rules of FINDINGS 4 to 8: what the plugin would have sent of what is
// visible in the log.
func pluginJobs(changes []*change) []*job {
	var jobs []*job
	saves := map[string]*job{}
	deletes := map[string]*job{}
	for _, c := range changes {
		e, known := entities[c.table]
		switch {
		case known && c.deleted():
			if m := modelDelete.FindStringSubmatch(c.statement); m == nil || m[1] != c.table {
				continue
			}
			k := fmt.Sprint(c.table, c.txn)
			if deletes[k] == nil {
				deletes[k] = &job{action: e.delete}
				jobs = append(jobs, deletes[k])
			}
			deletes[k].subject = joinIDs(append(strings.FieldsFunc(deletes[k].subject, isComma), c.id()))
		case known && isModelSave(c):
			k := c.table + c.id()
			if saves[k] == nil {
				saves[k] = &job{action: e.save, subject: c.id(), insert: c.inserted()}
				jobs = append(jobs, saves[k])
			}
			if strings.Contains(c.statement, "`status`") {
				saves[k].named, saves[k].status = true, c.after.text("status")
			}
		case c.table == "order_status" && c.inserted():
			if action := entities[c.after.text("type")].status; action != "" {
				jobs = append(jobs, &job{action: action, subject: c.after.text("id_order"), named: true, status: c.after.text("status")})
			}
		}
	}
	return jobs
}

func isComma(r rune) bool { return r == ',' }

// isModelSave says whether a change of an entity's row is one of its model's saves.
func isModelSave(c *change) bool {
	m := modelSave.FindStringSubmatch(c.statement)
	if m == nil || m[1] != c.table {
		return false
	}
	if c.table != "reservation" {
		return true
	}
	parent := c.inserted() && strings.HasPrefix(c.after.text("id_parent"), "-") && strings.Contains(c.statement, "`id_parent`")
	return !parent && strings.Contains(c.statement, "`locked_until`")
}

// fits says whether a webhook wants the job; now is the database at the end of the case.
func (h hook) fits(j *job, now database) bool {
	switch {
	case h.Action != j.action:
		return false
	case strings.HasPrefix(j.action, savePrefix) && (h.Type == "insert" && !j.insert || h.Type == "update" && j.insert):
		return false
	case len(h.Statuses) == 0:
		return true
	case h.Load == "basic" || h.isStatus():
		return j.named && slices.Contains(h.Statuses, j.status)
	}
	return slices.Contains(h.Statuses, now["reservation"][j.subject].text("status"))
}

// pluginEvents are the webhooks that the plugin would have sent for one case, payloads not known.
func pluginEvents(changes []*change, hooks map[int]hook, now database) []want {
	var events []want
	for _, j := range pluginJobs(changes) {
		for id, h := range hooks {
			closure := j.action == entities["reservation"].save && now["reservation"][j.subject].text("closure") == "1"
			w := want{webhook: id, hook: h, subject: j.subject, exception: closure && h.Load == "extended"}
			if w.exception {
				h.Statuses = nil
			}
			if h.fits(j, now) {
				events = append(events, w)
			}
		}
	}
	return events
}

// table is the table whose row events show the hook's events.
func (h hook) table() (table, column string) {
	for name, e := range entities {
		switch h.Action {
		case e.save, e.delete:
			return name, "id"
		case e.status:
			return "order_status", "id_order"
		}
	}
	return "", ""
}

// visible says whether the log has a row event for an event of the hook: in its table, of its subject.
func visible(h hook, subject string, changes []*change) bool {
	table, column := h.table()
	return slices.ContainsFunc(changes, func(c *change) bool {
		return c.table == table && !c.deleted() && c.after.text(column) == subject
	})
}

// keysOf counts events by key.
func keysOf(wants []want) map[string]int {
	count := map[string]int{}
	for _, w := range wants {
		count[w.key()]++
	}
	return count
}
