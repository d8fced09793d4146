package main

import (
	"fmt"
	"strings"
	"testing"

	"rowhook/dbtest"
	"rowhook/deliver/delivertest"
)

// A host that comments each query, pt-table-checksum, which writes by statement and names every table, and a neighbour's
// ALTER TABLE of many megabytes are no reason to stop, to be silent, or to be slow.
func TestNeighbours(t *testing.T) {
	t.Parallel()
	server := dbtest.Start(t)
	dbtest.Salon(t, server, "wordpress", "wp_")
	rowhookUser(t, server)
	receiver := delivertest.NewReceiver(t)
	startDaemon(t, daemonFiles(t, server, fmt.Sprintf("rules: [{name: r, action: customer.save, load: basic, url: %q}]\n", receiver.URL()), "fidelity: plugin\ncoalesce: 0s\n"))
	conn, err := server.DB(t, "wordpress").Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	for _, statement := range []string{
		"CREATE DATABASE percona", "CREATE TABLE percona.checksums (tbl VARCHAR(99) PRIMARY KEY, cnt INT)", "CREATE DATABASE other", "CREATE TABLE other.t (id INT)",
		"SET SESSION binlog_format = STATEMENT",
		"REPLACE INTO percona.checksums (tbl, cnt) SELECT 'wordpress.wp_vikappointments_reservation', COUNT(*) FROM `wordpress`.`wp_vikappointments_reservation` /*checksum table*/",
		"SET SESSION binlog_format = ROW",
		"ALTER TABLE other.t ENGINE=InnoDB /* " + strings.Repeat("x", 14<<20) + " */",
		"UPDATE /* From [salon.example/wp-admin/\n] in [x.php:29] */ `wp_vikappointments_users` SET `company` = 'it\\'s\n-- new' WHERE `id` = '1' /* From [salon.example] */",
	} {
		if _, err := conn.ExecContext(t.Context(), statement); err != nil {
			t.Fatalf("%.200s: %v", statement, err)
		}
	}
	ctx := patience(t)
	if got := string(receiver.WaitAccepted(ctx, 1)[0].Body); !strings.Contains(got, `it's\n-- new`) {
		t.Errorf("it hears %s", got)
	}
}
