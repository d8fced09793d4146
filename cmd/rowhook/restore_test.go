package main

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"rowhook/dbtest"
	"rowhook/deliver/delivertest"
)

// backedUp are the tables that the test restores.
var backedUp = []string{"order_status", "res_opt_assoc", "reservation", "users"}

// backup is what a table held.
type backup struct {
	table, create string
	columns       []string
	rows          []string // each as VALUES has it
	file          string   // the same, as LOAD DATA reads it
}

// restoreWays are the ways in which people bring tables back.
var restoreWays = map[string]func(b *backup) []string{
	"mysqldump": func(b *backup) []string {
		return []string{
			"DROP TABLE IF EXISTS `" + b.table + "`", "/*!40101 SET @saved_cs_client = @@character_set_client */", b.create,
			"LOCK TABLES `" + b.table + "` WRITE", "/*!40000 ALTER TABLE `" + b.table + "` DISABLE KEYS */",
			"INSERT INTO `" + b.table + "` VALUES " + strings.Join(b.rows[:len(b.rows)/2], ","),
			"INSERT INTO `" + b.table + "` VALUES " + strings.Join(b.rows[len(b.rows)/2:], ","),
			"/*!40000 ALTER TABLE `" + b.table + "` ENABLE KEYS */", "UNLOCK TABLES",
		}
	},
	"mysqldump --skip-extended-insert": func(b *backup) []string {
		all := []string{"DROP TABLE IF EXISTS `" + b.table + "`", b.create}
		for _, row := range b.rows {
			all = append(all, "INSERT INTO `"+b.table+"` VALUES "+row)
		}
		return all
	},
	"the plugin, phpMyAdmin": func(b *backup) []string {
		return []string{
			"DROP TABLE IF EXISTS `" + b.table + "`", b.create,
			"INSERT INTO `" + b.table + "` (`" + strings.Join(b.columns, "`, `") + "`) VALUES\n" + strings.Join(b.rows, ",\n") + ";",
		}
	},
	"TRUNCATE and LOAD DATA": func(b *backup) []string {
		return []string{"TRUNCATE TABLE `" + b.table + "`", "LOAD DATA INFILE '" + b.file + "' INTO TABLE `" + b.table + "`"}
	},
	"a copy that takes the name, and what it came from once more": func(b *backup) []string {
		return []string{
			"CREATE TABLE `_new` LIKE `" + b.table + "`", "INSERT INTO `_new` SELECT * FROM `" + b.table + "`",
			"RENAME TABLE `" + b.table + "` TO `_old`, `_new` TO `" + b.table + "`",
			"TRUNCATE `" + b.table + "`", "INSERT INTO `" + b.table + "` SELECT * FROM `_old`", "DROP TABLE `_old`",
		}
	},
}

// TestRestores brings tables back in the ways people do, with a booking right before and one right after: these are
// told, and of the restore only the numbers.
func TestRestores(t *testing.T) { onServers(t, testRestores) }

func testRestores(t *testing.T, server *dbtest.Server) {
	t.Helper()
	site := dbtest.Salon(t, server, "wordpress", "wp_")
	db := server.DB(t, "wordpress")
	rowhookUser(t, server)
	receiver := delivertest.NewReceiver(t)
	rules := "rules:\n"
	for _, action := range []string{"appointment.save", "appointment.status_change", "appointment.delete", "customer.save", "rowhook.restored"} {
		rules += fmt.Sprintf("  - {name: %s, action: %[1]s, url: %q}\n", action, receiver.URL())
	}
	startDaemon(t, daemonFiles(t, server, rules, ""))
	ctx := patience(t)
	var want []string
	book := func() {
		id, err := site.Book(ctx, dbtest.Booking{Options: []int64{1}})
		if err != nil {
			t.Fatal(err)
		}
		want = append(want, fmt.Sprintf("onAfterSaveReservation %d", id), fmt.Sprintf("onStatusChangeReservation of %d", id))
	}
	for i, way := range slices.Sorted(maps.Keys(restoreWays)) {
		book()
		numbers := map[string]int{}
		var statements []string
		for _, table := range backedUp {
			b := backUp(ctx, t, db, "wp_vikappointments_"+table, filepath.Join(t.TempDir(), fmt.Sprintf("%s-%d", table, i)))
			numbers[table] = len(b.rows)
			statements = append(statements, restoreWays[way](b)...)
		}
		conn, err := db.Conn(ctx)
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range statements {
			if _, err := conn.ExecContext(ctx, s); err != nil {
				t.Fatalf("%s: %.100s: %v", way, s, err)
			}
		}
		if err := conn.Close(); err != nil {
			t.Fatal(err)
		}
		book()
		want = append(want, fmt.Sprintf("rowhook.restored salon %v", numbers))
		var got []string
		for _, r := range receiver.WaitAccepted(ctx, len(want)) {
			got = append(got, told(t, r))
		}
		slices.Sort(got)
		slices.Sort(want)
		if !slices.Equal(got, want) {
			t.Fatalf("%s: heard\n  %s\nwant\n  %s", way, strings.Join(got, "\n  "), strings.Join(want, "\n  "))
		}
	}
}

// told is a webhook in a line.
func told(t *testing.T, r delivertest.Request) string {
	t.Helper()
	var body struct {
		Event  string         `json:"event"`
		Site   string         `json:"site"`
		Tables map[string]int `json:"tables"`
		From   time.Time      `json:"from"`
		To     time.Time      `json:"to"`

		ID      int64 `json:"id"`
		IDOrder int64 `json:"id_order"`
	}
	if err := json.Unmarshal(r.Body, &body); err != nil {
		t.Fatalf("%s: %v", r.Body, err)
	}
	action := r.Header.Get("X-VAP-WEBHOOK-ACTION")
	switch {
	case body.Event == "restored":
		if body.From.IsZero() || body.To.Before(body.From) {
			t.Errorf("it is from %s to %s", body.From, body.To)
		}
		return fmt.Sprintf("%s %s %v", action, body.Site, body.Tables)
	case body.IDOrder > 0:
		return fmt.Sprintf("%s of %d", action, body.IDOrder)
	}
	return fmt.Sprintf("%s %d", action, body.ID)
}

// backUp reads a table.
func backUp(ctx context.Context, t *testing.T, db *sql.DB, table, file string) *backup {
	t.Helper()
	b := &backup{table: table, file: file}
	if err := db.QueryRowContext(ctx, "SHOW CREATE TABLE `"+table+"`").Scan(new(string), &b.create); err != nil {
		t.Fatal(err)
	}
	if _, err := db.ExecContext(ctx, "SELECT * FROM `"+table+"` INTO OUTFILE '"+file+"'"); err != nil {
		t.Fatal(err)
	}
	rows, err := db.QueryContext(ctx, "SELECT * FROM `"+table+"` ORDER BY `id`")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	if b.columns, err = rows.Columns(); err != nil {
		t.Fatal(err)
	}
	for rows.Next() {
		values, scan := make([]sql.NullString, len(b.columns)), make([]any, len(b.columns))
		for i := range values {
			scan[i] = &values[i]
		}
		if err := rows.Scan(scan...); err != nil {
			t.Fatal(err)
		}
		texts := make([]string, len(values))
		for i, v := range values {
			if texts[i] = "NULL"; v.Valid {
				texts[i] = "'" + strings.NewReplacer(`\`, `\\`, "'", `\'`, "\n", `\n`).Replace(v.String) + "'"
			}
		}
		b.rows = append(b.rows, "("+strings.Join(texts, ",")+")")
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return b
}
