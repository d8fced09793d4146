package loader

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"rowhook/loader/render"
)

// appointmentRenderer never changes.
var appointmentRenderer = renderer{
	number: func(_ record, column string, _ *lookupSet) bool {
		return column == "duration" || column == "total_cost" || column == "locked_until"
	},
	quirk: func(q quirks, r record, column string) string {
		switch column {
		case "duration":
			return strconv.FormatInt(max(1, r.id(column)), 10)
		case "locked_until":
			return strconv.FormatInt(q.now.Add(q.set.lock).Unix(), 10)
		}
		return orderQuirk(r, column)
	},
	extended:  (*orders).appointmentBody,
	elsewhere: ofAppointment,
	nested:    func(column string) bool { return column == "tax_breakdown" || column == "coupon_str" },
}

// orderQuirk is what the plugin makes of an order's column.
func orderQuirk(r record, column string) string {
	if column == "total_cost" && strings.HasPrefix(r.text(column), "-") {
		return "0"
	}
	return ""
}

// appointmentBody is the extended payload of an appointment or a multi-order: payload-trees of the plugin, key by key.
func (o *orders) appointmentBody(root record) []byte {
	b := make([]byte, 0, 8<<10)
	b = append(b, '{')
	payment := o.row("gpayments", root.id("id_payment"))
	role := o.role(root.text("status"))
	paid := render.True(root.text("paid"))
	appointments := o.appointments(root)
	fields := o.fieldsOf(appointments)
	for _, column := range root.table.Columns {
		switch {
		case column == "paid" && !paid: // else it is shown as it was stored
			b = strconv.AppendBool(appendKey(b, column), role.paid)
		case column == "custom_f":
			b = appendArray(appendKey(b, column), root, column)
		case column == "uploads":
			b = appendJSON(appendKey(b, column), root, column)
		case column == "attendees":
			b = fields.Attendees(render.Decode(root.text(column))).Append(appendKey(b, column))
		case column == "id_payment" && !payment.missing() || ofAppointment(column):
		default:
			b = appendValue(appendKey(b, column), root, column)
		}
	}
	b = appendString(appendKey(b, "customerTimezone"), o.customerZone(root).name)
	b = append(appendKey(b, "appointments"), '[')
	same := true
	for i, a := range appointments {
		if i > 0 {
			b = append(b, ',')
		}
		same = same && a.id("id_employee") == appointments[0].id("id_employee")
		b = o.appendAppointment(b, root, a)
	}
	b = append(b, ']')
	b = strconv.AppendBool(appendKey(b, "sameEmp"), same)
	b = appendCoupon(appendKey(b, "coupon"), root.text("coupon_str"))
	b = appendCustomFields(b, fields, root.text("custom_f"))
	b = o.appendPayment(appendKey(b, "payment"), payment)
	b = appendTotals(b, root, paid || role.paid)
	b = appendOrNull(appendKey(b, "statusRole"), role.name)
	return append(o.appendPeople(b, root), '}')
}

// ofAppointment says whether a column of a reservation is told elsewhere in the payload, or not at all.
func ofAppointment(column string) bool {
	switch column {
	case "id_employee", "id_service", "checkin_ts", "people", "duration", "sleep", "total_cost", "tot_paid", "total_net", "total_tax",
		"discount", "tax_breakdown", "coupon_str", "view_emp", "notes":
		return true
	}
	return strings.HasPrefix(column, "service_") || strings.HasPrefix(column, "payment_")
}

// appointments are what the order books: a multi-order's children, else itself. What has no employee is none: a blocked
// slot, or a parent.
func (o *orders) appointments(root record) []record {
	booked := []record{root}
	if o.isParent(root) {
		booked = slices.Clone(o.children[root.id("id")])
	}
	return slices.DeleteFunc(booked, func(a record) bool { return a.id("id_employee") <= 0 })
}

func (o *orders) customerZone(root record) zone {
	return o.zones.of(root.text("user_timezone"), o.zone)
}

func (o *orders) appendAppointment(b []byte, root, a record) []byte {
	in := render.Time(a.text("checkin_ts"))
	out := time.Unix(in.Unix()+60*int64(a.float("duration")), 0).UTC() // a time.Duration would not hold all that a column does
	employee := o.row("employee", a.id("id_employee"))
	service := o.row("service", a.id("id_service"))
	zone := o.zones.of(employee.text("timezone"), o.zone)
	parts := o.parts[a.id("id")]
	role := o.role(a.text("status"))

	b = append(b, '{')
	b = appendFields(b, a, "id", "id", "sid", "sid")
	b = o.appendEmployee(appendKey(b, "employee"), a, employee)
	b = o.appendStay(b, "checkin", in, zone)
	b = append(o.appendStay(b, "checkout", out, zone), '}')
	b = o.appendService(appendKey(b, "service"), a, service)
	b = o.appendMoment(appendKey(b, "checkin"), in, true)
	b = o.appendMoment(appendKey(b, "checkout"), out, false)
	customer := o.customerZone(root)
	b = o.appendStay(b, "customerCheckin", in, customer)
	b = o.appendStay(b, "customerCheckout", out, customer)
	b = o.appendStay(b, "systemCheckin", in, o.zone)
	b = o.appendStay(b, "systemCheckout", out, o.zone)
	b = appendFields(b, a, "duration", "duration", "sleep", "sleep", "people", "people", "viewEmp", "view_emp", "status", "status")
	b = appendOrNull(appendKey(b, "statusRole"), role.name)

	b = append(appendKey(b, "totals"), '{')
	b = appendFields(b, a, "net", "service_net", "tax", "service_tax", "gross", "service_gross")
	if b = appendKey(b, "grossOpt"); len(parts) == 0 {
		b = appendValue(b, a, "service_gross")
	} else {
		gross := a.float("service_gross")
		for _, p := range parts {
			gross += p.float("gross")
		}
		b = render.AppendNumber(b, gross)
	}
	b = appendFields(b, a, "discount", "service_discount")
	b = append(appendJSON(appendKey(b, "breakdown"), a, "tax_breakdown"), '}')
	b = o.appendLocation(appendKey(b, "location"), a, in.In(zone.location))
	b = append(appendKey(b, "options"), '[')
	for i, p := range parts {
		if i > 0 {
			b = append(b, ',')
		}
		b = o.appendOption(b, p)
	}
	return append(b, ']', '}')
}

// appendEmployee appends an employee, whose object stays open for check-in and check-out.
func (o *orders) appendEmployee(b []byte, a, employee record) []byte {
	b = appendFields(append(b, '{'), a, "id", "id_employee")
	b = o.appendTranslated(appendKey(b, "name"), employee, "nickname", "lang_employee", employee.id("id"))
	b = appendFields(b, employee, "email", "email", "phone", "phone", "image", "image", "notify", "notify")
	return o.appendGroup(b, o.row("employee_group", employee.id("id_group")), "name", "lang_empgroup")
}

func (o *orders) appendService(b []byte, a, service record) []byte {
	id := service.id("id")
	b = appendFields(append(b, '{'), a, "id", "id_service")
	b = o.appendTranslated(appendKey(b, "name"), service, "name", "lang_service", id)
	b = o.appendTranslated(appendKey(b, "description"), service, "description", "lang_service", id)
	b = appendFields(b, a, "price", "service_price")
	b = appendFields(b, service, "image", "image", "maxCapacity", "max_capacity", "chooseEmployee", "choose_emp")
	b = appendArray(appendKey(b, "attachments"), service, "attachments")
	return append(o.appendGroup(b, o.row("group", service.id("id_group")), "name", "lang_group"), '}')
}

// appendGroup appends the group of something; null when it has none.
func (o *orders) appendGroup(b []byte, group record, column, translations string) []byte {
	b = appendKey(b, "group")
	if group.missing() {
		return append(b, "null"...)
	}
	b = appendFields(append(b, '{'), group, "id", "id")
	b = o.appendTranslated(appendKey(b, "name"), group, column, translations, group.id("id"))
	return append(b, '}')
}

// appendStay appends a moment as it is shown in a zone.
func (o *orders) appendStay(b []byte, key string, t time.Time, z zone) []byte {
	b = o.appendShown(append(appendKey(b, key), '{'), t, z)
	return append(appendString(appendKey(b, "timezone"), z.name), '}')
}

func (o *orders) appendShown(b []byte, t time.Time, z zone) []byte {
	t = t.In(z.location)
	for _, d := range [...]struct{ key, format string }{{"lc", o.lc}, {"lc2", o.lc2}, {"lc3", o.lc}, {"date", o.date}} {
		var text [64]byte
		b = appendString(appendKey(b, d.key), string(render.AppendDate(text[:0], t, d.format, o.names)))
	}
	return b
}

// appendMoment appends a moment in the site's zone, and in forms for machines.
func (o *orders) appendMoment(b []byte, t time.Time, stamp bool) []byte {
	b = o.appendShown(append(b, '{'), t, o.zone)
	b = t.AppendFormat(append(appendKey(b, "utc"), '"'), time.DateTime+`"`)
	b = t.AppendFormat(append(appendKey(b, "iso8601"), '"'), `2006-01-02T15:04:05-07:00"`)
	if stamp {
		b = strconv.AppendInt(appendKey(b, "timestamp"), t.Unix(), 10)
	}
	return append(appendString(appendKey(b, "timezone"), o.zone.name), '}')
}

func (o *orders) appendOption(b []byte, p record) []byte {
	id, variation := p.id("id_option"), p.id("id_variation")
	option, value := o.row("option", id), o.row("option_value", variation)
	fullName := o.translated(option, "name", "lang_option", id)
	if name := o.translated(value, "name", "lang_option_value", variation); name != "" && !option.missing() {
		fullName += " - " + name
	}
	b = appendFields(append(b, '{'), p, "id_assoc", "id", "id", "id_option", "id_variation", "id_variation")
	b = o.appendTranslated(appendKey(b, "name"), option, "name", "lang_option", id)
	b = o.appendTranslated(appendKey(b, "varName"), value, "name", "lang_option_value", variation)
	b = appendString(appendKey(b, "fullName"), fullName)
	b = o.appendTranslated(appendKey(b, "description"), option, "description", "lang_option", id)
	b = appendFields(b, option, "image", "image", "multiple", "single")
	b = appendFields(b, p, "quantity", "quantity", "price", "inc_price")
	return append(appendPartTotals(b, p), '}')
}

// appendPartTotals appends what an option or an item costs.
func appendPartTotals(b []byte, p record) []byte {
	b = append(appendKey(b, "totals"), '{')
	b = appendFields(b, p, "net", "net", "tax", "tax", "gross", "gross", "discount", "discount")
	return append(appendJSON(appendKey(b, "breakdown"), p, "tax_breakdown"), '}')
}

// appendLocation appends where the employee works at that time; null when it is not known.
func (o *orders) appendLocation(b []byte, a record, at time.Time) []byte {
	place := o.row("location", o.place(a, at))
	if place.missing() {
		return append(b, "null"...)
	}
	b = append(b, '{')
	for _, column := range place.table.Columns {
		b = appendValue(appendKey(b, column), place, column)
	}
	country, state, city := o.row("country", place.id("id_country")), o.row("state", place.id("id_state")), o.row("city", place.id("id_city"))
	b = appendFields(b, country, "countryCode2", "country_2_code", "countryCode3", "country_3_code", "countryName", "country_name")
	b = appendFields(b, state, "stateCode2", "state_2_code", "stateName", "state_name")
	b = appendFields(b, city, "cityName", "city_name")
	short := join(place.text("address"), place.text("zip"), city.text("city_name"))
	b = appendString(appendKey(b, "text"), join(short, state.text("state_2_code"), country.text("country_2_code")))
	return append(appendString(appendKey(b, "short"), short), '}')
}

// place is the id of the location of the working time that an appointment falls into, in the employee's time; 0 for
// none. Times of a date go before those of a weekday.
func (o *orders) place(a record, at time.Time) int64 {
	minute := int64(at.Hour()*60 + at.Minute())
	date := at.Format(time.DateOnly)
	found := int64(0)
	for _, w := range o.tables["worktime"].rows[rowKey{a.id("id_employee"), a.text("id_service")}] {
		if w.text("closed") == "1" || minute < w.id("fromts") || minute >= w.id("endts") {
			continue
		}
		if w.text("tsdate") == date {
			return w.id("id_location")
		}
		if found == 0 && w.id("ts") <= 0 && w.id("day") == int64(at.Weekday()) {
			found = w.id("id_location")
		}
	}
	return found
}

// join writes what is not empty behind one another.
func join(parts ...string) string {
	var b strings.Builder
	for _, p := range parts {
		if p != "" && b.Len() > 0 {
			b.WriteString(", ")
		}
		b.WriteString(p)
	}
	return b.String()
}
