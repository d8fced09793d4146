// Package discover finds the sites of a database server by themselves: each schema and table prefix that has the plugin's
// tables. It asks the server one question, however many sites there are.
package discover

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"hash/crc32"
	"maps"
	"slices"
	"strings"

	"rowhook/config"
)

// marker is a table that the plugin always has, behind the site's prefix.
const marker = "vikappointments_reservation"

// most bounds what is read of a server.
const most = 20_000

// longest is how long the name of a site may be.
const longest = 64

// Place is where a site's tables are.
type Place struct {
	Schema string `json:"schema"`
	Prefix string `json:"prefix"` // wp_
}

// PlaceOf is the site whose first table a table is; false when it is no such table.
func PlaceOf(schema, table string) (Place, bool) {
	prefix, ok := strings.CutSuffix(table, marker)
	return Place{schema, prefix}, ok && config.IsPrefix(prefix)
}

// Marker is the table that the plugin always has there.
func (p Place) Marker() string { return p.Prefix + marker }

// Find asks the server for all places that the user may see, in the order of their names.
func Find(ctx context.Context, db *sql.DB) ([]Place, error) {
	rows, err := db.QueryContext(ctx, "SELECT table_schema, table_name FROM information_schema.tables WHERE table_type IN ('BASE TABLE', 'SYSTEM VERSIONED') AND table_name LIKE ? LIMIT ?",
		`%`+strings.ReplaceAll(marker, "_", `\_`), most)
	if err != nil {
		return nil, fmt.Errorf("asking the server for the sites: %w", err)
	}
	defer rows.Close()
	var places []Place
	for rows.Next() {
		var schema, table string
		if err := rows.Scan(&schema, &table); err != nil {
			return nil, fmt.Errorf("asking the server for the sites: %w", err)
		}
		if place, ok := PlaceOf(schema, table); ok {
			places = append(places, place)
		}
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("asking the server for the sites: %w", err)
	}
	slices.SortFunc(places, compare)
	return places, nil
}

// compare puts the sites of a schema together, and wp_2_ before wp_10_.
func compare(a, b Place) int {
	return cmp.Or(strings.Compare(a.Schema, b.Schema), cmp.Compare(len(a.Prefix), len(b.Prefix)), strings.Compare(a.Prefix, b.Prefix))
}

// Names are the names that sites were given. A site keeps its own for ever: deliveries are filed under it, and it must not
// change when the schema gets a second site.
type Names map[Place]string

// named is a site's name as it is stored.
type named struct {
	Place
	Name string `json:"name"`
}

// ParseNames reads what Text wrote; of "" it makes none.
func ParseNames(text string) (Names, error) {
	names := Names{}
	if text == "" {
		return names, nil
	}
	var list []named
	if err := json.Unmarshal([]byte(text), &list); err != nil {
		return nil, fmt.Errorf("reading the names of the sites that were found: %w", err)
	}
	for _, n := range list {
		names[n.Place] = n.Name
	}
	return names, nil
}

// Text is the names as they are stored.
func (n Names) Text() string {
	list := []named{}
	for place, name := range n {
		list = append(list, named{place, name})
	}
	slices.SortFunc(list, func(a, b named) int { return strings.Compare(a.Name, b.Name) })
	text, _ := json.Marshal(list) // strings can always be written
	return string(text)
}

// Places are where the sites are that have names, in the order of Find.
func (n Names) Places() []Place { return slices.SortedFunc(maps.Keys(n), compare) }

// Sites are the sites of a configuration: those that it lists, as they are listed, and behind them those at all other
// places. New ones get a name in n: that of their schema or, where the schema has several sites, schema_prefix.
func (n Names) Sites(listed []config.Site, places []Place) []config.Site {
	sites := slices.Clone(listed)
	taken := map[string]bool{}
	for _, s := range listed {
		taken[s.Name] = true
	}
	for place, name := range n {
		if taken[name] {
			delete(n, place) // a person gave that name to another one
		}
		taken[name] = true
	}
	inSchema := map[string]int{}
	for _, p := range places {
		inSchema[p.Schema]++
	}
	for _, p := range places {
		if slices.ContainsFunc(listed, func(s config.Site) bool { return s.Schema == p.Schema && s.Prefix == p.Prefix }) {
			continue
		}
		if n[p] == "" {
			n[p] = p.name(inSchema[p.Schema] > 1, taken)
			taken[n[p]] = true
		}
		sites = append(sites, config.FoundSite(n[p], p.Schema, p.Prefix))
	}
	return sites
}

// name makes a name that no other site has.
func (p Place) name(several bool, taken map[string]bool) string {
	name := word(p.Schema)
	if several {
		name = word(p.Schema + "_" + strings.TrimSuffix(p.Prefix, "_"))
	}
	if name != "" && !taken[name] {
		return name
	}
	sum := fmt.Sprintf("%08x", crc32.ChecksumIEEE([]byte(p.Schema+"."+p.Prefix)))
	return strings.TrimPrefix(name[:min(len(name), longest-1-len(sum))]+"_"+sum, "_")
}

// word is a text as a site's name: a-z, 0-9, _ and -.
func word(text string) string {
	text = strings.Map(func(r rune) rune {
		if 'a' <= r && r <= 'z' || '0' <= r && r <= '9' || r == '_' || r == '-' {
			return r
		}
		return '-'
	}, strings.ToLower(text))
	return text[:min(len(text), longest)]
}
