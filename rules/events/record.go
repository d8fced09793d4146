package events

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
	"rowhook/rules"
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
func (e *Engine) TakeRecords() ([]Record, error) { return e.records.take() }

// Pending is how many records the next commit holds.
func (e *Engine) Pending() int { return e.records.pending() }

// Restore takes in the records of the last commit; the windows of open events run on from now. Events of a site that
// is no longer configured stay in the store.
func (e *Engine) Restore(records []Record, now time.Time) error {
	return e.records.restore(records, now)
}

// TakeBack looks again at the events that Restore left where they are: the rules that they want may be back.
func (e *Engine) TakeBack(now time.Time) { e.records.takeBack(now) }

// records are what is stored of an engine's parts: what changed is taken for a commit, and taken in again at a restart.
type records struct {
	log      *slog.Logger
	windows  *windows
	restores *restores
	work     *applying
	others   []Record // of another engine that was joined
	stranded stranded // what was left where it is
}

func (r *records) take() ([]Record, error) {
	w := r.windows
	taken, err := w.unsent.take()
	if err != nil {
		return nil, err
	}
	taken = append(taken, w.makings.take()...)
	taken = append(taken, r.restores.take()...)
	taken = append(taken, w.unsent.tables.take()...)
	taken = append(taken, w.fired.take()...)
	taken = append(taken, r.others...)
	r.others = nil
	return append(taken, r.work.take(w.txn.Txn.ID())...), nil
}

// pending is how many records the next take has, about.
func (r *records) pending() int {
	return r.windows.unsent.pending() + len(r.others) + len(r.windows.fired.behind) + len(r.windows.makings.behind)
}

// join takes over those of an engine that ends.
func (r *records) join(o *records) {
	r.others = append(append(r.others, o.others...), o.windows.unsent.tables.take()...)
	r.others = append(r.others, o.work.take(o.windows.txn.Txn.ID())...)
}

func eventKey(n uint64) string { return fmt.Sprintf("%s%016x", eventPrefix, n) }

func (r *records) restore(stored []Record, now time.Time) error {
	for _, record := range stored {
		if strings.HasPrefix(record.Key, tablePrefix) {
			if err := r.windows.unsent.tables.restore(record); err != nil {
				return err
			}
		}
	}
	var events []Record
	for _, record := range stored {
		if record.IsEvent() {
			events = append(events, record)
		} else if err := r.restoreOther(record, now); err != nil { // a memory that helps, and no event
			r.log.Error("a record of the outbox cannot be read, it is left alone", slog.String("record", record.Key), slog.Any("error", err))
		}
	}
	r.windows.fired.sort()
	r.restoreEvents(events, now)
	return nil
}

func (r *records) takeBack(now time.Time) {
	stored := r.stranded.records
	r.stranded = newStranded()
	r.restoreEvents(stored, now)
}

// restoreEvents takes in the records of events.
func (r *records) restoreEvents(stored []Record, now time.Time) {
	events := r.readEvents(stored, now)
	slices.SortFunc(events, func(a, b *event) int {
		if (a.Closing == 0) != (b.Closing == 0) {
			return cmp.Compare(b.Closing, a.Closing) // closed ones first
		}
		return cmp.Or(cmp.Compare(a.Closing, b.Closing), cmp.Compare(a.Number, b.Number))
	})
	r.windows.restore(events)
}

// restore takes in events that were stored: the closed ones, and behind them the open ones, in their order.
func (w *windows) restore(events []*event) {
	for _, ev := range events {
		w.unsent.restore(ev)
		switch {
		case ev.Closing == 0:
			w.open.enqueue(aggregate{ev.Site, ev.Action.Entity, ev.IDs[0]}, ev)
		case len(ev.Rules) == 0:
			w.unsent.done(ev)
		default:
			w.closed = append(w.closed, &ev.Event)
		}
	}
	for _, q := range w.open.touch {
		q.listed = false
		w.open.schedule(q)
	}
	w.open.touch = w.open.touch[:0]
}

// readEvents reads the records of events that can go on; the others are stranded.
func (r *records) readEvents(stored []Record, now time.Time) (events []*event) {
	for _, record := range stored {
		ev, err := r.windows.unsent.decode(record, r.windows.catalog, now)
		switch {
		case err != nil: // of another version, or damaged; nobody else waits for it
			r.stranded.unreadable(record, fmt.Errorf("reading the record %s: %w", record.Key, err))
		case ev == nil:
			r.log.Warn("an event waits for a site that is not in the configuration", slog.String("event", record.Key),
				slog.String("fix", "list the site under sites again, with the name that it had, and restart rowhook"))
		case r.matchAgain(ev, record):
			events = append(events, ev)
		}
	}
	return events
}

// matchAgain finds the rules of a closed event; false when those that wanted it are all gone.
func (r *records) matchAgain(ev *event, record Record) bool {
	if ev.Closing == 0 {
		return true
	}
	ev.match(r.windows.catalog.set, r.windows.opts.Plugin)
	gone := slices.DeleteFunc(ev.wanted, func(name string) bool {
		return slices.ContainsFunc(ev.Rules, func(rule *rules.Rule) bool { return rule.Name == name })
	})
	if len(gone) == 0 {
		return true
	}
	if len(ev.Rules) > 0 {
		r.log.Error("rules that wanted an open event are gone; it is sent for the others only", slog.String("site", ev.Site.Name),
			slog.String("event", ev.String()), slog.String("rules", strings.Join(gone, ", ")), slog.String("record", record.Key))
		return true
	}
	r.stranded.without(record, ev.Site.Name, gone)
	return false
}

// restoreOther takes in a record that is of no event.
func (r *records) restoreOther(record Record, now time.Time) error {
	w := r.windows
	switch record.Key[:min(1, len(record.Key))] {
	case firedPrefix:
		if err := w.fired.restore(record, w.catalog); err != nil {
			return fmt.Errorf("reading the status memory %s: %w", record.Key, err)
		}
	case makingPrefix:
		if err := w.makings.restore(record, w.catalog, &w.open, now); err != nil {
			return fmt.Errorf("reading the order in the making %s: %w", record.Key, err)
		}
	case restorePrefix:
		if err := r.restores.restore(record); err != nil {
			return fmt.Errorf("reading the restore of a table %s: %w", record.Key, err)
		}
	case progressPrefix:
		if err := r.work.restore(record); err != nil {
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
	a.entity, a.key = c.byName(parts[1]), rules.Key(parts[2])
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

// mostTableKeys is of how many tables the records' keys are remembered.
const mostTableKeys = 4096

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
	if len(t.keys) >= mostTableKeys { // each statement that may have altered tables makes them anew
		clear(t.keys)
	}
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
