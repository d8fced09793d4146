package rules

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"time"

	"rowhook/cdc"
	"rowhook/scratch"
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
	RowSize  int       `json:"row_size,omitempty"` // when larges follow the row
	Large    []large   `json:"large,omitempty"`
	Changed  []bool    `json:"changed,omitempty"`
	Named    []bool    `json:"named,omitempty"`
	Unnamed  bool      `json:"unnamed,omitempty"`
	First    First     `json:"first"`
	Last     cdc.Coord `json:"last"`
	GTID     string    `json:"gtid,omitempty"`
	Time     time.Time `json:"time"`
	Closing  uint64    `json:"closing,omitempty"`
	Backfill string    `json:"backfill,omitempty"`
	Restored *Restore  `json:"restored,omitempty"`
	Waits    bool      `json:"waits,omitempty"`
	Sealed   bool      `json:"sealed,omitempty"`
	FirstAt  time.Time `json:"first_at"`
	LastAt   time.Time `json:"last_at"`

	Passed     map[int]string `json:"passed,omitempty"`
	OrderTable string         `json:"order_table,omitempty"`
	Order      []byte         `json:"order,omitempty"`
}

// large is a text that follows the row.
type large struct {
	Column int   `json:"column"`
	Size   int64 `json:"size"`
}

func (e *Engine) encode(ev *Event) (Record, error) {
	r := eventRecord{
		Site: ev.Site.Name, Entity: ev.Action.Entity.Name, Kind: ev.Action.Kind, IDs: ev.IDs, Insert: ev.Insert, Status: ev.Status,
		Changed: ev.Changed, Named: ev.Named, Unnamed: ev.unnamed, First: ev.First, Last: ev.Last, GTID: ev.GTID, Time: ev.Time,
		Closing: ev.closing, Backfill: ev.Backfill, Restored: ev.Restored, Waits: ev.waits, Sealed: ev.sealed, FirstAt: ev.first.log, LastAt: ev.last.log, Passed: ev.Passed,
	}
	if ev.Row.Len() > 0 {
		r.Table = e.tables.key(ev.Table)
		var err error
		if r.Row, err = ev.Row.AppendBinary(nil); err != nil {
			return Record{}, err
		}
	}
	if ev.Order.Len() > 0 {
		r.OrderTable = e.tables.key(ev.OrderTable)
		var err error
		if r.Order, err = ev.Order.AppendBinary(nil); err != nil {
			return Record{}, err
		}
	}
	var texts []io.Reader
	for _, l := range ev.Row.Larges() {
		r.Large = append(r.Large, large{l.Column, l.Size()})
		texts = append(texts, scratch.Reader(l.Value))
	}
	return r.record(eventKey(ev.number), io.MultiReader(texts...), e.pad)
}

func (e *Engine) decode(r Record, now time.Time) (*Event, error) {
	n, err := strconv.ParseUint(r.Key[len(eventPrefix):], 16, 64)
	if err != nil {
		return nil, err
	}
	e.numbers = max(e.numbers, n)
	v, texts, err := parseEventRecord(r)
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
		First: v.First, Last: v.Last, GTID: v.GTID, Time: v.Time, Backfill: v.Backfill, Restored: v.Restored, Passed: v.Passed,
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
		if ev.Row, err = e.restoreLarge(ev.Row, v.Large, texts); err != nil {
			return nil, err
		}
	}
	if len(v.Order) > 0 {
		if ev.OrderTable = e.tables.byKey[v.OrderTable]; ev.OrderTable == nil {
			return nil, fmt.Errorf("its table %s is not stored", v.OrderTable)
		}
		if ev.Order, err = cdc.ParseRow(v.Order); err != nil {
			return nil, err
		}
	}
	return ev, nil
}

// record is the form of an event in the store: JSON, the end of the line, the row as it is, and the texts that are too
// large for memory, which come from a reader.
func (r eventRecord) record(key string, texts io.Reader, pad *scratch.Pad) (Record, error) {
	row := r.Row
	if r.Row, r.RowSize = nil, 0; len(r.Large) > 0 {
		r.RowSize = len(row)
	}
	data, err := json.Marshal(r)
	if err == nil && len(row) > 0 {
		data = append(append(data, '\n'), row...)
	}
	if err != nil || len(r.Large) == 0 {
		return Record{Key: key, Data: data}, err
	}
	v, err := pad.Put(func(w io.Writer) error {
		if _, err := w.Write(data); err != nil {
			return err
		}
		_, err := io.Copy(w, texts)
		return err
	})
	return Record{Key: key, Large: v}, err
}

// parseEventRecord reads a record, but for the large texts, which are to be read next.
func parseEventRecord(rec Record) (r eventRecord, texts io.Reader, err error) {
	in := bufio.NewReader(bytes.NewReader(rec.Data))
	if rec.Large != nil {
		in.Reset(scratch.Reader(rec.Large))
	}
	head, err := in.ReadBytes('\n')
	apart := err == nil // else the row is in the JSON, as it was once
	if err != nil && !errors.Is(err, io.EOF) {
		return r, nil, err
	}
	if err := json.Unmarshal(head, &r); err != nil || !apart {
		return r, in, err
	}
	row := io.Reader(in)
	if len(r.Large) > 0 {
		row = io.LimitReader(in, int64(r.RowSize))
	}
	r.Row, err = io.ReadAll(row)
	return r, in, err
}

// restoreLarge takes the large texts of a row over into scratch files.
func (e *Engine) restoreLarge(row cdc.Row, sizes []large, texts io.Reader) (cdc.Row, error) {
	var larges []cdc.Large
	for _, l := range sizes {
		v, err := e.pad.Put(func(w io.Writer) error {
			_, err := io.CopyN(w, texts, l.Size)
			return err
		})
		if err != nil {
			return row, fmt.Errorf("column %d, of %d bytes: %w", l.Column, l.Size, err)
		}
		larges = append(larges, cdc.Large{Column: l.Column, Value: v})
	}
	return row.WithLarge(larges), nil
}
