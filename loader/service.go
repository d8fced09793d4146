package loader

import "strconv"

// serviceRenderer never changes.
var serviceRenderer = renderer{
	number: func(r record, column string, _ *lookupSet) bool {
		return (column == "app_per_slot" || column == "display_seats") && r.text("max_capacity") == "1"
	},
	quirk: serviceQuirk,
}

// serviceQuirk is what the plugin makes of a service for one person, and of limits beyond its capacity.
func serviceQuirk(_ quirks, r record, column string) string {
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
