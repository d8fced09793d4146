package loader

import (
	"cmp"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"

	"rowhook/rules"
)

// What extended payloads hold besides the row: one rule a test, on orders of a few columns, without a database.

// salonOf is a site with these lookup tables, whose rows are found by id and tag (lookups).
func salonOf(tables map[string][]record) *lookupSet {
	s := &lookupSet{tables: map[string]*entry{}, zones: &zones{}, zone: utc, language: "en-US", siteURL: "http://salon.test"}
	s.names, _ = (&locales{}).of("", "")
	for name, def := range lookups() {
		e := &entry{rows: map[rowKey][]record{}}
		for _, r := range tables[name] {
			k := rowKey{r.id(def.id), r.text(def.tag)}
			e.rows[k] = append(e.rows[k], r)
		}
		s.tables[name] = e
	}
	s.fields = s.customFields()
	return s
}

// ordersOf is what orders of such a site are made of.
func ordersOf(t *testing.T, tables map[string][]record) *orders {
	t.Helper()
	return &orders{lookupSet: salonOf(tables), site: &rules.Site{}, entity: entity(t, "appointment.save").Entity}
}

// statuses are the plugin's own status codes.
func statuses() []record {
	var codes []record
	for _, c := range []struct{ code, approved, reserved, expired, cancelled, paid string }{
		{"C", "1", "1", "0", "0", "0"}, {"P", "1", "1", "0", "0", "1"}, {"W", "0", "1", "0", "0", "0"},
		{"E", "0", "0", "1", "0", "0"}, {"X", "0", "0", "0", "1", "0"}, {"R", "0", "0", "0", "1", "1"},
	} {
		codes = append(codes, columns("code", c.code, "approved", c.approved, "reserved", c.reserved, "expired", c.expired,
			"cancelled", c.cancelled, "paid", c.paid))
	}
	return codes
}

// decoded is a payload.
func decoded(t *testing.T, body []byte) map[string]any {
	t.Helper()
	var v map[string]any
	if err := json.Unmarshal(body, &v); err != nil {
		t.Fatalf("%v: %s", err, body)
	}
	return v
}

// atPath is what stands at a path of keys and indexes, as JSON; "-" when there is nothing.
func atPath(t *testing.T, v any, path string) string {
	t.Helper()
	for key := range strings.SplitSeq(path, ".") {
		switch below := v.(type) {
		case map[string]any:
			found, ok := below[key]
			if !ok {
				return "-"
			}
			v = found
		case []any:
			var i int
			if _, err := fmt.Sscan(key, &i); err != nil || i >= len(below) {
				return "-"
			}
			v = below[i]
		default:
			return "-"
		}
	}
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// Paid is the column where it is set, else what the status says; what is due is never negative (FINDINGS 11).
func TestPaidAndDue(t *testing.T) {
	t.Parallel()
	o := ordersOf(t, map[string][]record{"status_code": statuses()})
	for _, test := range []struct{ status, column, gross, tot, paid, due string }{
		{"C", "0", "100.00", "0.00", "false", "100"},
		{"C", "0", "102.62", "30.79", "false", "71.83000000000001"},
		{"C", "0", "10.00", "12.50", "false", "0"},
		{"C", "1", "100.00", "0.00", `"1"`, "0"},
		{"X", "1", "100.00", "40.00", `"1"`, "0"},
		{"C", "2", "100.00", "0.00", `"2"`, "0"},
		{"P", "0", "100.00", "0.00", "true", "0"},
		{"P", "", "100.00", "0.00", "true", "0"},
		{"R", "0", "100.00", "0.00", "false", "100"}, // its flag counts only where it reserves
		{"unknown", "0", "-5.00", "0.00", "false", "0"},
	} {
		root := columns("id", number("1"), "id_employee", number("0"), "status", test.status, "paid", test.column,
			"total_cost", decimal(test.gross), "tot_paid", decimal(test.tot))
		body := decoded(t, o.appointmentBody(root))
		if paid, due := atPath(t, body, "paid"), atPath(t, body, "totals.due"); paid != test.paid || due != test.due {
			t.Errorf("%+v: paid %s, due %s", test, paid, due)
		}
		body = decoded(t, o.packageBody(root))
		paid := map[string]string{"P": "true"}[test.status]
		if got := atPath(t, body, "paid"); got != max(paid, "false") {
			t.Errorf("%+v: a package order is paid %s", test, got)
		}
	}
}

// Codes are the site's own: their flags say what they mean, whatever their letters.
func TestStatusRoles(t *testing.T) {
	t.Parallel()
	flags := []string{"approved", "reserved", "expired", "cancelled", "paid"}
	for set, want := range map[string]role{
		"": {}, "approved": {}, "paid": {}, "reserved": {name: "PENDING"}, "reserved cancelled": {name: "PENDING"},
		"reserved paid": {name: "PENDING"}, "approved reserved": {name: "APPROVED"}, "approved reserved paid": {"APPROVED", true},
		"expired": {name: "EXPIRED"}, "expired cancelled": {name: "EXPIRED"}, "cancelled": {name: "CANCELLED"},
		"cancelled paid": {name: "CANCELLED"}, "approved cancelled": {name: "CANCELLED"},
	} {
		pairs := []any{"code", "Zz"}
		for _, f := range flags {
			value := any("0")
			if slices.Contains(strings.Fields(set), f) {
				value = "1"
			}
			pairs = append(pairs, f, value)
		}
		s := salonOf(map[string][]record{"status_code": {columns(pairs...)}})
		if got := s.role("Zz"); got != want {
			t.Errorf("%q: got %+v, want %+v", set, got, want)
		}
		if got := s.role("gone"); got != (role{}) {
			t.Errorf("a code that was deleted means %+v", got)
		}
	}
}

// Notes are the last written first; a multi-order of several appointments has theirs too, a package order none.
func TestNotes(t *testing.T) {
	t.Parallel()
	note := func(id, created string, modified any) record {
		return columns("id", number(id), "createdon", created, "modifiedon", modified)
	}
	child := func(id, employee string) record {
		return columns("id", number(id), "id_employee", number(employee), "id_service", number("1"))
	}
	o := ordersOf(t, nil)
	o.notes = map[int64][]record{
		1: {note("1", "2027-01-01 00:00:01", nil), note("2", "2027-01-01 00:00:03", nil), note("3", "2027-01-01 00:00:02", "2027-02-01 00:00:00")},
		2: {note("4", "2027-01-01 00:00:03", nil)},
		3: {note("5", "2027-01-01 00:00:09", "0000-00-00 00:00:00")},
	}
	o.children = map[int64][]record{7: {child("2", "1"), child("3", "2")}, 8: {child("2", "1")}, 10: {child("2", "1"), child("3", "0")}}
	o.notes[7], o.notes[8], o.notes[10] = o.notes[1], o.notes[1], o.notes[1]
	for id, want := range map[string]string{"1": "3 2 1", "7": "3 2 4 1 5", "8": "3 2 1", "9": "", "10": "3 2 1"} {
		root := columns("id", number(id), "id_employee", number("0"), "id_parent", number("-1"))
		var ids []string
		for _, n := range o.notesOf(root) {
			ids = append(ids, n.text("id"))
		}
		if got := strings.Join(ids, " "); got != want {
			t.Errorf("notes of %s: %s, want %s", id, got, want)
		}
	}
}

// Comments are texts where the last status was set in the administration, else the keys of the texts.
func TestHistoryComments(t *testing.T) {
	t.Parallel()
	o := ordersOf(t, map[string][]record{"status_code": {columns("code", "C", "name", "Confirmed")}})
	status := func(code, comment, client string) record {
		return columns("status", code, "comment", comment, "client", number(client))
	}
	for _, test := range []struct {
		history []record
		want    string
	}{
		{nil, `[]`},
		{
			[]record{status("C", "VAP_STATUS_CHANGED_FROM_PAY", "0"), status("C", "VAP_STATUS_CHANGED_ON_MANAGE", "1")},
			`["The order has been confirmed as a result of a successful transaction." "The status has been changed from the order management page."]`,
		},
		{[]record{status("C", "VAP_STATUS_CHANGED_ON_MANAGE", "1"), status("X", "VAP_STATUS_ORDER_CANCELLED", "0")}, `["VAP_STATUS_CHANGED_ON_MANAGE" "VAP_STATUS_ORDER_CANCELLED"]`},
		{[]record{status("Q", "by phone", "1"), status("Q", "", "1"), status("Q", "VAP_NEWER", "1")}, `["by phone" "" "VAP_NEWER"]`},
	} {
		body := decoded(t, append(o.appendHistory([]byte(`{"history":`), test.history), '}'))
		var comments []string
		for i, h := range test.history {
			at := func(key string) string { return atPath(t, body, fmt.Sprintf("history.%d.%s", i, key)) }
			comments = append(comments, at("comment"))
			name := map[string]string{"C": "Confirmed"}[h.text("status")]
			if want := strconv.Quote(cmp.Or(name, h.text("status"))); at("status") != want || at("statusCode") != strconv.Quote(h.text("status")) {
				t.Errorf("status %s is %s", h.text("status"), at("status"))
			}
		}
		if got := "[" + strings.Join(comments, " ") + "]"; got != test.want {
			t.Errorf("got %s, want %s", got, test.want)
		}
	}
}

// The items of a package order stand in the order of their groups and packages, and the first leaves something behind.
func TestPackageItems(t *testing.T) {
	t.Parallel()
	o := ordersOf(t, map[string][]record{
		"package_group": {
			columns("id", number("1"), "title", "Late", "ordering", number("2")),
			columns("id", number("2"), "title", "Early", "ordering", number("1")),
		},
		"package": {
			columns("id", number("1"), "name", "B", "id_group", number("1"), "ordering", number("9")),
			columns("id", number("2"), "name", "A", "id_group", number("1"), "ordering", number("3")),
			columns("id", number("3"), "name", "C", "id_group", number("2"), "ordering", number("20")),
			columns("id", number("4"), "name", "D", "id_group", number("-1"), "ordering", number("30")),
		},
	})
	item := func(id, pack string, breakdown any) record {
		return columns("id", number(id), "id_package", number(pack), "num_app", number("5"), "used_app", number("2"), "tax_breakdown", breakdown,
			"validthru", "0000-00-00 00:00:00", "modifiedon", nil)
	}
	for _, test := range []struct {
		items                                []record
		names, breakdown, group, groupOfItem string
	}{
		{[]record{item("1", "1", nil), item("2", "2", "[]"), item("3", "3", "[]"), item("4", "2", "[]")}, `"C" "A" "A" "B"`, "-", "-", `"2"`},
		{[]record{item("1", "1", "[]"), item("2", "3", nil)}, `"C" "B"`, "null", "-", `"2"`},
		{[]record{item("1", "1", "[]"), item("2", "4", "")}, `"D" "B"`, `""`, "null", "-"},
		{[]record{item("1", "1", "[]"), item("2", "99", "[]")}, `null "B"`, "-", "null", "-"}, // the package is gone
		{nil, "", "null", "null", "-"},
	} {
		o.parts = map[int64][]record{5: test.items}
		body := decoded(t, o.packageBody(columns("id", number("5"), "custom_f", "{}")))
		var names []string
		for i := range test.items {
			names = append(names, atPath(t, body, fmt.Sprintf("packages.%d.name", i)))
		}
		if got := strings.Join(names, " "); got != test.names {
			t.Errorf("packages %s, want %s", got, test.names)
		}
		for path, want := range map[string]string{
			"item_tax_breakdown": test.breakdown, "item_group_id": test.group, "item_group_name": test.group,
			"packages.0.group.id": test.groupOfItem, "notes": "[]", "coupon": "-",
		} {
			if got := atPath(t, body, path); got != want {
				t.Errorf("%s: %s is %s, want %s", test.names, path, got, want)
			}
		}
		if len(test.items) > 0 && (atPath(t, body, "packages.0.validthru") != "null" || atPath(t, body, "packages.0.remainingApp") != "3") {
			t.Errorf("%s: valid through %s, remaining %s", test.names, atPath(t, body, "packages.0.validthru"), atPath(t, body, "packages.0.remainingApp"))
		}
	}
	if got := atPath(t, decoded(t, o.packageBody(columns("id", number("5"), "coupon", "A;;2;;5.00;;x"))), "coupon"); got != `{"amount":"5.00","code":"A","type":"2"}` {
		t.Errorf("coupon %s", got)
	}
}

// An option that was deleted has neither name; a variation that was deleted leaves the option's.
func TestOptionNames(t *testing.T) {
	t.Parallel()
	o := ordersOf(t, map[string][]record{
		"option":       {columns("id", number("1"), "name", "Towel"), columns("id", number("2"), "name", "")},
		"option_value": {columns("id", number("1"), "name", "Größe L"), columns("id", number("2"), "name", "")},
		"lang_option":  {columns("id_option", number("1"), "tag", "it-IT", "name", "Asciugamano")},
	})
	for _, test := range []struct{ option, variation, language, name, varName, fullName string }{
		{"1", "-1", "en-US", `"Towel"`, "null", `"Towel"`},
		{"1", "1", "en-US", `"Towel"`, `"Größe L"`, `"Towel - Größe L"`},
		{"1", "1", "it-IT", `"Asciugamano"`, `"Größe L"`, `"Asciugamano - Größe L"`},
		{"1", "2", "en-US", `"Towel"`, `""`, `"Towel"`},
		{"1", "9", "en-US", `"Towel"`, "null", `"Towel"`},
		{"9", "-1", "en-US", "null", "null", `""`},
		{"9", "1", "en-US", "null", `"Größe L"`, `""`},
		{"2", "-1", "en-US", `""`, "null", `""`},
	} {
		o.language = test.language
		body := decoded(t, o.appendOption(nil, columns("id", number("1"), "id_option", number(test.option), "id_variation", number(test.variation))))
		for path, want := range map[string]string{"name": test.name, "varName": test.varName, "fullName": test.fullName} {
			if got := atPath(t, body, path); got != want {
				t.Errorf("%+v: %s is %s", test, path, got)
			}
		}
	}
}

// What has no employee is no appointment of an order, nor are its service and its fields the order's (FINDINGS 3).
func TestAppointmentsHaveEmployees(t *testing.T) {
	t.Parallel()
	o := ordersOf(t, map[string][]record{
		"custfields":       {columns("id", number("1"), "name", "stones", "type", "text")},
		"cf_service_assoc": {columns("id_field", number("1"), "id_service", number("2"))},
	})
	row := func(id, parent, employee, service string) record {
		return columns("id", number(id), "id_parent", number(parent), "id_employee", number(employee), "id_service", number(service), "custom_f", `{"stones":"hot"}`)
	}
	o.children = map[int64][]record{7: {row("8", "7", "3", "1"), row("9", "7", "0", "2"), row("10", "7", "-1", "2"), row("11", "7", "3", "1")}}
	for _, test := range []struct {
		root                 record
		first, second, third string
		same, fields         string
	}{
		{row("7", "-1", "0", "0"), `"8"`, `"11"`, "-", "true", "[]"},
		{row("1", "1", "3", "2"), `"1"`, "-", "-", "true", `{"stones":"hot"}`},
		{row("1", "-1", "3", "2"), `"1"`, "-", "-", "true", `{"stones":"hot"}`}, // a form names every column
		{row("1", "1", "0", "2"), "-", "-", "-", "true", "[]"},
	} {
		body := decoded(t, o.appointmentBody(test.root))
		for path, want := range map[string]string{
			"appointments.0.id": test.first, "appointments.1.id": test.second, "appointments.2.id": test.third, "sameEmp": test.same, "fields": test.fields,
		} {
			if got := atPath(t, body, path); got != want {
				t.Errorf("order %s: %s is %s, want %s", test.root.text("id"), path, got, want)
			}
		}
	}
}

// A field counts for the services of all appointments, and for an employee only when he has all of them.
func TestFieldsOfAppointments(t *testing.T) {
	t.Parallel()
	s := salonOf(map[string][]record{
		"custfields": {
			columns("id", number("1"), "name", "all", "type", "text"),
			columns("id", number("2"), "name", "of 2", "type", "text", "id_employee", number("-1")),
			columns("id", number("3"), "name", "of Zoe", "type", "text", "id_employee", number("1")),
		},
		"cf_service_assoc": {columns("id_field", number("2"), "id_service", number("2"))},
		"lang_customf":     {columns("id_customf", number("1"), "tag", "en-US", "name", "Everybody")},
	})
	booked := func(employee, service string) record {
		return columns("id_employee", number(employee), "id_service", number(service))
	}
	for _, test := range []struct {
		appointments []record
		want         string
	}{
		{nil, "Everybody"},
		{[]record{booked("1", "1")}, "Everybody, of Zoe"},
		{[]record{booked("2", "2")}, "Everybody, of 2"},
		{[]record{booked("1", "1"), booked("1", "2")}, "Everybody, of 2, of Zoe"},
		{[]record{booked("1", "1"), booked("2", "1"), booked("1", "1")}, "Everybody"},
	} {
		var labels []string
		for _, f := range s.fieldsOf(test.appointments) {
			labels = append(labels, f.Label)
		}
		if got := strings.Join(labels, ", "); got != test.want {
			t.Errorf("%d appointments have the fields %s, want %s", len(test.appointments), got, test.want)
		}
	}
}

// Nothing that columns can hold makes rendering fail: thousands of orders of odd values are rendered as JSON.
func TestOddOrders(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(7, 7))
	odd := []string{
		"", "0", "1", "-1", "2", "3.5", "-12.345", "1e300", "99999999999999999999", "0000-00-00 00:00:00", "2027-13-45 99:99:99", "2027-03-28 02:30:00",
		"9999-12-31 23:59:59", "C", "P", "null", "[]", "{}", "{", `{"a":`, `[1,"x",null,{"fields":3}]`, `{"f":{"g":[true]}}`, `"text"`, "12abc",
		`[{"fields":{"f":"[\"0\",\"x\"]"}}]`, `{"f":1e400}`, "😀\"\\\n", "\xff\xfe", "Europe/Rome", "Not/AZone", "a;;b", ";;;;;;", "select", "checkbox", "en-US",
	}
	oddRecord := func(names ...string) record {
		pairs := []any{"id", number(odd[random.IntN(4)])}
		for _, n := range names {
			switch text := odd[random.IntN(len(odd))]; random.IntN(8) {
			case 0:
				pairs = append(pairs, n, nil)
			case 1:
				pairs = append(pairs, n, number(fmt.Sprint(random.Int64N(5)-1)))
			default:
				pairs = append(pairs, n, text)
			}
		}
		return columns(pairs...)
	}
	several := func(names ...string) (all []record) {
		for range random.IntN(4) {
			all = append(all, oddRecord(names...))
		}
		return all
	}
	o := ordersOf(t, nil)
	for i := range 3000 {
		tables := map[string][]record{}
		for name, def := range lookups() {
			tables[name] = several(slices.DeleteFunc([]string{
				def.id, def.tag, "name", "nickname", "title", "id_group", "ordering", "timezone", "description", "type", "choose", "required", "repeat",
				"id_employee", "file", "icontype", "icon", "approved", "reserved", "expired", "cancelled", "paid", "attachments", "day", "fromts", "endts",
				"ts", "tsdate", "closed", "id_location",
			}, func(s string) bool { return s == "" || s == "id" || s == "id_employee" && def.id == s })...)
		}
		o.lookupSet = salonOf(tables)
		o.lc, o.lc2, o.date = odd[random.IntN(len(odd))], `l jS F Y \a\t g:ia T e P\`, "D N z t L o W B u v c r U"
		root := oddRecord("id_payment", "id_employee", "id_service", "checkin_ts", "duration", "total_cost", "tot_paid", "paid", "custom_f", "attendees", "coupon_str",
			"coupon", "status", "uploads", "id_parent", "createdby", "id_user", "user_timezone", "purchaser_mail", "tax_breakdown", "service_gross")
		id := root.id("id")
		o.children = map[int64][]record{id: several("id_employee", "id_service", "checkin_ts", "duration", "status", "tax_breakdown")}
		o.parts = map[int64][]record{id: several("id_option", "id_variation", "id_package", "gross", "num_app", "used_app", "tax_breakdown", "validthru", "modifiedon")}
		o.notes = map[int64][]record{id: several("createdon", "modifiedon", "attachments", "tags", "author")}
		o.history = map[int64][]record{id: several("status", "comment", "client", "createdby")}
		o.invoices = map[int64][]record{id: several("file")}
		for _, body := range [][]byte{o.appointmentBody(root), o.packageBody(root)} {
			if !json.Valid(body) {
				t.Fatalf("order %d: %s", i, body)
			}
		}
	}
}
