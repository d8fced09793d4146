package rules

import "rowhook/cdc"

// Site is one WordPress install: a schema and a table prefix.
type Site struct {
	Name   string
	Schema string
	Prefix string // wp_
	Root   string // WordPress' folder, empty when unknown
	// Client is what the site's programs see texts through; nil: their connections are in UTF-8.
	Client *cdc.Client
	part   sitePart
	table  string // of a part with one table
	id     string // of such a part
}

// PluginPrefix stands between a site's prefix and the names of the plugin's tables.
const PluginPrefix = "vikappointments_"

// PluginTable is one of the plugin's tables as it stands behind a site's prefix.
func PluginTable(name string) string { return PluginPrefix + name }

// Table is the name of one of the plugin's tables: Table("reservation").
func (s *Site) Table(name string) cdc.TableName { return s.WordPressTable(PluginPrefix + name) }

// WordPressTable is the name of any table of the site: WordPressTable("posts").
func (s *Site) WordPressTable(name string) cdc.TableName {
	return cdc.TableName{Schema: s.Schema, Name: s.Prefix + name}
}

// Tables lists the plugin's tables of a site that make events, for every rule.
func (s *Site) Tables() []cdc.TableName {
	var names []cdc.TableName
	if s.part == oneTable {
		return nil
	}
	for _, e := range Entities() {
		names = append(names, e.TableOf(s))
		if e.Parts != nil {
			names = append(names, s.WordPressTable(e.Parts.Table))
		}
	}
	return append(names, s.WordPressTable(HistoryTable))
}
