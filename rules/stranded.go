package rules

import (
	"maps"
	"slices"
)

// Stranded are events of a site that are stored and cannot go on: the rules that wanted them are gone, or nothing here can
// read them. They stay in the store, and are looked at again at the next start.
type Stranded struct {
	Events     int
	Unreadable int      // of them
	Rules      []string // that are gone, sorted
	First      error    // why the first of them cannot be read; nil: all can
}

// stranded is what was found of each site when the records were read.
type stranded map[string]*strandedSite

type strandedSite struct {
	events, unreadable int
	rules              map[string]bool
	first              error
}

func (s stranded) of(site string) *strandedSite {
	if s[site] == nil {
		s[site] = &strandedSite{rules: map[string]bool{}}
	}
	s[site].events++
	return s[site]
}

// without takes in an event whose rules are gone.
func (s stranded) without(site string, rules []string) {
	is := s.of(site)
	for _, name := range rules {
		is.rules[name] = true
	}
}

// unreadable takes in an event that cannot be read: it is of another version, or damaged.
func (s stranded) unreadable(site string, err error) {
	is := s.of(site)
	is.unreadable++
	if is.first == nil {
		is.first = err
	}
}

// Stranded are the events that Restore left where they are, by the names of their sites; "" where that cannot be read either.
func (e *Engine) Stranded() map[string]Stranded {
	all := map[string]Stranded{}
	for site, is := range e.stranded {
		all[site] = Stranded{Events: is.events, Unreadable: is.unreadable, Rules: slices.Sorted(maps.Keys(is.rules)), First: is.first}
	}
	return all
}
