package rules

import (
	"slices"

	"rowhook/cdc"
)

// A custom rule names a table of the site, whoever's it is, and its rows are the events (DESIGN 9). Such a table may have
// any key, or none: then each row that is written is an object of its own.

// Named lists the tables that enabled rules name for a site, each once.
func (s *Set) Named(site *Site) (named []*Entity) {
	for r := range s.Enabled() {
		if e := r.Action.Entity; e.Custom && r.For(site) && site.Has(e) && !slices.ContainsFunc(named, e.Is) {
			named = append(named, e)
		}
	}
	return named
}

// CustomTables lists the tables that custom rules name for a site. None of them need be there.
func (s *Set) CustomTables(site *Site) (names []cdc.TableName) {
	for _, e := range s.Named(site) {
		names = append(names, e.TableOf(site))
	}
	return names
}

// Tables lists the tables of a site that make events: the plugin's, and those that rules name.
func (s *Set) Tables(site *Site) []cdc.TableName {
	names := site.Tables()
	for _, t := range s.CustomTables(site) {
		if !slices.Contains(names, t) {
			names = append(names, t)
		}
	}
	return names
}

// For says whether a rule is for a site.
func (r *Rule) For(s *Site) bool { return len(r.Sites) == 0 || r.Sites[s.Name] }

// Kinds are the kinds of events that a rule may want.
func (r *Rule) Kinds() (kinds []Kind) {
	if r.Action.Kind != Rows {
		return []Kind{r.Action.Kind}
	}
	for _, op := range r.On {
		switch {
		case op == cdc.Delete:
			kinds = append(kinds, Delete)
		case !slices.Contains(kinds, Save):
			kinds = append(kinds, Save)
		}
	}
	return kinds
}

// wantsRow says whether a custom rule wants an event of its table.
func (r *Rule) wantsRow(e *Event) bool {
	switch {
	case e.Action.Kind == Delete:
		return slices.Contains(r.On, cdc.Delete)
	case e.Backfill != "":
		return true
	case e.Insert:
		return slices.Contains(r.On, cdc.Insert)
	}
	return slices.Contains(r.On, cdc.Update)
}
