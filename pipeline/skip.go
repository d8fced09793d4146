package pipeline

import (
	"maps"
	"slices"

	"rowhook/cdc"
	"rowhook/rules"
)

// A feed passes over the rows of sites that are not read here for now. What it passes over changes between two
// transactions only, so that the loop knows to the row what came and what did not.

// wish is what the loop wants of a site's rows from the next transaction on.
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
		if w.skip {
			f.skip(w.site)
			continue
		}
		maps.DeleteFunc(f.skipped, func(_ cdc.TableName, whose *rules.Site) bool { return whose == w.site })
		if err := f.put(entry{op: carriedEntry, site: w.site, turn: w.turn}, 0); err != nil {
			return err
		}
		signal(f.ready)
	}
	return nil
}

// skip passes over a site's rows, but for those that tell what is remembered of it.
func (f *feed) skip(site *rules.Site) {
	for _, t := range f.tables(site) {
		if !f.lookups[t] {
			f.skipped[t] = site
		}
	}
}

// skipAll is for before it reads.
func (f *feed) skipAll(detached map[*rules.Site]*detached) {
	for site := range detached {
		f.skip(site)
	}
}

// Skips is cdc.Isolator.
func (f *feed) Skips(t cdc.TableName) bool { return f.skipped[t] != nil }

// SetAside is cdc.Isolator.
func (f *feed) SetAside(t *cdc.TableError) bool {
	sites := f.sites()
	i := slices.IndexFunc(sites, func(s *rules.Site) bool { return s.Schema == t.Table.Schema && slices.Contains(f.tables(s), t.Table) })
	if i < 0 {
		return false
	}
	if f.accept.covers(t) {
		return true
	}
	f.skip(sites[i])
	f.skipped[t.Table] = sites[i]
	return f.put(entry{op: asideEntry, site: sites[i], trouble: t}, 0) == nil
}
