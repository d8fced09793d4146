package setup

import (
	"context"
	"database/sql"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"rowhook/config"
	"rowhook/wordpress/wpconfig"
)

// marker is a table that the plugin always has.
const marker = "vikappointments_reservation"

const (
	mostSites   = 1000 // of one install
	longestName = 64
)

// sitesOf are the sites of an install that have the plugin: that of its own prefix, and in a network those of the others, wp_2_.
func sitesOf(ctx context.Context, db *sql.DB, c *wpconfig.Config) ([]Site, error) {
	tables, err := texts(ctx, db, "SELECT table_name FROM information_schema.tables WHERE table_schema = ? AND table_type = 'BASE TABLE' AND table_name LIKE ? LIMIT ?",
		c.Name, escapeLike(c.Prefix)+"%"+escapeLike(marker), mostSites)
	if err != nil {
		return nil, err
	}
	own := regexp.MustCompile("^" + regexp.QuoteMeta(c.Prefix) + "(?:([1-9][0-9]*)_)?" + marker + "$")
	var sites []Site
	for _, table := range tables {
		m := own.FindStringSubmatch(table)
		if m == nil {
			continue // another install's in the same schema
		}
		site := Site{Schema: c.Name, Prefix: strings.TrimSuffix(table, marker), Root: c.Root, Charset: charsetOf(c.Charset)}
		if site.Name, err = nameOf(ctx, db, c, site.Prefix); err != nil {
			return nil, err
		}
		sites = append(sites, site)
	}
	slices.SortFunc(sites, func(a, b Site) int {
		if len(a.Prefix) != len(b.Prefix) {
			return len(a.Prefix) - len(b.Prefix)
		}
		return strings.Compare(a.Prefix, b.Prefix)
	})
	return sites, nil
}

// charsetOf is what a site's db_charset must be. WordPress ignores a charset that the server does not know.
func charsetOf(written string) string {
	charset := strings.ToLower(written)
	if strings.HasPrefix(charset, "utf8") || !slices.Contains(config.Charsets(), charset) {
		return ""
	}
	return charset
}

// nameOf makes a name of a site's address, which people know, or else of its schema and prefix.
func nameOf(ctx context.Context, db *sql.DB, c *wpconfig.Config, prefix string) (string, error) {
	options := fmt.Sprintf("`%s`.`%soptions`", strings.ReplaceAll(c.Name, "`", "``"), strings.ReplaceAll(prefix, "`", "``"))
	homes, err := texts(ctx, db, "SELECT option_value FROM "+options+" WHERE option_name IN ('home', 'siteurl') ORDER BY option_name LIMIT 1")
	if ctx.Err() != nil {
		return "", ctx.Err()
	}
	if err == nil && len(homes) > 0 {
		if u, err := url.Parse(homes[0]); err == nil && slug(u.Host+u.Path) != "" {
			return slug(strings.TrimPrefix(u.Host, "www.") + u.Path), nil
		}
	}
	name := slug(c.Name)
	if rest, ok := strings.CutPrefix(prefix, c.Prefix); ok && rest != "" {
		name += "-" + strings.TrimSuffix(rest, "_")
	}
	if strings.Trim(name, "-") == "" {
		name = "site"
	}
	return name, nil
}

// slug keeps the letters and digits of ASCII in lower case; everything between them becomes one dash.
func slug(text string) string {
	var b strings.Builder
	for _, r := range strings.ToLower(text) {
		switch {
		case b.Len() >= longestName:
		case 'a' <= r && r <= 'z' || '0' <= r && r <= '9':
			b.WriteRune(r)
		case b.Len() > 0 && !strings.HasSuffix(b.String(), "-"):
			b.WriteByte('-')
		}
	}
	return strings.TrimSuffix(b.String(), "-")
}

// texts are the rows of a query for one column.
func texts(ctx context.Context, db *sql.DB, query string, args ...any) ([]string, error) {
	rows, err := db.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var all []string
	for rows.Next() {
		var text string
		if err := rows.Scan(&text); err != nil {
			return nil, err
		}
		all = append(all, text)
	}
	return all, rows.Err()
}

// escapeLike is a text that LIKE takes as it is.
func escapeLike(text string) string {
	return strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`).Replace(text)
}
