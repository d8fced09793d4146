package pipeline

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"rowhook/cdc"
	"rowhook/connect"
	"rowhook/dbtest"
	"rowhook/loader"
	"rowhook/outbox"
	"rowhook/outbox/sqlite"
	"rowhook/rules"
	"rowhook/rules/events"
)

const manySites = 64

// ofASite are the tables of a small site; the others are those of newer plugins.
var ofASite = []string{
	"vikappointments_reservation", "vikappointments_res_opt_assoc", "vikappointments_order_status", "vikappointments_service",
	"vikappointments_employee", "vikappointments_users", "vikappointments_config", "vikappointments_coupon", "vikappointments_invoice",
	"options", "users",
}

// broken are sites whose appointments cannot be loaded until somebody fixes them.
var broken = map[string]struct{ breaks, fixes []string }{
	"site1": {[]string{"RENAME TABLE wordpress.s1x_vikappointments_users TO wordpress.away"}, []string{"RENAME TABLE wordpress.away TO wordpress.s1x_vikappointments_users"}},
	"site2": {[]string{"LOCK TABLES wordpress.s2x_vikappointments_invoice WRITE"}, []string{"UNLOCK TABLES"}},
	"site3": {
		[]string{
			"CREATE TABLE wordpress.nothing (id INT)", "CREATE VIEW wordpress.s3x_vikappointments_user_notes AS SELECT * FROM wordpress.nothing",
			"DROP TABLE wordpress.nothing",
		},
		[]string{"DROP VIEW wordpress.s3x_vikappointments_user_notes"},
	},
	"apart": {[]string{"REVOKE SELECT ON apart.wp_vikappointments_config FROM rowhook@'%'"}, []string{"GRANT SELECT ON apart.wp_vikappointments_config TO rowhook@'%'"}},
}

// Sites whose payloads cannot be loaded wait for themselves, over a restart, and nobody waits for them: not the other
// sites, of which there are many more than connections, and not their own other objects.
func TestASiteThatCannotBeLoadedHoldsNobody(t *testing.T) {
	t.Parallel()
	server := dbtest.Start(t)
	dbtest.Salon(t, server, "wordpress", "wp_")
	server.Exec(t, "ALTER TABLE wordpress.wp_vikappointments_reservation CONVERT TO CHARACTER SET utf8mb4")
	dbtest.Salon(t, server, "apart", "wp_")
	server.CreateUser(t, "rowhook", "secret", "REPLICATION SLAVE, BINLOG MONITOR ON *.*", "SELECT ON wordpress.*")
	w := &heldWorld{T: t, server: server, got: map[string]string{}}
	w.sites = append(w.sites, &rules.Site{Name: "apart", Schema: "apart", Prefix: "wp_"})
	w.grantTables("apart")
	for i := len(w.sites); i < manySites; i++ {
		w.add(fmt.Sprintf("site%d", i), "wordpress", fmt.Sprintf("s%dx_", i))
	}
	w.add("network", "wordpress", "s9x_2_")
	server.Exec(t, "DROP TABLE wordpress.s9x_2_users")
	server.Exec(t, "ALTER TABLE wordpress.s4x_vikappointments_users CONVERT TO CHARACTER SET latin1")
	var err error
	if w.store, err = sqlite.Open(t.Context(), t.TempDir(), slog.New(slog.DiscardHandler)); err != nil {
		t.Fatal(err)
	}
	defer w.store.Close()
	stop := w.run()
	locks, err := server.DB(t, "").Conn(t.Context()) // what is locked is locked by a session
	if err != nil {
		t.Fatal(err)
	}
	exec := func(statements []string) {
		t.Helper()
		for _, s := range statements {
			if !strings.Contains(s, "LOCK TABLES") {
				server.Exec(t, s)
			} else if _, err := locks.ExecContext(t.Context(), s); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, site := range broken {
		exec(site.breaks)
	}
	for _, s := range w.sites {
		salon := dbtest.NewSite(server.DB(t, s.Schema), s.Prefix)
		if _, err := salon.Book(t.Context(), dbtest.Booking{}); err != nil {
			t.Fatal(err)
		}
		server.Exec(t, fmt.Sprintf("UPDATE %s.%svikappointments_reservation SET purchaser_mail = _utf8mb4 X'%x'", s.Schema, s.Prefix, "zoë😀@example.test"))
		server.Exec(t, fmt.Sprintf("INSERT INTO %s.%svikappointments_coupon (code, value) VALUES ('X', 1)", s.Schema, s.Prefix))
	}
	w.await(func(s *rules.Site) []string {
		if _, ok := broken[s.Name]; ok {
			return []string{"coupon"}
		}
		return []string{"coupon", "appointment"}
	})
	stop()
	for site := range broken {
		if w.got[site+" appointment"] != "" {
			t.Errorf("%s is delivered as %q while it is broken", site, w.got[site+" appointment"])
		}
	}
	stop = w.run()
	for _, site := range broken {
		exec(site.fixes)
	}
	w.await(func(*rules.Site) []string { return []string{"coupon", "appointment"} })
	stop()
	for what, object := range w.got {
		if object != "whole" {
			t.Errorf("%s is marked %s", what, object)
		}
	}
	for name := range broken {
		if !strings.Contains(w.log.String(), "site="+name+" ") {
			t.Errorf("the log does not name %s", name)
		}
	}
	if !strings.Contains(w.log.String(), "GRANT SELECT ON `apart`.* TO 'rowhook'@'%';") {
		t.Errorf("the log does not say what to type:\n%s", w.log.String())
	}
}

// heldWorld is many sites on one server, followed over a pool that is much smaller.
type heldWorld struct {
	*testing.T
	server *dbtest.Server
	sites  []*rules.Site
	store  outbox.Store
	after  int64
	got    map[string]string // what was delivered, and its mark
	log    lockedText
}

func (w *heldWorld) add(name, schema, prefix string) {
	w.Helper()
	var s strings.Builder
	for _, table := range ofASite {
		fmt.Fprintf(&s, "CREATE TABLE %s.%s%s LIKE wordpress.wp_%[3]s; INSERT INTO %[1]s.%[2]s%[3]s SELECT * FROM wordpress.wp_%[3]s;", schema, prefix, table)
	}
	w.server.Exec(w, s.String())
	w.sites = append(w.sites, &rules.Site{Name: name, Schema: schema, Prefix: prefix})
}

// grantTables grants every table of a schema by itself.
func (w *heldWorld) grantTables(schema string) {
	w.Helper()
	rows, err := w.server.DB(w, schema).QueryContext(w.Context(), "SELECT TABLE_NAME FROM information_schema.TABLES WHERE TABLE_SCHEMA = ?", schema)
	if err != nil {
		w.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var table string
		if err := rows.Scan(&table); err != nil {
			w.Fatal(err)
		}
		w.server.Exec(w, fmt.Sprintf("GRANT SELECT ON %s.%s TO rowhook@'%%'", schema, table))
	}
	if err := rows.Err(); err != nil {
		w.Fatal(err)
	}
}

// run follows the server until the returned function ends it.
func (w *heldWorld) run() (stop func()) {
	w.Helper()
	log := slog.New(slog.NewTextHandler(&w.log, nil))
	at := connect.New(connect.Config{Address: w.server.Address(), User: "rowhook", Password: connect.Password("secret")})
	db := at.Pool()
	db.SetMaxOpenConns(2)
	c := cdc.Config{Server: at, ServerID: 4242, Lookups: loader.Lookups(w.sites), Log: log}
	for _, s := range w.sites {
		c.Tables = append(c.Tables, s.Tables()...)
	}
	source, err := cdc.Open(w.Context(), db, c)
	if err != nil {
		w.Fatal(err)
	}
	set, err := rules.Parse("rules.yaml", []byte(`rules:
  - {name: appointment, action: appointment.save, load: extended, url: "http://127.0.0.1/"}
  - {name: coupon, action: coupon.save, load: full, url: "http://127.0.0.1/"}`), nil)
	if err != nil {
		w.Fatal(err)
	}
	routeAll(w.T, w.store, set)
	followed := begun{source, make(chan struct{})}
	p := New(Config{
		Source: followed, SourceID: "source", Outbox: w.store, Loader: loader.New(db, source, loader.Options{}, log),
		Sites: w.sites, Rules: &rules.Set{Rules: set}, Log: log,
		Options: events.Options{Coalesce: time.Second, CoalesceMax: 2 * time.Second, Precision: source.Precision(), Log: log},
	})
	ctx, cancel := context.WithCancel(w.Context())
	done := make(chan error, 1)
	go func() { done <- p.Run(ctx) }()
	select {
	case <-followed.begun:
	case err := <-done:
		w.Fatal(err)
	}
	return func() {
		cancel()
		if err := errors.Join(<-done, source.Close(), db.Close()); err != nil {
			w.Error(err)
		}
	}
}

// await waits until every site has what it should have.
func (w *heldWorld) await(want func(*rules.Site) []string) {
	w.Helper()
	ctx := patience(w.T)
	for {
		missing := ""
		for _, s := range w.sites {
			for _, rule := range want(s) {
				if w.got[s.Name+" "+rule] == "" {
					missing += s.Name + " " + rule + ", "
				}
			}
		}
		if missing == "" {
			return
		}
		list, err := claim(ctx, w.store, w.after, 100)
		if err != nil {
			w.Fatalf("missing: %s %v\n%s", missing, err, w.log.String())
		}
		for _, d := range list {
			w.after = d.Number
			w.got[d.Site+" "+d.Rule] = "whole"
			if d.Object != "" {
				w.got[d.Site+" "+d.Rule] = d.Object
			}
		}
	}
}

// lockedText is what many write to.
type lockedText struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *lockedText) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *lockedText) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// TestFirstReason: of several reasons it is always the oldest one that is told, whatever the order in which a map lists them.
func TestFirstReason(t *testing.T) {
	t.Parallel()
	began := time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)
	h := held{reasons: map[string]*reason{}, all: new(load)}
	if h.first() != nil {
		t.Error("nothing is held, for a reason")
	}
	for hours, name := range []string{"revoked", "missing", "too large", "not visible"} {
		h.reasons[name] = &reason{since: began.Add(time.Duration(hours) * time.Hour)}
	}
	for range 50 {
		if got := h.first(); got != h.reasons["revoked"] {
			t.Fatalf("it is the one since %s", got.since)
		}
	}
}
