package pipeline

import (
	"fmt"
	"slices"

	"rowhook/outbox"
	"rowhook/rules"
	"rowhook/rules/events"
)

// namedTables was the name, behind the site's, of the one part that had all tables of a site that only rules name.
const namedTables = "+tables"

// takeOver makes of each stop that an earlier version stored one of every part that it was of, at the same place: one of a whole
// site, of all its tables that only rules name, or of the plugin's own with the rules for them. It returns the records as they are then, and has them stored.
func (s *sites) takeOver(stored []outbox.Record) ([]outbox.Record, error) {
	stops, err := readStops(stored)
	if err != nil {
		return nil, err
	}
	for _, stop := range stops {
		named := stop.Cut && stop.Of == "" && stop.Site == rules.SiteOf(stop.Site)+namedTables
		own := stop.Cut && !stop.Apart && stop.Site == rules.SiteOf(stop.Site)
		if stop.Cut && !named && !own {
			continue
		}
		var changes []outbox.Record
		var known bool
		for _, part := range s.all() {
			if part.Name != rules.SiteOf(stop.Site) {
				continue
			}
			known = true
			if only := part.Named() != "" && !part.Shares(); named && !only || own && only {
				continue
			}
			records, err := stop.as(part, stored)
			if err != nil {
				return nil, err
			}
			changes = append(changes, records...)
		}
		if !known { // it is taken over when it is configured again
			continue
		}
		changes = append(append(stop.deletions(), outbox.Record{Owner: eventsOwner, Key: events.ApartKey(stop.Site)}), changes...)
		for _, r := range changes {
			stored = slices.DeleteFunc(slices.Clone(stored), func(o outbox.Record) bool { return o.Owner == r.Owner && o.Key == r.Key })
			if r.Data != nil {
				stored = append(stored, r)
			}
		}
		s.changed = append(s.changed, changes...)
	}
	return stored, nil
}

// as are the records of a stop as those of one part that it was of.
func (s *storedStop) as(part *rules.Site, stored []outbox.Record) ([]outbox.Record, error) {
	stop := s.Stop
	stop.Site, stop.Of, stop.Cut, stop.Apart = part.ID(), part.Named(), true, true
	r, err := stop.record()
	if err != nil {
		return nil, fmt.Errorf("taking over the stop of %s: %w", s.Site, err)
	}
	records := []outbox.Record{r}
	for _, r := range s.schema {
		records = append(records, outbox.Record{Owner: siteOwner, Key: stop.schemaKey(r), Data: r.Data})
	}
	for _, r := range stored { // how much of a large transaction it has applied
		if r.Owner == eventsOwner && r.Key == events.ApartKey(s.Site) {
			records = append(records, outbox.Record{Owner: eventsOwner, Key: events.ApartKey(stop.Site), Data: r.Data})
		}
	}
	return records, nil
}
