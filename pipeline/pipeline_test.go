package pipeline

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	_ "github.com/go-sql-driver/mysql"

	"rowhook/cdc"
	"rowhook/cdc/rowcodec"
	"rowhook/cdc/schema"
	"rowhook/loader"
	"rowhook/outbox"
	"rowhook/outbox/sqlite"
	"rowhook/rules"
	"rowhook/rules/events"
)

type mariaDB struct{}

func (mariaDB) MariaDB() bool { return true }

// bench is a pipeline for two sites over a real outbox. The sites' database does not answer.
type bench struct {
	t     *testing.T
	src   *script
	store outbox.Store
	opts  events.Options
	sites []*rules.Site
	rules string
	ended chan struct{} // closed when the last run ended
	line  *Pipeline     // of the last run

	log    *slog.Logger
	opened bool // the log is read from its beginning

	beside func([]cdc.TableName) Follower // nil: src
	watch  func(*rules.Set)
}

func newBench(t *testing.T, coalesce time.Duration) *bench {
	t.Helper()
	store, err := sqlite.Open(t.Context(), t.TempDir(), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	})
	log := slog.New(slog.DiscardHandler)
	return &bench{
		t: t, src: newScript(), store: store, rules: ruleFile, log: log,
		opts: events.Options{Coalesce: coalesce, CoalesceMax: time.Minute, Precision: time.Microsecond, Log: log},
		sites: []*rules.Site{
			{Name: "salon", Schema: "wp", Prefix: "a_"}, {Name: "spa", Schema: "wp", Prefix: "b_"},
		},
	}
}

const ruleFile = `rules:
  - {name: coupons, action: coupon.save, load: full, url: "http://127.0.0.1/"}
  - {name: orders, action: package_order.save, load: full, url: "http://127.0.0.1/"}`

// run runs a pipeline until the returned function ends it and returns its error.
func (b *bench) run() (end func() error) {
	b.t.Helper()
	set, err := rules.Parse("rules.yaml", []byte(b.rules), nil)
	if err != nil {
		b.t.Fatal(err)
	}
	routeAll(b.t, b.store, set)
	db, err := sql.Open("mysql", "nobody@tcp(127.0.0.1:1)/")
	if err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(func() { _ = db.Close() })
	if b.beside == nil {
		b.beside = func([]cdc.TableName) Follower { return b.src }
	}
	p := New(Config{
		Source: b.src, Beside: b.beside, Watch: b.watch, SourceID: "source", Outbox: b.store, Loader: newLoader(db, b.log),
		Sites: b.sites, Rules: &rules.Set{Rules: set}, Options: b.opts, Log: b.log,
	})
	b.line, b.src.opened = p, b.opened
	ctx, cancel := context.WithCancel(b.t.Context())
	done, over := make(chan error, 1), make(chan struct{})
	b.ended = over
	go func() {
		defer close(over)
		done <- p.Run(ctx)
	}()
	select {
	case <-b.src.begun:
	case err := <-done:
		b.t.Fatalf("it did not begin: %v", err)
	}
	ended := false
	end = func() error {
		if ended {
			return nil
		}
		ended = true
		cancel()
		return <-done
	}
	b.t.Cleanup(func() {
		if err := end(); err != nil {
			b.t.Error(err)
		}
	})
	return end
}

func newLoader(db *sql.DB, log *slog.Logger) *loader.Loader {
	return loader.New(db, mariaDB{}, loader.Options{}, log)
}

// next waits for n deliveries behind a number and returns them as "rule id".
func (b *bench) next(after int64, n int) []string {
	b.t.Helper()
	ctx := patience(b.t)
	var all []string
	for len(all) < n {
		list, err := claim(ctx, b.store, after, n-len(all))
		if err != nil {
			b.t.Fatalf("%d of %d deliveries came: %v", len(all), n, err)
		}
		for _, d := range list {
			all = append(all, d.Rule+" "+strings.Join(d.Keys, " "))
			after = d.Number
		}
	}
	return all
}

// coupon is a change of a coupon of a site; item is one of an item of a package order, whose own row has to be
// loaded.
func (b *bench) coupon(site, id int, name string) cdc.Change {
	t := schema.NewTable(b.sites[site].Table("coupon"), []string{"id", "used_quantity"}, []int{0})
	return cdc.Change{Table: t, Op: cdc.Update, Before: row(id, ""), After: row(id, name)}
}

func (b *bench) item(site, order int) cdc.Change {
	t := schema.NewTable(b.sites[site].Table("package_order_item"), []string{"id", "id_order"}, []int{0})
	return cdc.Change{Table: t, Op: cdc.Insert, After: row(1, fmt.Sprint(order))}
}

func row(id int, text string) cdc.Row {
	var r rowcodec.RowBuilder
	r.AddText(cdc.Int, fmt.Sprint(id))
	r.AddText(cdc.Int, text)
	return r.Row()
}

func TestReadsOnBehindWhatIsStored(t *testing.T) {
	t.Parallel()
	b := newBench(t, 0)
	end := b.run()
	b.src.write(txn{b.coupon(0, 1, "a")})
	b.src.write(txn{b.coupon(0, 1, "b"), b.coupon(1, 7, "c")})
	if got, want := b.next(0, 3), []string{"coupons salon/coupon/1", "coupons salon/coupon/1", "coupons spa/coupon/7"}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if err := end(); err != nil {
		t.Fatal(err)
	}
	b.src.write(txn{b.coupon(0, 2, "d")}) // while nobody follows
	b.run()
	if got, want := b.next(3, 1), []string{"coupons salon/coupon/2"}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if want := []uint64{0, 2}; !slices.Equal(b.src.since, want) {
		t.Errorf("reading began at %v, want %v", b.src.since, want)
	}
}

func TestSchemaRecordsAreStoredWithThePosition(t *testing.T) {
	t.Parallel()
	b := newBench(t, 0)
	b.src.schema = map[int][]cdc.SchemaRecord{
		0: {{Key: cdc.SchemaPrefix + "a", Data: []byte("old")}, {Key: cdc.SchemaPrefix + "b", Data: []byte("gone")}},
		1: {{Key: cdc.SchemaPrefix + "b"}, {Key: cdc.SchemaPrefix + "a", Data: []byte("new")}},
		2: {{Key: cdc.SchemaPrefix + "c", Data: []byte("alone")}},
	}
	b.src.later = map[int][]cdc.SchemaRecord{2: {{Key: cdc.SchemaPrefix + "d", Data: []byte("without a transaction")}}}
	end := b.run()
	b.src.write(txn{b.coupon(0, 1, "a")})
	b.src.write(txn{b.coupon(0, 1, "b")})
	b.src.write(nil) // DDL
	b.src.write(txn{b.coupon(0, 1, "c")})
	b.next(0, 3)
	if err := end(); err != nil {
		t.Fatal(err)
	}
	b.run()
	got := ""
	for _, r := range b.src.handed[1] {
		got += fmt.Sprintf("%s=%s ", r.Key, r.Data)
	}
	if want := "sa=new sc=alone sd=without a transaction "; got != want || b.src.handed[0] != nil {
		t.Errorf("handed at first %v, then %s; want %s", b.src.handed[0], got, want)
	}
}

// TestFirstPositionKnowsTables: who stops before anything was read starts much later with tables that may have been altered.
func TestFirstPositionKnowsTables(t *testing.T) {
	t.Parallel()
	b := newBench(t, 0)
	b.src.tables = []cdc.SchemaRecord{{Key: cdc.SchemaPrefix + "a", Data: []byte("at first")}}
	end := b.run()
	state, err := b.store.Resume(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, known, _ := splitRecords(state.Open); state.Checkpoint == nil || !reflect.DeepEqual(known, b.src.tables) {
		t.Errorf("position %s is stored with %v", state.Checkpoint, known)
	}
	if err := end(); err != nil {
		t.Fatal(err)
	}
	b.src.tables = nil
	b.run()
	want := []cdc.SchemaRecord{{Key: cdc.SchemaPrefix + "a", Data: []byte("at first")}}
	if !reflect.DeepEqual(b.src.handed, [][]cdc.SchemaRecord{want, want}) {
		t.Errorf("the readings were handed %v", b.src.handed)
	}
}

func TestOpenEventsSurvive(t *testing.T) {
	t.Parallel()
	b := newBench(t, 300*time.Millisecond)
	end := b.run()
	b.src.write(txn{b.coupon(0, 1, "a")})
	b.src.write(txn{b.coupon(0, 1, "b")})
	if err := end(); err != nil { // before the window is over, perhaps before anything was read
		t.Fatal(err)
	}
	b.src.write(txn{b.coupon(0, 1, "c")})
	b.run()
	b.next(0, 1)
	list, err := b.store.List(t.Context(), outbox.Filter{Bodies: true})
	if err != nil {
		t.Fatal(err)
	}
	if len(list) != 1 || string(list[0].Body) != `{"id":"1","used_quantity":"c"}` {
		t.Errorf("%d deliveries, the first %s: want one with the last value", len(list), list[0].Body)
	}
}

func TestOneSiteDoesNotHoldTheOthers(t *testing.T) {
	t.Parallel()
	b := newBench(t, 0)
	end := b.run()
	b.src.write(txn{b.item(0, 5)})           // has to be loaded, and the database does not answer
	b.src.write(txn{b.coupon(0, 1, "held")}) // behind it, in order
	b.src.write(txn{b.coupon(1, 7, "free")})
	if got, want := b.next(0, 1), []string{"coupons spa/coupon/7"}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if err := end(); err != nil {
		t.Fatal(err)
	}
	state, err := b.store.Resume(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(state.Checkpoint), `"offset":2`) {
		t.Errorf("the position stands at %s: a slow load held it", state.Checkpoint)
	}
	open := 0
	for _, r := range state.Open {
		if strings.HasPrefix(r.Key, "e") {
			open++
		}
	}
	if open != 2 {
		t.Errorf("%d events are stored as not delivered, want 2", open)
	}
}

// full is an outbox whose disk is full from some commit on.
type full struct {
	outbox.Store
	left int
}

var errFull = errors.New("the disk is full")

func (f *full) Commit(ctx context.Context, b *outbox.Batch) error {
	if len(b.Deliveries) > 0 {
		if f.left--; f.left < 0 {
			return errFull
		}
	}
	return f.Store.Commit(ctx, b)
}

func TestAFailedCommitEndsItAndLosesNothing(t *testing.T) {
	t.Parallel()
	b := newBench(t, 0)
	whole := b.store
	b.store = &full{Store: whole, left: 1}
	end := b.run()
	b.src.write(txn{b.coupon(0, 1, "a")})
	b.next(0, 1)
	b.src.write(txn{b.coupon(0, 2, "b")})
	b.src.write(txn{b.coupon(0, 3, "c")})
	<-b.ended // by itself
	if err := end(); !errors.Is(err, errFull) {
		t.Fatalf("ended with %v", err)
	}
	b.store = whole
	b.run()
	if got, want := b.next(1, 2), []string{"coupons salon/coupon/2", "coupons salon/coupon/3"}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

// site is how a site stands.
func (b *bench) site(t *testing.T, n int) SiteStatus {
	t.Helper()
	ctx := patience(t)
	all, err := b.line.Sites(ctx)
	if err != nil {
		t.Fatal(err)
	}
	return all[n]
}

// patience is a context that ends a test that hangs: no busy machine takes that long.
func patience(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	t.Cleanup(cancel)
	return ctx
}

// await waits until something is so.
func (b *bench) await(what string, is func() bool) {
	b.t.Helper()
	ctx := patience(b.t)
	look := time.NewTicker(5 * time.Millisecond)
	defer look.Stop()
	for !is() {
		select {
		case <-look.C:
		case <-ctx.Done():
			b.t.Fatalf("waited in vain until %s", what)
		}
	}
}
