package pipeline

import (
	"maps"
	"slices"

	"rowhook/cdc"
	"rowhook/rules"
)

// A feed passes over the rows of sites that are not read here for now. What it passes over changes between two
// transactions only, so that the loop knows to the row what came and what did not.

// wish is what the loop wants of a site's rows from the next transaction on. Without a site: only to look whose tables are whose now.
type wish struct {
	site *rules.Site
	skip bool
	turn int // comes back with the entry that says where they are carried again
}

// want notes a wish, in place of an earlier one for the site.
func (f *feed) want(w wish) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.wishes = append(slices.DeleteFunc(f.wishes, func(o wish) bool { return o.site == w.site }), w)
}

// heed fulfils what was wished for, behind a commit.
func (f *feed) heed() error {
	f.mu.Lock()
	wishes := f.wishes
	f.wishes = nil
	f.mu.Unlock()
	for _, w := range wishes {
		switch {
		case w.site == nil:
			f.share(f.sites())
			continue
		case w.skip:
			f.skip(w.site)
			f.share(f.partsOf(w.site))
			continue
		}
		maps.DeleteFunc(f.skipped, func(_ cdc.TableName, whose map[*rules.Site]bool) bool {
			delete(whose, w.site)
			return len(whose) == 0
		})
		if err := f.put(entry{op: carriedEntry, site: w.site, turn: w.turn}, 0); err != nil {
			return err
		}
		signal(f.ready)
		f.share(f.partsOf(w.site))
	}
	return nil
}

// skip passes over a site's rows, but for those that tell what is remembered of it.
func (f *feed) skip(site *rules.Site) {
	for _, t := range f.tables(site) {
		if !f.lookups[t] {
			f.skipTable(t, site)
		}
	}
}

func (f *feed) skipTable(t cdc.TableName, site *rules.Site) {
	if f.skipped[t] == nil {
		f.skipped[t] = map[*rules.Site]bool{}
	}
	f.skipped[t][site] = true
}

// partsOf are the parts of a site that one is of. No others have its tables.
func (f *feed) partsOf(part *rules.Site) (parts []*rules.Site) {
	for _, s := range f.sites() {
		if s.Name == part.Name {
			parts = append(parts, s)
		}
	}
	return parts
}

// share finds out anew which tables of some sites, of which all parts are given, one part skips and another does not.
func (f *feed) share(parts []*rules.Site) {
	if len(f.skipped) == 0 {
		clear(f.shared)
		return
	}
	for _, s := range parts {
		for _, t := range f.tables(s) {
			delete(f.shared, t)
		}
	}
	for _, s := range parts {
		for _, t := range f.tables(s) {
			if whose := f.skipped[t]; len(whose) > 0 && !whose[s] {
				f.shared[t] = true
			}
		}
	}
}

// skipAll is for before it reads.
func (f *feed) skipAll(detached map[*rules.Site]*detached) {
	for site := range detached {
		f.skip(site)
	}
	f.share(f.sites())
}

// Skips is cdc.Isolator.
func (f *feed) Skips(t cdc.TableName) bool { return len(f.skipped[t]) > 0 && !f.shared[t] }

// SetAside is cdc.Isolator.
func (f *feed) SetAside(t *cdc.TableError) bool {
	var whose []*rules.Site
	for _, s := range f.sites() {
		if s.Schema == t.Table.Schema && slices.Contains(f.tables(s), t.Table) {
			whose = append(whose, s)
		}
	}
	if len(whose) == 0 {
		return false
	}
	if f.accept.covers(t) {
		return true
	}
	for _, s := range whose {
		if f.skipped[t.Table][s] {
			continue // its rows are read elsewhere
		}
		f.skip(s)
		f.skipTable(t.Table, s)
		if f.put(entry{op: asideEntry, site: s, trouble: t}, 0) != nil {
			return false
		}
	}
	f.share(f.partsOf(whose[0]))
	return true
}
