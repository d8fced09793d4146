package main

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"

	"rowhook/cdc"
	"rowhook/config"
	"rowhook/rules"
)

// misnamed is a column that a rule names and its table at a site does not have.
type misnamed struct {
	rule, schema string
	found, fix   string
	key          bool // it is of the rule's key, so its events wait
	spared       bool // its events are posted all the same
}

// misnamedColumns looks for the columns that rules name. Rule files know nothing of them, only the server does. What is wrong with a
// table itself, others say.
func misnamedColumns(ctx context.Context, source *cdc.Source, c *config.Config, set *rules.Set) (list []misnamed) {
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

func anyOf(columns []string) string {
	return "write one of its columns there: " + strings.Join(columns, ", ")
}

// tableColumns asks for the columns of tables, of each once.
type tableColumns struct {
	source *cdc.Source
	asked  map[cdc.TableName][]string
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

// checkColumns says which rules name columns that are not there.
func checkColumns(ctx context.Context, source *cdc.Source, c *config.Config, set *rules.Set) (findings []cdc.Finding) {
	for _, is := range misnamedColumns(ctx, source, c, set) {
		f := cdc.Finding{Check: "rule " + is.rule, Schema: is.schema, Found: is.found, Fix: is.fix}
		if is.spared {
			f.OK, f.Warn = true, true
		}
		findings = append(findings, f)
	}
	return findings
}

// tellColumns is checkColumns for the log.
func (f *follower) tellColumns(ctx context.Context) {
	for _, is := range misnamedColumns(ctx, f.source, f.cfg, f.set) {
		about := []any{slog.String("rule", is.rule), slog.String("found", is.found), slog.String("fix", is.fix+"; then send SIGHUP")}
		switch {
		case is.key:
			f.log.Error("a rule waits, for its key names a column that is not there", about...)
		case is.spared:
			f.log.Warn("a rule keeps or hides a column that is not there", about...)
		default:
			f.log.Error("a rule names a column that is not there: its events are given up", about...)
		}
	}
}
