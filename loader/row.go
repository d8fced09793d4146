package loader

import (
	"encoding/hex"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"rowhook/cdc"
	"rowhook/cdc/rowcodec"
	"rowhook/rules"
)

// The payloads of custom rules for tables show rows as they are: numbers as numbers, binary values in base64.

// rowPayload is the payload of an event of a table that a custom rule names.
func rowPayload(ev *rules.Event, o object, load rules.Load) Payload {
	if ev.Action.Kind == rules.Delete {
		return Payload{Body: rowBody(ev, load, record{})}
	}
	shown := o.without(o.complete(ev))
	p := Payload{Body: rowBody(ev, load, shown), Omitted: omitted(shown, func(i int) bool { return rowShows(ev, load, shown, i) })}
	return o.mark(ev, p)
}

// rowBody says what happened to a row. The row is missing where nothing of it fits.
func rowBody(ev *rules.Event, load rules.Load, r record) []byte {
	what := "update"
	switch {
	case ev.Action.Kind == rules.Delete:
		what = "delete"
	case ev.Insert:
		what = "insert"
	}
	b := appendString(append(make([]byte, 0, 128+bodySize(r)), `{"type":`...), what)
	b = appendString(append(b, `,"table":`...), ev.Action.Entity.Table)
	if ev.Action.Kind == rules.Delete {
		b = append(b, `,"keys":[`...)
		for i := range ev.IDs {
			if i > 0 {
				b = append(b, ',')
			}
			b = appendRowKey(b, ev, i)
		}
		return append(b, "]}"...)
	}
	b = appendRowKey(append(b, `,"key":`...), ev, 0)
	if r.missing() {
		return append(b, '}')
	}
	b = append(b, `,"data":{`...)
	for i, name := range r.table.Columns {
		if r.row.Shows(i) && rowShows(ev, load, r, i) {
			b = appendNative(appendKey(b, name), r.row, i)
		}
	}
	if b = append(b, '}'); ev.Insert {
		return append(b, '}')
	}
	b = append(b, `,"old":{`...)
	for i, name := range ev.Table.Columns {
		if i < len(ev.Changed) && ev.Changed[i] && ev.Before.Kind(i) != cdc.Absent && !r.row.Omitted(i) {
			b = appendNative(appendKey(b, name), ev.Before, i)
		}
	}
	return append(b, "}}"...)
}

// rowShows says whether a payload shows a column: basic ones show what was written, and the key.
func rowShows(ev *rules.Event, load rules.Load, r record, i int) bool {
	return load != rules.Basic || saved(ev, r, i) || slices.Contains(ev.Key(), i)
}

// appendRowKey appends the key of an event's object: null where the table has none. What such a table lost is named by all
// its columns.
func appendRowKey(b []byte, ev *rules.Event, object int) []byte {
	columns := ev.Key()
	if len(columns) == 0 {
		if ev.Action.Kind != rules.Delete {
			return append(b, "null"...)
		}
		b = append(b, '{')
		for i, name := range ev.Table.Columns {
			if ev.Row.Shows(i) {
				b = appendNative(appendKey(b, name), ev.Row, i)
			}
		}
		return append(b, '}')
	}
	row := keyRow(ev, object)
	b = append(b, '{')
	for i, c := range columns {
		b = appendNative(appendKey(b, ev.Table.Columns[c]), row, i)
	}
	return append(b, '}')
}

// keyRow is the columns of an object's key. The objects of an event are of one table, so their keys are of the same kinds; where NULL
// is in one, it is the event's only object, and its row says the rest.
func keyRow(ev *rules.Event, object int) cdc.Row {
	var b rowcodec.RowBuilder
	key := ev.Key()
	if slices.ContainsFunc(key, func(c int) bool { return ev.Row.Kind(c) == cdc.Null }) {
		for _, c := range key {
			b.AddText(ev.Row.Kind(c), ev.Row.Text(c))
		}
		return b.Row()
	}
	texts := ev.IDs[object].Split(len(key))
	for i, c := range key {
		text := ""
		if i < len(texts) {
			text = texts[i]
		}
		kind := ev.Row.Kind(c)
		if kind == cdc.Binary {
			raw, _ := hex.DecodeString(strings.TrimPrefix(text, "0x")) // rules wrote it
			text = string(raw)
		}
		b.AddText(kind, text)
	}
	return b.Row()
}

// keyColumns are the names of the columns of a table's primary key.
func keyColumns(t *cdc.Table) []string {
	names := make([]string, len(t.Key))
	for i, c := range t.Key {
		names[i] = t.Columns[c]
	}
	return names
}

// positions are where columns stand among others.
func positions(columns, of []string) (at []int) {
	for _, name := range of {
		if i := slices.Index(columns, name); i >= 0 {
			at = append(at, i)
		}
	}
	return at
}

// keyCondition is true of an event's row.
func keyCondition(ev *rules.Event) string {
	terms := make([]string, 0, len(ev.Table.Key))
	for _, c := range ev.Table.Key {
		column, text := quote(ev.Table.Columns[c]), ev.Row.Text(c)
		switch ev.Row.Kind(c) {
		case cdc.Int, cdc.Decimal, cdc.Float:
			if _, err := strconv.ParseFloat(text, 64); err == nil {
				terms = append(terms, column+" = "+text)
			} else {
				terms = append(terms, "FALSE")
			}
		case cdc.Binary:
			terms = append(terms, fmt.Sprintf("%s = X'%x'", column, text))
		default:
			terms = append(terms, equalsAny(column, []string{ev.Site.Client.Stored(text)}))
		}
	}
	return "(" + strings.Join(terms, " AND ") + ")"
}
