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
	"rowhook/rules/events"
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

// TestTakeOver: a stop that an earlier version stored is one of each part that it was of, at the same place: with what is known of
// tables there, and how much of a transaction is applied. It is stored so, in place of the old one, and read again the same.
func TestTakeOver(t *testing.T) {
	t.Parallel()
	set := customSet(t, "posts", "my notes", "tables", "vikappointments_reservation")
	whole := []string{"salon", "salon+my%20notes", "salon+posts", "salon+tables", "salon+vikappointments_reservation"}
	for name, test := range map[string]struct {
		stop Stop
		set  *rules.Set
		want []string
	}{
		"of a whole site":                 {Stop{Site: "salon"}, set, whole},
		"and no rule names a table":       {Stop{Site: "salon"}, &rules.Set{}, whole[:1]},
		"of all that rules name":          {Stop{Site: "salon+tables", Cut: true}, set, whole[1:4]},
		"and they name none any more":     {Stop{Site: "salon+tables", Cut: true}, &rules.Set{}, nil},
		"of a table":                      {Stop{Site: "salon+tables", Of: "tables", Cut: true}, set, whole[3:4]},
		"of the plugin's, with its rules": {Stop{Site: "salon", Cut: true}, set, []string{whole[0], whole[4]}},
		"of the plugin's alone":           {Stop{Site: "salon", Cut: true, Apart: true}, set, whole[:1]},
		"of rules for one of its tables":  {Stop{Site: whole[4], Of: "vikappointments_reservation", Cut: true, Apart: true}, set, whole[4:]},
		"and no rule names it any more":   {Stop{Site: "salon+my%20notes", Of: "my notes", Cut: true}, &rules.Set{}, whole[1:2]},
		"of a site that is not here now":  {Stop{Site: "gone"}, set, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			stop := test.stop
			stop.Reason, stop.Decide, stop.Since, stop.Position = "it does not fit", true, time.Now(), cdc.Position{Flavor: "mariadb", Start: coord(3)}
			record, err := stop.record()
			if err != nil {
				t.Fatal(err)
			}
			stored := map[[2]string][]byte{}
			store := func(records ...outbox.Record) {
				for _, r := range records {
					if stored[[2]string{r.Owner, r.Key}] = r.Data; r.Data == nil {
						delete(stored, [2]string{r.Owner, r.Key})
					}
				}
			}
			all := func() (records []outbox.Record) {
				for k, data := range stored {
					records = append(records, outbox.Record{Owner: k[0], Key: k[1], Data: data})
				}
				return records
			}
			store(record, outbox.Record{Owner: siteOwner, Key: stop.schemaKey(cdc.SchemaRecord{Key: "wp.a/things"}), Data: []byte("{}")},
				outbox.Record{Owner: eventsOwner, Key: events.ApartKey(stop.Site), Data: []byte(`{"txn": "7"}`)})
			for range 2 {
				b := newBench(t, 0)
				p := New(Config{Sites: b.sites, Rules: test.set, Options: b.opts, Log: b.log})
				if p.cursor, err = cdc.NewCursor(cdc.Position{Flavor: "mariadb", Start: coord(9)}); err != nil {
					t.Fatal(err)
				}
				records, err := p.sites.takeOver(all())
				if err != nil {
					t.Fatal(err)
				}
				if err := p.sites.restoreStops(records); err != nil {
					t.Fatal(err)
				}
				var stopped []string
				for _, s := range p.sites.status() {
					if s.Apart() {
						stopped = append(stopped, s.Name)
						if s.Stop.Position.Start != coord(3) {
							t.Errorf("%s goes on at %s", s.Name, s.Stop.Position.Start)
						}
					}
				}
				if !slices.Equal(stopped, test.want) {
					t.Errorf("stopped are %q, want %q", stopped, test.want)
				}
				changes, err := p.sites.take()
				if err != nil {
					t.Fatal(err)
				}
				store(changes...)
				again, err := readStops(all())
				if err != nil {
					t.Fatal(err)
				}
				want := len(test.want)
				if rules.SiteOf(stop.Site) == "gone" { // it waits for that site
					want = 1
				}
				if len(again) != want || len(stored) != 3*want {
					t.Fatalf("%d stops are stored in %d records, want %d", len(again), len(stored), want)
				}
				for _, s := range again {
					if progress := stored[[2]string{eventsOwner, events.ApartKey(s.Site)}]; len(s.schema) != 1 || string(progress) != `{"txn": "7"}` {
						t.Errorf("%s is stored with %d tables, and applied is %s", s.Site, len(s.schema), progress)
					}
				}
			}
		})
	}
}

// customSet is rules for rows of tables.
func customSet(t *testing.T, tables ...string) *rules.Set {
	t.Helper()
	text := "rules:\n"
	for i, table := range tables {
		text += fmt.Sprintf("  - {name: r%d, action: custom, table: %q, url: \"http://127.0.0.1/\"}\n", i, table)
	}
	all, err := rules.Parse("rules.yaml", []byte(text), nil)
	if err != nil {
		t.Fatal(err)
	}
	return &rules.Set{Rules: all}
}
