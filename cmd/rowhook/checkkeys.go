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

// checkKeys looks for the columns that custom rules name as keys. Rules files know nothing of them, only the server does. What is
// wrong with a table itself, others say.
func checkKeys(ctx context.Context, source *cdc.Source, c *config.Config, set *rules.Set) (findings []cdc.Finding) {
	define := source.Preflight().Define
	for r := range set.Enabled() {
		if len(r.KeyPlaces) == 0 {
			continue
		}
		for _, site := range sitesOf(c) {
			if !r.For(site) {
				continue
			}
			table := r.Action.Entity.TableOf(site)
			is, err := define(ctx, table)
			if err != nil {
				continue
			}
			var names []string
			for _, column := range is.Columns {
				names = append(names, column.Name)
			}
			for i, column := range r.Action.Entity.Key {
				if slices.ContainsFunc(names, func(name string) bool { return strings.EqualFold(name, column) }) {
					continue
				}
				findings = append(findings, cdc.Finding{
					Check: "rule " + r.Name, Schema: site.Schema,
					Found: fmt.Sprintf("%s: table %s has no column %q%s", r.KeyPlaces[i], table, column, rules.DidYouMean(column, names)),
					Fix:   "write one of its columns there: " + strings.Join(names, ", "),
				})
			}
		}
	}
	return findings
}
