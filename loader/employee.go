package loader

// employeeRenderer never changes.
var employeeRenderer = renderer{
	quirk: func(_ quirks, r record, column string) string {
		if column == "active_to_date" && r.text("active_to") != "1" {
			return `"0000-00-00 00:00:00"`
		}
		return ""
	},
}
