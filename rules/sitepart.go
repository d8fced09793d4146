package rules

import (
	"fmt"
	"slices"
	"strings"
	"unicode"
)

// A site is cut in parts that are read apart: the plugin's own tables, and each table that only rules name. Whatever is wrong with
// one of the latter then holds up no booking, and no other table: that part alone stops, has a position of its own, and catches up.
// Rules for one table share its part, whatever they name as its key: the log's rows are passed over by table.

// sitePart is which of a site's tables are meant.
type sitePart uint8

const (
	wholeSite sitePart = iota
	ownTables
	oneTable
)

// partMark stands in the name of a part between the site's and the table's. No site's name has a plus.
const partMark = "+"

// CutSites cuts each of some sites in parts: its own tables first, and those that enabled rules of a set name. The parts that there
// are already stay as they are, also of a table that no rule names any more: of that they may have events still.
func CutSites(sites []*Site, set *Set, there []*Site) (parts []*Site) {
	bySite := make(map[string][]*Site, len(sites))
	for _, part := range there {
		bySite[part.Name] = append(bySite[part.Name], part)
	}
	for _, s := range sites {
		all := bySite[s.Name]
		if len(all) == 0 {
			own := *s
			own.part = ownTables
			all = append(all, &own)
		}
		own, tables := all[0], all[1:]
		for _, e := range set.Named(s) {
			if !own.Has(e) && !slices.ContainsFunc(tables, func(part *Site) bool { return part.Has(e) }) {
				tables = append(tables, s.Part(e.Table))
			}
		}
		slices.SortFunc(tables, func(a, b *Site) int { return strings.Compare(a.table, b.table) })
		parts = append(append(parts, own), tables...)
	}
	return parts
}

// Part is the part of a site with one table, named as rules do.
func (s *Site) Part(table string) *Site {
	part := *s
	part.part, part.table, part.id = oneTable, table, s.Name+partMark+plainTable(table)
	return &part
}

// plainTable is the name of a table as it may stand in a command, an address or a key: letters and digits of any script, _ and -;
// what else there is, as in an address.
func plainTable(name string) string {
	var b strings.Builder
	for _, r := range name {
		if r == '_' || r == '-' || r != unicode.ReplacementChar && (unicode.IsLetter(r) || unicode.IsDigit(r)) {
			b.WriteRune(r)
			continue
		}
		for _, c := range []byte(string(r)) {
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	return b.String()
}

// ID names the part: as the site, but that of a table that only rules name has a name of its own, salon+posts.
func (s *Site) ID() string {
	if s.part == oneTable {
		return s.id
	}
	return s.Name
}

// SiteOf is the name of the site that a part is of.
func SiteOf(id string) string {
	site, _, _ := strings.Cut(id, partMark)
	return site
}

// Named is the table that the part is of, if it is one that only rules name; else empty.
func (s *Site) Named() string { return s.table }

// Has says whether the rows of an entity are of this part.
func (s *Site) Has(e *Entity) bool {
	switch s.part {
	case ownTables:
		return !e.Custom || isOwn(e)
	case oneTable:
		return e.Custom && e.Table == s.table && !isOwn(e)
	}
	return true
}

// isOwn says whether an entity that a rule names is of a table that makes events anyway.
func isOwn(e *Entity) bool {
	return e.Table == HistoryTable || slices.ContainsFunc(pluginEntities, func(own *Entity) bool {
		return e.Table == own.Table || own.Parts != nil && e.Table == own.Parts.Table
	})
}
