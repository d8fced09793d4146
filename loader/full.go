package loader

import (
	"strconv"
	"strings"
	"time"

	"rowhook/cdc"
	"rowhook/rules"
)

// quirks are what a full payload shows that is not in the row. The plugin passes a loaded row through the code that
// prepares one for saving (FINDINGS 3); with its fidelity the values are what comes out, else they are as committed and
// only typed so.
type quirks struct {
	on  bool
	set *lookupSet // settings; nil when no column of the entity needs them
	now time.Time
}

// fullBody is the row, every column, each a string as the plugin has it but for the few it computes.
func fullBody(entity *rules.Entity, r record, q quirks) []byte {
	b := make([]byte, 0, bodySize(r))
	b = append(b, '{')
	for i, name := range r.table.Columns {
		if !r.row.Shows(i) {
			continue
		}
		b = appendKey(b, name)
		if q.on {
			if value := q.value(entity, r, name); value != "" {
				b = append(b, value...)
				continue
			}
		}
		if r.row.Kind(i) <= cdc.Null || isNumber(entity, r, name, q.set) {
			b = appendNative(b, r.row, i)
		} else {
			b = appendText(b, r.row, i)
		}
	}
	return append(b, '}')
}

// bodySize is what a row takes in JSON, in bytes, or some more: to grow a body of many megabytes would be to copy it.
func bodySize(r record) int {
	n := 2
	for i, name := range r.table.Columns {
		n += len(name) + len(`"":null,`) + jsonSize(r.row, i)
	}
	return n
}

// isNumber says whether the plugin shows a column as a number in full payloads.
func isNumber(entity *rules.Entity, r record, column string, set *lookupSet) bool {
	switch entity.Name {
	case appointmentEntity:
		return column == "duration" || column == "total_cost" || column == "locked_until"
	case packageOrderEntity:
		return column == "total_cost"
	case "coupon":
		return column == "value" || column == "mincost"
	case "service":
		return (column == "app_per_slot" || column == "display_seats") && r.text("max_capacity") == "1"
	case "customer":
		return column == "credit" && set != nil && set.credit
	}
	return false
}

// hasCredit says whether a setting decides over a column of the entity.
func hasCredit(entity *rules.Entity) bool { return entity.Name == "customer" }

// value is a value that the plugin makes of a column, as JSON; empty when it leaves it.
func (q quirks) value(entity *rules.Entity, r record, column string) string {
	switch entity.Name {
	case appointmentEntity:
		switch column {
		case "duration":
			return strconv.FormatInt(max(1, r.id(column)), 10)
		case "locked_until":
			return strconv.FormatInt(q.now.Add(q.set.lock).Unix(), 10)
		}
		fallthrough
	case packageOrderEntity:
		if column == "total_cost" && strings.HasPrefix(r.text(column), "-") {
			return "0"
		}
	case "coupon":
		if column == "value" || column == "mincost" {
			return string(appendDecimal(nil, strings.TrimPrefix(r.text(column), "-")))
		}
	case "service":
		return q.service(r, column)
	case "customer":
		if column == "credit" && !q.set.credit {
			return `"0.00"` // the plugin keeps no credits then
		}
	case "employee":
		if column == "active_to_date" && r.text("active_to") != "1" {
			return `"0000-00-00 00:00:00"`
		}
	}
	return ""
}

// service is what the plugin makes of a service for one person, and of limits beyond its capacity.
func (q quirks) service(r record, column string) string {
	capacity := r.id("max_capacity")
	switch column {
	case "app_per_slot":
		if capacity == 1 {
			return "1"
		}
	case "display_seats":
		if capacity == 1 {
			return "0"
		}
	case "min_per_res", "max_per_res":
		if r.id(column) > capacity {
			return strconv.Quote(strconv.FormatInt(capacity, 10))
		}
	}
	return ""
}
