package loader

import (
	"slices"
	"strconv"
	"time"

	"rowhook/cdc"
	"rowhook/rules"
)

// compose makes the payload of every rule that wants the event. Rules with the same load share one body.
func compose(ev *rules.Event, o object) []Payload {
	payloads := make([]Payload, 0, len(ev.Rules))
	made := map[rules.Load]Payload{}
	for _, r := range ev.Rules {
		if ev.Action.Kind == rules.Save && ev.Row.Len() == 0 {
			if o.row.Len() == 0 || !r.WantsStatus(o.row.Text(o.table.Index("status"))) {
				continue // its options or items went with the order: the delete tells
			}
		}
		p, ok := made[r.Load]
		if !ok {
			p = payload(ev, o, r.Load)
			made[r.Load] = p
		}
		p.Rule = r
		payloads = append(payloads, p)
	}
	return payloads
}

func payload(ev *rules.Event, o object, load rules.Load) Payload {
	switch ev.Action.Kind {
	case rules.Delete:
		return Payload{Body: deleteBody(ev.IDs)}
	case rules.StatusChange:
		if load == rules.Basic {
			return Payload{Body: statusBody(ev)}
		}
		if o.row.Len() == 0 {
			return Payload{Body: statusBody(ev), Gone: true, AsOf: o.asOf}
		}
		return Payload{Body: fullBody(ev.Action.Entity, o.table, o.row), AsOf: o.asOf}
	}
	table, row, asOf := ev.Table, ev.Row, time.Time{}
	if row.Len() == 0 {
		table, row, asOf = o.table, o.row, o.asOf
	}
	if load == rules.Basic {
		return Payload{Body: basicBody(ev, table, row), AsOf: asOf}
	}
	return Payload{Body: fullBody(ev.Action.Entity, table, row), AsOf: asOf}
}

// deleteBody names what is gone: a number, or a list when there are several.
func deleteBody(ids []int64) []byte {
	b := []byte(`{"id":`)
	if len(ids) == 1 {
		return append(strconv.AppendInt(b, ids[0], 10), '}')
	}
	for i, id := range ids {
		b = strconv.AppendInt(append(b, "[,"[min(i, 1)]), id, 10)
	}
	return append(b, "]}"...)
}

// statusBody is the row of the status history, or what it would say when there is none (DESIGN 5, status change).
func statusBody(ev *rules.Event) []byte {
	if ev.Row.Len() > 0 {
		b := []byte{'{'}
		for i, name := range ev.Table.Columns {
			b = appendNative(appendKey(b, name), ev.Row, i)
		}
		return append(b, '}')
	}
	b := []byte(`{"id":null,"id_order":`)
	b = strconv.AppendInt(b, ev.IDs[0], 10)
	b = appendString(append(b, `,"status":`...), ev.Status)
	b = append(b, `,"comment":"","client":0,"ip":"","createdby":0,"createdon":"`...)
	b = ev.Time.UTC().AppendFormat(b, time.DateTime)
	b = appendString(append(b, `","type":`...), ev.Action.Entity.StatusType)
	return append(b, '}')
}

// basicBody is what the save wrote: of an insert every column, of an update those that changed, and the id. Orders
// drop what is null, the other entities show it (FINDINGS 3).
func basicBody(ev *rules.Event, table *cdc.Table, row cdc.Row) []byte {
	order := ev.Action.Entity.StatusType != ""
	id := table.Index("id")
	b := []byte{'{'}
	for i, name := range table.Columns {
		changed := i < len(ev.Changed) && ev.Changed[i]
		if !ev.Insert && !changed && i != id || row.Kind(i) == cdc.Absent || order && row.Kind(i) == cdc.Null {
			continue
		}
		b = appendNative(appendKey(b, name), row, i)
	}
	return append(b, '}')
}

// fullBody is the row, every column, each a string as the plugin has it but for the few it computes (FINDINGS 3).
func fullBody(entity *rules.Entity, table *cdc.Table, row cdc.Row) []byte {
	numbers := numericColumns(entity)
	b := make([]byte, 0, row.Size()+24*len(table.Columns))
	b = append(b, '{')
	for i, name := range table.Columns {
		switch kind := row.Kind(i); {
		case kind == cdc.Absent:
		case kind == cdc.Null || slices.Contains(numbers, name):
			b = appendNative(appendKey(b, name), row, i)
		default:
			b = appendText(appendKey(b, name), row, i)
		}
	}
	return append(b, '}')
}

// numericColumns are the columns that the plugin shows as numbers in full payloads.
func numericColumns(entity *rules.Entity) []string {
	switch entity.Name {
	case "appointment":
		return []string{"duration", "total_cost", "locked_until"}
	case "package_order":
		return []string{"total_cost"}
	case "coupon":
		return []string{"value", "mincost"}
	}
	return nil
}
