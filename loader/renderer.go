package loader

import "rowhook/rules"

// renderer is what of the payloads of one of the plugin's entities no data says; rules.Entity has the rest. What is nil
// an entity does not have.
type renderer struct {
	// number says whether the plugin shows a column as a number in full payloads.
	number func(r record, column string, set *lookupSet) bool
	// quirk is a value that the plugin makes of a column, as JSON; empty when it leaves it.
	quirk func(q quirks, r record, column string) string
	// extended is the payload with all that belongs to an order.
	extended func(o *orders, root record) []byte
	// elsewhere says whether extended payloads tell a column of the order itself elsewhere, or not at all.
	elsewhere func(column string) bool
	// nested says whether extended payloads show a column of an order's children.
	nested func(column string) bool
	// settings says whether a setting of the plugin decides over a column.
	settings bool
}

// renderers never change. Each stands in the file of its entity.
var renderers = map[string]renderer{
	"appointment":   appointmentRenderer,
	"package_order": packageOrderRenderer,
	"customer":      customerRenderer,
	"employee":      employeeRenderer,
	"service":       serviceRenderer,
	"coupon":        couponRenderer,
}

func rendererOf(e *rules.Entity) renderer { return renderers[e.Name] }
