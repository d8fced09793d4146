package loader

import (
	"cmp"
	"slices"
	"strings"

	"rowhook/loader/render"
)

// What extended payloads of appointments and package orders have in common.

// appendValue appends a column as the plugin has it: a string, or null.
func appendValue(b []byte, r record, column string) []byte {
	i := r.column(column)
	if i < 0 || r.null(column) {
		return append(b, "null"...)
	}
	return appendText(b, r.row, i)
}

// appendFields appends keys and the columns they show; they alternate.
func appendFields(b []byte, r record, pairs ...string) []byte {
	for i := 0; i+1 < len(pairs); i += 2 {
		b = appendValue(appendKey(b, pairs[i]), r, pairs[i+1])
	}
	return b
}

// appendJSON appends a column of JSON, decoded.
func appendJSON(b []byte, r record, column string) []byte {
	return render.Decode(r.text(column)).Append(b)
}

// appendArray appends a column of JSON, [] when it is none.
func appendArray(b []byte, r record, column string) []byte {
	if r.omitted(column) {
		return append(b, "null"...)
	}
	v := render.Decode(r.text(column))
	if !v.IsArray() {
		return append(b, "[]"...)
	}
	return v.Append(b)
}

// appendOrNull appends a text, null when it is empty.
func appendOrNull(b []byte, text string) []byte {
	if text == "" {
		return append(b, "null"...)
	}
	return appendString(b, text)
}

// role is what a status means.
type role struct {
	name string // PENDING, APPROVED, EXPIRED, CANCELLED; empty for none
	paid bool
}

// role finds the role of a status by the flags of its code, in the plugin's order.
func (s *lookupSet) role(code string) role {
	status := s.tables["status_code"].get(0, code)
	is := func(flag string) bool { return render.True(status.text(flag)) }
	switch {
	case !is("approved") && is("reserved"):
		return role{name: "PENDING"}
	case is("approved") && is("reserved"):
		return role{"APPROVED", is("paid")}
	case is("expired") && !is("reserved"):
		return role{name: "EXPIRED"}
	case is("cancelled"):
		return role{name: "CANCELLED"}
	}
	return role{}
}

// appendTotals appends what the whole order costs. Of an order that is paid, or of which more was paid than it costs,
// nothing is due.
func appendTotals(b []byte, root record, paid bool) []byte {
	b = append(appendKey(b, "totals"), '{')
	b = appendFields(b, root, "net", "total_net", "tax", "total_tax", "gross", "total_cost", "discount", "discount", "paid", "tot_paid",
		"payCharge", "payment_charge", "payTax", "payment_tax")
	due := 0.0
	if !paid {
		due = max(0, root.float("total_cost")-root.float("tot_paid"))
	}
	return append(render.AppendNumber(appendKey(b, "due"), due), '}')
}

// appendCoupon appends the coupon of a column that holds code;;type;;amount; null when it is empty.
func appendCoupon(b []byte, text string) []byte {
	if !render.True(text) {
		return append(b, "null"...)
	}
	parts := append(strings.Split(text, ";;"), "", "")
	b = appendString(append(b, `{"code":`...), parts[0])
	b = appendOrNull(append(b, `,"amount":`...), parts[2])
	return append(appendOrNull(append(b, `,"type":`...), parts[1]), '}')
}

func (o *orders) appendPayment(b []byte, p record) []byte {
	if p.missing() {
		return append(b, "null"...)
	}
	id := p.id("id")
	b = appendFields(append(b, '{'), p, "id", "id")
	b = o.appendTranslated(appendKey(b, "name"), p, "name", "lang_payment", id)
	b = appendFields(b, p, "driver", "file", "iconType", "icontype", "icon", "icon")
	if p.text("icontype") == "1" {
		b = appendFields(b, p, "fontIcon", "icon")
	} else {
		b = appendString(appendKey(b, "iconURI"), o.siteURL+"/"+p.text("icon"))
		b = appendString(appendKey(b, "fontIcon"), driverIcon(p.text("file")))
	}
	b = append(appendKey(b, "notes"), '{')
	b = o.appendTranslated(appendKey(b, "beforePurchase"), p, "prenote", "lang_payment", id)
	return append(o.appendTranslated(appendKey(b, "afterPurchase"), p, "note", "lang_payment", id), '}', '}')
}

// driverIcon is the icon of a payment that has none of its own.
func driverIcon(file string) string {
	if strings.HasPrefix(file, "paypal") {
		return "fab fa-paypal"
	}
	return "fas fa-credit-card"
}

// appendPeople appends who the order is for, who made it, and what was written about it.
func (o *orders) appendPeople(b []byte, root record) []byte {
	customer := o.customer(root)
	b = appendKey(b, "billing")
	if customer.missing() {
		b = append(b, "false"...)
	} else {
		b = append(b, '{')
		for _, column := range customer.table.Columns {
			b = appendValue(appendKey(b, column), customer, column)
		}
		b = append(b, '}')
	}
	b = appendKey(b, "author")
	if author := o.authors[root.id("createdby")]; author.missing() {
		b = append(b, "false"...)
	} else {
		b = appendFields(append(b, '{'), author, "name", "display_name", "username", "user_login", "email", "user_email")
		b = append(b, '}')
	}
	id := root.id("id")
	b = o.appendInvoice(appendKey(b, "invoice"), id)
	b = o.appendHistory(appendKey(b, "history"), o.history[id])
	return o.appendNotes(appendKey(b, "notes"), o.notesOf(root))
}

// archive is where the plugin keeps invoices, below WordPress' folder and address.
const archive = "wp-content/uploads/vikappointments/pdf/archive/"

func (o *orders) appendInvoice(b []byte, id int64) []byte {
	if len(o.invoices[id]) == 0 {
		return append(b, "false"...)
	}
	invoice := o.invoices[id][0]
	b = append(b, '{')
	for _, column := range invoice.table.Columns {
		b = appendValue(appendKey(b, column), invoice, column)
	}
	file := archive + invoice.text("file")
	root := o.site.Root
	if root != "" {
		root = strings.TrimRight(root, "/") + "/"
	}
	b = appendString(appendKey(b, "path"), root+file)
	return append(appendString(appendKey(b, "uri"), o.siteURL+"/"+file), '}')
}

func (o *orders) appendHistory(b []byte, history []record) []byte {
	b = append(b, '[')
	for i, h := range history {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, '{')
		for _, column := range h.table.Columns {
			b = appendKey(b, column)
			switch column {
			case "status":
				if code := o.tables["status_code"].get(0, h.text(column)); !code.missing() {
					b = appendValue(b, code, "name")
					continue
				}
			case "comment":
				// The plugin has the texts at hand in the administration only; elsewhere it shows their keys. Where the
				// last status was set, the payload was most likely made.
				if text := comment(h.text(column)); text != "" && render.True(history[len(history)-1].text("client")) {
					b = appendString(b, text)
					continue
				}
			}
			b = appendValue(b, h, column)
		}
		b = appendFields(b, o.authors[h.id("createdby")], "name", "display_name", "username", "user_login")
		b = append(appendFields(b, h, "statusCode", "status"), '}')
	}
	return append(b, ']')
}

// comment is the text of a comment that the plugin stores as a key; empty when that is not known.
func comment(key string) string {
	switch key {
	case "VAP_STATUS_CHANGED_ON_MANAGE":
		return "The status has been changed from the order management page."
	case "VAP_STATUS_CHANGED_FROM_LIST":
		return "The status has been switched from the reservations list."
	case "VAP_STATUS_CHANGED_FROM_PAY":
		return "The order has been confirmed as a result of a successful transaction."
	case "VAP_STATUS_CONFIRMED_RESULT_OF_PAYMENT":
		return "The order has been confirmed automatically as a result of the payment configuration."
	case "VAP_STATUS_CONFIRMED_AS_NO_COST":
		return "The order has been confirmed automatically because there is not a cost to pay."
	case "VAP_STATUS_PACKAGE_REDEEMED":
		return "The records of this order have been redeemed using the packages."
	case "VAP_STATUS_ORDER_CANCELLED":
		return "The customer has cancelled the order from the front-end."
	}
	return ""
}

// notesOf are the notes of an order, the last written first; of a multi-order of several appointments theirs too.
func (o *orders) notesOf(root record) []record {
	notes := slices.Clone(o.notes[root.id("id")])
	if appointments := o.appointments(root); len(appointments) > 1 {
		for _, a := range appointments {
			notes = append(notes, o.notes[a.id("id")]...)
		}
	}
	written := func(n record) string {
		if n.null("modifiedon") {
			return n.text("createdon")
		}
		return n.text("modifiedon")
	}
	slices.SortStableFunc(notes, func(a, b record) int {
		return cmp.Or(strings.Compare(written(b), written(a)), cmp.Compare(a.id("id"), b.id("id")))
	})
	return notes
}

func (o *orders) appendNotes(b []byte, notes []record) []byte {
	b = append(b, '[')
	for i, n := range notes {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, '{')
		for _, column := range n.table.Columns {
			switch b = appendKey(b, column); column {
			case "attachments":
				b = appendArray(b, n, column)
			case "tags":
				b = appendTags(b, n.text(column))
			default:
				b = appendValue(b, n, column)
			}
		}
		b = append(appendFields(b, o.authors[n.id("author")], "authorName", "display_name"), '}')
	}
	return append(b, ']')
}

// appendTags appends a list of words that commas separate.
func appendTags(b []byte, text string) []byte {
	b = append(b, '[')
	for tag := range strings.SplitSeq(text, ",") {
		if text == "" {
			break
		}
		if b[len(b)-1] != '[' {
			b = append(b, ',')
		}
		b = appendString(b, strings.TrimSpace(tag))
	}
	return append(b, ']')
}
