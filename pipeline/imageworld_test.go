package pipeline

import (
	"database/sql"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"rowhook/dbtest"
)

// imageWorld writes to a salon: the same for the same seed. An update always changes what it names, and nothing is
// deleted in the step that changed it, so that the rows that are loaded are those that were logged.
type imageWorld struct {
	t       *testing.T
	db      *sql.DB
	site    *dbtest.Site
	rng     *rand.Rand
	n       int                // makes values that were not there before
	large   int                // how large some texts are; 0: none is
	larges  int                // those that are
	rows    map[string][]int64 // by table
	status  map[int64]string   // of reservations
	touched map[string]bool    // in this step
}

func (w *imageWorld) exec(query string) {
	w.t.Helper()
	if _, err := w.db.ExecContext(w.t.Context(), query); err != nil {
		w.t.Fatalf("%s: %v", query, err)
	}
}

func (w *imageWorld) insert(table string, pairs ...any) int64 {
	w.t.Helper()
	id, err := w.site.Insert(w.t.Context(), table, pairs...)
	if err != nil {
		w.t.Fatal(err)
	}
	w.rows[table] = append(w.rows[table], id)
	w.touch(table, id)
	return id
}

func (w *imageWorld) update(table string, id int64, pairs ...any) {
	w.t.Helper()
	w.touch(table, id)
	if err := w.site.Update(w.t.Context(), table, id, pairs...); err != nil {
		w.t.Fatal(err)
	}
}

func (w *imageWorld) touch(table string, id int64) { w.touched[fmt.Sprint(table, id)] = true }

// some is a row of a table that the world made, 0 when there is none.
func (w *imageWorld) some(table string) int64 {
	if ids := w.rows[table]; len(ids) > 0 {
		return ids[w.rng.IntN(len(ids))]
	}
	return 0
}

// fresh is a text that was not there before.
func (w *imageWorld) fresh() string {
	w.n++
	text := fmt.Sprintf("é%d", w.n)
	if w.large > 0 && w.rng.IntN(2) == 0 {
		w.larges++
		text += strings.Repeat("größe ", w.large/8+w.rng.IntN(1000))
	}
	return text
}

// widen lets the texts of the tables that are written to be large, each with a charset or none.
func (w *imageWorld) widen() {
	w.t.Helper()
	if w.large == 0 {
		return
	}
	for table, columns := range map[string]string{
		"reservation": "`notes` LONGTEXT CHARACTER SET latin1, MODIFY `attendees` LONGTEXT, MODIFY `custom_f` MEDIUMTEXT, MODIFY `log` LONGBLOB",
		"employee":    "`nickname` LONGTEXT CHARACTER SET utf8mb4", "service": "`description` LONGTEXT", "coupon": "`notes` LONGTEXT",
	} {
		w.exec("ALTER TABLE `wp_vikappointments_" + table + "` MODIFY " + columns)
	}
}

// step is a few changes, in one transaction or in several.
func (w *imageWorld) step(transactions int) {
	w.t.Helper()
	if w.rows == nil {
		w.rows, w.status = map[string][]int64{}, map[int64]string{}
	}
	w.touched = map[string]bool{}
	for range transactions {
		w.exec("BEGIN")
		for range 1 + w.rng.IntN(4) {
			w.change()
		}
		w.exec("COMMIT")
	}
}

func (w *imageWorld) change() {
	w.t.Helper()
	switch w.rng.IntN(12) {
	case 0:
		w.book(-1)
	case 1:
		parent := w.insert("reservation", "total_cost", 7, "purchaser_mail", "a@example.test", "id_parent", -1)
		w.status[parent] = "W"
		w.book(parent)
	case 2, 3, 4:
		w.changeBooking()
	case 5:
		w.changeOption()
	case 6:
		w.statusRow()
	case 7, 8:
		w.changeOrder()
	case 9:
		w.changeOthers()
	case 10:
		w.remove()
	case 11:
		if id := w.some("users"); id > 0 && len(w.touched) == 0 {
			w.exec(fmt.Sprintf("UPDATE `wp_vikappointments_users` SET `id` = %d WHERE `id` = %d", id+1000, id))
			w.rows["users"] = slices.DeleteFunc(w.rows["users"], func(n int64) bool { return n == id })
		}
	}
}

func (w *imageWorld) book(parent int64) {
	w.t.Helper()
	pairs := []any{"id_employee", 1 + w.rng.IntN(3), "id_service", 1 + w.rng.IntN(3), "checkin_ts", "2027-01-02 10:00:00", "duration", 45, "notes", w.fresh(), "locked_until", w.rng.IntN(1000)}
	if w.rng.IntN(2) == 0 {
		pairs = append(pairs, "status", "C", "custom_f", `{"CUSTOMF_NAME":"`+w.fresh()+`"}`)
	}
	if parent > 0 {
		pairs = append(pairs, "id_parent", parent)
	}
	id := w.insert("reservation", pairs...)
	w.status[id] = "W"
	if slices.Contains(pairs, any("C")) {
		w.status[id] = "C"
	}
	if parent < 0 {
		w.update("reservation", id, "id_parent", id)
	}
}

func (w *imageWorld) changeBooking() {
	w.t.Helper()
	id := w.some("reservation")
	if id == 0 {
		return
	}
	switch w.rng.IntN(5) {
	case 0:
		w.update("reservation", id, "log", w.fresh())
	case 1:
		to := []string{"C", "W", "X"}[w.rng.IntN(3)]
		if to != w.status[id] {
			w.n++
			w.status[id] = to
			w.update("reservation", id, "status", to, "locked_until", 1000+w.n)
		}
	case 2:
		w.update("reservation", id, "notes", w.fresh(), "attendees", `[{"CUSTOMF_NAME":"`+w.fresh()+`"}]`)
	default:
		w.n++
		w.update("reservation", id, "purchaser_nominative", w.fresh(), "locked_until", 1000+w.n, "total_cost", w.n)
	}
}

func (w *imageWorld) changeOption() {
	w.t.Helper()
	order, option := w.some("reservation"), w.some("res_opt_assoc")
	switch {
	case order == 0:
	case option == 0 || w.rng.IntN(3) == 0:
		w.touch("reservation", order)
		w.insert("res_opt_assoc", "id_reservation", order, "id_option", 1, "inc_price", 5, "quantity", 1)
	default:
		w.n++
		w.update("res_opt_assoc", option, "quantity", w.n) // whose order no partial image tells
	}
}

func (w *imageWorld) statusRow() {
	w.t.Helper()
	if id := w.some("reservation"); id > 0 {
		w.touch("reservation", id)
		w.insert("order_status", "id_order", id, "status", w.status[id], "type", "reservation")
	}
}

func (w *imageWorld) changeOrder() {
	w.t.Helper()
	order, item := w.some("package_order"), w.some("package_order_item")
	switch k := w.rng.IntN(5); {
	case order == 0 || k == 0:
		w.insert("package_order", "id_user", 1, "total_cost", 9, "status", "W", "sid", "S", "createdon", "2027-01-01 00:00:00")
	case item == 0 || k == 1:
		w.touch("package_order", order)
		w.insert("package_order_item", "id_order", order, "id_package", 1, "price", 3, "num_app", 4)
	case k == 2:
		w.n++
		w.update("package_order_item", item, "used_app", w.n) // housekeeping
	case k == 3:
		w.n++
		w.update("package_order_item", item, "price", w.n)
	default:
		w.n++
		w.update("package_order", order, "total_cost", w.n)
	}
}

func (w *imageWorld) changeOthers() {
	w.t.Helper()
	table := []string{"users", "employee", "service", "coupon"}[w.rng.IntN(4)]
	name := map[string]string{"users": "billing_name", "employee": "nickname", "service": "description", "coupon": "notes"}[table]
	if id := w.some(table); id > 0 && w.rng.IntN(2) == 0 {
		w.update(table, id, name, w.fresh())
		return
	}
	w.insert(table, name, w.fresh())
}

// remove deletes an object that this step did not touch. Its parts go first, in the same transaction.
func (w *imageWorld) remove() {
	w.t.Helper()
	table := []string{"package_order", "users", "employee", "coupon"}[w.rng.IntN(4)]
	id := w.some(table)
	if id == 0 || len(w.touched) > 0 {
		return
	}
	w.rows[table] = slices.DeleteFunc(w.rows[table], func(n int64) bool { return n == id })
	if err := w.site.Remove(w.t.Context(), table, id); err != nil {
		w.t.Fatal(err)
	}
}
