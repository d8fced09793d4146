package rules

import (
	"fmt"
	"slices"
	"strings"
	"unicode"
)

// A site is cut in parts that are read apart: the plugin's own events, and those of each table that rules name. Whatever is wrong with
// one of the latter then holds up no booking, and no other table: that part alone stops, has a position of its own, and catches up.
// So it is with a table that the plugin's events are of too: its rows are then of two parts. Rules for one table share its part,
// whatever they name as its key: so a rule whose key is put right catches up from where the wrong one stopped.

// sitePart is which of a site's tables are meant.
type sitePart uint8

const (
	wholeSite sitePart = iota
	ownTables
	oneTable
)

// partMark stands in the name of a part between the site's and the table's. No site's name has a plus.
const partMark = "+"

// CutSites cuts each of some sites in parts: the plugin's own first, and the tables that enabled rules of a set name. The parts that there
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

// ID names the part: as the site, but that of a table that rules name has a name of its own, salon+posts.
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

// Named is the table that the part is of, if rules name it; else empty.
func (s *Site) Named() string { return s.table }

// Shares says whether the part is of a table of which the plugin's own events are, too.
func (s *Site) Shares() bool { return s.part == oneTable && isOwn(s.table) }

// Has says whether the rows of an entity are of this part.
func (s *Site) Has(e *Entity) bool {
	switch s.part {
	case ownTables:
		return !isApart(e)
	case oneTable:
		return isApart(e) && e.Table == s.table
	}
	return true
}

// isApart says whether the rows of an entity are of a part of their own. The hooks of a table that makes events anyway are not: they
// are the plugin's as well, and no rule says what their key is.
func isApart(e *Entity) bool { return e.Custom && (!e.Hooks || !isOwn(e.Table)) }

// isOwn says whether a table makes events, whatever rules name.
func isOwn(table string) bool {
	return table == HistoryTable || slices.ContainsFunc(pluginEntities, func(own *Entity) bool {
		return table == own.Table || own.Parts != nil && table == own.Parts.Table
	})
}
