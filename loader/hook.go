package loader

import (
	"bytes"
	"strconv"

	"rowhook/rules"
)

// The payloads of rules for the plugin's hooks are the arguments of the hook, as far as rows tell them (plugin/HOOKS.md, E.2;
// FINDINGS 9): an object as it was saved, whether it is new, the id of what was deleted. They are counted as WordPress does, from
// 1; with the plugin's fidelity as the plugin does, from 0, with all arguments. What only the plugin's process knows, as who
// was logged in, is left out.

// hookPayload is the payload of an event of one of the plugin's hooks.
func (m *maker) hookPayload(ev *rules.Event, o object, load rules.Load) Payload {
	if ev.Action.Kind != rules.Save {
		return Payload{Body: hookBody(ev, load, record{ev.Table, ev.Row}, m.opts.Plugin)}
	}
	shown := o.without(o.complete(ev))
	p := Payload{Body: hookBody(ev, load, shown, m.opts.Plugin), Omitted: omitted(shown, func(i int) bool { return rowShows(ev, load, shown, i) })}
	return o.mark(ev, p)
}

// hookBody is the arguments of an event's hook. The row is missing where nothing of it fits.
func hookBody(ev *rules.Event, load rules.Load, r record, plugin bool) []byte {
	a := arguments{b: []byte{'{'}, next: firstArgument(plugin)}
	switch ev.Action.Kind {
	case rules.Delete:
		a.add(hookID(ev))
	case rules.Publish:
		a.add(hookID(ev))
		a.add(appendNative(nil, ev.Row, ev.Table.Index("published")))
	default:
		a.add(hookRow(ev, load, r))
		if ev.Action.Hook() != rules.SubscriptionHook {
			a.add(strconv.AppendBool(nil, ev.Insert))
		}
	}
	if plugin {
		a.rest(ev, load, r)
	}
	return append(a.b, '}')
}

// arguments is a JSON object of a hook's arguments that is being written.
type arguments struct {
	b    []byte
	next int
}

func (a *arguments) add(value []byte) {
	if len(a.b) > 1 {
		a.b = append(a.b, ',')
	}
	a.b = strconv.AppendInt(append(a.b, `"arg`...), int64(a.next), 10)
	a.b = append(append(a.b, `":`...), value...)
	a.next++
}

// rest adds the arguments that only the plugin's own webhooks show: the object of the table's class, which is as saved, or
// empty, and the options, of which the request is not known.
func (a *arguments) rest(ev *rules.Event, load rules.Load, r record) {
	switch {
	case ev.Action.Hook() == rules.ReservationLateHook:
		a.add([]byte("null")) // the model, which no row tells
	case ev.Action.Hook() == rules.CustomerSaveHook, ev.Action.Hook() == rules.SubscriptionHook:
	case ev.Action.Kind == rules.Save:
		a.add(classObject(hookRow(ev, load, r)))
	default:
		empty := []byte{'{'}
		for _, name := range ev.Table.Columns {
			empty = append(appendKey(empty, name), "null"...)
		}
		a.add(classObject(append(empty, '}')))
	}
	a.add([]byte(`{"alias":"com_vikappointments","call":null}`))
}

// classObject is an object of a table's class with these columns.
func classObject(columns []byte) []byte {
	const state = `{"_setUserState":true`
	if columns = bytes.TrimPrefix(columns, []byte("{")); len(columns) <= len("}") {
		return []byte(state + "}")
	}
	return append([]byte(state+","), columns...)
}

// hookRow is a saved row: with what was saved, the rest null; with load full as it is.
func hookRow(ev *rules.Event, load rules.Load, r record) []byte {
	switch {
	case r.missing():
		return []byte("{}")
	case load == rules.Basic:
		return basicBody(ev, r)
	}
	b := append(make([]byte, 0, bodySize(r)), '{')
	for i, name := range r.table.Columns {
		if r.row.Shows(i) {
			b = appendNative(appendKey(b, name), r.row, i)
		}
	}
	return append(b, '}')
}

// hookID is the id of an event's object, or null where the table has none.
func hookID(ev *rules.Event) []byte {
	if len(ev.Table.Key) != 1 {
		return []byte("null")
	}
	return appendNative(nil, keyRow(ev, 0), 0)
}
