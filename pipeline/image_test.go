package pipeline

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"

	"rowhook/cdc"
	"rowhook/dbtest"
	"rowhook/loader"
	"rowhook/outbox"
	"rowhook/outbox/sqlite"
	"rowhook/rules"
)

// TestRowImages writes the same to servers that log whole rows and to servers that log parts of them, and compares what
// would be posted: only an exact row before a change is lost.
func TestRowImages(t *testing.T) {
	t.Parallel()
	for _, kind := range kinds(t) {
		for _, c := range []struct {
			name     string
			plugin   bool
			coalesce time.Duration
		}{
			{"documented", false, 0},
			{"plugin", true, 0},
			{"merged", false, 30 * time.Minute}, // by the log's clock, which the test sets
		} {
			if kind.MySQL() && c.coalesce > 0 { // whose commit times no session can set
				continue
			}
			t.Run(fmt.Sprintf("%s_%s", kind, c.name), func(t *testing.T) {
				t.Parallel()
				seed := dbtest.Seed(t)
				want := imageRun(t, kind, "FULL", seed, c.plugin, c.coalesce)
				if len(want) < 100 {
					t.Errorf("only %d deliveries", len(want))
				}
				for _, image := range []string{"MINIMAL", "NOBLOB"} {
					got := imageRun(t, kind, image, seed, c.plugin, c.coalesce)
					for i := range max(len(want), len(got)) {
						if i >= len(want) || i >= len(got) || want[i] != got[i] {
							t.Fatalf("seed %d, %s, delivery %d of %d, FULL has %d:\n got %s\nwant %s", seed, image, i, len(got), len(want),
								strings.Join(got[min(i, len(got)):min(i+2, len(got))], "\n     "), strings.Join(want[min(i, len(want)):min(i+2, len(want))], "\n     "))
						}
					}
				}
			})
		}
	}
}

// imageRun lets a salon's work be logged with a row image, and returns the deliveries in their order.
func imageRun(t *testing.T, kind dbtest.Kind, image string, seed uint64, plugin bool, coalesce time.Duration) []string {
	t.Helper()
	server := dbtest.StartServer(t, kind)
	dbtest.Salon(t, server, "wordpress", "wp_")
	server.CreateUser(t, "rowhook", "secret", "REPLICATION SLAVE, REPLICATION CLIENT ON *.*", "SELECT ON wordpress.*")
	if kind.MySQL() && plugin {
		server.Exec(t, "SET GLOBAL binlog_rows_query_log_events = ON")
	}
	db := server.DB(t, "wordpress")
	db.SetMaxOpenConns(1)
	w := &imageWorld{t: t, db: db, site: dbtest.NewSite(db, "wp_"), rng: rand.New(rand.NewPCG(seed, 1))}
	w.exec("SET SESSION binlog_row_image = " + image)
	ctx, store := followServer(t, server, plugin, coalesce)
	start := time.Now().Add(-240 * time.Hour).Truncate(time.Hour)
	var got []string
	after := int64(0)
	for step := range 60 {
		at := start.Add(time.Duration(step) * time.Hour).Unix()
		w.exec(fmt.Sprintf("SET timestamp = %d", at))
		if coalesce == 0 { // what is loaded must be what was committed
			w.step(1)
		} else {
			w.step(1 + w.rng.IntN(4))
		}
		w.exec(fmt.Sprintf("SET timestamp = %d", at+1))
		w.exec(fmt.Sprintf("INSERT INTO `wp_vikappointments_coupon` (`code`) VALUES ('%d')", step)) // closes last
		w.exec(fmt.Sprintf("SET timestamp = %d", at+1800+2))
		w.exec("INSERT INTO `wp_vikappointments_cities` (`id_state`, `city_name`, `city_2_code`) VALUES (7, 'x', 'x')") // whose time closes it
		after = deliveriesUntil(ctx, t, store, after, fmt.Sprintf(`"code":"%d"`, step), &got)
	}
	return got
}

// momentary is what depends on when a payload is made.
var momentary = regexp.MustCompile(`"(locked_until|createdon)":("[^"]*"|\d+)`)

// marker is the coupon that ends a step.
var marker = regexp.MustCompile(`"code":"\d`)

// deliveriesUntil appends deliveries up to the one whose body says something, which is left out.
func deliveriesUntil(ctx context.Context, t *testing.T, store outbox.Store, after int64, says string, got *[]string) int64 {
	t.Helper()
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	for {
		list, err := store.Next(ctx, after, 100)
		if err != nil {
			t.Fatalf("no delivery says %s, after %d of them: %v", says, len(*got), err)
		}
		for _, d := range list {
			after = d.Seq
			if strings.Contains(string(d.Body), says) {
				return after
			}
			if marker.Match(d.Body) {
				continue // of the last step, in another form
			}
			*got = append(*got, fmt.Sprintf("%s %s %s", d.Rule, strings.Join(d.Keys, " "), momentary.ReplaceAll(d.Body, []byte(`"$1":0`))))
		}
	}
}

// followServer runs a pipeline from a real server into an outbox, until the test ends. The context ends with it.
func followServer(t *testing.T, server *dbtest.Server, plugin bool, coalesce time.Duration) (context.Context, outbox.Store) {
	t.Helper()
	log := slog.New(slog.DiscardHandler)
	site := &rules.Site{Name: "salon", Schema: "wordpress", Prefix: "wp_"}
	c := mysql.NewConfig()
	c.User, c.Passwd, c.Net, c.Addr, c.InterpolateParams, c.Loc = "rowhook", "secret", "tcp", server.Address(), true, time.UTC
	c.Params = map[string]string{"time_zone": "'+00:00'"}
	if err := c.Apply(mysql.Charset("utf8mb4", "")); err != nil {
		t.Fatal(err)
	}
	connector, err := mysql.NewConnector(c)
	if err != nil {
		t.Fatal(err)
	}
	db := sql.OpenDB(connector)
	t.Cleanup(func() { db.Close() })
	source, err := cdc.Open(t.Context(), db, cdc.Config{
		Address: server.Address(), User: "rowhook", Password: "secret", ServerID: rand.Uint32() | 1, Statements: true,
		Tables: site.Tables(), Lookups: Lookups([]*rules.Site{site}), Log: log,
	})
	if err != nil {
		t.Fatal(err)
	}
	store, err := sqlite.Open(t.Context(), t.TempDir(), log)
	if err != nil {
		t.Fatal(err)
	}
	followed := begun{source, make(chan struct{})}
	p := New(Config{
		Source: followed, SourceID: "source", Store: store, Loader: loader.New(db, source, loader.Options{Plugin: plugin}, log), Brake: open{},
		Sites: []*rules.Site{site}, Rules: imageRules(t), Log: log,
		Options: rules.Options{Plugin: plugin, Coalesce: coalesce, CoalesceMax: coalesce, Precision: source.Precision(), Log: log},
	})
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() {
		defer cancel()
		done <- p.Run(ctx)
	}()
	t.Cleanup(func() {
		cancel()
		if err := errors.Join(<-done, source.Close(), store.Close()); err != nil {
			t.Error(err)
		}
	})
	<-followed.begun
	return ctx, store
}

// begun is a source that tells when it is followed.
type begun struct {
	*cdc.Source
	begun chan struct{}
}

func (b begun) Follow(ctx context.Context, p cdc.Position, schema []cdc.SchemaRecord, sink cdc.Sink) error {
	close(b.begun)
	return b.Source.Follow(ctx, p, schema, sink)
}

// imageRules want every action in every form, and some only with a status.
func imageRules(t *testing.T) *rules.Set {
	t.Helper()
	var text strings.Builder
	text.WriteString("rules:\n")
	for _, a := range rules.Actions() {
		loads := []string{""}
		if a.Kind != rules.Delete {
			loads = nil
			for _, l := range a.Entity.Loads {
				loads = append(loads, l.String())
			}
		}
		for _, l := range loads {
			fmt.Fprintf(&text, "  - {name: %s, action: %s, url: \"http://127.0.0.1/\"", strings.TrimRight(a.String()+"-"+l, "-"), a)
			if l != "" {
				fmt.Fprintf(&text, ", load: %s", l)
			}
			text.WriteString("}\n")
			if a.Entity.Name == "appointment" && a.Kind == rules.Save {
				fmt.Fprintf(&text, "  - {name: confirmed-%s, action: %s, url: \"http://127.0.0.1/\", load: %s, statuses: [C]}\n", l, a, l)
			}
		}
	}
	set, err := rules.Parse("rules.yaml", []byte(text.String()), nil)
	if err != nil {
		t.Fatal(err)
	}
	return &rules.Set{Rules: set}
}

// imageWorld writes to a salon: the same for the same seed. An update always changes what it names, and nothing is
// deleted in the step that changed it, so that the rows that are loaded are those that were logged.
type imageWorld struct {
	t       *testing.T
	db      *sql.DB
	site    *dbtest.Site
	rng     *rand.Rand
	n       int                // makes values that were not there before
	rows    map[string][]int64 // by table
	status  map[int64]string   // of reservations
	touched map[string]bool    // in this step
}

func (w *imageWorld) exec(query string) {
	w.t.Helper()
	if _, err := w.db.ExecContext(w.t.Context(), query); err != nil {
		w.t.Fatalf("%s: %v", query, err)
	}
}

func (w *imageWorld) insert(table string, pairs ...any) int64 {
	w.t.Helper()
	id, err := w.site.Insert(w.t.Context(), table, pairs...)
	if err != nil {
		w.t.Fatal(err)
	}
	w.rows[table] = append(w.rows[table], id)
	w.touch(table, id)
	return id
}

func (w *imageWorld) update(table string, id int64, pairs ...any) {
	w.t.Helper()
	w.touch(table, id)
	if err := w.site.Update(w.t.Context(), table, id, pairs...); err != nil {
		w.t.Fatal(err)
	}
}

func (w *imageWorld) touch(table string, id int64) { w.touched[fmt.Sprint(table, id)] = true }

// some is a row of a table that the world made, 0 when there is none.
func (w *imageWorld) some(table string) int64 {
	if ids := w.rows[table]; len(ids) > 0 {
		return ids[w.rng.IntN(len(ids))]
	}
	return 0
}

// fresh is a text that was not there before.
func (w *imageWorld) fresh() string {
	w.n++
	return fmt.Sprintf("é%d", w.n)
}

// step is a few changes, in one transaction or in several.
func (w *imageWorld) step(transactions int) {
	w.t.Helper()
	if w.rows == nil {
		w.rows, w.status = map[string][]int64{}, map[int64]string{}
	}
	w.touched = map[string]bool{}
	for range transactions {
		w.exec("BEGIN")
		for range 1 + w.rng.IntN(4) {
			w.change()
		}
		w.exec("COMMIT")
	}
}

func (w *imageWorld) change() {
	w.t.Helper()
	switch w.rng.IntN(12) {
	case 0:
		w.book(-1)
	case 1:
		parent := w.insert("reservation", "total_cost", 7, "purchaser_mail", "a@example.test", "id_parent", -1)
		w.status[parent] = "W"
		w.book(parent)
	case 2, 3, 4:
		w.changeBooking()
	case 5:
		w.changeOption()
	case 6:
		w.statusRow()
	case 7, 8:
		w.changeOrder()
	case 9:
		w.changeOthers()
	case 10:
		w.remove()
	case 11:
		if id := w.some("users"); id > 0 && len(w.touched) == 0 {
			w.exec(fmt.Sprintf("UPDATE `wp_vikappointments_users` SET `id` = %d WHERE `id` = %d", id+1000, id))
			w.rows["users"] = slices.DeleteFunc(w.rows["users"], func(n int64) bool { return n == id })
		}
	}
}

func (w *imageWorld) book(parent int64) {
	w.t.Helper()
	pairs := []any{"id_employee", 1 + w.rng.IntN(3), "id_service", 1 + w.rng.IntN(3), "checkin_ts", "2027-01-02 10:00:00", "duration", 45, "notes", w.fresh(), "locked_until", w.rng.IntN(1000)}
	if w.rng.IntN(2) == 0 {
		pairs = append(pairs, "status", "C", "custom_f", `{"CUSTOMF_NAME":"`+w.fresh()+`"}`)
	}
	if parent > 0 {
		pairs = append(pairs, "id_parent", parent)
	}
	id := w.insert("reservation", pairs...)
	w.status[id] = "W"
	if slices.Contains(pairs, any("C")) {
		w.status[id] = "C"
	}
	if parent < 0 {
		w.update("reservation", id, "id_parent", id)
	}
}

func (w *imageWorld) changeBooking() {
	w.t.Helper()
	id := w.some("reservation")
	if id == 0 {
		return
	}
	switch w.rng.IntN(5) {
	case 0:
		w.update("reservation", id, "log", w.fresh())
	case 1:
		to := []string{"C", "W", "X"}[w.rng.IntN(3)]
		if to != w.status[id] {
			w.n++
			w.status[id] = to
			w.update("reservation", id, "status", to, "locked_until", 1000+w.n)
		}
	case 2:
		w.update("reservation", id, "notes", w.fresh(), "attendees", `[{"CUSTOMF_NAME":"`+w.fresh()+`"}]`)
	default:
		w.n++
		w.update("reservation", id, "purchaser_nominative", w.fresh(), "locked_until", 1000+w.n, "total_cost", w.n)
	}
}

func (w *imageWorld) changeOption() {
	w.t.Helper()
	order, option := w.some("reservation"), w.some("res_opt_assoc")
	switch {
	case order == 0:
	case option == 0 || w.rng.IntN(3) == 0:
		w.touch("reservation", order)
		w.insert("res_opt_assoc", "id_reservation", order, "id_option", 1, "inc_price", 5, "quantity", 1)
	default:
		w.n++
		w.update("res_opt_assoc", option, "quantity", w.n) // whose order no partial image tells
	}
}

func (w *imageWorld) statusRow() {
	w.t.Helper()
	if id := w.some("reservation"); id > 0 {
		w.touch("reservation", id)
		w.insert("order_status", "id_order", id, "status", w.status[id], "type", "reservation")
	}
}

func (w *imageWorld) changeOrder() {
	w.t.Helper()
	order, item := w.some("package_order"), w.some("package_order_item")
	switch k := w.rng.IntN(5); {
	case order == 0 || k == 0:
		w.insert("package_order", "id_user", 1, "total_cost", 9, "status", "W", "sid", "S", "createdon", "2027-01-01 00:00:00")
	case item == 0 || k == 1:
		w.touch("package_order", order)
		w.insert("package_order_item", "id_order", order, "id_package", 1, "price", 3, "num_app", 4)
	case k == 2:
		w.n++
		w.update("package_order_item", item, "used_app", w.n) // housekeeping
	case k == 3:
		w.n++
		w.update("package_order_item", item, "price", w.n)
	default:
		w.n++
		w.update("package_order", order, "total_cost", w.n)
	}
}

func (w *imageWorld) changeOthers() {
	w.t.Helper()
	table := []string{"users", "employee", "service", "coupon"}[w.rng.IntN(4)]
	name := map[string]string{"users": "billing_name", "employee": "nickname", "service": "description", "coupon": "notes"}[table]
	if id := w.some(table); id > 0 && w.rng.IntN(2) == 0 {
		w.update(table, id, name, w.fresh())
		return
	}
	w.insert(table, name, w.fresh())
}

// remove deletes an object that this step did not touch. Its parts go first, in the same transaction.
func (w *imageWorld) remove() {
	w.t.Helper()
	table := []string{"package_order", "users", "employee", "coupon"}[w.rng.IntN(4)]
	id := w.some(table)
	if id == 0 || len(w.touched) > 0 {
		return
	}
	w.rows[table] = slices.DeleteFunc(w.rows[table], func(n int64) bool { return n == id })
	if err := w.site.Remove(w.t.Context(), table, id); err != nil {
		w.t.Fatal(err)
	}
}
