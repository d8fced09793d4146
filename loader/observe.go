package loader

import (
	"rowhook/cdc"
	"rowhook/rules"
)

// Observer is the one way in which a Loader hears of the log: whoever reads it hands in all of it, and so what is remembered of
// lookup tables and of columns is never older than the events that are loaded. It belongs to one goroutine.
type Observer struct {
	loader  *Loader
	tables  map[cdc.TableName]bool
	changed map[lookupRow]bool // by the transaction that is being read; what is rolled back too, which costs little
}

// lookupRow is a table, and in wp_options the name of the option.
type lookupRow struct {
	table cdc.TableName
	row   string
}

// Observe makes an Observer of the tables of some sites.
func (l *Loader) Observe(sites []*rules.Site) *Observer {
	o := &Observer{loader: l, tables: map[cdc.TableName]bool{}, changed: map[lookupRow]bool{}}
	for t := range Lookups(sites) {
		o.tables[t] = true
	}
	return o
}

// Lookups are the tables that a Loader remembers, with the columns that must be decoded of them, for cdc.Config.
func Lookups(sites []*rules.Site) map[cdc.TableName][]string {
	lookups := map[cdc.TableName][]string{}
	for _, site := range sites {
		for _, t := range LookupTables(site) {
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

// Tables are those whose rows it needs to hear of.
func (o *Observer) Tables() map[cdc.TableName]bool { return o.tables }

// Change takes in a change of the transaction that is being read.
func (o *Observer) Change(c *cdc.Change) {
	if !o.tables[c.Table.TableName] {
		return
	}
	row := c.After
	if c.Op == cdc.Delete {
		row = c.Before
	}
	r := lookupRow{table: c.Table.TableName}
	if len(o.changed) < maxChanged {
		r.row = row.Text(c.Table.Index(optionName))
	}
	o.changed[r] = true
}

// Commit takes in the end of a transaction, before any event of it is loaded; elsewhere says that the log goes on before where
// it was read to: at another server, whose places mean something else. A statement may have changed any table.
func (o *Observer) Commit(c *cdc.Commit, elsewhere bool) {
	if elsewhere {
		o.loader.forget()
	}
	for r := range o.changed {
		o.loader.invalidate(r.table, r.row, c.End)
	}
	clear(o.changed)
	if c.Statement {
		o.loader.altered()
		for t := range o.tables {
			o.loader.invalidate(t, "", c.End)
		}
	}
}
