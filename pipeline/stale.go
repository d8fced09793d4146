package pipeline

import (
	"rowhook/cdc"
	"rowhook/loader"
	"rowhook/rules"
)

// stale tells the loader which of the lookup tables that it remembers have changed: the log that is read anyway says so.
type stale struct {
	tables  map[cdc.TableName]bool
	changed map[lookupRow]bool // by the transaction that is being read; what is rolled back too, which costs little
}

// lookupRow is a table, and in wp_options the name of the option.
type lookupRow struct {
	table cdc.TableName
	row   string
}

func newStale(sites []*rules.Site) *stale {
	s := &stale{tables: map[cdc.TableName]bool{}, changed: map[lookupRow]bool{}}
	for t := range Lookups(sites) {
		s.tables[t] = true
	}
	return s
}

// Lookups are the tables that the loader remembers, with the columns that must be decoded of them, for cdc.Config.
func Lookups(sites []*rules.Site) map[cdc.TableName][]string {
	lookups := map[cdc.TableName][]string{}
	for _, site := range sites {
		for _, t := range loader.LookupTables(site) {
			lookups[t] = []string{}
			if t.Name == site.Prefix+"options" {
				lookups[t] = []string{optionName}
			}
		}
	}
	return lookups
}

// optionName is the column of wp_options that tells whether a change matters.
const optionName = "option_name"

// maxChanged is how many rows are told apart in one transaction; beyond it, it is whole tables that changed.
const maxChanged = 1000

// note takes a change of the transaction that is being read.
func (s *stale) note(c *cdc.Change) {
	if !s.tables[c.Table.TableName] {
		return
	}
	row := c.After
	if c.Op == cdc.Delete {
		row = c.Before
	}
	r := lookupRow{table: c.Table.TableName}
	if len(s.changed) < maxChanged {
		r.row = row.Text(c.Table.Index(optionName))
	}
	s.changed[r] = true
}

// commit tells the loader, before any event of the transaction is loaded. A statement may have changed any table.
func (s *stale) commit(c *cdc.Commit, l *loader.Loader) {
	for r := range s.changed {
		l.Invalidate(r.table, r.row, c.End)
	}
	clear(s.changed)
	if c.Statement {
		l.Altered()
		for t := range s.tables {
			l.Invalidate(t, "", c.End)
		}
	}
}
