package events

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"time"

	"rowhook/cdc"
	"rowhook/cdc/rowcodec"
	"rowhook/rules"
)

// eventRecord is an Event as stored.
type eventRecord struct {
	Site     string         `json:"site"`
	Entity   string         `json:"entity"`
	Kind     rules.Kind     `json:"kind"`
	IDs      []int64        `json:"ids,omitempty"` // the keys of records without a version
	Keys     []rules.Key    `json:"keys,omitempty"`
	Insert   bool           `json:"insert,omitempty"`
	Status   string         `json:"status,omitempty"`
	Table    string         `json:"table,omitempty"`
	Row      []byte         `json:"row,omitempty"`
	RowSize  int            `json:"row_size,omitempty"` // when texts follow the row, as they did until max_payload
	Large    []large        `json:"large,omitempty"`    // those
	Changed  []bool         `json:"changed,omitempty"`
	Named    []bool         `json:"named,omitempty"`
	Unnamed  bool           `json:"unnamed,omitempty"`
	First    rules.First    `json:"first"`
	Last     cdc.Coord      `json:"last"`
	GTID     string         `json:"gtid,omitempty"`
	Time     time.Time      `json:"time"`
	Closing  uint64         `json:"closing,omitempty"`
	Backfill string         `json:"backfill,omitempty"`
	Rules    []string       `json:"rules,omitempty"` // of a closed one: those that want it
	Restored *rules.Restore `json:"restored,omitempty"`
	Waits    bool           `json:"waits,omitempty"`
	Sealed   bool           `json:"sealed,omitempty"`
	FirstAt  time.Time      `json:"first_at"`
	LastAt   time.Time      `json:"last_at"`

	Passed     map[int]string `json:"passed,omitempty"`
	OrderTable string         `json:"order_table,omitempty"`
	Order      []byte         `json:"order,omitempty"`
	Before     []byte         `json:"before,omitempty"`
}

// large is a text that follows the row. It is not read any more: the loader asks the table.
type large struct {
	Column int `json:"column"`
}

// encode makes the record of an event.
func (u *unsent) encode(ev *event) (Record, error) {
	r := eventRecord{
		Site: ev.Site.Name, Entity: ev.Action.Entity.Name, Kind: ev.Action.Kind, Keys: ev.IDs, Insert: ev.Insert, Status: ev.Status,
		Changed: ev.Changed, Named: ev.Named, Unnamed: ev.unnamed, First: ev.First, Last: ev.Last, GTID: ev.GTID, Time: ev.Time,
		Closing: ev.Closing, Backfill: ev.Backfill, Restored: ev.Restored, Waits: ev.waits, Sealed: ev.sealed, FirstAt: ev.first.log, LastAt: ev.last.log, Passed: ev.Passed,
	}
	if ev.Closing > 0 {
		for _, rule := range ev.Rules {
			r.Rules = append(r.Rules, rule.Name)
		}
	}
	if ev.Row.Len() > 0 {
		r.Table = u.tables.key(ev.Table)
		var err error
		if r.Row, err = ev.Row.AppendBinary(nil); err != nil {
			return Record{}, err
		}
	}
	if ev.Order.Len() > 0 {
		r.OrderTable = u.tables.key(ev.OrderTable)
		var err error
		if r.Order, err = ev.Order.AppendBinary(nil); err != nil {
			return Record{}, err
		}
	}
	if ev.Before.Len() > 0 {
		var err error
		if r.Before, err = ev.Before.AppendBinary(nil); err != nil {
			return Record{}, err
		}
	}
	return r.record(eventKey(ev.Number)), nil
}

// decode reads a record; by our clock the event runs on from now. It is nil when its site is not configured.
func (u *unsent) decode(r Record, c *catalog, now time.Time) (*event, error) {
	n, err := strconv.ParseUint(r.Key[len(eventPrefix):], 16, 64)
	if err != nil {
		return nil, err
	}
	u.count.events = max(u.count.events, n)
	v, err := parseEventRecord(r)
	if err != nil {
		return nil, err
	}
	entity := c.byName(v.Entity)
	site := c.site(v.Site, cmp.Or(entity, c.told))
	if site == nil {
		return nil, nil
	}
	if entity == nil || len(v.Keys) == 0 {
		return nil, fmt.Errorf("it names entity %q and %d objects", v.Entity, len(v.Keys))
	}
	ev := &event{unnamed: v.Unnamed, wanted: v.Rules, stored: true, waits: v.Waits, sealed: v.Sealed, Event: rules.Event{
		Site: site, Action: rules.Action{Entity: entity, Kind: v.Kind}, IDs: v.Keys, Insert: v.Insert, Status: v.Status, Changed: v.Changed, Named: v.Named,
		First: v.First, Last: v.Last, GTID: v.GTID, Time: v.Time, Backfill: v.Backfill, Restored: v.Restored, Passed: v.Passed,
		Number: n, Closing: v.Closing,
	}}
	ev.first, ev.last = moment{v.FirstAt, now}, moment{v.LastAt, now}
	if len(v.Row) > 0 {
		if ev.Table = u.tables.byKey[v.Table]; ev.Table == nil {
			return nil, fmt.Errorf("its table %s is not stored", v.Table)
		}
		if ev.Row, err = rowcodec.ParseRow(v.Row); err != nil {
			return nil, err
		}
	}
	if len(v.Order) > 0 {
		if ev.OrderTable = u.tables.byKey[v.OrderTable]; ev.OrderTable == nil {
			return nil, fmt.Errorf("its table %s is not stored", v.OrderTable)
		}
		if ev.Order, err = rowcodec.ParseRow(v.Order); err != nil {
			return nil, err
		}
	}
	if len(v.Before) > 0 {
		if ev.Before, err = rowcodec.ParseRow(v.Before); err != nil {
			return nil, err
		}
	}
	return ev, nil
}

// record is the form of an event in the store: JSON, the end of the line, and the row as it is.
func (r eventRecord) record(key string) Record {
	row := r.Row
	r.Row = nil
	data := encodeRecord(r)
	if len(row) > 0 {
		data = append(append(data, '\n'), row...)
	}
	return Record{Key: key, Data: data}
}

// parseEventRecord reads a record.
func parseEventRecord(rec Record) (r eventRecord, err error) {
	head, row, apart := bytes.Cut(rec.Data, []byte{'\n'})
	if err := decodeRecord(head, &r); err != nil {
		return r, err
	}
	for _, id := range r.IDs {
		r.Keys = append(r.Keys, rules.NumberKey(id))
	}
	if r.IDs = nil; !apart {
		return r, nil // the row is in the JSON, as it was once
	}
	if r.Row = row; len(r.Large) > 0 {
		err = r.dropTexts()
	}
	return r, err
}

// dropTexts leaves out the texts that follow the row: then it lacks them.
func (r *eventRecord) dropTexts() error {
	if r.RowSize < 0 || r.RowSize > len(r.Row) {
		return fmt.Errorf("its row ends after %d bytes of %d", len(r.Row), r.RowSize)
	}
	row, err := rowcodec.ParseRow(r.Row[:r.RowSize])
	if err != nil {
		return err
	}
	row = row.Omit(func(column int) bool { return slices.Contains(r.Large, large{column}) })
	r.Row, err = row.AppendBinary(nil)
	r.RowSize, r.Large = 0, nil
	return err
}
