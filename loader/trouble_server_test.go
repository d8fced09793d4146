package loader

import (
	"database/sql"
	"log/slog"
	"strings"
	"testing"

	"rowhook/connect"
	"rowhook/dbtest"
	"rowhook/rules"
)

// onServers runs a test on each kind of server.
func onServers(t *testing.T, f func(t *testing.T, server *dbtest.Server)) {
	t.Helper()
	t.Parallel()
	for _, kind := range kinds(t) {
		t.Run(string(kind), func(t *testing.T) {
			t.Parallel()
			f(t, dbtest.StartServer(t, kind))
		})
	}
}

// behind is the server that a loader reads from, as the log's source describes it.
type behind struct{ *dbtest.Server }

func (b behind) MariaDB() bool { return !b.Kind().MySQL() }

// statusOf is an event of an order. Any snapshot will do for it.
func statusOf(t *testing.T, site *rules.Site, id int64) *rules.Event {
	t.Helper()
	return &rules.Event{Site: site, Action: entity(t, "appointment.status_change"), IDs: []rules.Key{rules.NumberKey(id)}, Rules: []*rules.Rule{{Name: "r", Load: rules.Extended}}}
}

// serverTrouble is what somebody does to a site's tables, so that nothing can be loaded until he does the contrary.
type serverTrouble struct {
	does, undoes string
	fix          string // what of the advice names the cure
}

// TestTroubleOfServers: what is wrong with a table is that table's trouble on each kind of server, is said with a cure,
// and passes when it is undone.
func TestTroubleOfServers(t *testing.T) { onServers(t, testTroubleOfServers) }

func testTroubleOfServers(t *testing.T, server *dbtest.Server) {
	t.Helper()
	salon := dbtest.Salon(t, server, "wordpress", "wp_")
	id, err := salon.Book(t.Context(), dbtest.Booking{Options: []int64{1}})
	if err != nil {
		t.Fatal(err)
	}
	const all, columns = "GRANT SELECT ON wordpress.* TO 'rowhook'@'%'", "GRANT SELECT (id) ON wordpress.wp_vikappointments_service TO 'rowhook'@'%'"
	tests := map[string]serverTrouble{
		"denied":          {"REVOKE SELECT ON wordpress.* FROM 'rowhook'@'%'", all, "GRANT SELECT ON `wordpress`.* TO 'rowhook'@'%';"},
		"columns denied":  {"REVOKE SELECT ON wordpress.* FROM 'rowhook'@'%'; " + columns, all, "GRANT SELECT ON `wordpress`.* TO 'rowhook'@'%';"},
		"a table is gone": {"RENAME TABLE wp_vikappointments_service TO away", "RENAME TABLE away TO wp_vikappointments_service", "restore `wordpress`.`wp_vikappointments_service`"},
		"the settings are gone": {
			"RENAME TABLE wp_vikappointments_config TO away", "RENAME TABLE away TO wp_vikappointments_config", "restore `wordpress`.`wp_vikappointments_config`",
		},
		"a key column is gone": {
			"ALTER TABLE wp_vikappointments_config RENAME COLUMN setting TO other", "ALTER TABLE wp_vikappointments_config RENAME COLUMN other TO setting",
			"SHOW CREATE TABLE `wordpress`.`wp_vikappointments_config`",
		},
		"a view": {
			"RENAME TABLE wp_vikappointments_invoice TO invoices; CREATE VIEW wp_vikappointments_invoice AS SELECT * FROM invoices",
			"DROP VIEW wp_vikappointments_invoice; RENAME TABLE invoices TO wp_vikappointments_invoice", "SHOW CREATE TABLE `wordpress`.`wp_vikappointments_invoice`",
		},
		"locked": {"LOCK TABLES wp_vikappointments_users WRITE", "UNLOCK TABLES", "SHOW FULL PROCESSLIST; somebody locks `wordpress`.`wp_vikappointments_users`"},
	}
	server.CreateUser(t, "rowhook", "secret", "SELECT ON wordpress.*")
	pool := connect.New(connect.Config{Address: server.Address(), User: "rowhook", Password: connect.Password("secret")}).Pool()
	defer pool.Close()
	admin, err := server.DB(t, "wordpress").Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	site := &rules.Site{Name: "salon", Schema: "wordpress", Prefix: "wp_"}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			test.run(t, admin, New(pool, behind{server}, Options{}, slog.New(slog.DiscardHandler)), statusOf(t, site, id))
		})
	}
}

func (s serverTrouble) run(t *testing.T, admin *sql.Conn, l *Loader, ev *rules.Event) {
	t.Helper()
	if _, err := admin.ExecContext(t.Context(), s.does); err != nil {
		t.Fatal(err)
	}
	_, failed := l.Load(t.Context(), []*rules.Event{ev})
	if _, err := admin.ExecContext(t.Context(), s.undoes); err != nil {
		t.Fatal(err)
	}
	if failed == nil || TroubleOf(failed) != Held || !strings.Contains(Fix(failed), s.fix) {
		t.Errorf("trouble %d, %v\nfix: %s", TroubleOf(failed), failed, Fix(failed))
	}
	payloads, err := l.Load(t.Context(), []*rules.Event{ev})
	if err != nil || payloads[0][0].Object != "" {
		t.Errorf("when it is undone: %v, %v", payloads, err)
	}
}
