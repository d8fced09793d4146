package loader

import "strings"

// couponRenderer never changes. The plugin takes the sign of amounts away.
var couponRenderer = renderer{
	number: func(_ record, column string, _ *lookupSet) bool { return isAmount(column) },
	quirk: func(_ quirks, r record, column string) string {
		if isAmount(column) {
			return string(appendDecimal(nil, strings.TrimPrefix(r.text(column), "-")))
		}
		return ""
	},
}

func isAmount(column string) bool { return column == "value" || column == "mincost" }
