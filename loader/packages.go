package loader

import (
	"strconv"
)

// packageBody is the extended payload of a package order.
func (o *orders) packageBody(root record) []byte {
	b := make([]byte, 0, 4<<10)
	b = append(b, '{')
	items := o.parts[root.id("id")]
	for _, column := range root.table.Columns {
		switch column {
		case "id_payment", "total_cost", "tot_paid", "total_net", "total_tax", "payment_charge", "payment_tax", "discount", "coupon",
			"payment_attempt":
		case "custom_f":
			b = appendArray(appendKey(b, column), root.text(column))
		default:
			b = appendValue(appendKey(b, column), root, column)
		}
	}
	if len(items) == 0 || items[0].null("tax_breakdown") {
		b = append(appendKey(b, "item_tax_breakdown"), "null"...) // the plugin forgets to remove it
	}
	var used, total int64
	last := ""
	for _, item := range items {
		used, total = used+item.id("used_app"), total+item.id("num_app")
		last = max(last, item.text("modifiedon"))
	}
	b = strconv.AppendInt(appendKey(b, "usedApp"), used, 10)
	b = strconv.AppendInt(appendKey(b, "totalApp"), total, 10)
	b = appendOrNull(appendKey(b, "lastUpdate"), last)
	b = append(appendKey(b, "packages"), '[')
	for i, item := range items {
		if i > 0 {
			b = append(b, ',')
		}
		b = o.appendItem(b, item)
	}
	b = append(b, ']')
	if coupon := root.text("coupon"); coupon != "" {
		b = appendCoupon(appendKey(b, "coupon"), coupon)
	}
	b = o.appendCustomFields(b, root.text("custom_f"))
	b = o.appendPayment(appendKey(b, "payment"), o.row("gpayments", root.id("id_payment")))
	role := o.role(root.text("status"))
	b = appendTotals(b, root, role)
	b = strconv.AppendBool(appendKey(b, "paid"), role.paid)
	b = appendOrNull(appendKey(b, "statusRole"), role.name)
	return append(o.appendPeople(b, root), '}')
}

func (o *orders) appendItem(b []byte, item record) []byte {
	id := item.id("id_package")
	pack := o.row("package", id)
	b = appendFields(append(b, '{'), item, "id_assoc", "id", "id", "id_package")
	b = o.appendTranslated(appendKey(b, "name"), pack, "name", "lang_package", id)
	b = o.appendTranslated(appendKey(b, "description"), pack, "description", "lang_package", id)
	b = appendFields(b, item, "quantity", "quantity", "price", "price", "modified", "modifiedon", "totalApp", "num_app", "usedApp", "used_app")
	b = strconv.AppendInt(appendKey(b, "remainingApp"), item.id("num_app")-item.id("used_app"), 10)
	b = appendFields(b, item, "validthru", "validthru")
	b = o.appendGroup(b, o.row("package_group", pack.id("id_group")), "title", "lang_package_group")
	return append(appendPartTotals(b, item), '}')
}
