package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/go-sql-driver/mysql"
	"github.com/spf13/cobra"

	"rowhook/config"
	"rowhook/printable"
)

// importCommand is `rowhook import`: it reads the plugin's webhook table of every site and writes rule YAML to stdout.
func (t *tree) importCommand() *cobra.Command {
	c := &cobra.Command{
		Use: "import", Short: "print rules for the webhooks of the plugin's own table",
		Long:    "Writes rules for the webhooks of the plugin's own table to standard output, as YAML.",
		Example: "  rowhook import > /etc/rowhook/rules.d/imported.yaml",
	}
	only := c.Flags().String("site", "", "only the site of this `NAME`")
	t.complete(c, "site", t.siteNames)
	return does(c, 0, 0, func(ctx context.Context, _ []string, stdout, stderr io.Writer) error {
		return importRules(ctx, t.config, *only, stdout, stderr)
	})
}

func importRules(ctx context.Context, configFile, only string, stdout, stderr io.Writer) error {
	c, err := config.Load(configFile)
	if err != nil {
		return err
	}
	if only != "" && !c.HasSite(only) {
		return &usageError{fmt.Sprintf("%s has no site %q", configFile, only), "try: rowhook import without --site"}
	}
	keepPrivate(stdout, stderr, daemonUser(c))
	db := serverOf(c.Database).Pool()
	defer db.Close()
	if err := presentSites(ctx, db, c); err != nil {
		return err
	}
	if only != "" && !slices.ContainsFunc(c.Sites, func(s config.Site) bool { return s.Name == only }) {
		return &usageError{fmt.Sprintf("there is no site %q", only), "try: rowhook import without --site"}
	}
	var found []siteWebhooks
	for _, site := range c.Sites {
		if only != "" && site.Name != only {
			continue
		}
		hooks, err := readWebhooks(ctx, db, site)
		if err != nil {
			return fmt.Errorf("reading the webhooks of site %s: %w", site.Name, err)
		}
		found = append(found, siteWebhooks{site.Name, hooks})
	}
	file, err := ruleFile(found)
	if err != nil {
		return fmt.Errorf("writing the rules: %w", err)
	}
	out := printable.NewWriter(stdout)
	return errors.Join(file.deliver(out, stderr), out.Flush())
}

// deliver writes the rules, and says for people what they may not expect. That there is no rule is an error, but comments
// are written all the same: they say why.
func (f imported) deliver(stdout, stderr io.Writer) error {
	if f.rules == 0 && f.refused == 0 {
		return errors.New("no rule was written: the plugin has no webhooks; rules.example/ shows how to write rules by hand")
	}
	if _, err := stdout.Write(f.text); err != nil {
		return err
	}
	if f.rules == 0 {
		return fmt.Errorf("no rule was written: this version cannot serve %s; the comments that were written say why", count(f.refused, "webhook"))
	}
	if f.refused > 0 {
		fmt.Fprintf(stderr, "rowhook import: as comments, for this version cannot serve them: %d\n", f.refused)
	}
	if f.disabled > 0 {
		fmt.Fprintf(stderr, "rowhook import: unpublished in the plugin, and so written with enabled: false: %d of %s\n", f.disabled, count(f.rules, "rule"))
	}
	return nil
}

// maxWebhooks bounds what is read of a site; the plugin calls every webhook in the page request, so none has many.
const maxWebhooks = 10_000

// readWebhooks reads the plugin's table in the order in which the plugin calls them.
func readWebhooks(ctx context.Context, db *sql.DB, site config.Site) ([]webhook, error) {
	table := fmt.Sprintf("`%s`.`%svikappointments_webhook`", site.Schema, site.Prefix)
	rows, err := db.QueryContext(ctx, fmt.Sprintf(
		"SELECT id, name, hook, url, COALESCE(secret, ''), COALESCE(published = 1, 0), COALESCE(params, '') FROM %s ORDER BY id LIMIT %d", table, maxWebhooks+1))
	if err != nil {
		return nil, explain(err, table)
	}
	defer rows.Close()
	var hooks []webhook
	client := clientOf(site)
	for rows.Next() {
		var h webhook
		if err := rows.Scan(&h.ID, &h.Name, &h.Hook, &h.URL, &h.Secret, &h.Published, &h.Params); err != nil {
			return nil, err
		}
		for _, text := range []*string{&h.Name, &h.URL, &h.Secret, &h.Params} {
			*text = string(client.Reread([]byte(*text), 0))
		}
		hooks = append(hooks, h)
	}
	if len(hooks) > maxWebhooks {
		return nil, fmt.Errorf("%s has more than %d rows", table, maxWebhooks)
	}
	return hooks, rows.Err()
}

// explain adds the remedy to the errors that a wrong site or a missing grant leads to.
func explain(err error, table string) error {
	refused, ok := errors.AsType[*mysql.MySQLError](err)
	if !ok {
		return err
	}
	switch refused.Number {
	case 1146, 1049: // no such table, no such schema
		return fmt.Errorf("%w; correct the schema or the prefix of the site in the configuration", err)
	case 1142, 1044: // no SELECT on the table, no access to the schema
		return fmt.Errorf("%w; as an administrator: GRANT SELECT ON %s TO the user of the configuration", err, table)
	}
	return err
}
