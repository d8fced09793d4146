package main

import (
	"context"
	"database/sql"
	"fmt"
	"log/slog"

	"rowhook/cdc"
	"rowhook/config"
	"rowhook/loader"
	"rowhook/rules"
)

// checkIndexes looks for indexes that would make extended payloads faster. What cannot be asked is another finding's.
func checkIndexes(ctx context.Context, db *sql.DB, source *cdc.Source, c *config.Config) []cdc.Finding {
	ld := loader.New(db, source, loader.Options{}, slog.New(slog.DiscardHandler))
	return ofSites(c, func(_ int, site *rules.Site) (findings []cdc.Finding) {
		lacking, err := ld.Unindexed(ctx, site)
		if err != nil {
			return nil
		}
		for _, u := range lacking {
			findings = append(findings, cdc.Finding{
				Check: "index of " + u.Table.String(), OK: true, Hint: true, Fix: u.Create,
				Found: fmt.Sprintf("about %d rows and no index on %s: each extended payload of site %s reads the whole table", u.Rows, u.Column, site.Name),
			})
		}
		return findings
	})
}
