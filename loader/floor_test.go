package loader

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"testing"

	"rowhook/cdc"
	"rowhook/dbtest"
	"rowhook/rules"
)

// A floor is never above a row that belongs to the order or a younger one, in whatever order rows come.
func TestFloorHolds(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		f := &floor{ready: true, top: 1}
		rows := map[int64]int64{} // row by order
		for range 100 {
			bucket, row := random.Int64N(50), random.Int64N(1000)
			if old, ok := rows[bucket]; !ok || row < old {
				rows[bucket] = row
			}
			f.top = max(f.top, row+1) // as when the table is read
			f.lower(bucket, row)
			for b, r := range rows {
				for asked := range b + 1 {
					if got := f.of(asked); got > r {
						t.Fatalf("the floor of %d is %d, and %d has row %d", asked, got, b, r)
					}
				}
			}
		}
	}
}

// A row that is committed late has a lower id than the rows of younger orders.
func TestFloorOfARowThatComesLate(t *testing.T) {
	t.Parallel()
	server := dbtest.Start(t)
	salon := dbtest.Salon(t, server, "wordpress", "wp_")
	site := &rules.Site{Name: "salon", Schema: "wordpress", Prefix: "wp_"}
	l := New(server.DB(t, ""), mariaDB{}, Options{}, slog.New(slog.DiscardHandler))
	var ids []int64
	for range 3 {
		id, err := salon.Book(t.Context(), dbtest.Booking{})
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, id)
	}
	young, slow := ids[2]+1000, int64(100)
	server.Exec(t, fmt.Sprintf("INSERT INTO wordpress.wp_vikappointments_reservation (id, id_payment, id_employee, id_service, checkin_ts, duration)"+
		" VALUES (%d, 0, 1, 1, NOW(), 30), (%d, 0, 1, 1, NOW(), 30)", young, young+1000))
	server.Exec(t, fmt.Sprintf("INSERT INTO wordpress.wp_vikappointments_order_status (id, id_order, status, ip, type)"+
		" VALUES (%d, %d, 'C', '', 'reservation')", slow+1, young+1000))
	history := func() int {
		t.Helper()
		ev := &rules.Event{
			Site: site, Action: entity(t, "appointment.save"), IDs: []int64{young}, Last: end(t, server), Table: orderTable, Row: orderRow(),
			Rules: []*rules.Rule{{Name: "r", Load: rules.Extended}},
		}
		l.opts.Plugin = true
		payloads, err := l.Load(t.Context(), []*rules.Event{ev})
		if err != nil {
			t.Fatal(err)
		}
		var body struct{ History []any }
		if err := json.Unmarshal(payloads[0][0].Body, &body); err != nil {
			t.Fatal(err)
		}
		return len(body.History)
	}
	if n := history(); n != 0 {
		t.Fatalf("%d statuses before there is one", n)
	}
	server.Exec(t, fmt.Sprintf("INSERT INTO wordpress.wp_vikappointments_order_status (id, id_order, status, ip, type)"+
		" VALUES (%d, %d, 'C', '', 'reservation')", slow, young))
	if n := history(); n != 0 {
		t.Fatal("the floor is not what this test is about")
	}
	b := cdc.RowBuilder{}
	b.AddText(cdc.Int, fmt.Sprint(slow))
	b.AddText(cdc.Int, fmt.Sprint(young))
	b.AddText(cdc.Text, "reservation")
	l.Note(&cdc.Change{Op: cdc.Insert, Table: cdc.NewTable(site.Table("order_status"), []string{"id", "id_order", "type"}, []int{0}), After: b.Row()})
	if n := history(); n != 1 {
		t.Errorf("%d statuses after the log showed the row, want 1", n)
	}
}
