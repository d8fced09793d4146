package loader

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"rowhook/loader/render"
)

// packageOrderRenderer never changes.
var packageOrderRenderer = renderer{
	number:   func(_ record, column string, _ *lookupSet) bool { return column == "total_cost" },
	quirk:    func(_ quirks, r record, column string) string { return orderQuirk(r, column) },
	extended: (*orders).packageBody,
}

// packageBody is the extended payload of a package order.
func (o *orders) packageBody(root record) []byte {
	b := make([]byte, 0, 4<<10)
	b = append(b, '{')
	items := o.items(root)
	for _, column := range root.table.Columns {
		switch column {
		case "id_payment", "total_cost", "tot_paid", "total_net", "total_tax", "payment_charge", "payment_tax", "discount", "coupon",
			"payment_attempt":
		case "custom_f":
			b = appendArray(appendKey(b, column), root, column)
		default:
			b = appendValue(appendKey(b, column), root, column)
		}
	}
	b = o.appendLeftovers(b, items)
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
	if coupon := root.text("coupon"); render.True(coupon) {
		b = appendCoupon(appendKey(b, "coupon"), coupon)
	}
	b = appendCustomFields(b, o.fieldsOf(nil), root.text("custom_f"))
	b = o.appendPayment(appendKey(b, "payment"), o.row("gpayments", root.id("id_payment")))
	role := o.role(root.text("status"))
	b = appendTotals(b, root, role.paid)
	b = strconv.AppendBool(appendKey(b, "paid"), role.paid)
	b = appendOrNull(appendKey(b, "statusRole"), role.name)
	return append(o.appendPeople(b, root), '}')
}

// items are the items of a package order, as the site orders its groups and packages; those without a group come first.
func (o *orders) items(root record) []record {
	place := func(item record) (group, pack int64) {
		group, pack = -1, -1 // as NULL is sorted
		if p := o.row("package", item.id("id_package")); !p.missing() {
			pack = p.id("ordering")
			if g := o.row("package_group", p.id("id_group")); !g.missing() {
				group = g.id("ordering")
			}
		}
		return group, pack
	}
	items := slices.Clone(o.parts[root.id("id")])
	slices.SortStableFunc(items, func(a, b record) int {
		groupA, packA := place(a)
		groupB, packB := place(b)
		return cmp.Or(cmp.Compare(groupA, groupB), cmp.Compare(packA, packB), cmp.Compare(a.id("id"), b.id("id")))
	})
	return items
}

// appendLeftovers appends what the plugin forgets to remove from the order: it selects orders with their items in one
// query, takes the first row for the order, and of that what is empty stays.
func (o *orders) appendLeftovers(b []byte, items []record) []byte {
	var first record
	if len(items) > 0 {
		first = items[0]
	}
	if !render.True(first.text("tax_breakdown")) {
		b = appendValue(appendKey(b, "item_tax_breakdown"), first, "tax_breakdown")
	}
	if o.row("package_group", o.row("package", first.id("id_package")).id("id_group")).missing() {
		b = append(b, `,"item_group_id":null,"item_group_name":null`...)
	}
	return b
}

// isNullDate says whether a date is none: zeros, which forms write for one that was left open.
func isNullDate(date string) bool { return strings.Trim(date, "0-: .") == "" }

func (o *orders) appendItem(b []byte, item record) []byte {
	id := item.id("id_package")
	pack := o.row("package", id)
	b = appendFields(append(b, '{'), item, "id_assoc", "id", "id", "id_package")
	b = o.appendTranslated(appendKey(b, "name"), pack, "name", "lang_package", id)
	b = o.appendTranslated(appendKey(b, "description"), pack, "description", "lang_package", id)
	b = appendFields(b, item, "quantity", "quantity", "price", "price", "modified", "modifiedon", "totalApp", "num_app", "usedApp", "used_app")
	b = strconv.AppendInt(appendKey(b, "remainingApp"), item.id("num_app")-item.id("used_app"), 10)
	if b = appendKey(b, "validthru"); isNullDate(item.text("validthru")) {
		b = append(b, "null"...)
	} else {
		b = appendValue(b, item, "validthru")
	}
	b = o.appendGroup(b, o.row("package_group", pack.id("id_group")), "title", "lang_package_group")
	return append(appendPartTotals(b, item), '}')
}
