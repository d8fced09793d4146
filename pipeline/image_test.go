package pipeline

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"

	"rowhook/cdc"
	"rowhook/dbtest"
	"rowhook/loader"
	"rowhook/outbox"
	"rowhook/outbox/sqlite"
	"rowhook/rules"
	"rowhook/scratch"
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
				want := imageRun(t, kind, imageOptions{"FULL", seed, c.plugin, c.coalesce, nil, 0})
				if len(want) < 100 {
					t.Errorf("only %d deliveries", len(want))
				}
				for _, image := range []string{"MINIMAL", "NOBLOB"} {
					got := imageRun(t, kind, imageOptions{image, seed, c.plugin, c.coalesce, nil, 0})
					compareRuns(t, fmt.Sprintf("seed %d, %s", seed, image), got, want)
				}
			})
		}
	}
}

// TestLargeRows has texts of more than a megabyte in rows that are logged whole and in parts: what is posted is the same
// whether they are kept in memory or in scratch files, and read from the tables whole or in pieces.
func TestLargeRows(t *testing.T) {
	t.Parallel()
	for _, kind := range kinds(t) {
		for _, plugin := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s_plugin=%t", kind, plugin), func(t *testing.T) {
				t.Parallel()
				seed := dbtest.Seed(t)
				for _, image := range []string{"FULL", "MINIMAL"} {
					o := imageOptions{image: image, seed: seed, plugin: plugin, large: 1200 << 10}
					want := imageRun(t, kind, o)
					large := 0
					for _, line := range want {
						if strings.Contains(line, " bytes, ") {
							large++
						}
					}
					if large < 10 {
						t.Errorf("only %d of %d payloads are large", large, len(want))
					}
					var written atomic.Int64
					in := scratch.In(t.TempDir())
					o.scratch = func() (scratch.File, error) {
						f, err := in()
						return countedFile{f, &written}, err
					}
					compareRuns(t, fmt.Sprintf("seed %d, %s", seed, image), imageRun(t, kind, o), want)
					if mb := written.Load() >> 20; mb < int64(large) {
						t.Errorf("%d MB went through scratch files, for %d large payloads", mb, large)
					}
				}
			})
		}
	}
}

// countedFile counts what is written to it.
type countedFile struct {
	scratch.File
	written *atomic.Int64
}

func (f countedFile) WriteAt(p []byte, off int64) (int, error) {
	f.written.Add(int64(len(p)))
	return f.File.WriteAt(p, off)
}

// compareRuns fails where two runs differ first.
func compareRuns(t *testing.T, what string, got, want []string) {
	t.Helper()
	for i := range max(len(want), len(got)) {
		if i >= len(want) || i >= len(got) || want[i] != got[i] {
			t.Fatalf("%s: delivery %d of %d, want %d:\n got %s\nwant %s", what, i, len(got), len(want),
				strings.Join(got[min(i, len(got)):min(i+2, len(got))], "\n     "), strings.Join(want[min(i, len(want)):min(i+2, len(want))], "\n     "))
		}
	}
}

// imageOptions are those of a run.
type imageOptions struct {
	image    string
	seed     uint64
	plugin   bool
	coalesce time.Duration
	scratch  scratch.Files // nil: everything stays in memory
	large    int           // how large some texts are; 0: none is
}

// imageRun lets a salon's work be logged with a row image, and returns the deliveries in their order.
func imageRun(t *testing.T, kind dbtest.Kind, o imageOptions) []string {
	t.Helper()
	server := dbtest.StartServer(t, kind)
	dbtest.Salon(t, server, "wordpress", "wp_")
	server.CreateUser(t, "rowhook", "secret", "REPLICATION SLAVE, REPLICATION CLIENT ON *.*", "SELECT ON wordpress.*")
	if kind.MySQL() && o.plugin {
		server.Exec(t, "SET GLOBAL binlog_rows_query_log_events = ON")
	}
	db := server.DB(t, "wordpress")
	db.SetMaxOpenConns(1)
	w := &imageWorld{t: t, db: db, site: dbtest.NewSite(db, "wp_"), rng: rand.New(rand.NewPCG(o.seed, 1)), large: o.large}
	w.widen()
	w.exec("SET SESSION binlog_row_image = " + o.image)
	ctx, store := followServer(t, server, o)
	start := time.Now().Add(-240 * time.Hour).Truncate(time.Hour)
	var got []string
	after := int64(0)
	steps := 60
	if o.large > 0 && !o.plugin {
		steps = 25
	}
	for step := range steps {
		at := start.Add(time.Duration(step) * time.Hour).Unix()
		w.exec(fmt.Sprintf("SET timestamp = %d", at))
		if o.coalesce == 0 { // what is loaded must be what was committed
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
			body, err := io.ReadAll(d.Open())
			if err != nil {
				t.Fatal(err)
			}
			if strings.Contains(string(body), says) {
				return after
			}
			if marker.Match(body) {
				continue // of the last step, in another form
			}
			if body = momentary.ReplaceAll(body, []byte(`"$1":0`)); len(body) > 100<<10 {
				body = fmt.Appendf(body[:2000], "... %d bytes, %x", len(body), sha256.Sum256(body))
			}
			*got = append(*got, fmt.Sprintf("%s %s %s", d.Rule, strings.Join(d.Keys, " "), body))
		}
	}
}

// followServer runs a pipeline from a real server into an outbox, until the test ends. The context ends with it.
func followServer(t *testing.T, server *dbtest.Server, o imageOptions) (context.Context, outbox.Store) {
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
		Tables: site.Tables(), Lookups: Lookups([]*rules.Site{site}), Log: log, Scratch: o.scratch,
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
		Source: followed, SourceID: "source", Store: store, Loader: loader.New(db, source, loader.Options{Plugin: o.plugin, Scratch: o.scratch}, log), Brake: open{},
		Sites: []*rules.Site{site}, Rules: imageRules(t), Log: log,
		Options: rules.Options{
			Plugin: o.plugin, Coalesce: o.coalesce, CoalesceMax: o.coalesce, Precision: source.Precision(), Scratch: o.scratch, Log: log,
		},
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
	large   int                // how large some texts are; 0: none is
	larges  int                // those that are
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
	text := fmt.Sprintf("é%d", w.n)
	if w.large > 0 && w.rng.IntN(2) == 0 {
		w.larges++
		text += strings.Repeat("größe ", w.large/8+w.rng.IntN(1000))
	}
	return text
}

// widen lets the texts of the tables that are written to be large, each with a charset or none.
func (w *imageWorld) widen() {
	w.t.Helper()
	if w.large == 0 {
		return
	}
	for table, columns := range map[string]string{
		"reservation": "`notes` LONGTEXT CHARACTER SET latin1, MODIFY `attendees` LONGTEXT, MODIFY `custom_f` MEDIUMTEXT, MODIFY `log` LONGBLOB",
		"employee":    "`nickname` LONGTEXT CHARACTER SET utf8mb4", "service": "`description` LONGTEXT", "coupon": "`notes` LONGTEXT",
	} {
		w.exec("ALTER TABLE `wp_vikappointments_" + table + "` MODIFY " + columns)
	}
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
