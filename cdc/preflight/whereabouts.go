package preflight

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"rowhook/cdc/schema/ddl"
	"rowhook/cdc/sqlmap"
)

// place is a schema, and the prefix that a site's tables have in it.
type place struct{ schema, prefix string }

// whereabouts looks for tables that are not where the configuration says: under another prefix, in another schema, or
// spelled with other letters, as a server with lower_case_table_names does. It returns the places that have most of the
// tables, the best first. It sees only what our user may see. The missing tables have one prefix.
func (s *Checker) whereabouts(ctx context.Context, missing []ddl.TableName) ([]place, error) {
	suffixes, conditions, args := []string{}, []string{}, []any{}
	for _, t := range missing {
		if suffix := strings.ToLower(strings.TrimPrefix(t.Name, s.Prefixes[t])); !slices.Contains(suffixes, suffix) {
			suffixes = append(suffixes, suffix)
			conditions = append(conditions, "RIGHT(LOWER(table_name), ?) = ?")
			args = append(args, len([]rune(suffix)), suffix)
		}
	}
	rows, err := sqlmap.Rows(ctx, s.DB, "SELECT table_schema AS s, table_name AS t FROM information_schema.tables WHERE table_schema NOT IN ('mysql', 'sys', 'information_schema', 'performance_schema') AND ("+
		strings.Join(conditions, " OR ")+") LIMIT 10000", args...)
	if err != nil {
		return nil, fmt.Errorf("looking for tables: %w", err)
	}
	_, known := s.Prefixes[missing[0]]
	found := map[place]int{}
	for _, r := range rows {
		for _, suffix := range suffixes {
			if prefix := len(r["t"]) - len(suffix); prefix == 0 && !known || known && prefix >= 0 && strings.EqualFold(r["t"][prefix:], suffix) {
				found[place{r["s"], r["t"][:prefix]}]++
			}
		}
	}
	var places []place
	for p, n := range found {
		if 2*n > len(suffixes) {
			places = append(places, p)
		}
	}
	nearness := func(p place) int { // the schema counts most
		n := 0
		for _, t := range missing {
			if strings.EqualFold(t.Schema, p.schema) {
				n += 2
			}
			if strings.EqualFold(s.Prefixes[t], p.prefix) {
				n++
			}
		}
		return n
	}
	slices.SortFunc(places, func(a, b place) int {
		return cmp.Or(nearness(b)-nearness(a), found[b]-found[a], strings.Compare(a.schema+"."+a.prefix, b.schema+"."+b.prefix))
	})
	return places, nil
}

// mostLost is of how many sites in a schema, by their prefixes, the tables are looked for elsewhere. Each costs the server a look
// at all its tables; what is wrong with many is wrong with these.
const mostLost = 3

// lost says where tables are that were not found in a schema, and what to write into the configuration; empty when they
// are nowhere that our user may see.
func (s *Checker) lost(ctx context.Context, schema string, names []string) (found, fix string) {
	byPrefix := map[string][]ddl.TableName{}
	var prefixes []string
	for _, name := range names {
		t := ddl.TableName{Schema: schema, Name: name}
		if prefix := s.Prefixes[t]; !slices.Contains(prefixes, prefix) {
			prefixes = append(prefixes, prefix)
		}
		byPrefix[s.Prefixes[t]] = append(byPrefix[s.Prefixes[t]], t)
	}
	var says, types []string
	ours := make(map[place]bool)
	for _, t := range s.Tables {
		ours[place{t.Schema, s.Prefixes[t]}] = true
	}
	for _, prefix := range prefixes[:min(mostLost, len(prefixes))] {
		places, err := s.whereabouts(ctx, byPrefix[prefix])
		if err != nil {
			continue
		}
		places = slices.DeleteFunc(places, func(p place) bool { return ours[p] })
		if len(places) == 0 {
			continue
		}
		said, typed := describePlaces(schema, prefix, places)
		says, types = append(says, said), append(types, typed)
	}
	return strings.Join(says, "; "), strings.Join(types, "   ")
}

// describePlaces says where the tables of a schema and prefix are instead, and what makes the first of these places the
// configured one.
func describePlaces(schema, prefix string, places []place) (found, fix string) {
	const most = 4
	var texts []string
	for _, p := range places[:min(most, len(places))] {
		texts = append(texts, fmt.Sprintf("in schema %q with the prefix %q", p.schema, p.prefix))
	}
	if len(places) > most {
		texts = append(texts, "and elsewhere")
	}
	best := places[0]
	found = "tables of these names are there " + strings.Join(texts, ", ")
	if strings.EqualFold(best.schema, schema) && strings.EqualFold(best.prefix, prefix) {
		found += " (upper and lower case must be as the server has them)"
	}
	fix = "in the configuration:"
	if best.schema != schema {
		fix += fmt.Sprintf("  sites[].schema: %q", best.schema)
	}
	if best.prefix != prefix {
		fix += fmt.Sprintf("  sites[].prefix: %q", best.prefix)
	}
	return found, fix
}
