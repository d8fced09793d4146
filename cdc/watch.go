package cdc

import (
	"maps"

	"rowhook/cdc/schema"
	"rowhook/cdc/schema/ddl"
)

// Watch is which tables' rows a Source reads, and how.
type Watch struct {
	Tables []TableName // those whose rows make events
	// Optional are those of Tables that need not be there: what is wrong with one is a warning.
	Optional []TableName
	// Prefixes are what stands before the names by which a program knows its tables. It is for advice.
	Prefixes map[TableName]string
	// Clients are those through which a program sees the text of tables, and so do we. Absent: as the columns' charsets say.
	Clients map[TableName]*Client
}

// watchList is what a Source reads, with the ways to find tables by their names. It never changes; another takes its place.
type watchList struct {
	Watch
	lookups map[TableName][]string     // the columns that are decoded of tables of which it only matters that rows changed
	names   map[string]map[string]bool // of all tables, by schema
	found   schema.Names               // those of Tables
}

func newWatchList(d ddl.Dialect, w Watch, lookups map[TableName][]string) *watchList {
	l := &watchList{Watch: w, lookups: maps.Clone(lookups), names: map[string]map[string]bool{}, found: schema.NewNames(d, w.Tables)}
	for t := range lookups {
		l.add(t)
	}
	for _, t := range w.Tables {
		l.add(t)
		delete(l.lookups, t)
	}
	return l
}

func (l *watchList) add(t TableName) {
	if l.names[t.Schema] == nil {
		l.names[t.Schema] = map[string]bool{}
	}
	l.names[t.Schema][t.Name] = true
}

// watched is what is read now.
func (s *Source) watched() *watchList {
	if l := s.list.Load(); l != nil {
		return l
	}
	return newWatchList(s.dialect, Watch{}, nil)
}

// Watch makes the Source read other tables from the next transaction on that it comes to. It may be called while Follow
// reads. What is only looked up stays as it is.
func (s *Source) Watch(w Watch) { s.next.Store(newWatchList(s.dialect, w, s.cfg.Lookups)) }

// rewatch takes over what is to be read from the transaction on that begins.
func (s *Source) rewatch() bool {
	next := s.next.Swap(nil)
	if next != nil {
		s.list.Store(next)
	}
	return next != nil
}

// rewatch takes over other tables between two transactions.
func (r *reader) rewatch() {
	if r.span != nil || r.ahead != nil || !r.src.rewatch() {
		return
	}
	r.resolver.watch(r.src.watched().names)
}
