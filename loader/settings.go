package loader

import (
	"context"
	"strings"
	"sync"
	"time"

	"rowhook/loader/render"
	"rowhook/rules"
)

// lookupSet is the lookup tables of a site and what follows from its settings, for one batch.
type lookupSet struct {
	tables map[string]*entry
	zones  *zones

	siteURL  string
	locale   string // it_IT, empty for English
	language string // it-IT
	fields   render.Fields
	names    *render.Names
	zone     zone   // of the site
	lc, lc2  string // date formats: WordPress' date with the plugin's time, and with WordPress' time
	date     string // the plugin's own
	lock     time.Duration
	credit   bool // customers have credits
}

// lookupSet reads the lookup tables that are not remembered.
func (l *Loader) lookupSet(ctx context.Context, snap *snapshot, site *rules.Site) (*lookupSet, error) {
	s := &lookupSet{tables: map[string]*entry{}, zones: &l.zones}
	for name := range l.cache.defs {
		e, err := l.cache.find(ctx, snap, site, name)
		if err != nil {
			return nil, err
		}
		s.tables[name] = e
	}
	option := func(name string) string { return s.tables["options"].get(0, name).text("option_value") }
	config := func(name string) string { return s.tables["config"].get(0, name).text("setting") }
	s.lock = time.Duration(render.Float(config("keepapplock"))) * time.Minute
	s.credit = render.True(config("usercredit"))
	s.siteURL = strings.TrimRight(option("siteurl"), "/")
	locale := option("WPLANG")
	s.locale = locale
	var err error
	s.names, err = l.locales.of(site.Root, locale)
	l.locales.tell(l.log, site.Name, locale, err)
	if locale == "" {
		locale = "en_US"
	}
	s.language = strings.ReplaceAll(locale, "_", "-")
	s.fields = s.customFields()
	s.zone = l.zones.ofSite(option("timezone_string"))
	s.lc = option("date_format") + " " + config("timeformat")
	s.lc2 = option("date_format") + " " + option("time_format")
	s.date = config("dateformat") + " " + config("timeformat")
	return s, nil
}

// row is the row of a lookup table with this id, missing when there is none.
func (s *lookupSet) row(table string, id int64) record { return s.tables[table].get(id, "") }

// translated is a column of a row in the site's language, from a table of translations; the row's own when that has none.
func (s *lookupSet) translated(r record, column, table string, id int64) string {
	if t := s.tables[table].get(id, s.language); !r.missing() && t.text(column) != "" {
		return t.text(column)
	}
	return r.text(column)
}

// appendTranslated appends the same; null where there is no text at all.
func (s *lookupSet) appendTranslated(b []byte, r record, column, table string, id int64) []byte {
	if text := s.translated(r, column, table, id); text != "" {
		return appendString(b, text)
	}
	return appendValue(b, r, column)
}

// zone is a time zone under the name that the plugin gives it.
type zone struct {
	name     string
	location *time.Location
}

var utc = zone{"UTC", time.UTC}

// zoneName drops what is not part of a zone's name, as the plugin does.
func zoneName(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'A' && r <= 'Z' || r >= 'a' && r <= 'z' || r == '_' || r == '/' {
			return r
		}
		return -1
	}, s)
}

// zones remembers time zones: finding one means reading a file.
type zones struct {
	mu    sync.Mutex
	known map[string]*time.Location
}

// maxZones bounds what is remembered; there are about 600 zones.
const maxZones = 1000

// ofSite is the zone of a site, from its option. With a manual offset the option is empty, and the plugin takes UTC.
func (z *zones) ofSite(option string) zone {
	if name := zoneName(option); name != "" {
		return z.of(name, z.of(option, utc))
	}
	return utc
}

// of is the zone of a name, or another when there is none of that name.
func (z *zones) of(name string, otherwise zone) zone {
	if name == "" || name == "Local" {
		return otherwise
	}
	if l := render.OffsetZone(name); l != nil {
		return zone{l.String(), l}
	}
	z.mu.Lock()
	defer z.mu.Unlock()
	location, ok := z.known[name]
	if !ok {
		location, _ = time.LoadLocation(name) // nil is remembered too
		if z.known == nil || len(z.known) >= maxZones {
			z.known = map[string]*time.Location{}
		}
		z.known[name] = location
	}
	if location == nil {
		return otherwise
	}
	return zone{name, location}
}
