// Package loader makes the payloads of closed events.
//
// Most payloads need no more than what the log showed. The others (a save that only an option row made, the order
// behind a status change) are selected from the site's database, in a snapshot that is proven to contain the event:
// the log can be read before the row is visible (DESIGN 6).
package loader

import (
	"context"
	"database/sql"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"rowhook/cdc"
	"rowhook/rules"
)

// Payload is what one rule gets of an event.
type Payload struct {
	Rule *rules.Rule
	Body []byte    // JSON
	Gone bool      // the object did not exist any more; Body is what the log showed
	AsOf time.Time // when the snapshot was taken that Body was read from; zero: Body is what the log showed
}

// Loader reads sites' databases. It is safe for concurrent use.
type Loader struct {
	db  *sql.DB
	src server
	log *slog.Logger
}

// server is what a loader must know of the server whose log the events are from.
type server interface {
	MariaDB() bool
}

// New makes a loader over db, a pool to the server that src follows.
func New(db *sql.DB, src server, log *slog.Logger) *Loader {
	return &Loader{db: db, src: src, log: log}
}

// Immediate makes an event's payloads when the log showed all they need; false when Load must.
func Immediate(ev *rules.Event) ([]Payload, bool) {
	if needsRow(ev) {
		return nil, false
	}
	return compose(ev, object{}), true
}

// Load makes the payloads of events of one site: of each event its payloads, none where nobody wants it after all.
// It waits until the database shows what the log showed; errors are the database's, and worth another try.
func (l *Loader) Load(ctx context.Context, events []*rules.Event) ([][]Payload, error) {
	objects, err := l.objects(ctx, events)
	if err != nil {
		return nil, err
	}
	payloads := make([][]Payload, len(events))
	for i, ev := range events {
		payloads[i] = compose(ev, objects[objectKey{ev.Action.Entity, ev.IDs[0]}])
	}
	return payloads, nil
}

// needsRow says whether some payload of the event needs the object's row, which the log did not show.
func needsRow(ev *rules.Event) bool {
	switch ev.Action.Kind {
	case rules.Save:
		return ev.Row.Len() == 0
	case rules.StatusChange:
		return slices.ContainsFunc(ev.Rules, func(r *rules.Rule) bool { return r.Load == rules.Full })
	}
	return false
}

// object is a selected row; without a table none was selected, without a row it is gone.
type object struct {
	table *cdc.Table
	row   cdc.Row
	asOf  time.Time
}

type objectKey struct {
	entity *rules.Entity
	id     int64
}

// objects selects the rows that the events need, all in one snapshot.
func (l *Loader) objects(ctx context.Context, events []*rules.Event) (map[objectKey]object, error) {
	wanted := map[*rules.Entity][]int64{}
	var newest *rules.Event
	for _, ev := range events {
		if !needsRow(ev) {
			continue
		}
		wanted[ev.Action.Entity] = append(wanted[ev.Action.Entity], ev.IDs[0])
		if newest == nil || newest.Last.Before(ev.Last) {
			newest = ev
		}
	}
	if newest == nil {
		return nil, nil
	}
	snap, err := l.snapshot(ctx, newest)
	if err != nil {
		return nil, fmt.Errorf("loading %s: %w", newest, err)
	}
	defer snap.close(ctx)
	objects := map[objectKey]object{}
	for entity, ids := range wanted {
		table := newest.Site.Table(entity.Table)
		found, err := snap.selectByID(ctx, table, ids)
		if err != nil {
			return nil, fmt.Errorf("loading %d rows of %s: %w", len(ids), table, err)
		}
		for _, id := range ids {
			objects[objectKey{entity, id}] = object{found.table, found.rows[id], snap.taken}
		}
	}
	return objects, nil
}
