package main

import (
	"context"
	"database/sql"
	"strings"

	"rowhook/cdc"
	"rowhook/config"
	"rowhook/rules"
	"rowhook/wordpress/relay"
)

// checkRelay says for each site of which rules want hooks that leave no row whether the relay is there and what it relays. Only
// those rules wait for it.
func checkRelay(ctx context.Context, db *sql.DB, c *config.Config, set *rules.Set) []cdc.Finding {
	return ofSites(c, func(_ int, site *rules.Site) []cdc.Finding {
		wanted := set.RelayHooks(site)
		if len(wanted) == 0 {
			return nil
		}
		f := cdc.Finding{Check: "relay of " + site.Name}
		is, err := relay.Ask(ctx, db, site.Schema, site.Prefix)
		if err != nil {
			f.Found, f.Fix = err.Error(), "GRANT SELECT on the site's tables to rowhook's user"
		} else {
			f.Found, f.Fix, f.OK = is.State(wanted)
		}
		f.Warn = !f.OK
		return []cdc.Finding{f}
	})
}

// relaySource says where the events of a rule for a hook that leaves no row come from, and what is known of the relay without
// asking the database.
func relaySource(r *rules.Rule, sites []*rules.Site) string {
	says := []string{r.Action.Hook() + ", from the relay (" + relay.Name + "); rowhook check says whether it is there"}
	for _, site := range sites {
		if site.Root == "" {
			continue
		}
		found := "its file relays it"
		file, err := relay.ReadFile(site.Root)
		switch {
		case err != nil:
			found = err.Error()
		case file == nil:
			found = "there is no " + relay.Path(site.Root) + " (rowhook relay prints it)"
		case len(file.Lacks([]string{r.Action.Entity.Only.Value})) > 0:
			found = "its file does not relay this hook (rowhook relay prints a new one)"
		}
		says = append(says, "site "+site.Name+": "+found)
	}
	return strings.Join(says, "; ")
}
