package dbtest

import (
	"context"
	"fmt"
)

func (v *Varied) groups(ctx context.Context) error {
	group := func(int) []any { return []any{v.text(40), v.any(nil, "", "<p>About it</p>"), v.random.IntN(4)} }
	return v.insert(ctx,
		v.of("group", "name description ordering", each, group),
		v.of("employee_group", "name description ordering", each, group),
		v.of("package_group", "title description ordering", each, group),
		v.of("option_group", "name description ordering", each, group),
		v.of("coupon_group", "name description ordering", each, group))
}

func (v *Varied) services(ctx context.Context) error {
	services := v.of("service", "name alias description duration sleep price id_tax max_capacity min_per_res max_per_res choose_emp app_per_slot display_seats"+
		" published image id_group start_publishing end_publishing color metadata attachments", each, func(i int) []any {
		return []any{
			v.text(60), fmt.Sprint("service-", i), v.any(nil, "", "<p>Cut & \"finish\"</p>"), v.any(0, 15, 45, 600000), v.any(0, 5), v.money(), v.some(),
			v.any(1, 6, 0), v.any(1, 2), v.any(1, 3, 9), v.any(0, 1), v.any(0, 1), v.any(0, 1), v.any(0, 1), v.any("", "a.jpg"), v.some(),
			v.moment(true), v.moment(true), v.any(nil, "AA3377"), v.odd(`{"title":"x"}`), v.odd(`["a.pdf","b.pdf"]`),
		}
	})
	taxes := v.of("tax", "name description createdon", each, func(int) []any { return []any{v.text(40), v.text(40), v.moment(true)} })
	rules := v.of("tax_rule", "id_tax name operator amount cap apply breakdown ordering", 3*each, func(int) []any {
		return []any{
			v.some(), v.text(40), v.any("add", "addperc", "vat", "sub"), v.any("8.8750", "22", "0"), v.any("0", "50"), v.any(1, 2),
			v.odd(`[{"name":"State","amount":4},{"name":"City","amount":4.875}]`), v.random.IntN(3),
		}
	})
	return v.insert(ctx, services, taxes, rules)
}

func (v *Varied) employees(ctx context.Context) error {
	employees := v.of("employee", "firstname lastname nickname alias email notify showphone phone image note jid id_group active_to active_to_date active_since"+
		" timezone billing_json ical_url", each, func(i int) []any {
		return []any{
			v.text(40), v.text(40), v.text(40), fmt.Sprint("employee-", i), v.any("", nil, "e@salon.example.test"), v.any(0, 1), v.any(0, 1), v.text(30),
			v.any("", "e.jpg"), v.any(nil, "", "a note"), v.some(), v.some(), v.any(-1, 0, 1), v.moment(true), v.moment(true), v.zone(), v.odd(`{"name":"x"}`),
			v.any(nil, "", "https://ical.example.test/1"),
		}
	})
	hours := v.of("emp_worktime", "id_employee id_service day fromts endts ts tsdate closed id_location", 20*each, func(int) []any {
		day := v.any(-1, -1, -1, 1829692800)
		return []any{
			v.some(), v.any(-1, v.some()), v.random.IntN(8), v.any(0, 540, 720), v.any(0, 720, 1080, 1440), day,
			v.any(nil, "2027-12-25", "0000-00-00", "2027-02-28"), v.any(0, 0, 0, 1), v.some(),
		}
	})
	return v.insert(ctx, employees, hours)
}

func (v *Varied) places(ctx context.Context) error {
	codes := "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	countries := v.of("countries", "country_name country_2_code country_3_code phone_prefix", each, func(i int) []any {
		return []any{v.text(40), "Z" + codes[i:i+1], "ZZ" + codes[i:i+1], "+1"}
	})
	states := v.of("states", "id_country state_name state_2_code state_3_code", each, func(i int) []any {
		return []any{firstVaried + 1 + i, v.text(40), "S" + codes[i:i+1], v.any(nil, "", "STA")}
	})
	cities := v.of("cities", "id_state city_name city_2_code city_3_code longitude latitude", each, func(int) []any {
		return []any{v.any(firstVaried + 1), v.text(40), "CT", v.any(nil, ""), v.any(nil, "-73.98570000"), v.any(nil, "40.74840000")}
	})
	locations := v.of("employee_location", "name id_employee id_country id_state id_city address zip longitude latitude", each, func(int) []any {
		return []any{v.text(30), v.some(), v.some(), v.some(), v.some(), v.text(60), v.any("", "10001", nil), v.any(nil, "-73.98570000"), v.any(nil, "40.74840000")}
	})
	return v.insert(ctx, countries, states, cities, locations)
}

// extras are what is booked beside services: options, packages, coupons.
func (v *Varied) extras(ctx context.Context) error {
	options := v.of("option", "name description price id_tax single maxq image id_group ordering", each, func(int) []any {
		return []any{v.text(60), v.text(100), v.money(), v.some(), v.any(0, 1), v.any(1, 5), v.any("", "o.jpg"), v.some(), v.random.IntN(4)}
	})
	variations := v.of("option_value", "id_option name inc_price ordering", 2*each, func(int) []any { return []any{v.some(), v.text(60), v.money(), v.random.IntN(4)} })
	packages := v.of("package", "name description price num_app start_ts end_ts validity id_group id_tax ordering", each, func(int) []any {
		return []any{
			v.text(60), v.any(nil, "", "<p>Five</p>"), v.money(), v.any(0, 5, 10), v.moment(true), v.moment(true), v.any(0, 90), v.some(), v.some(), v.random.IntN(4),
		}
	})
	coupons := v.of("coupon", "code type percentot value mincost pubmode dstart dend lastminute max_quantity used_quantity maxperuser applicable remove_gift notes"+
		" id_group", 3*each, func(i int) []any {
		return []any{
			fmt.Sprint("CODE", i), v.any(1, 2), v.any(1, 2), v.money(), v.money(), v.any(1, 2), v.moment(true), v.moment(true), v.any(0, 12), v.any(0, 1, 20),
			v.any(0, 3), v.any(0, 1), v.any(nil, "", "appointments"), v.any(0, 1), v.text(200), v.some(),
		}
	})
	return v.insert(ctx, options, variations, packages, coupons)
}

func (v *Varied) payments(ctx context.Context) error {
	return v.insert(ctx, v.of("gpayments", "name file published prenote note charge setconfirmed icontype icon id_employee params", each, func(int) []any {
		return []any{
			v.text(60), v.any("bank_transfer.php", "paypal.php", ""), v.any(0, 1), v.any(nil, "", "<p>Before</p>"), v.any(nil, "", "<p>After</p>"),
			v.any("0.0000", "-2.5000", "1.2345"), v.any(0, 1), v.any(0, 1, 2), v.any("", "fas fa-store", "media/icon.png"), v.any(0, v.some()), v.odd(`{"key":"x"}`),
		}
	}))
}

// code is a status of an order: one of the plugin's, one of the owner's, or one that has no row.
func (v *Varied) code() any {
	return v.any("C", "P", "W", "E", "X", "R", "N", "OWN1", "OWN2", "OWN3", "é", "GONE", "")
}

// statuses have any roles, for owners may set them.
func (v *Varied) statuses(ctx context.Context) error {
	bit := func() any { return v.any(0, 1) }
	codes := []string{"OWN1", "OWN2", "OWN3", "é"}
	return v.insert(ctx, v.of("status_code", "name description code color ordering appointments packages approved reserved expired cancelled paid", len(codes), func(i int) []any {
		return []any{v.text(30), v.any(nil, "", "what it means"), codes[i], v.any(nil, "112233"), i, bit(), bit(), bit(), bit(), bit(), bit(), bit()}
	}))
}

func (v *Varied) customFields(ctx context.Context) error {
	chooses := map[string]any{
		"select": `["Short","Mid & <long>","3"]`, "number": `{"min":0,"max":120,"decimals":1}`, "textarea": `{"editor":1}`, "file": "png,txt",
	}
	types := []string{"text", "textarea", "number", "date", "select", "checkbox", "file", "separator", "rating"}
	fields := v.of("custfields", "name type choose multiple required ordering rule locale repeat id_employee group", 5*len(types), func(i int) []any {
		kind := types[i%len(types)]
		field := fmt.Sprintf("%s %d", kind, i)
		if v.often(10) {
			field = v.word("CUSTOMF_NOTE", "12", "it's \"one\"", "field.with.dots")
		}
		v.fields = append(v.fields, field)
		choose := chooses[kind]
		if v.often(15) {
			choose = v.odd("")
		}
		return []any{
			field, kind, choose, v.any(0, 1), v.any(0, 0, 1), v.random.IntN(9), v.any("", "0", "phone", "state"), v.any("*", "it-IT"), v.any(0, 1),
			v.any(-1, 0, 0, v.some()), v.any(0, 0, 0, 1),
		}
	})
	v.fields = append(v.fields, "CUSTOMF_NAME", "CUSTOMF_EMAIL", "nobody's")
	ofServices := v.of("cf_service_assoc", "id_field id_service", 2*each, func(int) []any {
		return []any{firstVaried + 1 + v.random.IntN(5*len(types)), firstVaried + 1 + v.random.IntN(each)}
	})
	return v.insert(ctx, fields, ofServices)
}

// people are customers, also several of one address, and none for many orders.
func (v *Varied) people(ctx context.Context) error {
	return v.insert(ctx, v.of("users", "jid country_code fields billing_name billing_mail billing_phone billing_state billing_city billing_address billing_zip company"+
		" vatnum ssn notes image credit lifetime active_to_date active_since", 3*each, func(int) []any {
		return []any{
			v.any(0, 1, 2, gone), v.any(nil, "", "IT"), v.answers(), v.text(60), v.mail(), v.text(30), v.text(30), v.text(30), v.text(60), v.any("", "16032", nil),
			v.text(30), v.any("", nil), v.any("", nil), v.text(200), v.any("", nil), v.money(), v.any(0, 1), v.moment(true), v.moment(true),
		}
	}))
}

func (v *Varied) mail() any {
	return v.any("", "a@example.test", "A@Example.test", "b@example.test", "ü@example.test", "nobody@example.test")
}

// translations are in some languages, of some objects, and empty now and then.
func (v *Varied) translations(ctx context.Context) error {
	tag := func() any { return v.any("it-IT", "de-DE", "pt-BR", "en-US") }
	named := func(int) []any { return []any{v.text(60), v.any(nil, "", "tradotto"), v.some(), tag()} }
	return v.insert(ctx,
		v.of("lang_service", "name description id_service tag", each, named),
		v.of("lang_group", "name description id_group tag", each, named),
		v.of("lang_employee", "nickname note id_employee tag", each, named),
		v.of("lang_empgroup", "name description id_empgroup tag", each, named),
		v.of("lang_option", "name description id_option tag", each, named),
		v.of("lang_option_value", "name id_parent id_variation tag", each, func(int) []any { return []any{v.text(60), 1, v.some(), tag()} }),
		v.of("lang_payment", "name note id_payment tag", each, named),
		v.of("lang_package", "name description id_package tag", each, named),
		v.of("lang_package_group", "title description id_package_group tag", each, named),
		v.of("lang_customf", "name choose id_customf tag", 3*each, func(int) []any {
			return []any{v.text(60), v.odd(`["Corti","Medi","Lunghi"]`, `{"0":"Corti"}`), firstVaried + 1 + v.random.IntN(45), tag()}
		}))
}
