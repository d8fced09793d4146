package dbtest

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// Orders makes so many appointments and multi-orders, a third as many package orders, and what belongs to them.
func (v *Varied) Orders(ctx context.Context, n int) error {
	reservations := v.of("reservation", reservationColumns, n, func(int) []any { return v.appointment() })
	v.arrange(reservations)
	packages := v.of("package_order", packageOrderColumns, n/3, func(int) []any { return v.packageOrder() })
	appointment := func() any { return firstVaried + 1 + v.random.Int64N(v.last["reservation"]-firstVaried) }
	order := func() any { return firstVaried + 1 + v.random.Int64N(v.last["package_order"]-firstVaried) }
	return v.insert(ctx, reservations, packages,
		v.of("res_opt_assoc", "id_reservation id_option id_variation inc_price net tax gross discount tax_breakdown quantity", n, func(int) []any {
			return []any{appointment(), v.some(), v.any(-1, v.some()), v.money(), v.money(), v.money(), v.money(), v.money(), v.breakdown(), v.any(0, 1, 3)}
		}),
		v.of("package_order_item", "id_order id_package price net tax gross discount tax_breakdown quantity num_app used_app validthru modifiedon", n, func(int) []any {
			return []any{
				order(), v.some(), v.money(), v.money(), v.money(), v.money(), v.money(), v.breakdown(), v.any(0, 1, 2), v.any(0, 5), v.any(0, 3, 9),
				v.moment(true), v.moment(true),
			}
		}),
		v.of("order_status", "id_order status comment client ip createdby createdon type", 2*n, func(i int) []any {
			of, table := appointment(), "reservation"
			if i%4 == 0 {
				of, table = order(), "package_order"
			}
			return []any{
				of, v.code(), v.any(nil, "", "VAP_STATUS_CHANGED_ON_MANAGE", "VAP_STATUS_ORDER_CANCELLED", "by hand"), v.any(0, 1), v.any("", "127.0.0.1", "::1"),
				v.any(0, 1, 2, gone), v.moment(true), table,
			}
		}),
		v.of("user_notes", "id_user id_parent group title content attachments status tags createdon modifiedon author secret", n/2, func(int) []any {
			return []any{
				v.some(), appointment(), v.any("appointments", nil, "customers"), v.any(nil, v.text(60)), v.any(nil, "", "<p>likes tea</p>"), v.odd(`["a.pdf"]`),
				v.any(0, 1), v.odd("1,2"), v.moment(true), v.moment(true), v.any(nil, 0, 1, 2, gone), v.any(nil, "key"),
			}
		}),
		v.of("invoice", "id_order inv_number inv_date file createdon group", n/8, func(i int) []any {
			return []any{appointment(), fmt.Sprint(i, "/2027"), v.moment(false), fmt.Sprint(i, ".pdf"), v.moment(false), v.any("appointments", "packages", nil)}
		}))
}

const reservationColumns = "id_payment id_employee id_service checkin_ts tz_offset people duration sleep total_cost tot_paid total_net total_tax service_price" +
	" service_net service_tax service_gross service_discount payment_charge payment_tax discount tax_breakdown paid purchaser_nominative purchaser_mail" +
	" purchaser_phone purchaser_prefix purchaser_country langtag custom_f attendees coupon_str status locked_until sid conf_key view_emp notes uploads id_parent" +
	" createdon createdby modifiedon id_user user_timezone skip_deposit icaluid log closure cc_data conversion"

func (v *Varied) appointment() []any {
	return []any{
		v.any(0, -1, v.some()), v.some(), v.some(), v.moment(false), v.any(nil, "", "-04:00", "+05:45"), v.any(0, 1, 6), v.any(0, 45, 100000), v.any(0, 15),
		v.money(), v.money(), v.money(), v.money(), v.money(), v.money(), v.money(), v.money(), v.money(), v.any("0.00", "2.50"), v.any("0.00", "0.22"),
		v.money(), v.breakdown(), v.any(0, 0, 1, 2), v.text(60), v.mail(), v.text(30), v.any("", "+39", nil), v.any("", "IT", nil),
		v.any("", "it-IT", "en-US", nil), v.answers(), v.attendees(), v.coupon(), v.code(), v.any(0, 1795916376), "SIDSIDSIDSID0001", v.any("", nil, "KEY"),
		v.any(0, 1), v.any(nil, "old notes"), v.odd(`{"Photo":"a.png"}`), -1, v.moment(true), v.any(-1, 0, 1, 2, gone), v.moment(true), v.any(-1, 0, v.some()),
		v.any(nil, v.zone()), v.any(0, 1), v.any(nil, "uid@example.test"), v.any(nil, "", "paid by hand"), v.any(0, 0, 0, 0, 0, 1), v.any(nil, "", "{}"), v.any("", nil, "x"),
	}
}

// arrange makes single appointments of most, and of some parents with the next as their children. A few stay with the
// -1 that a form writes, which makes no parent of them while they have an employee.
func (v *Varied) arrange(r *rows) {
	at := func(column string) int { return slices.Index(r.columns, column) }
	id, parent, employee, service := at("id"), at("id_parent"), at("id_employee"), at("id_service")
	for i := 0; i < len(r.values); i++ {
		switch row := r.values[i]; {
		case v.often(10):
			row[parent], row[employee], row[service] = -1, 0, 0
			for n := v.random.IntN(4); n > 0 && i+1 < len(r.values); n-- {
				i++
				r.values[i][parent] = row[id]
			}
		case v.often(95):
			row[parent] = row[id]
		}
	}
}

const packageOrderColumns = "sid id_payment status total_cost tot_paid total_net total_tax payment_charge payment_tax discount coupon purchaser_nominative" +
	" purchaser_mail purchaser_phone purchaser_prefix purchaser_country langtag custom_f createdon createdby id_user log cc_data"

func (v *Varied) packageOrder() []any {
	return []any{
		"PSIDPSIDPSID0001", v.any(0, -1, v.some()), v.code(), v.money(), v.money(), v.money(), v.money(), v.any("0.00", "2.50"), v.any("0.00", "0.22"), v.money(),
		v.any(nil, v.coupon()), v.text(60), v.mail(), v.text(30), v.any("", "+39", nil), v.any("", "IT", nil), v.any("", "it-IT", nil), v.answers(), v.moment(true),
		v.any(-1, 0, 1, gone), v.any(-1, 0, v.some()), v.any(nil, "", "paid"), v.any(nil, ""),
	}
}

// coupon is what an order keeps of one: in per cent or in money, with code, type and amount.
func (v *Varied) coupon() any {
	return v.any("", "", "TEN;;1;;10", "FIVE;;2;;5.5", "A B;;2;;0", "odd", "a;;b", ";;;;")
}

func (v *Varied) breakdown() any {
	return v.odd(`[{"tax":4.2,"name":"State"},{"tax":5.12,"name":"City"}]`, `[{"name":"VAT","tax":22}]`)
}

// answers are the values of custom fields, as the form stores them: text, a number, a list, or what it never would.
func (v *Varied) answers() any {
	if v.often(15) {
		return v.odd("{}")
	}
	answers := map[string]any{}
	for range v.random.IntN(12) {
		answers[v.fields[v.random.IntN(len(v.fields))]] = v.answer()
	}
	text, err := json.Marshal(answers)
	if err != nil {
		panic(err) // texts, numbers and lists can be written
	}
	return string(text)
}

func (v *Varied) answer() any {
	return v.any("", "0", "1", "2", `["0","2"]`, `["9"]`, 0, 1, 33, 1.75, true, false, nil, []any{"a", "b"}, []any{}, map[string]any{"x": 1}, "2027-02-28", "JYES",
		v.text(60))
}

// attendees are further people of an appointment, or empty ones.
func (v *Varied) attendees() any {
	if v.often(60) {
		return v.odd("[]", "", nil)
	}
	var all []string
	for range 1 + v.random.IntN(3) {
		fields, ok := v.answers().(string)
		if !ok || !json.Valid([]byte(fields)) {
			fields = "{}"
		}
		all = append(all, `{"fields":`+fields+`,"purchaser_nominative":"Kim","uploads":[]}`)
	}
	return "[" + strings.Join(all, ",") + "]"
}
