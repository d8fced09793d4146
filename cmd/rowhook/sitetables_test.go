package main

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"rowhook/dbtest"
	"rowhook/deliver/delivertest"
)

// A site whose WordPress connects in latin1, and whose coupons keep their history: receivers get what the site shows.
func TestHistoryAndCharsetOfASite(t *testing.T) {
	t.Parallel()
	server := dbtest.Start(t)
	dbtest.Salon(t, server, "wordpress", "wp_")
	const coupons = "wordpress.wp_vikappointments_coupon"
	server.Exec(t, "ALTER TABLE "+coupons+" MODIFY notes TEXT CHARACTER SET latin1, ADD since TIMESTAMP(6) GENERATED ALWAYS AS ROW START INVISIBLE, "+
		"ADD until TIMESTAMP(6) GENERATED ALWAYS AS ROW END INVISIBLE, ADD PERIOD FOR SYSTEM_TIME(since, until), ADD SYSTEM VERSIONING")
	rowhookUser(t, server)
	receiver := delivertest.NewReceiver(t)
	rules := fmt.Sprintf("rules:\n  - {name: saved, action: coupon.save, load: full, url: %q}\n  - {name: gone, action: coupon.delete, url: %[1]q}\n", receiver.URL())
	file := daemonFiles(t, server, rules, "coalesce: 0\n")
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	latin1 := strings.Replace(string(text), "schema: wordpress", "db_charset: latin1, schema: wordpress", 1)
	if err := os.WriteFile(file, []byte(latin1), 0o600); err != nil || latin1 == string(text) {
		t.Fatalf("%v\n%s", err, text)
	}
	startDaemon(t, file)
	server.Exec(t, "SET NAMES latin1; INSERT INTO "+coupons+" SET id = 77, code = 'x', notes = 'Zoë';"+
		"UPDATE "+coupons+" SET notes = 'Zoë €' WHERE id = 77; DELETE FROM "+coupons+" WHERE id = 77")
	ctx := patience(t)
	var got []string
	for _, r := range receiver.WaitAccepted(ctx, 3) {
		body := string(r.Body)
		if _, notes, found := strings.Cut(body, `"notes":"`); found {
			body, _, _ = strings.Cut(notes, `"`)
		}
		got = append(got, body)
	}
	if want := []string{"Zoë", "Zoë €", `{"id":77}`}; !slices.Equal(got, want) {
		t.Errorf("heard %q, want %q", got, want)
	}
}
