package main

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"

	"github.com/go-sql-driver/mysql"

	"rowhook/cdc"
	"rowhook/config"
	"rowhook/discover"
	"rowhook/lasting"
	"rowhook/outbox"
)

// sitesUnseenKey is the setting of the outbox that holds the sites which the log showed and which may not be read: their tables are in
// the log once, and a restart begins behind them.
const sitesUnseenKey = "sites_unseen"

// readUnseen reads which sites may not be read.
func readUnseen(ctx context.Context, store outbox.Settings) (places []discover.Place, err error) {
	text, err := store.Get(ctx, sitesUnseenKey)
	if err == nil && text != "" {
		err = json.Unmarshal([]byte(text), &places)
	}
	if err != nil {
		return nil, fmt.Errorf("reading which sites may not be read: %w", err)
	}
	return places, nil
}

// keepUnseen stores which sites may not be read.
func (f *follower) keepUnseen(ctx context.Context) error {
	text := ""
	if len(f.finder.unseen) > 0 {
		is, err := json.Marshal(f.finder.unseen)
		if err != nil {
			return fmt.Errorf("storing which sites may not be read: %w", err)
		}
		text = string(is)
	}
	if err := rewrite(ctx, f.store, sitesUnseenKey, text); err != nil {
		return fmt.Errorf("storing which sites may not be read: %w", err)
	}
	return nil
}

// unseenDropped takes a table out that goes, in the log, when it was of a site which may not be read.
func (f *follower) unseenDropped(ctx context.Context, table cdc.TableName) {
	if !f.finder.dropped(table) {
		return
	}
	f.tellUnseen()
	if err := f.keepUnseen(ctx); err != nil && ctx.Err() == nil {
		f.log.Warn("that a site was dropped which may not be read is not written down, so it is named again after a restart", slog.Any("error", err))
	}
}

// isGone says whether the server knows that a place has no site, which it tells only those who might read one there.
func isGone(ctx context.Context, db *sql.DB, p discover.Place) bool {
	quote := func(s string) string { return "`" + strings.ReplaceAll(s, "`", "``") + "`" }
	var one int
	err := db.QueryRowContext(ctx, fmt.Sprintf("SELECT 1 FROM %s.%s LIMIT 0", quote(p.Schema), quote(p.Marker()))).Scan(&one)
	const noSchema, noTable = 1049, 1146
	refused, ok := errors.AsType[*mysql.MySQLError](err)
	return ok && (refused.Number == noSchema || refused.Number == noTable)
}

// What is said of a site that may not be read.
const unseenFound = "rowhook's user may not read it, or it was dropped where the log does not show it"

func unseenAbout(p discover.Place) string {
	return fmt.Sprintf("site with schema %s and prefix %s", p.Schema, p.Prefix)
}

func unseenFix(p discover.Place) string {
	return fmt.Sprintf("as an administrator of the server:  GRANT SELECT ON `%s`.* TO the user of the configuration", p.Schema)
}

// tellUnseen says which sites the log shows and the server does not.
func (f *follower) tellUnseen() {
	var wrong []lasting.Wrong
	for _, p := range f.finder.unseen {
		wrong = append(wrong, lasting.Wrong{About: unseenAbout(p), Text: "the log shows it and its tables cannot be seen, so nothing of it is delivered",
			Found: unseenFound, Fix: unseenFix(p), NeedsYou: true})
	}
	f.wrong.Found(wrongUnseen, wrong...)
}

// checkUnseen names the sites that the daemon saw in the log, and that still may not be read.
func checkUnseen(ctx context.Context, c *config.Config) (findings []cdc.Finding) {
	if !c.Discover || c.Deliver.Only {
		return nil
	}
	var unseen []discover.Place
	err := withLog(ctx, c, func(log storedLog) (err error) {
		unseen, err = readUnseen(ctx, log)
		return err
	})
	if err != nil || len(unseen) == 0 {
		return nil // what is wrong with the outbox checkStanding finds
	}
	db := serverOf(c.Database).Pool()
	defer db.Close()
	places, err := discover.Find(ctx, db)
	if err != nil {
		places = nil // which is found of the server
	}
	for _, p := range unseen {
		if !slices.Contains(places, p) && !isGone(ctx, db, p) {
			findings = append(findings, cdc.Finding{Check: unseenAbout(p), Schema: p.Schema, Found: "the log showed it and its tables cannot be seen, so nothing of it is delivered: " + unseenFound, Fix: unseenFix(p)})
		}
	}
	return findings
}
