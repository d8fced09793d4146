package loader

// customerRenderer never changes. Where the plugin keeps no credits, it shows none.
var customerRenderer = renderer{
	number: func(_ record, column string, set *lookupSet) bool {
		return column == "credit" && set != nil && set.credit
	},
	quirk: func(q quirks, _ record, column string) string {
		if column == "credit" && !q.set.credit {
			return `"0.00"`
		}
		return ""
	},
	settings: true,
}
