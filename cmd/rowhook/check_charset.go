package main

import (
	"context"
	"database/sql"
	"fmt"
	"strings"

	"rowhook/cdc"
	"rowhook/config"
	"rowhook/rules"
)

// sampled is how many names of each table are looked at.
const sampled = 200

// checkTexts looks for names that were written in UTF-8 over a connection in another charset, at sites that do not say so.
// What cannot be read is another finding's.
func checkTexts(ctx context.Context, db *sql.DB, c *config.Config) []cdc.Finding {
	return ofSites(c, func(i int, site *rules.Site) []cdc.Finding {
		if c.Sites[i].DBCharset != "" {
			return nil
		}
		names := sample(ctx, db, site.Table("reservation"), "purchaser_nominative")
		names = append(names, sample(ctx, db, site.Table("users"), "billing_name")...)
		charset, odd := doublyEncoded(names)
		if charset == "" {
			return nil
		}
		return []cdc.Finding{{
			Check: "texts of site " + site.Name, OK: true, Hint: true, Found: fmt.Sprintf("look as if written in UTF-8 over a connection in %s: %.60q", charset, odd),
			Fix: fmt.Sprintf("if wp-config.php says  define('DB_CHARSET', '%s');  then in the configuration sites[%d].db_charset: %[1]s", charset, i),
		}}
	})
}

// sample reads the newest texts of a column.
func sample(ctx context.Context, db *sql.DB, t cdc.TableName, column string) []string {
	rows, err := db.QueryContext(ctx, fmt.Sprintf("SELECT `%s` FROM `%s`.`%s` WHERE `%[1]s` <> '' ORDER BY `id` DESC LIMIT %[4]d",
		column, strings.ReplaceAll(t.Schema, "`", "``"), t.Name, sampled))
	if err != nil {
		return nil
	}
	defer rows.Close()
	var texts []string
	for rows.Next() {
		var text string
		if rows.Scan(&text) != nil {
			return texts
		}
		texts = append(texts, text)
	}
	if rows.Err() != nil {
		return nil
	}
	return texts
}

// doublyEncoded finds the charset in which most texts make sense only when they are read as UTF-8, and one of them; empty
// when none do.
func doublyEncoded(texts []string) (charset, example string) {
	most := 0
	for _, name := range []string{"latin1", "latin2", "cp1250", "cp1251", "koi8r", "greek", "latin5"} {
		client, err := cdc.NewClient(name)
		if err != nil {
			continue
		}
		found, first := 0, ""
		for _, text := range texts {
			seen := string(client.Reread([]byte(text), 0))
			if seen == text || strings.Count(seen, "?") != strings.Count(text, "?") {
				continue
			}
			if found++; first == "" {
				first = text
			}
		}
		if found > most {
			most, charset, example = found, name, first
		}
	}
	return charset, example
}
