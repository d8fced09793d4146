package loader

import (
	"log/slog"
	"testing"
	"time"

	"rowhook/cdc"
	"rowhook/dbtest"
	"rowhook/rules"
)

// manyBookings fills a salon with appointments: each with an option, two statuses and a customer of its own.
const manyBookings = `
INSERT INTO wordpress.wp_vikappointments_users (billing_name, billing_mail) SELECT 'Somebody', CONCAT('c', seq, '@example.test') FROM wordpress.seq_1_to_10000;
INSERT INTO wordpress.wp_vikappointments_reservation (id, id_parent, id_payment, id_employee, id_service, checkin_ts, duration, total_cost,
	purchaser_nominative, purchaser_mail, custom_f, status, id_user, createdby, createdon, sid)
	SELECT 1000 + seq, 1000 + seq, 0, 1, 1, NOW() + INTERVAL seq HOUR, 45, 38, 'Somebody', CONCAT('c', seq MOD 10000, '@example.test'),
	'{"CUSTOMF_NAME":"Somebody","CUSTOMF_EMAIL":"c@example.test"}', 'C', 0, 1, NOW(), 'ABCDEFGHIJKLMNOP' FROM wordpress.seq_1_to_20000;
INSERT INTO wordpress.wp_vikappointments_res_opt_assoc (id_reservation, id_option, inc_price, quantity)
	SELECT 1000 + seq, 1, 9, 1 FROM wordpress.seq_1_to_20000;
INSERT INTO wordpress.wp_vikappointments_order_status (id_order, status, comment, ip, createdby, createdon, type)
	SELECT 1000 + (seq + 1) DIV 2, 'C', 'VAP_STATUS_CHANGED_ON_MANAGE', '127.0.0.1', 1, NOW(), 'reservation' FROM wordpress.seq_1_to_40000;`

// BenchmarkExtended loads a backlog of 20,000 changed appointments, a batch of 256 at a time, and single events.
func BenchmarkExtended(b *testing.B) {
	server := dbtest.Start(b)
	dbtest.Salon(b, server, "wordpress", "wp_")
	server.Exec(b, manyBookings)
	site := &rules.Site{Name: "salon", Schema: "wordpress", Prefix: "wp_"}
	l := New(server.DB(b, ""), mariaDB{}, Options{}, slog.New(slog.DiscardHandler))
	backlog := changedBookings(b, l, site)
	for _, bench := range []struct {
		name  string
		batch int
	}{{"backlog", 256}, {"single", 1}} {
		b.Run(bench.name, func(b *testing.B) {
			if _, err := l.Load(b.Context(), backlog[:1]); err != nil { // the lookup tables
				b.Fatal(err)
			}
			b.ReportAllocs()
			before, start, events := l.queries.Load(), time.Now(), 0
			for b.Loop() {
				from := events % (len(backlog) - bench.batch)
				if bench.batch == 1 {
					from = len(backlog) - 1 - from // somebody changes a booking of these days
				}
				payloads, err := l.Load(b.Context(), backlog[from:from+bench.batch])
				if err != nil || len(payloads[0]) != 1 || payloads[0][0].Object != "" {
					b.Fatalf("got %v, %v", payloads[0], err)
				}
				events += bench.batch
			}
			b.ReportMetric(float64(events)/time.Since(start).Seconds(), "events/s")
			b.ReportMetric(float64(l.queries.Load()-before)/float64(events)*1000, "queries/kevent")
		})
	}
}

// changedBookings makes a save of each appointment.
func changedBookings(b *testing.B, l *Loader, site *rules.Site) []*rules.Event {
	b.Helper()
	conn, err := l.pool.take(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	snap := &snapshot{conn: conn}
	defer snap.close(b.Context())
	rows, err := snap.query(b.Context(), site.Table("reservation"), "SELECT * FROM wordpress.wp_vikappointments_reservation WHERE id > 1000")
	if err != nil {
		b.Fatal(err)
	}
	events := make([]*rules.Event, len(rows))
	action, err := rules.ParseAction("appointment.save")
	if err != nil {
		b.Fatal(err)
	}
	for i, r := range rows {
		events[i] = &rules.Event{
			Site: site, Action: action, IDs: []rules.Key{rules.NumberKey(r.id("id"))}, Table: r.table, Row: r.row,
			Last: cdc.Coord{File: "b", Offset: 1}, Rules: []*rules.Rule{{Name: "r", Load: rules.Extended}},
		}
	}
	return events
}
