package dbtest

import (
	"database/sql"
	"fmt"
	"strings"
	"testing"
	"time"
)

func containsAll(s string, parts ...string) bool {
	for _, p := range parts {
		if !strings.Contains(s, p) {
			return false
		}
	}
	return true
}

func TestSalonWritesAsThePlugin(t *testing.T) {
	t.Parallel()
	server := Start(t)
	site := Salon(t, server, "wordpress", "wp_")
	ctx := t.Context()
	db := server.DB(t, "wordpress")

	single, err := site.Book(ctx, Booking{Name: `Ann "Q" O'Neil\`, Options: []int64{1, 2}})
	if err != nil {
		t.Fatal(err)
	}
	parent, children, err := site.BookSeveral(ctx, Booking{}, Booking{Service: 2, Price: 79.5})
	if err != nil {
		t.Fatal(err)
	}
	for _, step := range []error{
		site.Confirm(ctx, single),
		site.Reschedule(ctx, single, time.Date(2027, 5, 4, 9, 30, 0, 0, time.UTC)),
		site.Cancel(ctx, children[0]),
	} {
		if step != nil {
			t.Fatal(step)
		}
	}
	want(t, db, "SELECT CONCAT_WS('|', id_parent = id, status, checkin_ts, purchaser_nominative) FROM wp_vikappointments_reservation WHERE id = ?", single,
		`1|C|2027-05-04 09:30:00|Ann "Q" O'Neil\`)
	want(t, db, "SELECT CONCAT_WS('|', id_parent, id_employee, total_cost) FROM wp_vikappointments_reservation WHERE id = ?", parent, "-1|0|117.50")
	want(t, db, "SELECT CONCAT_WS('|', id_parent, status) FROM wp_vikappointments_reservation WHERE id = ?", children[0], fmt.Sprintf("%d|X", parent))
	want(t, db, "SELECT GROUP_CONCAT(status ORDER BY id) FROM wp_vikappointments_order_status WHERE id_order = ?", single, "W,C")
	want(t, db, "SELECT COUNT(*) FROM wp_vikappointments_res_opt_assoc WHERE id_reservation = ?", single, "2")

	if err := site.DeleteBookings(ctx, single, parent, children[0], children[1]); err != nil {
		t.Fatal(err)
	}
	for _, table := range []string{"reservation", "res_opt_assoc", "order_status"} {
		want(t, db, "SELECT COUNT(*) FROM wp_vikappointments_"+table+" WHERE id > ?", 0, "0")
	}
}

func TestSalonPackagesAndOthers(t *testing.T) {
	t.Parallel()
	server := Start(t)
	site := Salon(t, server, "second-site", "x2_") // a name that needs quotes
	ctx := t.Context()
	db := server.DB(t, "second-site")

	order, err := site.OrderPackage(ctx, 1, "W", 1, 2)
	if err != nil {
		t.Fatal(err)
	}
	customer, err := site.Insert(ctx, "users", "billing_name", "New One", "fields", nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, step := range []error{
		site.SavePackageStatus(ctx, order, "P"),
		site.Update(ctx, "coupon", 1, "used_quantity", 1, "notes", "it's used"),
		site.Remove(ctx, "service", 2, 3),
	} {
		if step != nil {
			t.Fatal(step)
		}
	}
	want(t, db, "SELECT CONCAT_WS('|', status, total_cost) FROM x2_vikappointments_package_order WHERE id = ?", order, "P|304.00")
	want(t, db, "SELECT COUNT(*) FROM x2_vikappointments_package_order_item WHERE id_order = ?", order, "2")
	want(t, db, "SELECT GROUP_CONCAT(status, ' ', type ORDER BY id) FROM x2_vikappointments_order_status WHERE id_order = ?", order, "W package_order,P package_order")
	want(t, db, "SELECT billing_name FROM x2_vikappointments_users WHERE id = ?", customer, "New One")
	want(t, db, "SELECT notes FROM x2_vikappointments_coupon WHERE id = ?", 1, "it's used")
	want(t, db, "SELECT GROUP_CONCAT(id) FROM x2_vikappointments_service WHERE id > ?", 0, "1")

	if err := site.DeletePackageOrders(ctx, order); err != nil {
		t.Fatal(err)
	}
	want(t, db, "SELECT COUNT(*) FROM x2_vikappointments_package_order_item WHERE id > ?", 0, "0")
}

// want compares the one value that a query gives.
func want(t *testing.T, db *sql.DB, query string, arg any, value string) {
	t.Helper()
	var got string
	if err := db.QueryRowContext(t.Context(), query, arg).Scan(&got); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	if got != value {
		t.Errorf("%s, %v:\ngot  %s\nwant %s", query, arg, got, value)
	}
}

func TestStatementsWantPairs(t *testing.T) {
	t.Parallel()
	for _, pairs := range [][]any{nil, {"a"}, {1, 2}} {
		if _, _, err := split(pairs); err == nil {
			t.Errorf("split(%v) found nothing wrong", pairs)
		}
	}
}
