package pipeline

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"rowhook/cdc"
	"rowhook/outbox"
)

// Stop is why a site is not read with the others, and where it goes on. It is stored as it is, in the commits that hold
// what was made of the site's events.
type Stop struct {
	Site   string    `json:"site"`
	Of     string    `json:"of,omitempty"` // the table that it is of, as rules name it; empty: the plugin's own
	Since  time.Time `json:"since"`
	Reason string    `json:"reason"`
	Fix    string    `json:"fix,omitempty"`   // what takes the cause away, without the ways out of this stop
	Table  string    `json:"table,omitempty"` // the first that the transaction cannot be read for
	Txn    string    `json:"transaction,omitempty"`
	At     cdc.Coord `json:"at,omitzero"`
	// Decide says that it does not go on by itself: what the log does not show is lost, and a person must say so.
	Decide bool `json:"decide,omitempty"`
	// Gone says that the log that it needs cannot be had any more; only FromNow goes on.
	Gone bool `json:"gone,omitempty"`

	// Full says that too many of its events wait: it goes on when they are loaded.
	Full bool `json:"full,omitempty"`

	Position cdc.Position `json:"position"`         // before the transaction
	Read     time.Time    `json:"read,omitzero"`    // when the last transaction before it was committed
	Accept   *acceptance  `json:"accept,omitempty"` // a person said to go on
	Kept     LogKept      `json:"log,omitzero"`     // how long the server keeps the log behind Position
	// Cut says that it is of a part of the site; without it, as it was stored once, it is of all its tables.
	Cut bool `json:"cut,omitempty"`
	// Apart says that the plugin's own part has nothing of rules for its tables; without it, as it was stored once, it has.
	Apart bool `json:"apart,omitempty"`
}

// acceptance is a person's word that what the log does not show of a table may be left out.
type acceptance struct {
	Table string `json:"table"`
	Until string `json:"until"` // the last transaction that the others had read by then
}

// Ways are the commands that go on, the best first.
func (s *Stop) Ways() []string {
	now := fmt.Sprintf("rowhook sites resume %s --from-now", s.Site)
	switch {
	case s.Gone:
		return []string{now}
	case s.Decide:
		return []string{"rowhook sites resume " + s.Site, now}
	}
	return []string{"it goes on by itself when that is fixed", "rowhook sites resume " + s.Site, now}
}

// stopPrefix begins the keys of stops in the outbox, and of what is known of a stopped site's tables at its position.
const stopPrefix = "site/"

func (s *Stop) key() string { return stopPrefix + s.Site }

// schemaKey is the key of what is known of a table at the site's position.
func (s *Stop) schemaKey(r cdc.SchemaRecord) string { return s.key() + "/" + r.Key }

func (s *Stop) record() (outbox.Record, error) {
	data, err := json.Marshal(s)
	if err != nil {
		return outbox.Record{}, fmt.Errorf("storing the stop of site %s: %w", s.Site, err)
	}
	return outbox.Record{Owner: siteOwner, Key: s.key(), Data: data}, nil
}

// storedStop is a stop with what is known of tables at its position.
type storedStop struct {
	Stop
	schema []cdc.SchemaRecord
}

// readStops finds the stops among the records of an outbox.
func readStops(records []outbox.Record) ([]*storedStop, error) {
	var stops []*storedStop
	bySite := map[string]*storedStop{}
	for _, r := range records {
		if r.Owner != siteOwner || strings.Count(r.Key, "/") > 1 {
			continue
		}
		s := &storedStop{}
		if err := json.Unmarshal(r.Data, &s.Stop); err != nil {
			return nil, fmt.Errorf("reading the stop of a site, %s: %w", r.Key, err)
		}
		stops, bySite[s.key()] = append(stops, s), s
	}
	for _, r := range records {
		site, key, ok := strings.Cut(strings.TrimPrefix(r.Key, stopPrefix), "/")
		if s := bySite[stopPrefix+site]; ok && r.Owner == siteOwner && s != nil {
			s.schema = append(s.schema, cdc.SchemaRecord{Key: key, Data: r.Data})
		}
	}
	return stops, nil
}
