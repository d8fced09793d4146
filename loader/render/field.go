package render

import (
	"slices"
	"strings"
)

// Field is a custom field of the site.
type Field struct {
	Name     string // under which its value is stored
	Label    string // under which it is shown, in the site's language
	Type     string // text, textarea, number, date, select, checkbox, file, separator, or what a later version adds
	Choose   string // JSON: of a select the texts by their keys
	Chosen   string // the same in the site's language; empty: not translated
	Required bool
	Repeat   bool    // asked of each attendee
	Employee int64   // whose it is; 0 or less: everybody's
	Services []int64 // whose it is; empty: all services'
}

// Fields are the custom fields of an order, in the order in which the site shows them.
type Fields []Field

// Of leaves the fields that an order with these services has. employee is the one of all its appointments, 0 when they
// have several or the order has none: then no employee's own fields count (FINDINGS 11).
func (f Fields) Of(services []int64, employee int64) Fields {
	var of Fields
	for _, field := range f {
		if field.Type == "separator" || field.Type == "checkbox" && field.Required {
			continue // a headline; the terms of service
		}
		if field.Employee > 0 && field.Employee != employee {
			continue
		}
		wanted := func(id int64) bool { return slices.Contains(services, id) }
		if len(field.Services) == 0 || slices.ContainsFunc(field.Services, wanted) {
			of = append(of, field)
		}
	}
	return of
}

// Show makes the values of an order, as they were stored, readable: all of them by name, and those that are not "" by
// label. Of fields with one name the last counts.
func (f Fields) Show(stored Value) (fields, display Value) {
	fields, display = NewArray(), NewArray()
	for _, field := range f {
		value, ok := stored.Get(field.Name)
		if !ok {
			continue
		}
		shown := field.show(value)
		fields.Set(field.Name, Text(shown))
		if shown != "" {
			display.Set(field.Label, Text(shown))
		}
	}
	return fields, display
}

// Attendees shows the people who come along: those of whom something is known, under the numbers that they have, and in
// display what is asked of everybody.
func (f Fields) Attendees(stored Value) Value {
	repeated := slices.DeleteFunc(slices.Clone(f), func(field Field) bool { return !field.Repeat })
	known := NewArray()
	for i, key := range stored.keys {
		attendee := stored.values[i]
		values, _ := attendee.Get("fields")
		// An answer of 0 alone, which a number has that nobody filled in, counts as none, as in PHP's array_filter.
		if !slices.ContainsFunc(values.values, func(v Value) bool { return !v.Empty() }) {
			continue
		}
		_, display := repeated.Show(values)
		attendee.Set("display", display)
		known.Set(key, attendee)
	}
	return known
}

// show makes a value readable by the field's type.
func (f *Field) show(v Value) string {
	switch f.Type {
	case "select":
		return f.chosen(v)
	case "checkbox":
		if checked(v) {
			return "Yes"
		}
		return "No"
	}
	if v.IsArray() {
		texts := make([]string, len(v.values))
		for i, entry := range v.values {
			texts[i] = entry.String()
		}
		return strings.Join(texts, ", ")
	}
	return v.String()
}

// checked says whether a checkbox is set, by a loose comparison: 1, "1", " 1.0", true, JYES or its text.
func checked(v Value) bool {
	switch v.kind {
	case boolean, integer, float:
		return v.number == 1
	case text:
		return v.text == "JYES" || v.text == "Yes" || isNumeric(v.text) && Float(v.text) == 1
	}
	return false
}

// chosen is the texts of the keys that a select's value names: one key, a list of them, or such a list as JSON. A key
// that the field does not have any more says nothing.
func (f *Field) chosen(v Value) string {
	if v.kind == text && strings.HasPrefix(strings.TrimLeft(v.text, " \t\r\n"), "[") || v.kind == text && strings.HasPrefix(v.text, "{") {
		v = Decode(v.text)
	}
	keys := []Value{v}
	if v.IsArray() {
		keys = v.values
	}
	options, translated := Decode(f.Choose), Decode(f.Chosen)
	var texts []string
	for _, key := range keys {
		option, ok := options.Get(key.String())
		if t, _ := translated.Get(key.String()); ok && t.String() != "" {
			option = t
		}
		if ok && !key.IsArray() {
			texts = append(texts, option.String())
		}
	}
	return strings.Join(texts, ", ")
}
