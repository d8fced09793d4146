package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"rowhook/api"
	"rowhook/cdc"
	"rowhook/config"
	"rowhook/loader"
	"rowhook/outbox"
	"rowhook/pipeline"
	"rowhook/rules"
)

// checkStanding names the sites that the daemon does not read with the others, or whose events wait: why, and every way out.
func checkStanding(ctx context.Context, c *config.Config) []cdc.Finding {
	if hasOutbox(ctx, c) != nil {
		return nil // no daemon ever ran
	}
	err := becomeOwner(c.StateDir)
	var list siteList
	if err == nil {
		list, err = gatherSites(ctx, c)
	}
	if errors.Is(err, outbox.ErrDamaged) {
		return []cdc.Finding{{Check: "outbox", Found: err.Error(),
			Fix: "systemctl stop rowhook, and then what stands in docs/operations.md: Restore, or Without a backup"}}
	}
	if err != nil {
		return []cdc.Finding{{Check: "stopped sites", Warn: true, Found: "how the sites stand cannot be read: " + err.Error(),
			Fix: "run check as the user that the daemon runs as, or as root"}}
	}
	var findings []cdc.Finding
	for _, s := range list.Sites {
		if s.Reason != "" {
			findings = append(findings, standingOf(s, c))
		}
	}
	return findings
}

// standingOf is a site that does not get on. One whose events wait is found by the other checks too, with what fixes it.
func standingOf(s pipeline.SiteStatus, c *config.Config) cdc.Finding {
	f := cdc.Finding{Check: "site " + s.Name, Warn: s.Stop == nil, Found: fmt.Sprintf("%s since %s: %s", s.State, clock(s.Since), s.Reason)}
	for _, site := range c.Sites {
		if site.Name == rules.SiteOf(s.Name) {
			f.Schema = site.Schema
		}
	}
	ways := s.Ways
	if s.Fix != "" {
		ways = append([]string{s.Fix}, ways...)
	}
	if s.Stop != nil {
		if warning := s.Stop.Kept.Warning(time.Now()); warning != "" {
			f.Found += "; " + warning
		}
		ways = append(ways, "what is left out then can be posted as it is now:  "+api.MakeUp(&s))
	}
	f.Fix = strings.Join(ways, "   ")
	return f
}

// sitesAtOnce is how many sites are looked at at a time: a host may have hundreds.
const sitesAtOnce = 4

// ofSites is what is found of each site, in their order.
func ofSites(c *config.Config, look func(i int, site *rules.Site) []cdc.Finding) []cdc.Finding {
	sites := sitesOf(c)
	findings := make([][]cdc.Finding, len(sites))
	var g errgroup.Group
	g.SetLimit(sitesAtOnce)
	for i, site := range sites {
		g.Go(func() error {
			findings[i] = look(i, site)
			return nil
		})
	}
	_ = g.Wait() // what is wrong is found, and no error
	return slices.Concat(findings...)
}

// checkSites reads once what payloads are made of. A site whose payloads cannot be made is no fault of the others: its
// events wait until it is fixed.
func checkSites(ctx context.Context, db *sql.DB, source *cdc.Source, c *config.Config) []cdc.Finding {
	ld := loader.New(db, source, loader.Options{}, slog.New(slog.DiscardHandler))
	return ofSites(c, func(_ int, site *rules.Site) []cdc.Finding {
		f := cdc.Finding{Check: "payloads of " + site.Name, OK: true, Found: "all that extended payloads need can be read"}
		if err := ld.CheckSite(ctx, site); err != nil {
			f.OK, f.Warn, f.Found, f.Fix = false, true, "its events would wait: "+loader.Reason(err), loader.Fix(err)
		}
		return []cdc.Finding{f}
	})
}
