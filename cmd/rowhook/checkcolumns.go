package main

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"rowhook/cdc"
	"rowhook/config"
	"rowhook/rules"
)

// misnamed is a column that a rule names and its table at a site does not have, or a table whose name is nearly that of another.
type misnamed struct {
	rule, schema string
	found, fix   string
	key          bool // it is of the rule's key, so its events wait
	table        bool // it is the table itself, so the rule waits for it
	spared       bool // its events are posted all the same
}

// misnamedIn looks for the columns and tables that rules name. Rule files know nothing of them, only the server does. What is wrong with
// a table itself, others say.
func misnamedIn(ctx context.Context, source *cdc.Source, c *config.Config, set *rules.Set) (list []misnamed) {
	known := tableColumns{source: source, asked: map[cdc.TableName][]string{}}
	for r := range set.Enabled() {
		for _, site := range sitesOf(c) {
			if !r.For(site) {
				continue
			}
			var all []misnamed
			if len(r.KeyPlaces) > 0 {
				table := r.Action.Entity.TableOf(site)
				all = misnamedKeys(r, table, known.of(ctx, table))
			}
			if table, names := r.RowTable(site); names {
				if columns := known.of(ctx, table); columns != nil {
					for _, is := range r.Misnamed(table, columns) {
						all = append(all, misnamed{found: is.Found, spared: is.Spared, fix: anyOf(columns)})
					}
				}
			}
			if r.Action.Kind == rules.Rows {
				if table := r.Action.Entity.TableOf(site); known.of(ctx, table) == nil {
					all = append(all, misnamedTable(r, site, table, known.beside(ctx, site))...)
				}
			}
			for _, is := range all {
				is.rule, is.schema = r.Name, site.Schema
				list = append(list, is)
			}
		}
	}
	return list
}

// misnamedKeys are the columns that a rule names as its key and a table does not have.
func misnamedKeys(r *rules.Rule, table cdc.TableName, columns []string) (list []misnamed) {
	for i, column := range r.Action.Entity.Key {
		if columns == nil || slices.ContainsFunc(columns, func(name string) bool { return strings.EqualFold(name, column) }) {
			continue
		}
		found := fmt.Sprintf("%s: table %s has no column %s%s", r.KeyPlaces[i], table, column, rules.DidYouMean(column, columns))
		list = append(list, misnamed{found: found, fix: anyOf(columns), key: true})
	}
	return list
}

// misnamedTable says which of a site's tables a rule may mean whose own is not there; nothing where none has such a name.
func misnamedTable(r *rules.Rule, site *rules.Site, table cdc.TableName, tables []string) []misnamed {
	near := rules.DidYouMean(r.Action.Entity.Table, tables)
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

// tableColumns asks for the columns of tables, of each once, and for the tables of schemas.
type tableColumns struct {
	source *cdc.Source
	asked  map[cdc.TableName][]string // a schema, which has no Name, has tables
}

// of are a table's; nil where they cannot be had.
func (t tableColumns) of(ctx context.Context, table cdc.TableName) []string {
	if names, asked := t.asked[table]; asked {
		return names
	}
	var names []string
	if is, err := t.source.Preflight().Define(ctx, table); err == nil {
		for _, column := range is.Columns {
			names = append(names, column.Name)
		}
	}
	t.asked[table] = names
	return names
}

// beside are the tables of a site that may be read, without its prefix; not all where there are very many.
func (t tableColumns) beside(ctx context.Context, site *rules.Site) (names []string) {
	schema := cdc.TableName{Schema: site.Schema}
	if _, asked := t.asked[schema]; !asked {
		const most = 10_000
		rows, err := t.source.Preflight().DB.QueryContext(ctx, "SELECT table_name FROM information_schema.tables WHERE table_schema = ? LIMIT ?", site.Schema, most)
		if err != nil {
			return nil // the database is away, which others say
		}
		defer rows.Close()
		for rows.Next() {
			var name string
			if rows.Scan(&name) == nil {
				t.asked[schema] = append(t.asked[schema], name)
			}
		}
		if rows.Err() != nil {
			return nil
		}
	}
	for _, table := range t.asked[schema] {
		if name, is := strings.CutPrefix(table, site.Prefix); is {
			names = append(names, name)
		}
	}
	return names
}

// checkColumns says which rules name columns that are not there.
func checkColumns(ctx context.Context, source *cdc.Source, c *config.Config, set *rules.Set) (findings []cdc.Finding) {
	for _, is := range misnamedIn(ctx, source, c, set) {
		f := cdc.Finding{Check: "rule " + is.rule, Schema: is.schema, Found: is.found, Fix: is.fix}
		if is.spared {
			f.OK, f.Warn = true, true
		}
		findings = append(findings, f)
	}
	return findings
}
