package loader

import (
	"strings"
	"testing"
	"time"
)

// Zones are the site's, an employee's or a customer's; what is none falls back to the site's.
func TestZones(t *testing.T) {
	t.Parallel()
	site := func(option string) zone {
		s := lookupSet{zones: &zones{}}
		s.zone = s.zones.ofSite(option)
		return s.zone
	}
	for option, want := range map[string]string{
		"Europe/Rome": "Europe/Rome", "": "UTC", "UTC": "UTC", "+02:00": "UTC", "UTC+2": "UTC", "Not/AZone": "UTC", "Local": "UTC",
		"America/Argentina/Buenos_Aires": "America/Argentina/Buenos_Aires",
		"America/Port-au-Prince":         "America/Port-au-Prince", // the plugin drops the dashes, and there is no such zone
		"../../etc/passwd":               "UTC",
	} {
		if got := site(option); got.name != want || got.location.String() != want {
			t.Errorf("a site in %q is in %s (%s), want %s", option, got.name, got.location, want)
		}
	}
	rome := (&zones{}).of("Europe/Rome", utc)
	for name, want := range map[string]string{
		"Asia/Kathmandu": "Asia/Kathmandu", "": "Europe/Rome", "Nowhere": "Europe/Rome", "Local": "Europe/Rome", "+05:30": "+05:30", "-3": "-03:00",
		"/etc/localtime": "Europe/Rome",
	} {
		if got := (&zones{}).of(name, rome); got.name != want {
			t.Errorf("%q is %s, want %s", name, got.name, want)
		}
	}
}

// Where the employee works: by the time of his day, a date before a weekday.
func TestLocations(t *testing.T) {
	t.Parallel()
	time1 := func(day, from, to, ts string, date any, closed, location string) record {
		return columns("id_employee", number("1"), "id_service", number("2"), "day", number(day), "fromts", number(from), "endts", number(to),
			"ts", number(ts), "tsdate", date, "closed", number(closed), "id_location", number(location))
	}
	o := ordersOf(t, map[string][]record{
		"worktime": {
			time1("4", "480", "720", "-1", nil, "0", "1"), time1("4", "720", "1080", "-1", "0000-00-00", "0", "2"),
			time1("-1", "540", "600", "1814486400", "2027-07-01", "0", "3"), time1("5", "480", "720", "-1", nil, "1", "1"), time1("6", "0", "1440", "-1", nil, "0", "-1"),
		},
		"location": {
			columns("id", number("1"), "name", "HQ", "id_country", number("1"), "id_state", number("1"), "id_city", number("1"), "address", "Via Roma 1", "zip", "50100"),
			columns("id", number("2"), "name", "Bare", "id_country", number("0"), "address", "", "zip", nil),
			columns("id", number("3"), "name", "Fair", "id_country", number("1"), "address", "Hall 3", "zip", ""),
		},
		"country": {columns("id", number("1"), "country_2_code", "IT", "country_name", "Italy")},
		"state":   {columns("id", number("1"), "state_2_code", "FI")},
		"city":    {columns("id", number("1"), "city_name", "Firenze")},
	})
	a := columns("id_employee", number("1"), "id_service", number("2"))
	for at, want := range map[string]string{
		"2027-07-08 08:00:00": `"HQ" "Via Roma 1, 50100, Firenze" "Via Roma 1, 50100, Firenze, FI, IT"`, // a Thursday
		"2027-07-08 07:59:00": "", "2027-07-08 12:00:00": `"Bare" "" ""`, "2027-07-08 18:00:00": "",
		"2027-07-01 09:30:00": `"Fair" "Hall 3" "Hall 3, IT"`, "2027-07-01 10:00:00": `"HQ" "Via Roma 1, 50100, Firenze" "Via Roma 1, 50100, Firenze, FI, IT"`,
		"2027-07-09 09:00:00": "", "2027-07-10 09:00:00": "", "2027-07-11 09:00:00": "",
	} {
		moment, err := time.Parse(time.DateTime, at)
		if err != nil {
			t.Fatal(err)
		}
		body := decoded(t, append(o.appendLocation([]byte(`{"l":`), a, moment), '}'))
		got := ""
		if body["l"] != nil {
			got = strings.Join([]string{atPath(t, body, "l.name"), atPath(t, body, "l.short"), atPath(t, body, "l.text")}, " ")
		}
		if got != want {
			t.Errorf("at %s: %s, want %s", at, got, want)
		}
	}
}

// What an order names may be deleted: the ids stay, all else is null, and the payment's id is the order's again.
func TestDeletedObjects(t *testing.T) {
	t.Parallel()
	o := ordersOf(t, map[string][]record{"gpayments": {
		columns("id", number("1"), "name", "Card", "file", "paypal.php", "icontype", number("2"), "icon", "media/card.png", "note", ""),
		columns("id", number("2"), "name", "Cash", "file", "cash.php", "icontype", number("1"), "icon", "fas fa-coins"),
		columns("id", number("3"), "name", "Bare", "file", "", "icontype", nil, "icon", nil),
	}})
	order := func(payment string) map[string]any {
		root := columns("id", number("1"), "id_payment", number(payment), "id_employee", number("7"), "id_service", number("8"), "id_parent", number("1"),
			"checkin_ts", "2027-07-08 08:00:00", "duration", number("30"), "service_price", decimal("5.00"), "status", "Q", "custom_f", `{"gone":"x"}`,
			"paid", number("0"), "createdby", number("9"), "id_user", number("9"), "purchaser_mail", "a@b.test")
		o.parts = map[int64][]record{1: {columns("id", number("1"), "id_option", number("5"), "id_variation", number("6"), "gross", decimal("1.00"))}}
		return decoded(t, o.appointmentBody(root))
	}
	body := order("9")
	for path, want := range map[string]string{
		"id_payment": `"9"`, "payment": "null", "statusRole": "null", "paid": "false", "fields": "[]", "displayFields": "[]", "hasFields": "false",
		"billing": "false", "author": "false", "invoice": "false", "history": "[]", "notes": "[]", "coupon": "null", "customerTimezone": `"UTC"`,
		"appointments.0.employee.id": `"7"`, "appointments.0.employee.name": "null", "appointments.0.employee.group": "null",
		"appointments.0.employee.notify": "null", "appointments.0.service.id": `"8"`, "appointments.0.service.name": "null",
		"appointments.0.service.price": `"5.00"`, "appointments.0.service.attachments": "[]", "appointments.0.service.group": "null",
		"appointments.0.statusRole": "null", "appointments.0.location": "null", "appointments.0.options.0.id": `"5"`,
		"appointments.0.options.0.name": "null", "appointments.0.options.0.fullName": `""`, "appointments.0.checkout.utc": `"2027-07-08 08:30:00"`,
	} {
		if got := atPath(t, body, path); got != want {
			t.Errorf("%s is %s, want %s", path, got, want)
		}
	}
	for payment, want := range map[string][3]string{
		"1": {`"http://salon.test/media/card.png"`, `"fab fa-paypal"`, `""`},
		"2": {"-", `"fas fa-coins"`, "-"},
		"3": {`"http://salon.test/"`, `"fas fa-credit-card"`, "-"},
	} {
		body := order(payment)
		got := [3]string{atPath(t, body, "payment.iconURI"), atPath(t, body, "payment.fontIcon"), atPath(t, body, "payment.notes.afterPurchase")}
		if got[2] == "null" {
			got[2] = "-"
		}
		if got != want || atPath(t, body, "id_payment") != "-" {
			t.Errorf("payment %s: got %s, want %s; id_payment %s", payment, got, want, atPath(t, body, "id_payment"))
		}
	}
}

// A check-in that is no date, and a duration beyond all sense, are shown as PHP shows them.
func TestOddCheckIns(t *testing.T) {
	t.Parallel()
	o := ordersOf(t, nil)
	o.date = "Y-m-d H:i"
	for _, test := range []struct{ in, duration, from, to string }{
		{"0000-00-00 00:00:00", "30", `"-0001-11-30 00:00"`, `"-0001-11-30 00:30"`},
		{"2027-03-28 02:30:00", "0", `"2027-03-28 02:30"`, `"2027-03-28 02:30"`},
		{"2027-01-01 00:00:00", "-60", `"2027-01-01 00:00"`, `"2026-12-31 23:00"`},
		{"2027-01-01 00:00:00", "2147483647", `"2027-01-01 00:00"`, `"6110-01-24 02:07"`},
	} {
		root := columns("id", number("1"), "id_employee", number("1"), "id_parent", number("1"), "checkin_ts", test.in, "duration", number(test.duration))
		body := decoded(t, o.appointmentBody(root))
		if from, to := atPath(t, body, "appointments.0.checkin.date"), atPath(t, body, "appointments.0.checkout.date"); from != test.from || to != test.to {
			t.Errorf("%s for %s minutes: from %s to %s, want %s to %s", test.in, test.duration, from, to, test.from, test.to)
		}
	}
}

// The customer is the one with the order's id or its mail address, the older of two.
func TestCustomers(t *testing.T) {
	t.Parallel()
	o := ordersOf(t, nil)
	o.byID = map[int64]record{0: columns("id", number("0")), 3: columns("id", number("3")), 5: columns("id", number("5"))}
	o.byMail = map[string]record{"a@b.test": columns("id", number("4"))}
	for _, test := range []struct{ user, mail, want string }{
		{"3", "", "3"}, {"3", "A@B.test ", "3"}, {"5", "a@b.test", "4"}, {"9", "a@b.test", "4"}, {"9", "x@y.test", ""}, {"-1", "", ""}, {"0", "", "0"},
	} {
		got := o.customer(columns("id_user", number(test.user), "purchaser_mail", test.mail))
		if got.text("id") != test.want {
			t.Errorf("%+v: customer %q", test, got.text("id"))
		}
	}
}
