package main

import (
	"context"
	"database/sql"
	"log/slog"

	"rowhook/cdc"
	"rowhook/config"
	"rowhook/loader"
)

// checkSites reads once what payloads are made of. A site whose payloads cannot be made is no fault of the others: its
// events wait until it is fixed.
func checkSites(ctx context.Context, db *sql.DB, source *cdc.Source, c *config.Config) (findings []cdc.Finding) {
	ld := loader.New(db, source, loader.Options{}, slog.New(slog.DiscardHandler))
	for _, site := range sitesOf(c) {
		f := cdc.Finding{Check: "payloads of " + site.Name, OK: true, Found: "all that extended payloads need can be read"}
		if err := ld.CheckSite(ctx, site); err != nil {
			f.OK, f.Warn, f.Found, f.Fix = false, true, "its events would wait: "+loader.Reason(err), loader.Fix(err)
		}
		findings = append(findings, f)
	}
	return findings
}
