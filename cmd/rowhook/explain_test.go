package main

import (
	"fmt"
	"strings"
	"testing"

	"rowhook/dbtest"
)

// TestExplainNoEvent: of a change that no rule can want explain says so, and why.
func TestExplainNoEvent(t *testing.T) {
	t.Parallel()
	server := dbtest.Start(t)
	site := dbtest.Salon(t, server, "wordpress", "wp_")
	rowhookUser(t, server)
	file := daemonFiles(t, server, "rules:\n  - {name: saved, action: appointment.save, url: 'https://example.com'}\n  - {name: gone, action: coupon.delete, url: 'https://example.com'}\n", "")
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	booking, err := site.Book(t.Context(), dbtest.Booking{Name: "Ann"})
	must(err)
	parent, _, err := site.BookSeveral(t.Context(), dbtest.Booking{Name: "Bob"}, dbtest.Booking{Name: "Bob", CheckIn: dbtest.At(4, 10)})
	must(err)
	coupon, err := site.Insert(t.Context(), "coupon", "code", "x")
	must(err)
	server.Exec(t, fmt.Sprintf("UPDATE wordpress.wp_vikappointments_reservation SET payment_attempt = 2, log = 'refused' WHERE id = %d", booking))
	explain := func(table string, key int64, more ...string) (string, error) {
		t.Helper()
		return rowhook(t, file, append([]string{"rules", "explain", "--table", table, "--key", fmt.Sprint(key), "--from", "start"}, more...)...)
	}
	for _, test := range []struct {
		table string
		key   int64
		want  []string
	}{
		{"appointment", booking, []string{"appointment.save, insert", "saved                 fires", "update of id_parent", "it belongs to an event that began with another transaction", "update of log, payment_attempt", "no event of its own: these columns alone are no save; a rule for rows of the table has it:  action: custom, table: vikappointments_reservation"}},
		{"wp_vikappointments_reservation", parent, []string{"no event of its own: it is the parent of an order of several appointments"}},
		{"vikappointments_coupon", coupon, []string{"insert  [" + fmt.Sprint(coupon) + "]", "no event of its own: no rule is for coupon.save"}},
	} {
		out, err := explain(test.table, test.key)
		for _, want := range test.want {
			if err != nil || !strings.Contains(out, want) {
				t.Errorf("explain %s %d: %v, want %q in\n%s", test.table, test.key, err, want, out)
			}
		}
	}
	if out, err := explain("coupon", coupon, "--json"); err != nil || !strings.Contains(out, `"no_event":"no rule is for coupon.save"`) {
		t.Errorf("explain --json: %v\n%s", err, out)
	}
	if _, err := explain("coupon", 999); err == nil || !strings.Contains(err.Error(), "no change of that row") {
		t.Errorf("of a row that nobody changed: %v", err)
	}
	if _, err := explain("posts", 5); err == nil || !strings.Contains(err.Error(), "no rule is for rows of a table posts") {
		t.Errorf("of a table that nobody reads: %v", err)
	}
	if _, err := rowhook(t, file, "rules", "explain", "--event", strings.Repeat("a", 32), "--from", "2h"); err == nil || !strings.Contains(err.Error(), "[event from]") {
		t.Errorf("--event with --from: %v", err)
	}
}
