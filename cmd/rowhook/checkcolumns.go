package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"golang.org/x/sync/errgroup"

	"rowhook/cdc"
	served "rowhook/cdc/schema"
	"rowhook/config"
	"rowhook/rules"
	"rowhook/words"
)

// misnamed is a column that a rule names and its table at a site does not have, or a table whose name is nearly that of another.
type misnamed struct {
	rule, schema string
	found, fix   string
	key          bool // it is of the rule's key, so its events wait
	table        bool // it is the table itself, so the rule waits for it
	spared       bool // its events are posted all the same
	unseen       bool // what its table has could not be had, so nothing is known
}

// misnamedIn looks for the columns and tables that rules name. Rule files know nothing of them, only the server does. What is wrong with
// a table itself, others say. Those that could not be looked at come last.
func misnamedIn(ctx context.Context, source *cdc.Source, c *config.Config, set *rules.Set) (list []misnamed) {
	known := tableColumns{source: source, asked: map[cdc.TableName][]string{}, unseen: map[cdc.TableName]bool{}}
	var unseen []misnamed
	sites := sitesOf(c)
	known.ask(ctx, tablesNamed(sites, set))
	for r := range set.Enabled() {
		fits := map[string]bool{} // columns in which it names nothing wrongly: most sites have the same
		for _, site := range sites {
			if !r.For(site) {
				continue
			}
			var all []misnamed
			if r.Action.Kind == rules.Rows {
				table := r.Action.Entity.TableOf(site)
				if columns := known.asked[table]; columns != nil {
					all = misnamedKeys(r, table, columns)
				} else {
					all = misnamedTable(r, site, table, known.beside(ctx, site))
				}
			}
			table, names := r.RowTable(site)
			columns := known.asked[table]
			if key := strings.Join(columns, ","); names && columns != nil && !fits[key] {
				wrong := r.Misnamed(table, columns)
				fits[key] = len(wrong) == 0
				for _, is := range wrong {
					all = append(all, misnamed{found: is.Found, spared: is.Spared, fix: anyOf(columns)})
				}
			}
			for _, is := range all {
				is.rule, is.schema = r.Name, site.Schema
				list = append(list, is)
			}
			if known.unseenOf(r, site) {
				unseen = append(unseen, misnamed{rule: r.Name, schema: site.Schema, unseen: true})
			}
		}
	}
	return append(list, unseen...)
}

// tablesNamed are the tables of which rules name columns, and those that they name themselves.
func tablesNamed(sites []*rules.Site, set *rules.Set) map[cdc.TableName]bool {
	tables := map[cdc.TableName]bool{}
	for r := range set.Enabled() {
		for _, site := range sites {
			if !r.For(site) {
				continue
			}
			for _, table := range tablesOf(r, site) {
				tables[table] = true
			}
		}
	}
	return tables
}

// tablesOf are those of a rule at a site.
func tablesOf(r *rules.Rule, site *rules.Site) (tables []cdc.TableName) {
	if table, names := r.RowTable(site); names {
		tables = append(tables, table)
	}
	if r.Action.Kind == rules.Rows {
		tables = append(tables, r.Action.Entity.TableOf(site))
	}
	return tables
}

// misnamedKeys are the columns that a rule names as its key and a table does not have.
func misnamedKeys(r *rules.Rule, table cdc.TableName, columns []string) (list []misnamed) {
	for i, column := range r.Action.Entity.Key {
		if slices.ContainsFunc(columns, func(name string) bool { return strings.EqualFold(name, column) }) {
			continue
		}
		found := fmt.Sprintf("%s: table %s has no column %s%s", r.KeyPlaces[i], table, column, words.DidYouMean(column, columns))
		list = append(list, misnamed{found: found, fix: anyOf(columns), key: true})
	}
	return list
}

// misnamedTable says which of a site's tables a rule may mean whose own is not there; nothing where none has such a name.
func misnamedTable(r *rules.Rule, site *rules.Site, table cdc.TableName, tables []string) []misnamed {
	if slices.Contains(tables, r.Action.Entity.Table) { // it is locked, or may not be read
		return nil
	}
	near := words.DidYouMean(r.Action.Entity.Table, tables)
	if name, prefixed := strings.CutPrefix(r.Action.Entity.Table, site.Prefix); prefixed && slices.Contains(tables, name) {
		near = "; did you mean " + name + "?"
	}
	if near == "" {
		return nil
	}
	found := fmt.Sprintf("%s: table %s is not there, or may not be read%s", r.Place, table, near)
	return []misnamed{{found: found, fix: "write that behind table: there, without the site's prefix " + site.Prefix, table: true, spared: true}}
}

func anyOf(columns []string) string {
	return "write one of its columns there: " + strings.Join(columns, ", ")
}

// tableColumns are the columns of tables; of those that cannot be had, none. A schema, which has no Name, has tables.
type tableColumns struct {
	source *cdc.Source
	asked  map[cdc.TableName][]string
	unseen map[cdc.TableName]bool // for another reason than that the server has no such table
}

// askAtOnce is how many tables the server is asked for at a time.
const askAtOnce = 4

// ask asks for the columns of tables.
func (t tableColumns) ask(ctx context.Context, tables map[cdc.TableName]bool) {
	define := t.source.Preflight().Define
	var mu sync.Mutex // of asked and unseen
	var g errgroup.Group
	g.SetLimit(askAtOnce)
	for table := range tables {
		g.Go(func() error {
			is, err := define(ctx, table)
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				t.unseen[table] = !errors.Is(err, served.ErrNoTable)
				return nil
			}
			for _, column := range is.Columns {
				t.asked[table] = append(t.asked[table], column.Name)
			}
			return nil
		})
	}
	_ = g.Wait()
}

// unseenOf says whether what a rule names at a site could not be looked at.
func (t tableColumns) unseenOf(r *rules.Rule, site *rules.Site) bool {
	tables := append(tablesOf(r, site), cdc.TableName{Schema: site.Schema})
	return slices.ContainsFunc(tables, func(table cdc.TableName) bool { return t.unseen[table] })
}

// beside are the tables of a site that may be read, without its prefix; not all where there are very many.
func (t tableColumns) beside(ctx context.Context, site *rules.Site) (names []string) {
	all := cdc.TableName{Schema: site.Schema}
	if _, asked := t.asked[all]; !asked {
		const most = 10_000
		rows, err := t.source.Preflight().DB.QueryContext(ctx, "SELECT table_name FROM information_schema.tables WHERE table_schema = ? LIMIT ?", site.Schema, most)
		if err != nil {
			t.unseen[all] = true // the database is away, which others say
			return nil
		}
		defer rows.Close()
		for rows.Next() {
			var name string
			if rows.Scan(&name) == nil {
				t.asked[all] = append(t.asked[all], name)
			}
		}
		if rows.Err() != nil {
			t.unseen[all] = true
			return nil
		}
	}
	for _, table := range t.asked[all] {
		if name, is := strings.CutPrefix(table, site.Prefix); is {
			names = append(names, name)
		}
	}
	return names
}

// checkColumns says which rules name columns that are not there.
func checkColumns(ctx context.Context, source *cdc.Source, c *config.Config, set *rules.Set) (findings []cdc.Finding) {
	for _, is := range misnamedIn(ctx, source, c, set) {
		if is.unseen {
			continue // which is found of the table
		}
		f := cdc.Finding{Check: "rule " + is.rule, Schema: is.schema, Found: is.found, Fix: is.fix}
		if is.spared {
			f.OK, f.Warn = true, true
		}
		findings = append(findings, f)
	}
	return findings
}
