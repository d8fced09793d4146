package loader

import "strings"

// fieldSources says of each object in extended payloads which table its fields are columns of, and of fields whose names are not
// those of their columns what these are called. A field that is neither is made of several things: its own text says of which.
// A column that has a translation in one of the plugin's lang_ tables is shown in the site's language.
var fieldSources = map[string]struct {
	table   string
	renamed string // pairs of field and column
}{
	"$.totals":                          {"{order}", "net total_net tax total_tax gross total_cost discount discount paid tot_paid payCharge payment_charge payTax payment_tax"},
	"$.appointments[]":                  {"vikappointments_reservation", "viewEmp view_emp"},
	"$.appointments[].employee":         {"vikappointments_employee", "name nickname"},
	"$.appointments[].employee.group":   {"vikappointments_employee_group", ""},
	"$.appointments[].service":          {"vikappointments_service", "maxCapacity max_capacity chooseEmployee choose_emp"},
	"$.appointments[].service.group":    {"vikappointments_group", ""},
	"$.appointments[].totals":           {"vikappointments_reservation", "net service_net tax service_tax gross service_gross discount service_discount breakdown tax_breakdown"},
	"$.appointments[].location":         {"vikappointments_employee_location", ""},
	"$.appointments[].options[]":        {"vikappointments_res_opt_assoc", "id_assoc id id id_option price inc_price"},
	"$.appointments[].options[].totals": {"vikappointments_res_opt_assoc", "breakdown tax_breakdown"},
	"$.packages[]":                      {"vikappointments_package_order_item", "id_assoc id id id_package modified modifiedon totalApp num_app usedApp used_app"},
	"$.packages[].totals":               {"vikappointments_package_order_item", "breakdown tax_breakdown"},
	"$.packages[].group":                {"vikappointments_package_group", "name title"},
	"$.payment":                         {"vikappointments_gpayments", "driver file iconType icontype"},
	"$.payment.notes":                   {"vikappointments_gpayments", "beforePurchase prenote afterPurchase note"},
	"$.billing":                         {"vikappointments_users", ""},
	"$.author":                          {"users", "name display_name username user_login email user_email"},
	"$.history[]":                       {"vikappointments_order_status", "statusCode status"},
	"$.notes[]":                         {"vikappointments_user_notes", ""},
	"$.invoice":                         {"vikappointments_invoice", ""},
}

// elsewhere are fields that are columns of another table than their object's.
var elsewhere = map[string]string{
	"$.appointments[].employee.id":           "vikappointments_reservation.id_employee",
	"$.appointments[].service.id":            "vikappointments_reservation.id_service",
	"$.appointments[].service.price":         "vikappointments_reservation.service_price",
	"$.appointments[].options[].name":        "vikappointments_option.name",
	"$.appointments[].options[].description": "vikappointments_option.description",
	"$.appointments[].options[].image":       "vikappointments_option.image",
	"$.appointments[].options[].multiple":    "vikappointments_option.single",
	"$.appointments[].options[].varName":     "vikappointments_option_value.name",
	"$.appointments[].location.countryCode2": "vikappointments_countries.country_2_code",
	"$.appointments[].location.countryCode3": "vikappointments_countries.country_3_code",
	"$.appointments[].location.countryName":  "vikappointments_countries.country_name",
	"$.appointments[].location.stateCode2":   "vikappointments_states.state_2_code",
	"$.appointments[].location.stateName":    "vikappointments_states.state_name",
	"$.appointments[].location.cityName":     "vikappointments_cities.city_name",
	"$.packages[].name":                      "vikappointments_package.name",
	"$.packages[].description":               "vikappointments_package.description",
	"$.history[].name":                       "users.display_name",
	"$.history[].username":                   "users.user_login",
	"$.notes[].authorName":                   "users.display_name",
	"$.item_tax_breakdown":                   "vikappointments_package_order_item.tax_breakdown",
}

// made are fields that no single column is: what each is made of. Those below a place are made of the same.
var made = map[string]string{
	"$.appointments":                      "the order, or the children of a multi-order",
	"$.appointments[].checkin":            "checkin_ts, in the time zone of the employee",
	"$.appointments[].checkout":           "checkin_ts and duration, in the time zone of the employee",
	"$.appointments[].employee.checkin":   "checkin_ts, in the time zone of the employee",
	"$.appointments[].employee.checkout":  "checkin_ts and duration, in the time zone of the employee",
	"$.appointments[].customerCheckin":    "checkin_ts, in the time zone of the customer",
	"$.appointments[].customerCheckout":   "checkin_ts and duration, in the time zone of the customer",
	"$.appointments[].systemCheckin":      "checkin_ts, in the time zone of the site",
	"$.appointments[].systemCheckout":     "checkin_ts and duration, in the time zone of the site",
	"$.appointments[].statusRole":         "status, by vikappointments_status_code: PENDING, APPROVED, EXPIRED, CANCELLED",
	"$.statusRole":                        "status, by vikappointments_status_code: PENDING, APPROVED, EXPIRED, CANCELLED",
	"$.appointments[].totals.grossOpt":    "service_gross and the gross of the options",
	"$.appointments[].location.text":      "the parts of the address, on a line",
	"$.appointments[].location.short":     "the parts of the address, on a short line",
	"$.appointments[].options[].fullName": "name and varName",
	"$.packages":                          "the items of the order",
	"$.packages[].remainingApp":           "num_app and used_app",
	"$.item_group_id":                     "vikappointments_package_group of the first item",
	"$.item_group_name":                   "vikappointments_package_group of the first item",
	"$.totalApp":                          "num_app of all items",
	"$.usedApp":                           "used_app of all items",
	"$.lastUpdate":                        "modifiedon of the items",
	"$.totals.due":                        "total_cost and tot_paid",
	"$.sameEmp":                           "whether all appointments have one employee",
	"$.coupon":                            "coupon_str",
	"$.fields":                            "custom_f, the fields of vikappointments_custfields by name",
	"$.displayFields":                     "custom_f, as shown, by the fields' labels",
	"$.hasFields":                         "whether fields has any",
	"$.custom_f":                          "custom_f, as it is stored",
	"$.attendees":                         "attendees: of each further person the fields, and how they are shown",
	"$.customerTimezone":                  "user_timezone, or the site's",
	"$.paid":                              "paid",
	"$.payment.iconURI":                   "icon and the site's address",
	"$.payment.fontIcon":                  "icon, or that of the driver",
	"$.invoice":                           "vikappointments_invoice: false without one",
	"$.history":                           "vikappointments_order_status: all statuses that the order ever had",
	"$.notes":                             "vikappointments_user_notes: what was written about the order",
	"$.author":                            "users, by createdby: false without one",
	"$.billing":                           "vikappointments_users, by id_user: false without one",
	"$.payment":                           "vikappointments_gpayments, by id_payment",
	"$.uploads":                           "uploads, as it is stored",
}

// sourceOf is what a field of an entity's payload is made of: TABLE.COLUMN, or a text; empty when nothing is known. Payloads that
// are not extended are rows.
func sourceOf(table string, columns map[string]map[string]bool, place string, extended bool) string {
	if !extended {
		return table + "." + strings.TrimPrefix(place, "$.")
	}
	if source := elsewhere[place]; source != "" {
		return source
	}
	object, field := "$", place[strings.LastIndexByte(place, '.')+1:]
	if i := strings.LastIndexByte(place, '.'); i > 0 {
		object = place[:i]
	}
	if object == "$" && columns[table][field] && made[place] == "" {
		return table + "." + field
	}
	if at, ok := fieldSources[object]; ok && object != "$" {
		in := strings.Replace(at.table, "{order}", table, 1)
		pairs := strings.Fields(at.renamed)
		for i := 0; i < len(pairs); i += 2 {
			if pairs[i] == field {
				return in + "." + pairs[i+1]
			}
		}
		if columns[in][field] {
			return in + "." + field
		}
	}
	if at, ok := fieldSources[place]; ok && made[place] == "" {
		return strings.Replace(at.table, "{order}", table, 1)
	}
	for at := place; at != "$" && at != ""; {
		if text := made[at]; text != "" {
			return text
		}
		cut := max(strings.LastIndexByte(at, '.'), strings.LastIndex(at, "[]"))
		if cut <= 0 {
			break
		}
		at = at[:cut]
	}
	return ""
}
