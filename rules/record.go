package rules

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/cespare/xxhash/v2"

	"rowhook/cdc"
	"rowhook/cdc/schema"
)

// Record is a part of the engine's state under a key, for the commit that holds the position. Without data it is deleted.
type Record struct {
	Key  string
	Data []byte
}

// The first byte of a record's key says what it holds.
const (
	eventPrefix = "e"
	firedPrefix = "f"
	tablePrefix = "t"

	progressPrefix = "p"
)

// TakeRecords returns what changed in the engine's state since the last call: events that are not deliveries yet, and
// those that are. The caller commits them together with the position and with the deliveries of the events it named
// to Done, or gives the engine up.
func (e *Engine) TakeRecords() ([]Record, error) {
	records, err := e.unsent.take()
	if err != nil {
		return nil, err
	}
	records = append(records, e.makings.take()...)
	records = append(records, e.restores.take()...)
	records = append(records, e.unsent.tables.take()...)
	records = append(records, e.fired.take()...)
	records = append(records, e.others...)
	e.others = nil
	return append(records, e.work.take(e.txn.Txn.ID())...), nil
}

func eventKey(n uint64) string { return fmt.Sprintf("%s%016x", eventPrefix, n) }

// Restore takes in the records of the last commit; the windows of open events run on from now. Events of a site that
// is no longer configured stay in the store.
func (e *Engine) Restore(records []Record, now time.Time) error {
	for _, r := range records {
		if strings.HasPrefix(r.Key, tablePrefix) {
			if err := e.unsent.tables.restore(r); err != nil {
				return err
			}
		}
	}
	var events []Record
	for _, r := range records {
		if r.IsEvent() {
			events = append(events, r)
		} else if err := e.restoreOther(r, now); err != nil { // a memory that helps, and no event
			e.opts.Log.Error("a record of the outbox cannot be read, it is left alone", slog.String("record", r.Key), slog.Any("error", err))
		}
	}
	e.fired.sort()
	e.restoreEvents(events, now)
	return nil
}

// TakeBack looks again at the events that Restore left where they are: the rules that they want may be back.
func (e *Engine) TakeBack(now time.Time) {
	records := e.stranded.records
	e.stranded = newStranded()
	e.restoreEvents(records, now)
}

// restoreEvents takes in the records of events.
func (e *Engine) restoreEvents(records []Record, now time.Time) {
	events := e.readEvents(records, now)
	slices.SortFunc(events, func(a, b *Event) int {
		if (a.closing == 0) != (b.closing == 0) {
			return cmp.Compare(b.closing, a.closing) // closed ones first
		}
		return cmp.Or(cmp.Compare(a.closing, b.closing), cmp.Compare(a.number, b.number))
	})
	for _, ev := range events {
		e.unsent.restore(ev)
		if ev.closing == 0 {
			e.open.enqueue(aggregate{ev.Site, ev.Action.Entity, ev.IDs[0]}, ev)
			continue
		}
		if len(ev.Rules) == 0 {
			e.Done(ev)
			continue
		}
		e.closed = append(e.closed, ev)
	}
	for _, q := range e.open.touch {
		q.listed = false
		e.open.schedule(q)
	}
	e.open.touch = e.open.touch[:0]
}

// readEvents reads the records of events that can go on; the others are stranded.
func (e *Engine) readEvents(records []Record, now time.Time) (events []*Event) {
	for _, r := range records {
		ev, err := e.unsent.decode(r, e.catalog, now)
		switch {
		case err != nil: // of another version, or damaged; nobody else waits for it
			e.stranded.unreadable(r, fmt.Errorf("reading the record %s: %w", r.Key, err))
		case ev == nil:
			e.opts.Log.Warn("an event waits for a site that is not in the configuration", slog.String("event", r.Key),
				slog.String("fix", "list the site under sites again, with the name that it had, and restart rowhook"))
		case e.matchAgain(ev, r):
			events = append(events, ev)
		}
	}
	return events
}

// matchAgain finds the rules of a closed event; false when those that wanted it are all gone.
func (e *Engine) matchAgain(ev *Event, record Record) bool {
	if ev.closing == 0 {
		return true
	}
	ev.match(e.set, e.opts.Plugin)
	gone := slices.DeleteFunc(ev.wanted, func(name string) bool {
		return slices.ContainsFunc(ev.Rules, func(r *Rule) bool { return r.Name == name })
	})
	if len(gone) == 0 {
		return true
	}
	if len(ev.Rules) > 0 {
		e.opts.Log.Error("rules that wanted an open event are gone; it is sent for the others only", slog.String("site", ev.Site.Name),
			slog.String("event", ev.String()), slog.String("rules", strings.Join(gone, ", ")), slog.String("record", record.Key))
		return true
	}
	e.stranded.without(record, ev.Site.Name, gone)
	return false
}

// restoreOther takes in a record that is of no event.
func (e *Engine) restoreOther(r Record, now time.Time) error {
	switch r.Key[:min(1, len(r.Key))] {
	case firedPrefix:
		if err := e.fired.restore(r, e.catalog); err != nil {
			return fmt.Errorf("reading the status memory %s: %w", r.Key, err)
		}
	case makingPrefix:
		if err := e.makings.restore(r, e.catalog, &e.open, now); err != nil {
			return fmt.Errorf("reading the order in the making %s: %w", r.Key, err)
		}
	case restorePrefix:
		if err := e.restores.restore(r); err != nil {
			return fmt.Errorf("reading the restore of a table %s: %w", r.Key, err)
		}
	case progressPrefix:
		if err := e.work.restore(r); err != nil {
			return fmt.Errorf("reading how much of a transaction was applied: %w", err)
		}
	case tablePrefix: // taken in before
	default:
		return errors.New("nothing here writes such records: they are of another version, or damaged")
	}
	return nil
}

// name names the aggregate in records and to people: salon/appointment/12.
func (a aggregate) name() string {
	return a.site.Name + "/" + a.entity.Name + "/" + string(a.key)
}

// parseAggregate reads what name wrote; false when the site or the entity is not there any more.
func (c *catalog) parseAggregate(name string) (a aggregate, ok bool, err error) {
	parts := strings.SplitN(name, "/", 3) // a key may hold anything
	if len(parts) != 3 {
		return a, false, fmt.Errorf("its key has %d parts", len(parts))
	}
	a.entity, a.key = c.byName(parts[1]), Key(parts[2])
	if a.entity != nil {
		a.site = c.site(parts[0], a.entity)
	}
	return a, a.site != nil && a.entity != nil, nil
}

// tableRecords stores each table that an open event's row is of once, so that the row can be read after a restart.
type tableRecords struct {
	keys  map[*cdc.Table]string
	byKey map[string]*cdc.Table
	fresh []Record
}

type tableRecord struct {
	Schema  string   `json:"schema"`
	Name    string   `json:"name"`
	Columns []string `json:"columns"`
	Key     []int    `json:"key"`
}

func newTableRecords() tableRecords {
	return tableRecords{keys: map[*cdc.Table]string{}, byKey: map[string]*cdc.Table{}}
}

// key is the record's key of a table, which the next take returns when it is new.
func (t *tableRecords) key(table *cdc.Table) string {
	if key, ok := t.keys[table]; ok {
		return key
	}
	data := encodeRecord(tableRecord{table.Schema, table.Name, table.Columns, table.Key})
	key := fmt.Sprintf("%s%016x", tablePrefix, xxhash.Sum64(data))
	t.keys[table] = key
	if t.byKey[key] == nil {
		t.byKey[key] = table
		t.fresh = append(t.fresh, Record{Key: key, Data: data})
	}
	return key
}

func (t *tableRecords) take() []Record {
	fresh := t.fresh
	t.fresh = nil
	return fresh
}

func (t *tableRecords) restore(r Record) error {
	var v tableRecord
	if err := decodeRecord(r.Data, &v); err != nil {
		return fmt.Errorf("reading the table %s: %w", r.Key, err)
	}
	t.byKey[r.Key] = schema.NewTable(cdc.TableName{Schema: v.Schema, Name: v.Name}, v.Columns, v.Key)
	return nil
}
