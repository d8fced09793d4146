package loader

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"log/slog"
	"strconv"
	"sync"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"rowhook/cdc"
	"rowhook/connect"
	"rowhook/dbtest"
	"rowhook/rules"
)

// The log shows a booking before the tables do: by milliseconds where many write, by as long as a replica takes under
// semi-sync. What is loaded must contain the event all the same, and what is remembered must contain what the log said
// before it. One writer gives the service the next number, then makes a booking, then saves a booking, under that number.

const (
	renames  = 40
	slowOnes = 3 // of them wait for a replica that never confirms
)

func TestLoadedContainsTheEvent(t *testing.T) {
	t.Parallel()
	server := dbtest.Start(t, "--rpl-semi-sync-master-timeout=1000", "--rpl-semi-sync-master-wait-point=AFTER_SYNC")
	dbtest.Salon(t, server, "wordpress", "wp_")
	site := &rules.Site{Name: "salon", Schema: "wordpress", Prefix: "wp_"}
	db := server.DB(t, "")
	lookups := map[cdc.TableName][]string{}
	for _, name := range LookupTables(site) {
		lookups[name] = nil
	}
	source, err := cdc.Open(t.Context(), db, cdc.Config{
		Server: connect.New(connect.Config{Network: "unix", Address: server.Socket(), User: "root"}), ServerID: 4242, Watch: cdc.Watch{Tables: site.Tables()}, Lookups: lookups, Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	defer source.Close()
	start, err := source.Current(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithTimeout(t.Context(), 5*time.Minute)
	defer stop()
	f := &follower{
		T: t, site: site, stop: stop, action: entity(t, "appointment.save"), read: make(chan cdc.Coord, 1),
		loader: New(db, source, Options{Plugin: true}, slog.New(slog.DiscardHandler)),
	}
	var g errgroup.Group
	var quiet sync.RWMutex
	alone := func(book func() (int64, error)) (int64, error) {
		quiet.Lock()
		defer quiet.Unlock()
		return bookSlowly(ctx, source, db, f.read, book)
	}
	g.Go(func() error { return write(ctx, server, alone, t) })
	for range 2 {
		g.Go(func() error { return disturb(ctx, server, &quiet, t) })
	}
	if err := source.Follow(ctx, start, nil, f); ctx.Err() == nil {
		t.Error(err)
	}
	stop()
	if err := g.Wait(); err != nil {
		t.Error(err)
	}
	if f.loads != 2*renames || f.longest < 100*time.Millisecond {
		t.Errorf("%d loads, want %d; the longest took %s, which waited for nothing", f.loads, 2*renames, f.longest)
	}
}

// write renames and books. A booking that shall wait for a replica is made while nobody else commits, who would wait in
// its place.
func write(ctx context.Context, server *dbtest.Server, alone func(book func() (int64, error)) (int64, error), t *testing.T) error {
	db := server.DB(t, "wordpress")
	salon := dbtest.NewSite(db, "wp_")
	for i := range renames {
		number := strconv.Itoa(i)
		if err := salon.Update(ctx, "service", 1, "name", number); err != nil {
			return err
		}
		book := func() (int64, error) {
			return salon.Insert(ctx, "reservation", "id_payment", 0, "id_employee", 1, "id_service", 1, "checkin_ts", "2027-01-01 10:00:00",
				"duration", 30, "purchaser_nominative", "new", "purchaser_phone", number)
		}
		if i >= renames-slowOnes {
			quick := book
			book = func() (int64, error) { return alone(quick) }
		}
		id, err := book()
		if err != nil {
			return err
		}
		if err := salon.SaveBooking(ctx, id, "purchaser_nominative", "saved"); err != nil {
			return err
		}
	}
	return nil
}

// bookSlowly makes a booking that waits for a replica, when the log was read up to its end: else it would have waited
// already when its turn comes. Semi-sync gives up after one wait, until it is switched on again.
func bookSlowly(ctx context.Context, source *cdc.Source, db *sql.DB, read <-chan cdc.Coord, book func() (int64, error)) (int64, error) {
	end, err := source.End(ctx)
	if err != nil {
		return 0, err
	}
	for at := (cdc.Coord{}); at.Before(end.Coord); {
		select {
		case at = <-read:
		case <-ctx.Done():
			return 0, ctx.Err()
		}
	}
	if _, err := db.ExecContext(ctx, "SET GLOBAL rpl_semi_sync_master_enabled = OFF; SET GLOBAL rpl_semi_sync_master_enabled = ON"); err != nil {
		return 0, err
	}
	return book()
}

// disturb writes as fast as it can, so that commits wait for each other.
func disturb(ctx context.Context, server *dbtest.Server, quiet *sync.RWMutex, t *testing.T) error {
	salon := dbtest.NewSite(server.DB(t, "wordpress"), "wp_")
	for i := 0; ctx.Err() == nil; i++ {
		quiet.RLock()
		err := salon.Update(ctx, "coupon", 1, "notes", i)
		quiet.RUnlock()
		if err != nil && ctx.Err() == nil {
			return err
		}
	}
	return nil
}

// follower loads every booking as soon as the log shows it.
type follower struct {
	*testing.T
	site    *rules.Site
	loader  *Loader
	action  rules.Action
	stop    func()
	changes []cdc.Change
	loads   int
	read    chan cdc.Coord // holds how far the log was read, and what it says loaded
	longest time.Duration
}

func (f *follower) Change(c *cdc.Change) error {
	f.changes = append(f.changes, *c)
	return nil
}

func (f *follower) Discard(keep int) { f.changes = f.changes[:keep] }

func (f *follower) Commit(c *cdc.Commit) error {
	for _, change := range f.changes {
		f.loader.invalidate(change.Table.TableName, "", c.End)
		if change.Table.TableName == f.site.Table("reservation") {
			if err := f.load(&change, c); err != nil {
				return err
			}
		}
	}
	select {
	case <-f.read:
	default:
	}
	f.read <- c.End
	if f.changes = f.changes[:0]; f.loads == 2*renames {
		f.stop()
	}
	return nil
}

func (f *follower) load(change *cdc.Change, c *cdc.Commit) error {
	f.loads++
	row := record{change.Table, change.After}
	ev := &rules.Event{
		Site: f.site, Action: f.action, IDs: []rules.Key{rules.NumberKey(row.id("id"))}, Table: change.Table, Row: change.After, Last: c.End,
		Rules: []*rules.Rule{{Name: "r", Load: rules.Extended}},
	}
	before := time.Now()
	payloads, err := f.loader.Load(f.Context(), []*rules.Event{ev})
	if err != nil {
		return err
	}
	f.longest = max(f.longest, time.Since(before))
	if payloads[0][0].Object != "" {
		f.Errorf("booking %s is gone before it is there", ev.IDs[0])
		return nil
	}
	var got struct {
		Name         string `json:"purchaser_nominative"`
		Appointments []struct{ Service struct{ Name string } }
	}
	if err := json.Unmarshal(payloads[0][0].Body, &got); err != nil {
		return err
	}
	if row.text("purchaser_nominative") == "saved" && got.Name != "saved" {
		f.Errorf("booking %s is loaded as it was before the event", ev.IDs[0])
	}
	want, err := strconv.Atoi(row.text("purchaser_phone"))
	if err != nil {
		return fmt.Errorf("reading the number of a booking: %w", err)
	}
	if name, err := strconv.Atoi(got.Appointments[0].Service.Name); err != nil || name < want {
		f.Errorf("the service is remembered as %q, and the log said %d", got.Appointments[0].Service.Name, want)
	}
	return nil
}
