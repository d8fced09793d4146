package rules

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/cespare/xxhash/v2"

	"rowhook/cdc"
)

// Record is a part of the engine's state under a key, for the commit that holds the position. Data nil deletes it.
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

// eventRecord is an Event as stored.
type eventRecord struct {
	Site     string    `json:"site"`
	Entity   string    `json:"entity"`
	Kind     Kind      `json:"kind"`
	IDs      []int64   `json:"ids"`
	Insert   bool      `json:"insert,omitempty"`
	Status   string    `json:"status,omitempty"`
	Table    string    `json:"table,omitempty"`
	Row      []byte    `json:"row,omitempty"`
	Changed  []bool    `json:"changed,omitempty"`
	Named    []bool    `json:"named,omitempty"`
	Unnamed  bool      `json:"unnamed,omitempty"`
	First    First     `json:"first"`
	Last     cdc.Coord `json:"last"`
	GTID     string    `json:"gtid,omitempty"`
	Time     time.Time `json:"time"`
	Closing  uint64    `json:"closing,omitempty"`
	Backfill string    `json:"backfill,omitempty"`
	Waits    bool      `json:"waits,omitempty"`
	Sealed   bool      `json:"sealed,omitempty"`
	FirstAt  time.Time `json:"first_at"`
	LastAt   time.Time `json:"last_at"`
}

// TakeRecords returns what changed in the engine's state since the last call: events that are not deliveries yet, and
// those that are. The caller commits them together with the position and with the deliveries of the events it named
// to Done, or gives the engine up.
func (e *Engine) TakeRecords() ([]Record, error) {
	var records []Record
	for _, ev := range e.changed {
		ev.dirty = false
		if e.live[ev.number] != ev {
			continue
		}
		r, err := e.encode(ev)
		if err != nil {
			return nil, fmt.Errorf("storing %s: %w", ev, err)
		}
		records = append(records, r)
		ev.stored = true
	}
	for _, n := range e.gone {
		records = append(records, Record{Key: eventKey(n)})
	}
	clear(e.changed)
	e.changed, e.gone = e.changed[:0], e.gone[:0]
	records = append(records, e.tables.take()...)
	records = append(records, e.others...)
	e.others = nil
	return append(records, e.takeProgress()...), nil
}

// dirty notes that an event's record is behind.
func (e *Engine) dirty(ev *Event) {
	e.weigh(ev)
	if !ev.dirty {
		ev.dirty = true
		e.changed = append(e.changed, ev)
	}
}

func eventKey(n uint64) string { return fmt.Sprintf("%s%016x", eventPrefix, n) }

func (e *Engine) encode(ev *Event) (Record, error) {
	r := eventRecord{
		Site: ev.Site.Name, Entity: ev.Action.Entity.Name, Kind: ev.Action.Kind, IDs: ev.IDs, Insert: ev.Insert, Status: ev.Status,
		Changed: ev.Changed, Named: ev.Named, Unnamed: ev.unnamed, First: ev.First, Last: ev.Last, GTID: ev.GTID, Time: ev.Time,
		Closing: ev.closing, Backfill: ev.Backfill, Waits: ev.waits, Sealed: ev.sealed, FirstAt: ev.first.log, LastAt: ev.last.log,
	}
	if ev.Row.Len() > 0 {
		r.Table = e.tables.key(ev.Table)
	}
	data, err := json.Marshal(r)
	if err == nil && ev.Row.Len() > 0 {
		data, err = ev.Row.AppendBinary(append(data, '\n'))
	}
	return Record{Key: eventKey(ev.number), Data: data}, err
}

// marshal is the form of an event in the store: JSON, the end of the line, and the row as it is, which may be large.
func (r eventRecord) marshal() ([]byte, error) {
	row := r.Row
	r.Row = nil
	data, err := json.Marshal(r)
	if err == nil && len(row) > 0 {
		data = append(append(data, '\n'), row...)
	}
	return data, err
}

func parseEventRecord(data []byte) (r eventRecord, err error) {
	head, row, apart := bytes.Cut(data, []byte{'\n'})
	if err = json.Unmarshal(head, &r); apart { // else it is in the JSON, as it was once
		r.Row = row
	}
	return r, err
}

// Restore takes in the records of the last commit; the windows of open events run on from now. Events of a site that
// is no longer configured stay in the store.
func (e *Engine) Restore(records []Record, now time.Time) error {
	for _, r := range records {
		if strings.HasPrefix(r.Key, tablePrefix) {
			if err := e.tables.restore(r); err != nil {
				return err
			}
		}
	}
	var events []*Event
	for _, r := range records {
		switch {
		case strings.HasPrefix(r.Key, eventPrefix):
			ev, err := e.decode(r, now)
			if err != nil {
				return fmt.Errorf("reading the open event %s: %w", r.Key, err)
			}
			if ev == nil {
				e.opts.Log.Warn("an open event waits for a site that is not configured", slog.String("record", r.Key))
				continue
			}
			events = append(events, ev)
		case strings.HasPrefix(r.Key, firedPrefix):
			if err := e.restoreFired(r); err != nil {
				return fmt.Errorf("reading the status memory %s: %w", r.Key, err)
			}
		case strings.HasPrefix(r.Key, progressPrefix):
			if err := e.restoreProgress(r); err != nil {
				return fmt.Errorf("reading how much of a transaction was applied: %w", err)
			}
		}
	}
	e.orderFired()
	slices.SortFunc(events, func(a, b *Event) int {
		if (a.closing == 0) != (b.closing == 0) {
			return cmp.Compare(b.closing, a.closing) // closed ones first
		}
		return cmp.Or(cmp.Compare(a.closing, b.closing), cmp.Compare(a.number, b.number))
	})
	for _, ev := range events {
		e.live[ev.number] = ev
		e.weigh(ev)
		if ev.Backfill != "" {
			e.filling++
		}
		e.closings = max(e.closings, ev.closing)
		if ev.closing == 0 {
			e.enqueue(aggregate{ev.Site, ev.Action.Entity, ev.IDs[0]}, ev)
			continue
		}
		e.waiting++
		if ev.match(e.set, e.opts.Plugin); len(ev.Rules) == 0 {
			e.Done(ev)
			continue
		}
		e.closed = append(e.closed, ev)
	}
	for _, q := range e.touch {
		q.listed = false
		e.schedule(q)
	}
	e.touch = e.touch[:0]
	return nil
}

func (e *Engine) decode(r Record, now time.Time) (*Event, error) {
	n, err := strconv.ParseUint(r.Key[len(eventPrefix):], 16, 64)
	if err != nil {
		return nil, err
	}
	e.numbers = max(e.numbers, n)
	v, err := parseEventRecord(r.Data)
	if err != nil {
		return nil, err
	}
	site := e.catalog.site(v.Site)
	if site == nil {
		return nil, nil
	}
	entity := e.catalog.byName(v.Entity)
	if entity == nil || len(v.IDs) == 0 {
		return nil, fmt.Errorf("it names entity %q and %d objects", v.Entity, len(v.IDs))
	}
	ev := &Event{
		Site: site, Action: Action{entity, v.Kind}, IDs: v.IDs, Insert: v.Insert, Status: v.Status, Changed: v.Changed, Named: v.Named, unnamed: v.Unnamed,
		First: v.First, Last: v.Last, GTID: v.GTID, Time: v.Time, Backfill: v.Backfill,
		number: n, closing: v.Closing, stored: true, waits: v.Waits, sealed: v.Sealed,
		first: moment{v.FirstAt, now}, last: moment{v.LastAt, now},
	}
	if len(v.Row) > 0 {
		if ev.Table = e.tables.byKey[v.Table]; ev.Table == nil {
			return nil, fmt.Errorf("its table %s is not stored", v.Table)
		}
		if ev.Row, err = cdc.ParseRow(v.Row); err != nil {
			return nil, err
		}
	}
	return ev, nil
}

func firedRecord(a aggregate, f *firedStatus) Record {
	r := Record{Key: firedPrefix + a.site.Name + "/" + a.entity.Name + "/" + strconv.FormatInt(a.id, 10)}
	if f != nil {
		r.Data, _ = json.Marshal(f) // a string and a time of this century: cannot fail
	}
	return r
}

func (e *Engine) restoreFired(r Record) error {
	parts := strings.Split(r.Key[len(firedPrefix):], "/")
	if len(parts) != 3 {
		return fmt.Errorf("its key has %d parts", len(parts))
	}
	id, err := strconv.ParseInt(parts[2], 10, 64)
	if err != nil {
		return err
	}
	var f firedStatus
	if err := json.Unmarshal(r.Data, &f); err != nil {
		return err
	}
	if site, entity := e.catalog.site(parts[0]), e.catalog.byName(parts[1]); site != nil && entity != nil {
		e.fired[aggregate{site, entity, id}] = f
		e.order = append(e.order, aggregate{site, entity, id})
	}
	return nil
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
	data, _ := json.Marshal(tableRecord{table.Schema, table.Name, table.Columns, table.Key}) // strings and numbers: cannot fail
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
	if err := json.Unmarshal(r.Data, &v); err != nil {
		return fmt.Errorf("reading the table %s: %w", r.Key, err)
	}
	t.byKey[r.Key] = cdc.NewTable(cdc.TableName{Schema: v.Schema, Name: v.Name}, v.Columns, v.Key)
	return nil
}
