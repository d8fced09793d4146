package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"testing"

	"rowhook/dbtest"
	"rowhook/deliver/delivertest"
)

// TestBasicNamesWhatWasSaved: a basic payload has the columns that the statement names, changed or not, also when it was
// prepared; the rows of a trigger stand under a text that is not theirs, so there the changed columns count.
func TestBasicNamesWhatWasSaved(t *testing.T) {
	t.Parallel()
	server := dbtest.Start(t)
	site := dbtest.Salon(t, server, "wordpress", "wp_")
	rowhookUser(t, server)
	receiver := delivertest.NewReceiver(t)
	startDaemon(t, daemonFiles(t, server, fmt.Sprintf(
		"rules:\n  - {name: a, action: appointment.save, type: update, load: basic, url: %[1]q}\n"+
			"  - {name: c, action: customer.save, type: update, load: basic, url: %[1]q}\n", receiver.URL()), "coalesce: 0s\n"))
	ctx := patience(t)
	id, err := site.Book(ctx, dbtest.Booking{})
	if err != nil {
		t.Fatal(err)
	}
	keys := func(n int) []string {
		t.Helper()
		var body map[string]any
		if err := json.Unmarshal(receiver.WaitAccepted(ctx, n)[n-1].Body, &body); err != nil {
			t.Fatal(err)
		}
		return slices.Sorted(maps.Keys(body))
	}

	db := server.DB(t, "wordpress")
	update, err := db.PrepareContext(ctx, "UPDATE wp_vikappointments_reservation SET langtag = ?, notes = ? WHERE id = ?")
	if err != nil {
		t.Fatal(err)
	}
	defer update.Close()
	if _, err := update.ExecContext(ctx, "en-US", "by a prepared statement", id); err != nil { // langtag is that already
		t.Fatal(err)
	}
	if got, want := keys(1), []string{"id", "langtag", "notes"}; !slices.Equal(got, want) {
		t.Errorf("a prepared statement's payload has %v, want %v", got, want)
	}

	server.Exec(t, "CREATE TRIGGER wordpress.after_option AFTER INSERT ON wordpress.wp_options FOR EACH ROW "+
		"UPDATE wordpress.wp_vikappointments_users SET company = 'by a trigger', vatnum = vatnum WHERE id = 1")
	server.Exec(t, "INSERT INTO wordpress.wp_options (option_name, option_value) VALUES ('anything', '1')")
	if got, want := keys(2), []string{"company", "id"}; !slices.Equal(got, want) {
		t.Errorf("a trigger's payload has %v, want %v", got, want)
	}
}
