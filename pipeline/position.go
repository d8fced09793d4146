package pipeline

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"rowhook/cdc"
	"rowhook/outbox"
	"rowhook/rules"
	"rowhook/scratch"
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
}

// ReadStored reads it; nil when nothing was ever read of a log.
func ReadStored(ctx context.Context, store outbox.Store) (*Stored, error) {
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
	s := &Stored{Position: p}
	var records []rules.Record
	records, s.Schema = splitRecords(state.Open)
	for _, r := range records {
		if r.IsEvent() {
			s.Events++
		}
	}
	return s, nil
}

// splitRecords tells the rules' records and the reader's apart.
func splitRecords(stored []outbox.Record) (records []rules.Record, schema []cdc.SchemaRecord) {
	for _, r := range stored {
		if strings.HasPrefix(r.Key, cdc.SchemaPrefix) {
			schema = append(schema, cdc.SchemaRecord{Key: r.Key, Data: r.Data})
		} else {
			records = append(records, rules.Record(r))
		}
	}
	return records, schema
}

// SetPosition makes a position that a person decided on the one that an outbox holds. Events that are not deliveries yet
// are not lost: they become some before what is read from there. What else was known of the history that is left behind
// is forgotten. Files hold what is large meanwhile.
func SetPosition(ctx context.Context, store outbox.Store, p cdc.Position, files scratch.Files) error {
	state, err := store.Resume(ctx)
	if err != nil {
		return fmt.Errorf("reading the outbox: %w", err)
	}
	b := &outbox.Batch{}
	if b.Checkpoint, err = encodePosition(p); err != nil {
		return err
	}
	records, schema := splitRecords(state.Open)
	for _, r := range schema {
		b.Open = append(b.Open, outbox.Record{Key: r.Key})
	}
	changed, err := rules.Detach(records, files)
	if err != nil {
		return err
	}
	for _, r := range changed {
		b.Open = append(b.Open, outbox.Record(r))
	}
	if err := store.Commit(ctx, b); err != nil {
		return fmt.Errorf("storing the position: %w", err)
	}
	return nil
}
