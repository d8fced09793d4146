package events

import (
	"testing"
	"time"

	"rowhook/cdc"
)

// TestEmptiedTable truncates a table: what is open of its objects, and of no others, closes before what comes under the
// same ids.
func TestEmptiedTable(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{Coalesce: time.Minute, CoalesceMax: time.Hour, StatusWait: time.Second})
	w.tx(0, w.update("reservation", "id=2 status=W", "id=2 status=C"), w.insert("reservation", "id=1 status=W id_employee=3"))
	w.tx(0, w.insert("service", "id=1"))
	w.emptied("reservation")
	w.want("appointment.save [2] status=C", "appointment.status_change [2] C without a row", "appointment.save [1] insert status=W")
	w.tx(9, w.insert("reservation", "id=2 status=P id_employee=3"), w.insert("order_status", "id=1 id_order=2 status=C type=reservation"))
	w.emptied("reservation")
	w.want("appointment.save [2] insert status=P", "appointment.status_change [2] C") // which fired for another order 2
}

// emptied commits a statement that empties a table.
func (w *world) emptied(table string) {
	w.t.Helper()
	w.statement(1, &cdc.Commit{Emptied: []cdc.Emptied{{Table: w.site.Table(table), Statement: "TRUNCATE TABLE"}}})
}

// statement commits a statement.
func (w *world) statement(seconds float64, c *cdc.Commit) {
	w.t.Helper()
	c.Txn, c.Time, c.Statement = cdc.Txn{GTID: "0-2-1"}, w.at(seconds), true
	if err := w.engine.Commit(c, w.at(seconds)); err != nil {
		w.t.Fatal(err)
	}
	w.closed = append(w.closed, w.engine.Closed()...)
	w.again(seconds)
}
