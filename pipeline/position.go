package pipeline

import (
	"context"
	"encoding/json"
	"fmt"

	"rowhook/cdc"
	"rowhook/outbox"
	"rowhook/rules/events"
)

// checkpoint is the position as the outbox keeps it.
type checkpoint struct {
	Position cdc.Position `json:"position"`
}

func encodePosition(p cdc.Position) ([]byte, error) {
	point, err := json.Marshal(checkpoint{p})
	if err != nil {
		return nil, fmt.Errorf("storing the position: %w", err)
	}
	return point, nil
}

func decodePosition(point []byte) (cdc.Position, error) {
	var c checkpoint
	if err := json.Unmarshal(point, &c); err != nil {
		return cdc.Position{}, fmt.Errorf("reading the stored position: %w", err)
	}
	return c.Position, nil
}

// Stored is what an outbox holds besides deliveries.
type Stored struct {
	Position cdc.Position
	Schema   []cdc.SchemaRecord // what is known of tables there
	Events   int                // those that are not deliveries yet
	Stops    []Stop             // of sites that are not read with the others
	BySite   map[string]int     // events that are not deliveries yet
}

// ReadStored reads it; nil when nothing was ever read of a log.
func ReadStored(ctx context.Context, store interface {
	Resume(ctx context.Context) (outbox.Resume, error)
}) (*Stored, error) {
	state, err := store.Resume(ctx)
	if err != nil {
		return nil, fmt.Errorf("reading the outbox: %w", err)
	}
	if state.Checkpoint == nil {
		return nil, nil
	}
	p, err := decodePosition(state.Checkpoint)
	if err != nil {
		return nil, err
	}
	s := &Stored{Position: p, BySite: map[string]int{}}
	var records []events.Record
	records, s.Schema, _ = splitRecords(state.Open)
	for _, r := range records {
		if r.IsEvent() {
			s.Events++
			s.BySite[r.Site()]++
		}
	}
	stops, err := readStops(state.Open)
	for _, stop := range stops {
		s.Stops = append(s.Stops, stop.Stop)
	}
	return s, err
}

// Who owns the records that are stored beside the position.
const (
	eventsOwner   = "events"   // the rules': open events, and what they remember
	schemaOwner   = "schema"   // the reader's: what is known of tables
	backfillOwner = "backfill" // the backfills'
	siteOwner     = "site"     // those of stopped sites (sites.go)
	TroubleOwner  = "trouble"  // package trouble's: what was told
)

// splitRecords hands records to their owners. Those of backfills are restoreRuns'; what nobody here can read, because another
// version wrote it, is unknown.
func splitRecords(stored []outbox.Record) (records []events.Record, schema []cdc.SchemaRecord, unknown []outbox.Record) {
	for _, r := range stored {
		switch r.Owner {
		case eventsOwner:
			records = append(records, events.Record{Key: r.Key, Data: r.Data})
		case schemaOwner:
			schema = append(schema, cdc.SchemaRecord{Key: r.Key, Data: r.Data})
		case backfillOwner, siteOwner, TroubleOwner:
		default:
			unknown = append(unknown, r)
		}
	}
	return records, schema, unknown
}

// SetPosition makes a position that a person decided on the one that an outbox holds. Events that are not deliveries yet
// are not lost: they become some before what is read from there. What else was known of the history that is left behind
// is forgotten.
func SetPosition(ctx context.Context, store outbox.Journal, p cdc.Position) error {
	state, err := store.Resume(ctx)
	if err != nil {
		return fmt.Errorf("reading the outbox: %w", err)
	}
	b := &outbox.Batch{}
	if b.Checkpoint, err = encodePosition(p); err != nil {
		return err
	}
	records, schema, _ := splitRecords(state.Open)
	for _, r := range schema {
		b.Open = append(b.Open, outbox.Record{Owner: schemaOwner, Key: r.Key})
	}
	for _, r := range state.Open { // stopped sites go on with the others, from there
		if r.Owner == siteOwner {
			b.Open = append(b.Open, outbox.Record{Owner: siteOwner, Key: r.Key})
		}
	}
	changed, err := events.Detach(records)
	if err != nil {
		return err
	}
	for _, r := range changed {
		b.Open = append(b.Open, outbox.Record{Owner: eventsOwner, Key: r.Key, Data: r.Data})
	}
	if err := store.Commit(ctx, b); err != nil {
		return fmt.Errorf("storing the position: %w", err)
	}
	return nil
}
