package rules

import (
	"slices"
	"strings"
)

// A site can be cut in two parts that are read apart: the plugin's own tables, and those that only rules name. Whatever is wrong
// with one of the latter then holds up no booking: that part alone stops, has a position of its own, and catches up.

// sitePart is which of a site's tables are meant.
type sitePart uint8

const (
	wholeSite sitePart = iota
	ownTables
	namedTables
)

// namedSuffix stands behind the name of the part with the tables that only rules name. No site's name has a plus.
const namedSuffix = "+tables"

// CutSites cuts each of some sites in two parts.
func CutSites(sites []*Site) (parts []*Site) {
	for _, s := range sites {
		own, named := *s, *s
		own.part, named.part = ownTables, namedTables
		parts = append(parts, &own, &named)
	}
	return parts
}

// ID names the part: as the site, but that of the tables that only rules name has a name of its own, salon+tables.
func (s *Site) ID() string {
	if s.part == namedTables {
		return s.Name + namedSuffix
	}
	return s.Name
}

// SiteOf is the name of the site that a part is of.
func SiteOf(id string) string { return strings.TrimSuffix(id, namedSuffix) }

// IsNamed says whether it is the part of a site with the tables that only rules name.
func (s *Site) IsNamed() bool { return s.part == namedTables }

// Has says whether the rows of an entity are of this part.
func (s *Site) Has(e *Entity) bool {
	switch s.part {
	case ownTables:
		return !e.Custom || isOwn(e)
	case namedTables:
		return e.Custom && !isOwn(e)
	}
	return true
}

// isOwn says whether an entity that a rule names is of a table that makes events anyway.
func isOwn(e *Entity) bool {
	whole := Site{Schema: "s", Prefix: "p"}
	return slices.Contains(whole.Tables(), e.TableOf(&whole))
}
