package events

import (
	"maps"
	"slices"
)

// Stranded are events of a site that are stored and cannot go on: the rules that wanted them are gone, or nothing here can
// read them. They stay in the store, and are looked at again when the rules are others, and at the next start.
type Stranded struct {
	Events     int
	Unreadable int      // of them
	Rules      []string // that are gone, sorted
	First      error    // why the first of them cannot be read; nil: all can
}

// stranded is what was found when the records were read.
type stranded struct {
	records []Record
	bySite  map[string]*strandedSite
}

type strandedSite struct {
	events, unreadable int
	rules              map[string]bool
	first              error
}

func newStranded() stranded { return stranded{bySite: map[string]*strandedSite{}} }

// add takes in an event of a site.
func (s *stranded) add(r Record, site string) *strandedSite {
	s.records = append(s.records, r)
	if s.bySite[site] == nil {
		s.bySite[site] = &strandedSite{rules: map[string]bool{}}
	}
	s.bySite[site].events++
	return s.bySite[site]
}

// without takes in an event whose rules are gone.
func (s *stranded) without(r Record, site string, rules []string) {
	is := s.add(r, site)
	for _, name := range rules {
		is.rules[name] = true
	}
}

// unreadable takes in an event that cannot be read: it is of another version, damaged, or of a table that no rule names any more.
func (s *stranded) unreadable(r Record, err error) {
	is := s.add(r, r.Site())
	is.unreadable++
	if is.first == nil {
		is.first = err
	}
}

// Stranded are the events that Restore left where they are, by the names of their sites; "" where that cannot be read either.
func (e *Engine) Stranded() map[string]Stranded {
	all := map[string]Stranded{}
	for site, is := range e.records.stranded.bySite {
		all[site] = Stranded{Events: is.events, Unreadable: is.unreadable, Rules: slices.Sorted(maps.Keys(is.rules)), First: is.first}
	}
	return all
}
