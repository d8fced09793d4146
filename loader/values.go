package loader

import (
	"encoding/base64"
	"fmt"
	"strconv"
	"time"

	"rowhook/cdc"
	"rowhook/rules"
	"rowhook/rules/shape"
)

// eventValues are the values of one event that a rule's expressions name, made ready as they are named. It serves one event after
// another, for to make its maps anew takes longer than most expressions do.
type eventValues struct {
	shape.Values
	ev            *rules.Event
	object        object
	before, after namedRow
	looked        bool // before and after are the event's
}

// namedRow is an event's row as it was or as it is, with the columns that were named so far.
type namedRow struct {
	record
	what    string
	columns map[string]any
}

func newValues() any {
	return &eventValues{before: namedRow{what: "before", columns: map[string]any{}}, after: namedRow{what: "after", columns: map[string]any{}}}
}

// takeValues takes values for an event; giveValues takes them back.
func (m *maker) takeValues(ev *rules.Event, o object) *eventValues {
	v := m.values.Get().(*eventValues) //nolint:forcetypeassert // newValues makes them
	v.ev, v.object, v.Site = ev, o, ev.Site.Name
	return v
}

// giveValues takes values back when nothing of them is used any more, and keeps nothing of the event in them.
func (m *maker) giveValues(v *eventValues) {
	v.Forget()
	v.Before, v.After, v.Event, v.Payload = nil, nil, nil, nil
	v.ev, v.object, v.looked = nil, object{}, false
	for _, r := range []*namedRow{&v.before, &v.after} {
		r.record = record{}
		clear(r.columns)
	}
	m.values.Put(v)
}

// holds says whether a condition holds.
func (v *eventValues) holds(when *shape.Expression, payload []byte) (bool, error) {
	if err := v.add(when.Uses, payload); err != nil {
		return false, err
	}
	holds, err := when.Holds(&v.Values)
	if err != nil {
		return false, fmt.Errorf("when: %w", err)
	}
	return holds, nil
}

// add makes ready what expressions name.
func (v *eventValues) add(u shape.Uses, payload []byte) (err error) {
	v.Forget()
	if !v.looked {
		v.before.record, v.after.record = imagesOf(v.ev, v.object)
		v.looked = true
	}
	if v.Before, err = v.before.add(u.Before, u.Whole); err != nil {
		return err
	}
	if v.After, err = v.after.add(u.After, u.Whole); err != nil {
		return err
	}
	if u.Event && v.Event == nil {
		v.Event = eventOf(v.ev)
	}
	if u.AllFields {
		v.Payload, err = shape.Payload(payload)
	} else if u.Payload {
		v.Payload, err = shape.Fields(payload, u.Fields)
	}
	return err
}

// add adds some of the row's columns, or all, to those that were named before; nil where there is no row.
func (r *namedRow) add(names []string, all bool) (map[string]any, error) {
	if r.missing() {
		return nil, nil
	}
	if all {
		for i, name := range r.table.Columns {
			if r.row.Shows(i) {
				r.columns[name] = valueOf(r.row, i)
			}
		}
	}
	for _, name := range names {
		i := r.column(name)
		switch {
		case i < 0:
			return nil, fmt.Errorf("%s.%s: the table %s has no such column", r.what, name, r.table.Name)
		case r.row.Kind(i) == cdc.Absent:
			return nil, fmt.Errorf("%s.%s: the log does not show it; with binlog_row_image = FULL it would", r.what, name)
		}
		r.columns[name] = valueOf(r.row, i)
	}
	return r.columns, nil
}

// imagesOf are an event's row as it was and as it is; missing where there is none. Where a part of an object changed, and in
// no column of its own, the object's row is as it was loaded.
func imagesOf(ev *rules.Event, o object) (before, after record) {
	switch {
	case ev.Action.Kind == rules.Fired || ev.Restored != nil:
		return record{}, record{}
	case ev.Action.Kind == rules.Delete:
		if len(ev.IDs) == 1 {
			before = record{ev.Table, ev.Row}
		}
		return before, record{}
	case ev.Row.Len() == 0 && ev.Action.Kind == rules.StatusChange: // without a row in the history, which conditions are about
		return record{}, record{}
	case ev.Row.Len() == 0:
		return record{}, o.record
	}
	if ev.Before.Len() > 0 {
		before = record{ev.Table, ev.Before}
	}
	return before, o.complete(ev)
}

// valueOf is a column's value for an expression.
func valueOf(row cdc.Row, i int) any {
	text := row.Text(i)
	switch row.Kind(i) {
	case cdc.Absent, cdc.Null:
		return nil
	case cdc.Int:
		if n, ok := shape.Number(text); ok {
			return n
		}
	case cdc.Float, cdc.Decimal:
		if n, err := strconv.ParseFloat(text, 64); err == nil {
			return n
		}
	case cdc.Binary:
		return base64.StdEncoding.EncodeToString([]byte(text))
	}
	return text
}

// eventOf is what expressions can ask of an event.
func eventOf(ev *rules.Event) map[string]any {
	what, key, changed := "", "", []string{}
	switch {
	case ev.Action.Kind != rules.Save:
	case ev.Insert:
		what = "insert"
	default:
		what = "update"
		for i, is := range ev.Changed {
			if is && i < len(ev.Table.Columns) {
				changed = append(changed, ev.Table.Columns[i])
			}
		}
	}
	if len(ev.IDs) == 1 {
		key = string(ev.IDs[0])
	}
	return map[string]any{
		"action": ev.Action.String(), "type": what, "status": ev.Status, "key": key, "changed": changed,
		"time": ev.Time.UTC().Format(time.RFC3339Nano), "seconds": int(ev.Time.Unix()),
	}
}
