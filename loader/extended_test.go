package loader

import (
	"encoding/json"
	"log/slog"
	"testing"

	"rowhook/dbtest"
	"rowhook/rules"
)

type extendedBody struct {
	ID           string
	Name         string `json:"purchaser_nominative"`
	Appointments []struct{ ID string }
	History      []struct{ StatusCode string }
}

// The two fidelities of extended: what was committed with what is there now around it, or all as loaded (DESIGN 6).
func TestExtendedFidelity(t *testing.T) {
	t.Parallel()
	server := dbtest.Start(t)
	salon := dbtest.Salon(t, server, "wordpress", "wp_")
	site := &rules.Site{Name: "salon", Schema: "wordpress", Prefix: "wp_"}
	db := server.DB(t, "")
	committed := New(db, mariaDB{}, Options{}, slog.New(slog.DiscardHandler))
	plugin := New(db, mariaDB{}, Options{Plugin: true}, slog.New(slog.DiscardHandler))
	id, err := salon.Book(t.Context(), dbtest.Booking{Name: "First"})
	if err != nil {
		t.Fatal(err)
	}
	extended := []*rules.Rule{{Name: "r", Load: rules.Extended}}
	save := func(id int64) *rules.Event {
		t.Helper()
		ev := &rules.Event{Site: site, Action: entity(t, "appointment.save"), IDs: []rules.Key{rules.NumberKey(id)}, Last: end(t, server), Rules: extended}
		snap, err := plugin.snapshot(t.Context(), ev)
		if err != nil {
			t.Fatal(err)
		}
		defer snap.close(t.Context())
		rows, err := plugin.rows(t.Context(), snap, []*rules.Event{ev})
		if err != nil {
			t.Fatal(err)
		}
		r := rows[rootKey(ev)]
		ev.Table, ev.Row = r.table, r.row
		return ev
	}
	load := func(l *Loader, ev *rules.Event) (extendedBody, Payload) {
		t.Helper()
		payloads, err := l.Load(t.Context(), []*rules.Event{ev})
		if err != nil {
			t.Fatal(err)
		}
		var body extendedBody
		if err := json.Unmarshal(payloads[0][0].Body, &body); err != nil {
			t.Fatalf("%v: %s", err, payloads[0][0].Body)
		}
		return body, payloads[0][0]
	}

	ev := save(id)
	if err := salon.SaveBooking(t.Context(), id, "purchaser_nominative", "Second"); err != nil {
		t.Fatal(err)
	}
	if err := salon.Confirm(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	ev.Last = end(t, server)
	if body, p := load(committed, ev); body.Name != "First" || len(body.History) != 2 || p.AsOf.IsZero() {
		t.Errorf("documented shows %+v, want the event's name and the history that is there", body)
	}
	if body, _ := load(plugin, ev); body.Name != "Second" {
		t.Errorf("plugin shows %+v, want the name that is loaded", body)
	}

	parent, children, err := salon.BookSeveral(t.Context(), dbtest.Booking{}, dbtest.Booking{})
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range []*Loader{committed, plugin} {
		if body, _ := load(l, save(parent)); len(body.Appointments) != 2 {
			t.Errorf("the parent has %d appointments", len(body.Appointments))
		}
		if body, _ := load(l, save(children[1])); len(body.Appointments) != 1 || body.Appointments[0].ID != body.ID {
			t.Errorf("the child shows %+v", body)
		}
	}

	closure, err := salon.Insert(t.Context(), "reservation", "id_payment", 0, "id_employee", 1, "id_service", 0,
		"checkin_ts", "2027-01-01 10:00:00", "duration", 60, "closure", 1)
	if err != nil {
		t.Fatal(err)
	}
	gone := save(id)
	if err := salon.DeleteBookings(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	gone.Last = end(t, server)
	for object, ev := range map[Object]*rules.Event{Gone: gone, Closure: save(closure)} {
		for _, l := range []*Loader{committed, plugin} {
			if body, p := load(l, ev); p.Object != object || body.ID == "" || body.Appointments != nil {
				t.Errorf("%s: marked %q, %s", object, p.Object, p.Body)
			}
		}
	}
	full := *gone
	full.Rules = []*rules.Rule{{Name: "r", Load: rules.Full}}
	if _, p := load(plugin, &full); p.Object != Gone || string(p.Body) != "null" {
		t.Errorf("plugin: full of a missing row is %s", p.Body)
	}
	if payloads, ok := committed.Immediate(&full); !ok || payloads[0].Object != "" {
		t.Errorf("documented: full is not what the log showed")
	}
}
