package pipeline

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	_ "github.com/go-sql-driver/mysql"

	"rowhook/cdc"
	"rowhook/loader"
	"rowhook/outbox"
	"rowhook/outbox/sqlite"
	"rowhook/rules"
)

// script is a server whose log is written by the test. The log has no GTIDs: offsets count transactions.
type script struct {
	mu    sync.Mutex
	log   []txn
	more  chan struct{} // closed, and made anew, when the log grows
	since []uint64      // where each Follow began
	begun chan struct{} // holds a token for each Follow that began

	schema map[int][]cdc.SchemaRecord // what comes with a transaction
	later  map[int][]cdc.SchemaRecord // what comes behind it, alone
	handed [][]cdc.SchemaRecord       // what each Follow was handed
}

// txn is one transaction.
type txn []cdc.Change

func newScript() *script { return &script{more: make(chan struct{}), begun: make(chan struct{}, 8)} }

func (s *script) write(t txn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.log = append(s.log, t)
	close(s.more)
	s.more = make(chan struct{})
}

func (s *script) Current(context.Context) (cdc.Position, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return cdc.Position{Flavor: "mariadb", Start: coord(uint64(len(s.log)))}, nil
}

func (s *script) End(context.Context) (cdc.End, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return cdc.End{Coord: coord(uint64(len(s.log)))}, nil
}

func (s *script) Follow(ctx context.Context, p cdc.Position, schema []cdc.SchemaRecord, sink cdc.Sink) error {
	next := p.Start.Offset
	if p.Last != nil {
		next = p.Last.Start.Offset + 1 // Last was read before
	}
	s.mu.Lock()
	s.since = append(s.since, next)
	s.handed = append(s.handed, schema)
	s.mu.Unlock()
	s.begun <- struct{}{}
	if p.Last != nil { // a reader says so when it has compared it
		if err := sink.Commit(&cdc.Commit{End: coord(next)}); err != nil {
			return err
		}
	}
	for {
		s.mu.Lock()
		log, more := s.log, s.more
		s.mu.Unlock()
		for ; next < uint64(len(log)); next++ {
			for _, c := range log[next] {
				if err := sink.Change(&c); err != nil {
					return err
				}
			}
			at := cdc.Commit{Txn: cdc.Txn{Start: coord(next)}, End: coord(next + 1), Time: time.Now(), Rows: len(log[next]), Schema: s.schema[int(next)]}
			if err := sink.Commit(&at); err != nil {
				return err
			}
			if err := sink.Commit(&cdc.Commit{End: at.End, Schema: s.later[int(next)]}); err != nil {
				return err
			}
		}
		select {
		case <-more:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func coord(n uint64) cdc.Coord { return cdc.Coord{File: "log.1", Offset: n} }

// open is a Brake that never brakes.
type open struct{}

func (open) Wait(context.Context) error { return nil }

func (open) Calm(context.Context, string, int64) error { return nil }

type mariaDB struct{}

func (mariaDB) MariaDB() bool { return true }

// bench is a pipeline for two sites over a real outbox. The sites' database does not answer.
type bench struct {
	t     *testing.T
	src   *script
	store outbox.Store
	opts  rules.Options
	brake Brake
	sites []*rules.Site
	rules string
	ended chan struct{} // closed when the last run ended
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
		t: t, src: newScript(), store: store, brake: open{}, rules: ruleFile,
		opts: rules.Options{Coalesce: coalesce, CoalesceMax: time.Minute, Precision: time.Microsecond, Log: log},
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
	db, err := sql.Open("mysql", "nobody@tcp(127.0.0.1:1)/")
	if err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(func() { _ = db.Close() })
	log := slog.New(slog.DiscardHandler)
	p := New(Config{
		Source: b.src, SourceID: "source", Store: b.store, Loader: newLoader(db, log), Brake: b.brake,
		Sites: b.sites, Rules: &rules.Set{Rules: set}, Options: b.opts, Log: log,
	})
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

// next waits for n deliveries behind seq and returns them as "rule id".
func (b *bench) next(after int64, n int) []string {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.t.Context(), time.Minute)
	defer cancel()
	var all []string
	for len(all) < n {
		list, err := b.store.Next(ctx, after, n-len(all))
		if err != nil {
			b.t.Fatalf("%d of %d deliveries came: %v", len(all), n, err)
		}
		for _, d := range list {
			all = append(all, d.Rule+" "+strings.Join(d.Keys, " "))
			after = d.Seq
		}
	}
	return all
}

// coupon is a change of a coupon of a site; item is one of an item of a package order, whose own row has to be
// loaded.
func (b *bench) coupon(site, id int, name string) cdc.Change {
	t := cdc.NewTable(b.sites[site].Table("coupon"), []string{"id", "used_quantity"}, []int{0})
	return cdc.Change{Table: t, Op: cdc.Update, Before: row(id, ""), After: row(id, name)}
}

func (b *bench) item(site, order int) cdc.Change {
	t := cdc.NewTable(b.sites[site].Table("package_order_item"), []string{"id", "id_order"}, []int{0})
	return cdc.Change{Table: t, Op: cdc.Insert, After: row(1, fmt.Sprint(order))}
}

func row(id int, text string) cdc.Row {
	var r cdc.RowBuilder
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

// shut is a Brake that holds until it is opened.
type shut chan struct{}

func (s shut) Calm(ctx context.Context, _ string, _ int64) error { return s.Wait(ctx) }

func (s shut) Wait(ctx context.Context) error {
	select {
	case <-s:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func TestTheBrakeHoldsTheReader(t *testing.T) {
	t.Parallel()
	b := newBench(t, 0)
	brake := make(shut)
	b.brake = brake
	b.run()
	b.src.write(txn{b.coupon(0, 1, "a")})
	quiet, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if list, err := b.store.Next(quiet, 0, 1); err == nil {
		t.Errorf("%d deliveries passed the brake", len(list))
	}
	close(brake)
	b.next(0, 1)
}
