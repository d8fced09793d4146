package loader

import (
	"log/slog"
	"slices"
	"testing"

	"rowhook/cdc"
	"rowhook/dbtest"
	"rowhook/rules"
)

func TestLookups(t *testing.T) {
	t.Parallel()
	server := dbtest.Start(t)
	dbtest.Salon(t, server, "wordpress", "wp_")
	site := &rules.Site{Name: "salon", Schema: "wordpress", Prefix: "wp_"}
	l := New(server.DB(t, ""), mariaDB{}, Options{}, slog.New(slog.DiscardHandler))
	open := func() *snapshot {
		t.Helper()
		snap, err := l.snapshot(t.Context(), &rules.Event{Site: site, Action: entity(t, "appointment.save"), Last: end(t, server)})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { snap.close(t.Context()) })
		return snap
	}
	name := func(snap *snapshot) string {
		t.Helper()
		e, err := l.cache.find(t.Context(), snap, site, "service")
		if err != nil {
			t.Fatal(err)
		}
		return e.get(1, "").text("name")
	}
	rename := func(to string) cdc.Coord {
		t.Helper()
		server.Exec(t, "UPDATE wordpress.wp_vikappointments_service SET name = ? WHERE id = 1", to)
		return end(t, server)
	}
	service := site.Table("service")

	first := rename("one")
	snap := open()
	if got := name(snap); got != "one" {
		t.Fatalf("the service is called %q", got)
	}
	l.invalidate(service, "", first) // which the snapshot contains
	before := snap.queries
	if name(snap); snap.queries != before {
		t.Error("an entry that contains the change was dropped")
	}

	slow := open() // a read that is in progress while the service changes
	second := rename("two")
	l.invalidate(service, "", second)
	if got := name(slow); got != "one" {
		t.Errorf("a snapshot from before shows %q", got)
	}
	now := open()
	if got := name(now); got != "two" {
		t.Errorf("the stale entry came back: %q", got)
	}
	if got := name(slow); got != "two" {
		t.Errorf("the remembered name is %q", got)
	}
}

func TestLookupOptions(t *testing.T) {
	t.Parallel()
	site := &rules.Site{Name: "salon", Schema: "wordpress", Prefix: "wp_"}
	tables := LookupTables(site)
	for _, want := range []cdc.TableName{{Schema: "wordpress", Name: "wp_options"}, site.Table("config"), site.Table("cities"), site.Table("lang_service")} {
		if !slices.Contains(tables, want) {
			t.Errorf("%s is not watched", want)
		}
	}
	l := New(nil, mariaDB{}, Options{}, slog.New(slog.DiscardHandler))
	key := cacheKey{site, "options"}
	l.cache.entries[key] = &entry{at: cdc.Coord{File: "b.1", Offset: 4}}
	end := cdc.Coord{File: "b.1", Offset: 5}
	options := cdc.TableName{Schema: "wordpress", Name: "wp_options"}
	if l.invalidate(options, "cron", end); l.cache.entries[key] == nil {
		t.Error("an option of no interest dropped the others")
	}
	if l.invalidate(cdc.TableName{Schema: "other", Name: "wp_options"}, "WPLANG", end); l.cache.entries[key] == nil {
		t.Error("another site's option dropped this one's")
	}
	if l.invalidate(options, "WPLANG", end); l.cache.entries[key] != nil {
		t.Error("a changed option is still remembered")
	}
}
