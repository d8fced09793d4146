//go:build crash

package crash

import (
	"fmt"
	"strconv"
	"strings"
)

// What the writers write. The columns are chosen so that every save changes the number, and some others with it.

// number is the next change's; text is it as the column holds it.
func (t *transaction) number() (n int64, text string) {
	n = t.w.numbers.Add(1)
	padding := t.w.padding
	if t.w.large > 0 && t.w.random.IntN(t.w.large) == 0 {
		padding = largePadding
	}
	return n, "'" + strconv.FormatInt(n, 10) + "|" + strings.Repeat("x", padding) + "'"
}

// largePadding makes a row one that is read in pieces and kept in scratch files, yet wholly: beyond a megabyte the values of
// an event are left to the table, which shows them as they are later.
const largePadding = 900 << 10

// columns are what a save of an object writes besides its number.
func (t *transaction) columns(entity string) (names, values []string) {
	cents := t.w.random.IntN(100_000)
	price := fmt.Sprintf("'%d.%02d'", cents/100, cents%100)
	switch entity {
	case "customer":
		return []string{"billing_name", "billing_mail", "credit"}, []string{fmt.Sprintf("'Greta %d'", cents), "'a@example.test'", price}
	case "service":
		return []string{"name", "alias", "duration", "price"}, []string{fmt.Sprintf("'Cut %d'", cents), "'cut'", strconv.Itoa(30 + cents%60), price}
	}
	return []string{"purchaser_nominative", "duration", "total_cost", "locked_until"},
		[]string{fmt.Sprintf("'Zoë “%d”'", cents), strconv.Itoa(30 + cents%60), price, strconv.Itoa(1_800_000_000 + cents)}
}

// put saves objects, each in a statement of its own: an insert, or an update.
func (t *transaction) put(objects []*object) {
	for _, o := range objects {
		e := t.effects[o]
		if e.exists {
			t.update(o)
			continue
		}
		t.insert(o, "INSERT", 0)
		if o.entity == "appointment" && t.w.random.IntN(2) == 0 { // as the plugin does: housekeeping
			t.exec("UPDATE %s SET id_parent = id WHERE id = %d", t.table(o), o.id)
		}
	}
}

func (t *transaction) table(o *object) string { return t.site.table(tables[o.entity]) }

// insert adds a row; parent is the order that it is a part of, -1 for that order itself, 0 for neither.
func (t *transaction) insert(o *object, verb string, parent int64) {
	n, text := t.number()
	names, values := t.columns(o.entity)
	names, values = append(names, "id", stamps[o.entity]), append(values, strconv.FormatInt(o.id, 10), text)
	if o.entity == "appointment" {
		employee := "1"
		if parent < 0 {
			employee = "0"
		}
		names, values = append(names, "id_employee", "status"), append(values, employee, "'"+t.effects[o].letter+"'")
	}
	if parent != 0 {
		names, values = append(names, "id_parent"), append(values, strconv.FormatInt(parent, 10))
	}
	t.exec("%s INTO %s (%s) VALUES (%s)", verb, t.table(o), strings.Join(names, ", "), strings.Join(values, ", "))
	e := t.effects[o]
	e.exists, e.saved = true, n
}

func (t *transaction) update(o *object) {
	n, text := t.number()
	names, values := t.columns(o.entity)
	sets := make([]string, len(names))
	for i := range names {
		sets[i] = names[i] + " = " + values[i]
	}
	t.exec("UPDATE %s SET %s, %s = %s WHERE id = %d", t.table(o), strings.Join(sets, ", "), stamps[o.entity], text, o.id)
	t.effects[o].saved = n
}

// replace is a delete and an insert, or an update, to the server; to us it is one save.
func (t *transaction) replace(objects []*object) {
	for _, o := range objects {
		t.insert(o, "REPLACE", 0)
	}
}

// remove deletes those that are there with one statement; there must be one.
func (t *transaction) remove(objects []*object) {
	var ids []string
	for _, o := range objects {
		if e := t.effects[o]; e.exists {
			e.exists = false
			ids = append(ids, strconv.FormatInt(o.id, 10))
		}
	}
	if len(ids) == 0 {
		t.put(objects)
		return
	}
	t.exec("DELETE FROM %s WHERE id IN (%s)", t.table(objects[0]), strings.Join(ids, ","))
}

// churn does several things to one row in one transaction, which are one event or none.
func (t *transaction) churn(o *object) {
	e := t.effects[o]
	for range 2 + t.w.random.IntN(3) {
		switch {
		case !e.exists:
			t.insert(o, "INSERT", 0)
		case t.w.random.IntN(3) == 0:
			t.exec("DELETE FROM %s WHERE id = %d", t.table(o), o.id)
			e.exists = false
		default:
			t.update(o)
		}
	}
}

// partly takes a part of it back.
func (t *transaction) partly(objects []*object) {
	t.put(objects)
	kept := map[*object]effect{}
	for o, e := range t.effects {
		kept[o] = *e
	}
	t.exec("SAVEPOINT here")
	t.put(objects)
	t.exec("ROLLBACK TO SAVEPOINT here")
	for o, e := range kept {
		*t.effects[o] = e
	}
}

// confirm changes the status of an appointment, with its history; or adds to its history only.
func (t *transaction) confirm(o *object) {
	e := t.effects[o]
	if !e.exists {
		t.put([]*object{o})
		return
	}
	if t.w.random.IntN(2) == 0 {
		e.letter = string("CWXP"[t.w.random.IntN(4)])
		t.update(o)
		t.exec("UPDATE %s SET status = '%s' WHERE id = %d", t.table(o), e.letter, o.id)
	}
	t.history(o)
}

func (t *transaction) history(o *object) {
	n, text := t.number()
	t.exec("INSERT INTO %s (id_order, status, comment, client, ip, type) VALUES (%d, '%s', %s, 1, '', 'reservation')",
		t.site.table("order_status"), o.id, t.effects[o].letter, text[:min(len(text)-1, 500)]+"'")
	t.effects[o].statuses = append(t.effects[o].statuses, n)
}

// keepHouse changes what is no save.
func (t *transaction) keepHouse(o *object) {
	if t.effects[o].exists {
		t.exec("UPDATE %s SET locked_until = %d, log = 'seen' WHERE id = %d", t.table(o), t.w.random.Int32(), o.id)
	}
}

// multiOrder makes an order of several appointments, changes one of them, or deletes them all.
func (t *transaction) multiOrder(order []*object) {
	parent := order[0]
	switch {
	case !t.effects[parent].exists:
		t.insert(parent, "INSERT", -1)
		t.history(parent)
		for _, child := range order[1:] {
			t.insert(child, "INSERT", parent.id)
			t.history(child)
		}
	case t.w.random.IntN(8) == 0:
		t.remove(order)
	default:
		t.update(order[t.w.random.IntN(len(order))])
	}
}
