package loader

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"rowhook/connect"
	"rowhook/dbtest"
	"rowhook/rules"
)

// What a plugin of another version lacks, and which charset a table has, is no error: an order is shown without it.
func TestOtherTablesThanTheNewest(t *testing.T) { onServers(t, testOtherTablesThanTheNewest) }

func testOtherTablesThanTheNewest(t *testing.T, server *dbtest.Server) {
	t.Helper()
	salon := dbtest.Salon(t, server, "wordpress", "wp_")
	db := server.DB(t, "wordpress")
	id, err := salon.Book(t.Context(), dbtest.Booking{})
	if err != nil {
		t.Fatal(err)
	}
	server.Exec(t, "ALTER TABLE wordpress.wp_vikappointments_reservation CONVERT TO CHARACTER SET utf8mb4")
	server.Exec(t, fmt.Sprintf("UPDATE wordpress.wp_vikappointments_reservation SET purchaser_mail = _utf8mb4 X'%x'", "zoë😀@example.test"))
	rows, err := db.QueryContext(t.Context(), "SELECT SUBSTRING(TABLE_NAME, 20) FROM information_schema.TABLES WHERE TABLE_SCHEMA = 'wordpress' AND TABLE_NAME LIKE 'wp\\_vik%'")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var statements []string
	for rows.Next() {
		var table string
		if err := rows.Scan(&table); err != nil {
			t.Fatal(err)
		}
		if table != "reservation" && optional(table) {
			statements = append(statements, "DROP TABLE wp_vikappointments_"+table)
		}
	}
	if err := rows.Err(); err != nil || len(statements) < 20 {
		t.Fatal(statements, err)
	}
	statements = append([]string{
		"ALTER TABLE wp_vikappointments_users CONVERT TO CHARACTER SET latin1",
		"ALTER TABLE wp_vikappointments_users CONVERT TO CHARACTER SET utf8mb3 COLLATE utf8mb3_bin",
		"ALTER TABLE wp_vikappointments_users CONVERT TO CHARACTER SET ucs2",
		"ALTER TABLE wp_vikappointments_users CONVERT TO CHARACTER SET utf8mb4 COLLATE utf8mb4_danish_ci",
		"ALTER TABLE wp_vikappointments_reservation CONVERT TO CHARACTER SET utf8mb4 COLLATE utf8mb4_bin",
		"ALTER TABLE wp_vikappointments_users MODIFY billing_mail VARBINARY(255)",
		"ALTER TABLE wp_vikappointments_order_status CONVERT TO CHARACTER SET latin1 COLLATE latin1_german2_ci",
		"ALTER TABLE wp_vikappointments_custfields DROP `group`, DROP `ordering`",
		"ALTER TABLE wp_vikappointments_invoice DROP `group`", "ALTER TABLE wp_vikappointments_user_notes DROP `group`, DROP id_parent",
		"ALTER TABLE wp_vikappointments_emp_worktime DROP tsdate, DROP id_location, DROP closed",
		"ALTER TABLE wp_vikappointments_employee_location DROP id_city",
		"ALTER TABLE wp_vikappointments_status_code DROP paid",
	}, statements...)
	statements = append(statements, "DROP TABLE wp_users")
	site := &rules.Site{Name: "salon", Schema: "wordpress", Prefix: "wp_"}
	pool := connect.New(connect.Config{Network: "unix", Address: server.Socket(), User: "root"}).Pool() // of utf8mb4, as the daemon's
	defer pool.Close()
	for _, s := range statements {
		server.Exec(t, "USE wordpress; "+s)
		l := New(pool, behind{server}, Options{}, slog.New(slog.DiscardHandler))
		payloads, err := l.Load(t.Context(), []*rules.Event{statusOf(t, site, id)})
		if err != nil {
			t.Errorf("%s: %v", s, err)
			continue
		}
		var body map[string]any
		if err := json.Unmarshal(payloads[0][0].Body, &body); err != nil || payloads[0][0].Object != "" || !strings.Contains(string(payloads[0][0].Body), "zoë😀") {
			t.Errorf("%s: %v, marked %q: %s", s, err, payloads[0][0].Object, payloads[0][0].Body)
		}
	}
}

// One connection is enough, for a load and for what asks beside it.
func TestOneConnectionIsEnough(t *testing.T) {
	t.Parallel()
	server := dbtest.Start(t)
	salon := dbtest.Salon(t, server, "wordpress", "wp_")
	id, err := salon.Book(t.Context(), dbtest.Booking{Options: []int64{1}})
	if err != nil {
		t.Fatal(err)
	}
	db := server.DB(t, "")
	db.SetMaxOpenConns(1)
	l := New(db, mariaDB{}, Options{}, slog.New(slog.DiscardHandler))
	site := &rules.Site{Name: "salon", Schema: "wordpress", Prefix: "wp_"}
	ev := &rules.Event{Site: site, Action: entity(t, "appointment.status_change"), IDs: []rules.Key{rules.NumberKey(id)}, Last: end(t, server),
		Rules: []*rules.Rule{{Name: "r", Load: rules.Extended}}}
	if payloads, err := l.Load(t.Context(), []*rules.Event{ev}); err != nil || payloads[0][0].Object != "" {
		t.Fatal(payloads, err)
	}
	if err := l.CheckSite(t.Context(), site); err != nil {
		t.Error(err)
	}
	server.Exec(t, "RENAME TABLE wordpress.wp_vikappointments_config TO wordpress.away")
	missing := New(db, mariaDB{}, Options{}, slog.New(slog.DiscardHandler)).CheckSite(t.Context(), site)
	if TroubleOf(missing) != Held || !strings.Contains(Fix(missing), "`wp_vikappointments_config`") {
		t.Errorf("without a table the check says %v, %q", missing, Fix(missing))
	}
	if n, all, err := l.CountExisting(t.Context(), Existing{Site: site, Entity: ev.Action.Entity, Where: []Equal{{"purchaser_nominative", "Zoë 😀"}}}); err != nil || n != 0 {
		t.Fatal(n, all, err)
	}
}
