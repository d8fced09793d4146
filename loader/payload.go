package loader

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"rowhook/cdc"
	"rowhook/loader/render"
	"rowhook/rules"
)

// maker makes payloads of events and of what was loaded for them. It asks no database.
type maker struct {
	opts   Options
	log    *slog.Logger
	values sync.Pool // of *eventValues, for expressions
}

func newMaker(opts Options, log *slog.Logger) *maker {
	return &maker{opts: opts, log: log, values: sync.Pool{New: newValues}}
}

// compose makes the payload of every rule that wants the event. Rules with the same load share one body.
func (m *maker) compose(ev *rules.Event, o object, payload func(rules.Load) (Payload, error)) (_ []Payload, err error) {
	defer recovered(&err)
	payloads := make([]Payload, 0, len(ev.Rules))
	made := map[rules.Load]Payload{}
	for _, r := range ev.Rules {
		if !m.wanted(ev, o, r) {
			continue
		}
		p, ok := made[r.Load]
		if !ok {
			if p, err = payload(r.Load); err != nil {
				return nil, fmt.Errorf("making a payload of %s: %w", ev, err)
			}
			made[r.Load] = p
		}
		p.Rule = r
		if r.Shape != nil {
			if p, ok = m.shaped(ev, o, p); !ok {
				continue
			}
		}
		payloads = append(payloads, p)
	}
	return payloads, nil
}

// whole makes the payloads of an event of which no text is large; errTooMuch when it must be loaded by itself.
func (m *maker) whole(ev *rules.Event, o object) func(rules.Load) (Payload, error) {
	return func(load rules.Load) (Payload, error) {
		joined := o.orders != nil && load == rules.Extended && !o.gone()
		if joined && m.root(ev, o).row.Size() > longText {
			return Payload{}, errTooMuch // to be taken apart, it takes memory
		}
		p := m.payload(ev, o, load)
		switch {
		case len(p.Body) <= m.opts.MaxPayload:
			return p, nil
		case joined:
			return Payload{}, errTooMuch
		}
		return m.fitted(ev, o, load)
	}
}

// wanted asks a rule once more, now that the object is loaded: where the log did not show its status, and with the
// plugin's fidelity where the plugin looks at the loaded object. It posts its exception whatever the statuses
// (FINDINGS 1).
func (m *maker) wanted(ev *rules.Event, o object, r *rules.Rule) bool {
	if ev.Action.Kind != rules.Save {
		return true
	}
	if n := m.needs(ev); ev.Backfill != "" && (n.row && o.missing() || n.same && o.same.missing()) {
		return false // it was there when the backfill read it; the delete tells
	}
	if ev.Row.Len() == 0 { // an option or an item changed; when those went with their order, the delete tells
		return !o.missing() && r.WantsStatus(o.text("status"))
	}
	if status := ev.Table.Index("status"); !m.opts.Plugin && len(r.Statuses) > 0 && ev.Row.Kind(status) == cdc.Absent {
		shown := o.complete(ev) // of what is gone nobody knows
		return shown.row.Kind(status) == cdc.Absent || r.WantsStatus(shown.text("status"))
	}
	if !m.opts.Plugin || r.Load == rules.Basic || len(r.Statuses) == 0 {
		return true
	}
	return r.Load == rules.Extended && o.gone() || r.WantsStatus(o.text("status"))
}

// gone says whether there is no order to load: it was deleted, or it blocks a time and books nothing.
func (o object) gone() bool { return o.missing() || o.text("closure") == "1" }

func (m *maker) payload(ev *rules.Event, o object, load rules.Load) Payload {
	switch {
	case ev.Action.Kind == rules.Fired:
		return m.relayPayload(ev)
	case ev.Action.Entity.Hooks:
		return m.hookPayload(ev, o, load)
	case ev.Action.Entity.Custom:
		return rowPayload(ev, o, load)
	case ev.Action.Kind == rules.Delete:
		return Payload{Body: deleteBody(ev.IDs)}
	case ev.Action.Kind == rules.Restored:
		return Payload{Body: restoredBody(ev)}
	case joins(ev, o, load):
		return m.extended(ev, o)
	}
	shown, all := o.without(m.shown(ev, o, load)), func(int) bool { return true }
	switch {
	case ev.Action.Kind != rules.StatusChange:
	case load == rules.Basic:
		return o.mark(ev, Payload{Body: statusBody(ev, shown), Omitted: omitted(shown, all)})
	case o.missing() && ev.Order.Len() > 0: // the order's row as the log showed it last
		return Payload{Body: fullBody(ev.Action.Entity, shown, quirks{}), Omitted: omitted(shown, all), Object: Gone, AsOf: o.asOf}
	case o.missing(): // or else the row of the history
		return Payload{Body: statusBody(ev, shown), Omitted: omitted(shown, all), Object: Gone, AsOf: o.asOf}
	}
	p := Payload{}
	if load == rules.Extended {
		p.Object = o.lacking()
	}
	p = o.mark(ev, p)
	if ev.Action.Kind == rules.StatusChange || ev.Row.Len() == 0 || m.opts.Plugin && load == rules.Full {
		p.AsOf = o.asOf
	}
	if load == rules.Basic {
		p.Body, p.Omitted = basicBody(ev, shown), omitted(shown, func(i int) bool { return saved(ev, shown, i) })
		return p
	}
	if shown.missing() {
		return Payload{Body: []byte("null"), Object: Gone, AsOf: o.asOf} // what the plugin posts
	}
	p.Body = fullBody(ev.Action.Entity, shown, quirks{on: m.opts.Plugin, set: o.set, now: time.Now()})
	p.Omitted = omitted(shown, all)
	return p
}

// joins says whether a payload shows all that belongs to an order. The status history's row comes first.
func joins(ev *rules.Event, o object, load rules.Load) bool {
	return load == rules.Extended && !o.gone() && ev.Action.Kind != rules.Delete && ev.Restored == nil
}

// shown is the row that a payload shows, but for those that show more than one.
func (m *maker) shown(ev *rules.Event, o object, load rules.Load) record {
	switch change := ev.Action.Kind == rules.StatusChange; {
	case change && load == rules.Basic:
	case change && o.missing() && ev.Order.Len() > 0:
		return record{ev.OrderTable, ev.Order}
	case change && o.missing():
	case change, ev.Row.Len() == 0, m.plugin(ev) && load == rules.Full:
		return o.record
	}
	return o.complete(ev)
}

func (m *maker) extended(ev *rules.Event, o object) Payload {
	root := o.without(m.root(ev, o))
	o.orders.replace(o.without)
	p := Payload{AsOf: o.asOf}
	o.orders.lacks = nil
	p.Body = rendererOf(ev.Action.Entity).extended(o.orders, root)
	for _, r := range o.orders.records(root) {
		o.orders.note(r, func(i int) bool {
			return m.shows(ev, rules.Extended, cell{r.table.TableName, r.key(), r.table.Columns[i]})
		})
	}
	p.Omitted = o.orders.lacks
	return p
}

// mark says of a payload that a part of its row is the snapshot's, or is not to be had.
func (o object) mark(ev *rules.Event, p Payload) Payload {
	if partial(ev) {
		p.AsOf = o.asOf
		if o.same.missing() {
			p.Object = Gone
		}
	}
	return p
}

// lacking says why there is no whole object to extend.
func (o object) lacking() Object {
	if o.missing() {
		return Gone
	}
	return Closure
}

// Shown makes an event's payloads of what the log showed, marked Partial: its object cannot be loaded. A rule makes of them what it
// makes of others, or they are Unshaped.
func (m *maker) Shown(ev *rules.Event) []Payload {
	payloads := make([]Payload, 0, len(ev.Rules))
	for _, r := range ev.Rules {
		row := shownRow(ev, r.Load)
		p, err := m.fit(valuesOf(row, func(int) bool { return true }), func(out map[cell]bool) Payload {
			row := object{out: out}.without(row)
			return Payload{Body: m.shownBody(ev, r.Load, row), Omitted: omitted(row, func(int) bool { return true })}
		})
		if err != nil { // nothing of the row fits
			p = Payload{Body: m.shownBody(ev, r.Load, record{})}
		}
		p.Rule, p.Object = r, Partial
		if r.Shape != nil {
			var ok bool
			if p, ok = m.shaped(ev, object{}, p); !ok {
				continue
			}
		}
		payloads = append(payloads, p)
	}
	return payloads
}

func shownRow(ev *rules.Event, load rules.Load) record {
	if ev.Action.Kind == rules.StatusChange && load != rules.Basic && ev.Order.Len() > 0 {
		return record{ev.OrderTable, ev.Order}
	}
	return record{ev.Table, ev.Row}
}

func (m *maker) shownBody(ev *rules.Event, load rules.Load, row record) []byte {
	switch change := ev.Action.Kind == rules.StatusChange; {
	case ev.Action.Entity.Hooks:
		return hookBody(ev, load, row, m.opts.Plugin)
	case ev.Action.Entity.Custom:
		return rowBody(ev, load, row)
	case change && (load == rules.Basic || ev.Order.Len() == 0):
		return statusBody(ev, row)
	case ev.Action.Kind == rules.Delete || row.missing():
		return deleteBody(ev.IDs)
	case load == rules.Basic:
		return basicBody(ev, row)
	}
	return fullBody(ev.Action.Entity, row, quirks{})
}

// restoredBody tells of a restore.
func restoredBody(ev *rules.Event) []byte {
	rows := 0
	for _, n := range ev.Restored.Tables {
		rows += n
	}
	text := fmt.Sprintf("rowhook: tables of site %s were restored, %d rows, which make no webhooks", ev.Site.Name, rows)
	b, _ := json.Marshal(struct { // strings, numbers and times of this century: cannot fail
		Event string `json:"event"`
		Text  string `json:"text"`
		Site  string `json:"site"`
		*rules.Restore
	}{ev.Action.Kind.String(), text, ev.Site.Name, ev.Restored})
	return b
}

// deleteBody names what is gone: a number, or a list when there are several.
func deleteBody(ids []rules.Key) []byte {
	b := []byte(`{"id":`)
	if len(ids) == 1 {
		return append(append(b, ids[0]...), '}')
	}
	for i, id := range ids {
		b = append(append(b, "[,"[min(i, 1)]), id...)
	}
	return append(b, "]}"...)
}

// statusBody is the row of the status history, or what it would say when there is none (DESIGN 5, status change).
func statusBody(ev *rules.Event, history record) []byte {
	if !history.missing() {
		b := []byte{'{'}
		for i, name := range history.table.Columns {
			b = appendSaved(appendKey(b, name), ev, history.row, i)
		}
		return append(b, '}')
	}
	b := []byte(`{"id":null,"id_order":`)
	b = append(b, ev.IDs[0]...)
	b = appendString(append(b, `,"status":`...), ev.Status)
	b = append(b, `,"comment":"","client":0,"ip":"","createdby":0,"createdon":"`...)
	b = ev.Time.UTC().AppendFormat(b, time.DateTime)
	b = appendString(append(b, `","type":`...), ev.Action.Entity.Status.Type)
	return append(b, '}')
}

// basicBody is what the save wrote: the columns that its statements name, and the id; where the statements are not
// known, of an insert every column, of an update those that changed. Orders drop what is null; the other entities show
// every column, as null what was not saved (FINDINGS 3).
func basicBody(ev *rules.Event, r record) []byte {
	order := ev.Action.Entity.Status != nil || ev.Action.Hook() == rules.ReservationLateHook
	b := append(make([]byte, 0, bodySize(r)), '{')
	for i, name := range r.table.Columns {
		saved := saved(ev, r, i)
		switch {
		case saved && r.row.Kind(i) > cdc.Null:
			b = appendSaved(appendKey(b, name), ev, r.row, i)
		case saved && r.row.Omitted(i):
			b = append(appendKey(b, name), "null"...)
		case order, ev.Named == nil && !saved, saved && r.row.Kind(i) == cdc.Absent:
		default:
			b = append(appendKey(b, name), "null"...)
		}
	}
	return append(b, '}')
}

// appendSaved appends what was passed to a column, where that is not what the column keeps.
func appendSaved(b []byte, ev *rules.Event, row cdc.Row, i int) []byte {
	switch passed := ev.Passed[i]; {
	case passed == "" || row.Omitted(i):
		return appendNative(b, row, i)
	case row.Kind(i) == cdc.Text:
		return appendString(b, passed)
	default:
		return render.AppendNumber(b, render.Float(passed))
	}
}

// saved says whether a save wrote a column, as far as is known.
func saved(ev *rules.Event, r record, i int) bool {
	if i == r.column("id") || ev.Insert && ev.Named == nil {
		return true
	}
	if ev.Named != nil {
		return i < len(ev.Named) && ev.Named[i]
	}
	return i < len(ev.Changed) && ev.Changed[i]
}
