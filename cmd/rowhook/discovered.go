package main

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"time"

	"rowhook/cdc"
	"rowhook/config"
	"rowhook/discover"
	"rowhook/lasting"
	"rowhook/outbox"
	"rowhook/pipeline"
	"rowhook/rules"
)

// With discover: true the sites that the configuration does not list are found on the server. When they change, all stages end
// in order and start again from where they were, with the sites that there are then: reading a site from within the log, and
// taking it out, is what every start does. A new one's first table is seen in the log, and the reading ends before it.

// The settings of the outbox that hold the sites: the names that were ever given, and those sites that were there last.
const (
	siteNamesKey  = "site_names"
	sitesFoundKey = "sites_found"
)

// lookAgain is how often the server is asked for its sites: a grant, and a table that went, are not in the log, or in a part of
// it that was read long ago.
const lookAgain = time.Minute

// errSitesChanged ends the stages, to start them again with other sites.
var errSitesChanged = errors.New("there are other sites than those that are followed")

// finder finds the sites of a daemon whose configuration has discover: true.
type finder struct {
	listed  []config.Site    // in the configuration
	found   discover.Names   // that are followed; nil: nobody has looked yet
	seen    map[string]bool  // tables that the log showed, with the transactions that made them
	waited  *discover.Place  // that the log showed before the stages ended
	unseen  []discover.Place // that the log showed and the server does not: they may not be read
	missing map[discover.Place]bool
	now     chan struct{} // asks to look at once
}

func newFinder(c *config.Config) *finder {
	return &finder{listed: c.Sites, seen: map[string]bool{}, missing: map[discover.Place]bool{}, now: make(chan struct{}, 1)}
}

// soon has the server asked at once.
func (f *finder) soon() {
	select {
	case f.now <- struct{}{}:
	default:
	}
}

// created looks at a table that comes to be in the log (cdc.Config). Reading ends before the first table of a site that nobody
// follows, once: when the site is then not among those that are found, it is gone again, or may not be seen.
func (f *finder) created(table cdc.TableName, txn string) error {
	place, ok := discover.PlaceOf(table.Schema, table.Name)
	if key := table.String() + " " + txn; !ok || f.seen[key] {
		return nil
	} else if f.seen[key] = true; len(f.seen) > 10_000 {
		f.seen = map[string]bool{key: true}
	}
	f.waited = &place
	return errSitesChanged
}

// mostUnseen bounds what is remembered of sites that may not be read.
const mostUnseen = 1000

// looked takes in where the server has sites. The one that the log showed is gone again when it is not among them, or may not be read.
func (f *finder) looked(places []discover.Place) {
	if f.waited != nil && len(f.unseen) < mostUnseen && !slices.Contains(f.unseen, *f.waited) {
		f.unseen = append(f.unseen, *f.waited)
	}
	f.waited = nil
	f.unseen = slices.DeleteFunc(f.unseen, func(p discover.Place) bool { return slices.Contains(places, p) })
}

// dropped looks at a table that goes, in the log (cdc.Config); without a name at all of a schema. It says whether that was of a site
// which may not be read.
func (f *finder) dropped(table cdc.TableName) (unseen bool) {
	place, _ := discover.PlaceOf(table.Schema, table.Name)
	before := len(f.unseen)
	f.unseen = slices.DeleteFunc(f.unseen, func(p discover.Place) bool { return p == place || table.Name == "" && p.Schema == table.Schema })
	return len(f.unseen) < before
}

// findSites finds out which sites there are, before the daemon's stages start, and says what is new and what is gone.
func (f *follower) findSites(ctx context.Context) error {
	finder := f.finder
	places, err := discover.Find(ctx, f.db)
	if err != nil {
		return err
	}
	names, err := readNames(ctx, f.store, siteNamesKey)
	if err != nil {
		return err
	}
	if finder.found == nil { // as they were when the daemon ended
		if finder.found, err = readNames(ctx, f.store, sitesFoundKey); err != nil {
			return err
		}
		f.log.Info("sites were looked for on the server", slog.Int("found", len(places)), slog.Int("listed", len(finder.listed)))
	}
	sites := names.Sites(finder.listed, places)
	found := discover.Names{}
	for _, s := range sites[len(finder.listed):] {
		found[discover.Place{Schema: s.Schema, Prefix: s.Prefix}] = s.Name
	}
	for key, n := range map[string]discover.Names{siteNamesKey: names, sitesFoundKey: found} {
		if err := rewrite(ctx, f.store, key, n.Text()); err != nil {
			return fmt.Errorf("storing the names of the sites: %w", err)
		}
	}
	f.tellSites(found)
	if finder.unseen, err = readUnseen(ctx, f.store); err != nil { // as they were when this process or another one ended
		return err
	}
	finder.looked(places)
	finder.unseen = slices.DeleteFunc(finder.unseen, func(p discover.Place) bool { return isGone(ctx, f.db, p) })
	f.tellUnseen()
	if err := f.keepUnseen(ctx); err != nil {
		return err
	}
	finder.found, finder.missing = found, map[discover.Place]bool{}
	f.cfg.Sites = sites
	f.tellRuleSites()
	return nil
}

// tellSites says which sites are new, and which are gone.
func (f *follower) tellSites(found discover.Names) {
	finder := f.finder
	for place, name := range found {
		if finder.found[place] == "" {
			f.log.Info("a site was found", slog.String("site", name), slog.String("schema", place.Schema), slog.String("prefix", place.Prefix))
		}
	}
	for place, name := range finder.found {
		if found[place] == "" {
			f.log.Warn("a site is let go: the plugin's tables are gone, or may not be seen any more", slog.String("site", name),
				slog.String("schema", place.Schema), slog.String("prefix", place.Prefix))
		}
	}
}

// tellRuleSites says which rules are for sites that are not there.
func (f *follower) tellRuleSites() {
	if f.finder == nil {
		return // reading the rules fails then
	}
	there := map[string]bool{}
	for _, s := range f.cfg.Sites {
		there[s.Name] = true
	}
	var wrong []lasting.Wrong
	for r := range f.set.Enabled() {
		for _, name := range slices.Sorted(maps.Keys(r.Sites)) {
			if !there[name] {
				wrong = append(wrong, lasting.Wrong{About: fmt.Sprintf("rule %s, site %s", r.Name, name), Text: "a rule is for a site that is not there", Found: "no site is called " + name,
					Fix: "rowhook sites list   shows the names of all; correct the rule, and send SIGHUP", NeedsYou: true})
			}
		}
	}
	f.wrong.Found(wrongRuleSites, wrong...)
}

// watchSites looks whether there are other sites than those that are followed, and ends with errSitesChanged when there are.
func (f *follower) watchSites(ctx context.Context) error {
	if f.finder == nil {
		return nil
	}
	again := time.NewTicker(lookAgain)
	defer again.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-f.finder.now:
		case <-again.C:
		}
		places, err := discover.Find(ctx, f.db)
		if err != nil {
			continue // the database is away, which its readers say
		}
		if f.otherSites(ctx, places) {
			return errSitesChanged
		}
	}
}

// otherSites compares what is followed with what is there. A site is let go when it is missing for the second time and nothing
// that was read of it waits.
func (f *follower) otherSites(ctx context.Context, places []discover.Place) bool {
	finder := f.finder
	for _, p := range places {
		if finder.found[p] == "" && !slices.ContainsFunc(finder.listed, func(s config.Site) bool { return s.Schema == p.Schema && s.Prefix == p.Prefix }) {
			return true
		}
	}
	standing, err := f.line.Sites(ctx)
	if err != nil {
		return false
	}
	for place, name := range finder.found {
		if slices.Contains(places, place) {
			delete(finder.missing, place)
			continue
		}
		waits := slices.ContainsFunc(standing, func(s pipeline.SiteStatus) bool { return rules.SiteOf(s.Name) == name && s.Events > 0 })
		if finder.missing[place] && !waits {
			return true
		}
		finder.missing[place] = true
	}
	return false
}

// readNames reads the names of sites from a setting of the outbox.
func readNames(ctx context.Context, store outbox.Settings, key string) (discover.Names, error) {
	text, err := store.Get(ctx, key)
	if err != nil {
		return nil, fmt.Errorf("reading the names of the sites: %w", err)
	}
	return discover.ParseNames(text)
}

// rewrite gives a setting of the outbox another value.
func rewrite(ctx context.Context, store outbox.Settings, key, value string) error {
	old, err := store.Get(ctx, key)
	if err != nil || old == value {
		return err
	}
	return store.CompareAndSet(ctx, key, old, value)
}

// knownSites adds the sites that the daemon found last to those of a configuration with discover: true, for commands that need
// only their names.
func knownSites(ctx context.Context, c *config.Config) error {
	if !c.Discover {
		return nil
	}
	log, err := outboxOf(c).read(ctx)
	if errors.Is(err, outbox.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	return errors.Join(sitesIn(ctx, log, c), log.Close())
}

// loadNamed reads the configuration for a command that needs neither the daemon nor the database, and of sites their names: with
// discover: true those that the daemon found last, where it has run and the command may look.
func loadNamed(ctx context.Context, file string) (*config.Config, error) {
	c, err := config.Load(file)
	if err != nil || !c.Discover {
		return c, err
	}
	if err := becomeOwner(c.StateDir); err != nil {
		return nil, err
	}
	_ = knownSites(ctx, c) // who may not read them gets those of the configuration
	return c, nil
}

// siteOf is a site by its name, "" the first; nil when there is none. With discover: true one of any name may come to be, and stands
// for what is not known of it.
func siteOf(c *config.Config, name string) *rules.Site {
	for _, s := range sitesOf(c) {
		if s.Name == name || name == "" {
			return s
		}
	}
	if !c.Discover {
		return nil
	}
	return &rules.Site{Name: cmp.Or(name, "wordpress"), Schema: cmp.Or(name, "wordpress"), Prefix: "wp_"}
}

// sitesIn adds the sites that an outbox knows of to those of a configuration with discover: true.
func sitesIn(ctx context.Context, store outbox.Settings, c *config.Config) error {
	if !c.Discover {
		return nil
	}
	found, err := readNames(ctx, store, sitesFoundKey)
	if err == nil {
		c.Sites = found.Sites(c.Sites, found.Places())
	}
	return err
}

// presentSites adds the sites that there are on the server to those of a configuration with discover: true, for commands that
// read them.
func presentSites(ctx context.Context, db *sql.DB, c *config.Config) error {
	if !c.Discover {
		return nil
	}
	places, err := discover.Find(ctx, db)
	if err != nil {
		return err
	}
	names := discover.Names{}
	var listed []config.Site
	for _, s := range c.Sites {
		if s.Found() { // a name that the daemon gave stays
			names[discover.Place{Schema: s.Schema, Prefix: s.Prefix}] = s.Name
		} else {
			listed = append(listed, s)
		}
	}
	c.Sites = names.Sites(listed, places)
	return nil
}
