package pipeline

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"rowhook/cdc"
	"rowhook/outbox"
	"rowhook/rules"
)

// dying is a store that takes so many commits more, as if the process were killed then.
type dying struct {
	outbox.Store
	left int
}

var errDied = errors.New("killed")

func (d *dying) Commit(ctx context.Context, b *outbox.Batch) error {
	if d.left == 0 {
		return errDied
	}
	d.left--
	return d.Store.Commit(ctx, b)
}

// TestStoppedSiteOverCrashes kills the pipeline at each of its commits while a site is stopped, catches up and joins the
// others: every event is delivered once, with the id that it has when nothing happens.
func TestStoppedSiteOverCrashes(t *testing.T) {
	t.Parallel()
	const each = 12
	ids := func(trouble bool) []string {
		b := newBench(t, 0)
		whole := b.store
		for i := range each {
			b.src.write(txn{b.coupon(0, i, "a"), b.coupon(1, i, "b")})
		}
		table := b.sites[0].Table("coupon")
		if trouble {
			b.src.trouble = map[uint64]*cdc.TableError{3: {Table: table, Txn: cdc.Txn{Start: coord(3)}, Reason: "it does not fit"}}
		}
		b.opened = true // from the beginning of the log
		for kill := 0; trouble && kill < each; kill++ {
			b.store = &dying{whole, 1 + kill%4}
			end := b.run()
			if kill == each/2 { // it is fixed
				b.src.mu.Lock()
				b.src.trouble = nil
				b.src.mu.Unlock()
			}
			select {
			case <-b.ended:
			case <-time.After(1500 * time.Millisecond): // nothing more to commit
			}
			if err := end(); err != nil && !errors.Is(err, errDied) {
				t.Fatal(err)
			}
		}
		b.store = whole
		end := b.run()
		b.next(0, 2*each)
		if err := end(); err != nil {
			t.Fatal(err)
		}
		list, err := whole.List(t.Context(), outbox.Filter{Limit: 10 * each})
		if err != nil {
			t.Fatal(err)
		}
		var all []string
		for _, d := range list {
			all = append(all, d.ID.String()+" "+d.Keys[0])
		}
		slices.Sort(all)
		return all
	}
	want := ids(false)
	if got := ids(true); len(want) != 2*each || !slices.Equal(got, want) {
		t.Errorf("%d deliveries:\n%v\nwant %d:\n%v", len(got), got, len(want), want)
	}
}

// TestOthersGoOnWhileASiteIsStopped: all that is committed elsewhere is delivered while a site waits for a person, and the
// site's own behind that.
func TestOthersGoOnWhileASiteIsStopped(t *testing.T) {
	t.Parallel()
	b := newBench(t, 0)
	table := b.sites[0].Table("coupon")
	b.src.trouble = map[uint64]*cdc.TableError{1: {Table: table, Txn: cdc.Txn{Start: coord(1)}, Reason: "a statement", Lasting: true}}
	end := b.run()
	b.src.write(txn{b.coupon(0, 1, "a")})
	b.next(0, 1)
	for i := range 50 {
		b.src.write(txn{b.coupon(0, i, "b"), b.coupon(1, i, "c")})
	}
	b.next(1, 50)
	ctx := patience(t)
	sites, err := b.line.Sites(ctx)
	if err != nil || sites[0].State != SiteStopped || sites[0].Reason != "a statement" || sites[1].State != SiteReading {
		t.Fatalf("%v: %+v", err, sites)
	}
	if err := b.line.ResumeSite(ctx, "nowhere", false); err == nil {
		t.Error("a site that is not there goes on")
	}
	if err := b.line.ResumeSite(ctx, "salon", false); err != nil {
		t.Fatal(err)
	}
	for _, d := range b.next(51, 50) {
		if d[:len("coupons salon")] != "coupons salon" {
			t.Errorf("%s came behind", d)
		}
	}
	if err := end(); err != nil {
		t.Fatal(err)
	}
}

// TestKnownOfASite: a stopped site takes with it what is known of its own tables and of those that may become its own, not that of
// all other sites in its schema, which may be hundreds.
func TestKnownOfASite(t *testing.T) {
	t.Parallel()
	var sites []*rules.Site
	for n := range 300 {
		sites = append(sites, &rules.Site{Name: fmt.Sprintf("site%d", n), Schema: "network", Prefix: fmt.Sprintf("wp_%d_", n)})
	}
	b := newBench(t, 0)
	p := New(Config{Sites: sites, Rules: &rules.Set{}, Options: b.opts, Log: b.log})
	var records []cdc.SchemaRecord
	known := func(schema, name string) {
		records = append(records, cdc.SchemaRecord{Key: fmt.Sprintf("%s`%s`.`%s`", cdc.SchemaPrefix, schema, name), Data: []byte("{}")})
	}
	for _, s := range sites {
		for _, t := range s.Tables() {
			known(t.Schema, t.Name)
		}
	}
	known("network", "")
	known("network", "wp_7_vikappointments_reservation_new") // of an ALTER TABLE by hand, say
	known("another", "wp_7_vikappointments_reservation")
	p.sites.learn(records)
	own := len(sites[7].Tables())
	if got := p.sites.knownOf(sites[7]); len(got) != own+2 {
		t.Errorf("%d of %d records are the site's, which has %d tables", len(got), len(records), own)
	}
}

// TestStopOfAWholeSite: a stop that was stored before sites were read in two parts is one of each, at the same place.
func TestStopOfAWholeSite(t *testing.T) {
	t.Parallel()
	b := newBench(t, 0)
	stop := Stop{Site: "salon", Reason: "it does not fit", Decide: true, Since: time.Now(), Position: cdc.Position{Flavor: "mariadb", Start: coord(3)}}
	stored, err := stop.record()
	if err != nil {
		t.Fatal(err)
	}
	schema := outbox.Record{Owner: siteOwner, Key: stop.schemaKey(cdc.SchemaRecord{Key: "wp.a_things"}), Data: []byte("{}")}
	p := New(Config{Sites: b.sites, Rules: &rules.Set{}, Options: b.opts, Log: b.log})
	if p.cursor, err = cdc.NewCursor(cdc.Position{Flavor: "mariadb", Start: coord(9)}); err != nil {
		t.Fatal(err)
	}
	if err := p.sites.restoreStops([]outbox.Record{stored, schema}); err != nil {
		t.Fatal(err)
	}
	var stopped []string
	for _, s := range p.sites.status() {
		if s.Apart() {
			stopped = append(stopped, fmt.Sprintf("%s at %s", s.Name, s.Stop.Position.Start))
		}
	}
	at := coord(3).String()
	if want := []string{"salon at " + at, "salon+tables at " + at}; !slices.Equal(stopped, want) {
		t.Errorf("stopped are %q, want %q", stopped, want)
	}
	records, err := p.sites.take()
	if err != nil {
		t.Fatal(err)
	}
	again, err := readStops(records)
	if err != nil {
		t.Fatal(err)
	}
	if len(again) != 2 || len(uncut(again)) != 2 {
		t.Fatalf("%d stops are stored, and read as %d", len(again), len(uncut(again)))
	}
	for _, s := range again {
		if len(s.schema) != 1 {
			t.Errorf("%s is stored with %d tables", s.Site, len(s.schema))
		}
	}
}
