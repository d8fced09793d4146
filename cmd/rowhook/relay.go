package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"rowhook/config"
	"rowhook/rules"
	"rowhook/wordpress/relay"
)

// relayCommand is `rowhook relay`: it prints the file that WordPress needs for hooks that leave no row, or the table's SQL. It
// asks neither the daemon nor the database.
func (t *tree) relayCommand() *cobra.Command {
	c := &cobra.Command{
		Use: "relay", Short: "print the file for WordPress that tells of hooks that leave no row",
		Long: "Prints the file for wp-content/mu-plugins that tells of hooks that leave no row in the database (the cart's, mails), with\n" +
			"those that the rules want; or the SQL of the table that it writes to. docs/relay.md has the steps.",
		Example: "  rowhook relay > /var/www/html/wp-content/mu-plugins/rowhook-relay.php\n  rowhook relay --sql > relay.sql",
	}
	var o relayOptions
	c.Flags().StringVar(&o.site, "site", "", "what the rules want of the site `NAME`; without it of all sites")
	c.Flags().BoolVar(&o.sql, "sql", false, "print the SQL of the table, for each site, in place of the file")
	c.Flags().StringVar(&o.engine, "engine", relay.Engines()[0], "the table's `ENGINE`: BLACKHOLE keeps no rows, and a server without it takes InnoDB; InnoDB where the log is another node's (Galera)")
	t.complete(c, "site", t.siteNames)
	return does(c, 0, 0, func(ctx context.Context, _ []string, stdout, stderr io.Writer) error {
		return printRelay(ctx, t.config, o, stdout, stderr)
	})
}

// relayOptions are the flags of the command.
type relayOptions struct {
	site, engine string
	sql          bool
}

func printRelay(ctx context.Context, configFile string, o relayOptions, stdout, stderr io.Writer) error {
	if !slices.ContainsFunc(relay.Engines(), func(e string) bool { return strings.EqualFold(e, o.engine) }) {
		return &usageError{fmt.Sprintf("--engine is %q", o.engine), "write " + strings.Join(relay.Engines(), " or ")}
	}
	c, err := loadNamed(ctx, configFile)
	if err != nil {
		return err
	}
	set, err := readRules(c, configFile)
	if err != nil {
		return err
	}
	sites, hooks, err := relayed(c, set, o.site)
	if err != nil {
		return err
	}
	text := ""
	if o.sql {
		if len(sites) == 0 {
			return errors.New("discover: true, and the daemon has not found a site yet; start it, or list the sites that rules want hooks of")
		}
		for _, s := range sites {
			text += fmt.Sprintf("-- site %s\n%s", s.Name, relay.Table(s.Schema, s.Prefix, o.engine))
		}
	} else if text, err = relay.File(hooks); err != nil {
		return err
	}
	if _, err = io.WriteString(stdout, text); err == nil && !o.sql && len(sites) > 1 {
		fmt.Fprintln(stderr, "rowhook relay: the file has what the rules want of all sites; --site NAME prints what they want of one")
	}
	return err
}

// relayed are the sites of which rules want hooks that leave no row, and those hooks.
func relayed(c *config.Config, set *rules.Set, only string) (sites []*rules.Site, hooks []string, err error) {
	if only != "" && !c.HasSite(only) {
		return nil, nil, &usageError{fmt.Sprintf("no site is called %q", only), "rowhook sites list  has their names"}
	}
	for _, s := range sitesOf(c) {
		wanted := set.RelayHooks(s)
		if only != "" && s.Name != only || len(wanted) == 0 {
			continue
		}
		sites, hooks = append(sites, s), append(hooks, wanted...)
	}
	if c.Discover {
		hooks = append(hooks, hooksToCome(set, only)...)
	}
	if len(hooks) == 0 {
		return nil, nil, errors.New("no rule names a hook that leaves no row in the database, so no relay is needed; a rule for one has for example  action: onAddItemCart")
	}
	slices.Sort(hooks)
	return sites, slices.Compact(hooks), nil
}

// hooksToCome are the hooks that leave no row which rules want of sites that may yet be found, or of one of them.
func hooksToCome(set *rules.Set, only string) (hooks []string) {
	for r := range set.Enabled() {
		if e := r.Action.Entity; e.Relay && (only == "" || r.For(&rules.Site{Name: only})) {
			hooks = append(hooks, e.Only.Value)
		}
	}
	return hooks
}
