package loader

import (
	"encoding/base64"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"rowhook/cdc"
	"rowhook/rules"
	"rowhook/rules/shape"
)

// Unshaped says that Body is no payload but why a rule's shape makes none of this event. It is not posted.
const Unshaped Object = "unshaped"

// shaped makes of a payload what its rule wants of it; false when the rule's condition does not hold. What cannot be made of
// this event is a payload that is Unshaped: the rule's trouble, and nobody else's.
func (l *Loader) shaped(ev *rules.Event, o object, p Payload) (Payload, bool) {
	s := p.Rule.Shape
	v, err := namedBy(ev, o, p, s.Uses())
	if err == nil && s.When != nil {
		var holds bool
		if holds, err = s.When.Holds(v); err != nil {
			err = fmt.Errorf("when: %w", err)
		} else if !holds {
			return p, false
		}
	}
	if err == nil && s.Previous {
		p.Body = withPrevious(p.Body, ev)
	}
	if err == nil {
		p.Body, err = s.Make(p.Body, v)
	}
	if err == nil && len(p.Body) > l.opts.MaxPayload {
		err = fmt.Errorf("what the rule makes of the payload has %d bytes, and max_payload is %d", len(p.Body), l.opts.MaxPayload)
	}
	if err != nil {
		p.Object, p.Body = Unshaped, []byte(err.Error())
	}
	return p, true
}

// namedBy are the values that a shape's expressions name.
func namedBy(ev *rules.Event, o object, p Payload, uses []shape.Uses) (v *shape.Values, err error) {
	if len(uses) == 0 {
		return nil, nil
	}
	v = &shape.Values{Site: ev.Site.Name}
	before, after := imagesOf(ev, o)
	for _, u := range uses {
		if v.Before, err = addColumns(v.Before, before, "before", u.Before, u.Whole); err != nil {
			return nil, err
		}
		if v.After, err = addColumns(v.After, after, "after", u.After, u.Whole); err != nil {
			return nil, err
		}
		if u.Event && v.Event == nil {
			v.Event = eventOf(ev)
		}
		if u.Payload && v.Payload == nil {
			if v.Payload, err = shape.Payload(p.Body); err != nil {
				return nil, err
			}
		}
	}
	return v, nil
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

// addColumns adds some of a row's columns to values, or all.
func addColumns(values map[string]any, r record, what string, names []string, all bool) (map[string]any, error) {
	if r.missing() {
		return nil, nil
	}
	if values == nil {
		values = make(map[string]any, len(names))
	}
	if all {
		for i, name := range r.table.Columns {
			if r.row.Shows(i) {
				values[name] = valueOf(r.row, i)
			}
		}
	}
	for _, name := range names {
		i := r.column(name)
		switch {
		case i < 0:
			return nil, fmt.Errorf("%s.%s: the table %s has no such column", what, name, r.table.Name)
		case r.row.Kind(i) == cdc.Absent:
			return nil, fmt.Errorf("%s.%s: the log does not show it; with binlog_row_image = FULL it would", what, name)
		}
		values[name] = valueOf(r.row, i)
	}
	return values, nil
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

// withPrevious adds the columns that an update changed as they were; null where there was no row, or nobody knows it.
func withPrevious(body []byte, ev *rules.Event) []byte {
	if len(body) < 2 || body[0] != '{' {
		return body
	}
	b := append(slices.Clone(body[:len(body)-1]), ',')
	if len(body) == 2 {
		b = b[:1]
	}
	b = append(b, `"previous":`...)
	if ev.Before.Len() == 0 {
		return append(b, "null}"...)
	}
	b = append(b, '{')
	for i, name := range ev.Table.Columns {
		if i < len(ev.Changed) && ev.Changed[i] && ev.Before.Shows(i) {
			b = appendNative(appendKey(b, name), ev.Before, i)
		}
	}
	return append(b, "}}"...)
}

// Shape is what a rule makes of a payload that was not loaded; false when the rule's condition does not hold.
func (l *Loader) Shape(ev *rules.Event, p Payload) (Payload, bool) { return l.shaped(ev, object{}, p) }

// Named shows the columns that a rule's condition names, with their values, for people.
func (l *Loader) Named(ev *rules.Event, r *rules.Rule) string {
	if r.Shape == nil || r.Shape.When == nil {
		return "nothing"
	}
	before, after := imagesOf(ev, object{})
	shown := append(shownOf("before", before, r.Shape.When.Before), shownOf("after", after, r.Shape.When.After)...)
	slices.Sort(shown)
	return strings.Join(append(shown, fmt.Sprintf("event.type = %q", eventOf(ev)["type"])), ", ")
}

func shownOf(what string, row record, names []string) (shown []string) {
	for _, name := range names {
		value := any(nil)
		if !row.missing() && row.column(name) >= 0 {
			value = valueOf(row.row, row.column(name))
		}
		if value == nil {
			value = "nil"
		} else if text, ok := value.(string); ok {
			value = strconv.Quote(text)
		}
		shown = append(shown, fmt.Sprintf("%s.%s = %v", what, name, value))
	}
	return shown
}
