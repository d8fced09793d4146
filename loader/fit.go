package loader

import (
	"cmp"
	"encoding/base64"
	"errors"
	"slices"

	"rowhook/cdc"
	"rowhook/loader/render"
	"rowhook/rules"
)

// A payload is at most Options.MaxPayload long, as it is sent. Values that would make it larger are left out: the largest
// first, until the rest fits. What a text takes in JSON is counted before memory is taken for it.

const (
	// smallValue is up to which size, in bytes as JSON, a value is never left out: an id, a key, a number.
	smallValue = 64
	// maxDecoded is how many values a text may hold that a payload takes apart.
	maxDecoded = 1 << 17
)

// errLarge says that a payload is too large, and that it takes more than its rows to tell which values to leave out.
var errLarge = errors.New("the payload is larger than max_payload")

// sizedValue is a value of a payload, and how long it is there, in bytes.
type sizedValue struct {
	sized
	record record
	column int
}

// fitted is the payload of an event that is loaded by itself, as large as it may be.
func (m *maker) fitted(ev *rules.Event, o object, load rules.Load) (Payload, error) {
	return m.fit(m.valuesOf(ev, o, load), func(out map[cell]bool) Payload { return m.payload(ev, o.leaveOut(out), load) })
}

// fit makes a payload again, without the largest of its values, until it is as large as it may be.
func (m *maker) fit(values []sizedValue, payload func(out map[cell]bool) Payload) (Payload, error) {
	slices.SortStableFunc(values, func(a, b sizedValue) int {
		return cmp.Or(cmp.Compare(a.size, b.size), cmp.Compare(a.table.Name, b.table.Name), cmp.Compare(a.key, b.key), cmp.Compare(a.column, b.column))
	})
	over := -m.opts.MaxPayload
	for _, v := range values {
		over += v.size
	}
	out := map[cell]bool{}
	for {
		for ; over > 0 && len(values) > 0; values = values[:len(values)-1] {
			largest := values[len(values)-1]
			out[largest.cell] = true
			over -= largest.size
		}
		p := payload(out)
		if over = len(p.Body) - m.opts.MaxPayload; over <= 0 {
			return p, nil
		}
		if len(values) == 0 {
			return Payload{}, errLarge
		}
	}
}

// valuesOf are the values of a payload that may be left out.
func (m *maker) valuesOf(ev *rules.Event, o object, load rules.Load) []sizedValue {
	if joins(ev, o, load) {
		var values []sizedValue
		for _, r := range o.orders.records(m.root(ev, o)) {
			values = append(values, valuesOf(r, func(i int) bool { return m.shows(ev, load, cell{r.table.TableName, r.key(), r.table.Columns[i]}) })...)
		}
		for i := range values {
			values[i].weigh()
		}
		return values
	}
	shown := m.shown(ev, o, load)
	return valuesOf(shown, func(i int) bool {
		return load != rules.Basic || ev.Action.Kind != rules.Save || saved(ev, shown, i)
	})
}

func valuesOf(r record, shown func(column int) bool) (values []sizedValue) {
	for i, name := range r.columns() {
		size := jsonSize(r.row, i)
		if name != "id" && size > smallValue && shown(i) {
			values = append(values, sizedValue{sized{cell{r.table.TableName, r.key(), name}, size}, r, i})
		}
	}
	return values
}

// weigh takes into account that some texts are taken apart, and that custom fields are shown three times.
func (v *sizedValue) weigh() {
	switch v.cell.column {
	case "custom_f":
		v.size *= 3
	case "uploads", "attendees", "tax_breakdown", "attachments":
	default:
		return
	}
	if render.Count(v.record.row.Text(v.column)) > maxDecoded {
		v.size = 1 << 40
	}
}

// leaveOut is the object without some values.
func (o object) leaveOut(out map[cell]bool) object {
	o.out = out
	return o
}

// without is a row of the object without the values that are left out.
func (o object) without(r record) record {
	if len(o.out) == 0 || r.missing() {
		return r
	}
	c := cell{table: r.table.TableName, key: r.key()}
	r.row = r.row.Omit(func(i int) bool {
		c.column = r.table.Columns[i]
		return o.out[c] || r.row.Omitted(i)
	})
	return r
}

// omitted are the columns of a row that are left out of a payload that shows it.
func omitted(r record, shown func(column int) bool) (names []string) {
	if r.missing() || r.row.Whole() {
		return nil
	}
	for i, name := range r.table.Columns {
		if r.row.Omitted(i) && shown(i) {
			names = append(names, name)
		}
	}
	return names
}

// jsonSize is how long a value is in JSON, in bytes.
func jsonSize(row cdc.Row, i int) int {
	text := row.Text(i)
	switch row.Kind(i) {
	case cdc.Absent, cdc.Null:
		return 0
	case cdc.Binary:
		return base64.StdEncoding.EncodedLen(len(text)) + 2
	}
	return render.SizeEscaped(text) + 2
}
